"""Demo orgs forked from one process that has the imports behind it: ``python -m tests.support.org_forge``, JSON lines.

What serves is ``crosswalk demo-org serve`` in a process of its own, as always; it starts in a third of the time. A
request is a list of the command's arguments with a file for its errors, answered by the process id and the ready line,
or it is the id of an org to stop. The start as people have it is ``tests/integration/demo_org_http/test_process.py``.
"""

import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from apps.demo_org.errors import DemoOrgError
from apps.demo_org.launch import PARENT_VARIABLE, DemoOrg

ROOT = Path(__file__).parents[2]


@cache
def _forge(_: int) -> "subprocess.Popen[str]":
    """The process that forks, one per process that asks; it and its orgs end with our standard input."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.org_forge"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _ask(request: object) -> dict[str, object]:
    forge = _forge(os.getpid())
    assert forge.stdin is not None
    assert forge.stdout is not None
    forge.stdin.write(json.dumps(request) + "\n")
    forge.stdin.flush()
    answer: dict[str, object] = json.loads(forge.stdout.readline())
    return answer


@contextmanager
def forked_demo_org(
    data: Path | None = None, *, faults: Path | None = None, request_log: Path | None = None, http: bool = False
) -> Iterator[DemoOrg]:
    """Serve ``data`` until the block ends, as ``launch_demo_org`` does."""
    arguments = ["--port", "0"]
    for option, path in (("--data", data), ("--faults", faults), ("--request-log", request_log)):
        arguments += [option, str(path.resolve())] if path is not None else []
    arguments += ["--http", "0"] if http else []
    with TemporaryDirectory() as folder:
        errors = Path(folder) / "errors"
        started = _ask({"serve": arguments, "errors": str(errors)})
        try:
            if not started["ready"]:
                raise DemoOrgError("The demo org did not start.", why=errors.read_text()[-4000:])
            yield DemoOrg(**json.loads(str(started["ready"])), pid=int(str(started["pid"])))
        finally:
            _ask({"stop": started["pid"]})


def _serve(arguments: Sequence[str], errors: str) -> tuple[int, str]:
    """Fork an org and return its process id and ready line; the line is empty if it ended before it was ready."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        # It writes one line and no more; the pipe stays open in its process.
        with os.fdopen(reading) as ready:
            return child, ready.readline()
    code = 1
    try:
        os.dup2(writing, 1)
        os.dup2(os.open(errors, os.O_WRONLY | os.O_CREAT, 0o600), 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.environ[PARENT_VARIABLE] = str(os.getppid())
        from apps.cli.demo_org import serve

        serve.main(list(arguments), standalone_mode=False)
        code = 0
    except Exception:  # noqa: BLE001 - whoever asked is told what it was
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _stop(child: int) -> None:
    os.kill(child, signal.SIGTERM)
    os.waitpid(child, 0)


def main() -> None:
    import apps.demo_org.server  # noqa: F401 - what every org needs, imported once

    for line in sys.stdin:
        request = json.loads(line)
        answer: dict[str, object] = {}
        if "stop" in request:
            _stop(request["stop"])
        else:
            answer["pid"], answer["ready"] = _serve(request["serve"], request["errors"])
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
