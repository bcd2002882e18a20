"""What every asset module shares: keys, the run context, contract metadata and how a failure is shown."""

import errno
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import duckdb

from data_contracts.contracts import Column, TableContract, load_contract
from data_contracts.errors import CrosswalkError, WarehouseError
from pipelines.run import RunContext
from resources.wiring import CrosswalkResource, SyncResource, now

POOL = "warehouse"
"""The pool of every step that opens the warehouse; its limit is 1 (one writer)."""

OWNERS = ["team:data-engineering"]

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the system says where a file cannot grow."""

OBJECT_TAG = "crosswalk/object"
"""Tag of an asset that belongs to one Salesforce object."""


def key(name: str) -> dg.AssetKey:
    """Return the asset key of table ``schema.table``."""
    return dg.AssetKey(name.split("."))


def keys(names: Sequence[str]) -> list[dg.AssetKey]:
    """Return the asset keys of several tables."""
    return [key(name) for name in names]


def run_context(
    context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext,
    crosswalk: CrosswalkResource,
    sync: SyncResource,
    name: str = "",
) -> RunContext:
    """Return what the steps know of this run; ``name`` is the object, when the step has one."""
    run_id = run_id_of(context.run)
    record = context.instance.get_run_record_by_id(run_id)
    started = record.start_time if record else None
    return RunContext(
        run_id=run_id,
        kind=sync.kind_of(name),
        started_at=datetime.fromtimestamp(started, UTC) if started else now(),
        settings_hash=crosswalk.settings.hash(),
        trigger=sync.started_by(),
        window=sync.window_in_words(),
    )


def run_id_of(run: dg.DagsterRun) -> str:
    """Return the id under which a run's plan, rows and records stand.

    A run resumed from its failed step goes on with what its first attempt planned and loaded.
    """
    resumed = run.tags.get("dagster/is_resume_retry") == "true"
    return (run.root_run_id if resumed else None) or run.run_id


@contextmanager
def foreseeable() -> Iterator[None]:
    """Turn a foreseeable error into a Dagster failure that shows its message and nothing else.

    A DuckDB error quotes the value it choked on: its text must not reach the event log as it is.
    """
    try:
        yield
    except CrosswalkError as error:
        raise dg.Failure(description=str(error), allow_retries=error.transient) from None
    except duckdb.Error as error:
        raise dg.Failure(description=_told(error)) from None
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        raise dg.Failure(description=_no_room(error.strerror or "the disk is full")) from None


def _told(error: duckdb.Error) -> str:
    """Return what DuckDB said without the values it quotes, and what to do about it."""
    # From the first quote to the last one: a value may hold quotes itself.
    said = re.sub(r"(['\"]).*\1", "(…)", str(error).splitlines()[0])
    if isinstance(error, duckdb.IOException) or "not write file" in said or "No space" in said:
        return _no_room(said)
    return str(
        CrosswalkError(
            f"DuckDB {type(error).__name__}: {said}",
            why="a statement of Crosswalk's own failed; what it had not finished was undone",
            next_step="run: crosswalk sync; what to report if it happens again: crosswalk preflight --support-bundle",
        )
    )


def _no_room(said: str) -> str:
    return str(
        WarehouseError(
            f"a file of CROSSWALK_HOME cannot be written: {said}",
            why="the disk is full or over its quota; what was not finished is undone, the last snapshot stays",
            next_step="make room below CROSSWALK_HOME, then run: crosswalk sync",
        )
    )


def spec_arguments(name: str, *, group: str, kinds: Sequence[str] = ("duckdb",), owner: str = "") -> dict[str, Any]:
    """Return key, description, group, owners, kinds and column schema of a published table, from its contract.

    ``owner`` is the Salesforce object the table belongs to, when it belongs to one.
    """
    contract = load_contract(name)
    return {
        "key": key(name),
        "description": contract.description,
        "group_name": group,
        "owners": OWNERS,
        "kinds": set(kinds),
        "tags": {
            "personal-data": "true" if any(column.personal for column in contract.columns) else "false",
            **({OBJECT_TAG: owner} if owner else {}),
        },
        "metadata": {
            "dagster/relation_identifier": f"analytics.{name}",
            "dagster/column_schema": column_schema(contract.columns),
            "contract": dg.MetadataValue.path(contract_path(contract)),
        },
    }


def contract_path(contract: TableContract) -> str:
    """Return the path of the contract's file inside the project."""
    schema, table = contract.name.split(".")
    return f"data_contracts/tables/{schema}/{table}.odcs.yaml"


def column_schema(columns: Sequence[Column]) -> dg.TableSchema:
    """Return the Dagster column schema of contract columns; a part of a composite key is not unique by itself."""
    keys_of_one = sum(column.primary_key for column in columns) == 1
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=column.name,
                type=column.type,
                description=column.description,
                constraints=dg.TableColumnConstraints(
                    nullable=not (column.required or column.primary_key),
                    unique=column.unique or (column.primary_key and keys_of_one),
                ),
            )
            for column in columns
        ]
    )


def materialized(
    rows: int, metadata: Mapping[str, Any] | None = None, *, asset: str = ""
) -> dg.MaterializeResult[None]:
    """Return the result of one table: its row count and ``metadata``."""
    return dg.MaterializeResult(
        asset_key=key(asset) if asset else None, metadata={"dagster/row_count": rows, **(metadata or {})}
    )


def row_count(con: duckdb.DuckDBPyConnection, name: str) -> int:
    """Return the number of rows of table ``schema.table``."""
    return int(con.sql(f"SELECT count(*) FROM {load_contract(name).relation}").fetchall()[0][0])
