"""An admin's changes of permissions, as actions of ``/__demo__/execute``.

Belongs here: granting and taking away, assigning permission sets and profiles. What follows for a user is
``permissions.py``. The same rows can be written through REST, too.
"""

from collections.abc import Callable
from typing import Any, Final

from apps.demo_org.errors import ApiError
from apps.demo_org.org import DemoOrgState

_RIGHTS: Final = {
    "read": "PermissionsRead",
    "create": "PermissionsCreate",
    "edit": "PermissionsEdit",
    "delete": "PermissionsDelete",
    "view_all": "PermissionsViewAllRecords",
    "modify_all": "PermissionsModifyAllRecords",
    "view_all_fields": "PermissionsViewAllFields",
}
Body = dict[str, Any]


def create_permission_set(org: DemoOrgState, body: Body) -> str:
    """``name``, and system permissions that are true from the start: ``permissions``; the id."""
    name = _text(body, "name")
    granted = {_system(org, each): True for each in body.get("permissions", [])}
    values = {"Name": name, "Label": str(body.get("label", name)), "IsCustom": True, "Type": "Regular", **granted}
    made = org.store.add_record("PermissionSet", values, org.store.default_user_id)
    org.store.changed("PermissionSet")
    return made


def assign_permission_set(org: DemoOrgState, body: Body) -> str:
    """``permission_set`` to ``user`` (the connected one where left out); the assignment's id."""
    values = {"PermissionSetId": _named_set(org, body), "AssigneeId": _user(org, body)["Id"], "IsActive": True}
    made = org.store.add_record("PermissionSetAssignment", values, org.store.default_user_id)
    org.store.changed("PermissionSetAssignment")
    return made


def unassign_permission_set(org: DemoOrgState, body: Body) -> int:
    """Take ``permission_set`` from ``user``; how many assignments went."""
    where = f"PermissionSetId = '{_named_set(org, body)}' AND AssigneeId = '{_user(org, body)['Id']}'"
    found = _ids(org, "PermissionSetAssignment", where)
    for each in found:
        org.store.hard_delete("PermissionSetAssignment", each)
    return len(found)


def set_profile(org: DemoOrgState, body: Body) -> None:
    """Give ``user`` the ``profile`` of this name."""
    profile = _text(body, "profile")
    found = _ids(org, "Profile", f"Name = '{_quoted(profile)}'")
    if not found:
        raise _wrong(f"the org has no profile {profile}")
    org.store.update_where("User", f"Id = '{_user(org, body)['Id']}'", {"ProfileId": found[0]}, stamp=False)


def set_system_permission(org: DemoOrgState, body: Body) -> None:
    """Grant ``permission`` (as in ``ViewSetup``), or take it away with ``granted`` false."""
    values = {_system(org, _text(body, "permission")): bool(body.get("granted", True))}
    org.store.update_where("PermissionSet", f"Id = '{_set_of(org, body)}'", values, stamp=False)
    org.permissions.profiles_changed()


def set_object_permission(org: DemoOrgState, body: Body) -> None:
    """Set rights on ``object``: read, create, edit, delete, view_all, modify_all, view_all_fields; others stay."""
    kind = org.store.object_type(_text(body, "object"))
    values = {column: bool(body[right]) for right, column in _RIGHTS.items() if right in body}
    if values.get("PermissionsRead") is False:
        # Nobody changes what it cannot read.
        values = dict.fromkeys(_RIGHTS.values(), False)
    _save(org, "ObjectPermissions", body, {"SobjectType": kind.name}, values)


def set_field_permission(org: DemoOrgState, body: Body) -> None:
    """Set ``read`` and ``edit`` of ``field``, as in ``Account.Industry``; others stay."""
    object_name, _, name = _text(body, "field").partition(".")
    kind = org.store.object_type(object_name)
    field = kind.find(name)
    if field is None:
        raise _wrong(f"{kind.name} has no field {name}")
    decides = org.permissions.governing(kind, field)
    if decides is None:
        raise _wrong(f"{kind.name}.{field.name} has no field-level security: whoever reads the object reads it")
    values = {_RIGHTS[right]: bool(body[right]) for right in ("read", "edit") if right in body}
    if values.get("PermissionsRead") is False:
        values["PermissionsEdit"] = False
    elif values.get("PermissionsEdit"):
        values["PermissionsRead"] = True
    _save(org, "FieldPermissions", body, {"SobjectType": kind.name, "Field": f"{kind.name}.{decides}"}, values)


def _save(org: DemoOrgState, name: str, body: Body, key: dict[str, str], values: dict[str, bool]) -> None:
    parent = _set_of(org, body)
    where = " AND ".join(f"{column} = '{value}'" for column, value in {"ParentId": parent, **key}.items())
    if _ids(org, name, where):
        org.store.update_where(name, where, values, stamp=False)
    else:
        org.store.add_record(name, {"ParentId": parent, **key, **values}, org.store.default_user_id)
        org.store.changed(name)


def _set_of(org: DemoOrgState, body: Body) -> str:
    """Id of the permission set meant: the one named, or the one behind the user's profile."""
    if "permission_set" in body:
        return _named_set(org, body)
    user = _user(org, body)
    return _ids(org, "PermissionSet", f"IsOwnedByProfile = true AND ProfileId = '{user['ProfileId']}'")[0]


def _named_set(org: DemoOrgState, body: Body) -> str:
    name = _quoted(_text(body, "permission_set"))
    found = _ids(org, "PermissionSet", f"Name = '{name}' OR Label = '{name}'")
    if not found:
        raise _wrong(f"the org has no permission set {body['permission_set']}")
    return found[0]


def _user(org: DemoOrgState, body: Body) -> dict[str, Any]:
    who = str(body.get("user") or org.app.run_as or "")
    user = org.find_user(who)
    if user is None:
        raise _wrong(f"the org has no user {who}")
    return user


def _ids(org: DemoOrgState, name: str, where: str) -> list[str]:
    found = org.store.query(f"SELECT Id FROM {name} WHERE {where} ORDER BY Id")
    try:
        return [str(record["Id"]) for record in found.records()]
    finally:
        found.close()


def _system(org: DemoOrgState, name: str) -> str:
    full = name if name.startswith("Permissions") else f"Permissions{name}"
    if org.store.object_type("PermissionSet").find(full) is None:
        raise _wrong(f"the demo org does not know the permission {name}")
    return full


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


def _text(body: Body, key: str) -> str:
    if not isinstance(body.get(key), str):
        raise _wrong(f"{key} is missing or not text")
    return str(body[key])


def _wrong(message: str) -> ApiError:
    return ApiError(400, "INVALID_PARAMETER_VALUE", message)


#: Action -> what it does; documented in ``docs/demo-org.md``.
ACTIONS: Final[dict[str, Callable[[DemoOrgState, Body], object]]] = {
    "assign_permission_set": assign_permission_set,
    "create_permission_set": create_permission_set,
    "set_field_permission": set_field_permission,
    "set_object_permission": set_object_permission,
    "set_profile": set_profile,
    "set_system_permission": set_system_permission,
    "unassign_permission_set": unassign_permission_set,
}
