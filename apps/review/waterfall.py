"""The waterfall of a match weight as shapes: where each comparison's bar lies. The drawing is the template's."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.review.rows import Bar

#: Width of the drawing in its own units.
WIDTH = 400
_MARGIN = 4


@dataclass(frozen=True)
class Shape:
    """One row: the bar from ``x`` over ``width``, and whether it speaks for the pair."""

    label: str
    bits: float
    x: float
    width: float
    positive: bool


@dataclass(frozen=True)
class Waterfall:
    """All rows, and where the line of no evidence (0 bits) stands."""

    shapes: tuple[Shape, ...]
    zero: float
    total: float


def waterfall(bars: Sequence[Bar]) -> Waterfall | None:
    """Return the shapes of ``bars``, None when the pair was not scored."""
    if not bars:
        return None
    edges = [0.0, *(bar.start for bar in bars), *(bar.end for bar in bars)]
    low, high = min(edges), max(edges)
    scale = (WIDTH - 2 * _MARGIN) / max(high - low, 1e-9)

    def place(bits: float) -> float:
        return round(_MARGIN + (bits - low) * scale, 1)

    shapes = tuple(
        Shape(
            bar.label,
            bar.bits,
            place(min(bar.start, bar.end)),
            # A comparison that adds next to nothing is still there to be seen.
            max(round(abs(bar.end - bar.start) * scale, 1), 1.5),
            bar.bits >= 0,
        )
        for bar in bars
    )
    return Waterfall(shapes, place(0), bars[-1].end)
