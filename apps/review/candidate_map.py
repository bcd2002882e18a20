"""The map of candidates: what the name says across, what everything else says up. The drawing is the template's."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.review.rows import Candidate

WIDTH, HEIGHT, MARGIN = 480, 260, 34
#: Comparisons whose bits count as the name's.
_NAME = "name"


@dataclass(frozen=True)
class Dot:
    """One candidate on the map."""

    candidate: Candidate
    number: int
    x: float
    y: float


@dataclass(frozen=True)
class Map:
    """Dots, and the lines of no evidence; candidates that were not scored are not on it."""

    dots: tuple[Dot, ...]
    zero_x: float
    zero_y: float
    width: int = WIDTH
    height: int = HEIGHT


def candidate_map(candidates: Sequence[Candidate]) -> Map | None:
    """Return the map; None with fewer than two scored candidates, when there is nothing to compare."""
    scored = [(candidate, *_evidence(candidate)) for candidate in candidates if candidate.waterfall]
    if len(scored) < 2:
        return None
    across = _scale([name for _, name, _ in scored], MARGIN, WIDTH - MARGIN)
    up = _scale([rest for _, _, rest in scored], HEIGHT - MARGIN, MARGIN)
    dots = tuple(
        Dot(candidate, candidate.rank, round(across[0] + across[1] * name, 1), round(up[0] + up[1] * rest, 1))
        for candidate, name, rest in scored
    )
    return Map(dots, round(across[0], 1), round(up[0], 1))


def _evidence(candidate: Candidate) -> tuple[float, float]:
    """Return the bits of the name and those of all other comparisons; the prior is the same for all."""
    bars = [bar for bar in candidate.waterfall if bar.name != "prior"]
    name = sum(bar.bits for bar in bars if _NAME in bar.name)
    return name, sum(bar.bits for bar in bars) - name


def _scale(values: Sequence[float], start: float, end: float) -> tuple[float, float]:
    """Return offset and factor that put ``values`` and 0 between ``start`` and ``end``."""
    low, high = min(0.0, *values), max(0.0, *values)
    factor = (end - start) / max(high - low, 1e-9)
    return start - low * factor, factor
