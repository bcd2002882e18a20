"""What every step knows about the run it is part of."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from data_contracts.mapping import MappedObject

OBJECTS: tuple[MappedObject, ...] = ("account", "contact", "lead")
"""The matched Salesforce objects, by the table name they have everywhere."""


@dataclass(frozen=True)
class RunContext:
    """One run: its id, whether it is a full or a delta run, when it began (UTC, aware) and under which settings."""

    run_id: str
    kind: Literal["full", "delta"]
    started_at: datetime
    settings_hash: str = ""
    trigger: str = "manual"
    #: The off-hours window and night it keeps to, in words, or that it keeps to none.
    window: str = ""
