"""What a planned run will ask of the org, object by object and endpoint by endpoint, and whether it may.

An estimate is made when every record is counted and before a job is created. Counting what is really sent is
``resources.salesforce.usage``, admitting each request ``resources.salesforce.budget``.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from data_contracts.errors import BudgetError, ExtractionError
from data_contracts.settings import ApiBudget
from pipelines.extract.plan import JobRequest
from pipelines.extract.rest_pages import PAGE_ROWS, field_chunks
from resources.landing import LandingFolder, Manifest
from resources.salesforce import SalesforceOrg
from resources.salesforce.budget import RequestBudget

#: Rows of one page of ``resultPages``, and pages that one answer names at most.
BULK_PAGE_ROWS, PAGES_TOLD = 50_000, 5
#: What a Bulk job takes to begin, in seconds, and how many rows a second it gets through, on the slow side.
BEGIN, ROWS_A_SECOND = 10.0, 5_000
#: The pauses between polls, as ``BulkApi.wait`` makes them: the first, how each grows, the longest.
FIRST_POLL, GROWTH, LONGEST_POLL = 0.2, 1.6, 30.0
#: Counting the org when the pages have landed: live, settled, changed since, deleted since.
RECONCILING = {"query": 4, "replication": 1}

Calls = dict[str, int]


@dataclass(frozen=True)
class Job:
    """One job as planned: what it asks, in which transport, how many rows; ``found`` is what a killed run left."""

    request: JobRequest
    manifest: Manifest
    rows: int
    found: LandingFolder | None = None


def job_calls(org: SalesforceOrg, job: Job) -> Calls:
    """Return the calls that landing a job will take, by endpoint; nothing for what has landed."""
    manifest = job.found.manifest if job.found else job.manifest
    if manifest.complete:
        return {}
    landed = sum(page.rows for page in manifest.pages)
    if manifest.transport == "rest":
        return {"query": pages_of(job.rows - landed, PAGE_ROWS) * len(field_chunks(org, manifest))}
    if not job.rows:
        return {}
    return bulk_calls(job.rows - landed, create=not manifest.job_id, whole=job.rows)


def bulk_calls(rows: int, *, create: bool = True, jobs: int = 1, whole: int | None = None) -> Calls:
    """Return the calls of ``jobs`` Bulk jobs that bring ``rows`` rows together, still to be created or not.

    ``whole`` are the rows of their results, where some have landed.
    """
    pages = jobs * max(1, math.ceil(rows / jobs / BULK_PAGE_ROWS))
    told = jobs * max(1, math.ceil((whole or rows) / jobs / BULK_PAGE_ROWS / PAGES_TOLD))
    calls = {"bulk_job": jobs * polls((whole or rows) / jobs), "bulk_result_pages": told, "bulk_result": pages}
    return {"bulk_create": jobs, **calls} if create else calls


def pages_of(rows: int, size: int) -> int:
    """Return the pages of a REST result: a full last page is followed by an empty one."""
    return max(0, rows) // size + 1


def polls(rows: float) -> int:
    """Return how often a job of so many rows is asked whether it is done."""
    seconds, count, pause = BEGIN + rows / ROWS_A_SECOND, 1, FIRST_POLL
    while seconds > 0 and pause < LONGEST_POLL:
        seconds, count, pause = seconds - pause, count + 1, pause * GROWTH
    return count + math.ceil(max(0.0, seconds) / LONGEST_POLL)


def added(*several: Mapping[str, int]) -> Calls:
    """Return the sum of several estimates."""
    total: Calls = {}
    for calls in several:
        for endpoint, count in calls.items():
            total[endpoint] = total.get(endpoint, 0) + count
    return total


def told(to_come: Mapping[str, Calls]) -> str:
    """Return an estimate per object in words, the dearest first."""
    sums = {name: sum(calls.values()) for name, calls in to_come.items()}
    return ", ".join(f"{name} {count:,}" for name, count in sorted(sums.items(), key=lambda item: -item[1]) if count)


def require_affordable(org: SalesforceOrg, rules: ApiBudget, to_come: Mapping[str, Calls]) -> int:
    """Return how many calls may still be sent; raises when the rest of the run needs more, and nothing is created.

    ExtractionError where waiting does not help: the run's own budget, or an org too small for it. BudgetError, which
    pauses the run, where others have used what the run needs.
    """
    budget = org.session.budget or _budget(org, rules)
    rules = budget.rules
    need = sum(sum(calls.values()) for calls in to_come.values())
    own, of_org = rules.per_run - budget.spent, budget.left_of_org()
    what = f"this run needs about {need:,} more API requests ({told(to_come)})"
    narrow = "sync fewer objects, or narrow objects.<name>.selection"
    if need > own:
        raise ExtractionError(
            f"{what}, over the {own:,} that are left of limits.api.per_run ({rules.per_run:,})",
            why="no job was created; the last good data stays",
            next_step=f"raise limits.api.per_run to {budget.spent + need:,} or more, or {narrow}",
        )
    if of_org is not None and need > budget.ceiling():
        raise ExtractionError(
            f"{what}, more than {rules.pause_at:.0%} of the {budget.allowed:,} that the org allows in 24 hours",
            why="no job was created: what is above limits.api.pause_at is kept for others; the last good data stays",
            next_step=narrow,
        )
    if of_org is not None and need > of_org:
        raise BudgetError(
            f"{what}, and the org has {of_org:,} left under {rules.pause_at:.0%} of its {budget.allowed:,} in 24 hours",
            why="no job was created: what is above limits.api.pause_at is kept for others; the last good data stays",
            next_step=f"run it again when others have used less (crosswalk preflight shows it), or {narrow}",
        )
    return own if of_org is None else min(own, of_org)


def _budget(org: SalesforceOrg, rules: ApiBudget) -> RequestBudget:
    made = RequestBudget(rules)
    made.note(org.usage.org_used, org.usage.org_allowed)
    return made
