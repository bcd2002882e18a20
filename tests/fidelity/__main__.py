"""``make fidelity``: the official Salesforce CLI, jsforce and jsforce's own suite against a demo org of its own.

Belongs here: the order of things. Needs Node.js 20 or later and a network, for what is not yet in the cache.
"""

import sys
import tempfile
from pathlib import Path

from rich.console import Console

from apps.demo_org.launch import launch_demo_org
from tests.fidelity.jsforce_client import run_jsforce
from tests.fidelity.jsforce_suite import CLIENT, fetch_suite, run_suite
from tests.fidelity.npm import NotInstalled, install_jsforce, install_salesforce_cli
from tests.fidelity.org_data import add_fields, write_org
from tests.fidelity.report import Report
from tests.fidelity.sf_cli import run_salesforce_cli


def main() -> int:
    """Run all clients, each on a fresh org; 1 where one failed or could not be run."""
    report = Report()
    with tempfile.TemporaryDirectory(prefix="crosswalk-fidelity-") as folder:
        data = Path(folder) / "data"
        data.mkdir()
        write_org(data)
        for part in (_salesforce_cli, _jsforce, _suite):
            home = Path(folder) / part.__name__
            home.mkdir()
            try:
                part(data, home, report)
            except NotInstalled as error:
                report.not_run.append(f"{part.__name__.strip('_')}: {error}")
    return report.conclude(Console())


def _salesforce_cli(data: Path, home: Path, report: Report) -> None:
    installed = install_salesforce_cli()
    with launch_demo_org(data) as org:
        add_fields(org)
        run_salesforce_cli(installed, org, home, report)


def _jsforce(data: Path, home: Path, report: Report) -> None:
    installed = install_jsforce()
    with launch_demo_org(data) as org:
        add_fields(org)
        run_jsforce(installed, org, report)


def _suite(data: Path, home: Path, report: Report) -> None:
    installed, source = install_jsforce(), fetch_suite()
    with launch_demo_org(data) as org:
        add_fields(org)
        run_suite(installed, source, org, report)
    assert any(check.client == CLIENT for check in report.checks) or report.not_run


if __name__ == "__main__":
    sys.exit(main())
