"""Before any record moves: what the connected user is, may and sees, with the remedy for what is missing."""

from pipelines.preflight.facts import HomeFacts, facts_in_run, home_facts
from pipelines.preflight.look import preflight, preflight_of
from pipelines.preflight.relied import MATCHED_FIELDS
from pipelines.preflight.report import Finding, Report

__all__ = [
    "MATCHED_FIELDS",
    "Finding",
    "HomeFacts",
    "Report",
    "facts_in_run",
    "home_facts",
    "preflight",
    "preflight_of",
]
