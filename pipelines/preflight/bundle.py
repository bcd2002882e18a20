"""``crosswalk preflight --support-bundle``: one zip with what a helper needs and nothing they must not see.

Figures, versions, names of objects and fields, messages of runs. No record, no token, no name or address of a person:
every file passes ``pipelines.preflight.redact`` on its way into the zip.
"""

import os
import platform
import shutil
import sys
import zipfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import duckdb

from data_contracts.errors import CrosswalkError, SettingsError
from data_contracts.settings import Settings
from pipelines.preflight.redact import TOLD, quoted_values, redactor, safe_settings
from pipelines.preflight.report import Report, as_json
from pipelines.tables import table_columns
from resources.home import Home
from resources.salesforce import TokenStore
from resources.warehouse import Warehouse

RUNS = 30
#: Tables of figures by run, with the columns that may hold more than figures and names left out.
TABLES: Mapping[str, tuple[str, ...]] = {
    "ops.sync_run": ("host", "process_id"),
    "ops.run_statistics": (),
    "ops.api_usage": (),
    "ops.schema_change": (),
}
_DISTRIBUTIONS = ("crosswalk", "duckdb", "dagster", "splink", "simple-salesforce", "requests", "pydantic", "pyarrow")
_FIELDS = (
    "SELECT object_name AS object, field_name AS field, type, length, gone_at IS NOT NULL AS gone "
    "FROM salesforce.field ORDER BY ALL"
)


def write_bundle(path: Path, home: Home, settings: Settings, report: Report, environ: Mapping[str, str]) -> list[str]:
    """Write the zip to ``path`` (mode 0600) and return the names of its files.

    Raises SettingsError where it cannot be written there. A warehouse that a run has open is left out, with a note.
    """
    record = TokenStore(home.root).record()
    names = {report.connection.username, report.connection.connected_by, *([record.username] if record else [])}
    clean = redactor(home.root, environ, names | quoted_values(settings))
    files: dict[str, Any] = {
        "README.txt": _README,
        "preflight.json": report.masked().document(),
        "settings.json": safe_settings(settings),
        "versions.json": _versions(),
        "environment.json": _environment(environ),
        "home.json": _home(home),
        **dict(_warehouse(home, settings)),
    }
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as out, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bundle:
            for name, content in files.items():
                bundle.writestr(name, _text(clean.tree(content)))
    except OSError as error:
        raise SettingsError(
            f"cannot write the support bundle to {path}: {error.strerror or error}",
            why="the folder is missing or this user may not write there",
            next_step="name another file: crosswalk preflight --support-bundle FILE",
        ) from error
    return list(files)


_README = """\
Support bundle of Crosswalk, written by `crosswalk preflight --support-bundle`.

preflight.json    what preflight found, with remedies; users' names masked
settings.json     the settings; secrets, addresses of sources, static values and quoted values of conditions removed
versions.json     Crosswalk, Python, libraries, operating system
environment.json  which variables are set; values only of those that hold no secret
home.json         sizes of the files of CROSSWALK_HOME, free disk space
describe.json     objects and fields: name, type, length
ops/*.json        the last 30 runs: how they ended, statistics, API use, schema changes

No records, no tokens, no names or e-mail addresses of people. Read it before you send it.
"""


def _text(content: Any) -> str:
    return content if isinstance(content, str) else as_json(content)


def _versions() -> dict[str, Any]:
    found = {}
    for name in _DISTRIBUTIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    system = {"system": platform.system(), "release": platform.release(), "machine": platform.machine()}
    return {"python": sys.version.split()[0], **system, "cpus": os.cpu_count(), "packages": found}


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    ours = sorted(name for name in environ if name.startswith(("CROSSWALK_", "SALESFORCE_", "DAGSTER_")))
    return {name: environ[name] if name in TOLD else "(set)" if environ[name] else "(empty)" for name in ours}


def _home(home: Home) -> dict[str, Any]:
    disk = shutil.disk_usage(home.root)
    landing = [file for file in home.landing.rglob("*") if file.is_file()]
    files = {
        file.relative_to(home.root).as_posix(): _size(file)
        for folder in (home.root, home.published.parent, home.models)
        for file in sorted(folder.iterdir())
        if file.is_file()
    }
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "disk_total": disk.total,
        "disk_free": disk.free,
        "bytes": files,
        "landing_files": len(landing),
        "landing_bytes": sum(_size(file) for file in landing),
    }


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        # A run that goes on beside us removed it.
        return 0


def _warehouse(home: Home, settings: Settings) -> Iterator[tuple[str, Any]]:
    """Yield the files that come from the warehouse, or one that says why there are none."""
    if not home.warehouse.is_file():
        yield "ops/none.txt", "There was no sync yet.\n"
        return
    try:
        with home.lock("crosswalk preflight"), Warehouse(home.warehouse, settings.limits.memory).connect() as con:
            yield "describe.json", _rows(con, _FIELDS) if table_columns(con, "salesforce.field") else []
            for table in TABLES:
                yield f"{table.replace('.', '/')}.json", _table(con, table)
    except (CrosswalkError, duckdb.Error) as error:
        yield "ops/unreadable.txt", f"{error}\n"


def _table(con: duckdb.DuckDBPyConnection, table: str) -> list[dict[str, Any]]:
    """Return the rows of the last runs, newest run first."""
    known = table_columns(con, table)
    if not known or not table_columns(con, "ops.sync_run"):
        return []
    kept = ", ".join(f'"{name}"' for name in known if name not in TABLES[table])
    # Names of tables and columns are ours.
    return _rows(
        con,
        f"SELECT {kept} FROM {table} WHERE run_id IN "
        f"(SELECT run_id FROM ops.sync_run ORDER BY started_at DESC LIMIT {RUNS}) ORDER BY ALL",
    )


def _rows(con: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    cursor = con.execute(sql)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
