"""The small SQL every contract check shares: what columns there are, whether they fit, which keys are at fault.

Deciding which rules to run is the callers' (``extract.contract_check``, ``publish.invariants``).
"""

from collections.abc import Collection, Mapping

import duckdb

from data_contracts.checks import MOST_IDS, RuleFailure
from data_contracts.contracts import TableContract, quoted
from data_contracts.errors import ContractError
from data_contracts.rules import Rule, Severity
from pipelines.tables import table_columns

Failures = list[tuple[Severity, RuleFailure]]

#: DuckDB types that hold the same kind of value; the org's describe may give another width than the contract says.
FAMILIES = {
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL"), "number"),
    **dict.fromkeys(("TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "TIMESTAMP_S", "TIMESTAMP_MS"), "timestamp"),
}


def existing_columns(con: duckdb.DuckDBPyConnection, contract: TableContract) -> dict[str, str]:
    """Return column name → DuckDB type of the contract's table; raises ContractError when there is no such table."""
    found = table_columns(con, contract.name)
    if not found:
        raise ContractError(
            f"table {contract.name} is not in the warehouse",
            why="a step before has not written it",
            next_step="run: crosswalk sync --full",
        )
    return found


def schema_failures(contract: TableContract, columns: Mapping[str, str], rows: int, *, exact: bool) -> Failures:
    """Return what is wrong with the columns themselves: promised ones that are missing, types that differ.

    Not ``exact``: optional columns may be missing, and types differ only where they hold another kind of value.
    """
    failures: Failures = []
    for column in contract.columns:
        found = columns.get(column.name)
        if found is None and (exact or column.required or column.primary_key):
            told = "the contract promises the column, the table lacks it"
            failures.append(("error", RuleFailure("column_present", column.name, told, rows, rows)))
        elif found is not None and (found != column.type if exact else family(found) != family(column.type)):
            told = f"the contract promises {column.type}, the table has {found}"
            failures.append(("error", RuleFailure("column_type", column.name, told, rows, rows)))
    return failures


def family(kind: str) -> str:
    """Return what kind of value a DuckDB type holds, whatever its width."""
    name = kind.partition("(")[0].strip()
    return FAMILIES.get(name, kind)


def failing_ids(
    con: duckdb.DuckDBPyConnection, contract: TableContract, rule: Rule, relation: str, columns: Collection[str]
) -> tuple[str, ...]:
    """Return up to ten keys of the rows of ``relation`` at fault, the smallest ones; empty where there is no key."""
    personal = {column.name for column in contract.columns if column.personal}
    key = [column.name for column in contract.columns if column.primary_key and column.name in columns]
    if not key or personal & set(key):
        return ()
    text = f"concat_ws(' ', {', '.join(quoted(name) for name in key)})"
    where = f"{relation} WHERE {rule.failing()}" if rule.row_wise else _duplicates(rule, relation, key)
    found = con.sql(f"SELECT min(key, {MOST_IDS}) FROM (SELECT DISTINCT {text} AS key FROM {where})").fetchall()
    return tuple(str(value) for value in found[0][0] or ())


def _duplicates(rule: Rule, relation: str, key: Collection[str]) -> str:
    names = ", ".join(quoted(name) for name in rule.columns)
    listed = ", ".join(quoted(name) for name in dict.fromkeys((*key, *rule.columns)))
    return f"(SELECT {listed} FROM {relation} QUALIFY count(*) OVER (PARTITION BY {names}) > 1)"
