"""Describe responses: the org's schema as REST shows it to a user.

Belongs here: the global and per-object bodies. Not here: the schema itself.
"""

from typing import Any, Final

from apps.demo_org.store.schema import Field, ObjectType, Visibility

#: Object attributes the global describe repeats for each object, in the recorded order.
_GLOBAL_KEYS: Final = (
    "activateable",
    "associateEntityType",
    "associateParentEntity",
    "createable",
    "custom",
    "customSetting",
    "deepCloneable",
    "deletable",
    "deprecatedAndHidden",
    "feedEnabled",
    "hasSubtypes",
    "isInterface",
    "isSubtype",
    "keyPrefix",
    "label",
    "labelPlural",
    "layoutable",
    "mergeable",
    "mruEnabled",
    "name",
    "queryable",
    "replicateable",
    "retrieveable",
    "searchable",
    "triggerable",
    "undeletable",
    "updateable",
)
#: Resources of an object whose metadata lists none.
_URLS: Final = {
    "compactLayouts": "/describe/compactLayouts",
    "rowTemplate": "/{ID}",
    "approvalLayouts": "/describe/approvalLayouts",
    "listviews": "/listviews",
    "describe": "/describe",
    "quickActions": "/quickActions",
    "layouts": "/describe/layouts",
    "sobject": "",
}
#: From this API version on objects say what they are associated with, and no longer where defaults are (recorded).
_ASSOCIATED_FROM: Final = 50
_ASSOCIATION: Final = ("associateEntityType", "associateParentEntity")
#: The oldest recorded version that says how an object can be described.
_DESCRIBE_OPTION_FROM: Final = 48
#: A resource of single records that the global describe leaves out.
_NOT_GLOBAL: Final = "eventSeriesUpdates"
_MASTER_RECORD_TYPE: Final = "012000000000000AAA"
_CHILD: Final[dict[str, Any]] = {
    "cascadeDelete": False,
    "childSObject": None,
    "deprecatedAndHidden": False,
    "field": None,
    "junctionIdListNames": [],
    "junctionReferenceTo": [],
    "relationshipName": None,
    "restrictedDelete": False,
}


def describe_global(objects: dict[str, ObjectType], version: str, visibility: Visibility) -> dict[str, Any]:
    """Body of ``/sobjects``: every visible object."""
    listed = []
    for name in sorted(objects):
        if visibility.sees(name):
            kind = objects[name]
            entry = {key: kind.describe.get(key) for key in _GLOBAL_KEYS} | _rights(kind, visibility)
            urls = {key: url for key, url in _urls(kind, version).items() if key != _NOT_GLOBAL}
            listed.append(_of_version(entry | {"urls": urls}, version))
    return {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": listed}


def describe_object(kind: ObjectType, version: str, visibility: Visibility, host: str) -> dict[str, Any]:
    """Body of ``/sobjects/X/describe``: hidden fields and child objects are simply absent."""
    body = kind.describe | _rights(kind, visibility)
    body["fields"] = [_field(kind, f, visibility) for f in kind.fields.values() if visibility.sees(kind.name, f.name)]
    body["childRelationships"] = [
        {**_CHILD, **child} for child in kind.children if visibility.sees(child["childSObject"], child["field"])
    ]
    layout = f"/services/data/{version}/sobjects/{kind.name}/describe/layouts/{_MASTER_RECORD_TYPE}"
    body["recordTypeInfos"] = [{**info, "urls": {"layout": layout}} for info in body["recordTypeInfos"]]
    ui = {
        "uiDetailTemplate": f"{host}/{{ID}}",
        "uiEditTemplate": f"{host}/{{ID}}/e",
        "uiNewRecord": f"{host}/{kind.key_prefix}/e",
    }
    body["urls"] = _urls(kind, version) | ui
    if _number(version) < _ASSOCIATED_FROM:
        body["urls"]["defaultValues"] = _urls(kind, version)["sobject"] + "/defaultValues?recordTypeId&fields"
    return dict(sorted(_of_version(body, version).items()))


def _of_version(body: dict[str, Any], version: str) -> dict[str, Any]:
    absent: set[str] = set() if _number(version) >= _ASSOCIATED_FROM else set(_ASSOCIATION)
    if _number(version) < _DESCRIBE_OPTION_FROM:
        absent.add("sobjectDescribeOption")
    return {key: value for key, value in body.items() if key not in absent}


def _number(version: str) -> float:
    return float(version.removeprefix("v"))


def _rights(kind: ObjectType, visibility: Visibility) -> dict[str, Any]:
    """The attributes of an object that say what the user may do with its records."""
    rights = {"createable": "create", "updateable": "edit", "deletable": "delete"}
    found = {key: kind.describe[key] and visibility.may(right, kind.name) for key, right in rights.items()}
    return found | {"undeletable": kind.describe["undeletable"] and visibility.may("delete", kind.name)}


def _field(kind: ObjectType, field: Field, visibility: Visibility) -> dict[str, Any]:
    """The description of a field with what the user may do with it."""
    rights = {"createable": "create", "updateable": "edit"}
    lost = [key for key, right in rights.items() if not visibility.may(right, kind.name, field.name)]
    return {**field.describe, **dict.fromkeys(lost, False)} if lost else field.describe


def _urls(kind: ObjectType, version: str) -> dict[str, str]:
    base = f"/services/data/{version}/sobjects/{kind.name}"
    return {key: base + suffix for key, suffix in (kind.urls or _URLS).items()}
