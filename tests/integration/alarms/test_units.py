"""A unit of work: not begun when the window has closed, and written into the run's record when it fails."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest

from assets.units import unit_of_work
from data_contracts.contracts import load_contract
from data_contracts.settings import Settings
from pipelines.alarms.standing import read_standing
from pipelines.publish.completed import Completed
from pipelines.publish.run_record import begin_run
from pipelines.run import RunContext
from pipelines.tables import ensure_table
from resources.home import Home
from resources.warehouse import Warehouse
from resources.wiring import CrosswalkResource, SyncResource
from schedules.overdue import overdue
from schedules.state import ScheduleState
from schedules.watch import record

AT = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)


@pytest.fixture
def crosswalk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CrosswalkResource:
    monkeypatch.setenv("CROSSWALK_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    made = CrosswalkResource()
    with made.connect() as con:
        for name in ("schema_change", "alarm"):
            ensure_table(con, load_contract(f"ops.{name}"))
    return made


def _context(heard: list[str]) -> Any:
    return SimpleNamespace(
        run=SimpleNamespace(run_id="run-1", root_run_id=None, tags={}),
        op_execution_context=SimpleNamespace(op=SimpleNamespace(name="a_step")),
        instance=SimpleNamespace(
            get_run_record_by_id=lambda _: SimpleNamespace(start_time=AT.timestamp()),
            add_run_tags=lambda _, tags: heard.append(f"tagged {sorted(tags)}"),
        ),
        log=SimpleNamespace(warning=heard.append),
    )


def _sync(minutes: int) -> SyncResource:
    until = datetime.now(UTC) + timedelta(minutes=minutes)
    return SyncResource(kind="delta", trigger="schedule", window="the window", works_until=until.isoformat())


def _runs(crosswalk: CrosswalkResource) -> list[tuple[Any, ...]]:
    with crosswalk.connect() as con:
        return con.execute('SELECT status, "window", message FROM ops.sync_run').fetchall()


def test_a_unit_is_done_inside_the_window_and_not_begun_after_it(crosswalk: CrosswalkResource) -> None:
    heard: list[str] = []

    @unit_of_work
    def body(context: Any, crosswalk: CrosswalkResource) -> str:
        """Say that it was done."""
        return "done"

    given = {"context": _context(heard), "crosswalk": crosswalk}
    assert list(body(**given, sync=_sync(1))) == ["done"]
    assert list(body(**given, sync=SyncResource())) == ["done"], "Run Now"
    assert list(body(**given, sync=_sync(-1))) == []
    assert heard[-1] == "tagged ['crosswalk/paused']"
    ((status, window, message),) = _runs(crosswalk)
    assert (status, window) == ("paused", "the window")
    assert "the next night goes on" in message
    last = read_standing(crosswalk.home).last_run
    assert last is not None
    assert last.status == "paused"


@pytest.mark.parametrize(
    ("tags", "works", "trigger"),
    [
        ({}, False, "schedule"),
        ({"dagster/parent_run_id": "run-0", "dagster/is_resume_retry": "true"}, True, "manual"),
        ({"dagster/parent_run_id": "run-0", "dagster/retry_number": "1"}, False, "schedule"),
    ],
    ids=["the night's run", "a person re-executes it", "the daemon tries again"],
)
def test_what_a_person_starts_again_is_a_run_now(tags: dict[str, str], works: bool, trigger: str) -> None:
    found: list[Any] = []

    @dg.op
    def look(sync: SyncResource) -> None:
        found.extend([sync.may_work(), sync.deadline() is None, sync.started_by(), "Run Now" in sync.window_in_words()])

    job = dg.GraphDefinition(name="again", node_defs=[look]).to_job(resource_defs={"sync": _sync(-60)})
    assert job.execute_in_process(tags=tags).success
    assert found == [works, works, trigger, works]


def test_a_unit_that_fails_is_recorded_and_told_when_nobody_looked(crosswalk: CrosswalkResource) -> None:
    heard: list[str] = []

    @unit_of_work
    def body(context: Any, crosswalk: CrosswalkResource, sync: SyncResource) -> Iterator[str]:
        yield "half"
        raise dg.Failure(description="it broke\nNext: mend it")

    with crosswalk.connect() as con:
        begin_run(con, RunContext("run-1", "delta", AT), window="the window")
        con.execute(
            "INSERT INTO ops.schema_change (run_id, detected_at, object_name, field_name, change, needed) "
            "VALUES ('run-1', now()::TIMESTAMP, 'Account', 'Website', 'removed', true)"
        ).fetchall()
    with pytest.raises(dg.Failure):
        list(body(context=_context(heard), crosswalk=crosswalk, sync=_sync(1)))
    assert _runs(crosswalk) == [("failed", "the window", "it broke\nNext: mend it")]
    alarms = {item.alarm: item for item in read_standing(crosswalk.home).alarms}
    assert alarms.keys() == {"run_failed", "schema_drift"}
    assert alarms["run_failed"].message == "it broke"
    assert alarms["schema_drift"].object == "account"


def test_what_the_clock_says_is_recorded_delivered_once_and_cleared(crosswalk: CrosswalkResource) -> None:
    posted: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    home: Home = crosswalk.home
    on = ScheduleState({"daily_sync": AT - timedelta(days=9)}, AT)
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        server.timeout = 5
        alerts = {"webhook_url": f"http://127.0.0.1:{server.server_port}/"}
        settings = Settings.model_validate({"alerts": alerts})
        done = {name: Completed(AT - timedelta(hours=5)) for name in settings.objects}
        late = overdue(settings, done | {"lead": Completed(AT - timedelta(days=2))}, on, AT)
        served = Thread(target=lambda: [server.handle_request() for _ in range(2)])
        served.start()
        assert record(home, settings, late, posted.append)
        assert record(home, settings, late, posted.append), "it is on already: nobody is told again"
        assert record(home, settings, overdue(settings, done, on, AT), posted.append)
        served.join()
    said, raised, cleared = posted
    assert "window_missed" in said
    assert [item["object"] for item in raised["raised"]] == ["lead"]
    assert [item["alarm"] for item in cleared["cleared"]] == ["window_missed"]
    with Warehouse(home.warehouse).connect() as con:
        rows = con.execute("SELECT alarm, object, delivery, cleared_at IS NOT NULL FROM ops.alarm").fetchall()
    assert rows == [("window_missed", "lead", "webhook", True)]
    with home.lock("a run"):
        assert not record(home, settings, late, posted.append), "while a run is on it waits"
