"""``crosswalk fields OBJECT``: the mapping picker, what the org offers and what is mapped to what."""

from dataclasses import asdict, dataclass

import click
import duckdb

from apps.cli.mirror import open_mirror
from apps.cli.output import print_json, print_table
from data_contracts.contracts import quoted
from data_contracts.errors import SettingsError, WarehouseError
from data_contracts.mapping import ENTITY
from data_contracts.mapping_rules import resolve_mapping
from data_contracts.settings import Settings
from data_contracts.settings_file import load_settings
from data_contracts.settings_words import nearest
from pipelines.tables import table_columns
from resources.home import Home


@dataclass(frozen=True)
class FieldRow:
    """One field of an object; ``fill_rate`` is the share of live records with a value, None if it is not mirrored."""

    field: str
    label: str | None
    type: str | None
    fill_rate: float | None
    mapped_to: tuple[str, ...]
    gone: bool


@click.command(name="fields")
@click.argument("object_name", metavar="OBJECT")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of a table.")
def command(object_name: str, as_json: bool) -> None:
    """List the fields of OBJECT (account, contact, lead, ...) with type, label, fill rate and what is mapped."""
    settings = load_settings()
    with open_mirror(Home.from_environment()) as con:
        if con is None:
            raise WarehouseError(
                "nothing has been mirrored yet, so no fields are known", next_step="run: crosswalk sync --full"
            )
        rows = list_fields(con, object_name, settings)
    if as_json:
        print_json({"object": object_name, "fields": [asdict(row) for row in rows]})
        return
    cells = [
        (row.field + (" (gone)" if row.gone else ""), row.label, row.type, _share(row), ", ".join(row.mapped_to))
        for row in rows
    ]
    print_table(f"Fields of {object_name}", ("field", "label", "type", "filled", "mapped to"), cells)


def list_fields(con: duckdb.DuckDBPyConnection, object_name: str, settings: Settings) -> list[FieldRow]:
    """Return the fields of an object as last described, mapped ones first.

    Raises SettingsError, with the nearest name, for an object that was never described.
    """
    described = bool(table_columns(con, "salesforce.field"))
    rows = (
        []
        if not described
        else con.execute(
            "SELECT field_name, label, type, gone_at IS NOT NULL FROM salesforce.field "
            "WHERE lower(replace(object_name, '_', '')) = ? ORDER BY field_name",
            [object_name.lower().replace("_", "")],
        ).fetchall()
    )
    if not rows:
        guess = nearest(object_name, list(settings.objects))
        raise SettingsError(
            f"no fields of {object_name!r} are known" + (f"; did you mean {guess}?" if guess else ""),
            why="the object is not mirrored",
            next_step="name it under objects in crosswalk.yaml, then run: crosswalk sync --full",
        )
    filled, mapped = _fill_rates(con, object_name), _mapped(settings, object_name, {row[0] for row in rows})
    found = [
        FieldRow(name, label, kind, filled.get(name), tuple(mapped.get(name, ())), bool(gone))
        for name, label, kind, gone in rows
    ]
    return sorted(found, key=lambda row: (not row.mapped_to, row.field))


def _fill_rates(con: duckdb.DuckDBPyConnection, object_name: str) -> dict[str, float]:
    names = [name for name in table_columns(con, f"salesforce.{object_name}") if not name.startswith("_")]
    if not names:
        return {}
    counts = ", ".join(f"count({quoted(name)})" for name in names)
    table = f"salesforce.{quoted(object_name)}"
    row = con.execute(f"SELECT count(*), {counts} FROM {table} WHERE NOT _is_deleted").fetchall()[0]
    return {name: count / row[0] for name, count in zip(names, row[1:], strict=True)} if row[0] else {}


def _mapped(settings: Settings, object_name: str, described: set[str]) -> dict[str, list[str]]:
    """Field → the targets it feeds, with the number of its choice where there are several.

    A mapping that names a field the org lacks must not keep this list from being read: it is how one is corrected.
    """
    name = next((item for item in ENTITY if item == object_name), None)
    if name is None:
        return {}
    rows = settings.imports.mapping.get(name, {}).values()
    wanted = {field for row in rows if row for field in row.sources}
    try:
        targets = resolve_mapping(settings, name, described | wanted).targets
    except SettingsError:
        targets = resolve_mapping(Settings(), name, described).targets
    found: dict[str, list[str]] = {}
    for target in targets:
        for choice, field in enumerate(target.sources, start=1):
            found.setdefault(field, []).append(f"{target.name} {choice}" if len(target.sources) > 1 else target.name)
    return found


def _share(row: FieldRow) -> str:
    return "–" if row.fill_rate is None else f"{row.fill_rate:.0%}"
