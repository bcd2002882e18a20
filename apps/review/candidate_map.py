"""The map of candidates: what the name says across, what everything else says up. The drawing is the template's."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipelines.review.rows import Candidate

WIDTH, HEIGHT, MARGIN = 480, 260, 34
#: Comparisons whose bits count as the name's.
_NAME = "name"
#: Dots closer than this would lie on each other.
_TOUCHING = 16


@dataclass(frozen=True)
class Dot:
    """One candidate on the map, the best of those at its place."""

    candidate: Candidate
    number: int
    x: float
    y: float
    #: Lower-ranked candidates at the same place; the table lists them.
    more: int = 0


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
    places: list[Dot] = []
    for candidate, name, rest in sorted(scored, key=lambda one: one[0].rank):
        dot = Dot(candidate, candidate.rank, round(across[0] + across[1] * name, 1), round(up[0] + up[1] * rest, 1))
        _put(places, dot)
    return Map(tuple(places), round(across[0], 1), round(up[0], 1))


def _put(places: list[Dot], dot: Dot) -> None:
    """Add a dot, or count it on one that it would hide."""
    for number, other in enumerate(places):
        if abs(other.x - dot.x) < _TOUCHING and abs(other.y - dot.y) < _TOUCHING:
            places[number] = replace(other, more=other.more + 1)
            return
    places.append(dot)


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
