"""Shadow mode: the match an org keeps in a field of its own, beside ours."""

import difflib
from pathlib import Path
from typing import Any, Literal

import duckdb

from data_contracts.contracts import quoted
from data_contracts.mapping import MappedObject
from pipelines.resolve.sides import kind_of
from pipelines.review.published import columns_of, rows_of
from pipelines.review.rows import ReviewError, Shadow, ShadowRow

_SQL = Path(__file__).parent / "shadow.sql"
_VERDICTS = ("agree", "other", "only_theirs", "only_ours", "unknown", "neither")
#: Those that ask for somebody's eyes, in the order they are listed.
_LISTED = ("other", "only_theirs", "only_ours", "unknown")


def shadow(
    con: duckdb.DuckDBPyConnection,
    object_name: MappedObject,
    field: str,
    after_key: str | None = None,
    limit: int = 50,
) -> Shadow:
    """Compare ``salesforce.<object>.<field>`` with our links.

    A lead's lookup to Account is compared with the account we found, a person's lookup to Contact with the person that
    contact is linked to, a company's id on a person with the person's company.

    What is in review is no link of ours yet; its status and reason tell of it.
    Verdicts: ``agree``; ``other``: both name an entity, not the same; ``only_theirs``, ``only_ours``; ``unknown``: what
    the org keeps is not in the reference; ``neither``. Ids are compared without regard to case and the three letters a
    Salesforce Id may end with. Raises ReviewError for a field that the mirror does not hold, naming near ones.
    """
    columns = columns_of(con, f"salesforce.{object_name}")
    if field not in columns or field.startswith("_"):
        near = difflib.get_close_matches(field, list(columns), n=3)
        raise ReviewError(
            f"{object_name} has no field {field}",
            why=f"did you mean {', '.join(near)}?" if near else "the org does not show it to us, or it is not mirrored",
        )
    query, compared = _query(con, object_name, field)
    con.execute(f"CREATE OR REPLACE TEMP TABLE review_shadow AS {query}")
    counts = dict(con.execute("SELECT verdict, count(*) FROM review_shadow GROUP BY ALL").fetchall())
    after = (after_key or " ").partition(" ")
    rows = rows_of(
        con,
        "SELECT *, list_position($listed, verdict) AS place FROM review_shadow WHERE verdict IN (FROM unnest($listed)) "
        "AND (place > $place OR (place = $place AND salesforce_id > $id)) ORDER BY place, salesforce_id LIMIT $most",
        {"listed": list(_LISTED), "place": _place(after[0]), "id": after[2], "most": limit + 1},
    )
    con.execute("DROP TABLE review_shadow")
    page = tuple(_row(object_name, row) for row in rows[:limit])
    told = {name: int(counts.get(name, 0)) for name in _VERDICTS}
    key = page[-1].key if len(rows) > limit else None
    return Shadow(object=object_name, field=field, compared_with=compared, rows=page, next_key=key, **told)


def shadow_fields(con: duckdb.DuckDBPyConnection, object_name: MappedObject) -> tuple[str, ...]:
    """Return the custom text and lookup fields that could hold a match; those that hold anything come first."""
    columns = columns_of(con, f"salesforce.{object_name}")
    names = [name for name, kind in columns.items() if name.endswith("__c") and kind == "VARCHAR"]
    if object_name == "lead":
        names += [name for name in ("ConvertedAccountId", "ConvertedContactId") if name in columns]
    if not names:
        return ()
    filled = ", ".join(f"count({quoted(name)})" for name in names)
    counts = con.execute(f"SELECT {filled} FROM salesforce.{object_name}").fetchall()[0]
    return tuple(name for _, name in sorted(zip(counts, names, strict=True), key=lambda one: (-one[0], one[1])))


def _query(con: duckdb.DuckDBPyConnection, name: MappedObject, field: str) -> tuple[str, str]:
    """Return the query of every record with its verdict, and what of the crosswalk it compares with."""
    holds = _holds(con, name, field)
    parts = {"object": name, "field": quoted(field), "their_name": "t.name_raw", "our_name": "o.name_raw"}
    if holds == "account":
        parts |= {"ours": "account_id", "always": "true", "entities": "standard.account"}
        parts |= {"same": "left(f.theirs, 15) = left(c.ours, 15)"}
        parts |= {"their_key": "left(t.salesforce_id, 15)", "their_value": "left(f.theirs, 15)"}
        parts |= {"our_key": "o.salesforce_id", "our_value": "c.ours", "known": "t.salesforce_id IS NOT NULL"}
    elif holds == "contact":
        # Their contact stands for the person it is linked to; one that is linked to nobody says nothing we know.
        parts |= {"ours": "reference_id", "always": "false", "entities": _CONTACTS}
        parts |= {"same": "t.reference_id = c.ours", "known": "t.reference_id IS NOT NULL"}
        parts |= {"their_key": "left(t.salesforce_id, 15)", "their_value": "left(f.theirs, 15)"}
        parts |= {"our_key": "o.person_id", "our_value": "c.ours", "our_entities": "standard.person"}
    else:
        key, ours = f"{holds}_id", "reference_id" if holds == kind_of(name) else "company_reference_id"
        parts |= {"ours": ours, "always": str(ours != "reference_id").lower(), "entities": f"standard.{holds}"}
        parts |= {"same": "lower(f.theirs) = lower(c.ours)", "known": f"t.{key} IS NOT NULL"}
        parts |= {"their_key": f"lower(t.{key})", "their_value": "lower(f.theirs)"}
        parts |= {"our_key": f"o.{key}", "our_value": "c.ours"}
    sql = _SQL.read_text(encoding="utf-8")
    for placeholder, value in ({"our_entities": parts["entities"]} | parts).items():
        sql = sql.replace("{" + placeholder + "}", value)
    return sql, parts["ours"] + (" of that contact" if holds == "contact" else "")


_CONTACTS = (
    "(SELECT k.salesforce_id, k.reference_id, s.name_raw FROM crosswalk.contact AS k "
    "LEFT JOIN standard.contact AS s USING (salesforce_id) WHERE k.status = 'linked')"
)


def _holds(
    con: duckdb.DuckDBPyConnection, name: MappedObject, field: str
) -> Literal["account", "contact", "company", "person"]:
    """Return what the values of a field name: Salesforce accounts or contacts by their Ids, else reference entities.

    A field of people may hold the company's id instead of the person's: it does where more of its values are companies.
    """
    kind = kind_of(name)
    values = f"SELECT {quoted(field)}::VARCHAR AS value FROM salesforce.{name} WHERE {quoted(field)} IS NOT NULL"
    # The Ids of an object all begin alike.
    prefixes = {"lead": ("account", "contact"), "contact": ("contact",), "account": ()}[name]
    for prefix, looked_up in (("001", "account"), ("003", "contact")):
        query = f"SELECT count(*) > 0 AND bool_and(starts_with(value, '{prefix}') AND length(value) IN (15, 18)) "
        there = looked_up in prefixes and columns_of(con, f"crosswalk.{looked_up}")
        if there and con.execute(f"{query} FROM ({values})").fetchall()[0][0]:
            return "account" if looked_up == "account" else "contact"
    if kind == "person" and "company_reference_id" in columns_of(con, f"crosswalk.{name}"):
        known = [
            f"count(*) FILTER (lower(value) IN (SELECT lower({other}_id) FROM standard.{other}))"
            for other in ("company", "person")
        ]
        companies, people = con.execute(f"SELECT {', '.join(known)} FROM ({values})").fetchall()[0]
        if companies > people:
            return "company"
    return kind


def _place(text: str) -> int:
    if text and not (text.isdecimal() and len(text) < 3):
        raise ReviewError("this is no place in the list", next_step="open the list again")
    return int(text or 0)


def _row(name: MappedObject, row: dict[str, Any]) -> ShadowRow:
    told = ("salesforce_id", "name", "theirs", "theirs_name", "ours", "ours_name", "status", "reason", "verdict")
    return ShadowRow(object=name, **{n: row[n] for n in told}, key=f"{row['place']} {row['salesforce_id']}")
