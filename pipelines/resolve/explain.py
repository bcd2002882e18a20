"""Why a record is linked as it is: its values, its candidates with their keys and weights, the decisions."""

from dataclasses import dataclass
from typing import Any

import duckdb

from data_contracts.contracts import literal
from data_contracts.errors import CrosswalkError
from pipelines.resolve.sides import Object, kind_of
from pipelines.tables import table_columns

#: Candidates that are shown.
SHOWN = 5


@dataclass(frozen=True)
class CandidateView:
    """One entity that was considered. ``weights`` are bits per comparison; ``values`` its standard values."""

    reference_id: str
    rank: int
    rule_code: str | None
    block_keys: list[str]
    match_weight: float | None
    match_probability: float | None
    veto: str | None
    weights: dict[str, float]
    values: dict[str, Any]
    teaching_value: float | None = None


@dataclass(frozen=True)
class Explanation:
    """Everything known about one record's link; ready for JSON.

    ``events`` are what happened to the record in Salesforce, ``parts`` the records that were merged into it or leads
    converted to it.
    """

    object: str
    salesforce_id: str
    link: dict[str, Any]
    values: dict[str, Any]
    candidates: list[CandidateView]
    winner: str | None
    runner_up: str | None
    margin: float | None
    decisions: list[dict[str, Any]]
    changes: list[dict[str, Any]]
    events: list[dict[str, Any]]
    parts: list[dict[str, Any]]


def explain(con: duckdb.DuckDBPyConnection, name: Object, salesforce_id: str) -> Explanation:
    """Explain record ``salesforce_id`` from the published tables alone; ``con`` may be read-only.

    Raises CrosswalkError when the record has no row in ``crosswalk.<name>``. A 15-character id is accepted.
    """
    links = _rows(con, f"crosswalk.{name}", f"starts_with(salesforce_id, {literal(salesforce_id)})", "salesforce_id")
    if len(salesforce_id) not in (15, 18) or len(links) != 1:
        raise CrosswalkError(
            f"there is no {name} {salesforce_id} in the crosswalk",
            why="ids are 15 or 18 letters and digits, and the record must have been synced",
            next_step=f"check the id, or fetch it with: crosswalk sync --object {name}",
        )
    key = str(links[0]["salesforce_id"])
    mine = f"salesforce_id = {literal(key)}"
    candidates = [_view(con, name, row) for row in _rows(con, f"match.{name}_candidate", mine, "rank")[:SHOWN]]
    values = _rows(con, f"standard.{name}", mine, "salesforce_id")
    weights = [c.match_weight for c in candidates[:2] if c.match_weight is not None]
    return Explanation(
        object=name,
        salesforce_id=key,
        link=links[0],
        values=values[0] if values else {},
        candidates=candidates,
        winner=candidates[0].reference_id if candidates else None,
        runner_up=candidates[1].reference_id if len(candidates) > 1 else None,
        margin=weights[0] - weights[1] if len(weights) == 2 else None,
        decisions=_rows(con, "match.decision", f"object = '{name}' AND {mine}", "decided_at DESC"),
        changes=_rows(con, "ops.link_change", f"object = '{name}' AND {mine}", "changed_at DESC"),
        events=_rows(con, "ops.record_event", f"object_name = '{name}' AND {mine}", "detected_at DESC"),
        parts=_parts(con, name, key),
    )


def _parts(con: duckdb.DuckDBPyConnection, name: Object, key: str) -> list[dict[str, Any]]:
    """Return the crosswalk's rows of what became part of a record."""
    found = []
    for other, column in ((name, "merged_into"), ("lead", "converted_contact_id"), ("lead", "converted_account_id")):
        mine = column == "merged_into" or column == f"converted_{name}_id"
        table = f"crosswalk.{other}"
        if mine and column in table_columns(con, table):
            rows = _rows(con, table, f"{column} = {literal(key)}", "salesforce_id")
            found += [{"object": other, "salesforce_id": row["salesforce_id"], "reason": row["reason"]} for row in rows]
    return found


def _view(con: duckdb.DuckDBPyConnection, name: Object, row: dict[str, Any]) -> CandidateView:
    kind = kind_of(name)
    key = f"{kind}_id"
    values = _rows(con, f"standard.{kind}", f"{key} = {literal(str(row['reference_id']))}", key)
    weights = {n.removeprefix("weight_"): v for n, v in row.items() if n.startswith("weight_") and v is not None}
    plain = {n: v for n, v in row.items() if not n.startswith("weight_") and n != "salesforce_id"}
    return CandidateView(**plain, weights=weights, values=values[0] if values else {})


def _rows(con: duckdb.DuckDBPyConnection, table: str, condition: str, order: str) -> list[dict[str, Any]]:
    """Return the rows of a table as dictionaries; none when the table does not exist."""
    if not table_columns(con, table):
        return []
    found: list[dict[str, Any]] = (
        con.sql(f"SELECT * FROM {table} WHERE {condition} ORDER BY {order}").to_arrow_table().to_pylist()
    )
    return found
