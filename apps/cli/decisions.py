"""``crosswalk decisions import|export``: the decisions of people as CSV, to keep, to move or to make elsewhere."""

import os
import sys
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from apps.cli.output import print_json
from apps.snapshot import open_snapshot
from data_contracts.errors import CrosswalkError
from pipelines.review.decision_csv import read_decisions, write_decisions
from pipelines.review.unknown_pairs import unknown_pairs
from pipelines.run import OBJECTS
from resources.decisions import DecisionStore
from resources.decisions_acts import add_audit
from resources.decisions_transfer import import_decisions
from resources.home import Home


@click.group(name="decisions")
def command() -> None:
    """Bring the decisions of people in or out, as CSV."""


@command.command(name="export")
@click.argument("file", metavar="[FILE]", default="-")
@click.option("--object", "object_name", type=click.Choice(OBJECTS, case_sensitive=False), help="Of one object only.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document about the export (needs FILE).")
def export(file: str, object_name: str | None, as_json: bool) -> None:
    """Write every decision to FILE (default: standard output), those taken back too."""
    home = Home.from_environment()
    if as_json and file == "-":
        raise CrosswalkError("--json needs a FILE", why="the decisions themselves go to standard output")
    with closing(DecisionStore(home.decisions_url)) as store:
        decisions = store.decisions(object_name)
        add_audit(store, _user(), "export decisions", detail=f"{len(decisions)} rows")
    if file == "-":
        write_decisions(decisions, sys.stdout)
        return
    path = Path(file)
    try:
        with path.open("w", encoding="utf-8", newline="") as target:
            path.chmod(0o600)  # reasons may hold personal data
            count = write_decisions(decisions, target)
    except OSError as error:
        raise CrosswalkError(f"cannot write {path}: {error.strerror}", next_step="name another file") from error
    if as_json:
        print_json({"file": str(path), "decisions": count})
    else:
        click.echo(f"{count:,} decisions in {path}.")


@command.command(name="import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--decided-by", default="", metavar="NAME", help="Who decided, where the file does not say.")
@click.option("--check", is_flag=True, help="Check the file, import nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def import_(file: Path, decided_by: str, check: bool, as_json: bool) -> None:
    """Add the decisions of FILE; those that are there already are left alone. The next run replays them."""
    rows = read_decisions(file, decided_by=decided_by, now=datetime.now(UTC))
    home = Home.from_environment()
    warnings: list[str] = []
    if home.published.is_file():
        with open_snapshot(home) as con:
            warnings = unknown_pairs(con, rows)
    told: dict[str, object] = {"file": str(file), "rows": len(rows), "checked_only": check, "warnings": warnings}
    if not check:
        with closing(DecisionStore(home.decisions_url)) as store:
            told |= asdict(import_decisions(store, rows, _user()))
    if as_json:
        print_json(told)
        return
    for warning in warnings:
        click.echo(f"Warning: {warning}", err=True)
    if check:
        click.echo(f"{len(rows):,} decisions, none imported: --check.")
    else:
        click.echo(
            f"{told['added']:,} decisions added, {told['known']:,} known before, {told['withdrawn']:,} taken back."
        )


def _user() -> str:
    """Who does this, for the audit."""
    return f"command line ({os.environ.get('USER') or os.environ.get('LOGNAME') or os.getuid()})"
