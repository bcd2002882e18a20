"""Holding an extracted batch to its table's contract with Great Expectations, before it replaces anything.

Rules on values only; what needs the whole table is in ``pipelines.publish.invariants``. Great Expectations sees just
the columns the contract has rules for, in slices, and never yields ids: one small query per broken rule does.
"""

import logging
import warnings
from collections import Counter
from collections.abc import Iterator
from typing import Any

import duckdb

from data_contracts.checks import CheckReport, RuleFailure, expected_rules, failure_of, gx_suite, report
from data_contracts.contracts import TableContract, quoted
from data_contracts.errors import ContractError
from data_contracts.expectations_library import great_expectations
from data_contracts.rules import Rule, Severity
from pipelines.rule_sql import failing_ids, schema_failures

#: Rows Great Expectations holds in memory at a time. Slices are cut by a hash of the key, so that equal keys meet;
#: the target leaves room for uneven ones below 250,000.
SLICE_ROWS = 200_000


def validate_batch(con: duckdb.DuckDBPyConnection, contract: TableContract, relation: str) -> CheckReport:
    """Hold the rows of ``relation`` (a table, view or query in parentheses) to the rules of ``contract``.

    Missing required columns and types of another family block without looking at values. Raises ContractError when
    a rule cannot be evaluated: that is an error of ours or of the rule, not bad data.
    """
    columns = {name: str(kind) for name, kind, *_ in con.sql(f"DESCRIBE SELECT * FROM {relation}").fetchall()}
    rows = int(con.sql(f"SELECT count(*) FROM {relation}").fetchall()[0][0])
    failures: list[tuple[Severity, RuleFailure]] = schema_failures(contract, columns, rows, exact=False)
    rules = expected_rules(contract, columns)
    if not failures and rows:
        for position, failed in sorted(_expect(con, contract, relation, rules, columns, rows).items()):
            rule = rules[position]
            if not rule.holds(failed, rows):
                ids = failing_ids(con, contract, rule, relation, columns)
                failures.append(failure_of(rule, failed, rows, ids))
    return report(contract, rows, len(rules), failures)


def _expect(
    con: duckdb.DuckDBPyConnection,
    contract: TableContract,
    relation: str,
    rules: tuple[Rule, ...],
    columns: dict[str, str],
    rows: int,
) -> Counter[int]:
    """Return rows at fault by the rule's position, summed over slices."""
    gx = great_expectations()
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    context = gx.get_context(mode="ephemeral")
    # Its progress bars write to the terminal of whoever runs us, one per slice.
    context.variables.progress_bars = gx.data_context.types.base.ProgressBarsConfig(globally=False)
    suite = gx_suite(contract, columns)
    asset = context.data_sources.add_pandas("batch").add_dataframe_asset("rows")
    batch = asset.add_batch_definition_whole_dataframe("all")
    failed: Counter[int] = Counter()
    for frame in _slices(con, contract, relation, rules, columns, rows):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = batch.get_batch({"dataframe": frame}).validate(suite, result_format="SUMMARY")
        for outcome in result.results:
            failed[int(outcome.expectation_config.meta["rule"])] += _unexpected(contract, outcome)
    return failed


def _slices(
    con: duckdb.DuckDBPyConnection,
    contract: TableContract,
    relation: str,
    rules: tuple[Rule, ...],
    columns: dict[str, str],
    rows: int,
) -> Iterator[Any]:
    """Yield pandas frames of the columns the rules name, as text: rules speak of values as they are written."""
    needed = dict.fromkeys(column for rule in rules for column in rule.columns)
    projection = ", ".join(f"{quoted(name)}::VARCHAR AS {quoted(name)}" for name in needed)
    key = ", ".join(quoted(column.name) for column in contract.columns if column.primary_key and column.name in columns)
    count = -(-rows // SLICE_ROWS) if key else 1
    for position in range(count):
        where = f" WHERE hash({key}) % {count} = {position}" if count > 1 else ""
        yield con.sql(f"SELECT {projection} FROM {relation}{where}").to_arrow_table().to_pandas()


def _unexpected(contract: TableContract, outcome: Any) -> int:
    raised = outcome.exception_info or {}
    if raised.get("raised_exception") or any(
        isinstance(info, dict) and info.get("raised_exception") for info in raised.values()
    ):
        config = outcome.expectation_config
        raise ContractError(
            f"{config.type} on {config.kwargs.get('column', 'the key')} of {contract.name} could not be evaluated",
            why="Great Expectations failed on the rule itself; this says nothing about the data",
            next_step="correct the rule (pattern, values) in the table's contract",
        )
    return int((outcome.result or {}).get("unexpected_count", 0))
