"""``crosswalk settings``: is ``crosswalk.yaml`` right, what may stand in it, what changed, what to try."""

import json

import click

from apps.cli.settings_check import check
from apps.cli.settings_diff import diff
from apps.cli.settings_suggest import suggest
from apps.cli.thresholds import thresholds
from data_contracts.settings_schema import settings_schema


@click.group(name="settings")
def command() -> None:
    """Check the settings file, show what may stand in it and what changed."""


for _part in (check, diff, suggest, thresholds):
    command.add_command(_part)


@command.command(name="schema")
def schema() -> None:
    """Print the JSON Schema of crosswalk.yaml, for editors."""
    click.echo(json.dumps(settings_schema(), indent=2, ensure_ascii=False))
