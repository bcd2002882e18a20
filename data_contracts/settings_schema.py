"""The JSON Schema of ``crosswalk.yaml``, for editors: the model's own, with the words that only the reader knows.

``crosswalk.schema.json`` beside this file is what this module makes; a test holds them together.
"""

from typing import Any

from data_contracts.settings import DEFAULT_OBJECTS, Settings
from data_contracts.settings_words import OTHER_OBJECTS, REFERENCE_COLUMNS, SCHEMAS

TITLE = "Crosswalk settings (crosswalk.yaml)"
#: Objects that an admin of any org may name by its API name.
_CUSTOM = {"pattern": "__c$"}


def settings_schema() -> dict[str, Any]:
    """Return the schema: every key with its meaning, default and allowed values."""
    schema: dict[str, Any] = _plain(Settings.model_json_schema())
    schema |= {"$schema": "http://json-schema.org/draft-07/schema#", "title": TITLE}
    properties = schema["properties"]
    properties["objects"]["propertyNames"] = {"anyOf": [{"enum": [*DEFAULT_OBJECTS, *OTHER_OBJECTS]}, _CUSTOM]}
    definitions = schema["definitions"]
    definitions["Publish"]["properties"]["schemas"] = {
        **definitions["Publish"]["properties"]["schemas"],
        "anyOf": [{"type": "array", "items": {"enum": list(SCHEMAS)}}, {"type": "null"}],
    }
    words = sorted({name for columns in REFERENCE_COLUMNS.values() for name in columns} | {"user_id", "name", "active"})
    definitions["ReferenceSource"]["properties"]["columns"]["propertyNames"] = {"enum": words}
    return schema


def _plain(node: Any) -> Any:
    """Bring pydantic's dialect to what editors read: draft-07 references, times as people write them, numbers for text.

    A clock time has no seconds and no zone here, and where a text is expected YAML may hold a number (62.0).
    """
    if isinstance(node, list):
        return [_plain(item) for item in node]
    if not isinstance(node, dict):
        return node.replace("#/$defs/", "#/definitions/") if isinstance(node, str) else node
    made = {("definitions" if name == "$defs" else name): _plain(item) for name, item in node.items()}
    if made.get("format") == "time":
        del made["format"]
        made["pattern"] = r"^([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d)?$"
    elif made.get("format") == "date":
        del made["format"]
        made["pattern"] = r"^\d{4}-\d\d-\d\d$"
    elif made.get("type") == "string" and not {"enum", "const", "format"} & made.keys():
        made["type"] = ["string", "number"]
    return made
