"""``crosswalk selection``: what a selection would match, asked of the org before it is used."""

from dataclasses import asdict
from difflib import get_close_matches

import click

from apps.cli.org import connect_org
from apps.cli.output import print_json
from data_contracts.errors import SettingsError
from data_contracts.settings import Settings
from data_contracts.settings_file import load_settings
from pipelines.extract.conditions import Trial, try_selection


@click.group(name="selection")
def command() -> None:
    """Try a selection against the org; nothing is fetched."""


@command.command(name="validate")
@click.argument("object_name", metavar="OBJECT")
@click.option("--condition", help="A SOQL condition to try instead of the one in crosswalk.yaml.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
@click.pass_context
def validate(context: click.Context, object_name: str, condition: str | None, as_json: bool) -> None:
    """Count what OBJECT's selection matches, and show what Salesforce says against it.

    The exit code is 1 if a sync would refuse it.
    """
    settings = load_settings()
    name = _known(settings, object_name)
    trial = try_selection(connect_org(settings), settings, name, condition)
    if as_json:
        print_json({"ok": trial.usable, **asdict(trial)})
    else:
        _tell(trial)
    if not trial.usable:
        context.exit(1)


def _known(settings: Settings, wanted: str) -> str:
    by_lower = {name.lower(): name for name in settings.objects}
    if wanted.lower() in by_lower:
        return by_lower[wanted.lower()]
    near = get_close_matches(wanted.lower(), by_lower, n=1)
    raise SettingsError(
        f"{wanted!r} is not an object of the settings",
        why=f"did you mean {by_lower[near[0]]!r}?" if near else "it is not named under objects",
        next_step=f"use one of: {', '.join(settings.objects)}",
    )


def _tell(trial: Trial) -> None:
    for name, count in trial.members.items():
        click.echo(f"{name}: {count:,} records")
    if trial.matched is not None:
        limit = f"; the limit is {trial.cap:,}" if trial.cap is not None else ""
        click.echo(f"{trial.object}: {trial.matched:,} of {trial.records:,} records match{limit}.")
    for warning in trial.warnings:
        click.echo(f"Note: {warning}.")
    for problem in trial.problems:
        click.echo(f"Error: {problem}", err=True)
    if trial.condition and trial.position:
        click.echo(f"  {' '.join(trial.condition.split(chr(10)))}", err=True)
        click.echo(f"  {' ' * (trial.position - 1)}^", err=True)
    if trial.problems:
        click.echo(f"Next: correct objects.{trial.object}.selection, then run this command again", err=True)
