"""The limit on how many links one run may change without being asked, and the approval that lets it through once.

Counted and held within the transaction that writes the crosswalk: a run that is stopped leaves the links, and all that
is made of them, as they were. How a change got its cause is ``link_change.sql``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb

from data_contracts.contracts import load_contract
from data_contracts.errors import LinkChangeLimitError, SettingsError
from data_contracts.settings import Matching
from pipelines.resolve.links import LinkChanges
from pipelines.resolve.sides import Object
from pipelines.run import OBJECTS, RunContext
from pipelines.tables import ensure_table, scalar

TABLE = "ops.link_approval"
#: Fewer changes than this never stop a run, however few links there are.
FEWEST = 50
#: Nobody need approve these: a person has decided them, or the record is no more.
_SETTLED = {"decision", "deleted", "merged", "converted"}


@dataclass(frozen=True)
class Stop:
    """A run that was stopped at an object; ``changes`` of ``links`` were more than ``allowed``."""

    run_id: str
    object: str
    stopped_at: datetime
    links: int
    changes: int
    allowed: int
    summary: str
    approved_by: str | None = None
    approved_at: datetime | None = None


def hold_to_limit(
    con: duckdb.DuckDBPyConnection, name: Object, matching: Matching, run: RunContext, changes: Sequence[LinkChanges]
) -> None:
    """Raise LinkChangeLimitError when ``changes`` are too many and nobody has approved them; else close what is open.

    Call it within the transaction that wrote them, when they are written. A first run, the links of new records and of
    those that departed or left the selection, and what people decided never stop a run. Reads ``crosswalk.<object>`` as
    it is now.
    """
    gained = {"made": 1, "lost": -1, "moved": 0}
    links = scalar(con, f"SELECT count(*) FROM crosswalk.{name} WHERE status = 'linked'")
    links -= sum(gained[item.change] * item.records for item in changes)
    allowed = max(FEWEST, int(matching.max_link_changes * links))
    counted = [item for item in changes if item.known and item.cause not in _SETTLED]
    total = sum(item.records for item in counted)
    free = links == 0 or matching.max_link_changes >= 1 or total <= allowed
    if not free and not _approved(con, name, run, total, allowed):
        raise _stopped(Stop(run.run_id, name, _naive(run.started_at), links, total, allowed, _summary(counted)))
    con.execute(
        f"UPDATE {TABLE} SET closed_by_run = $run_id WHERE object = $object AND closed_by_run IS NULL",
        {"run_id": run.run_id, "object": name},
    ).fetchall()


def record_stop(con: duckdb.DuckDBPyConnection, stop: Stop) -> None:
    """Keep what a run would have changed, so that it can be approved; the run stopped again replaces its row."""
    ensure_table(con, load_contract(TABLE))
    mine = {"run_id": stop.run_id, "object": stop.object}
    con.execute(f"DELETE FROM {TABLE} WHERE run_id = $run_id AND object = $object", mine).fetchall()
    con.execute(
        f"INSERT INTO {TABLE} (run_id, object, stopped_at, links, changes, allowed, summary) "
        "VALUES ($run_id, $object, $stopped_at, $links, $changes, $allowed, $summary)",
        mine
        | {"stopped_at": stop.stopped_at, "links": stop.links, "changes": stop.changes}
        | {"allowed": stop.allowed, "summary": stop.summary},
    ).fetchall()


def open_stops(con: duckdb.DuckDBPyConnection) -> tuple[Stop, ...]:
    """Return the stops that still hold, the latest of each object: no run has written its links since."""
    ensure_table(con, load_contract(TABLE))
    rows = con.execute(
        "SELECT run_id, object, stopped_at, links, changes, allowed, summary, approved_by, approved_at "
        f"FROM {TABLE} WHERE closed_by_run IS NULL "
        "QUALIFY row_number() OVER (PARTITION BY object ORDER BY stopped_at DESC, run_id DESC) = 1 ORDER BY stopped_at"
    ).fetchall()
    return tuple(Stop(*row) for row in rows)


def approve(
    con: duckdb.DuckDBPyConnection, run_id: str, *, by: str, note: str | None = None, at: datetime | None = None
) -> Stop:
    """Let the next run make the changes that stopped ``run_id``, once; return what was approved.

    The beginning of an id is enough. Raises SettingsError when no such stop is open: never stopped, a later run has
    gone through, or a later one stopped with other changes.
    """
    stops = open_stops(con)
    found = [stop for stop in stops if run_id and stop.run_id.startswith(run_id)]
    if len(found) != 1 or not by.strip():
        waiting = ", ".join(stop.run_id for stop in stops) or "none"
        raise SettingsError(
            f"run {run_id} does not wait for approval",
            why=f"runs that do: {waiting}; an earlier stop is void when a later run stopped or went through",
            next_step="crosswalk approve, to see what waits",
        )
    con.execute(
        f"UPDATE {TABLE} SET approved_by = $by, approved_at = $at, note = $note "
        "WHERE run_id = $run_id AND object = $object",
        {"by": by.strip(), "at": _naive(at or datetime.now(UTC)), "note": note}
        | {"run_id": found[0].run_id, "object": found[0].object},
    ).fetchall()
    return found[0]


def _approved(con: duckdb.DuckDBPyConnection, name: Object, run: RunContext, total: int, allowed: int) -> bool:
    """Whether the last stop at this object was approved and this is no more than was shown, give or take the limit.

    An approval also holds for the objects that come after: contacts and leads follow their accounts.
    """
    earlier = OBJECTS[: OBJECTS.index(name)]
    for stop_object, changes, approved, closed in con.execute(
        f"SELECT object, changes, approved_by IS NOT NULL, closed_by_run FROM {TABLE} "
        "QUALIFY row_number() OVER (PARTITION BY object ORDER BY stopped_at DESC, run_id DESC) = 1"
    ).fetchall():
        if approved and stop_object == name and closed in (None, run.run_id) and total <= changes + allowed:
            return True
        if approved and stop_object in earlier and closed == run.run_id:
            return True
    return False


def _stopped(stop: Stop) -> LinkChangeLimitError:
    error = LinkChangeLimitError(
        f"{stop.object}: {stop.changes:,} of {stop.links:,} links would change, more than {stop.allowed:,}: "
        f"{stop.summary}",
        why="matching.max_link_changes stops a run that changes so many; no link was changed and nothing is published",
        next_step=f"if they are right: crosswalk approve {stop.run_id}, then crosswalk sync; "
        "if not, mend what caused them",
    )
    error.stop = stop
    return error


def _summary(changes: Sequence[LinkChanges]) -> str:
    """Say how many of which cause and kind, the most first, each with a few ids."""
    causes: dict[str, list[LinkChanges]] = {}
    for item in changes:
        causes.setdefault(item.cause, []).append(item)
    told = []
    for cause, items in sorted(causes.items(), key=lambda pair: -sum(item.records for item in pair[1])):
        kinds = ", ".join(
            f"{item.records:,} {item.change} (such as {', '.join(item.examples)})"
            for item in sorted(items, key=lambda item: -item.records)
        )
        told.append(f"{sum(item.records for item in items):,} by {cause}: {kinds}")
    return "; ".join(told)


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
