"""What every org has: its Organization row, a profile, and the one user that owns what has no owner.

Belongs here: the rows made when the data directory lacks them. Not here: restored rows.
"""

from datetime import datetime
from typing import Any, Final

import duckdb

from apps.demo_org.store.derived import stage_meaning
from apps.demo_org.store.ids import make_id
from apps.demo_org.store.load import DEFAULT_ORG_ID, DEFAULT_PROFILE_ID, DEFAULT_USER_ID
from apps.demo_org.store.schema import ObjectType
from apps.demo_org.store.text import identifier

_MADE: Final = datetime(2023, 1, 1)  # noqa: DTZ001 - stored instants are UTC without zone
_STAMPS: Final[dict[str, Any]] = {
    "CreatedDate": _MADE,
    "LastModifiedDate": _MADE,
    "SystemModstamp": _MADE,
    "CreatedById": DEFAULT_USER_ID,
    "LastModifiedById": DEFAULT_USER_ID,
}
_PROFILE: Final[dict[str, Any]] = {
    "Id": DEFAULT_PROFILE_ID,
    "Name": "System Administrator",
    "UserType": "Standard",
    "PermissionsApiEnabled": True,
    "PermissionsViewAllData": True,
    "PermissionsModifyAllData": True,
    "PermissionsViewSetup": True,
}
_USER: Final[dict[str, Any]] = {
    "Id": DEFAULT_USER_ID,
    "Username": "integration@demo-org.example.com",
    "FirstName": "Integration",
    "LastName": "User",
    "Name": "Integration User",
    "Email": "integration@demo-org.example.com",
    "Alias": "integ",
    "CommunityNickname": "integration",
    "CompanyName": "Demo Org",
    "IsActive": True,
    "UserType": "Standard",
    "ProfileId": DEFAULT_PROFILE_ID,
    "TimeZoneSidKey": "America/New_York",
    "LocaleSidKey": "en_US",
    "LanguageLocaleKey": "en_US",
    "EmailEncodingKey": "UTF-8",
}
_ORGANIZATION: Final[dict[str, Any]] = {
    "Id": DEFAULT_ORG_ID,
    "Name": "Demo Org",
    "Country": "US",
    "OrganizationType": "Developer Edition",
    "InstanceName": "DEMO1",
    "IsSandbox": False,
    "FiscalYearStartMonth": 1,
    "TimeZoneSidKey": "America/New_York",
    "DefaultLocaleSidKey": "en_US",
    "LanguageLocaleKey": "en_US",
}
#: Object -> object and field whose values it describes.
_PICKLIST_OBJECTS: Final = {
    "LeadStatus": ("Lead", "Status"),
    "CaseStatus": ("Case", "Status"),
    "TaskStatus": ("Task", "Status"),
    "OpportunityStage": ("Opportunity", "StageName"),
}
#: They share one key prefix, so their ids must not meet.
_PICKLIST_IDS: Final = {name: 100 * number for number, name in enumerate(_PICKLIST_OBJECTS)}


def ensure_user(con: duckdb.DuckDBPyConnection, objects: dict[str, ObjectType]) -> None:
    """Add the integration user and its profile unless the data has records of those ids."""
    ensure_row(con, objects["User"], _USER)
    ensure_row(con, objects["Profile"], _PROFILE)


def ensure_organization(con: duckdb.DuckDBPyConnection, objects: dict[str, ObjectType]) -> str:
    """Add an Organization row where the data has none; the org's id."""
    found = con.sql("SELECT Id FROM Organization ORDER BY Id LIMIT 1").fetchall()
    if found:
        return str(found[0][0])
    ensure_row(con, objects["Organization"], _ORGANIZATION)
    return DEFAULT_ORG_ID


def ensure_picklist_objects(con: duckdb.DuckDBPyConnection, objects: dict[str, ObjectType]) -> None:
    """Fill the objects that tell what a status or stage means, where the data has no rows of them."""
    for name, (owner, field) in _PICKLIST_OBJECTS.items():
        kind = objects[name]
        if con.sql(f"SELECT 1 FROM {identifier(name)} LIMIT 1").fetchall():
            continue
        for number, choice in enumerate(objects[owner].fields[field].describe["picklistValues"], 1):
            meaning = stage_meaning(choice["value"]) if name == "OpportunityStage" else {}
            row = {
                "Id": make_id(kind.key_prefix, _PICKLIST_IDS[name] + number),
                "MasterLabel": choice["label"],
                "ApiName": choice["value"],
                "SortOrder": number,
                "IsDefault": choice["defaultValue"],
                "IsConverted": choice["value"] == "Closed - Converted",
                "IsClosed": choice["value"] in ("Closed", "Completed"),
                "IsActive": True,
            }
            ensure_row(con, kind, row | meaning)


def ensure_row(con: duckdb.DuckDBPyConnection, kind: ObjectType, values: dict[str, Any]) -> None:
    """Add a row unless the table has one of its Id; unknown fields are left out, checkboxes not given are false."""
    table = identifier(kind.name)
    if con.sql(f"SELECT 1 FROM {table} WHERE Id = ?", params=[values["Id"]]).fetchall():
        return
    row = {f.name: False for f in kind.stored() if f.type == "boolean"} | _STAMPS | values
    row = {name: value for name, value in row.items() if kind.find(name)}
    columns = ", ".join(identifier(n) for n in row)
    con.execute(f"INSERT INTO {table} ({columns}) VALUES ({', '.join('?' for _ in row)})", list(row.values()))


def storage_megabytes(con: duckdb.DuckDBPyConnection, objects: dict[str, ObjectType]) -> float:
    """Data storage used: 2 KB a record, 8 KB a campaign, whatever is in it; setup records cost nothing."""
    heavy = {"Campaign": 8}
    counts = ", ".join(
        f"(SELECT count(*) FROM {identifier(name)}) * {heavy.get(name, 2)}"
        for name, kind in objects.items()
        if kind.find("IsDeleted")
    )
    return float(sum(con.execute(f"SELECT {counts}").fetchall()[0])) / 1024
