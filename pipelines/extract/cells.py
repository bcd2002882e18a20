"""One cell of a landed page as SQL: its typed value, whether it lost something on the way, and the reason.

Every expression speaks of ``page``, whose columns are text. Reading the pages is ``pipelines.extract.pages``.
"""

from data_contracts.contracts import literal, quoted
from resources.landing import LandedField

#: A date as Salesforce writes it; anything longer carries a time that a DATE would lose.
DATE_LENGTH = 10


def typed(field: LandedField) -> str:
    """Return the expression for a field of ``page``; what does not convert is NULL here and in ``ops.reject``."""
    name = f"page.{quoted(field.name)}"
    if field.type == "VARCHAR":
        return name
    cast = f"TRY_CAST({name} AS {field.type})"
    if field.type == "TIMESTAMP":
        # Bulk ends in Z, REST in +0000. A cast to TIMESTAMP reads any other offset and drops it.
        return f"CASE WHEN ends_with({name}, 'Z') THEN {cast} ELSE timezone('UTC', TRY_CAST({name} AS TIMESTAMPTZ)) END"
    if field.type == "DATE":
        return f"CASE WHEN length({name}) = {DATE_LENGTH} THEN {cast} END"
    return cast


def fault(field: LandedField) -> str | None:
    """Return a condition that holds where a value did not convert or was rounded; None for text."""
    if field.type == "VARCHAR":
        return None
    name = f"page.{quoted(field.name)}"
    failed = f"({name} IS NOT NULL AND {typed(field)} IS NULL)"
    if (wide := _wider(field.type)) is None:
        return failed
    # Only a value with a decimal point can be rounded; the wide cast is paid for those alone.
    rounded = f"TRY_CAST({name} AS {wide}) <> TRY_CAST(TRY_CAST({name} AS {field.type}) AS {wide})"
    return f"({failed} OR coalesce(CASE WHEN contains({name}, '.') THEN {rounded} END, false))"


def reasons(field: LandedField) -> str | None:
    """Return an expression with the reason why a value is rejected, NULL where it is not; None for text."""
    if (condition := fault(field)) is None:
        return None
    not_one = literal(f"not a {field.type}; the column is NULL")
    rounded = literal(f"more decimals than {field.type} holds; the column is rounded")
    return f"CASE WHEN {condition} THEN CASE WHEN {typed(field)} IS NULL THEN {not_one} ELSE {rounded} END END"


def _wider(kind: str) -> str | None:
    """Return a DECIMAL that holds every value of a number type with more decimals; None for other types."""
    if kind == "BIGINT":
        return "DECIMAL(38,10)"
    if not kind.startswith("DECIMAL"):
        return None
    width, scale = (int(part) for part in kind.removeprefix("DECIMAL(").rstrip(")").split(","))
    return f"DECIMAL(38,{min(scale + 10, 38 - (width - scale))})"
