"""What each user may do, from its profile and permission sets as they are in the org's records right now.

Belongs here: system, object and field permissions of a user and what they hide. Does not belong here: the rows
(``store/permission_sets.py``), changing them (``permission_admin.py``), sharing (not modelled: who may read an
object reads all its records).
"""

import threading
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass

import duckdb

from apps.demo_org.store import OrgStore, Visibility
from apps.demo_org.store.governed import SETUP_OBJECTS, TOOLING_OBJECTS, governing_field, governing_object
from apps.demo_org.store.ids import access_id
from apps.demo_org.store.organization import ensure_row
from apps.demo_org.store.permission_sets import forget_field, grant_field, profiles_follow, system_permissions
from apps.demo_org.store.schema import Field, ObjectType

#: Operations a user needs a system permission for, where no object permission decides.
_SYSTEM_RIGHTS = {
    "Event": "PermissionsEditEvent",
    "FieldPermissions": "PermissionsManageUsers",
    "ObjectPermissions": "PermissionsManageUsers",
    "PermissionSet": "PermissionsManageUsers",
    "PermissionSetAssignment": "PermissionsAssignPermissionSets",
    "Task": "PermissionsEditTask",
    "User": "PermissionsManageInternalUsers",
}
_OPERATIONS = ("create", "edit", "delete")
_SETS = """
    SELECT s.Id FROM PermissionSet s JOIN User u ON u.ProfileId = s.ProfileId WHERE s.IsOwnedByProfile AND u.Id = $user
    UNION SELECT s.Id FROM PermissionSet s JOIN PermissionSetAssignment a ON a.PermissionSetId = s.Id
    WHERE a.AssigneeId = $user
"""
_OBJECTS = f"""
    SELECT SobjectType,
        bool_or(PermissionsRead OR PermissionsViewAllRecords OR PermissionsModifyAllRecords),
        bool_or(PermissionsCreate),
        bool_or(PermissionsEdit OR PermissionsModifyAllRecords),
        bool_or(PermissionsDelete OR PermissionsModifyAllRecords),
        coalesce(bool_or(PermissionsViewAllFields), false)
    FROM ObjectPermissions WHERE ParentId IN ({_SETS}) GROUP BY SobjectType
"""
_FIELDS = f"""
    SELECT Field, bool_or(PermissionsRead OR PermissionsEdit), bool_or(PermissionsEdit)
    FROM FieldPermissions WHERE ParentId IN ({_SETS}) GROUP BY Field
"""
_GROUPS = f"""
    SELECT Id FROM ({_SETS}) UNION SELECT Name FROM PermissionSet WHERE Id IN ({_SETS})
    UNION SELECT Label FROM PermissionSet WHERE Id IN ({_SETS}) AND Label IS NOT NULL
    UNION SELECT p.Id FROM Profile p JOIN User u ON u.ProfileId = p.Id WHERE u.Id = $user
    UNION SELECT p.Name FROM Profile p JOIN User u ON u.ProfileId = p.Id WHERE u.Id = $user
"""
_LICENSE = """
    SELECT l.Name FROM User u JOIN Profile p ON p.Id = u.ProfileId JOIN UserLicense l ON l.Id = p.UserLicenseId
    WHERE u.Id = $user
"""


@dataclass(frozen=True)
class UserPermissions:
    """What one user may do; ``groups`` are names and ids of its profile and permission sets."""

    system: frozenset[str]
    visibility: Visibility
    groups: frozenset[str]
    license: str | None
    active: bool


@dataclass(frozen=True)
class _Object:
    """The rights on one object."""

    read: bool = False
    create: bool = False
    edit: bool = False
    delete: bool = False
    all_fields: bool = False


class Permissions:
    """Works out what users may do and remembers it until something changes. Safe to use from several threads."""

    def __init__(self, store: OrgStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._known: dict[str, UserPermissions] = {}
        self._as_of = -1

    def of(self, user_id: str) -> UserPermissions:
        """Return what a user may do now; its record of UserPermissionAccess says the same."""
        with self._lock:
            # Read before the rows are: a change that comes meanwhile is worked out at the next call.
            changes = self._store.permission_changes
            if changes != self._as_of:
                self._known, self._as_of = {}, changes
            if user_id not in self._known:
                self._known[user_id] = self._work_out(user_id)
            return self._known[user_id]

    def governing(self, kind: ObjectType, field: Field) -> str | None:
        """Return the field whose permission decides over this one, or None."""
        return governing_field(kind, field)

    def profiles_changed(self) -> None:
        """Have the profiles say what their permission sets do."""
        with closing(self._store.cursor()) as cursor:
            profiles_follow(cursor, self._store.objects)

    def field_added(self, object_name: str, name: str) -> None:
        """Let whoever sees everything see a new field too."""
        kind = self._store.object_type(object_name)
        with closing(self._store.cursor()) as cursor:
            grant_field(cursor, kind, kind.fields[name])
        self._store.permission_changes += 1

    def field_removed(self, object_name: str, name: str) -> None:
        """Forget the permissions of a field that is gone."""
        with closing(self._store.cursor()) as cursor:
            forget_field(cursor, self._store.object_type(object_name), name)
        self._store.permission_changes += 1

    def _work_out(self, user_id: str) -> UserPermissions:
        with closing(self._store.cursor()) as cursor:
            user = {"user": user_id}
            system = self._system(cursor, user)
            objects = {name: _Object(*rights) for name, *rights in cursor.execute(_OBJECTS, user).fetchall()}
            fields = {name: (read, edit) for name, read, edit in cursor.execute(_FIELDS, user).fetchall()}
            groups = frozenset(str(name) for (name,) in cursor.execute(_GROUPS, user).fetchall())
            license_row = cursor.execute(_LICENSE, user).fetchall()
            active = cursor.execute("SELECT 1 FROM User WHERE Id = $user AND IsActive", user).fetchall()
            self._note_access(cursor, user_id, system)
        visibility = _visibility(self._store.objects, system, objects, fields)
        return UserPermissions(
            system, visibility, groups, str(license_row[0][0]) if license_row else None, bool(active)
        )

    def _system(self, cursor: duckdb.DuckDBPyConnection, user: dict[str, str]) -> frozenset[str]:
        names = system_permissions(self._store.objects)
        columns = ", ".join(f"coalesce(bool_or({name}), false)" for name in names)
        row = cursor.execute(f"SELECT {columns} FROM PermissionSet WHERE Id IN ({_SETS})", user).fetchall()[0]
        return frozenset(name for name, granted in zip(names, row, strict=True) if granted)

    def _note_access(self, cursor: duckdb.DuckDBPyConnection, user_id: str, system: frozenset[str]) -> None:
        found = access_id(user_id)
        cursor.execute("DELETE FROM UserPermissionAccess WHERE Id = ?", [found]).fetchall()
        ensure_row(cursor, self._store.objects["UserPermissionAccess"], {"Id": found, **dict.fromkeys(system, True)})


def _visibility(
    kinds: Mapping[str, ObjectType],
    system: frozenset[str],
    objects: Mapping[str, _Object],
    fields: Mapping[str, tuple[bool, bool]],
) -> Visibility:
    hidden_objects = set(TOOLING_OBJECTS)
    if "PermissionsViewSetup" not in system:
        hidden_objects |= SETUP_OBJECTS
    hidden_fields: set[tuple[str, str]] = set()
    read_only: set[tuple[str, str]] = set()
    denied: set[tuple[str, str]] = set()
    for kind in list(kinds.values()):
        governing = governing_object(kind)
        rights = _rights(objects.get(governing or "", _Object()), system)
        if governing is None:
            needed = _SYSTEM_RIGHTS.get(kind.name)
            if needed and needed not in system and "PermissionsModifyAllData" not in system:
                denied |= {(kind.name, operation) for operation in _OPERATIONS}
        else:
            if not rights.read:
                hidden_objects.add(kind.name)
            denied |= {(kind.name, name) for name in _OPERATIONS if not getattr(rights, name)}
        for field in list(kind.fields.values()):
            decides = governing_field(kind, field)
            if decides is None:
                continue
            read, edit = fields.get(f"{kind.name}.{decides}", (False, False))
            if not (read or rights.all_fields):
                hidden_fields.add((kind.name, field.name))
            elif not edit:
                read_only.add((kind.name, field.name))
    return Visibility(frozenset(hidden_fields), frozenset(hidden_objects), frozenset(read_only), frozenset(denied))


def _rights(found: _Object, system: frozenset[str]) -> _Object:
    """Add what the system permissions give on every object."""
    everything = "PermissionsModifyAllData" in system
    return _Object(
        read=found.read or everything or "PermissionsViewAllData" in system,
        create=found.create or everything,
        edit=found.edit or everything,
        delete=found.delete or everything,
        all_fields=found.all_fields or "PermissionsViewAllFieldsGlobal" in system,
    )
