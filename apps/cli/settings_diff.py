"""``crosswalk settings diff RUN``: what the settings say otherwise than when a run had them."""

from dataclasses import asdict

import click
import duckdb

from apps.cli.mirror import open_mirror
from apps.cli.output import print_json, print_table
from data_contracts.errors import SettingsError, WarehouseError
from data_contracts.settings_file import load_settings
from pipelines.preflight.redact import safe_settings
from pipelines.tables import table_columns
from resources.home import Home
from resources.kept_settings import Difference, KeptSettings


@click.command(name="diff")
@click.argument("run", metavar="RUN")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of a table.")
def diff(run: str, as_json: bool) -> None:
    """Show what changed in the settings since RUN: its id or the beginning of it, or "last" for the last run.

    Secrets and static values are not kept: that they changed is told, and not what they were.
    """
    home, settings = Home.from_environment(), load_settings()
    with open_mirror(home, private=True) as con:
        if con is None:
            raise WarehouseError("there was no run yet", next_step="run: crosswalk sync --full")
        run_id, settings_hash = find_run(con, run)
    same = settings_hash == settings.hash()
    found = [] if same else KeptSettings.of(home).differences(settings_hash, settings, safe_settings(settings))
    if as_json:
        changes = [asdict(item) for item in found]
        print_json({"run": run_id, "before": settings_hash, "now": settings.hash(), "changes": changes})
    elif not found:
        click.echo(f"The settings are those of run {run_id} (hash {settings_hash}).")
    else:
        columns = ("key", "then", "now")
        print_table(f"Settings since run {run_id}", columns, [(item.key, *_told(item)) for item in found])


def find_run(con: duckdb.DuckDBPyConnection, wanted: str) -> tuple[str, str]:
    """Return id and settings hash of the one run that ``wanted`` means.

    Raises SettingsError where there is none, or more than one.
    """
    rows: list[tuple[str, str]] = []
    if table_columns(con, "ops.sync_run"):
        which = "TRUE" if wanted == "last" else "starts_with(run_id, $wanted)"
        rows = con.execute(
            f"SELECT run_id, settings_hash FROM ops.sync_run WHERE {which} ORDER BY started_at DESC",
            {} if wanted == "last" else {"wanted": wanted},
        ).fetchall()
    if wanted == "last" or any(run_id == wanted for run_id, _ in rows):
        rows = [row for row in rows if wanted in ("last", row[0])][:1]
    if len(rows) == 1:
        return rows[0]
    told = f"{len(rows)} runs begin with {wanted!r}" if rows else f"there is no run {wanted!r}"
    raise SettingsError(told, next_step="give the whole id (ops.sync_run has them), or last")


def _told(item: Difference) -> tuple[str, str]:
    if item.hidden:
        return "(not kept)", "another one"
    before, now = ("–" if value is None else str(value) for value in (item.before, item.now))
    return before, now
