"""The life of ``crosswalk demo-org serve``: ready line, files, stopping, what a user is told when it cannot start."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
import requests

from apps.demo_org.errors import DemoOrgError
from apps.demo_org.launch import launch_demo_org

COMMAND = [sys.executable, "-m", "apps.cli.main", "demo-org", "serve"]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_one_line_on_standard_output_and_a_clean_stop(number: signal.Signals) -> None:
    process = subprocess.Popen(COMMAND, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = json.loads(process.stdout.readline())
    assert line["http_url"] is None
    folder = Path(line["ca_file"]).parent
    assert folder.is_relative_to(Path(tempfile.gettempdir()).resolve())
    assert (folder.stat().st_mode & 0o077, Path(line["private_key_file"]).stat().st_mode & 0o077) == (0, 0)
    process.send_signal(number)
    rest, errors = process.communicate(timeout=20)
    assert (process.returncode, rest) == (0, "")
    assert "Traceback" not in errors
    assert not folder.exists()


def test_it_stops_cleanly_in_the_middle_of_a_job(demo_data: Path, tmp_path: Path) -> None:
    faults = tmp_path / "faults.json"
    faults.write_text('[{"action": "slow_job", "seconds": 60, "match": {"object": "Contact"}}]')
    process = subprocess.Popen(
        [*COMMAND, "--data", str(demo_data), "--faults", str(faults), "--http", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = json.loads(process.stdout.readline())
    for name in ("Contact", *["Account"] * 5):
        requests.post(
            f"{line['http_url']}/services/data/v60.0/jobs/query",
            json={"operation": "query", "query": f"SELECT FIELDS(STANDARD) FROM {name}"},
            headers={"Authorization": f"Bearer {line['access_token']}"},
            timeout=10,
        )
    process.terminate()
    _, errors = process.communicate(timeout=20)
    assert (process.returncode, "Traceback" in errors) == (0, False), errors
    assert not Path(line["ca_file"]).parent.exists()


def bad_csv(folder: Path) -> list[str]:
    (folder / "Account.csv").write_bytes(b"Id,Name\n001000000000001AAA,\xff\xfe\n")
    return ["--data", str(folder)]


def bad_faults(folder: Path) -> list[str]:
    (folder / "faults.yaml").write_text("- action: explode\n")
    return ["--faults", str(folder / "faults.yaml")]


def no_data(folder: Path) -> list[str]:
    return ["--data", str(folder / "absent")]


def no_log_folder(folder: Path) -> list[str]:
    return ["--request-log", str(folder / "absent" / "log")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (bad_csv, "Account.csv"),
        (bad_faults, "fault 1"),
        (no_data, "absent"),
        (no_log_folder, "request log"),
    ],
)
def test_what_cannot_be_served_is_a_message(tmp_path: Path, arguments: object, message: str) -> None:
    assert callable(arguments)
    result = run(*arguments(tmp_path))
    assert result.returncode in (1, 2)
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_a_port_in_use_is_a_message() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = run("--port", str(taken.getsockname()[1]))
    assert result.returncode == 1
    assert "cannot be used" in result.stderr
    assert "--port" in result.stderr


def test_launch_says_why_it_did_not_start(tmp_path: Path) -> None:
    with pytest.raises(DemoOrgError, match="did not start") as error, launch_demo_org(tmp_path / "absent"):
        raise AssertionError("must not come up")
    assert "absent" in str(error.value)


def test_it_ends_with_the_process_that_launched_it() -> None:
    code = (
        "import sys, time\nfrom apps.demo_org.launch import launch_demo_org\n"
        "with launch_demo_org() as org:\n    print(org.pid, flush=True)\n    time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 15
    while _alive(pid):
        assert time.monotonic() < deadline, "the demo org outlives its parent"
        time.sleep(0.1)


def _alive(pid: int) -> bool:
    """Tell whether a process runs; a zombie nobody waits for does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


def test_help_lists_the_commands() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "apps.cli.main", "--help"], capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 0
    assert "demo-org" in result.stdout
