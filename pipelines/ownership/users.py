"""The user mapping: which of the organisation's own users a CRM user is, found, kept, and corrected by people.

By e-mail address, then full name; several matches or none wait for a person. What was found is kept in the decisions
store as a version of its own, so that it stays what it was when an address changes. Own users are loaded by
``pipelines.ownership.own_users``; whose records they own is ``pipelines.ownership.records``.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from data_contracts.contracts import load_contract, quoted
from data_contracts.settings import Settings, Users
from pipelines.run import OBJECTS, RunContext
from pipelines.tables import ensure_table, replace_table, table_columns, transaction
from resources.decisions import DecisionStore
from resources.user_mappings import UserMapping, keep_matched, mappings_in_force

#: Who has found what nobody said.
CROSSWALK = "crosswalk"
_FOLDER = Path(__file__).parent
_MAPPINGS = pa.schema(
    [
        ("salesforce_id", pa.string()),
        ("version", pa.int64()),
        *((name, pa.string()) for name in ("act", "own_id", "method", "reason", "decided_by")),
        ("decided_at", pa.timestamp("us", tz="UTC")),
    ]
)
#: Users of Salesforce that no person of the organisation is, by UserType; other types are portal users.
_SYSTEM = "('AutomatedProcess', 'CloudIntegrationUser', 'Guest')"


@dataclass(frozen=True)
class UsersResult:
    """How the CRM's users stand: how many there are, are mapped, were found by this run, and wait for a person."""

    rows: int
    mapped: int
    found: int
    waiting: int


def build_users(
    con: duckdb.DuckDBPyConnection, store: DecisionStore, settings: Settings, run: RunContext
) -> UsersResult:
    """Replace ``ownership.user``, and keep in the store what was found for users that nobody has mapped yet.

    Needs ``ownership.own_user``; users, queues and records where they are mirrored.
    """
    ensure_table(con, load_contract("ownership.own_user"))
    con.execute(_sql("users_keys"))
    _crm_users(con)
    _by_hand(con, settings.users)
    _mappings(con, mappings_in_force(store))
    con.execute(_sql("users_match"))
    found = _found(con, run)
    keep_matched(store, found)
    # Read again: a person may have been faster.
    _mappings(con, mappings_in_force(store))
    return _write(con, settings.users, len(found))


def _write(con: duckdb.DuckDBPyConnection, users: Users, found: int) -> UsersResult:
    contract = load_contract("ownership.user")
    configured = bool(users.source or users.table)
    with transaction(con):
        replace_table(con, contract)
        con.execute(
            f"INSERT INTO {contract.relation} BY NAME {_sql('users_stand')}", {"configured": configured}
        ).fetchall()
    for name in ("_crm_user", "_user_match", "_mapping", "_by_hand"):
        con.execute(f"DROP TABLE {name}")
    counts = "count(*), count(mapped_user), count(*) FILTER (needs_person)"
    rows, mapped, waiting = con.execute(f"SELECT {counts} FROM {contract.relation}").fetchall()[0]
    return UsersResult(rows, mapped, found, waiting)


def _found(con: duckdb.DuckDBPyConnection, run: RunContext) -> list[UserMapping]:
    """Return versions for users whom nobody has mapped so far, and exactly one own user fits."""
    rows = con.execute(
        "SELECT m.salesforce_id, coalesce(k.version, 0) + 1, m.proposed, m.proposed_by, "
        "CASE WHEN k.act = 'matched' THEN k.own_id || ' is no longer among the own users' END "
        "FROM _user_match AS m LEFT JOIN _mapping AS k USING (salesforce_id) "
        "LEFT JOIN _by_hand AS h ON h.user_id = left(m.salesforce_id, 15) "
        "LEFT JOIN ownership.own_user AS o ON o.user_id = k.own_id "
        "WHERE m.proposed IS NOT NULL AND h.user_id IS NULL "
        "AND (k.act IS NULL OR k.act = 'released' OR (k.act = 'matched' AND o.user_id IS NULL)) ORDER BY 1"
    ).fetchall()
    return [
        UserMapping(key, version, "matched", own, method, reason, CROSSWALK, run.started_at)
        for key, version, own, method, reason in rows
    ]


def _crm_users(con: duckdb.DuckDBPyConnection) -> None:
    """Make ``_crm_user``: users, queues, and other owners that live records name."""
    users, groups = table_columns(con, "salesforce.user"), table_columns(con, "salesforce.group")
    parts = []
    if "Id" in users:
        parts.append(_users(users))
    if {"Id", "Name"} <= groups.keys():
        queues = " AND Type = 'Queue'" if "Type" in groups else ""
        parts.append(f"SELECT Id, 'queue', Name, NULL, NULL FROM salesforce.group WHERE NOT _is_deleted{queues}")
    known = " UNION ALL ".join(parts) or "SELECT NULL, NULL, NULL, NULL, NULL WHERE FALSE"
    owners = " UNION ALL ".join(
        f"SELECT OwnerId AS id FROM salesforce.{quoted(name)} WHERE NOT _is_deleted AND OwnerId IS NOT NULL"
        for name in OBJECTS
        if "OwnerId" in table_columns(con, f"salesforce.{name}")
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE _crm_user AS "
        f"WITH known(id, kind, name, email, is_active) AS ({known}), "
        f"owner AS (SELECT id, count(*) AS records FROM ({owners or 'SELECT NULL AS id WHERE FALSE'}) GROUP BY ALL) "
        "SELECT coalesce(k.id, o.id)::VARCHAR AS salesforce_id, "
        "coalesce(k.kind, CASE WHEN o.id LIKE '00G%' THEN 'queue' ELSE 'unknown' END)::VARCHAR AS kind, "
        "coalesce(k.name, CASE WHEN o.id LIKE '00G%' THEN 'Queue ' || o.id END)::VARCHAR AS name, "
        "regexp_replace(k.email, '\\.invalid$', '')::VARCHAR AS email, k.is_active::BOOLEAN AS is_active, "
        "coalesce(o.records, 0) AS record_count, _email_key(k.email::VARCHAR) AS email_key, "
        "_name_key(k.name::VARCHAR) AS name_key "
        "FROM known AS k FULL JOIN owner AS o ON o.id = k.id"
    )


def _users(there: dict[str, str]) -> str:
    """Return the query of the CRM's users over the columns of ``salesforce.user`` that are there."""

    def column(name: str, missing: str = "NULL") -> str:
        return quoted(name) if name in there else missing

    apart = f"nullif(trim(concat_ws(' ', {column('FirstName')}, {column('LastName')})), '')"
    of_type = (
        f"CASE WHEN coalesce(UserType, 'Standard') = 'Standard' THEN 'user' WHEN UserType IN {_SYSTEM} THEN 'system' "
        "ELSE 'portal' END"
        if "UserType" in there
        else "'user'"
    )
    return (
        f"SELECT Id, {of_type}, coalesce({column('Name')}, {apart}), {column('Email')}, "
        f"coalesce({column('IsActive', 'TRUE')}, FALSE) AND NOT _is_deleted FROM salesforce.user"
    )


def _by_hand(con: duckdb.DuckDBPyConnection, users: Users) -> None:
    """Make ``_by_hand``: Salesforce user id, its first 15 characters, → the organisation's own user."""
    con.execute("CREATE OR REPLACE TEMP TABLE _by_hand (user_id VARCHAR, own_id VARCHAR)")
    pairs = [[user[:15], own] for user, own in users.by_hand.items()]
    if pairs:
        con.executemany("INSERT INTO _by_hand VALUES (?, ?)", pairs)


def _mappings(con: duckdb.DuckDBPyConnection, rows: Iterable[UserMapping]) -> None:
    """Make ``_mapping``, the versions in force, and ``_in_force``: who is already whose, by settings or store."""
    table = pa.Table.from_pylist([asdict(row) for row in rows], schema=_MAPPINGS)
    con.register("_mapping_rows", table)
    con.execute(
        "CREATE OR REPLACE TEMP TABLE _mapping AS "
        "SELECT * REPLACE (decided_at::TIMESTAMP AS decided_at) FROM _mapping_rows"
    )
    con.unregister("_mapping_rows")
    con.execute(
        "CREATE OR REPLACE TEMP VIEW _in_force AS SELECT c.salesforce_id, coalesce(h.own_id, k.own_id) AS own_id "
        "FROM _crm_user AS c LEFT JOIN _by_hand AS h ON h.user_id = left(c.salesforce_id, 15) "
        "LEFT JOIN _mapping AS k ON k.salesforce_id = c.salesforce_id"
    )


def _sql(name: str) -> str:
    return (_FOLDER / f"{name}.sql").read_text(encoding="utf-8")
