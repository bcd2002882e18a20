"""Holding a whole table of the warehouse to its contract with SQL: keys, links between tables, identities.

One pass answers every rule that a row fails by itself; each key and each ``type: sql`` rule is one more query.
"""

from typing import Any

import duckdb

from data_contracts.checks import MOST_IDS, CheckReport, failure_of, report
from data_contracts.contracts import TableContract, quoted
from data_contracts.errors import ContractError
from data_contracts.rules import Rule, rules_of
from pipelines.rule_sql import existing_columns, failing_ids, schema_failures


def check_invariants(con: duckdb.DuckDBPyConnection, contract: TableContract) -> CheckReport:
    """Hold the whole table to every rule of its contract.

    Columns a ``salesforce`` table may lack bring no rule. Raises ContractError when the table is missing or a rule's
    query cannot run: that is an error of ours or of the rule, not bad data.
    """
    columns = existing_columns(con, contract)
    failures = schema_failures(contract, columns, 0, exact=not contract.name.startswith("salesforce."))
    rules = [rule for rule in rules_of(contract) if all(column in columns for column in rule.columns)]
    row_wise = [rule for rule in rules if rule.row_wise]
    rows, *counts = _one_pass(con, contract, row_wise)
    for rule, failed in zip(row_wise, counts, strict=True):
        if not rule.holds(failed, rows):
            ids = failing_ids(con, contract, rule, contract.relation, columns)
            failures.append(failure_of(rule, failed, rows, ids))
    for rule in rules:
        if not rule.row_wise:
            measured, ids = _measure(con, contract, rule, rows)
            if not rule.holds(measured, rows):
                failures.append(failure_of(rule, measured, rows, ids))
    return report(contract, rows, len(rules), failures)


def _one_pass(con: duckdb.DuckDBPyConnection, contract: TableContract, rules: list[Rule]) -> list[int]:
    counts = [f"count(*) FILTER (WHERE {rule.failing()})" for rule in rules]
    query = f"SELECT {', '.join(['count(*)', *counts])} FROM {contract.relation}"
    return [int(value) for value in _query(con, contract, "the rules on values", query)]


def _measure(
    con: duckdb.DuckDBPyConnection, contract: TableContract, rule: Rule, rows: int
) -> tuple[float, tuple[str, ...]]:
    """Return the number a rule's bound is compared with and up to ten keys at fault."""
    if rule.metric == "rowCount":
        return rows, ()
    if rule.metric == "sql":
        found = _query(con, contract, f"rule {rule.name}", rule.query)
        keys = found[1] if len(found) > 1 else None
        return float(found[0] or 0), tuple(str(value) for value in (keys or ())[:MOST_IDS])
    names = ", ".join(quoted(name) for name in rule.columns)
    grouped = f"SELECT count(*) AS n FROM {contract.relation} GROUP BY {names} HAVING n > 1"
    found = _query(con, contract, f"rule {rule.name}", f"SELECT coalesce(sum(n), 0) FROM ({grouped})")
    failed = int(found[0])
    ids = failing_ids(con, contract, rule, contract.relation, contract.column_types()) if failed else ()
    return failed, ids


def _query(con: duckdb.DuckDBPyConnection, contract: TableContract, what: str, query: str) -> tuple[Any, ...]:
    try:
        found = con.sql(query).fetchall()
    except duckdb.Error as error:
        raise ContractError(
            f"{what} of {contract.name} could not be evaluated: {str(error).splitlines()[0]}",
            why="the query itself failed; this says nothing about the data",
            next_step="correct the rule in the table's contract",
        ) from error
    if len(found) != 1:
        raise ContractError(
            f"{what} of {contract.name} returned {len(found)} rows",
            why="a rule's query returns one row: the number compared and, if wanted, up to ten keys",
            next_step="correct the rule in the table's contract",
        )
    return tuple(found[0])
