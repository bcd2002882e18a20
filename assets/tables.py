"""Assets of published tables: a step writes its tables and holds them to their contracts before anything follows.

The check is part of the step: one opens the warehouse, waits for its turn and is written down once instead of twice.
A broken contract fails the step, so that nothing below it runs and the last snapshot stays.
"""

import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import dagster as dg

from assets._common import POOL, spec_arguments
from assets.checks import check_specs, contract_results, not_looked_at
from assets.units import unit_of_work

AssetDecorator = Callable[[Callable[..., Any]], dg.AssetsDefinition]


def table_asset(
    name: str,
    *,
    group: str,
    deps: Sequence[dg.AssetKey] = (),
    kinds: Sequence[str] = ("duckdb",),
    owner: str = "",
    more_checks: Sequence[dg.AssetCheckSpec] = (),
) -> AssetDecorator:
    """Return the decorator of the asset of one published table, in the pool of the warehouse.

    It yields nothing when the run pauses at it. ``more_checks`` are those whose results the body yields itself.
    """
    arguments = spec_arguments(name, group=group, kinds=kinds, owner=owner)
    return checked_asset(name, more_checks, **arguments, deps=deps)


def checked_asset(name: str, more_checks: Sequence[dg.AssetCheckSpec] = (), /, **arguments: Any) -> AssetDecorator:
    """Return the decorator of the asset of table ``name`` with the arguments of ``dagster.asset`` as they are given."""
    rules = check_specs(name)
    decorator: AssetDecorator = dg.asset(
        **arguments, check_specs=[*rules, *more_checks], pool=POOL, output_required=False
    )
    return lambda body: decorator(_checked(body, [name], [*rules, *more_checks]))


def tables_asset(step: str, specs: Sequence[dg.AssetSpec]) -> AssetDecorator:
    """Return the decorator of one step that writes several published tables."""
    names = [".".join(spec.key.path) for spec in specs]
    rules = [spec for name in names for spec in check_specs(name)]
    skippable = [spec.replace_attributes(skippable=True) for spec in specs]
    decorator: AssetDecorator = dg.multi_asset(name=step, specs=skippable, check_specs=rules, pool=POOL)
    return lambda body: decorator(_checked(body, names, rules))


def _checked(body: Callable[..., Any], names: Sequence[str], rules: Sequence[dg.AssetCheckSpec]) -> Callable[..., Any]:
    """Return ``body`` as a generator of its results, and then of the checks of the tables ``names``.

    It is a unit of work: not begun when the off-hours window has closed, and recorded where it fails.
    """

    def work(*args: Any, **given: Any) -> Iterator[Any]:
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

    return unit_of_work(body, work, [not_looked_at(rule) for rule in rules])
