"""The match weight of a candidate as a waterfall: from the prior, comparison by comparison, to the whole."""

from collections.abc import Mapping
from typing import Any

from data_contracts.contracts import load_contract
from data_contracts.mapping import MappedObject
from pipelines.review.rows import Bar

_PREFIX = "weight_"


def waterfall(name: MappedObject, row: Mapping[str, Any]) -> tuple[Bar, ...]:
    """Return the bars of a row of ``match.<object>_candidate``; none where the model did not score it.

    The prior is what the weights leave of the match weight. Comparisons that add nothing are left out.
    """
    total = row.get("match_weight")
    bits = {n: float(v) for n, v in row.items() if n.startswith(_PREFIX) and v is not None}
    if total is None or not bits:
        return ()
    labels = _labels(name)
    bars = [Bar("prior", "before anything is compared", float(total) - sum(bits.values()), 0.0, 0.0)]
    bars += [Bar(n.removeprefix(_PREFIX), labels.get(n, n), value, 0.0, 0.0) for n, value in bits.items() if value]
    placed, at = [], 0.0
    for bar in bars:
        placed.append(Bar(bar.name, bar.label, bar.bits, at, at + bar.bits))
        at += bar.bits
    return tuple(placed)


def _labels(name: MappedObject) -> dict[str, str]:
    """Return weight column → what it compares, in the words of the contract."""
    columns = load_contract(f"match.{name}_candidate").columns
    told = {c.name: c.description.partition(";")[0] for c in columns if c.name.startswith(_PREFIX)}
    return {
        column: text.removeprefix("bits that the comparison of ").removesuffix(" adds").removeprefix("bits that ")
        for column, text in told.items()
    }
