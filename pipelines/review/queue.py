"""The queue: which records wait for a person, in which order, a page at a time.

What is in it is ``queue_table.py``, what was decided since the last run ``pending.py``.
"""

import base64
import json
from dataclasses import dataclass
from typing import Any

import duckdb

from pipelines.review.pending import PendingDecisions, pending_decisions
from pipelines.review.published import rows_of
from pipelines.review.queue_table import queue_table
from pipelines.review.rows import Filters, QueuePage, QueueRow, ReviewError, Sort
from resources.decisions import DecisionStore

#: The columns of each order and whether the highest comes first; object and Id decide what is left.
_ORDERS: dict[Sort, tuple[tuple[str, bool], ...]] = {
    "value": (("rank_value", True), ("teaching_value", True)),
    "teaching": (("teaching_value", True), ("comparable", True)),
    "worth": (("comparable", True), ("teaching_value", True)),
    "probability": (("coalesce(match_probability, -1)", True),),
    "name": (("coalesce(name, '')", False),),
}
_LAST = (("object", False), ("salesforce_id", False))
#: A record is settled by an entity accepted for it, a pair by any judgement.
_PENDING = """
SELECT q.object, q.salesforce_id FROM {queue} AS q
JOIN _pending_decisions AS d ON d.object = q.object AND d.salesforce_id = q.salesforce_id
WHERE d.judgement = 'positive' OR d.reference_id IS NOT DISTINCT FROM q.reference_id"""


@dataclass(frozen=True)
class _Wanted:
    """Conditions with their parameters."""

    where: str
    parameters: dict[str, Any]


def queue(
    con: duckdb.DuckDBPyConnection,
    store: DecisionStore,
    filters: Filters | None = None,
    sort: Sort = "value",
    after_key: str | None = None,
    limit: int = 50,
) -> QueuePage:
    """Return one page of the queue, highest teaching value times worth first.

    ``after_key`` is the ``next_key`` of the page before. Raises ReviewError for a key or an order that is none.
    """
    if sort not in _ORDERS:
        raise ReviewError(f"the queue has no order {sort!r}", why=f"there are: {', '.join(_ORDERS)}")
    pending = pending_decisions(con, store)
    relation = queue_table(con)
    con.register("_pending_decisions", pending.table)
    try:
        wanted = _conditions(filters or Filters(), relation, bool(pending.by_record))
        total = con.execute(f"SELECT count(*) FROM {relation} AS q WHERE {wanted.where}", wanted.parameters).fetchall()
        basis = con.execute(f"SELECT any_value(basis) FROM {relation}").fetchall()[0][0]
        rows = _page(con, relation, wanted, sort, after_key, limit)
    finally:
        con.unregister("_pending_decisions")
    shown = tuple(_row(row, pending, _key(sort, row)) for row in rows[:limit])
    return QueuePage(shown, int(total[0][0]), shown[-1].key if len(rows) > limit else None, basis)


def _page(
    con: duckdb.DuckDBPyConnection, relation: str, wanted: _Wanted, sort: Sort, after_key: str | None, limit: int
) -> list[dict[str, Any]]:
    """Return the rows after ``after_key``, one more than asked for, with their place in the order."""
    order = (*_ORDERS[sort], *_LAST)
    after = _after(order, _parse(sort, after_key, len(order))) if after_key else _Wanted("true", {})
    places = ", ".join(f"{column} AS _place_{number}" for number, (column, _) in enumerate(order))
    by = ", ".join(f"{column} {'DESC' if highest else 'ASC'}" for column, highest in order)
    query = f"SELECT *, {places} FROM {relation} AS q WHERE {wanted.where} AND {after.where} ORDER BY {by} LIMIT $most"
    return rows_of(con, query, wanted.parameters | after.parameters | {"most": limit + 1})


def _conditions(filters: Filters, relation: str, any_pending: bool) -> _Wanted:
    """Return the filters as conditions over the queue ``q``."""
    exact = {name: getattr(filters, name) for name in ("object", "waiting", "rule_code", "country", "owner_id")}
    parts = {f"{name} = ${name}": {name: value} for name, value in exact.items() if value}
    if filters.min_probability is not None:
        parts["match_probability >= $low"] = {"low": filters.min_probability}
    if filters.max_probability is not None:
        parts["match_probability < $high"] = {"high": filters.max_probability}
    if filters.with_worth:
        parts["worth > 0"] = {}
    if sought := filters.text.strip().lower():
        names = "coalesce(name, '') || ' ' || coalesce(candidate_name, '') || ' ' || coalesce(reference_id, '')"
        parts[f"(contains(lower({names}), $text) OR lower(salesforce_id) = $text)"] = {"text": sought}
    if filters.pending is not None and (any_pending or filters.pending):
        negated = "" if filters.pending else "NOT "
        parts[f"(object, salesforce_id) {negated}IN ({_PENDING.format(queue=relation)})"] = {}
    return _Wanted(" AND ".join(parts) or "true", {k: v for given in parts.values() for k, v in given.items()})


def _after(order: tuple[tuple[str, bool], ...], values: list[Any]) -> _Wanted:
    """Return the condition of what comes after a place: further in the first column, or equal there and so on."""
    condition = "false"
    for number, (column, highest) in reversed(list(enumerate(order))):
        mark, sign = f"$after_{number}", "<" if highest else ">"
        condition = f"({column} {sign} {mark} OR ({column} = {mark} AND {condition}))"
    return _Wanted(condition, {f"after_{number}": value for number, value in enumerate(values)})


def _key(sort: Sort, row: dict[str, Any]) -> str:
    values = [row[f"_place_{number}"] for number in range(len(_ORDERS[sort]) + len(_LAST))]
    return base64.urlsafe_b64encode(json.dumps([sort, *values]).encode()).decode().rstrip("=")


def _parse(sort: Sort, key: str, columns: int) -> list[Any]:
    """Return the values of a key; raises ReviewError for one that is none, or one of another order."""
    try:
        found = json.loads(base64.urlsafe_b64decode(key + "=" * (-len(key) % 4)))
        numbers = 1 + len([column for column, highest in _ORDERS[sort] if highest])
        sound = len(found) == columns + 1 and found[0] == sort
        sound = sound and all(isinstance(value, int | float) for value in found[1:numbers])
        if not (sound and all(isinstance(value, str) for value in found[numbers:])):
            raise ValueError(sort)
    except (ValueError, TypeError, KeyError) as error:
        raise ReviewError(
            "this is no place in the queue", why="the address was changed, or cut", next_step="open the queue again"
        ) from error
    return list(found[1:])


def _row(row: dict[str, Any], pending: PendingDecisions, key: str) -> QueueRow:
    names = ("object", "salesforce_id", "name", "reference_id", "candidate_name", "match_probability", "match_weight")
    more = ("rule_code", "candidate_count", "reason", "teaching_value", "worth", "currency", "rank_value", "waiting")
    decided = pending.of(row["object"], row["salesforce_id"])
    mine = [one for one in decided if one.judgement == "positive" or one.reference_id == row["reference_id"]]
    return QueueRow(**{name: row[name] for name in (*names, *more)}, pending=mine[0] if mine else None, key=key)
