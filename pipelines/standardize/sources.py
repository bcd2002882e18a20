"""Which raw column feeds which canonical input, per table; a column the source lacks is NULL.

Only names of columns live here, no cleaning. The canonical inputs are the columns of ``INPUTS``, all VARCHAR.
"""

from collections.abc import Collection
from dataclasses import dataclass

import duckdb

from data_contracts.contracts import quoted
from pipelines.tables import table_columns

#: Canonical inputs, the same for every table, before any cleaning.
INPUTS = (
    "key",
    "name",
    "first_name",
    "last_name",
    "company_name",
    "other_names",
    "website",
    "email",
    "phone",
    "mobile",
    "street",
    "city",
    "state",
    "postal_code",
    "country",
    "birthdate",
    "title",
    "parent_key",
    "stored_reference_id",
    "size",
    "is_person",
)
#: The parts of an address: they come from one address of the record, never one from here and one from there.
ADDRESS = ("street", "city", "state", "postal_code", "country")
#: The parts that say where; a country alone is no address.
PLACE = ("street", "city", "postal_code")


@dataclass(frozen=True)
class Source:
    """Where a standard table is read from: relation, key, input → columns (first non-empty wins), and its addresses.

    The first address that says where (street, city or postal code) is taken whole.
    """

    relation: str
    key: str
    columns: dict[str, tuple[str, ...]]
    addresses: tuple[dict[str, tuple[str, ...]], ...]


def _address(prefix: str) -> dict[str, tuple[str, ...]]:
    """Return the address columns of Salesforce under ``prefix``; a code (where picklists are on) wins over a label."""
    return {
        "street": (f"{prefix}Street",),
        "city": (f"{prefix}City",),
        "state": (f"{prefix}StateCode", f"{prefix}State"),
        "postal_code": (f"{prefix}PostalCode",),
        "country": (f"{prefix}CountryCode", f"{prefix}Country"),
    }


_REFERENCE_ADDRESS: dict[str, tuple[str, ...]] = {name: (name,) for name in ADDRESS}

SOURCES = {
    "account": Source(
        "salesforce.account",
        "Id",
        {
            "name": ("Name",),
            "first_name": ("FirstName",),
            "last_name": ("LastName",),
            "website": ("Website",),
            "email": ("PersonEmail",),
            "phone": ("Phone",),
            "parent_key": ("ParentId",),
            "is_person": ("IsPersonAccount",),
        },
        (_address("Billing"), _address("Shipping"), _address("PersonMailing")),
    ),
    "contact": Source(
        "salesforce.contact",
        "Id",
        {
            "name": ("Name",),
            "first_name": ("FirstName",),
            "last_name": ("LastName",),
            "email": ("Email",),
            "phone": ("Phone", "HomePhone", "OtherPhone"),
            "mobile": ("MobilePhone",),
            "birthdate": ("Birthdate",),
            "title": ("Title",),
            "parent_key": ("AccountId",),
        },
        (_address("Mailing"), _address("Other")),
    ),
    "lead": Source(
        "salesforce.lead",
        "Id",
        {
            "name": ("Name",),
            "first_name": ("FirstName",),
            "last_name": ("LastName",),
            "company_name": ("Company",),
            "website": ("Website",),
            "email": ("Email",),
            "phone": ("Phone",),
            "mobile": ("MobilePhone",),
            "birthdate": ("Birthdate__c",),
            "title": ("Title",),
        },
        (_address(""),),
    ),
    "company": Source(
        "reference.company",
        "company_id",
        {
            "name": ("name",),
            "other_names": ("other_names",),
            "website": ("website",),
            "phone": ("phone",),
            "parent_key": ("parent_id",),
            "size": ("employees",),
        },
        (_REFERENCE_ADDRESS,),
    ),
    "person": Source(
        "reference.person",
        "person_id",
        {
            "first_name": ("first_name",),
            "last_name": ("last_name",),
            "email": ("email",),
            "phone": ("phone",),
            "mobile": ("mobile",),
            "birthdate": ("birthdate",),
            "title": ("title",),
            "parent_key": ("company_id",),
        },
        (_REFERENCE_ADDRESS,),
    ),
}


def read_sql(
    con: duckdb.DuckDBPyConnection, table: str, stored_reference_field: str | None, *, rows: str = "", also: str = ""
) -> str | None:
    """Return the SELECT of the canonical inputs of ``table``'s live rows, or None when its source does not exist.

    ``rows`` is SQL to read in place of the source, with its columns; ``also`` are more columns of it.
    """
    source = SOURCES[table]
    present = table_columns(con, source.relation).keys()
    if source.key not in present:
        return None
    wanted = _wanted(source, stored_reference_field)
    parts = [f"CAST({quoted(source.key)} AS VARCHAR) AS key"]
    for name in INPUTS:
        if name in ADDRESS:
            parts.append(f"{_of_one_address(source.addresses, name, present)} AS {name}")
        elif name != "key":
            parts.append(f"{_first_of(wanted.get(name, ()), present)} AS {name}")
    return (
        f"SELECT {', '.join([*parts, also] if also else parts)} FROM {rows or source.relation} {_live(table, present)}"
    )


def read_columns(con: duckdb.DuckDBPyConnection, table: str, stored_reference_field: str | None) -> dict[str, str]:
    """Return the columns of the source that ``read_sql`` reads of a live row, key first, with their types."""
    source = SOURCES[table]
    present = table_columns(con, source.relation)
    wanted = [_wanted(source, stored_reference_field), *source.addresses]
    names = [source.key, *(name for columns in wanted for several in columns.values() for name in several)]
    return {name: present[name] for name in names if name in present} if source.key in present else {}


def _wanted(source: Source, stored_reference_field: str | None) -> dict[str, tuple[str, ...]]:
    stored = {"stored_reference_id": (stored_reference_field,)} if stored_reference_field else {}
    return source.columns | stored


def read_keys(con: duckdb.DuckDBPyConnection, table: str) -> str:
    """Return the SELECT of the keys of ``table``'s live rows; its source exists."""
    source = SOURCES[table]
    live = _live(table, table_columns(con, source.relation).keys())
    return f"SELECT CAST({quoted(source.key)} AS VARCHAR) AS key FROM {source.relation} {live}"


def _live(table: str, present: Collection[str]) -> str:
    live = "WHERE NOT _is_deleted" if "_is_deleted" in present else "WHERE true"
    if table == "lead" and "IsConverted" in present:
        # A converted lead is its contact's past: Salesforce keeps it, and nobody works it any more.
        live += ' AND NOT coalesce("IsConverted", false)'
    return live


def _first_of(columns: tuple[str, ...], present: Collection[str]) -> str:
    """Return SQL for the first non-empty of the columns that exist, as trimmed text."""
    found = [f"nullif(trim(CAST({quoted(name)} AS VARCHAR)), '')" for name in columns if name in present]
    if not found:
        return "CAST(NULL AS VARCHAR)"
    return found[0] if len(found) == 1 else f"coalesce({', '.join(found)})"


def _of_one_address(addresses: tuple[dict[str, tuple[str, ...]], ...], part: str, present: Collection[str]) -> str:
    """Return SQL for one part of the first address that says where; if none does, of whichever has the part."""
    whole = _first_of(tuple(column for address in addresses for column in address[part]), present)
    cases = [
        f"WHEN coalesce({', '.join(_first_of(address[name], present) for name in PLACE)}) IS NOT NULL "
        f"THEN {_first_of(address[part], present)}"
        for address in addresses
        if any(column in present for name in PLACE for column in address[name])
    ]
    return f"CASE {' '.join(cases)} ELSE {whole} END" if len(addresses) > 1 and cases else whole
