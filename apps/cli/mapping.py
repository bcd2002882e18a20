"""``crosswalk mapping``: are the field mappings right, and what becomes of one real record."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, get_args

import click
import duckdb

from apps.cli.mirror import open_mirror
from apps.cli.org import connect_org
from apps.cli.output import print_json, print_table
from data_contracts.errors import WarehouseError
from data_contracts.mapping import Direction, MappedObject, effective_targets
from data_contracts.mapping_rules import OrgField, all_shape_problems, org_problems, resolve_mapping
from data_contracts.settings import Settings
from data_contracts.settings_file import load_settings
from pipelines.imports.mapping_fields import org_fields
from pipelines.imports.mapping_gate import current_hash, is_default, note_passed
from pipelines.imports.mapping_live import live_fields, live_record
from pipelines.imports.mapping_trial import MappingTrial, try_mapping
from pipelines.run import OBJECTS
from resources.home import Home
from resources.mapping_tests import MappingTests

DIRECTIONS: tuple[Direction, ...] = get_args(Direction)
_OBJECT = click.argument("object_name", metavar="[OBJECT]", type=click.Choice(OBJECTS), required=False)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of tables.")
_ORG = click.option("--org", "ask_org", is_flag=True, help="Ask the org now instead of the mirror.")


@click.group(name="mapping")
def command() -> None:
    """Check the field mappings, and try one on a real record."""


@dataclass(frozen=True)
class Validated:
    """The mappings of one object: rows for both directions, what is wrong, whether the imports' has been tested."""

    object: str
    hash: str
    tested: str
    rows: tuple[dict[str, Any], ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...]


@command.command(name="validate")
@_OBJECT
@_ORG
@_JSON
@click.pass_context
def validate(context: click.Context, object_name: MappedObject | None, ask_org: bool, as_json: bool) -> None:
    """Show both mappings of OBJECT (all: account, contact, lead) and what is wrong with them.

    The exit code is 1 if anything is.
    """
    settings = load_settings()
    tests = MappingTests.of(Home.from_environment())
    with _offered(settings, ask_org) as offered:
        found = [validated(settings, name, offered(name), tests) for name in _chosen(object_name)]
    ok = not any(item.problems for item in found)
    if as_json:
        print_json({"ok": ok, "objects": [asdict(item) for item in found]})
    else:
        for item in found:
            _show(item)
    if not ok:
        context.exit(1)


def validated(settings: Settings, name: MappedObject, fields: Mapping[str, OrgField], tests: MappingTests) -> Validated:
    """Return the mappings of an object on the fields of an org; without any only their shape is looked at."""
    mine = [found for found in all_shape_problems(settings) if found.key[2] == name]
    notes: list[str] = []
    if fields:
        for direction in DIRECTIONS:
            mine += org_problems(settings, name, direction, fields)
        if not mine:
            notes += resolve_mapping(settings, name, {item.name: item.type for item in fields.values()}).notes
    else:
        notes.append(f"{name}: fields were not checked, since nothing is mirrored yet; add --org to ask the org")
    digest = current_hash(settings, name)
    rows = tuple(
        {
            "direction": direction,
            "target": target.name,
            "from": target.choices,
            "mode": target.mode,
            "transform": target.transform,
            "required": target.required,
            "group": target.group,
            "by": "settings" if target.configured else "default",
        }
        for direction in DIRECTIONS
        for target in effective_targets(settings, name, direction)
    )
    told = tuple(str(item.error(settings)).replace("\n", "; ") for item in mine)
    return Validated(name, digest, _tested(settings, name, tests), rows, told, tuple(notes))


def _tested(settings: Settings, name: MappedObject, tests: MappingTests) -> str:
    test = tests.passed(name, current_hash(settings, name))
    if test is not None and test.by == "test":
        return f"tested {test.passed_at}"
    return "the default mapping, which needs no test" if is_default(settings, name) else "not tested"


def _show(item: Validated) -> None:
    for direction, arrow in (("imports", "Salesforce → reference"), ("exports", "reference → Salesforce")):
        cells = [
            (row["target"], row["from"], row["mode"], row["transform"], "yes" if row["required"] else "", row["by"])
            for row in item.rows
            if row["direction"] == direction
        ]
        title = f"{direction}.mapping.{item.object} ({arrow})"
        print_table(title, ("target", "from", "mode", "transform", "required", "by"), cells)
    for note in item.notes:
        click.echo(f"Note: {note}")
    for problem in item.problems:
        click.echo(f"Error: {problem}", err=True)
    click.echo(f"{item.object}: hash {item.hash}, {item.tested}.")
    if item.problems:
        click.echo("Next: correct crosswalk.yaml, then run: crosswalk mapping validate", err=True)
    elif item.tested == "not tested":
        click.echo(f"Next: crosswalk mapping test {item.object}")


@command.command(name="test")
@_OBJECT
@click.argument("record_id", metavar="[ID]", required=False)
@_ORG
@_JSON
@click.pass_context
def test(
    context: click.Context, object_name: MappedObject | None, record_id: str | None, ask_org: bool, as_json: bool
) -> None:
    """Take one real record through the import mapping of OBJECT and show it before and after; nothing of it is kept.

    Without ID the record that fills most of the mapping is taken. Only that the mapping has passed is noted, by its
    hash: a sync uses a changed mapping only then. The exit code is 1 if it has not passed.
    """
    settings, home = load_settings(), Home.from_environment()
    trials = []
    for name in _chosen(object_name):
        with _records(settings, home, name, record_id, ask_org) as con:
            trials.append(try_mapping(con, name, settings, record_id))
    tests = MappingTests.of(home)
    for trial in trials:
        if trial.passed:
            note_passed(tests, trial.object, trial.mapping_hash, trial.fields)
    if as_json:
        print_json({"ok": all(item.passed for item in trials), "tests": [_document(item) for item in trials]})
    else:
        for trial in trials:
            _tell(trial)
    if not all(trial.passed for trial in trials):
        context.exit(1)


def _chosen(object_name: MappedObject | None) -> tuple[MappedObject, ...]:
    return (object_name,) if object_name else OBJECTS


@contextmanager
def _offered(settings: Settings, ask_org: bool) -> Iterator[Any]:
    """Give a function: object → the fields the org offers, now or when it was last mirrored."""
    if ask_org:
        org = connect_org(settings)
        yield lambda name: live_fields(org, name)
        return
    with open_mirror(Home.from_environment()) as con:
        yield lambda name: org_fields(con, name) if con is not None else {}


@contextmanager
def _records(
    settings: Settings, home: Home, name: MappedObject, record_id: str | None, ask_org: bool
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give what holds the record: the warehouse, or with ``--org`` a database in memory."""
    if ask_org:
        with live_record(connect_org(settings), name, settings, record_id) as con:
            yield con
        return
    with open_mirror(home, private=True) as mirror:
        if mirror is None:
            raise WarehouseError(
                "there is no record to test with: nothing has been mirrored yet",
                next_step=f"test with a record of the org: crosswalk mapping test {name} --org",
            )
        yield mirror


def _document(trial: MappingTrial) -> dict[str, Any]:
    return asdict(trial) | {"passed": trial.passed}


def _tell(trial: MappingTrial) -> None:
    cells = [
        (
            *(row.target, row.won or row.choices, row.before, row.after, row.effect, row.reference),
            _mode(row.mode, row.kept),
        )
        for row in trial.rows
    ]
    if cells:
        columns = ("target", "from", "before", "after", "", "reference", "mode")
        print_table(f"{trial.object} {trial.salesforce_id} through its mapping", columns, cells)
    for note in trial.notes:
        click.echo(f"Note: {note}")
    for problem in trial.problems:
        click.echo(f"Error: {problem}", err=True)
    if trial.passed:
        click.echo(f"{trial.object}: passed; syncs use this mapping (hash {trial.mapping_hash}). Nothing was kept.")
    else:
        click.echo(f"{trial.object}: not passed; syncs do not use this mapping (hash {trial.mapping_hash}).", err=True)


def _mode(mode: str, kept: bool) -> str:
    return f"{mode}: the reference's stays" if kept else mode
