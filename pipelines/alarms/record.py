"""``ops.alarm``: what is on, what was raised and cleared just now, and who was told."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb

from data_contracts.contracts import load_contract
from pipelines.alarms.alarm import Alarm
from pipelines.tables import ensure_table, transaction

Judged = Callable[[str, str], bool]
"""Whether an alarm (code, object) was looked for: only then does its absence mean that it is over."""


@dataclass(frozen=True)
class Changes:
    """What became of alarms: those raised just now, and those that are over."""

    at: datetime
    raised: tuple[Alarm, ...] = ()
    cleared: tuple[Alarm, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.raised or self.cleared)


def record_alarms(
    con: duckdb.DuckDBPyConnection, found: Sequence[Alarm], judged: Judged, *, run_id: str | None, at: datetime
) -> Changes:
    """Bring ``ops.alarm`` up to date with what was ``found`` and return what changed, all in one transaction."""
    ensure_table(con, load_contract("ops.alarm"))
    now = at.astimezone(UTC).replace(tzinfo=None)
    on = {alarm.key: alarm for alarm in active_alarms(con)}
    wrong = {alarm.key: alarm for alarm in found}
    cleared = [alarm for key, alarm in on.items() if key not in wrong and judged(alarm.code, alarm.object)]
    with transaction(con):
        for alarm in wrong.values():
            if alarm.key in on:
                _see(con, alarm, now)
            else:
                _raise(con, alarm, run_id, now)
        for alarm in cleared:
            con.execute(
                f"UPDATE ops.alarm SET cleared_at = greatest(raised_at, ?) WHERE {_SAME}", [now, *alarm.key]
            ).fetchall()
    return Changes(at, tuple(alarm for key, alarm in wrong.items() if key not in on), tuple(cleared))


def active_alarms(con: duckdb.DuckDBPyConnection) -> list[Alarm]:
    """Return the alarms that are on."""
    rows = con.execute(
        "SELECT alarm, message, object, subject, measured, threshold FROM ops.alarm WHERE cleared_at IS NULL "
        "ORDER BY raised_at, alarm, object, subject"
    ).fetchall()
    return [Alarm(*row) for row in rows]


def note_delivery(con: duckdb.DuckDBPyConnection, alarms: Sequence[Alarm], told: str) -> None:
    """Record who was told of alarms that are on."""
    for alarm in alarms:
        con.execute(f"UPDATE ops.alarm SET delivery = ? WHERE {_SAME}", [told, *alarm.key]).fetchall()


_SAME = "alarm = ? AND object = ? AND subject = ? AND cleared_at IS NULL"


def _see(con: duckdb.DuckDBPyConnection, alarm: Alarm, now: datetime) -> None:
    con.execute(
        "UPDATE ops.alarm SET last_seen_at = greatest(raised_at, ?), message = ?, measured = ?, threshold = ? "
        f"WHERE {_SAME}",
        [now, alarm.message, alarm.measured, alarm.threshold, *alarm.key],
    ).fetchall()


def _raise(con: duckdb.DuckDBPyConnection, alarm: Alarm, run_id: str | None, now: datetime) -> None:
    con.execute(
        "INSERT INTO ops.alarm BY NAME SELECT ? AS alarm, ? AS object, ? AS subject, ? AS raised_at, "
        "? AS last_seen_at, ? AS run_id, ? AS message, ? AS measured, ? AS threshold",
        [*alarm.key, now, now, run_id, alarm.message, alarm.measured, alarm.threshold],
    ).fetchall()
