"""Loading ``reference.company`` and ``reference.person``: the trusted side, whole and sound or not at all.

Opening files and databases is ``resources.reference_source``; what values mean to matching is ``standardize``.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import duckdb

from data_contracts.checks import MOST_IDS
from data_contracts.contracts import Column, TableContract, load_contract, quoted
from data_contracts.errors import ReferenceDataError
from data_contracts.settings import ReferenceSource
from pipelines.extract.forgotten import keep_entities_out
from pipelines.run import RunContext
from pipelines.tables import ensure_table, replace_table, scalar, transaction
from resources.home import Home
from resources.reference_source import SourceTable, nearest, open_reference

log = logging.getLogger(__name__)

Kind = Literal["company", "person"]

#: Of these columns one at least must be there: without a name nothing can be matched or shown.
NAME_COLUMNS: Mapping[str, tuple[str, ...]] = {"company": ("name",), "person": ("last_name", "first_name")}

INCOMING = "temp._reference_incoming"


@dataclass(frozen=True)
class ReferenceResult:
    """What one reference table holds now.

    ``rows`` = ``from_source`` + ``created`` (entities a person accepted, kept across loads). ``absent`` are canonical
    columns the source lacks; ``unreadable`` counts values that are no number or date, by column: they are empty.
    """

    kind: Kind
    source: str
    rows: int
    from_source: int
    created: int
    absent: tuple[str, ...] = ()
    unreadable: tuple[tuple[str, int], ...] = ()


def load_reference(
    con: duckdb.DuckDBPyConnection,
    kind: Kind,
    source: ReferenceSource | None,
    base_dir: Path,
    run: RunContext,
    *,
    home: Home | None = None,
) -> ReferenceResult:
    """Replace ``reference.<kind>`` by what ``source`` holds, in one transaction; None empties it.

    ``base_dir`` is the folder of the settings file; entities that were forgotten in ``home`` are left out. Values are
    kept as they are written (leading zeros too), empty text is NULL, numbers and dates are cast where they can be.
    Raises ReferenceDataError, with the previous rows in place, when the source cannot be read or its ids are missing or
    not unique.
    """
    contract = load_contract(f"reference.{kind}")
    if source is None:
        _, created = _swap(con, contract, None)
        return ReferenceResult(kind, "not configured", created, 0, created)
    with open_reference(con, source, base_dir) as opened:
        chosen = choose_columns(kind, contract, opened, source.columns)
        try:
            _stage(con, contract, opened, chosen)
        except duckdb.Error as error:
            raise opened.explain(error) from error
        what = opened.what
    _check(con, kind, what, chosen)
    if home is not None:
        keep_entities_out(con, home, kind, INCOMING, contract.columns[0].name)
    present = [column for column in _canonical(contract) if column.name in chosen]
    absent = tuple(column.name for column in _canonical(contract) if column.name not in chosen)
    unreadable = _unreadable(con, present)
    from_source, created = _swap(con, contract, present)
    log.info("reference.%s: %s rows from %s in run %s", kind, f"{from_source:,}", what, run.run_id)
    return ReferenceResult(kind, what, from_source + created, from_source, created, absent, unreadable)


def choose_columns(
    kind: Kind, contract: TableContract, opened: SourceTable, mapped: Mapping[str, str]
) -> dict[str, str]:
    """Return canonical column → column of the source: as mapped, else of the same name, whatever its case.

    Raises ReferenceDataError when the map names an unknown column on either side, or the id or a name is not there.
    """
    canonical = [column.name for column in _canonical(contract)]
    actual = {name.lower(): name for name in reversed(opened.columns)} | {name: name for name in opened.columns}
    for target, wanted in mapped.items():
        if target not in canonical:
            raise ReferenceDataError(
                f"reference.{kind}.columns: {target!r} is no column of a {kind}{nearest(target, canonical)}",
                why=f"canonical columns are: {', '.join(canonical)}",
                next_step="correct it in crosswalk.yaml: canonical column on the left, the source's on the right",
            )
        if wanted not in actual and wanted.lower() not in actual:
            raise _missing(f"column {wanted!r}, mapped to {target},", opened, wanted)
    chosen = {name: mapped.get(name, name) for name in canonical}
    found = {
        name: actual.get(wanted) or actual[wanted.lower()]
        for name, wanted in chosen.items()
        if wanted in actual or wanted.lower() in actual
    }
    if canonical[0] not in found:
        raise _missing(f"column {canonical[0]}, the id of a {kind},", opened, canonical[0])
    if not any(name in found for name in NAME_COLUMNS[kind]):
        raise _missing(f"column {' or '.join(NAME_COLUMNS[kind])}", opened, NAME_COLUMNS[kind][0])
    return found


def _canonical(contract: TableContract) -> list[Column]:
    return [column for column in contract.columns if column.name != "origin"]


def _missing(what: str, opened: SourceTable, wanted: str) -> ReferenceDataError:
    listed = f"its columns are: {', '.join(opened.columns[:40])}{nearest(wanted, opened.columns)}"
    if any(not name or "@" in name or name.replace("-", "").isdigit() for name in opened.columns):
        # The first line looks like a row: its values may be those of a person and are not repeated.
        listed = "its first line looks like data, not like the names of columns"
    return ReferenceDataError(
        f"reference {opened.what} has no {what.rstrip(',')}",
        why=listed,
        next_step="add the column, or map it under reference columns in crosswalk.yaml (canonical: yours)",
    )


def _stage(
    con: duckdb.DuckDBPyConnection, contract: TableContract, opened: SourceTable, chosen: Mapping[str, str]
) -> None:
    """Copy the chosen columns as text, so that every check looks at what was written, not at a cast of it."""
    relation = opened.relation(tuple(dict.fromkeys(chosen.values())))
    types = {row[0]: str(row[1]) for row in con.sql(f"DESCRIBE SELECT * FROM {relation}").fetchall()}
    values = ", ".join(f"{_as_text(source, types[source])} AS {quoted(name)}" for name, source in chosen.items())
    con.execute(f"CREATE OR REPLACE TEMP TABLE {INCOMING.partition('.')[2]} AS SELECT {values} FROM {relation}")


def _as_text(column: str, kind: str) -> str:
    name = quoted(column)
    if kind in ("DOUBLE", "FLOAT"):
        # pandas stores whole numbers beside blanks as floats: an id 7 must not become 7.0.
        return f"CASE WHEN {name} = trunc({name}) THEN {name}::DECIMAL(38, 0)::VARCHAR ELSE {name}::VARCHAR END"
    return f"CASE WHEN trim({name}::VARCHAR) <> '' THEN {name}::VARCHAR END"


def _check(con: duckdb.DuckDBPyConnection, kind: Kind, what: str, chosen: Mapping[str, str]) -> None:
    key = quoted(f"{kind}_id")
    names = [quoted(name) for name in NAME_COLUMNS[kind] if name in chosen]
    rows, ids, named = con.sql(
        f"SELECT count(*), count({key}), count(coalesce({', '.join(names)})) FROM {INCOMING}"
    ).fetchall()[0]
    if not rows:
        raise _unfit(what, "holds no rows", "loading it would take every link away")
    if ids < rows:
        raise _unfit(what, f"has no {kind}_id in {rows - ids:,} of {rows:,} rows", "every row needs its id")
    if not named:
        raise _unfit(what, f"has no name in any of its {rows:,} rows", "it was probably exported wrongly")
    twice = f"SELECT {key} AS key, count(*) AS n FROM {INCOMING} GROUP BY ALL HAVING n > 1"
    keys, listed = con.sql(f"SELECT count(*), min(key, {MOST_IDS}) FROM ({twice})").fetchall()[0]
    if keys:
        why = f"for example {', '.join(listed)}; one id stands for one {kind}"
        raise _unfit(what, f"has {keys:,} ids on more than one row", why)


def _unfit(what: str, told: str, why: str) -> ReferenceDataError:
    return ReferenceDataError(
        f"reference {what} {told}", why=why, next_step="correct the source, then run: crosswalk sync"
    )


def _cast(column: Column) -> str:
    name = quoted(column.name)
    if column.type == "DATE":
        return f"coalesce(TRY_CAST({name} AS DATE), TRY_CAST(try_strptime({name}, '%Y%m%d') AS DATE))"
    return name if column.type == "VARCHAR" else f"TRY_CAST({name} AS {column.type})"


def _unreadable(con: duckdb.DuckDBPyConnection, present: Sequence[Column]) -> tuple[tuple[str, int], ...]:
    typed = [column for column in present if column.type != "VARCHAR"]
    if not typed:
        return ()
    counts = [f"count(*) FILTER (WHERE {quoted(c.name)} IS NOT NULL AND {_cast(c)} IS NULL)" for c in typed]
    found = con.sql(f"SELECT {', '.join(counts)} FROM {INCOMING}").fetchall()[0]
    return tuple((column.name, int(count)) for column, count in zip(typed, found, strict=True) if count)


def _swap(con: duckdb.DuckDBPyConnection, contract: TableContract, present: Sequence[Column] | None) -> tuple[int, int]:
    """Put the staged rows in place of the old ones, in one transaction; return rows of the source and created ones.

    ``present`` are the staged columns, None where nothing is configured. Created rows stay, unless the source has
    their id now: then they are the source's.
    """
    key = quoted(contract.columns[0].name)
    with transaction(con):
        ensure_table(con, contract)
        taken = "" if present is None else f" AND {key} NOT IN (SELECT {key} FROM {INCOMING})"
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE _reference_created AS "
            f"SELECT * FROM {contract.relation} WHERE origin = 'created'{taken}"
        )
        replace_table(con, contract)
        from_source = 0
        if present is not None:
            values = ", ".join(f"{_cast(column)} AS {quoted(column.name)}" for column in present)
            insert = f"INSERT INTO {contract.relation} BY NAME SELECT {values}, 'source' AS origin FROM {INCOMING}"
            from_source = scalar(con, insert)
        created = scalar(con, f"INSERT INTO {contract.relation} BY NAME SELECT * FROM temp._reference_created")
    con.execute(f"DROP TABLE IF EXISTS {INCOMING}")
    con.execute("DROP TABLE IF EXISTS temp._reference_created")
    return from_source, created
