"""``crosswalk status``: the last published run, API use, freshness and schema changes; ``outlook`` has the rest."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import click

from apps.cli.outlook import print_outlook, read_outlook
from apps.cli.output import print_json, print_table
from apps.cli.sync import print_stops, print_summary
from apps.snapshot import ApiUse, Freshness, Upkeep, read_published, read_stops, read_upkeep
from data_contracts.errors import WarehouseError
from data_contracts.settings import SWITCHED_OFF, Settings
from data_contracts.settings_file import load_settings
from resources.home import Home


@click.command(name="status")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of tables.")
def command(as_json: bool) -> None:
    """Show what was published last, how fresh it is, what it cost the org, and the next nights."""
    home = Home.from_environment()
    settings = load_settings()
    outlook = read_outlook(home, settings, datetime.now(UTC))
    try:
        published, upkeep = read_published(home), read_upkeep(home)
    except WarehouseError:
        # What went wrong, and when the next run comes, is to be seen all the more.
        print_json(outlook.document()) if as_json else print_outlook(outlook)
        raise
    if as_json:
        budget = settings.limits.api.model_dump()
        document = {"published": asdict(published), **asdict(upkeep), "budget": budget}
        stops = [asdict(stop) for stop in read_stops(home)]
        print_json({**document, **outlook.document(), "enabled": settings.connection.enabled, "stopped_imports": stops})
        return
    if not settings.connection.enabled:
        click.echo(f"Warning: {SWITCHED_OFF}.", err=True)
    took = (published.run.ended_at or published.published_at) - published.run.started_at
    print_summary(published, took.total_seconds(), home)
    print_stops(home)
    click.echo(f"Published at {published.published_at:%Y-%m-%d %H:%M} UTC by a {published.run.trigger} run.")
    _print_upkeep(upkeep, settings)
    print_outlook(outlook)


def _print_upkeep(upkeep: Upkeep, settings: Settings) -> None:
    click.echo(_api_line(upkeep.api, settings))
    now = datetime.now(UTC).replace(tzinfo=None)
    print_table(
        "Freshness: every change up to then is mirrored",
        ("object", "covered until (UTC)", "age", "not readable since"),
        [(item.object, *_fresh(item, now)) for item in upkeep.freshness],
    )
    if upkeep.schema_changes:
        print_table(
            "Latest changes of the org's fields",
            ("noticed (UTC)", "object", "field", "change", "what it means"),
            [
                (f"{item.detected_at:%Y-%m-%d %H:%M}", item.object, item.field, item.change, item.message)
                for item in upkeep.schema_changes
            ],
        )
    else:
        click.echo("No change of the org's fields since the first sync.")


def _api_line(api: ApiUse, settings: Settings) -> str:
    """Say what the run asked of the org against its budget, and how the org stood then."""
    budget = settings.limits.api
    if api.calls is None:
        return "API requests: not recorded for this run."
    expected = f", {api.estimated:,} estimated" if api.estimated is not None else ""
    line = f"API requests: {api.calls:,} of {budget.per_run:,} a run may send{expected}."
    if api.org_used is not None and api.org_allowed:
        share = api.org_used / api.org_allowed
        line += (
            f" The org had used {api.org_used:,} of {api.org_allowed:,} in 24 hours ({share:.0%}; "
            f"Crosswalk pauses at {budget.pause_at:.0%})."
        )
    return line


def _fresh(item: Freshness, now: datetime) -> tuple[str | None, str | None, str | None]:
    stale = f"{item.stale_since:%Y-%m-%d %H:%M}" if item.stale_since else None
    if item.covered_until is None:
        return None, None, stale
    hours = max(timedelta(), now - item.covered_until).total_seconds() / 3600
    age = f"{hours:.0f} h" if hours < 72 else f"{hours / 24:.0f} days"
    return f"{item.covered_until:%Y-%m-%d %H:%M}", age, stale
