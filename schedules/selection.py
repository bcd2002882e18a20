"""Which assets a run of some objects needs: everything but what belongs to the other objects."""

from collections.abc import Collection, Iterable

import dagster as dg

from assets._common import OBJECT_TAG


def selection_for(specs: Iterable[dg.AssetSpec], objects: Collection[str]) -> list[dg.AssetKey]:
    """Return the keys of the assets that serve ``objects`` or no object in particular."""
    return [spec.key for spec in specs if spec.tags.get(OBJECT_TAG) is None or spec.tags[OBJECT_TAG] in objects]
