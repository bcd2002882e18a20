"""``make demo``: a demo org, the weekly full sync through Dagster, and what it did."""

import csv
import os
import shutil
import sys
import time
from pathlib import Path

import click

from apps.cli.output import print_table
from apps.cli.sync import print_summary, run_sync
from apps.demo_org.generate import generate_demo
from apps.demo_org.launch import launch_demo_org
from apps.snapshot import read_published
from apps.truth import score
from data_contracts.errors import CrosswalkError
from pipelines.run import OBJECTS
from resources.home import Home

ACCOUNTS, SEED = 2_000, 20260101
SETTINGS = """\
# Written by `make demo`; every key is explained in crosswalk.example.yaml.
objects:
  account:
    set_up_on: 2026-01-05
    selection: {mode: all, lists: [%(lists)s]}
    opportunities: 1 year
    custom_filters: [{field: Industry}]
reference:
  company: {path: org/reference/company.csv}
  person: {path: org/reference/person.csv}
matching:
  reference_id_fields: {account: Reference_Company_Id__c}
"""
QUERY = (
    "SELECT owner_name, count(*) AS accounts, sum(open_amount) AS open_amount "
    "FROM ownership.account GROUP BY ALL ORDER BY accounts DESC LIMIT 5"
)


def demo_folder(home: Home) -> Path:
    """Return where the demo's org, reference, truth and settings lie."""
    return home.root / "demo"


def prepare(home: Home) -> Path:
    """Generate the demo's files once and return the folder of the org's CSV files."""
    folder = demo_folder(home)
    org = folder / "org"
    if not org.is_dir():
        # Beside its place first: an interrupted start leaves nothing that looks like a whole org.
        part = folder / "org.part"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        generate_demo(part, accounts=ACCOUNTS, seed=SEED)
        part.rename(org)
    settings = folder / "crosswalk.yaml"
    settings.write_text(SETTINGS % {"lists": ", ".join(_account_lists(org))})
    os.environ["CROSSWALK_CONFIG"] = str(settings)
    return org


def _account_lists(org: Path) -> list[str]:
    """Return the account lists that show everybody the same; "my accounts" would be the demo user's own."""
    with (org / "ListView.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["SobjectType"] == "Account"]
    return [row["DeveloperName"] for row in rows if "USING SCOPE MINE" not in row["Query"].upper()]


def main() -> int:
    """Run the demo; 1 with a message when it fails."""
    home = Home.from_environment()
    began = time.monotonic()
    # The demo runs on the embedded instance of its home, whatever else is installed on this machine.
    os.environ.pop("DAGSTER_HOME", None)
    try:
        org = prepare(home)
        click.echo(f"Demo org: {ACCOUNTS:,} accounts with their people, leads and opportunities.", err=True)
        with launch_demo_org(org, request_log=demo_folder(home) / "requests.jsonl") as server:
            os.environ.update(server.environment())
            run_sync(home, full=True)
        report(home, org, time.monotonic() - began)
    except CrosswalkError as error:
        click.echo(f"Error: {error}", err=True)
        return 1
    return 0


def report(home: Home, org: Path, seconds: float) -> None:
    """Print what the run did, how right it was, and what to try next."""
    print_summary(read_published(home), seconds, home)
    scores = [score(home.published, org / "truth" / f"{name}.csv", name) for name in OBJECTS]
    print_table(
        "Against the demo's known truth",
        ("object", "true links", "linked", "precision", "recall"),
        [(item.object, item.true_links, item.linked, item.precision, item.recall) for item in scores],
    )
    click.echo("Try next (or open the Dagster UI with: make ui):\n")
    file = os.path.relpath(home.published)
    click.echo(
        f"""  .venv/bin/python -c "import duckdb; print(duckdb.connect('{file}', read_only=True).sql('{QUERY}'))"\n"""
    )


if __name__ == "__main__":
    sys.exit(main())
