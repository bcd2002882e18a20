"""``make ui``: the Dagster UI on the org that ``CROSSWALK_CONFIG`` names, else on the demo with its org beside it.

Belongs here: starting what is needed, and leaving nothing behind. The demo's files are made by ``apps.demo``.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from apps.demo import prepare
from apps.demo_org.launch import launch_demo_org
from data_contracts.errors import CrosswalkError, SettingsError
from data_contracts.settings_file import load_settings, settings_path
from resources.home import Home
from schedules.launch import embedded_dagster_home, settle_embedded

WORKSPACE = Path(__file__).resolve().parents[1] / "workspace.yaml"
HOST, DEFAULT_PORT = "127.0.0.1", 3000
_STOP_SECONDS = 30
# Dagster points to `dg dev`, which is another package; nothing the person who types `make ui` could act on.
_QUIET = "ignore:Function `dev_command` is superseded"


def main() -> int:
    """Serve until interrupted; the port is DAGSTER_PORT, 3000 unless set."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    home = Home.from_environment()
    try:
        port = free_port(os.environ.get("DAGSTER_PORT", str(DEFAULT_PORT)))
        with org_to_show(home) as org:
            settle_embedded(home)
            return _serve(home, port, org)
    except KeyboardInterrupt:
        return 0
    except CrosswalkError as error:
        click.echo(f"Error: {error}", err=True)
        return 1


@contextlib.contextmanager
def org_to_show(home: Home) -> Iterator[Mapping[str, str]]:
    """Give the variables that lead to the org: one's own where ``CROSSWALK_CONFIG`` is set, else the demo's.

    Dagster's processes work in another folder than this one: what the variables name is made absolute. Raises
    SettingsError for settings with a mistake, which Dagster would show as a trace.
    """
    if os.environ.get("CROSSWALK_CONFIG"):
        load_settings()
        files = [name for name in os.environ if name.startswith("SALESFORCE_") and name.endswith(("_FILE", "_BUNDLE"))]
        named = {name: str(Path(os.environ[name]).expanduser().resolve()) for name in files if os.environ[name]}
        yield named | {"CROSSWALK_CONFIG": str(settings_path()[0].resolve())}
        return
    with launch_demo_org(prepare(home)) as server:
        yield server.environment()


def free_port(text: str) -> int:
    """Return the port ``text`` names; raises SettingsError when it is no port or something listens there."""
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise SettingsError(
            f"DAGSTER_PORT is {text!r}", why="a port is a number from 1 to 65535", next_step="DAGSTER_PORT=3000 make ui"
        )
    with socket.socket() as probe:
        # As a server does: the port of one that has just been stopped is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, int(text)))
        except OSError as error:
            raise SettingsError(
                f"port {text} cannot be used ({error.strerror})",
                why="another program, perhaps another Dagster UI, has it",
                next_step=f"stop it, or choose another port: DAGSTER_PORT={int(text) % 65535 + 1} make ui",
            ) from error
    return int(text)


def _serve(home: Home, port: int, org: Mapping[str, str]) -> int:
    """Run ``dagster dev`` until it ends or we are interrupted."""
    instance = embedded_dagster_home(home)
    environment = os.environ | org | {"DAGSTER_HOME": str(instance), "CROSSWALK_HOME": str(home.root)}
    environment["PYTHONWARNINGS"] = ",".join(filter(None, (os.environ.get("PYTHONWARNINGS"), _QUIET)))
    command = [sys.executable, "-m", "dagster", "dev", "-w", str(WORKSPACE), "-h", HOST, "-p", str(port)]
    # The queue says every five seconds that a run is in progress; the run's own lines say more.
    command += ["--log-level", "warning"]
    # Its own session: Ctrl-C reaches us alone, and we end webserver, daemon, code server and runs in order. Not in
    # the clone, whose dagster.yaml (the production instance) Dagster would warn about.
    process = subprocess.Popen(command, cwd=instance, env=environment, start_new_session=True)
    try:
        _announce(process, port, home)
        return process.wait()
    finally:
        _stop(process)


def _announce(process: subprocess.Popen[bytes], port: int, home: Home) -> None:
    """Say where the UI is once it answers."""
    while process.poll() is None and not _answers(port):
        time.sleep(0.2)
    if process.poll() is None:
        click.echo(f"Dagster UI: http://localhost:{port}/asset-groups (Ctrl-C stops it)", err=True)
        if not home.published.is_file():
            click.echo("Nothing has run yet: launch Jobs > weekly_full_sync > Launchpad > Launch Run.", err=True)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Interrupt Dagster; what is still there after half a minute is killed."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


if __name__ == "__main__":
    sys.exit(main())
