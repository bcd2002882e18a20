"""``crosswalk clear OBJECT``: remove an object's matches locally; Salesforce is never touched."""

import click

from apps.cli.output import print_json, print_table
from data_contracts.errors import WarehouseError
from data_contracts.settings_file import load_settings
from pipelines.clear import clear_matches, clearable
from pipelines.run import OBJECTS
from resources.home import Home
from resources.warehouse import Warehouse


@click.command(name="clear")
@click.argument("object_name", metavar="OBJECT", type=click.Choice(OBJECTS))
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document; needs --yes.")
def command(object_name: str, yes: bool, as_json: bool) -> None:
    """Remove matches, imports and ownership of OBJECT from the warehouse, after asking.

    Salesforce, the mirrored records and human decisions stay, and so does what is published until the next run, which
    builds it all again.
    """
    if as_json and not yes:
        raise click.UsageError("--json cannot ask: add --yes")
    name = next(item for item in OBJECTS if item == object_name)
    home, settings = Home.from_environment(), load_settings()
    if not home.warehouse.is_file():
        raise WarehouseError("there is nothing to clear: no warehouse yet", next_step="run: crosswalk sync --full")
    with (
        home.lock(f"crosswalk clear {name}"),
        Warehouse(home.warehouse, settings.limits.memory).connect() as con,
    ):
        if not yes and not _agreed(name, clearable(con, name)):
            click.echo("Nothing was removed.")
            return
        removed = clear_matches(con, name, settings)
    if as_json:
        print_json({"object": name, "removed": removed})
        return
    again = (
        "The next run builds them again: crosswalk sync"
        if settings.objects[name].enabled
        else f"They stay away until objects.{name}.enabled is true and a run has taken place"
    )
    click.echo(f"Removed {sum(removed.values()):,} rows of {name}. {again}.")


def _agreed(object_name: str, counts: dict[str, int]) -> bool:
    print_table(f"To be removed for {object_name}, here only", ("table", "rows"), list(counts.items()))
    return bool(counts) and click.confirm("Remove them? Salesforce is not touched", default=False)
