"""``crosswalk sync``: Run Now, through Dagster, any time of day."""

import time
from collections.abc import Iterable
from dataclasses import asdict

import click

from apps.cli.output import print_json, print_table
from apps.snapshot import Published, read_published, read_stops
from data_contracts.errors import CrosswalkError, SettingsError, SwitchedOffError, WarehouseError
from data_contracts.settings import SWITCHED_OFF, Settings
from data_contracts.settings_file import load_settings
from resources.home import Home
from schedules.launch import RunOutcome, run_now


class SyncFailed(CrosswalkError):
    """The run ended without publishing."""


class SyncPaused(CrosswalkError):
    """The run stopped before publishing, kept what had landed, and goes on when it is run again."""

    transient = True
    #: EX_TEMPFAIL of sysexits.h: nothing is wrong, try again later.
    exit_code = 75


@click.command(name="sync")
@click.option("--full/--delta", default=True, help="Fetch everything (default), or only what changed since.")
@click.option("--object", "objects", multiple=True, metavar="NAME", help="Only this object; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of tables.")
def command(full: bool, objects: tuple[str, ...], as_json: bool) -> None:
    """Fetch, match and publish now, whatever the off-hours window says."""
    home = Home.from_environment()
    began = time.monotonic()
    outcome = run_sync(home, full=full, objects=objects)
    seconds = time.monotonic() - began
    published, untold = _figures(home)
    if as_json:
        figures = asdict(published) if published else None
        stops = [asdict(stop) for stop in read_stops(home)]
        document = {"seconds": round(seconds, 1), "outcome": asdict(outcome), "published": figures}
        print_json({**document, "stopped_imports": stops})
    elif published:
        print_summary(published, seconds, home)
    else:
        click.echo(f"Published: {home.published}. Its figures cannot be shown: {untold}.")
    if not as_json:
        print_stops(home)


def _figures(home: Home) -> tuple[Published | None, str]:
    """Return what was published, or why it cannot be told: the settings may keep the figures out of the snapshot."""
    try:
        return read_published(home), ""
    except WarehouseError as error:
        return None, error.why


def require_enabled(settings: Settings, objects: Iterable[str]) -> None:
    """Raise SettingsError for the first of these objects that is switched off."""
    for name in objects:
        if not settings.objects[name].enabled:
            raise SettingsError(
                f"object {name} is switched off",
                why=f"{settings.where('objects', name, 'enabled')} is false: its runs are stopped, "
                "and what it has stays as it is",
                next_step="set it to true in crosswalk.yaml, or name another object",
            )


def run_sync(home: Home, *, full: bool, objects: tuple[str, ...] = ()) -> RunOutcome:
    """Run the full or the delta job in this process.

    Raises SettingsError for an object the settings do not have, HomeBusyError while another run is on, SyncFailed with
    every message when the run fails, SyncPaused when it stopped for want of API requests.
    """
    from definitions import build_defs

    settings = load_settings()
    if not settings.connection.enabled:
        raise SwitchedOffError(
            f"{settings.where('connection', 'enabled')}: {SWITCHED_OFF}",
            why="somebody set it so; what is published stays as it is, and mappings and settings can still be checked",
            next_step="set connection.enabled: true, then run: crosswalk sync",
        )
    known = {name.lower(): name for name in settings.objects}
    for name in objects:
        if name.lower() not in known:
            raise SettingsError(
                f"there is no object {name!r}",
                why=f"the settings have {', '.join(sorted(settings.objects))}",
                next_step="crosswalk sync --object account, or add it below objects in crosswalk.yaml",
            )
    names = tuple(known[name.lower()] for name in objects)
    require_enabled(settings, names)
    # A run that is refused at its start would paint every table red in the Dagster UI: it is not begun.
    with home.lock("starting a sync"):
        pass
    outcome = run_now(build_defs(settings=settings), home, kind="full" if full else "delta", objects=names)
    if not outcome.success:
        told = "\n".join(outcome.failures) or "the run failed without a message"
        raise SyncFailed(
            f"run {outcome.run_id} failed; the last published snapshot is untouched\n{told}",
            next_step="mend what is named above, then run: crosswalk sync",
        )
    if outcome.paused:
        raise SyncPaused(
            f"run {outcome.run_id} is paused; the last published snapshot is untouched\n{outcome.paused}",
            next_step="crosswalk sync, later: it goes on from what has landed",
        )
    return outcome


def print_stops(home: Home) -> None:
    """Say on standard error which imports stand still; what they held is published all the same."""
    for stop in read_stops(home):
        click.echo(f"Warning: {stop}", err=True)
        click.echo(f"Next: {stop.next_step}", err=True)


def print_summary(published: Published, seconds: float, home: Home) -> None:
    """Print what the run did, per object."""
    rows = [
        (row.object, row.fetched, row.linked, row.in_review, row.unmatched, row.skipped, row.link_rate)
        for row in published.objects
    ]
    columns = ("object", "fetched", "linked", "in review", "unmatched", "skipped", "link rate")
    print_table(f"{published.run.kind} run {published.run.run_id}", columns, rows)
    click.echo(f"{published.api_calls:,} API calls, {seconds:,.1f} seconds. Published: {home.published}")
