"""Why a record is linked as it is: its values, its candidates with their keys and weights, what decided, what changed.

Read from published tables alone; ``crosswalk explain`` prints it.
"""

from dataclasses import dataclass, field
from typing import Any

import duckdb

from data_contracts.contracts import literal
from data_contracts.errors import CrosswalkError
from pipelines.resolve.hopeless import left_out
from pipelines.resolve.rungs import COMPANY_RUNGS, PERSON_RUNGS
from pipelines.resolve.sides import Object, kind_of
from pipelines.resolve.waterfall import Bar, waterfall
from pipelines.tables import table_columns


@dataclass(frozen=True)
class CandidateView:
    """One entity that was considered.

    ``keys`` are the values the two share by which they were found, ``block_keys`` of which kind those are; none where a
    rung or a person brought the entity. ``weights`` are bits per comparison and ``waterfall`` their way from the prior
    to the match weight; ``values`` are the entity's standard values, ``judgement`` what a person last said of the pair.
    """

    reference_id: str
    rank: int
    rule_code: str | None
    block_keys: list[str]
    keys: list[str]
    match_weight: float | None
    match_probability: float | None
    veto: str | None
    weights: dict[str, float]
    waterfall: tuple[Bar, ...]
    values: dict[str, Any]
    judgement: str | None = None
    more: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Decider:
    """What decided: ``by`` rung, model, person or nothing; ``name`` its code, version or who; ``meaning`` in words."""

    by: str
    name: str | None
    meaning: str


@dataclass(frozen=True)
class Explanation:
    """Everything known about one record's link; ready for JSON.

    ``winner`` is the entity the record is linked to, or in review for; ``runner_up`` the best other one and ``margin``
    by how many bits it lies behind (below zero where a person decided against the weights). Without a winner they are
    about the two best. ``decisions`` are newest first, taken back ones too; ``changes`` are of the link, newest first,
    and ``latest_change`` the one of the latest run, None where that left the link as it was. ``events`` are what
    happened to the record in Salesforce, ``parts`` the records that were merged into it or leads converted to it.
    ``person_contact`` is the contact under which the person of a person account is matched. ``hopeless`` counts
    entities that share a key with the record and weigh so little that they are not listed.
    """

    object: str
    salesforce_id: str
    link: dict[str, Any]
    decider: Decider
    values: dict[str, Any]
    candidates: list[CandidateView]
    winner: str | None
    runner_up: str | None
    margin: float | None
    decisions: list[dict[str, Any]]
    changes: list[dict[str, Any]]
    latest_change: dict[str, Any] | None
    events: list[dict[str, Any]]
    parts: list[dict[str, Any]]
    person_contact: str | None = None
    hopeless: int = 0


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
    link = links[0]
    key = str(link["salesforce_id"])
    mine = f"salesforce_id = {literal(key)}"
    decisions = _rows(con, "match.decision", f"object = '{name}' AND {mine}", "decided_at DESC")
    found = _rows(con, f"match.{name}_candidate", mine, "rank")
    candidates = [_view(con, name, row, decisions) for row in found]
    values = _rows(con, f"standard.{name}", mine, "salesforce_id")
    runner_up, margin = _margin(candidates, link["reference_id"])
    changes = _rows(con, "ops.link_change", f"object = '{name}' AND {mine}", "changed_at DESC")
    return Explanation(
        object=name,
        salesforce_id=key,
        link=link,
        decider=_decider(con, name, link),
        values=_plain(values[0]) if values else {},
        candidates=candidates,
        winner=link["reference_id"],
        runner_up=runner_up,
        margin=margin,
        decisions=decisions,
        changes=changes,
        latest_change=next((row for row in changes if row["run_id"] == _latest_run(con, link)), None),
        events=_rows(con, "ops.record_event", f"object_name = '{name}' AND {mine}", "detected_at DESC"),
        parts=_parts(con, name, key),
        person_contact=_person_contact(con, link),
        hopeless=left_out(link, candidates),
    )


def _latest_run(con: duckdb.DuckDBPyConnection, link: dict[str, Any]) -> str:
    """Return the run that published the tables; in the warehouse the one that wrote the row, if it was looked at."""
    published = _rows(con, "main._meta", "true", "published_at DESC")
    return str((published or [link])[0]["run_id"])


def _margin(candidates: list[CandidateView], winner: str | None) -> tuple[str | None, float | None]:
    """Return the best entity beside the winner (without one: beside the best), and by how many bits it lies behind."""
    best = next((item for item in candidates if item.reference_id == winner), candidates[0] if candidates else None)
    second = next((item for item in candidates if item is not best), None)
    if best is None or second is None:
        return None, None
    known = best.match_weight is not None and second.match_weight is not None
    return second.reference_id, (best.match_weight or 0) - (second.match_weight or 0) if known else None


def _decider(con: duckdb.DuckDBPyConnection, name: Object, link: dict[str, Any]) -> Decider:
    method, code = link["method"], link["rule_code"]
    if method == "person":
        return Decider(
            "person", link["decided_by"], "a person linked it" if link["decided_by"] else "a person is asked"
        )
    if method == "rule":
        meanings = dict.fromkeys(rung.meaning for rung in (*COMPANY_RUNGS, *PERSON_RUNGS) if rung.code == code)
        return Decider("rung", code, ", or ".join(meanings))
    if method != "model":
        return Decider("nothing", None, "no entity is proposed")
    version = None
    if "model" in table_columns(con, "ops.run_statistics"):
        run = f"run_id = {literal(str(link['run_id']))} AND object = '{name}'"
        version = next((row["model"] for row in _rows(con, "ops.run_statistics", run, "run_id")), None)
    return Decider("model", version, "the weights of what agrees and what does not")


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


def _person_contact(con: duckdb.DuckDBPyConnection, link: dict[str, Any]) -> str | None:
    """Return the contact that a person account is matched as; None of others, and where the mirror is not published."""
    table = "salesforce.account"
    known = link.get("reason_code") == "person_account" and "PersonContactId" in table_columns(con, table)
    rows = _rows(con, table, f'"Id" = {literal(str(link["salesforce_id"]))}', '"Id"') if known else []
    return next((str(row["PersonContactId"]) for row in rows if row["PersonContactId"]), None)


def _view(
    con: duckdb.DuckDBPyConnection, name: Object, row: dict[str, Any], decisions: list[dict[str, Any]]
) -> CandidateView:
    kind, entity = kind_of(name), str(row.pop("reference_id"))
    values = _rows(con, f"standard.{kind}", f"{kind}_id = {literal(entity)}", f"{kind}_id")
    weights = {n.removeprefix("weight_"): v for n, v in row.items() if n.startswith("weight_") and v is not None}
    said = (item for item in decisions if item["reference_id"] == entity and item["withdrawn_at"] is None)
    plain = {n: v for n, v in row.items() if not n.startswith("weight_") and n != "salesforce_id"}
    known = {n: plain.pop(n, None) for n in ("rank", "rule_code", "match_weight", "match_probability", "veto")}
    return CandidateView(
        reference_id=entity,
        **known,
        block_keys=list(plain.pop("block_keys", None) or []),
        keys=[str(item) for item in plain.pop("keys", None) or []],
        weights=weights,
        waterfall=waterfall(known["match_weight"], weights),
        values=_plain(values[0]) if values else {},
        judgement=next((item["judgement"] for item in said), None),
        more=plain,
    )


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """Return the values of a standard row without its bookkeeping."""
    return {name: value for name, value in row.items() if not name.startswith("_")}


def _rows(con: duckdb.DuckDBPyConnection, table: str, condition: str, order: str) -> list[dict[str, Any]]:
    """Return the rows of a table as dictionaries; none when the table does not exist."""
    if not table_columns(con, table):
        return []
    found: list[dict[str, Any]] = (
        con.sql(f"SELECT * FROM {table} WHERE {condition} ORDER BY {order}").to_arrow_table().to_pylist()
    )
    return found
