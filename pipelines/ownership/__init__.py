"""Filtered ownership: who owns which company or person in the CRM, with lists, filters and opportunity figures.

Which record is which entity is ``crosswalk.*``; which of several is the primary one is ``pipelines.imports.primary``.
"""

from pipelines.ownership.opportunities import build_opportunity_ownership
from pipelines.ownership.own_users import load_own_users
from pipelines.ownership.records import build_ownership
from pipelines.ownership.result import OwnershipResult
from pipelines.ownership.search import build_search
from pipelines.ownership.users import build_users
from pipelines.ownership.visible import shown_rows, visible_objects

__all__ = [
    "OwnershipResult",
    "build_opportunity_ownership",
    "build_ownership",
    "build_search",
    "build_users",
    "load_own_users",
    "shown_rows",
    "visible_objects",
]
