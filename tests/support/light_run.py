"""A whole sync without Dagster's bookkeeping: the very functions of the assets and checks, in the order of the graph.

What Dagster does between steps is done here as it does it: whatever lies below a step that failed, was blocked by a
check or yielded nothing is skipped, the rest goes on. That the tables are those of a real run is a test of its own
(``test_kill_points``).
"""

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import dagster as dg

import assets.plots
import assets.tables
from data_contracts.errors import CrosswalkError
from resources.wiring import CrosswalkResource, SalesforceResource, SyncResource


@dataclass(frozen=True)
class Step:
    """One asset or check function: what it needs, what it makes, how it is called."""

    name: str
    needs: frozenset[dg.AssetKey]
    makes: frozenset[dg.AssetKey]
    checks: frozenset[dg.AssetKey]
    may_yield_nothing: bool
    body: Callable[..., Any]


@dataclass
class LightOutcome:
    """How a run ended: ``failures`` are messages for people, ``skipped`` steps that did not get their turn."""

    run_id: str
    failures: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    @property
    def success(self) -> bool:
        """Whether nothing failed."""
        return not self.failures


def steps_of(defs: dg.Definitions) -> list[Step]:
    """Return the steps in an order in which Dagster may run them: every check right after what it checks."""
    waiting = {step.name: step for step in _steps(defs)}
    checks: dict[dg.AssetKey, list[Step]] = {}
    for step in [step for step in waiting.values() if step.checks]:
        for key in step.checks:
            checks.setdefault(key, []).append(waiting.pop(step.name))
    made_by_us = {key for step in waiting.values() for key in step.makes}
    done: set[dg.AssetKey] = set()
    ordered: list[Step] = []
    while waiting:
        ready = [step for step in waiting.values() if not (step.needs & made_by_us) - done]
        assert ready, f"the graph has a circle: {sorted(waiting)}"
        for step in ready:
            ordered.append(waiting.pop(step.name))
            done |= step.makes
            ordered += [check for key in sorted(step.makes) for check in checks.get(key, [])]
    return ordered


def _steps(defs: dg.Definitions) -> Iterator[Step]:
    for asset in defs.assets or ():
        if not isinstance(asset, dg.AssetsDefinition) or not asset.is_executable:
            continue
        needs = frozenset(key for keys in asset.asset_deps.values() for key in keys) - asset.keys
        optional = not all(output.is_required for output in asset.op.output_defs)
        yield Step(asset.op.name, needs, frozenset(asset.keys), frozenset(), optional, _body(asset))
    for check in defs.asset_checks or ():
        assert isinstance(check, dg.AssetsDefinition)
        checked = frozenset(key.asset_key for key in check.check_keys)
        yield Step(check.op.name, checked, frozenset(), checked, False, _body(check))


def _body(definition: dg.AssetsDefinition) -> Callable[..., Any]:
    body: Callable[..., Any] = definition.op.compute_fn.decorated_fn  # type: ignore[union-attr]
    return body


@contextmanager
def plain(*, checks: bool = True) -> Iterator[None]:
    """Make runs without what is dear in a small one: drawings, which write nothing, and contracts unless ``checks``."""
    with patch.object(assets.plots, "_inline", lambda *_: None):
        if checks:
            yield
        else:
            with patch.object(assets.tables, "contract_results", lambda *_: []):
                yield


def run_light(
    steps: Sequence[Step],
    crosswalk: CrosswalkResource,
    salesforce: SalesforceResource,
    sync: SyncResource,
    *,
    run_id: str,
    stage: Callable[[str], None] = lambda name: None,
) -> LightOutcome:
    """Run all steps under the home's lock; ``stage`` hears the name of each before it begins."""
    started = datetime.now(UTC).timestamp()
    run = SimpleNamespace(run_id=run_id, root_run_id=None, tags={}, asset_selection=None, asset_check_selection=None)
    record = SimpleNamespace(start_time=started)
    context = SimpleNamespace(
        run=run,
        run_id=run_id,
        op_execution_context=SimpleNamespace(op=SimpleNamespace(name="a step")),
        instance=SimpleNamespace(
            get_run_record_by_id=lambda _: record,
            add_run_tags=lambda *_: None,
            get_latest_materialization_event=lambda _: None,
        ),
        log=SimpleNamespace(info=_unheard, warning=_unheard, debug=_unheard, error=_unheard),
    )
    given = {"context": context, "crosswalk": crosswalk, "salesforce": salesforce, "sync": sync}
    outcome, missing = LightOutcome(run_id), set[dg.AssetKey]()
    with crosswalk.home.lock(f"run {run_id}"):
        for step in steps:
            if step.needs & missing:
                outcome.skipped.append(step.name)
                missing |= step.makes
                continue
            stage(step.name)
            made = _run_step(step, given, outcome)
            missing |= step.makes - made
            missing |= step.checks - made
    return outcome


def _run_step(step: Step, given: dict[str, Any], outcome: LightOutcome) -> frozenset[dg.AssetKey]:
    """Run one step and return the assets it leaves fit for use."""
    wanted = {name: given[name] for name in inspect.signature(step.body).parameters}
    try:
        found = step.body(**wanted)
        results: list[Any] = list(found) if inspect.isgenerator(found) else [found]
    except dg.Failure as error:
        outcome.failures.append(str(error.description))
        return frozenset()
    except CrosswalkError as error:
        outcome.failures.append(f"not turned into a failure: {error}")
        return frozenset()
    except Exception as error:  # noqa: BLE001 - what a step raises besides is what a test wants to hear of
        outcome.failures.append(f"unexpected {type(error).__name__} in {step.name}: {error}")
        return frozenset()
    if step.checks:
        return step.checks
    # A step that pauses yields no table; the checks of what stands there come all the same.
    made = any(isinstance(item, dg.MaterializeResult) for item in results)
    return step.makes if made or not step.may_yield_nothing else frozenset()


def _unheard(message: str, *_: object) -> None:
    """Drop a progress message."""
