"""Reading a reference table over a SQLAlchemy URL, streamed through Arrow into a temporary table.

DuckDB has no database scanner here, so rows come through Python in chunks. The password is never shown.
"""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import duckdb
import pyarrow as pa
import sqlalchemy as sa

from data_contracts.contracts import quoted
from data_contracts.errors import ReferenceDataError
from data_contracts.settings import ReferenceSource

#: Rows that pass through Python at a time.
CHUNK_ROWS = 100_000

TEMPORARY = "_reference_rows"

Opened = tuple[str, tuple[str, ...], Callable[[Sequence[str]], str]]


@contextmanager
def open_database(con: duckdb.DuckDBPyConnection, source: ReferenceSource) -> Iterator[Opened]:
    """Yield the name for messages, the columns, and a function that streams the columns asked for into DuckDB.

    Raises ReferenceDataError when a variable is not set, the driver is missing, nobody answers, or there is no such
    table.
    """
    url = database_url(source.url or "")
    what = f"{url.get_backend_name()} database {url.host + '/' if url.host else ''}{url.database or ''}"
    if not source.table:
        raise ReferenceDataError(
            f"reference {what} needs a table",
            why="a URL names a database, not a table",
            next_step="set table (schema.table) beside url in crosswalk.yaml",
        )
    try:
        engine = sa.create_engine(url)
    except (sa.exc.SQLAlchemyError, ImportError) as error:
        raise ReferenceDataError(
            f"reference {what} cannot be opened",
            why=f"there is no driver for {url.drivername!r}",
            next_step=f"install {getattr(error, 'name', None) or 'one'} into the environment of Crosswalk",
        ) from None
    try:
        schema, _, table = source.table.rpartition(".")
        columns = _columns(engine, schema or None, table, what)
        yield f"{what}, table {source.table}", columns, lambda names: _stream(con, engine, schema, table, names)
    except sa.exc.SQLAlchemyError as error:
        # The cause is not chained: drivers put the connection string into their errors.
        raise _failed(what, error, url) from None
    finally:
        engine.dispose()
        con.execute(f"DROP TABLE IF EXISTS temp.{TEMPORARY}")


def database_url(text: str) -> sa.URL:
    """Return ``text`` as a URL with every ``${NAME}`` replaced from the environment.

    In the user and password part a value is escaped, so that any character may be in it; ``postgresql`` means
    psycopg2. Raises ReferenceDataError naming a variable that is not set, never a value.
    """
    head, at, tail = text.rpartition("@")
    expanded = _expand(head, escape=True) + at + _expand(tail, escape=False)
    try:
        url = sa.make_url(expanded)
    except (sa.exc.ArgumentError, ValueError):
        raise ReferenceDataError(
            "the reference's url is not a SQLAlchemy URL",
            why="it looks like dialect://user:password@host/database; its value is not shown here",
            next_step="correct url under reference in crosswalk.yaml, or the variable it names",
        ) from None
    return url.set(drivername="postgresql+psycopg2") if url.drivername in ("postgresql", "postgres") else url


def _expand(text: str, *, escape: bool) -> str:
    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name not in os.environ:
            raise ReferenceDataError(
                f"the reference's url needs the variable {name}",
                why="it is not set in the environment",
                next_step=f"set {name}, then run the command again",
            )
        return quote(os.environ[name], safe="") if escape else os.environ[name]

    return re.sub(r"\$\{(\w+)\}", value, text)


def _columns(engine: sa.Engine, schema: str | None, table: str, what: str) -> tuple[str, ...]:
    inspector = sa.inspect(engine)
    try:
        return tuple(str(column["name"]) for column in inspector.get_columns(table, schema=schema))
    except sa.exc.NoSuchTableError:
        tables = [*inspector.get_table_names(schema=schema), *inspector.get_view_names(schema=schema)]
        raise ReferenceDataError(
            f"reference {what} has no table {table}",
            why=f"its tables and views are: {', '.join(sorted(tables)[:20]) or 'none'}",
            next_step="correct table (schema.table) under reference in crosswalk.yaml",
        ) from None


def _stream(con: duckdb.DuckDBPyConnection, engine: sa.Engine, schema: str, table: str, names: Sequence[str]) -> str:
    listed = ", ".join(f"{quoted(name)} VARCHAR" for name in names)
    con.execute(f"CREATE OR REPLACE TEMP TABLE {TEMPORARY} ({listed})")
    query: Any = sa.select(*(sa.column(name) for name in names)).select_from(sa.table(table, schema=schema or None))
    arrow = pa.schema([(name, pa.string()) for name in names])
    with engine.connect().execution_options(stream_results=True, max_row_buffer=CHUNK_ROWS) as connection:
        for rows in connection.execute(query).partitions(CHUNK_ROWS):
            columns = [pa.array([_text(value) for value in column], pa.string()) for column in zip(*rows, strict=True)]
            con.register("_reference_chunk", pa.Table.from_arrays(columns, schema=arrow))
            con.execute(f"INSERT INTO {TEMPORARY} SELECT * FROM _reference_chunk")
            con.unregister("_reference_chunk")
    return f"temp.{TEMPORARY}"


def _text(value: Any) -> str | None:
    """Return a database value as the text a CSV export of it would hold; whole floats without their fraction."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _failed(what: str, error: sa.exc.SQLAlchemyError, url: sa.URL) -> ReferenceDataError:
    told = str(getattr(error, "orig", None) or error).strip().splitlines() or [type(error).__name__]
    reason = told[0].replace(url.password, "***") if url.password else told[0]
    return ReferenceDataError(
        f"reference {what} could not be read",
        why=reason,
        next_step="check host, user, password and rights, then run the command again",
    )
