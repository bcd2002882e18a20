"""``crosswalk review`` as a process: the line it prints, the page it serves, its end, what it says of what is wrong."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner

from apps.cli.review import command
from apps.review.passwords import verify
from tests.support.review_site import PASSWORD, Person, csrf_of, hashed

ROOT = Path(__file__).resolve().parents[3]


def start(folder: Path, *options: str) -> "subprocess.Popen[str]":
    environment = os.environ | {
        "CROSSWALK_HOME": str(folder / "home"),
        "CROSSWALK_CONFIG": str(folder / "settings.yaml"),
    }
    arguments = [sys.executable, "-m", "apps.cli.main", "review", *options]
    return subprocess.Popen(
        arguments,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A background job of a shell ignores SIGINT and hands that down; a terminal's Ctrl-C is taken.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def test_it_serves_until_it_is_told_to_end_and_its_log_holds_no_secret(tmp_path: Path) -> None:
    (tmp_path / "settings.yaml").write_text(
        json.dumps({"review": {"accounts": [{"name": "ann", "role": "admin", "password_hash": hashed()}]}})
    )
    process = start(tmp_path, "--port", "0", "--json")
    assert process.stdout
    ready = json.loads(process.stdout.readline())
    ann = Person(ready["url"])
    assert ann.sign_in("ann", "not the password").status_code == 401
    assert ann.sign_in("ann", PASSWORD).status_code == 303
    # Nothing is published yet, and it says what to do.
    assert "crosswalk sync --full" in ann.get("/queue?text=Private+Person").text
    token = csrf_of(ann.get("/help").text)
    process.send_signal(signal.SIGINT)
    _, log = process.communicate(timeout=20)
    assert process.returncode == 0
    assert ready["sign_in"] is None
    assert "sign-in failed" in log
    cookies = [cookie.value or "?" for cookie in ann.browser.cookies]
    assert [secret for secret in (PASSWORD, hashed(), token, "Private", *cookies) if secret in log] == []
    assert "Traceback" not in log
    with pytest.raises(requests.ConnectionError):
        ann.get("/help")


def test_an_address_that_is_not_safe_is_refused_with_a_message(tmp_path: Path) -> None:
    (tmp_path / "settings.yaml").write_text("review: {port: 0}\n")
    process = start(tmp_path, "--host", "0.0.0.0")
    out, log = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "unencrypted" in log
    assert "Next: serve at 127.0.0.1 behind a proxy" in log
    assert "Traceback" not in out + log


def test_a_hash_is_made_from_a_password_that_is_not_shown() -> None:
    ran = CliRunner().invoke(command, ["--hash-password"], input=f"{PASSWORD}\n{PASSWORD}\n")
    assert ran.exit_code == 0
    assert PASSWORD not in ran.output
    assert verify(PASSWORD, ran.output.strip().splitlines()[-1])
