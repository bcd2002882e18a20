"""Run Now: start a job in this process, any time of day, and say how it ended in words.

Knows the embedded Dagster instance of a home. What a job does is in the assets; when one is due is in ``sync``.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import dagster as dg

from data_contracts import errors
from resources.home import Home
from resources.wiring import LOCATION, PAUSED_TAG
from schedules.dead_runs import settle
from schedules.event_log import kept_open
from schedules.jobs import DAILY, WEEKLY, run_config
from schedules.selection import selection_for

_FORESEEN = {
    name for name, item in vars(errors).items() if isinstance(item, type) and issubclass(item, errors.CrosswalkError)
}

#: With this tag the UI lists a run of this process under its job, as one that its own code server started.
REPOSITORY = f"__repository__@{LOCATION}"

EMBEDDED = """\
# Written by Crosswalk: the embedded Dagster instance of this home (SQLite).
concurrency:
  pools: {default_limit: 1, granularity: op}
  runs: {max_concurrent_runs: 1}
telemetry: {enabled: false}
# No sign-up dialog over the first page.
nux: {enabled: false}
"""


@dataclass(frozen=True)
class StepTime:
    """When one step ran (seconds since the epoch)."""

    step: str
    started: float
    ended: float

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.ended - self.started


@dataclass(frozen=True)
class RunOutcome:
    """How a run ended: ``failures`` are messages for people, empty on success.

    ``paused`` says why it stopped before it had published, although nothing failed; empty where it did not.
    """

    run_id: str
    success: bool
    failures: tuple[str, ...]
    steps: tuple[StepTime, ...]
    paused: str = ""


def embedded_dagster_home(home: Home) -> Path:
    """Return the embedded instance's folder, with its ``dagster.yaml`` written."""
    home.dagster.mkdir(parents=True, exist_ok=True)
    file = home.dagster / "dagster.yaml"
    if not file.is_file() or file.read_text() != EMBEDDED:
        file.write_text(EMBEDDED)
    return home.dagster


@contextmanager
def dagster_instance(home: Home) -> Iterator[dg.DagsterInstance]:
    """Open the instance of ``DAGSTER_HOME``, or the embedded one when it is unset.

    Raises SettingsError when ``DAGSTER_HOME`` is not an absolute path of a folder.
    """
    given = os.environ.get("DAGSTER_HOME")
    if given and not (Path(given).is_absolute() and Path(given).is_dir()):
        raise errors.SettingsError(
            f"DAGSTER_HOME is {given!r}",
            why="it must be the absolute path of the folder that holds the production instance's dagster.yaml",
            next_step="make the folder and correct the variable, or unset it for the embedded instance",
        )
    os.environ["DAGSTER_HOME"] = given or str(embedded_dagster_home(home))
    try:
        with kept_open(home.dagster), dg.DagsterInstance.get() as instance:
            yield instance
    finally:
        if given is None:
            del os.environ["DAGSTER_HOME"]


def settle_embedded(home: Home) -> None:
    """Mark what a killed process left running in the embedded instance failed: a new start need not wait for it."""
    with dg.DagsterInstance.from_config(str(embedded_dagster_home(home))) as instance:
        settle(instance, home, grace=timedelta())


def run_now(
    defs: dg.Definitions, home: Home, *, kind: Literal["full", "delta"], objects: Sequence[str] = ()
) -> RunOutcome:
    """Run the full or the delta job in this process and return how it ended.

    ``objects`` limits what is fetched and matched to these Salesforce objects; tables of the others stay as they are.
    """
    job = defs.resolve_job_def(WEEKLY if kind == "full" else DAILY)
    with dagster_instance(home) as instance:
        result = job.execute_in_process(
            instance=instance,
            run_config=run_config(kind),
            asset_selection=selection_for(defs.resolve_all_asset_specs(), objects) if objects else None,
            raise_on_error=False,
            tags={".dagster/repository": REPOSITORY},
        )
        steps = _step_times(instance, result.run_id)
        run = instance.get_run_by_id(result.run_id)
    paused = run.tags.get(PAUSED_TAG, "") if run else ""
    return RunOutcome(result.run_id, result.success, _failures(result.all_events), steps, paused)


def _step_times(instance: dg.DagsterInstance, run_id: str) -> tuple[StepTime, ...]:
    stats = instance.get_run_step_stats(run_id)
    timed = [
        StepTime(item.step_key, item.start_time, item.end_time) for item in stats if item.start_time and item.end_time
    ]
    return tuple(sorted(timed, key=lambda step: step.started))


def _failures(events: Sequence[dg.DagsterEvent]) -> tuple[str, ...]:
    checks = [
        evaluation.description or f"check {evaluation.check_name} failed"
        for event in events
        if event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION
        and not (evaluation := event.asset_check_evaluation_data).passed
        and evaluation.severity == dg.AssetCheckSeverity.ERROR
    ]
    steps = [_failure_text(event) for event in events if event.event_type == dg.DagsterEventType.STEP_FAILURE]
    # A resource that cannot start (the home is busy) fails the run before any step.
    run = [_failure_text(event) for event in events if event.event_type == dg.DagsterEventType.RUN_FAILURE]
    found = [text for text in (*checks, *(steps or run)) if text]
    return tuple(dict.fromkeys(found))


def _failure_text(event: dg.DagsterEvent) -> str:
    data: Any = event.event_specific_data
    told = getattr(data, "user_failure_data", None)
    if told is not None:
        return str(told.description)
    error: Any = getattr(data, "error", None)
    # A message of ours is the one to show, whatever made us raise it.
    while error is not None and error.cause is not None and error.cls_name not in _FORESEEN:
        error = error.cause
    if error is None or error.cls_name == "DagsterAssetCheckFailedError":
        return ""
    text: str = error.message.partition(": ")[2].strip() or error.message.strip()
    if error.cls_name in _FORESEEN:
        return text
    where = event.step_key or "the run"
    return f"unexpected {error.cls_name} in {where}: {text.splitlines()[0] if text else ''}"
