"""``crosswalk settings``: is ``crosswalk.yaml`` right, and what may stand in it."""

import json
from typing import Any

import click

from apps.cli.mirror import described_fields, open_mirror
from apps.cli.output import print_json
from apps.cli.thresholds import thresholds
from data_contracts.errors import SettingsError, WarehouseError
from data_contracts.mapping import ENTITY
from data_contracts.mapping_rules import resolve_mapping
from data_contracts.settings import Settings
from data_contracts.settings_file import SettingsFileError, load_settings, settings_path
from pipelines.extract.conditions import faults
from resources.home import Home


@click.group(name="settings")
def command() -> None:
    """Check the settings file, or show what may stand in it."""


command.add_command(thresholds)


@command.command(name="check")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
@click.pass_context
def check(context: click.Context, as_json: bool) -> None:
    """Check crosswalk.yaml, and its field mappings against the org as last mirrored.

    The exit code is 1 if anything is wrong.
    """
    file, named = settings_path()
    exists = named or file.exists()
    report: dict[str, Any] = {"file": str(file) if exists else None, "ok": True, "problems": [], "notes": []}
    try:
        settings = load_settings()
        report["hash"] = settings.hash()
        report["problems"] = check_selections(settings)
        found, report["notes"] = check_mappings(settings, Home.from_environment())
        report["problems"] += found
    except WarehouseError as error:
        report["notes"] = [f"field names were not checked: {error.what}; {error.why}"]
    except SettingsFileError as error:
        report["problems"] = [problem.as_dict() | {"text": str(problem)} for problem in error.problems]
    except SettingsError as error:
        report["problems"] = [{"text": str(error)}]
    report["ok"] = not report["problems"]
    if as_json:
        print_json(report)
    else:
        _tell(report)
    if not report["ok"]:
        context.exit(1)


@command.command(name="schema")
def schema() -> None:
    """Print the JSON Schema of crosswalk.yaml, for editors."""
    click.echo(json.dumps(Settings.model_json_schema(), indent=2, ensure_ascii=False))


def check_selections(settings: Settings) -> list[dict[str, Any]]:
    """Return what can be said against the selections without asking the org; ``crosswalk selection`` asks it."""
    return [
        {"text": f"{settings.where('objects', name, 'selection', 'condition')}: {fault}"}
        for name, item in settings.objects.items()
        if item.enabled and item.selection.mode == "condition"
        for fault in faults(item.selection.condition or "")
    ]


def check_mappings(settings: Settings, home: Home) -> tuple[list[dict[str, Any]], list[str]]:
    """Return what is wrong with the mappings and custom filters on the fields last mirrored, and notes."""
    problems: list[dict[str, Any]] = []
    notes: list[str] = []
    with open_mirror(home) as mirror:
        if mirror is None:
            return [], ["field names were not checked: nothing has been mirrored yet (crosswalk sync --full)"]
        for name in ENTITY:
            described = described_fields(mirror, name)
            if not described:
                continue
            try:
                notes += resolve_mapping(settings, name, described).notes
            except SettingsError as error:
                problems.append({"text": str(error)})
            missing = [item.field for item in settings.objects[name].custom_filters if item.field not in described]
            key = settings.where("objects", name, "custom_filters")
            problems += [{"text": f"{key}: the org has no field {field!r} on {name}"} for field in missing]
    return problems, notes


def _tell(report: dict[str, Any]) -> None:
    file = report["file"]
    for note in report["notes"]:
        click.echo(f"Note: {note}")
    if not report["ok"]:
        click.echo(f"{file}: {len(report['problems'])} to correct", err=True)
        for problem in report["problems"]:
            click.echo(f"  {problem['text']}", err=True)
        click.echo("Next: correct them, then run: crosswalk settings check", err=True)
    elif file:
        click.echo(f"{file} is right (hash {report['hash']}).")
    else:
        click.echo("There is no crosswalk.yaml; the defaults hold. Write a first one with: crosswalk init")
