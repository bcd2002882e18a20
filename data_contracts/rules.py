"""The rules a table contract holds its rows to, as plain data with the SQL that finds the rows at fault.

Rules come from the contract alone: those written under ``quality`` and those a column implies (not null, unique, enum).
Running them belongs to ``pipelines``; the Great Expectations suite is ``data_contracts.checks``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from open_data_contract_standard.model import DataQuality

from data_contracts.contracts import Column, TableContract, literal, quoted
from data_contracts.errors import ContractError

Metric = Literal["nullValues", "missingValues", "invalidValues", "duplicateValues", "rowCount", "sql"]
Severity = Literal["error", "warning"]

#: The standard's comparisons, as (operator key, test of a measured value against its bound).
COMPARISONS: dict[str, Any] = {
    "mustBe": lambda value, bound: value == bound,
    "mustNotBe": lambda value, bound: value != bound,
    "mustBeGreaterThan": lambda value, bound: value > bound,
    "mustBeGreaterOrEqualTo": lambda value, bound: value >= bound,
    "mustBeLessThan": lambda value, bound: value < bound,
    "mustBeLessOrEqualTo": lambda value, bound: value <= bound,
    "mustBeBetween": lambda value, bound: bound[0] <= value <= bound[1],
    "mustNotBeBetween": lambda value, bound: not bound[0] <= value <= bound[1],
}


@dataclass(frozen=True)
class Rule:
    """One promise about the rows of a table.

    ``columns`` is empty for a rule on the whole table, one column or the columns of a key. ``percent`` says that
    the bound is a share of rows in percent, not their number.
    """

    name: str
    metric: Metric
    columns: tuple[str, ...]
    description: str
    severity: Severity = "error"
    comparison: str = "mustBe"
    bound: Any = 0
    percent: bool = False
    pattern: str = ""
    values: tuple[str, ...] = ()
    query: str = ""

    @property
    def column(self) -> str:
        """The column or columns, for people."""
        return ", ".join(self.columns)

    @property
    def row_wise(self) -> bool:
        """Whether each row fails or holds by itself, so that all such rules fit in one pass."""
        return self.metric in ("nullValues", "missingValues", "invalidValues")

    def holds(self, measured: float, total_rows: int) -> bool:
        """Say whether ``measured`` rows (or the query's number) of ``total_rows`` keep the promise."""
        value = 100.0 * measured / total_rows if self.percent and total_rows else measured
        return bool(COMPARISONS[self.comparison](value, self.bound))

    def failing(self) -> str:
        """Return the SQL condition that is true for a row at fault; only for row-wise rules."""
        column = quoted(self.columns[0])
        if self.metric == "nullValues":
            return f"{column} IS NULL"
        listed = ", ".join(literal(value) for value in self.values)
        if self.metric == "missingValues":
            return f"({column} IS NULL OR {column}::VARCHAR IN ({listed or 'NULL'})) IS TRUE"
        if self.pattern:
            return f"NOT regexp_matches({column}::VARCHAR, {literal(self.pattern)})"
        return f"{column}::VARCHAR NOT IN ({listed})"


def rules_of(contract: TableContract) -> tuple[Rule, ...]:
    """Return every rule of ``contract``: implied by its columns first, then those written down.

    Raises ContractError when a rule lacks a comparison or names a metric this project does not know.
    """
    table = (contract.document.schema_ or [])[0]
    written = [_written(contract, quality, ()) for quality in table.quality or ()]
    for item in table.properties or ():
        written += [_written(contract, quality, (item.name or "",)) for quality in item.quality or ()]
    return (*_implied(contract.columns), *written)


def _implied(columns: tuple[Column, ...]) -> Iterator[Rule]:
    key = tuple(column.name for column in columns if column.primary_key)
    if key:
        yield Rule("primary_key_unique", "duplicateValues", key, "no two rows have the same key")
    for column in columns:
        name = (column.name,)
        if column.required or column.primary_key:
            yield Rule("not_null", "nullValues", name, "a value is always there")
        if column.unique:
            yield Rule("unique", "duplicateValues", name, "no two rows have the same value")
        if column.allowed:
            yield Rule("allowed_values", "invalidValues", name, "only values of the list", values=column.allowed)


def _written(contract: TableContract, quality: DataQuality, columns: tuple[str, ...]) -> Rule:
    metric = "sql" if quality.type == "sql" else quality.metric
    bounds = [(key, value) for key in COMPARISONS if (value := getattr(quality, key)) is not None]
    arguments = quality.arguments or {}
    if metric not in get_args(Metric) or len(bounds) != 1 or not quality.name:
        raise ContractError(
            f"rule {quality.name!r} in the contract of {contract.name} cannot be read",
            why="a rule has a name, a known metric or type: sql with a query, and exactly one comparison (mustBe, …)",
            next_step=f"correct data_contracts/tables/{contract.name.replace('.', '/')}.odcs.yaml",
        )
    return Rule(
        name=quality.name,
        metric=cast(Metric, metric),
        columns=columns,
        description=(quality.description or "").strip(),
        severity="warning" if quality.severity == "warning" else "error",
        comparison=bounds[0][0],
        bound=bounds[0][1],
        percent=quality.unit == "percent",
        pattern=str(arguments.get("pattern", "")),
        values=tuple(str(value) for value in arguments.get("validValues") or arguments.get("missingValues") or ()),
        query=quality.query or "",
    )
