"""The two sides of a match as temporary tables ``_left`` and ``_right`` with small integer keys.

``_left`` holds the live Salesforce records, ``_right`` the reference; both carry every standard column and what
matching derives from them (sorted e-mail parts, phone tails, a person's employer). Integer keys keep joins cheap.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import duckdb

from data_contracts.contracts import load_contract
from pipelines.resolve.frozen import is_counted, number
from pipelines.resolve.scripts import run_script
from pipelines.succession import departed_records, merged_records
from pipelines.tables import table_columns

Object = Literal["account", "contact", "lead"]
Kind = Literal["company", "person"]
_SQL = Path(__file__).parent


#: Where a person's employer comes from: its key, and how a row ``s`` finds what the reference knows of it.
_EMPLOYER = {
    "left": (
        "e.company_id",
        "LEFT JOIN _company_link e ON e.salesforce_id = s.salesforce_id "
        "LEFT JOIN standard.company c ON c.company_id = e.company_id",
    ),
    "right": ("c.company_id", "LEFT JOIN standard.company c ON c.company_id = s.company_id"),
}


#: A person account is no company, unless somebody said which one it is.
_A_COMPANY = (
    "WHERE NOT is_person OR salesforce_id IN (SELECT salesforce_id FROM match.decision "
    "WHERE object = 'account' AND judgement = 'positive' AND withdrawn_at IS NULL)"
)
#: The end of a standardised number: with or without its country.
_PHONE_TAIL = "CREATE OR REPLACE TEMP MACRO phone_tail(x) AS right(ltrim(x, '+'), 9)"
#: One text for one address; the city stands for a postal code that is not there.
_ADDRESS = (
    "CREATE OR REPLACE TEMP MACRO address_of(number, street, postal_code, city) AS "
    "number || ' ' || street || ' ' || coalesce(postal_code, city, '')"
)


@dataclass(frozen=True)
class Sides:
    """What is matched with what: the object, the kind of entity and how many rows each side has.

    ``entities`` is the size the reference had when its statistics were counted: now, or with the model that is reused.
    """

    object: Object
    kind: Kind
    left: int
    right: int
    entities: int

    @property
    def reference_key(self) -> str:
        """The key column of the reference."""
        return f"{self.kind}_id"


def kind_of(name: Object) -> Kind:
    """Return the kind of reference entity a Salesforce object is matched with."""
    return "company" if name == "account" else "person"


def read_sides(con: duckdb.DuckDBPyConnection, name: Object) -> Sides:
    """Create ``_left`` and ``_right`` for object ``name``, every row of both; see ``describe_sides``."""
    describe_sides(con, name)
    return number_sides(con, name)


def number_sides(con: duckdb.DuckDBPyConnection, name: Object, kept: str | None = None) -> Sides:
    """Make tables of what ``describe_sides`` described, numbered so that every run numbers alike.

    ``place`` is the place of a row in the order of the ids, and ``n`` the same unless ``kept`` names a table (id, n)
    with numbers that the entities have already.
    """
    kind = kind_of(name)
    for side, table, key in (("left", name, "salesforce_id"), ("right", kind, f"{kind}_id")):
        numbers = kept if side == "right" else None
        # The ids alone are sorted, and the rows fetched by them: a third of what sorting whole rows takes.
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE _{side}_place AS "
            + _placed(
                f"SELECT n, id FROM {numbers}" if numbers else f"SELECT {key} AS id FROM standard.{table}", numbers
            )
        )
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE _{side} AS SELECT p.n, p.place, e.* "
            f"FROM _every_{side} e JOIN _{side}_place p USING (id)"
        )
    con.execute("CREATE OR REPLACE TEMP VIEW _right_id AS SELECT n, id FROM _right_place")
    left, right = (con.sql(f"SELECT count(*) FROM _{side}").fetchall()[0][0] for side in ("left", "right"))
    return Sides(name, kind, left, right, max(int(number(con, "entities", right)), 2))


def _placed(rows: str, numbered: str | None) -> str:
    place = "row_number() OVER (ORDER BY id)::INTEGER"
    return f"SELECT {'n' if numbered else f'{place} AS n'}, {place} AS place, id FROM ({rows})"


def describe_sides(con: duckdb.DuckDBPyConnection, name: Object) -> None:
    """Create the views ``_every_left`` and ``_every_right``; a standard table that does not exist counts as empty.

    ``_marked_left`` and ``_marked_right`` have the ids and marks (another one where any value is another) alone.

    ``_some_left`` and ``_some_right`` are the same for the rows of ``_fetch_left`` and ``_fetch_right`` (row_id);
    ``_found_left`` and ``_found_right`` (id, row_id) say where a row is.

    For a contact or lead also ``_company_link``, its reference company, and for a lead ``_lead_account``. ``_departed``
    are the object's records that were deleted, merged or converted, ``_merged_account`` the accounts merged away.
    """
    kind = kind_of(name)
    for table in (
        "standard.account",
        f"standard.{name}",
        "standard.company",
        "standard.person",
        "crosswalk.account",
        "crosswalk.contact",
        "match.decision",
    ):
        con.execute(load_contract(table).ddl())
    _departures(con, name)
    if kind == "person":
        run_script(con, "company_link.sql", replace={"object": name})
    if name == "lead":
        run_script(con, "lead_account.sql")
    con.execute(_PHONE_TAIL)
    con.execute(_ADDRESS)
    if kind == "company" and not is_counted(con, "_crowd"):
        run_script(con, "crowds.sql")
    for side in ("left", "right"):
        sql = (_SQL / f"side_{kind}.sql").read_text(encoding="utf-8")
        table, key = (name, "salesforce_id") if side == "left" else (kind, f"{kind}_id")
        if kind == "person" and not is_counted(con, f"_{side}_phone"):
            run_script(con, "phone_people.sql", side=side, replace={"table": table})
        employer_id, employer = _EMPLOYER[side]
        parts = {"key": key, "employer_id": employer_id, "employer": employer, "side": side}
        for placeholder, text in parts.items():
            sql = sql.replace("{" + placeholder + "}", text)
        con.execute(f"CREATE OR REPLACE TEMP TABLE _fetch_{side} (row_id BIGINT)")
        which = _A_COMPANY if table == "account" else ""
        con.execute(
            f"CREATE OR REPLACE TEMP VIEW _found_{side} AS "
            f"SELECT {key} AS id, rowid AS row_id FROM standard.{table} {which}"
        )
        rows = f"(FROM standard.{table} {which})" if which else f"standard.{table}"
        # By their places: looked up by their ids, every value of every row would be read.
        some = f"(FROM standard.{table} WHERE rowid IN (SELECT row_id FROM _fetch_{side}))"
        con.execute(f"CREATE OR REPLACE TEMP VIEW _every_{side} AS {sql.replace('{rows}', rows)}")
        con.execute(f"CREATE OR REPLACE TEMP VIEW _some_{side} AS {sql.replace('{rows}', some)}")
        # Told without what is joined to a row: a small change compares every mark.
        marks = f"SELECT {key} AS id, _input_hash AS mark FROM {rows}"
        marks = marks if kind == "company" else f"SELECT id, mark FROM _every_{side}"
        con.execute(f"CREATE OR REPLACE TEMP VIEW _marked_{side} AS {marks}")


def fetch_side(con: duckdb.DuckDBPyConnection, side: str, wanted: str, *, add: bool = False) -> None:
    """Create ``_left`` or ``_right`` with the rows of query ``wanted`` (id, n, and whatever else they shall carry).

    What is derived of a row is derived of these alone. ``add`` keeps the rows that are there.
    """
    con.execute(f"CREATE OR REPLACE TEMP TABLE _wanted AS {wanted}")
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE _fetch_{side} AS SELECT row_id FROM _found_{side} SEMI JOIN _wanted USING (id)"
    )
    rows = f"SELECT w.* EXCLUDE (id), e.* FROM _some_{side} e JOIN _wanted w USING (id)"
    con.execute(f"INSERT INTO _{side} BY NAME {rows}" if add else f"CREATE OR REPLACE TEMP TABLE _{side} AS {rows}")


def _departures(con: duckdb.DuckDBPyConnection, name: Object) -> None:
    """Create ``_departed`` and ``_merged_account``; both are empty where the mirror has no such table."""
    con.execute(f"CREATE OR REPLACE TEMP TABLE _merged_account AS {merged_records(con, 'account')}").fetchall()
    departed = departed_records(con, name) if table_columns(con, f"salesforce.{name}") else _NOBODY
    con.execute(f"CREATE OR REPLACE TEMP TABLE _departed AS {departed}").fetchall()


_NOBODY = (
    "SELECT "
    + ", ".join(
        f"NULL::VARCHAR AS {column}"
        for column in (
            "salesforce_id",
            "departure",
            "reason",
            "merged_into",
            "contact_id",
            "account_id",
            "opportunity_id",
        )
    )
    + " WHERE false"
)
