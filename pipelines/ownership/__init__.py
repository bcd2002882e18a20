"""Filtered ownership: who owns which company or person in the CRM, with lists, filters and opportunity figures.

Which record is which entity is ``crosswalk.*``; which of several is the primary one is ``pipelines.imports.primary``.
"""

from pipelines.ownership.opportunities import build_opportunity_ownership
from pipelines.ownership.records import build_ownership
from pipelines.ownership.result import OwnershipResult

__all__ = ["OwnershipResult", "build_opportunity_ownership", "build_ownership"]
