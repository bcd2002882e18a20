"""Repeats the recorded jobs of Bulk API 1: each exchange after those of its job that came before it.

The org is brought to the recorded moment: records that an upsert found exist, and batches are held where the
recorded answer shows them.
"""

import csv
import io
import re
import time
from typing import Any

import requests

from tests.support.bulk1_shapes import protocol_of, recorded_value
from tests.support.recorded import Recorded, recorded
from tests.support.replay import Replay

_JOB = re.compile(r"/job/(\w+)")
_BATCH = re.compile(r"/batch/(\w+)")
_RESULT = re.compile(r"/result/(\w+)")
_VERSION = re.compile(r"/services/async/[^/]+")
_BULK_ID = re.compile(r"\b75[012][a-zA-Z0-9]{12,15}\b")
_SECONDS = 20


class Bulk1Replay:
    """Recorded jobs at one org; answers are kept, so that each exchange is repeated once."""

    def __init__(self, replay: Replay) -> None:
        self._replay = replay
        self._jobs = _jobs()
        self._answers: dict[int, requests.Response] = {}
        #: What stands for recorded ids of jobs, batches and results.
        self._own: dict[str, str] = {}

    def answer(self, exchange: Recorded) -> requests.Response:
        """Answer to an exchange, repeated after its job's earlier ones."""
        job = next(each for each in self._jobs if exchange in each)
        for each in job[: job.index(exchange) + 1]:
            if each.n not in self._answers:
                self._answers[each.n] = self._repeat(each, job)
        return self._answers[exchange.n]

    def sent_records(self, exchange: Recorded) -> list[dict[str, str]]:
        """What the batch held whose result an exchange asks for."""
        job = next(each for each in self._jobs if exchange in each)
        return _rows(next(each for each in job if _is_batch(each)))

    def _repeat(self, exchange: Recorded, job: list[Recorded]) -> requests.Response:
        if _is_batch(exchange):
            self._prepare(exchange, job)
            # Nobody sees a batch move before the recorded answers say so.
            self._replay.settings(hold_batches="Queued")
        else:
            self._reach(exchange)
        answer = self._send(exchange)
        if exchange.status < 300 and exchange.body is not None:
            self._remember(exchange, answer)
        return answer

    def _send(self, exchange: Recorded) -> requests.Response:
        body = exchange.request_body
        kind = "application/xml" if body and body.startswith("<") else "text/csv"
        path = _VERSION.sub(f"/services/async/{exchange.version}", self._translated(exchange.path))
        data = None if body is None else self._replay.with_own_ids(body).encode()
        headers = {"Content-Type": f"{kind};charset=utf-8"} if data is not None else {}
        return self._replay.client(exchange.method, path, params=exchange.query, data=data, headers=headers)

    def _translated(self, path: str) -> str:
        return _BULK_ID.sub(lambda found: self._own[found[0]], path)

    def _remember(self, exchange: Recorded, answer: requests.Response) -> None:
        """Note which ids of this org stand for the recorded ones, in the order of the two answers."""
        text = exchange.body if isinstance(exchange.body, str) else str(exchange.body)
        for wanted, own in zip(_BULK_ID.findall(text), _BULK_ID.findall(answer.text), strict=False):
            self._own.setdefault(wanted, own)

    def _object(self, exchange: Recorded) -> str:
        job = next(each for each in self._jobs if exchange in each)
        return str(re.search(r"<object>(\w+)", job[0].request_body)[1])  # type: ignore[index]

    # -- the state

    def _prepare(self, exchange: Recorded, job: list[Recorded]) -> None:
        """Let the records exist that the recorded job found, and no others like them."""
        field = re.search(r"<externalIdFieldName>(\w+)", job[0].request_body)
        results = [each for each in job if each.path.endswith("/result") and isinstance(each.body, str)]
        if "<operation>query" in job[0].request_body:
            self._replay.prepare_events([each.body for each in job if _RESULT.search(each.path)][0])
        elif field is not None and field[1] != "Id":
            name = self._object(exchange)
            self._replay.clear(name)
            told = csv.DictReader(io.StringIO(results[0].body))
            for sent, result in zip(_rows(exchange), told, strict=True):
                if result["Created"] == "false":
                    self._replay.create(name, self._replay.least(name) | {field[1]: sent[field[1]]})

    def _reach(self, exchange: Recorded) -> None:
        """Let the job's batches come to where the recorded answer has them."""
        job = _JOB.search(exchange.path)
        if job is None:
            return
        wanted = _batches(recorded_value(exchange))
        self._replay.settings(
            hold_batches=next((state for state in ("Queued", "InProgress") if wanted.get(state)), None)
        )
        deadline = time.monotonic() + _SECONDS
        while wanted.items() - _batches(recorded_shape(self._job_now(job[1], exchange.version))).items():
            assert time.monotonic() < deadline, f"{exchange}: the batches do not come to {wanted}"
            time.sleep(0.01)

    def _job_now(self, recorded_job: str, version: str) -> dict[str, Any]:
        path = f"/services/async/{version}/job/{self._own[recorded_job]}"
        found: dict[str, Any] = self._replay.client("GET", path, headers={"Accept": "application/json"}).json()
        return found


def recorded_shape(info: dict[str, Any]) -> dict[str, Any]:
    """A job's state under the name that XML gives it."""
    return {"jobInfo": info}


def _batches(value: Any) -> dict[str, int]:
    """How many batches an answer shows in each state; of a result that its batch is completed."""
    told = protocol_of(value, is_query=False) if isinstance(value, dict) else {}
    if "numberBatchesQueued" in told:
        states = ("Queued", "InProgress", "Completed")
        return {state: told[f"numberBatches{state}"] for state in states}
    if told:
        return {told["state"]: 1}
    return {} if isinstance(value, dict) else {"Completed": 1}


def _is_batch(exchange: Recorded) -> bool:
    return exchange.method == "POST" and exchange.path.endswith("/batch")


def _rows(exchange: Recorded) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(exchange.request_body)))


def _jobs() -> list[list[Recorded]]:
    """The recorded jobs, each as its exchanges in their order."""
    found: dict[str, list[Recorded]] = {}
    for each in recorded():
        if each.is_bulk1:
            named = _JOB.search(each.path)
            key = named[1] if named else _BULK_ID.findall(each.body)[0]
            found.setdefault(key, []).append(each)
    return list(found.values())
