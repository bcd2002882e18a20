"""``crosswalk settings suggest``: a settings file that fits what was mirrored, with the reason of every line."""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click
import duckdb

from apps.cli.mirror import open_mirror
from apps.cli.output import print_json
from data_contracts.errors import SettingsError, WarehouseError
from data_contracts.mapping import ENTITY
from data_contracts.settings_file import load_settings
from pipelines.imports.mapping_fields import org_fields
from pipelines.preflight.settings_check import condition_faults, field_faults
from pipelines.preflight.suggest import Proposal, suggestions
from resources.home import Home

_HEAD = """\
# Suggested from what the mirror and the reference hold. Copy what you want into crosswalk.yaml: connection, window and
# reference stay as you have them. A changed mapping is used once it has passed: crosswalk mapping test
"""
#: What a key that holds others says of itself.
_TITLES = {
    "objects": "by what the org holds",
    "custom_filters": "picklists and lookups beside ownership",
    "matching": "by the candidates of the last run",
    "thresholds": "crosswalk settings thresholds tries others",
    "reference_id_fields": "they already hold the id of an entity",
    "imports": "Salesforce → reference",
    "mapping": "beside the defaults (crosswalk mapping validate shows all)",
}
#: What a key says of itself by the key it stands under.
_BELOW = {"objects": "what is imported of it", "mapping": "targets of the reference"}


@click.command(name="suggest")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of YAML.")
def suggest(as_json: bool) -> None:
    """Propose objects, custom filters, thresholds and mappings as YAML, with a reason on every line.

    Counted on what was mirrored last; the org is asked nothing, and no file is written.
    """
    settings = load_settings()
    with open_mirror(Home.from_environment(), private=True) as con:
        if con is None:
            raise WarehouseError(
                "there is nothing yet to go by: nothing has been mirrored", next_step="run: crosswalk sync --full"
            )
        found = suggestions(con, settings)
        text = _HEAD + as_yaml(found)
        _check(con, text)
    if as_json:
        print_json([asdict(item) | {"key": ".".join(item.key)} for item in found])
    else:
        click.echo(text, nl=False)


def as_yaml(found: Sequence[Proposal]) -> str:
    """Return proposals as YAML, each line with its reason; keys of one parent stand together."""
    lines: list[str] = []
    before: tuple[str, ...] = ()
    for item in found:
        shared = next((at for at, (a, b) in enumerate(zip(before, item.key, strict=False)) if a != b), len(before))
        for depth in range(min(shared, len(item.key) - 1), len(item.key) - 1):
            name = item.key[depth]
            title = _TITLES.get(name) or _BELOW.get(item.key[depth - 1], "its choices")
            lines.append(f"{'  ' * depth}{name}: # {title}")
        lines += _line(item)
        before = item.key
    return "\n".join(lines) + "\n"


def _line(item: Proposal) -> list[str]:
    depth = len(item.key) - 1
    value = json.dumps(item.value, ensure_ascii=False)
    if isinstance(item.value, list) and item.value and isinstance(item.value[0], dict):
        # JSON is YAML, but {"field": "X"} is not how a person writes it.
        rows = [
            ", ".join(f"{key}: {json.dumps(text, ensure_ascii=False)}" for key, text in row.items())
            for row in item.value
        ]
        value = f"[{', '.join(f'{{{row}}}' for row in rows)}]"
    return [f"{'  ' * depth}{item.key[-1]}: {value} # {' '.join(item.reason.split())}"]


def _check(con: duckdb.DuckDBPyConnection, text: str) -> None:
    """Hold what is proposed to the settings' own check; raises SettingsError where it would not pass."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "suggested.yaml"
        file.write_text(text, encoding="utf-8")
        settings = load_settings(file)
    faults = [*condition_faults(settings)]
    for name in ENTITY:
        if fields := org_fields(con, name):
            faults += field_faults(settings, name, fields)
    if faults:
        raise SettingsError(
            f"what would be suggested does not pass its own check: {faults[0].error(settings)}",
            next_step="report this, with: crosswalk preflight --support-bundle",
        )
