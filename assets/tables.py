"""Assets of published tables: a step writes its tables and holds them to their contracts before anything follows.

The check is part of the step: one opens the warehouse, waits for its turn and is written down once instead of twice.
A broken contract fails the step, so that nothing below it runs and the last snapshot stays.
"""

import inspect
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from typing import Any

import dagster as dg

from assets._common import POOL, spec_arguments
from assets.checks import check_specs, contract_results

AssetDecorator = Callable[[Callable[..., Any]], dg.AssetsDefinition]


def table_asset(
    name: str,
    *,
    group: str,
    deps: Sequence[dg.AssetKey] = (),
    kinds: Sequence[str] = ("duckdb",),
    owner: str = "",
    may_pause: bool = False,
) -> AssetDecorator:
    """Return the decorator of the asset of one published table, in the pool of the warehouse.

    One that ``may_pause`` yields its result, or nothing when the run pauses at it.
    """
    return checked_asset(name, may_pause, **spec_arguments(name, group=group, kinds=kinds, owner=owner), deps=deps)


def checked_asset(name: str, may_pause: bool = False, /, **arguments: Any) -> AssetDecorator:
    """Return the decorator of the asset of table ``name`` with the arguments of ``dagster.asset`` as they are given."""
    decorator: AssetDecorator = dg.asset(
        **arguments, check_specs=check_specs(name), pool=POOL, output_required=not may_pause
    )
    return lambda body: decorator(_checked(body, [name]))


def tables_asset(step: str, specs: Sequence[dg.AssetSpec]) -> AssetDecorator:
    """Return the decorator of one step that writes several published tables."""
    names = [".".join(spec.key.path) for spec in specs]
    rules = [spec for name in names for spec in check_specs(name)]
    decorator: AssetDecorator = dg.multi_asset(name=step, specs=specs, check_specs=rules, pool=POOL)
    return lambda body: decorator(_checked(body, names))


def _checked(body: Callable[..., Any], names: Sequence[str]) -> Callable[..., Any]:
    """Return ``body`` as a generator of its results, and then of the checks of the tables ``names``."""

    @wraps(body)
    def run(*args: Any, **given: Any) -> Iterator[Any]:
        made = body(*args, **given)
        # A body that yields may do so with the warehouse open: the checks wait until it has closed it.
        yield from made if inspect.isgenerator(made) else [made]
        context = args[0] if args else given["context"]
        results = [result for name in names for result in contract_results(name, context, given["crosswalk"])]
        yield from results
        # Dagster would fail the step too, but without saying which rule was broken.
        for result in results:
            if not result.passed and result.severity == dg.AssetCheckSeverity.ERROR:
                raise dg.Failure(description=result.description, allow_retries=False)

    return run
