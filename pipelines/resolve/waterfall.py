"""A match weight as a waterfall, from the prior through each comparison to the sum: as data, as SVG, as lines of text.

The weights themselves are Splink's, read from ``match.*_candidate``; nothing is computed anew here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

#: For the pair, against it, and what all begins and ends with: told apart by colour-blind eyes too.
FOR, AGAINST, WHOLE = "#2a7ab9", "#c8553d", "#6b7280"
#: What the prior is called: the weight of a pair of which nothing is known.
PRIOR, TOTAL = "prior", "match weight"
#: What people taught; left out where they taught nothing.
LEARNED = "learned"


@dataclass(frozen=True)
class Bar:
    """One step in bits (log2 of odds): it leads from ``start`` to ``end``."""

    name: str
    bits: float
    start: float
    end: float


def waterfall(match_weight: float | None, weights: Mapping[str, float]) -> tuple[Bar, ...]:
    """Return the steps from the prior to ``match_weight``, the sum last; none for a pair that was not weighed.

    ``weights`` are bits per comparison. What they leave of the match weight is the prior.
    """
    if match_weight is None:
        return ()
    prior = match_weight - sum(weights.values())
    bars, reached = [Bar(PRIOR, prior, 0.0, prior)], prior
    for name, bits in weights.items():
        if name == LEARNED and not bits:
            continue
        bars.append(Bar(name, bits, reached, reached + bits))
        reached += bits
    return (*bars, Bar(TOTAL, match_weight, 0.0, match_weight))


def waterfall_lines(bars: Sequence[Bar], width: int = 44) -> list[str]:
    """Return one line of text per bar, ``width`` columns of drawing: █ speaks for the pair, ▒ against it."""
    if not bars:
        return []
    edges = [edge for bar in bars for edge in (bar.start, bar.end)]
    low, scale = min(edges), width / ((max(edges) - min(edges)) or 1)
    label = max(len(bar.name) for bar in bars)
    lines = []
    for bar in bars:
        first, last = sorted(round((edge - low) * scale) for edge in (bar.start, bar.end))
        drawn = ("█" if bar.bits >= 0 else "▒") * max(last - first, 1 if bar.bits else 0)
        lines.append(f"{bar.name.replace('_', ' '):<{label}} {bar.bits:+7.1f}  {' ' * min(first, width - 1)}{drawn}")
    return lines


def waterfall_svg(bars: Sequence[Bar], title: str = "", *, width: int = 420) -> str:
    """Return the waterfall as SVG that takes the colour of the text around it; empty without bars.

    For pages and Dagster's metadata: nothing in it is a script, a style or a link.
    """
    if not bars:
        return ""
    import vl_convert as vlc

    # The order is ours: from the prior down to the sum.
    names = [bar.name.replace("_", " ") for bar in bars]
    rows = [
        asdict(bar) | {"name": name, "kind": _kind(bar), "edge": max(bar.start, bar.end), "text": f"{bar.bits:+.1f}"}
        for name, bar in zip(names, bars, strict=True)
    ]
    y = {"field": "name", "type": "nominal", "sort": names, "title": None}
    scale = {"domain": ["for", "against", "whole"], "range": [FOR, AGAINST, WHOLE]}
    color = {"field": "kind", "type": "nominal", "scale": scale, "legend": None}
    start = {"field": "start", "type": "quantitative", "title": "bits"}
    drawn = {"mark": "bar", "encoding": {"y": y, "x": start, "x2": {"field": "end"}, "color": color}}
    place = {"field": "edge", "type": "quantitative"}
    told = {
        "mark": {"type": "text", "align": "left", "dx": 4, "color": "currentColor"},
        "encoding": {"y": y, "x": place, "text": {"field": "text"}},
    }
    axis = {f"{part}Color": "currentColor" for part in ("label", "title", "domain", "tick", "grid")}
    spec = {
        "data": {"values": rows},
        "width": width,
        "height": 22 * len(bars),
        "layer": [drawn, told],
        "background": None,
        "config": {"axis": axis | {"gridOpacity": 0.2}, "title": {"color": "currentColor"}, "view": {"stroke": None}},
    } | ({"title": title} if title else {})
    svg: str = vlc.vegalite_to_svg(spec)
    return svg


def _kind(bar: Bar) -> str:
    return "whole" if bar.name in (PRIOR, TOTAL) else "for" if bar.bits >= 0 else "against"
