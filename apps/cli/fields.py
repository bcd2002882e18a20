"""``crosswalk fields OBJECT``: the mapping picker, what the org offers and what is mapped to what."""

from dataclasses import asdict

import click
from rich.markup import escape

from apps.cli.mirror import open_mirror
from apps.cli.org import connect_org
from apps.cli.output import print_json, print_table
from data_contracts.errors import SalesforceError, SettingsError, WarehouseError
from data_contracts.settings import Settings
from data_contracts.settings_file import load_settings
from data_contracts.settings_words import nearest
from pipelines.imports.mapping_picker import Offered, offered_by_mirror, offered_by_org
from resources.home import Home


@click.command(name="fields")
@click.argument("object_name", metavar="OBJECT")
@click.option("--org", "ask_org", is_flag=True, help="Ask the org now instead of the mirror.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of a table.")
def command(object_name: str, ask_org: bool, as_json: bool) -> None:
    """List the fields of OBJECT (account, contact, lead, ...): type, label, fill rate, what is mapped, whose it is.

    Fields of an installed package name it; they are grey where the package is not there any more.
    """
    settings = load_settings()
    rows = _now(object_name, settings) if ask_org else _mirrored(object_name, settings)
    if as_json:
        print_json({"object": object_name, "fields": [asdict(row) for row in rows]})
        return
    cells = [
        (
            *(_grey(row, _name(row)), _grey(row, row.label or ""), row.type, _share(row), ", ".join(row.mapped_to)),
            *(row.exported_from or "", _package(row)),
        )
        for row in rows
    ]
    columns = ("field", "label", "type", "filled", "mapped to", "exported from", "package")
    print_table(f"Fields of {object_name}", columns, cells)


def _mirrored(object_name: str, settings: Settings) -> list[Offered]:
    with open_mirror(Home.from_environment()) as con:
        if con is None:
            raise WarehouseError(
                "nothing has been mirrored yet, so no fields are known",
                next_step=f"run: crosswalk sync --full, or ask the org: crosswalk fields {object_name} --org",
            )
        rows = offered_by_mirror(con, object_name, settings)
    if not rows:
        guess = nearest(object_name, list(settings.objects))
        raise SettingsError(
            f"no fields of {object_name!r} are known" + (f"; did you mean {guess}?" if guess else ""),
            why="the object is not mirrored",
            next_step="name it under objects in crosswalk.yaml, then run: crosswalk sync --full",
        )
    return rows


def _now(object_name: str, settings: Settings) -> list[Offered]:
    try:
        return offered_by_org(connect_org(settings), object_name, settings)
    except SalesforceError as error:
        if error.status not in (400, 403, 404):
            raise
        guess = nearest(object_name, list(settings.objects))
        raise SettingsError(
            f"the org does not show an object {object_name!r} ({error.code})"
            + (f"; did you mean {guess}?" if guess else ""),
            why="it does not exist there, or the connected user may not read it",
            next_step="correct the name, or give the user's permission set Read on it",
        ) from error


def _name(row: Offered) -> str:
    return f"{row.field} (gone)" if row.gone else row.field


def _grey(row: Offered, text: str) -> str:
    return f"[dim]{escape(text)}[/dim]" if row.greyed else text


def _package(row: Offered) -> str:
    if row.package is None:
        return ""
    return _grey(row, f"{row.package}, not installed" if row.greyed else row.package)


def _share(row: Offered) -> str:
    return "–" if row.fill_rate is None else f"{row.fill_rate:.0%}"
