"""``crosswalk proposals export``: missing entities as CSV or Parquet, for the product that owns the reference."""

from pathlib import Path

import click
import duckdb

from apps.cli.output import print_json
from apps.snapshot import open_snapshot
from data_contracts.errors import CrosswalkError, WarehouseError
from data_contracts.settings_file import load_settings
from pipelines.imports.proposal_files import FORMATS, STATUSES, TABLE, write_proposals
from pipelines.tables import table_columns
from resources.home import Home
from resources.warehouse import Warehouse


@click.group(name="proposals")
def command() -> None:
    """Unmatched records worth creating in the reference (imports.creation_proposal)."""


@command.command(name="export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--format", "form", type=click.Choice(FORMATS), help="Default: by the ending of FILE.")
@click.option("--status", type=click.Choice((*STATUSES, "all")), default="accepted", help="Default: accepted.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document about the export.")
def export(file: Path, form: str | None, status: str, as_json: bool) -> None:
    """Write the proposals of the last run to FILE (.csv or .parquet), accepted ones unless --status says otherwise.

    They hold the real values: where the snapshot masks or leaves out some, the warehouse is read.
    """
    chosen = next((kind for kind in FORMATS if kind == (form or file.suffix.lower().lstrip("."))), None)
    if chosen is None:
        raise CrosswalkError(
            f"{file.name} does not say which kind of file it is",
            why="the ending is neither .csv nor .parquet",
            next_step=f"crosswalk proposals export {file.name} --format csv",
        )
    statuses = STATUSES if status == "all" else (status,)
    home = Home.from_environment()
    try:
        if _is_narrowed():
            with (
                home.lock("crosswalk proposals export"),
                Warehouse(home.warehouse, load_settings().limits.memory).connect() as con,
            ):
                _require(con)
                rows = write_proposals(con, file, chosen, mode=0o600, statuses=statuses)
        else:
            with open_snapshot(home) as con:
                rows = write_proposals(con, file, chosen, mode=0o600, statuses=statuses)
    except (OSError, duckdb.IOException) as error:
        reason = getattr(error, "strerror", None) or "the folder does not exist or cannot be written"
        raise CrosswalkError(f"cannot write {file}: {reason}", next_step="name another file") from error
    if as_json:
        print_json({"file": str(file), "format": chosen, "status": status, "proposals": rows})
    else:
        click.echo(f"{rows:,} proposals ({status}) in {file}.")


def _is_narrowed() -> bool:
    """Whether the snapshot may not have every value."""
    publish = load_settings().publish
    return publish.model_dump(exclude=_HARMLESS) != type(publish)().model_dump(exclude=_HARMLESS)


#: Settings of publishing that leave every value in the snapshot.
_HARMLESS = {"storage_version", "keep", "parquet"}


def _require(con: duckdb.DuckDBPyConnection) -> None:
    if not table_columns(con, TABLE):
        raise WarehouseError("there are no proposals yet", why="no run has ended", next_step="crosswalk sync --full")
