"""Files: what Salesforce works out of a ``ContentVersion`` when it is saved, and its bytes.

Belongs here: the binary field. Not here: HTTP. Content documents, links and versions of one document are not modelled.
"""

import base64
import binascii
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, Final

from apps.demo_org.store.errors import SObjectError
from apps.demo_org.store.schema import ObjectType

OBJECT: Final = "ContentVersion"
FIELD: Final = "VersionData"


def file_values(kind: ObjectType, values: Mapping[str, Any]) -> dict[str, Any]:
    """Size, extension and title of a file that is saved; empty for other objects. SObjectError for no base64."""
    if kind.name != OBJECT:
        return {}
    found: dict[str, Any] = {}
    if values.get(FIELD) is not None:
        found["ContentSize"] = len(content_of(str(values[FIELD])))
    if path := values.get("PathOnClient"):
        name = PurePath(str(path).replace("\\", "/"))
        found |= {"FileExtension": name.suffix.removeprefix(".") or None, "Title": values.get("Title") or name.stem}
    return found


def content_of(stored: str) -> bytes:
    """The bytes of a binary field; SObjectError where the text is no base64."""
    try:
        return base64.b64decode(stored, validate=True)
    except (binascii.Error, ValueError) as error:
        message = f"Version Data: value not of required type: {stored[:20]}"
        raise SObjectError(400, "JSON_PARSER_ERROR", message, [FIELD]) from error
