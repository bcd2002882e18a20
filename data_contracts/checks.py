"""What a check says (``CheckReport``), and the Great Expectations suite a table contract stands for.

Nothing is run here: batches are validated in ``pipelines.extract.contract_check``, whole tables in
``pipelines.publish.invariants``. Great Expectations takes seconds to import and is imported inside functions only.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from data_contracts.contracts import TableContract
from data_contracts.errors import ContractError
from data_contracts.expectations_library import great_expectations
from data_contracts.rules import Rule, Severity, rules_of

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite

#: Most ids a message names.
MOST_IDS = 10


@dataclass(frozen=True)
class RuleFailure:
    """One broken rule: how many of how many rows, and up to ten keys of them; never another value of a row."""

    rule: str
    column: str
    description: str
    failed_rows: int
    total_rows: int
    ids: tuple[str, ...] = ()

    def __str__(self) -> str:
        where = f" on {self.column}" if self.column else ""
        named = f", for example {', '.join(self.ids)}" if self.ids else ""
        return f"{self.rule}{where} ({self.description}): {self.failed_rows:,} of {self.total_rows:,} rows{named}"


@dataclass(frozen=True)
class CheckReport:
    """The outcome of all rules of one table; it passed when nothing blocking is broken."""

    table: str
    rows: int
    rules: int
    blocking_failures: tuple[RuleFailure, ...] = ()
    warnings: tuple[RuleFailure, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether what was checked may go on."""
        return not self.blocking_failures

    def raise_if_blocked(self) -> None:
        """Raise ContractError saying which rule, how many rows and up to ten ids, unless the check passed."""
        if self.passed:
            return
        raise ContractError(
            f"{self.table} breaks its contract: " + "; ".join(str(failure) for failure in self.blocking_failures),
            why="the rule is an error in its contract; the last published snapshot stays in place",
            next_step=f"correct the records named, or the rule in data_contracts/tables/"
            f"{self.table.replace('.', '/')}.odcs.yaml, then run: crosswalk sync",
        )

    def markdown(self) -> str:
        """Return the failures as a Markdown table, blocking ones first; one line where there are none."""
        if not self.blocking_failures and not self.warnings:
            return f"{self.rules} rules hold on {self.rows:,} rows."
        lines = ["| severity | rule | column | rows | of | ids |", "|---|---|---|---|---|---|"]
        for severity, failures in (("error", self.blocking_failures), ("warning", self.warnings)):
            lines += [
                f"| {severity} | {f.rule}: {f.description} | {f.column} | {f.failed_rows:,} | {f.total_rows:,} "
                f"| {', '.join(f.ids)} |"
                for f in failures
            ]
        return "\n".join(lines)


def failure_of(rule: Rule, failed: float, rows: int, ids: tuple[str, ...]) -> tuple[Severity, RuleFailure]:
    """Return what to report of a broken ``rule``, with its severity."""
    return rule.severity, RuleFailure(rule.name, rule.column, rule.description, int(failed), rows, ids)


def report(
    contract: TableContract, rows: int, rules: int, failures: Collection[tuple[Severity, RuleFailure]]
) -> CheckReport:
    """Return the report of ``failures``, parted by severity."""
    return CheckReport(
        contract.name,
        rows,
        rules,
        tuple(failure for severity, failure in failures if severity == "error"),
        tuple(failure for severity, failure in failures if severity == "warning"),
    )


def expected_rules(contract: TableContract, present: Collection[str] | None = None) -> tuple[Rule, ...]:
    """Return the rules Great Expectations checks: on values, all of whose columns are ``present`` (default: all)."""
    names = contract.column_types() if present is None else present
    on_values = ("nullValues", "invalidValues", "duplicateValues")
    return tuple(rule for rule in rules_of(contract) if rule.metric in on_values and set(rule.columns) <= set(names))


def gx_suite(contract: TableContract, present: Collection[str] | None = None) -> "ExpectationSuite":
    """Return the Great Expectations suite of ``contract``, one expectation per rule on values, in rule order.

    Each carries ``meta["rule"]`` (its place in ``expected_rules``), the severity (error is critical) and, for a bound
    in percent, ``mostly``. Columns that are not ``present`` (hidden by field-level security) bring no expectation.
    """
    gx = great_expectations()
    expectations = [_expectation(rule, position) for position, rule in enumerate(expected_rules(contract, present))]
    suite: ExpectationSuite = gx.ExpectationSuite(name=contract.name, expectations=expectations)
    return suite


def _expectation(rule: Rule, position: int) -> Any:
    gxe = great_expectations().expectations
    common: dict[str, Any] = {
        "meta": {"rule": position},
        "severity": "critical" if rule.severity == "error" else "warning",
    }
    if rule.metric == "duplicateValues" and len(rule.columns) > 1:
        return gxe.ExpectCompoundColumnsToBeUnique(column_list=list(rule.columns), ignore_row_if="never", **common)
    common |= {"column": rule.columns[0], "mostly": 1 - rule.bound / 100 if rule.percent else 1.0}
    if rule.metric == "duplicateValues":
        return gxe.ExpectColumnValuesToBeUnique(**common)
    if rule.metric == "nullValues":
        return gxe.ExpectColumnValuesToNotBeNull(**common)
    if rule.pattern:
        return gxe.ExpectColumnValuesToMatchRegex(regex=rule.pattern, **common)
    return gxe.ExpectColumnValuesToBeInSet(value_set=list(rule.values), **common)
