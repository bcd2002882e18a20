"""Schedules of what is switched off, and two syncs on one object that meet: one works, the other is refused."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from assets._common import OBJECT_TAG
from data_contracts.settings import SWITCHED_OFF, Settings
from pipelines.publish.completed import Completed
from resources.home import Home
from resources.wiring import CrosswalkResource
from schedules import launch
from schedules.jobs import DAILY, WEEKLY
from schedules.launch import _failures, dagster_instance
from schedules.sync import Night, build_schedules, decide

#: A Tuesday evening in New York, in the window; every object was completed the night before.
EVENING = datetime(2026, 3, 4, 1, 0, tzinfo=UTC)
SPECS = [dg.AssetSpec(f"{name}_table", tags={OBJECT_TAG: name}) for name in ("account", "lead")]


def asked_for(settings: Settings, *, full: bool = False, alone: bool = True) -> dg.RunRequest | dg.SkipReason:
    before = EVENING - timedelta(hours=20)
    done = {name: Completed(before, before) for name in settings.objects}
    return decide(settings, SPECS, Night(EVENING, EVENING, done), full=full, alone=alone)


def switched(**objects: bool) -> Settings:
    """Account and lead alone, each on or off."""
    others = {name: {"enabled": False} for name in Settings().objects if name not in objects}
    return Settings.model_validate({"objects": others | {name: {"enabled": on} for name, on in objects.items()}})


@pytest.mark.parametrize("full", [False, True])
def test_a_schedule_skips_and_says_so_where_the_whole_integration_is_switched_off(full: bool) -> None:
    on = switched(account=True, lead=True)
    off = on.model_copy(update={"connection": on.connection.model_copy(update={"enabled": False})})
    assert isinstance(asked_for(on), dg.RunRequest)
    skipped = asked_for(off, full=full)
    assert isinstance(skipped, dg.SkipReason)
    assert skipped.skip_message == SWITCHED_OFF
    assert len(build_schedules(on, SPECS)) == 2
    assert build_schedules(off, SPECS) == []


def test_what_is_switched_off_is_in_no_run_and_with_nothing_left_there_is_none() -> None:
    one = asked_for(switched(account=True, lead=False))
    assert isinstance(one, dg.RunRequest)
    assert [key.to_user_string() for key in one.asset_selection or ()] == ["account_table"]
    none = switched(account=False, lead=False)
    assert build_schedules(none, SPECS) == []
    skipped = asked_for(none)
    assert isinstance(skipped, dg.SkipReason)
    assert "no object is due" in str(skipped.skip_message)


def syncs(work: Callable[[str], None]) -> dict[str, dg.JobDefinition]:
    """The two jobs of a home with one step each, under the resource that real ones run under."""

    @dg.op
    def account(context: dg.OpExecutionContext, crosswalk: CrosswalkResource) -> None:
        work(context.job_name)

    made = {"crosswalk": CrosswalkResource()}
    return {name: dg.GraphDefinition(name=name, node_defs=[account]).to_job(resource_defs=made)
            for name in (DAILY, WEEKLY)}  # fmt: skip


def test_of_two_syncs_that_meet_the_second_is_refused_and_touches_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second comes in the middle of the first's step: there is nothing to wait for, and nothing to be late."""
    monkeypatch.setenv("CROSSWALK_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    # What two runs print in one process goes to one place; Dagster's capture of it is made for a process each.
    silent = "compute_logs: {module: dagster._core.storage.noop_compute_log_manager, class: NoOpComputeLogManager}"
    monkeypatch.setattr(launch, "EMBEDDED", f"{launch.EMBEDDED}{silent}\n")
    worked: list[str] = []
    met: list[tuple[dg.ExecuteInProcessResult, list[str]]] = []

    def work(job: str) -> None:
        worked.append(job)
        if job == DAILY:
            second = jobs[WEEKLY].execute_in_process(instance=instance, raise_on_error=False)
            running = instance.get_runs(filters=dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]))
            met.append((second, [run.job_name for run in running]))

    jobs, home = syncs(work), Home.from_environment()
    with dagster_instance(home) as instance:
        first = jobs[DAILY].execute_in_process(instance=instance)
        assert first.success, "whoever came first is not disturbed"
        ((second, running),) = met
        assert (second.success, worked) == (False, [DAILY])
        assert running == [DAILY], "nor taken for dead"
        (said,) = _failures(second.all_events)
        assert f"is in use by run {first.run_id}" in said
        assert "crosswalk status" in said
        assert jobs[WEEKLY].execute_in_process(instance=instance).success, "afterwards it is its turn"
    assert worked == [DAILY, WEEKLY]
