"""``make ui``: the Dagster UI on the demo, with the demo org running beside it so that runs can be started."""

import os
import subprocess
import sys
from pathlib import Path

import click

from apps.demo import prepare
from apps.demo_org.launch import launch_demo_org
from data_contracts.errors import CrosswalkError
from resources.home import Home
from schedules.launch import embedded_dagster_home

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Serve until interrupted; the port is DAGSTER_PORT, 3000 unless set."""
    home = Home.from_environment()
    port = os.environ.get("DAGSTER_PORT", "3000")
    try:
        org = prepare(home)
        with launch_demo_org(org) as server:
            environment = os.environ | server.environment() | {"DAGSTER_HOME": str(embedded_dagster_home(home))}
            environment["CROSSWALK_HOME"] = str(home.root)
            click.echo(f"Dagster UI: http://localhost:{port} (Ctrl-C stops it)", err=True)
            command = [sys.executable, "-m", "dagster", "dev", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", port]
            return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
    except KeyboardInterrupt:
        return 0
    except CrosswalkError as error:
        click.echo(f"Error: {error}", err=True)
        return 1


if __name__ == "__main__":
    sys.exit(main())
