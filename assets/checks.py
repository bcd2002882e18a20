"""Blocking checks, all from the contracts: what fails stops its step and keeps the last snapshot in place.

An extracted batch is held to its contract with Great Expectations; every table with SQL on the whole.
"""

import dagster as dg
from duckdb import DuckDBPyConnection

from assets._common import foreseeable, key, run_id_of
from assets.preflight import nothing_red
from data_contracts.checks import CheckReport
from data_contracts.contracts import TableContract, contract_names, load_contract, object_contract
from data_contracts.settings import Settings
from pipelines.extract.contract_check import validate_batch
from pipelines.extract.objects import table_name
from pipelines.publish.invariants import check_invariants
from pipelines.tables import table_columns
from resources.wiring import CrosswalkResource

TABLE_CHECK, BATCH_CHECK = "keeps_contract", "batch_keeps_contract"
# Written by us, not extracted record by record: there is no batch to look at.
UNBATCHED = ("salesforce.field", "salesforce.list_membership")


def build_checks() -> list[dg.AssetChecksDefinition]:
    """Return the checks that are steps of their own; those of a contract are part of the step that writes the table."""
    return [nothing_red]


def check_specs(name: str) -> list[dg.AssetCheckSpec]:
    """Return the checks of table ``name``: of what this run extracted, where it did, and of the whole."""
    return [
        dg.AssetCheckSpec(name=check, asset=key(name), blocking=True, description=_TOLD) for check in _checks_of(name)
    ]


def contract_results(
    name: str, context: dg.AssetExecutionContext, crosswalk: CrosswalkResource
) -> list[dg.AssetCheckResult]:
    """Hold table ``name``, as the step that is running has left it, to its contract."""
    contract = _contract(name)
    with foreseeable(), crosswalk.connect() as con:
        there = _expected(con, name)
        reports: dict[str, CheckReport] = {}
        if there and BATCH_CHECK in _checks_of(name):
            batch = f"(SELECT * FROM {contract.relation} WHERE _run_id = '{run_id_of(context.run)}')"
            reports[BATCH_CHECK] = validate_batch(con, contract, batch)
        if there:
            reports[TABLE_CHECK] = check_invariants(con, contract)
    return [result_of(reports.get(check), name, check) for check in _checks_of(name)]


def _checks_of(name: str) -> tuple[str, ...]:
    extracted = name.startswith("salesforce.") and name not in UNBATCHED
    return (BATCH_CHECK, TABLE_CHECK) if extracted else (TABLE_CHECK,)


def not_looked_at(rule: dg.AssetCheckSpec) -> dg.AssetCheckResult:
    """Return the result of a check whose step was not begun: Dagster wants one, and the next run has the real one."""
    return dg.AssetCheckResult(
        asset_key=rule.asset_key,
        check_name=rule.name,
        passed=False,
        severity=dg.AssetCheckSeverity.WARN,
        description="not looked at: the run paused before this step",
    )


def check_others(con: DuckDBPyConnection, settings: Settings, run: dg.DagsterRun) -> list[str]:
    """Hold the tables that are not part of ``run`` to their contracts, and return their names.

    A run of some objects publishes the tables of the others too, which an earlier run may have left broken. Raises
    ContractError for the first that is.
    """
    if run.asset_check_selection is not None:
        held = {check.asset_key for check in run.asset_check_selection if check.name == TABLE_CHECK}
    elif run.asset_selection:
        held = set(run.asset_selection)
    else:
        # What belongs to an object that is switched off is in no job.
        off = {name for name, item in settings.objects.items() if not item.enabled}
        held = {key(name) for name in _tables(settings) if _object_of(name) not in off}
    others = [name for name in _tables(settings) if key(name) not in held]
    for name in others:
        if _expected(con, name):
            check_invariants(con, _contract(name)).raise_if_blocked()
    return others


def _object_of(name: str) -> str:
    """Return the object that a table belongs to, or its own name."""
    schema, _, table = name.partition(".")
    return "" if schema == "reference" else table.removesuffix("_candidate")


def _tables(settings: Settings) -> list[str]:
    others = [name for name in contract_names() if not name.startswith("salesforce.")]
    return [*others, "salesforce.field", "salesforce.list_membership", *_mirrored(settings)]


def _mirrored(settings: Settings) -> list[str]:
    return [f"salesforce.{table_name(name)}" for name, item in settings.objects.items() if item.enabled]


def _contract(name: str) -> TableContract:
    schema, _, table = name.partition(".")
    return object_contract(table) if schema == "salesforce" else load_contract(name)


def _expected(con: DuckDBPyConnection, name: str) -> bool:
    """Whether there must be a table: an object without a contract of its own has none until it could be read."""
    return name in contract_names() or bool(table_columns(con, name))


def result_of(report: CheckReport | None, name: str, check: str) -> dg.AssetCheckResult:
    """Return the check result: broken blocking rules are errors, the others warnings; no report, no table."""
    if report is None:
        told = "the object is not readable for this user: no table yet"
        return dg.AssetCheckResult(asset_key=key(name), check_name=check, passed=True, description=told)
    broken = report.blocking_failures
    severity = dg.AssetCheckSeverity.ERROR if broken else dg.AssetCheckSeverity.WARN
    told = "; ".join(str(failure) for failure in (broken or report.warnings))
    # One line is text; a table of failures is Markdown, which the UI shows on a click.
    rules = dg.MetadataValue.md(report.markdown()) if told else dg.MetadataValue.text(report.markdown())
    return dg.AssetCheckResult(
        asset_key=key(name),
        check_name=check,
        passed=not broken and not report.warnings,
        severity=severity,
        description=f"{report.table}: {told}" if told else None,
        metadata={"rules": rules, "rows": report.rows},
    )


_TOLD = "The rules of the table's contract; errors block publishing, warnings do not."
