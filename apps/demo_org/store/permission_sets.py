"""The permission rows every org has: licences, profiles and the permission set behind each profile.

Belongs here: what is made where the data has none. A profile without permission set in the data gets one that
allows everything, so an org restored from records alone hides nothing. Not here: what follows for a user.
"""

from collections.abc import Iterable
from typing import Any, Final

import duckdb

from apps.demo_org.store.governed import governing_field, governing_object
from apps.demo_org.store.ids import make_id, number_of
from apps.demo_org.store.load import DEFAULT_USER_ID
from apps.demo_org.store.organization import ensure_row
from apps.demo_org.store.schema import Field, ObjectType

#: The licence and the profile of users made for programs only; its permission set allows the API and nothing else.
INTEGRATION_LICENSE: Final = "Salesforce Integration"
INTEGRATION_PROFILE: Final = "Minimum Access - API Only Integrations"
_LICENSES: Final = {
    make_id("100", 1): ("Salesforce", "SFDC"),
    make_id("100", 2): (INTEGRATION_LICENSE, "PID_Salesforce_Integration"),
}
_INTEGRATION_PROFILE_ID: Final = make_id("00e", 2)
#: System permissions that not even an administrator has unless given them.
_NOT_FOR_ADMINS: Final = frozenset(
    {
        "PermissionsApiUserOnly",
        "PermissionsApproveUninstalledConnectedApps",
        "PermissionsBulkApiHardDelete",
        "PermissionsUseAnyApiClient",
        "PermissionsViewAllFieldsGlobal",
    }
)
#: Restored permission sets are far below this number; the profiles' own are made from here on.
_FIRST_SET: Final = 900_000
_STAMP: Final = "TIMESTAMP '2023-01-01'"


def ensure_permissions(con: duckdb.DuckDBPyConnection, objects: dict[str, ObjectType]) -> None:
    """Add what lacks, so that every user has a profile with a permission set; see the module."""
    _ensure_licenses(con, objects)
    found = con.sql(
        "SELECT Id FROM Profile UNION SELECT ProfileId FROM User WHERE ProfileId IS NOT NULL "
        "EXCEPT SELECT ProfileId FROM PermissionSet WHERE IsOwnedByProfile ORDER BY 1"
    ).fetchall()
    made = []
    for number, (profile,) in enumerate(found, _FIRST_SET):
        set_id = make_id("0PS", number)
        everything = profile != _INTEGRATION_PROFILE_ID
        ensure_row(con, objects["PermissionSet"], _profile_set(objects, set_id, profile, everything=everything))
        if everything:
            made.append(set_id)
    if made:
        _grant_everything(con, objects.values(), made)
    profiles_follow(con, objects)


def _ensure_licenses(con: duckdb.DuckDBPyConnection, objects: dict[str, ObjectType]) -> None:
    names = {name for (name,) in con.sql("SELECT Name FROM UserLicense").fetchall()}
    for license_id, (name, key) in _LICENSES.items():
        if name not in names:
            row = {"Id": license_id, "Name": name, "MasterLabel": name, "LicenseDefinitionKey": key, "Status": "Active"}
            ensure_row(con, objects["UserLicense"], row | {"TotalLicenses": 5, "UsedLicenses": 1})
    ids = dict(con.sql("SELECT Name, Id FROM UserLicense ORDER BY Id DESC").fetchall())
    if not con.sql("SELECT 1 FROM Profile WHERE Name = ?", params=[INTEGRATION_PROFILE]).fetchall():
        profile = {"Id": _INTEGRATION_PROFILE_ID, "Name": INTEGRATION_PROFILE, "UserType": "Standard"}
        profile["UserLicenseId"] = ids[INTEGRATION_LICENSE]
        ensure_row(con, objects["Profile"], profile)
    con.execute("UPDATE Profile SET UserLicenseId = ? WHERE UserLicenseId IS NULL", [ids["Salesforce"]]).fetchall()


def system_permissions(objects: dict[str, ObjectType]) -> list[str]:
    """API names of the system permissions the org knows, such as ``PermissionsViewSetup``."""
    return [name for name in objects["PermissionSet"].fields if name.startswith("Permissions")]


def profiles_follow(con: duckdb.DuckDBPyConnection, objects: dict[str, ObjectType]) -> None:
    """Have each profile say the same as the permission set behind it."""
    names = [name for name in system_permissions(objects) if objects["Profile"].find(name)]
    sets = ", ".join(f"{name} = s.{name}" for name in names)
    con.execute(
        f"UPDATE Profile SET {sets} FROM PermissionSet s WHERE s.ProfileId = Profile.Id AND s.IsOwnedByProfile"
    ).fetchall()


def _profile_set(objects: dict[str, ObjectType], set_id: str, profile: str, *, everything: bool) -> dict[str, Any]:
    allowed = set(system_permissions(objects)) - _NOT_FOR_ADMINS if everything else set()
    if not everything:
        allowed = {"PermissionsApiEnabled", "PermissionsApiUserOnly"}
    name = f"X{profile}"
    row = {"Id": set_id, "Name": name, "Label": name, "ProfileId": profile, "IsOwnedByProfile": True, "Type": "Profile"}
    return row | dict.fromkeys(allowed, True)


def _grant_everything(con: duckdb.DuckDBPyConnection, objects: Iterable[ObjectType], sets: list[str]) -> None:
    """Give the permission sets every right on every governed object and field."""
    kinds = list(objects)
    names = [kind.name for kind in kinds if governing_object(kind) == kind.name]
    rights = ("Create", "Read", "Edit", "Delete", "ViewAllRecords", "ModifyAllRecords")
    columns = ", ".join(f"Permissions{right}" for right in rights)
    pairs = [(set_id, name) for set_id in sets for name in names]
    con.execute(
        f"""
        INSERT INTO ObjectPermissions (Id, ParentId, SobjectType, {columns}, PermissionsViewAllFields,
            CreatedDate, LastModifiedDate, SystemModstamp, CreatedById, LastModifiedById)
        SELECT unnest($1), unnest($2), unnest($3), {", ".join("true" for _ in rights)}, false,
            {_STAMP}, {_STAMP}, {_STAMP}, '{DEFAULT_USER_ID}', '{DEFAULT_USER_ID}'
        """,
        [_new_ids(con, "ObjectPermissions", "110", len(pairs)), *([each[n] for each in pairs] for n in range(2))],
    ).fetchall()
    fields = sorted({found for kind in kinds for field in kind.fields.values() if (found := _granted(kind, field))})
    _insert_field_rows(con, sets, fields)


def _granted(kind: ObjectType, field: Field) -> tuple[str, str, bool] | None:
    """Object, governing field and whether it can be written at all; None for a field nothing governs."""
    name = governing_field(kind, field)
    if name is None:
        return None
    parts = [kind.fields[name], *kind.parts_of(name)]
    return kind.name, name, any(part.describe["createable"] or part.describe["updateable"] for part in parts)


def _insert_field_rows(con: duckdb.DuckDBPyConnection, sets: list[str], fields: list[tuple[str, str, bool]]) -> None:
    rows = [(set_id, name, f"{name}.{field}", edit) for set_id in sets for name, field, edit in fields]
    con.execute(
        f"""
        INSERT INTO FieldPermissions
            (Id, ParentId, SobjectType, Field, PermissionsEdit, PermissionsRead, SystemModstamp)
        SELECT unnest($1), unnest($2), unnest($3), unnest($4), unnest($5), true, {_STAMP}
        """,
        [_new_ids(con, "FieldPermissions", "01k", len(rows)), *([each[n] for each in rows] for n in range(4))],
    ).fetchall()


def _new_ids(con: duckdb.DuckDBPyConnection, table: str, prefix: str, count: int) -> list[str]:
    """Ids for new rows: after those that made rows of the table have."""
    taken = con.sql(f"SELECT max(Id) FROM {table} WHERE Id >= '{make_id(prefix, _FIRST_SET)}'").fetchall()[0][0]
    start = _FIRST_SET if taken is None else number_of(taken) + 1
    return [make_id(prefix, start + n) for n in range(count)]


def forget_field(con: duckdb.DuckDBPyConnection, kind: ObjectType, name: str) -> None:
    """Remove the permissions of a field that is gone."""
    con.execute("DELETE FROM FieldPermissions WHERE Field = ?", [f"{kind.name}.{name}"]).fetchall()


def grant_field(con: duckdb.DuckDBPyConnection, kind: ObjectType, field: Field) -> None:
    """Let every profile whose permission set this module made see a field that is new.

    In Salesforce nobody sees a field made through the API until somebody grants it; here whoever saw everything
    goes on to.
    """
    granted = _granted(kind, field)
    sets = con.sql(
        "SELECT Id FROM PermissionSet WHERE IsOwnedByProfile AND PermissionsModifyAllData ORDER BY Id"
    ).fetchall()
    if granted is not None and sets:
        _insert_field_rows(con, [set_id for (set_id,) in sets], [granted])
