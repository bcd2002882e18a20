"""When each object was last brought up to date by a run that published, in a small file beside the warehouse.

A schedule that is evaluated, and ``crosswalk status``, must not open the warehouse a run may be writing; nor is the
snapshot of use to them, which settings may narrow. Only what a schedule has to know is here; figures are in ``ops``.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb

from data_contracts.errors import WarehouseError
from pipelines.run import RunContext
from resources.files import PRIVATE, write_atomically
from resources.home import Home

_CHANGES = ("new", "changed", "removed", "deleted", "merged", "converted", "undeleted")


@dataclass(frozen=True)
class Completed:
    """When published runs of one object began (UTC): the last one, the last full one, the last that found a change."""

    last: datetime | None = None
    full: datetime | None = None
    changed: datetime | None = None


def read_completed(home: Home) -> dict[str, Completed]:
    """Return what was completed, by table name of the object; nothing where no run has published.

    Raises WarehouseError when the file cannot be read.
    """
    try:
        text = home.completed.read_text(encoding="utf-8")
        kept = json.loads(text)
        return {
            name: Completed(**{key: datetime.fromisoformat(value) if value else None for key, value in item.items()})
            for name, item in kept.items()
        }
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, AttributeError) as error:
        raise WarehouseError(
            f"{home.completed} does not say when each object was synced",
            why="the file was changed or cut",
            next_step="remove it: the next scheduled run is a full one of every object",
        ) from error


def note_completed(con: duckdb.DuckDBPyConnection, home: Home, run: RunContext) -> None:
    """Record that ``run`` has published the objects it fetched; reads its ``ops.run_statistics``."""
    fetched = con.execute(
        f"SELECT object, kind, {' + '.join(f'coalesce({name}, 0)' for name in _CHANGES)} "
        "FROM ops.run_statistics WHERE run_id = ? AND fetch_started_at IS NOT NULL",
        [run.run_id],
    ).fetchall()
    known, at = read_completed(home), run.started_at.astimezone(UTC)
    for name, kind, changes in fetched:
        before = known.get(name, Completed())
        # One that could not be read has had its turn too: it need not be tried in full every night.
        full = before.full if kind == "delta" else at
        known[name] = Completed(at, full, at if changes or before.changed is None else before.changed)
    _write(home, known)


def _write(home: Home, known: dict[str, Completed]) -> None:
    told = {
        name: {key: value.isoformat() if value else None for key, value in vars(item).items()}
        for name, item in sorted(known.items())
    }
    write_atomically(home.completed, json.dumps(told, indent=1), PRIVATE)
