"""Decisions that the snapshot does not know yet: the next run replays them.

Kept per store and refreshed by what has changed since it was last looked at, so that 100,000 of them cost no page a
second.
"""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from weakref import WeakKeyDictionary

import duckdb
import pyarrow as pa

from pipelines.review.published import columns_of
from pipelines.review.rows import Pending
from resources.decisions import Decision, DecisionStore
from resources.decisions_acts import changed_since, count_after

#: Numbers of decisions may become visible out of their order, and clocks differ: so far back is looked again.
NUMBERS, CLOCKS = 500, timedelta(seconds=10)
_SCHEMA = pa.schema([(name, pa.string()) for name in ("object", "salesforce_id", "reference_id", "judgement")])


@dataclass(frozen=True)
class PendingDecisions:
    """The decisions the next run will replay: by record, newest first, and as a table for joins."""

    by_record: dict[tuple[str, str], tuple[Decision, ...]]
    table: pa.Table

    def of(self, object_name: str, salesforce_id: str) -> tuple[Pending, ...]:
        """Return those on one record, newest first."""
        return tuple(
            Pending(d.id, d.judgement, d.reference_id, d.decided_by, d.decided_at, d.reason)
            for d in self.by_record.get((object_name, salesforce_id), ())
        )


@dataclass
class _Known:
    """What is known of one store, and of the snapshot it was compared with."""

    replayed: tuple[int, frozenset[int]] = (-1, frozenset())
    seen: dict[int, Decision] = field(default_factory=dict)
    looked_at: datetime = datetime.min.replace(tzinfo=UTC)
    answer: PendingDecisions | None = None


_KNOWN: WeakKeyDictionary[DecisionStore, _Known] = WeakKeyDictionary()
_LOCK = threading.Lock()


def pending_decisions(con: duckdb.DuckDBPyConnection, store: DecisionStore) -> PendingDecisions:
    """Return the decisions of ``store`` that are in force and that the snapshot of ``con`` has not replayed."""
    replayed = _replayed(con)
    with _LOCK:
        known = _KNOWN.setdefault(store, _Known())
        if known.replayed != replayed:
            known = _KNOWN[store] = _Known(replayed)
        now, base = datetime.now(UTC), max(replayed[0] - 2 * NUMBERS, 0)
        last = max(known.seen, default=base)
        fresh = changed_since(store, max(last - NUMBERS, base), known.looked_at - CLOCKS if known.seen else now)
        if count_after(store, base) != len({d.id for d in fresh if d.id > base} | {n for n in known.seen if n > base}):
            # A long transaction (a bulk, an import) has taken its numbers early and become visible late.
            fresh = changed_since(store, base, now)
        changed = {d.id: d for d in fresh if known.seen.get(d.id) != d}
        known.seen.update(changed)
        known.looked_at = now
        if known.answer is None or changed:
            known.answer = _answer(known.seen.values(), replayed, now)
        return known.answer


def _replayed(con: duckdb.DuckDBPyConnection) -> tuple[int, frozenset[int]]:
    """Return the highest number the snapshot has replayed, and which of the numbers just below it."""
    if "decision_id" not in columns_of(con, "match.decision"):
        return 0, frozenset()
    rows = con.execute(
        "SELECT decision_id FROM match.decision "
        "WHERE decision_id > (SELECT max(decision_id) FROM match.decision) - $numbers",
        {"numbers": 2 * NUMBERS},
    ).fetchall()
    return max((row[0] for row in rows), default=0), frozenset(row[0] for row in rows)


def _answer(seen: Iterable[Decision], replayed: tuple[int, frozenset[int]], now: datetime) -> PendingDecisions:
    by_record: dict[tuple[str, str], tuple[Decision, ...]] = {}
    waiting = [
        d
        for d in sorted(seen, key=lambda d: -d.id)
        if d.withdrawn_at is None and (d.expires_at is None or d.expires_at > now)
        if d.id > replayed[0] - 2 * NUMBERS and d.id not in replayed[1]
    ]
    for d in waiting:
        by_record[d.object, d.salesforce_id] = (*by_record.get((d.object, d.salesforce_id), ()), d)
    columns = [[getattr(d, name) for d in waiting] for name in _SCHEMA.names]
    return PendingDecisions(by_record, pa.table(columns, schema=_SCHEMA))
