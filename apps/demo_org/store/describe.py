"""Describe responses: the org's schema as REST shows it to a user.

Belongs here: the global and per-object bodies. Not here: the schema itself.
"""

from typing import Any, Final

from apps.demo_org.store.schema import ObjectType, Visibility

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
            entry = {key: kind.describe.get(key) for key in _GLOBAL_KEYS}
            listed.append(entry | {"urls": _urls(kind, version)})
    return {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": listed}


def describe_object(kind: ObjectType, version: str, visibility: Visibility, host: str) -> dict[str, Any]:
    """Body of ``/sobjects/X/describe``: hidden fields and child objects are simply absent."""
    body = dict(kind.describe)
    body["fields"] = [f.describe for f in kind.fields.values() if visibility.sees(kind.name, f.name)]
    body["childRelationships"] = [
        {**_CHILD, **child} for child in kind.children if visibility.sees(child["childSObject"], child["field"])
    ]
    layout = f"/services/data/{version}/sobjects/{kind.name}/describe/layouts/{_MASTER_RECORD_TYPE}"
    body["recordTypeInfos"] = [{**info, "urls": {"layout": layout}} for info in body["recordTypeInfos"]]
    ui = {
        "uiDetailTemplate": f"{host}/{{ID}}",
        "uiEditTemplate": f"{host}/{{ID}}/e",
        "uiNewRecord": f"{host}/{kind.key_prefix}/e",
        "defaultValues": f"/services/data/{version}/sobjects/{kind.name}/defaultValues?recordTypeId&fields",
    }
    body["urls"] = _urls(kind, version) | ui
    return dict(sorted(body.items()))


def _urls(kind: ObjectType, version: str) -> dict[str, str]:
    base = f"/services/data/{version}/sobjects/{kind.name}"
    return {key: base + suffix for key, suffix in (kind.urls or _URLS).items()}
