"""Starts a demo org as a process of its own, for the demo, tests and benchmarks.

Belongs here: starting, waiting for the ready line, stopping. The server itself is ``server.py``.
"""

import json
import os
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from apps.demo_org.errors import DemoOrgError

_ROOT = Path(__file__).resolve().parents[2]
_STOP_SECONDS = 10
#: The server ends when the process with this id does, however that ends.
PARENT_VARIABLE = "CROSSWALK_DEMO_ORG_PARENT"


@dataclass(frozen=True)
class DemoOrg:
    """A running demo org: the fields of its ready line, and its process id."""

    url: str
    http_url: str | None
    ca_file: str
    access_token: str = field(repr=False)
    client_id: str
    client_secret: str = field(repr=False)
    private_key_file: str
    username: str
    org_id: str
    password: str = field(default="", repr=False)
    security_token: str = field(default="", repr=False)
    pid: int = 0

    def environment(self) -> dict[str, str]:
        """Return the ``SALESFORCE_*`` variables with which Crosswalk reaches it by client credentials."""
        return {
            "SALESFORCE_INSTANCE_URL": self.url,
            "SALESFORCE_AUTH": "client_credentials",
            "SALESFORCE_CLIENT_ID": self.client_id,
            "SALESFORCE_CLIENT_SECRET": self.client_secret,
            "SALESFORCE_CA_BUNDLE": self.ca_file,
        }


@contextmanager
def launch_demo_org(
    data: Path | None = None,
    *,
    faults: Path | None = None,
    request_log: Path | None = None,
    http: bool = False,
    timeout: float = 180,
) -> Iterator[DemoOrg]:
    """Serve ``data`` (an org without records when None) and stop when the block ends.

    Raises ``DemoOrgError`` with what the org wrote on standard error if it does not come up in ``timeout`` seconds.
    """
    command = [sys.executable, "-m", "apps.cli.main", "demo-org", "serve", "--port", "0"]
    for option, path in (("--data", data), ("--faults", faults), ("--request-log", request_log)):
        command += [option, str(Path(path).resolve())] if path is not None else []
    command += ["--http", "0"] if http else []
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, env=_environment(), cwd=_ROOT
        )
        try:
            yield DemoOrg(**json.loads(_ready_line(process, errors, timeout)), pid=process.pid)
        finally:
            _stop(process)


def _environment() -> dict[str, str]:
    path = os.pathsep.join(part for part in (str(_ROOT), os.environ.get("PYTHONPATH", "")) if part)
    return {**os.environ, "PYTHONPATH": path, PARENT_VARIABLE: str(os.getpid())}


def _ready_line(process: subprocess.Popen[bytes], errors: IO[bytes], timeout: float) -> bytes:
    """Read the first line of standard output, which is written whole."""
    assert process.stdout is not None
    deadline = time.monotonic() + timeout
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        if selector.select(max(0.0, deadline - time.monotonic())) and (line := process.stdout.readline()):
            return line
    process.kill()
    process.wait()
    errors.seek(0)
    tail = errors.read()[-4000:].decode(errors="replace").strip()
    raise DemoOrgError("The demo org did not start.", why=tail or f"no ready line within {timeout:g} seconds")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
