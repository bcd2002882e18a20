"""Units of work: what a step does before and after its body, whatever the body is.

A unit is not begun when the off-hours window has closed: the run pauses there. One that fails is written into the
run's own record, with the reason. A hook would do that too, and say "hook skipped" of every step that went well.
"""

import inspect
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from typing import Any

import dagster as dg

from assets.failure import record_failure
from assets.pausing import closed
from resources.wiring import SyncResource


def unit_of_work(
    body: Callable[..., Any], work: Callable[..., Any] | None = None, paused: Sequence[dg.AssetCheckResult] = ()
) -> Callable[..., Any]:
    """Return ``work`` (the ``body`` itself unless given) as a unit of work, with the body's name and parameters.

    ``paused`` is what it yields where the run pauses before it.
    """
    signature = inspect.signature(body)
    takes_sync = "sync" in signature.parameters

    @wraps(body)
    def run(*args: Any, sync: SyncResource, **given: Any) -> Iterator[Any]:
        context, crosswalk = args[0] if args else given["context"], given["crosswalk"]
        if closed(context, crosswalk, sync):
            yield from paused
            return
        try:
            made = (work or body)(*args, **given, **({"sync": sync} if takes_sync else {}))
            yield from made if inspect.isgenerator(made) else [made]
        except Exception as error:
            record_failure(context, crosswalk, sync, error)
            raise

    if not takes_sync:
        asked = inspect.Parameter("sync", inspect.Parameter.KEYWORD_ONLY, annotation=SyncResource)
        signature = signature.replace(parameters=[*signature.parameters.values(), asked])
    run.__signature__ = signature  # type: ignore[attr-defined]
    return run
