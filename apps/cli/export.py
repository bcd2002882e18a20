"""``crosswalk export parquet``: the published tables as Parquet files."""

from pathlib import Path

import click

from apps.cli.output import print_json
from pipelines.publish.parquet import export_parquet
from resources.home import Home


@click.group(name="export")
def command() -> None:
    """Write what is published in another format."""


@command.command(name="parquet")
@click.option(
    "--to", "target", type=click.Path(path_type=Path), help="Folder to write; published/parquet unless given."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def parquet(target: Path | None, as_json: bool) -> None:
    """Write every published table to SCHEMA/TABLE.parquet, in place of what an earlier export wrote.

    The files show what the snapshot shows, masks included. publish.parquet: true does it after every run.
    """
    home = Home.from_environment()
    with home.lock("crosswalk export"):
        done = export_parquet(home, target.resolve() if target else None)
    if as_json:
        print_json({"path": str(done.path), "tables": done.tables, "rows": done.rows, "run_id": done.run_id})
    else:
        click.echo(f"{done.tables} tables, {done.rows:,} rows of run {done.run_id} are in {done.path}")
        if target:
            click.echo("crosswalk forget does not reach files outside of the home: export anew after it.")
