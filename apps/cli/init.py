"""``crosswalk init``: a first ``crosswalk.yaml`` for your org; it never overwrites one."""

import json
import os
from datetime import UTC, date, datetime
from pathlib import Path

import click

from apps.cli.output import print_json
from data_contracts.errors import SettingsError
from data_contracts.settings_file import load_settings, settings_path
from data_contracts.settings_schema import TITLE, settings_schema

#: What editors read beside the settings file, and the line that tells them.
SCHEMA_FILE = "crosswalk.schema.json"
_HEAD = f"""\
# yaml-language-server: $schema={SCHEMA_FILE}
# Crosswalk settings. Every key with its default: crosswalk.example.yaml. Check with: crosswalk settings check
# No secret belongs here; credentials come from SALESFORCE_* variables.
"""


@click.command(name="init")
@click.option("--instance-url", help="My Domain URL of the org, for example https://acme.my.salesforce.com")
@click.option("--reference-company", type=click.Path(path_type=Path), help="CSV or Parquet file of companies.")
@click.option("--reference-person", type=click.Path(path_type=Path), help="CSV or Parquet file of people.")
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="KIND.OURS=YOURS",
    help="A column of a reference file that is called otherwise, for example company.name=legal_name; repeatable.",
)
@click.option("--time-zone", default="America/New_York", show_default=True, help="IANA zone of the off-hours window.")
@click.option("--ask", is_flag=True, help="Ask for what is not given.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
def command(
    instance_url: str | None,
    reference_company: Path | None,
    reference_person: Path | None,
    columns: tuple[str, ...],
    time_zone: str,
    ask: bool,
    as_json: bool,
) -> None:
    """Write a first crosswalk.yaml, or the file CROSSWALK_CONFIG names, and its JSON Schema beside it for editors."""
    file, _ = settings_path()
    _refuse_existing(file)
    if ask:
        instance_url = instance_url or click.prompt("My Domain URL of the org", default="") or None
        reference_company = reference_company or _asked("companies")
        reference_person = reference_person or _asked("people")
    sources = {"company": reference_company, "person": reference_person}
    today = datetime.now(UTC).astimezone().date()
    text = first_settings(file, instance_url, sources, _column_map(columns), time_zone, today)
    _write(file, text)
    if as_json:
        print_json({"file": str(file), "hash": load_settings(file).hash()})
        return
    click.echo(f"Wrote {file}.")
    click.echo("Next: set SALESFORCE_AUTH and its credentials, then run: crosswalk preflight")
    click.echo("After the first sync crosswalk settings suggest proposes more, by what the org and the reference hold.")


def first_settings(
    file: Path,
    instance_url: str | None,
    sources: dict[str, Path | None],
    columns: dict[str, dict[str, str]],
    time_zone: str,
    today: date,
) -> str:
    """Return the text of a first settings file; a reference file must exist, and is named relative to ``file``."""
    lines = [_HEAD, "connection:"]
    lines.append(f"  instance_url: {json.dumps(instance_url)}" if instance_url else "  instance_url: null")
    lines += ["", "# The weekly full run falls on the weekday of set_up_on.", "objects:"]
    lines += [f"  {name}:\n    frequency: daily\n    set_up_on: {today}" for name in ("account", "contact", "lead")]
    lines += ["", "window:", f"  time_zone: {json.dumps(time_zone)}", "  opens: 20:00", "  closes: 06:00"]
    given = {kind: path for kind, path in sources.items() if path}
    if given:
        lines += ["", "reference:"]
    for kind, path in given.items():
        lines += [f"  {kind}:", f"    path: {json.dumps(_named_from(file, path), ensure_ascii=False)}"]
        if columns.get(kind):
            lines.append("    columns:")
            lines += [f"      {ours}: {json.dumps(yours)}" for ours, yours in columns[kind].items()]
    return "\n".join(lines) + "\n"


def _refuse_existing(file: Path) -> None:
    if file.exists():
        raise SettingsError(
            f"{file} exists and is not overwritten",
            next_step="edit it and run crosswalk settings check, or move it away first",
        )


def _asked(what: str) -> Path | None:
    answer = click.prompt(f"CSV or Parquet file of {what} (empty: none)", default="", show_default=False)
    return Path(answer) if answer else None


def _named_from(file: Path, path: Path) -> str:
    """The path as written in the settings: relative to their folder where it lies below it."""
    full = path.expanduser().resolve()
    if not full.is_file():
        raise SettingsError(
            f"there is no reference file {path}", next_step="correct the path and run crosswalk init again"
        )
    folder = file.resolve().parent
    return os.path.relpath(full, folder) if full.is_relative_to(folder) else str(full)


def _column_map(columns: tuple[str, ...]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for item in columns:
        ours, _, yours = item.partition("=")
        kind, _, name = ours.partition(".")
        if kind not in ("company", "person") or not name or not yours:
            raise SettingsError(f"--column {item!r} is not of the form company.name=legal_name")
        found.setdefault(kind, {})[name] = yours
    return found


def _write(file: Path, text: str) -> None:
    """Write the file and read it back; one that is not right does not stay."""
    try:
        with file.open("x", encoding="utf-8") as handle:
            handle.write(text)
    except OSError as error:
        raise SettingsError(f"cannot write {file}: {error.strerror}", next_step="choose another place") from error
    try:
        load_settings(file)
    except SettingsError:
        file.unlink()
        raise
    _write_schema(file.with_name(SCHEMA_FILE))


def _write_schema(file: Path) -> None:
    """Write the schema, in place of an earlier version's; a file of somebody else's stays."""
    if file.exists() and TITLE not in file.read_text(encoding="utf-8", errors="replace"):
        return
    file.write_text(json.dumps(settings_schema(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
