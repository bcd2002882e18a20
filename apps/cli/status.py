"""``crosswalk status``: the last published run, its figures, and when the next runs are due."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import click

from apps.cli.output import print_json, print_table
from apps.cli.sync import print_summary
from apps.snapshot import read_published
from data_contracts.settings import Settings
from data_contracts.settings_file import load_settings
from resources.home import Home
from schedules.window import next_opening, night_of, run_kind_for


@click.command(name="status")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of tables.")
def command(as_json: bool) -> None:
    """Show what was published last, and the next nights."""
    home = Home.from_environment()
    settings = load_settings()
    published = read_published(home)
    nights = next_runs(settings, datetime.now(UTC))
    if as_json:
        print_json({"published": asdict(published), "next_runs": nights})
        return
    took = (published.run.ended_at or published.published_at) - published.run.started_at
    print_summary(published, took.total_seconds(), home)
    click.echo(f"Published at {published.published_at:%Y-%m-%d %H:%M} UTC by a {published.run.trigger} run.")
    print_table(
        f"Next runs, {settings.window.time_zone} (schedules start switched off: turn them on in the Dagster UI)",
        ("opens", "full", "delta"),
        [(night["opens"], night["full"] or "–", night["delta"] or "–") for night in nights],
    )


def next_runs(settings: Settings, at: datetime, count: int = 14) -> list[dict[str, str]]:
    """Return the next ``count`` nights with the objects that are due in full and as a delta."""
    found: list[dict[str, str]] = []
    moment = at
    for _ in range(400):
        moment = next_opening(settings.window, moment)
        night = night_of(settings.window, moment)
        if night is not None:
            kinds = {name: run_kind_for(item, night) for name, item in settings.objects.items() if item.enabled}
            full, delta = (_named(kinds, wanted) for wanted in ("full", "delta"))
            if full or delta:
                local = moment.astimezone(settings.window.zone)
                found.append({"opens": f"{local:%a %Y-%m-%d %H:%M}", "full": full, "delta": delta})
        if len(found) == count:
            break
        moment += timedelta(minutes=1)
    return found


def _named(kinds: Mapping[str, str | None], wanted: str) -> str:
    names = [name for name, kind in kinds.items() if kind == wanted]
    return "all objects" if names and len(names) == len(kinds) else ", ".join(names)
