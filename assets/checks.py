"""Blocking checks, one per published table, all from its contract: what fails keeps the last snapshot in place.

An extracted batch is held to its contract with Great Expectations; every other table with SQL on the whole.
"""

import dagster as dg
from duckdb import DuckDBPyConnection

from assets._common import POOL, foreseeable, key, run_context
from assets.preflight import nothing_red
from data_contracts.checks import CheckReport
from data_contracts.contracts import TableContract, contract_names, load_contract, object_contract
from data_contracts.settings import Settings
from pipelines.extract.contract_check import validate_batch
from pipelines.extract.objects import table_name
from pipelines.publish.invariants import check_invariants
from pipelines.tables import table_columns
from resources.wiring import CrosswalkResource, SyncResource

TABLE_CHECK = "keeps_contract"


def build_checks(settings: Settings) -> list[dg.AssetChecksDefinition]:
    """Return the checks of every table that has an asset."""
    batches = [_batch_check(name) for name in _mirrored(settings)]
    return [*batches, *(_table_check(name) for name in _tables(settings)), nothing_red]


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
        return []
    others = [name for name in _tables(settings) if key(name) not in held]
    for name in others:
        if _expected(con, name):
            check_invariants(con, _contract(name)).raise_if_blocked()
    return others


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


def _batch_check(name: str) -> dg.AssetChecksDefinition:
    contract = _contract(name)

    @dg.asset_check(asset=key(name), name="batch_keeps_contract", blocking=True, pool=POOL, description=_TOLD)
    def check(
        context: dg.AssetCheckExecutionContext, crosswalk: CrosswalkResource, sync: SyncResource
    ) -> dg.AssetCheckResult:
        run = run_context(context, crosswalk, sync)
        with foreseeable(), crosswalk.connect() as con:
            if not _expected(con, name):
                return _NOT_THERE
            batch = f"(SELECT * FROM {contract.relation} WHERE _run_id = '{run.run_id}')"
            return result_of(validate_batch(con, contract, batch))

    return check


def _table_check(name: str) -> dg.AssetChecksDefinition:
    contract = _contract(name)

    @dg.asset_check(asset=key(name), name=TABLE_CHECK, blocking=True, pool=POOL, description=_TOLD)
    def check(crosswalk: CrosswalkResource) -> dg.AssetCheckResult:
        with foreseeable(), crosswalk.connect() as con:
            return result_of(check_invariants(con, contract)) if _expected(con, name) else _NOT_THERE

    return check


def result_of(report: CheckReport) -> dg.AssetCheckResult:
    """Return the check result: broken blocking rules are errors, the others warnings."""
    broken = report.blocking_failures
    severity = dg.AssetCheckSeverity.ERROR if broken else dg.AssetCheckSeverity.WARN
    told = "; ".join(str(failure) for failure in (broken or report.warnings))
    # One line is text; a table of failures is Markdown, which the UI shows on a click.
    rules = dg.MetadataValue.md(report.markdown()) if told else dg.MetadataValue.text(report.markdown())
    return dg.AssetCheckResult(
        passed=not broken and not report.warnings,
        severity=severity,
        description=f"{report.table}: {told}" if told else None,
        metadata={"rules": rules, "rows": report.rows},
    )


_TOLD = "The rules of the table's contract; errors block publishing, warnings do not."
_NOT_THERE = dg.AssetCheckResult(passed=True, description="the object is not readable for this user: no table yet")
