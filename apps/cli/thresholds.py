"""``crosswalk settings thresholds``: what other thresholds of ``matching`` would link, before they are set."""

from dataclasses import asdict

import click

from apps.cli.output import print_json, print_table
from apps.snapshot import open_snapshot
from data_contracts.errors import SettingsError
from data_contracts.settings import Thresholds
from data_contracts.settings_file import load_settings
from pipelines.resolve.preview import WANTED_PRECISION, Preview, Threshold, preview, suggested, sweep
from pipelines.resolve.sides import Object
from pipelines.run import OBJECTS
from resources.home import Home


@click.command(name="thresholds")
@click.option("--link", type=click.FloatRange(0, 1), help="A link threshold to try.")
@click.option("--review", type=click.FloatRange(0, 1), help="A review threshold to try.")
@click.option("--margin", type=click.FloatRange(min=0), help="A lead over the second candidate to try, in bits.")
@click.option("--object", "objects", multiple=True, type=click.Choice(OBJECTS), help="Only this object.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
def thresholds(
    link: float | None, review: float | None, margin: float | None, objects: tuple[Object, ...], as_json: bool
) -> None:
    """Say what thresholds link and how much of it is about wrong, on the candidates of the last run.

    With --link, --review or --margin: what that would change, compared with the settings as they are.
    """
    now = load_settings().matching.thresholds
    asked = {"link": link, "review": review, "ambiguity_margin": margin}
    tried = _thresholds(now, {key: value for key, value in asked.items() if value is not None})
    with open_snapshot(Home.from_environment()) as con:
        if tried is not None:
            _compare([preview(con, name, now, tried) for name in objects or OBJECTS], as_json)
        else:
            _show({name: sweep(con, name, now) for name in objects or OBJECTS}, now, as_json)


def _thresholds(now: Thresholds, asked: dict[str, float]) -> Thresholds | None:
    """Return the thresholds to try; None when none is asked for. Raises SettingsError where review is above link."""
    if not asked:
        return None
    values = now.model_dump() | asked
    if values["review"] > values["link"]:
        raise SettingsError(
            f"review {values['review']:g} is above link {values['link']:g}",
            why="what is linked without a person must be surer than what a person is asked about",
            next_step="give --review as well, at or below --link",
        )
    return Thresholds(**values)


def _compare(found: list[Preview], as_json: bool) -> None:
    if as_json:
        print_json(
            [
                asdict(item)
                | {"before": item.before.model_dump(), "after": item.after.model_dump(), "says": item.sentences()}
                for item in found
            ]
        )
        return
    for sentence in (text for item in found for text in item.sentences()):
        click.echo(f"{sentence}.")


def _show(swept: dict[str, list[Threshold]], now: Thresholds, as_json: bool) -> None:
    if as_json:
        rows = {name: [asdict(t) | {"precision": t.precision} for t in found] for name, found in swept.items()}
        print_json({name: {"thresholds": rows[name], "suggested": suggested(swept[name])} for name in swept})
        return
    for name, found in swept.items():
        if not any(threshold.records for threshold in found):
            click.echo(f"{name}: the model alone links nothing at any threshold.")
            continue
        _table(name, found, now)


def _table(name: str, swept: list[Threshold], now: Thresholds) -> None:
    rows = [
        (
            f"{t.link:g}{' (now)' if t.link == now.link else ''}",
            t.records,
            round(t.wrong, 1),
            None if t.precision is None else f"{t.precision:.1%}",
        )
        for t in swept
    ]
    print_table(f"{name}: links by the model alone", ["link at", "records", "about wrong", "right"], rows)
    found = suggested(swept)
    if found is not None:
        click.echo(f"{WANTED_PRECISION:.0%} are expected to be right from {found:g} on.")
