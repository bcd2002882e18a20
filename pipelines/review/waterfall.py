"""The match weight of a candidate as a waterfall: from the prior, comparison by comparison, to the whole."""

from collections.abc import Mapping
from typing import Any

from data_contracts.contracts import load_contract
from data_contracts.mapping import MappedObject
from pipelines.resolve.waterfall import PRIOR
from pipelines.resolve.waterfall import waterfall as weight_steps
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
    labels = _labels(name) | {PRIOR: "before anything is compared"}
    steps = weight_steps(float(total), {n: value for n, value in bits.items() if value})[:-1]
    return tuple(
        Bar(step.name.removeprefix(_PREFIX), labels.get(step.name, step.name), step.bits, step.start, step.end)
        for step in steps
    )


def _labels(name: MappedObject) -> dict[str, str]:
    """Return weight column → what it compares, in the words of the contract."""
    columns = load_contract(f"match.{name}_candidate").columns
    told = {c.name: c.description.partition(";")[0] for c in columns if c.name.startswith(_PREFIX)}
    return {
        column: text.removeprefix("bits that the comparison of ").removesuffix(" adds").removeprefix("bits that ")
        for column, text in told.items()
    }
