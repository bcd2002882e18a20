"""``crosswalk settings check``: is ``crosswalk.yaml`` right by itself, on the mirror, and with ``--org`` in the org."""

from collections.abc import Iterable
from typing import Any

import click

from apps.cli.mirror import open_mirror
from apps.cli.org import connect_org
from apps.cli.output import print_json
from data_contracts.errors import CrosswalkError, WarehouseError
from data_contracts.mapping import ENTITY, effective_targets, on_described
from data_contracts.mapping_rules import Fault
from data_contracts.settings import Settings
from data_contracts.settings_file import SettingsFileError, load_settings, settings_path
from pipelines.imports.mapping_fields import org_fields
from pipelines.preflight.queues import unnamed_queues
from pipelines.preflight.settings_check import check_in_org, condition_faults, field_faults, file_faults
from resources.home import Home


@click.command(name="check")
@click.option("--org", "ask_org", is_flag=True, help="Look in the org too: objects, fields, lists, reports, counts.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
@click.pass_context
def check(context: click.Context, ask_org: bool, as_json: bool) -> None:
    """Check crosswalk.yaml, and what it says of fields against the org as last mirrored, or now.

    The exit code is 1 if anything is wrong.
    """
    file, named = settings_path()
    exists = named or file.exists()
    report: dict[str, Any] = {"file": str(file) if exists else None, "ok": True, "problems": [], "notes": []}
    try:
        settings = load_settings()
        report["hash"] = settings.hash()
        report["problems"] = shown(settings, [*condition_faults(settings), *file_faults(settings)])
        found, report["notes"] = _in_org(settings) if ask_org else on_mirror(settings, Home.from_environment())
        report["problems"] += found
        if not settings.connection.enabled:
            report["notes"].append("the whole integration is switched off: connection.enabled is false")
    except WarehouseError as error:
        report["notes"] = [f"field names were not checked: {error.what}; {error.why}"]
    except SettingsFileError as error:
        report["problems"] = [problem.as_dict() | {"text": str(problem)} for problem in error.problems]
    except CrosswalkError as error:
        report["problems"].append({"text": str(error)})
    report["ok"] = not report["problems"]
    if as_json:
        print_json(report)
    else:
        _tell(report)
    if not report["ok"]:
        context.exit(1)


def shown(settings: Settings, faults: Iterable[Fault]) -> list[dict[str, Any]]:
    """Return faults as the report has them: line, key, what is wrong, the nearest word, and all of it as one text."""
    return [
        {
            "line": settings.line_of(*fault.key),
            "key": ".".join(str(part) for part in fault.key),
            "message": fault.what,
            "nearest": fault.nearest,
            "text": str(fault.error(settings)).replace("\n", "; "),
        }
        for fault in faults
    ]


def on_mirror(settings: Settings, home: Home) -> tuple[list[dict[str, Any]], list[str]]:
    """Return what is wrong with mappings, filters and id fields on the fields last mirrored, and notes."""
    problems: list[dict[str, Any]] = []
    notes: list[str] = []
    with open_mirror(home) as mirror:
        if mirror is None:
            return [], ["field names were not checked: nothing has been mirrored yet (add --org to ask the org)"]
        for name in ENTITY:
            if fields := org_fields(mirror, name):
                problems += shown(settings, field_faults(settings, name, fields))
                notes += on_described(effective_targets(settings, name), fields, name).notes
        if told := unnamed_queues(mirror, settings):
            notes.append(f"objects.group: {told} (add group: {{}} below objects)")
    return problems, notes


def _in_org(settings: Settings) -> tuple[list[dict[str, Any]], list[str]]:
    found = check_in_org(connect_org(settings), settings)
    return shown(settings, found.faults), found.notes


def _tell(report: dict[str, Any]) -> None:
    file = report["file"]
    for note in report["notes"]:
        click.echo(f"Note: {note}")
    if not report["ok"]:
        click.echo(f"{file}: {len(report['problems'])} to correct", err=True)
        texts = [problem["text"] for problem in report["problems"]]
        for text in texts:
            click.echo("  " + text.replace("\n", "\n  "), err=True)
        if not any("Next: " in text for text in texts):
            click.echo("Next: correct them, then run: crosswalk settings check", err=True)
    elif file:
        click.echo(f"{file} is right (hash {report['hash']}).")
    else:
        click.echo("There is no crosswalk.yaml; the defaults hold. Write a first one with: crosswalk init")
