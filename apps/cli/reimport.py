"""``crosswalk reimport OBJECT [ID ...]``: import one record, one object or everything again, changed or not."""

import os
import time
from contextlib import closing
from typing import Any

import click

from apps.cli.output import print_json, print_table
from apps.cli.sync import require_enabled, run_sync
from apps.snapshot import open_snapshot
from data_contracts.settings_file import load_settings
from pipelines.imports.reimport import EVERYTHING, ask_again, full_id
from pipelines.run import OBJECTS
from resources.decisions import DecisionStore
from resources.home import Home

#: Changed values that are listed; the rest is counted.
SHOWN = 20


@click.command(name="reimport")
@click.argument("object_name", metavar="OBJECT", type=click.Choice((*OBJECTS, EVERYTHING), case_sensitive=False))
@click.argument("ids", metavar="[ID ...]", nargs=-1)
@click.option("--later", is_flag=True, help="Leave it to the next run instead of running now.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(object_name: str, ids: tuple[str, ...], later: bool, as_json: bool) -> None:
    """Read records of OBJECT (account, contact, lead, everything) from Salesforce again and import them anew.

    Without an ID all of the object. What turns out to be the same is not written, and is no change in imports.change.
    """
    home = Home.from_environment()
    names = OBJECTS if object_name == EVERYTHING else (object_name,)
    require_enabled(load_settings(), names)
    with closing(DecisionStore(home.decisions_url)) as store:
        asked = ask_again(store, object_name, ids, f"command line ({os.environ.get('USER') or os.getuid()})")
    told: dict[str, Any] = {"object": object_name, "ids": [full_id(text) for text in ids], "asked": asked}
    if later:
        _print_later(told, as_json)
        return
    began = time.monotonic()
    outcome = run_sync(home, full=False, objects=tuple(names))
    told |= {"run_id": outcome.run_id, "seconds": round(time.monotonic() - began, 1)}
    told |= _outcome(home, outcome.run_id, names, told["ids"])
    if as_json:
        print_json(told)
    else:
        _print_outcome(told)


def _outcome(home: Home, run_id: str, names: tuple[str, ...], ids: list[str]) -> dict[str, Any]:
    """What the run changed, and what the records asked for are now."""
    with open_snapshot(home) as con:
        changes = con.execute(
            "SELECT reference_id, field, old_value, new_value, object, salesforce_id, cause FROM imports.change "
            "WHERE run_id = ? ORDER BY sequence",
            [run_id],
        ).fetchall()
        records = []
        for name in names if ids else ():
            query = f"SELECT salesforce_id, data_status, reference_id FROM imports.{name}"
            records = con.execute(f"{query} WHERE list_contains(?, salesforce_id) ORDER BY 1", [ids]).fetchall()
    keys = ("reference_id", "field", "old_value", "new_value", "object", "salesforce_id", "cause")
    return {
        "changes": [dict(zip(keys, row, strict=True)) for row in changes],
        "records": [dict(zip(("salesforce_id", "data_status", "reference_id"), row, strict=True)) for row in records],
    }


def _print_later(told: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(told)
        return
    what = f"{len(told['ids'])} records of {told['object']}" if told["ids"] else told["object"]
    known = "" if told["asked"] else " (it was asked for already)"
    click.echo(f"The next run imports {what} again{known}: crosswalk sync")


def _print_outcome(told: dict[str, Any]) -> None:
    if told["records"]:
        rows = [list(row.values()) for row in told["records"]]
        print_table(f"{told['object']} as imported now", ("record", "data status", "entity"), rows)
    missing = sorted(set(told["ids"]) - {row["salesforce_id"] for row in told["records"]})
    if missing:
        click.echo(f"Not imported: {', '.join(missing)}. Deleted, outside the selection, or no {told['object']}.")
    changes = told["changes"]
    if changes:
        rows = [[row[key] for key in ("reference_id", "field", "old_value", "new_value", "cause")] for row in changes]
        print_table("changed values", ("entity", "field", "before", "now", "cause"), rows[:SHOWN])
    click.echo(f"Run {told['run_id']}: {len(changes):,} values changed, {told['seconds']:,.1f} seconds.")
