"""Restoring a data directory into the org's database: one CSV per object, named by API name.

Belongs here: reading the files, typing their columns, defaults for what a file lacks. It is a restore: ids are
kept, nothing is validated; a value of the wrong type becomes null and is counted. Not here: single-record writes.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import duckdb

from apps.demo_org.store.currencies import read_currencies
from apps.demo_org.store.derived import DEFAULTED, DERIVED, PERSON_ACCOUNT_NAME
from apps.demo_org.store.errors import DataDirectoryError
from apps.demo_org.store.ids import make_id
from apps.demo_org.store.inference import EVIDENCE_COUNT, evidence_sql, infer
from apps.demo_org.store.schema import STANDARD_OBJECTS, Field, ObjectType, custom_object, standard_object
from apps.demo_org.store.text import identifier, literal

DEFAULT_USER_ID = make_id("005", 1)
DEFAULT_ORG_ID = make_id("00D", 1)
DEFAULT_PROFILE_ID = make_id("00e", 1)
#: Made-up ids of restored rows start after the few the store makes for itself.
FIRST_MADE = 1000
#: Stamps of rows that have none are spread over this year, never "now": a restore is no change.
_STAMP = "TIMESTAMP '2023-01-01' + to_seconds(CAST(hash(Id) % 31536000 AS BIGINT))"
_BOOLEAN = "CASE WHEN lower({0}) IN ('true', '1') THEN true WHEN lower({0}) IN ('false', '0') THEN false END"
_MAX_RECORD = 16 * 1024 * 1024


@dataclass(frozen=True)
class LoadIssue:
    """How many values of one field had the wrong type and became null."""

    object: str
    field: str
    count: int


def find_files(data_dir: Path) -> dict[str, Path]:
    """The directory's object files by API name; other files (a reference, a truth) are not ours."""
    if not data_dir.is_dir():
        raise DataDirectoryError(
            f"The data directory {data_dir} does not exist.",
            why="--data names a directory with one CSV per Salesforce object, such as Account.csv.",
            next_step="Give the path of an existing directory, or leave --data out for an empty org.",
        )
    standard = {name.lower(): name for name in STANDARD_OBJECTS}
    found = {}
    for path in sorted(data_dir.glob("*.csv")):
        if path.stem.lower() in standard:
            found[standard[path.stem.lower()]] = path
        elif path.stem.endswith("__c"):
            found[path.stem] = path
    return found


def read_header(path: Path) -> list[str]:
    """The column names of a CSV file."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            header = [name.strip() for name in next(csv.reader(stream), [])]
    except UnicodeDecodeError as error:
        raise _not_utf8(path) from error
    repeated = sorted({n for n in header if [h.lower() for h in header].count(n.lower()) > 1})
    if not header or not all(header) or repeated:
        what = f"repeats the column {repeated[0]}" if repeated else "has no header or an empty column name"
        raise DataDirectoryError(
            f"{path.name} {what}.",
            why="The first line must name each field once by its Salesforce API name.",
            next_step=f"Mend the first line of {path}.",
        )
    return header


def build_schema(files: dict[str, Path]) -> dict[str, ObjectType]:
    """Every object of the org, without the unknown columns of the files."""
    person = "Account" in files and "ispersonaccount" in (h.lower() for h in read_header(files["Account"]))
    objects = {name: standard_object(name, person_accounts=person) for name in STANDARD_OBJECTS}
    for number, name in enumerate(sorted(n for n in files if n.endswith("__c"))):
        objects[name] = custom_object(name, f"a{number // 62:01d}{_base62(number % 62)}")
    currencies = read_currencies(files)
    if currencies is None:
        del objects["CurrencyType"]
    else:
        currencies.add_fields(objects)
    return objects


def _base62(digit: int) -> str:
    return make_id("000", digit)[14]


def restore(con: duckdb.DuckDBPyConnection, kind: ObjectType, path: Path) -> list[LoadIssue]:
    """Fill the object's table from its file; unknown columns become fields first."""
    header = read_header(path)
    source = _source_sql(path, len(header))
    try:
        issues, rows_without_id = _survey(con, kind, header, source)
        con.execute(table_ddl(kind)).fetchall()
        con.execute(_insert_sql(kind, header, source, number_rows=rows_without_id)).fetchall()
    except duckdb.Error as error:
        raise _unreadable(path, error) from error
    _refuse_duplicate_ids(con, kind, path)
    return issues


def table_ddl(kind: ObjectType) -> str:
    """The statement that creates the object's empty table."""
    columns = ", ".join(f"{identifier(f.name)} {f.sql_type}" for f in kind.stored())
    return f"CREATE OR REPLACE TABLE {identifier(kind.name)} ({columns})"


def _source_sql(path: Path, width: int) -> str:
    columns = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(width))
    return (
        f"read_csv({literal(str(path))}, columns = {{{columns}}}, header = true, auto_detect = false, delim = ',', "
        f"quote = '\"', escape = '\"', nullstr = '', max_line_size = {_MAX_RECORD}, buffer_size = {2 * _MAX_RECORD})"
    )


def _survey(
    con: duckdb.DuckDBPyConnection, kind: ObjectType, header: list[str], source: str
) -> tuple[list[LoadIssue], bool]:
    """Infer unknown columns and count values of the wrong type, in one pass over the file."""
    unknown = [(i, name) for i, name in enumerate(header) if kind.find(name) is None and "." not in name]
    typed = [(i, f) for i, name in enumerate(header) if (f := kind.find(name)) and f.sql_type != "VARCHAR"]
    wanted = [e for i, _ in unknown for e in evidence_sql(f"c{i}")]
    wanted += [f"count(c{i}) - count({_typed(f, f'c{i}')})" for i, f in typed]
    ids = [i for i, name in enumerate(header) if name.lower() == "id"]
    wanted.append(f"count(*) - count(c{ids[0]})" if ids else "count(*)")
    row = con.sql(f"SELECT {', '.join(wanted)} FROM {source}").fetchall()[0]
    for n, (_, name) in enumerate(unknown):
        kind.add(infer(name, tuple(row[n * EVIDENCE_COUNT : (n + 1) * EVIDENCE_COUNT])))
    counts = row[len(unknown) * EVIDENCE_COUNT : -1]
    issues = [LoadIssue(kind.name, f.name, c) for (_, f), c in zip(typed, counts, strict=True) if c]
    return issues, bool(row[-1])


def _typed(field: Field, column: str) -> str:
    """SQL that turns text into the field's stored type, null where it does not convert."""
    if field.is_id:
        return f"id18({column})"
    if field.type == "boolean":
        return _BOOLEAN.format(column)
    if field.sql_type == "BIGINT":
        return f"TRY_CAST(TRY_CAST({column} AS DOUBLE) AS BIGINT)"
    if field.sql_type == "DOUBLE":
        return f"CASE WHEN isfinite(TRY_CAST({column} AS DOUBLE)) THEN TRY_CAST({column} AS DOUBLE) END"
    if field.type == "date":
        return f"TRY_CAST({column} AS DATE)"
    if field.type == "datetime":
        return f"timezone('UTC', TRY_CAST({column} AS TIMESTAMPTZ))"
    return column


def _insert_sql(kind: ObjectType, header: list[str], source: str, *, number_rows: bool) -> str:
    given = {f.name: _typed(f, f"c{i}") for i, name in enumerate(header) if (f := kind.find(name))}
    if number_rows:
        row = f"{FIRST_MADE} + row_number() OVER ()"
        made = f"made_id({literal(kind.key_prefix)}, {row})"
        given["Id"] = f"coalesce({given['Id']}, {made})" if "Id" in given else made
    inner = ", ".join(
        f"{given.get(f.name, f'CAST(NULL AS {f.sql_type})')} AS {identifier(f.name)}" for f in kind.stored()
    )
    outer = ", ".join(f"{_default(kind, f)} AS {identifier(f.name)}" for f in kind.stored())
    staged = f"(SELECT {inner} FROM {source})"
    for layer in (DEFAULTED, DERIVED):
        if layer.get(kind.name):
            staged = _with_derived(kind, staged, layer[kind.name], given)
    if kind.find("IsPersonAccount") and kind.name == "Account":
        staged = _with_derived(kind, staged, {"Name": PERSON_ACCOUNT_NAME}, given)
    return f"INSERT INTO {identifier(kind.name)} SELECT {outer} FROM {staged}"


def _with_derived(kind: ObjectType, staged: str, derived: dict[str, str], given: dict[str, str]) -> str:
    """Fill derived fields where the file has nothing; a person's Name follows its parts where it has them."""
    replaced = ", ".join(
        f"coalesce({identifier(name)}, {expression}) AS {identifier(name)}"
        if name in given and name != "Name"
        else f"coalesce({expression}, {identifier(name)}) AS {identifier(name)}"
        for name, expression in derived.items()
        if kind.find(name)
    )
    return f"(SELECT * REPLACE ({replaced}) FROM {staged})"


def _default(kind: ObjectType, field: Field) -> str:
    column = identifier(field.name)
    if field.type == "boolean":
        return f"coalesce({column}, false)"
    if field.name in ("OwnerId", "CreatedById", "LastModifiedById"):
        return f"coalesce({column}, '{DEFAULT_USER_ID}')"
    if field.name == "ProfileId" and kind.name == "User":
        return f"coalesce({column}, '{DEFAULT_PROFILE_ID}')"
    if field.name in ("CurrencyIsoCode", "DefaultCurrencyIsoCode"):
        corporate = next((p["value"] for p in field.describe["picklistValues"] if p["defaultValue"]), None)
        return f"coalesce({column}, {literal(corporate)})" if corporate else column
    if field.name in ("CreatedDate", "LastModifiedDate", "SystemModstamp"):
        order = {
            "CreatedDate": ("CreatedDate", "LastModifiedDate", "SystemModstamp"),
            "LastModifiedDate": ("LastModifiedDate", "SystemModstamp", "CreatedDate"),
            "SystemModstamp": ("SystemModstamp", "LastModifiedDate", "CreatedDate"),
        }[field.name]
        return f"coalesce({', '.join(n for n in order if kind.find(n))}, {_STAMP})"
    return column


def _refuse_duplicate_ids(con: duckdb.DuckDBPyConnection, kind: ObjectType, path: Path) -> None:
    table = identifier(kind.name)
    rows, ids = con.sql(f"SELECT count(*), count(DISTINCT Id) FROM {table}").fetchall()[0]
    if rows == ids:
        return
    twice = con.sql(f"SELECT Id FROM {table} GROUP BY Id HAVING count(*) > 1 ORDER BY Id LIMIT 3").fetchall()
    raise DataDirectoryError(
        f"{path.name} has {rows - ids} rows with an Id that another row has, such as {', '.join(r[0] for r in twice)}.",
        why="An org holds a record id once.",
        next_step=f"Remove the repeated rows of {path}.",
    )


def _not_utf8(path: Path) -> DataDirectoryError:
    return DataDirectoryError(
        f"{path.name} is not UTF-8 text.",
        why="It holds a byte that is no UTF-8 character; exports in Windows-1252 or UTF-16 do.",
        next_step=f"Save {path} as UTF-8, for example: iconv -f WINDOWS-1252 -t UTF-8.",
    )


def _unreadable(path: Path, error: duckdb.Error) -> DataDirectoryError:
    message = str(error)
    if "nicode" in message or "utf-8" in message.lower():
        return _not_utf8(path)
    first = next((line for line in message.splitlines() if line.strip()), "unknown")
    return DataDirectoryError(
        f"{path.name} cannot be read as CSV: {first[:200]}",
        why="Every record must have as many values as the header; values with commas, quotes or newlines are quoted.",
        next_step=f"Mend {path} and start the demo org again.",
    )
