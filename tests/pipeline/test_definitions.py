"""What Dagster is told: loads without secrets or warnings, described, owned, checked, due on the right nights."""

import os
import subprocess
import sys
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import duckdb
import pytest

from data_contracts.contracts import contract_names
from data_contracts.settings import Settings
from definitions import build_defs
from pipelines.publish.completed import Completed
from resources.wiring import SyncResource
from schedules.jobs import DAILY, WEEKLY
from schedules.launch import dagster_instance
from schedules.sync import Night, decide, switched_on
from tests.support.installation import FirstSync, Installation

ROOT = Path(__file__).parents[2]
NEW_YORK = ZoneInfo("America/New_York")
#: Contracts of tables that a later version fills.
LATER = {name for name in contract_names() if name.startswith("insight.")}
#: Objects without a day of set-up have their full run on Sunday.
SUNDAY = {"opportunity", "user", "campaign_member", "opportunity_contact_role", "task", "event"}
Runs = dict[str, dg.RunRequest]
OWN = "apps|assets|data_contracts|definitions|pipelines|resources|schedules"


@pytest.fixture(scope="module")
def settings() -> Settings:
    objects = {
        "account": {"set_up_on": date(2026, 1, 7)},  # a Wednesday
        "contact": {"set_up_on": date(2026, 1, 9)},  # a Friday
        "lead": {"enabled": False},
        "campaign": {"frequency": "manual"},
    }
    return Settings.model_validate({"objects": objects})


@pytest.fixture(scope="module")
def defs(settings: Settings) -> dg.Definitions:
    return build_defs(settings=settings)


def test_the_definitions_are_loadable(defs: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(defs)
    assert {job.name for job in defs.resolve_all_job_defs()} >= {DAILY, WEEKLY}


def test_they_load_without_secrets_and_without_warnings_of_ours(tmp_path: Path) -> None:
    """The warnings that Dagster, pydantic and our own modules would raise through our code are errors."""
    code = (
        "import re, warnings\n"
        "with warnings.catch_warnings(record=True) as caught:\n"
        "    warnings.simplefilter('always')\n"
        "    import dagster as dg, definitions\n"
        "    dg.Definitions.validate_loadable(definitions.defs())\n"
        f"ours = [w for w in caught if re.search(r'[/\\\\]({OWN})([/\\\\.])', w.filename.replace(r'{ROOT}', ''))\n"
        "        and 'site-packages' not in w.filename]\n"
        "kinds = ('BetaWarning', 'PreviewWarning', 'SupersessionWarning')\n"
        "ours += [w for w in caught if w.category.__name__ in kinds]\n"
        "assert not ours, [str(w) for w in ours]\n"
    )
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("SALESFORCE_", "CROSSWALK_"))}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path, env={**bare, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Warning" not in done.stderr
    assert list(tmp_path.iterdir()) == [], "loading wrote files"


def test_every_asset_says_what_it_is_and_whose(defs: dg.Definitions) -> None:
    for spec in defs.resolve_all_asset_specs():
        name = spec.key.to_user_string()
        assert (spec.description or "").strip(), name
        assert list(spec.owners), name
        assert spec.kinds, name
        assert spec.group_name not in (None, "", "default"), name


def test_every_published_table_is_an_asset_with_a_blocking_check() -> None:
    graph = build_defs(settings=Settings()).resolve_asset_graph()
    names = {"/".join(name.split(".")) for name in contract_names() if name not in LATER}
    assert names <= {key.to_user_string() for key in graph.get_all_asset_keys()}
    checks = [spec for key in graph.asset_check_keys if (spec := graph.get_check_spec(key)).blocking]
    assert names <= {spec.asset_key.to_user_string() for spec in checks}


def test_the_mirror_and_the_snapshot_of_daily_objects_go_stale_visibly(
    settings: Settings, defs: dg.Definitions
) -> None:
    promised = {spec.key.to_user_string() for spec in defs.resolve_all_asset_specs() if spec.freshness_policy}
    daily = {name for name, item in settings.objects.items() if item.enabled and item.frequency == "daily"}
    assert promised == {*(f"salesforce/{name}" for name in daily), "published/analytics"}
    assert "salesforce/campaign" not in promised  # by hand
    assert "salesforce/lead" not in promised  # switched off


def test_schedules_are_off_until_somebody_switches_them_on(defs: dg.Definitions) -> None:
    schedules = list(defs.schedules or ())
    assert {schedule.name for schedule in schedules} == {f"{DAILY}_schedule", f"{WEEKLY}_schedule"}
    assert {schedule.default_status for schedule in schedules} == {dg.DefaultScheduleStatus.STOPPED}


def requested(
    settings: Settings, defs: dg.Definitions, at: datetime, *, now: datetime | None = None, alone: bool = False
) -> Runs:
    """The runs of one evening, by job, where every night before it was completed in full."""
    moment = at.astimezone(UTC) - timedelta(hours=12)
    evening = Night(at, now or at, {name: Completed(moment, moment) for name in settings.objects})
    specs = list(defs.resolve_all_asset_specs())
    asked = {DAILY: decide(settings, specs, evening, full=False, alone=alone)}
    if not alone:
        asked[WEEKLY] = decide(settings, specs, evening, full=True)
    return {job: request for job, request in asked.items() if isinstance(request, dg.RunRequest)}


def nights(first: date, count: int) -> list[date]:
    return [first + timedelta(days=day) for day in range(count)]


#: Two weeks around each change of the clocks in New York.
@pytest.mark.parametrize("first", [date(2026, 3, 2), date(2026, 10, 26)], ids=["spring", "autumn"])
def test_one_run_a_night_inside_the_window_full_on_the_day_of_set_up(
    settings: Settings, defs: dg.Definitions, first: date
) -> None:
    schedule = defs.resolve_schedule_def(f"{DAILY}_schedule")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 20 * * *", "America/New_York")
    for night in nights(first, 14):
        runs = requested(settings, defs, datetime.combine(night, time(20, 0), NEW_YORK))
        full = {2: "account", 4: "contact"}.get(night.weekday())
        due = [WEEKLY] if full or night.weekday() == 6 else [DAILY]
        assert list(runs) == due, night
        request = runs[due[0]]
        sync = request.run_config["resources"]["sync"]["config"]
        assert set(sync["full_objects"]) == full_objects(night)
        ends = datetime.fromisoformat(sync["works_until"]).astimezone(NEW_YORK)
        assert (ends.date(), ends.hour, ends.minute) == (night + timedelta(days=1), 6, 0)
        assert sync["window"] == f"20:00-06:00 America/New_York, night of {night}"


def full_objects(night: date) -> set[str]:
    """What the settings above and the default day, a Sunday, ask for."""
    by_day = {2: {"account"}, 4: {"contact"}, 6: SUNDAY}
    return by_day.get(night.weekday(), set())


def test_disabled_and_manual_objects_are_not_selected(settings: Settings, defs: dg.Definitions) -> None:
    at = datetime(2026, 3, 3, 20, 0, tzinfo=NEW_YORK)
    (request,) = requested(settings, defs, at).values()
    selected = {key.to_user_string() for key in request.asset_selection or ()}
    assert "landing/account" in selected
    assert "published/analytics" in selected
    for name in ("landing/lead", "salesforce/lead", "crosswalk/lead", "landing/campaign", "salesforce/campaign"):
        assert name not in selected


@pytest.mark.parametrize("job", [DAILY, WEEKLY])
def test_whoever_starts_a_run_nothing_of_a_disabled_object_is_in_it(defs: dg.Definitions, job: str) -> None:
    """The second of three acts: ``enabled: false`` stops an object's runs; its tables are written by no other step."""
    made = defs.resolve_job_def(job)
    held = {key.to_user_string() for key in made.asset_layer.selected_asset_keys}
    steps = {node.name for node in made.nodes}
    assert {"ownership/contact", "ownership/search", "landing/contact"} <= held
    assert "ownership__contact" in steps
    assert [name for name in held if name.endswith(("/lead", "/lead_candidate"))] == []
    assert [name for name in steps if "lead" in name] == []


def test_nothing_is_requested_outside_the_window_or_once_it_is_over(settings: Settings, defs: dg.Definitions) -> None:
    opens = datetime(2026, 3, 3, 20, 0, tzinfo=NEW_YORK)
    assert requested(settings, defs, opens - timedelta(hours=8)) == {}
    assert list(requested(settings, defs, opens, now=opens + timedelta(hours=9))) == [DAILY], "the daemon came late"
    assert requested(settings, defs, opens, now=opens + timedelta(hours=11)) == {}, "it came in the morning"
    assert requested(settings, defs, opens, now=opens + timedelta(hours=25)) == {}, "and in the next night"


def test_a_schedule_that_is_on_by_itself_takes_every_night(settings: Settings, defs: dg.Definitions) -> None:
    on_wednesday = datetime(2026, 3, 4, 20, 0, tzinfo=NEW_YORK)
    found = requested(settings, defs, on_wednesday, alone=True)
    assert found[DAILY].run_config["resources"]["sync"]["config"]["full_objects"] == ["account"]


def test_a_tick_that_comes_too_late_asks_for_nothing(defs: dg.Definitions, installation: Installation) -> None:
    with dagster_instance(installation.activate().home) as instance:
        assert switched_on(instance) == set()
        late = datetime(2026, 3, 3, 20, 0, tzinfo=NEW_YORK)
        with dg.build_schedule_context(instance=instance, scheduled_execution_time=late) as context:
            found = defs.resolve_schedule_def(f"{DAILY}_schedule").evaluate_tick(context)
    assert "is over" in str(found.skip_message)


def test_a_window_that_has_closed_pauses_the_run_and_publishes_nothing(
    installation: Installation, first_sync: FirstSync
) -> None:
    closed = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    sync = {"kind": "delta", "trigger": "schedule", "works_until": closed}
    job = build_defs().resolve_job_def(DAILY)
    before = installation.home.published.read_bytes()
    with dagster_instance(installation.home) as instance:
        result = job.execute_in_process(
            instance=instance, run_config={"resources": {"sync": {"config": sync}}}, raise_on_error=False
        )
    assert result.success
    with duckdb.connect(str(installation.home.warehouse), read_only=True) as con:
        found = con.execute("SELECT status, message FROM ops.sync_run WHERE run_id = ?", [result.run_id]).fetchall()
    assert found[0][0] == "paused"
    assert "window" in found[0][1]
    assert installation.home.published.read_bytes() == before
    assert SyncResource(works_until=closed).may_work() is False
