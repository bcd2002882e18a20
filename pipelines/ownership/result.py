"""What building an ownership table reports."""

from dataclasses import dataclass


@dataclass(frozen=True)
class OwnershipResult:
    """Rows of one ``ownership.*`` table, and the reference entities they stand for."""

    table: str
    rows: int
    entities: int
