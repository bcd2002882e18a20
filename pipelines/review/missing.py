"""Creating what the reference misses: a proposal accepted by a person is an entity from the next run on.

How it gets into the reference and into ``imports.creation_proposal`` is ``creations.py``.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import duckdb
import pyarrow as pa

from data_contracts.contracts import load_contract
from data_contracts.mapping import MappedObject
from pipelines.resolve.sides import Kind, kind_of
from pipelines.review.acts import stale
from pipelines.review.pending import pending_decisions
from pipelines.review.published import columns_of, row_of, rows_of
from pipelines.review.rows import Decided, Hit, Outcome, Proposal, ReviewError, Stale, Version
from pipelines.review.search import search
from resources.decisions import Decision, DecisionStore, decision_row
from resources.decisions_acts import Head, head
from resources.decisions_creations import Creation, creations, decide_creation

_DECIDED = pa.schema([("object", pa.string()), ("salesforce_id", pa.string())])
_NAMES = {"company": ("name",), "person": ("last_name", "first_name")}


def created_id(name: MappedObject, salesforce_id: str) -> str:
    """Return the id of the entity a record becomes: the same however often it is accepted."""
    return f"created-{name}-{salesforce_id}"


def proposals(
    con: duckdb.DuckDBPyConnection,
    store: DecisionStore,
    object_name: MappedObject | None = None,
    after_key: str | None = None,
    limit: int = 50,
) -> tuple[tuple[Proposal, ...], str | None]:
    """Return a page of proposals nobody has decided, in the order of object and Id, and the key of the next page."""
    if not columns_of(con, "imports.creation_proposal"):
        return (), None
    after = (after_key or "").partition(" ")
    linked = [key for key, found in pending_decisions(con, store).by_record.items() if found[0].judgement == "positive"]
    decided = {(one.object, one.salesforce_id) for one in creations(store)} | set(linked)
    rows = [{"object": key[0], "salesforce_id": key[1]} for key in sorted(decided)]
    con.register("_decided_records", pa.Table.from_pylist(rows, schema=_DECIDED))
    try:
        found = rows_of(
            con,
            "SELECT * FROM imports.creation_proposal ANTI JOIN _decided_records USING (object, salesforce_id) "
            "WHERE status = 'proposed' AND coalesce(object = $object, true) "
            "AND (object > $after OR (object = $after AND salesforce_id > $id)) "
            "ORDER BY object, salesforce_id LIMIT $most",
            {"object": object_name, "after": after[0], "id": after[2], "most": limit + 1},
        )
    finally:
        con.unregister("_decided_records")
    page = tuple(_proposal(row["object"], row["salesforce_id"], row) for row in found[:limit])
    more = len(found) > limit
    return page, f"{page[-1].object} {page[-1].salesforce_id}" if more else None


def proposal(
    con: duckdb.DuckDBPyConnection, store: DecisionStore, object_name: MappedObject, salesforce_id: str
) -> tuple[Proposal, Version]:
    """Return what a record (proposed or not) would become, entities of the reference that look like it, and a version.

    Raises ReviewError for a record that is unknown, linked, or has no name.
    """
    link = row_of(con, f"crosswalk.{object_name}", "salesforce_id", salesforce_id)
    if link.get("status") not in ("unmatched", "in_review"):
        raise ReviewError(
            f"{object_name} {salesforce_id} cannot be created in the reference",
            why=f"it is {link['status']}: {link['reason']}" if link else "the last run did not find it",
            next_step="go back to the proposals",
        )
    values = row_of(con, f"imports.{object_name}", "salesforce_id", salesforce_id)
    values["company_id"] = link.get("company_reference_id")
    decided = next(
        (one for one in creations(store) if (one.object, one.salesforce_id) == (object_name, salesforce_id)), None
    )
    made = _proposal(object_name, salesforce_id, dict(decided.values) if decided else values, decided)
    _check_name(made.kind, made.values, salesforce_id)
    acts = head(store, object_name, salesforce_id).acts
    similar = _similar(con, made)
    return Proposal(**{**vars(made), "similar": similar}), Version(acts)


def create_missing(
    con: duckdb.DuckDBPyConnection,
    store: DecisionStore,
    user: str,
    object_name: MappedObject,
    salesforce_id: str,
    version: Version,
    *,
    values: Mapping[str, str | None] | None = None,
    reason: str | None = None,
) -> Outcome:
    """Accept a proposal: an entity of origin ``created`` is made and linked to the record by the next run.

    ``values`` replace single values of the proposal. Raises ReviewError as ``proposal`` does, and for a value of a
    column the reference does not have.
    """
    made, _ = proposal(con, store, object_name, salesforce_id)
    unknown = sorted((values or {}).keys() - set(_columns(made.kind)))
    if unknown:
        raise ReviewError(
            f"{unknown[0]} is no column of a {made.kind}", why=f"there are: {', '.join(_columns(made.kind))}"
        )
    wanted = {**made.values, **{name: (value or "").strip() or None for name, value in (values or {}).items()}}
    _check_name(made.kind, wanted, salesforce_id)
    told = reason or "created from the record"
    row = decision_row(object_name, salesforce_id, made.reference_id, "positive", user, told, None)
    kept = decide_creation(store, _creation(made, "accepted", wanted, user, reason), version.acts, row)
    if isinstance(kept, Decision):
        return Decided(kept, Version(version.acts + 1))
    return stale(kept or head(store, object_name, salesforce_id))


def reject_proposal(
    con: duckdb.DuckDBPyConnection,
    store: DecisionStore,
    user: str,
    object_name: MappedObject,
    salesforce_id: str,
    version: Version,
    *,
    reason: str | None = None,
) -> Stale | None:
    """Say that a record is not worth creating; returns Stale where somebody was faster."""
    made, _ = proposal(con, store, object_name, salesforce_id)
    kept = decide_creation(store, _creation(made, "rejected", made.values, user, reason), version.acts, None)
    return stale(kept) if isinstance(kept, Head) else None


def _columns(kind: Kind) -> list[str]:
    contract = load_contract(f"reference.{kind}")
    return [c.name for c in contract.columns if c.name not in (f"{kind}_id", "origin", "parent_id")]


def _proposal(
    name: MappedObject, salesforce_id: str, row: Mapping[str, Any], decided: Creation | None = None
) -> Proposal:
    kind = kind_of(name)
    values = {c: None if row.get(c) is None else str(row[c]) for c in _columns(kind)}
    return Proposal(
        object=name,
        salesforce_id=salesforce_id,
        kind=kind,
        reference_id=created_id(name, salesforce_id),
        status=decided.status if decided else "proposed",
        values=values,
        decided_by=decided.decided_by if decided else None,
        decided_at=decided.decided_at if decided else None,
    )


def _creation(made: Proposal, status: Any, values: Mapping[str, str | None], user: str, reason: str | None) -> Creation:
    ids = (made.object, made.salesforce_id, made.kind, made.reference_id)
    return Creation(*ids, status, values, reason, user, datetime.now(UTC))


def _check_name(kind: Kind, values: Mapping[str, str | None], salesforce_id: str) -> None:
    if not any(values.get(name) for name in _NAMES[kind]):
        raise ReviewError(
            f"record {salesforce_id} has no name to become a {kind} by",
            why="an entity without a name cannot be matched or shown",
            next_step="give it one, or reject the proposal",
        )


def _similar(con: duckdb.DuckDBPyConnection, made: Proposal) -> tuple[Hit, ...]:
    """Return entities whose name begins with that of the proposal: perhaps it is there already."""
    names = [made.values.get(name) or "" for name in ("name", "first_name", "last_name")]
    return search(con, made.kind, " ".join(names).strip(), limit=5, seconds=1.0).hits
