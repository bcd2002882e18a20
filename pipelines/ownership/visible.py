"""Which ownership is shown: the switch ``objects.<name>.visible``, apart from syncing and from clearing.

A hidden object is synced, matched and kept in the warehouse as before; the snapshot shows no row of its ownership.
"""

from data_contracts.mapping import MappedObject
from data_contracts.settings import Settings
from pipelines.run import OBJECTS


def visible_objects(settings: Settings) -> tuple[MappedObject, ...]:
    """Return the matched objects whose ownership is shown."""
    return tuple(name for name in OBJECTS if settings.objects[name].visible)


def shown_rows(settings: Settings) -> dict[str, str]:
    """Return published table → SQL of the rows that are shown, for the tables some of whose rows are not."""
    shown = visible_objects(settings)
    hidden = [name for name in OBJECTS if name not in shown]
    if not hidden:
        return {}
    names = ", ".join(f"'{name}'" for name in hidden)
    listed = dict.fromkeys(("ownership.opportunity", "ops.ownership_history"), f"object NOT IN ({names})")
    return {f"ownership.{name}": "FALSE" for name in hidden} | listed
