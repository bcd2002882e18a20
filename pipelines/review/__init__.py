"""The review's data layer: the queue, one pair, search, decisions, all over the published snapshot and the store.

No page is rendered and no session is known here; who may do what is ``apps.review``.
"""

from pipelines.review.acts import decide, last_decision, undo
from pipelines.review.bulk import bulk_accept, bulk_sample, bulk_state, bulk_undo
from pipelines.review.duplicates import duplicate_records, duplicates
from pipelines.review.history import history
from pipelines.review.missing import create_missing, proposal, proposals, reject_proposal
from pipelines.review.pair import pair
from pipelines.review.queue import queue
from pipelines.review.rows import Decided, Filters, PairKey, ReviewError, Stale, Version
from pipelines.review.search import search
from pipelines.review.shadow import shadow, shadow_fields
from pipelines.review.snapshot import ReviewSnapshot

__all__ = [
    "Decided",
    "Filters",
    "PairKey",
    "ReviewError",
    "ReviewSnapshot",
    "Stale",
    "Version",
    "bulk_accept",
    "bulk_sample",
    "bulk_state",
    "bulk_undo",
    "create_missing",
    "decide",
    "duplicate_records",
    "duplicates",
    "history",
    "last_decision",
    "pair",
    "proposal",
    "proposals",
    "queue",
    "reject_proposal",
    "search",
    "shadow",
    "shadow_fields",
    "undo",
]
