"""``crosswalk approve``: what runs were stopped for changing too many links, and letting the next one through once."""

import getpass
from dataclasses import asdict

import click

from apps.cli.output import print_json
from data_contracts.errors import WarehouseError
from data_contracts.settings_file import load_settings
from pipelines.resolve.approval import Stop, approve, open_stops
from resources.home import Home
from resources.warehouse import Warehouse


@click.command(name="approve")
@click.argument("run_id", metavar="[RUN]", required=False)
@click.option("--by", metavar="NAME", help="Who approves; your account's name unless given.")
@click.option("--note", metavar="TEXT", help="Why, for those who read ops.link_approval.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(run_id: str | None, by: str | None, note: str | None, as_json: bool) -> None:
    """Let the next run change the links that stopped RUN; without RUN, list what waits.

    It goes through once, for the object it stopped at and those after it, and only if it changes about as many links as
    were shown. Nothing is changed by this command itself.
    """
    home, settings = Home.from_environment(), load_settings()
    if not home.warehouse.is_file():
        raise WarehouseError("nothing waits for approval: no warehouse yet", next_step="run: crosswalk sync --full")
    with home.lock("crosswalk approve"), Warehouse(home.warehouse, settings.limits.memory).connect() as con:
        who = by or getpass.getuser()
        stops = open_stops(con) if run_id is None else (approve(con, run_id, by=who, note=note),)
    if as_json:
        print_json([asdict(stop) for stop in stops])
    elif run_id is None:
        _list(stops)
    else:
        click.echo(f"Approved: {_told(stops[0])}\nThe next run makes these changes once: crosswalk sync")


def _list(stops: tuple[Stop, ...]) -> None:
    for stop in stops:
        state = f"approved by {stop.approved_by}" if stop.approved_by else f"crosswalk approve {stop.run_id}"
        click.echo(f"{stop.stopped_at:%Y-%m-%d %H:%M} UTC, run {stop.run_id}, {_told(stop)}\n  {state}")
    if not stops:
        click.echo("No run waits for approval.")


def _told(stop: Stop) -> str:
    return f"{stop.object}: {stop.changes:,} of {stop.links:,} links would change; {stop.summary}"
