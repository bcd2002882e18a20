"""Mapped imports: the Salesforce fields an admin chose, on the record and on the reference entity it belongs to.

Which field feeds which target is ``data_contracts.mapping``; which record is which entity is ``crosswalk.*``.
"""

from pipelines.imports.entities import EntityImportResult, build_entity_imports
from pipelines.imports.proposals import build_creation_proposals
from pipelines.imports.records import ImportResult, build_imports, described_fields

__all__ = [
    "EntityImportResult",
    "ImportResult",
    "build_creation_proposals",
    "build_entity_imports",
    "build_imports",
    "described_fields",
]
