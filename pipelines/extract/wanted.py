"""Which fields are fetched of an object: every readable one, or without advanced_sync those that something uses."""

from collections.abc import Iterable

from data_contracts.contracts import object_contract
from data_contracts.mapping import mapped_fields
from data_contracts.settings import Settings
from pipelines.extract.fields import CURSORS, FieldSpec
from pipelines.extract.objects import table_name
from pipelines.extract.schema import needed_fields

#: What every step relies on where the object has it, whatever the settings say.
ALWAYS = frozenset({"Id", "Name", "OwnerId", "IsDeleted", "MasterRecordId", "CurrencyIsoCode", *CURSORS})


def wanted_fields(settings: Settings, name: str) -> frozenset[str] | None:
    """Return the API names of the fields to fetch of object ``name``; None for all that are readable.

    Without ``advanced_sync``: those its table's contract promises (matching, imports and ownership use them), and those
    the settings map, match on or filter by.
    """
    if settings.objects[name].advanced_sync:
        return None
    promised = {column.name for column in object_contract(table_name(name)).columns}
    return ALWAYS | promised | mapped_fields(settings, name) | needed_fields(settings).get(name, frozenset())


def limited(fields: Iterable[FieldSpec], wanted: frozenset[str] | None) -> tuple[FieldSpec, ...]:
    """Return the fields of a describe that are wanted, in its order."""
    chosen = None if wanted is None else {name.lower() for name in wanted}
    return tuple(spec for spec in fields if chosen is None or spec.name.lower() in chosen)
