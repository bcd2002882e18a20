"""Runs syncs in forked children and kills them on request: ``python -m tests.support.run_worker``, JSON lines.

This process has the imports behind it and never opens a database; each request is one run in a child of its own. A
kill comes from outside and is SIGKILL: nothing of ours gets to run afterwards. A request is a ``Request`` as JSON; the
answer says how the child ended, which steps it began and finished, its failures, and when each moment came.
"""

import json
import os
import resource
import signal
import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import altair  # noqa: F401 - the imports a run makes on its way, made once
import great_expectations  # noqa: F401
import splink  # noqa: F401
from pydantic import PrivateAttr

from data_contracts.settings import Settings
from definitions import build_defs
from pipelines.extract import rest_pages, submit
from resources.home import Home
from resources.salesforce import RetryPolicy, SalesforceOrg
from resources.wiring import CrosswalkResource, SalesforceResource, SyncResource
from tests.support import killed_runs
from tests.support.light_run import Step, plain, run_light, steps_of
from tests.support.run_request import Request
from tests.support.strike import Moments

#: Retries as in production, without the waiting.
QUICK = RetryPolicy(attempts=4, base=0.01, cap=0.05, sleep=lambda seconds: time.sleep(min(seconds, 0.05)))

#: Seconds after which a child is ended (SIGALRM).
LONGEST = 240


class QuickSalesforce(SalesforceResource):
    """The org, asked again without waiting."""

    def connect(self, settings: Settings) -> SalesforceOrg:
        org = super().connect(settings)
        org.session.policy = QUICK
        return org


class ClosingWindow(SyncResource):
    """An off-hours window that closes ``within`` seconds after the first object is awaited; 0 is never."""

    within: float = 0.0
    _closes: datetime | None = PrivateAttr(default=None)

    def deadline(self) -> datetime | None:
        if self.within and self._closes is None:
            self._closes = datetime.now(UTC) + timedelta(seconds=self.within)
        return self._closes

    def may_work(self) -> bool:
        return self._closes is None or datetime.now(UTC) < self._closes


def _chosen(steps: list[Step], request: Request) -> list[Step]:
    parts = ("salesforce", "landing", "ops", "run_records", "published")
    return [
        step
        for step in steps
        if (request.checks or not step.checks)
        and (not request.extract_only or step.name.split("__")[0] in parts)
        and step.name not in request.done
    ]


def _child(request: Request, answers: int) -> int:
    """Run one request and return the exit code."""

    def tell(**what: Any) -> None:
        os.write(answers, json.dumps(what).encode() + b"\n")

    # A run that waits for ever is a complaint of its trial, not a test that never ends.
    signal.alarm(LONGEST)
    os.environ.update(request.environment)
    if request.kill:
        with plain():
            return killed_runs.run(Home.from_environment(), *request.kill)
    vars(submit)["REST_ROWS"] = 10_000 if request.rest else -1
    rest_pages.PAGE_ROWS = request.rest or rest_pages.PAGE_ROWS
    steps = _chosen(steps_of(build_defs()), request)

    def reached(number: int) -> None:
        if number == request.moment:
            tell(struck=number)
            if not request.delay:
                signal.pause()

    moments = Moments(reached)

    def stage(name: str) -> None:
        tell(step=name)
        if request.file_limit and name == request.limit_from:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (request.file_limit, request.file_limit))
        moments.happen()

    sync = ClosingWindow(kind=request.kind, within=request.works_within)  # type: ignore[arg-type]
    with plain(checks=request.checks):
        outcome = run_light(steps, CrosswalkResource(), QuickSalesforce(), sync, run_id=request.run_id, stage=stage)
    tell(outcome=asdict(outcome), times=moments.times)
    return 0


def run(request: Request) -> dict[str, Any]:
    """Run one request in a child and return what is known of it."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        code = 98
        try:
            os.close(reading)
            code = _child(request, writing)
        finally:
            os._exit(code)
    os.close(writing)
    heard: list[dict[str, Any]] = []
    with os.fdopen(reading) as answers:
        for line in answers:
            heard.append(json.loads(line))
            if "struck" in heard[-1]:
                time.sleep(request.delay)
                os.kill(child, signal.SIGKILL)
    _, status, used = os.wait4(child, 0)
    ended = os.waitstatus_to_exitcode(status)
    steps = [item["step"] for item in heard if "step" in item]
    last = heard[-1] if heard and "outcome" in heard[-1] else {}
    cpu = round(used.ru_utime + used.ru_stime, 2)
    home = Home(Path(request.environment["CROSSWALK_HOME"]))
    return {
        "ended": ended,
        "steps": steps,
        "outcome": last.get("outcome"),
        "times": last.get("times", []),
        "cpu": cpu,
        **(killed_runs.state(home) if request.kill else {}),
    }


def main() -> None:
    for line in sys.stdin:
        sys.stdout.write(json.dumps(run(Request(**json.loads(line)))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
