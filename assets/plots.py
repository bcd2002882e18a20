"""Plots for asset metadata: Altair charts rendered to SVG and inlined in Markdown.

They live in Dagster's event log, so each is drawn from a few aggregated numbers and stays well under 100 kB.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import dagster as dg
import vl_convert as vlc

WIDTH, HEIGHT = 560, 220
LINK, REVIEW = "#1b7f5c", "#b3590a"
TICKS = alt.Axis(values=[0, *(10**power for power in range(8))], format="~s")


def histogram(
    bins: Sequence[tuple[float, int]], *, width: float, link: float, review: float
) -> dg.MarkdownMetadataValue:
    """Return the histogram of match weights, with the two thresholds as rules.

    ``bins`` are (lower edge in bits, candidates), all ``width`` bits wide; ``link`` and ``review`` are weights in bits.
    """
    rows = [{"from": edge, "to": edge + width, "pairs": pairs} for edge, pairs in bins]
    bars = (
        alt.Chart(_data(rows))
        .mark_bar(color="#4c78a8")
        .encode(
            x=alt.X("from:Q", bin="binned", title="match weight (bits)"),
            x2="to:Q",
            y=alt.Y("pairs:Q", scale=alt.Scale(type="symlog"), axis=TICKS, title="candidates (log scale)"),
        )
    )
    marks = [
        {"weight": review, "name": "review", "place": 10},
        {"weight": link, "name": "link", "place": 24},
    ]
    base = alt.Chart(_data(marks)).encode(
        x="weight:Q",
        color=alt.Color("name:N", scale=alt.Scale(domain=["review", "link"], range=[REVIEW, LINK]), title="threshold"),
    )
    return _inline(bars + base.mark_rule(size=2, strokeDash=[5, 3]), "Match weights and thresholds")


def link_rate(rows: Sequence[tuple[str, str, float]]) -> dg.MarkdownMetadataValue:
    """Return the link rate per run and object; ``rows`` are (start of the run, object, share from 0 to 1)."""
    values = [{"run": started, "object": name, "rate": rate} for started, name, rate in rows]
    chart = (
        alt.Chart(_data(values))
        .mark_line(point=True)
        .encode(
            x=alt.X("run:O", title="run", axis=alt.Axis(labelAngle=-30)),
            y=alt.Y("rate:Q", title="linked", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1])),
            color=alt.Color("object:N", title="object"),
        )
    )
    return _inline(chart, "Link rate per run")


def _data(rows: Sequence[Mapping[str, object]]) -> Any:
    return alt.InlineData(values=[dict(row) for row in rows])


def _inline(chart: Any, title: str) -> dg.MarkdownMetadataValue:
    spec = chart.properties(width=WIDTH, height=HEIGHT, title=title).to_json()
    svg = vlc.vegalite_to_svg(spec)
    encoded = base64.b64encode(svg.encode()).decode()
    return dg.MetadataValue.md(f"![{title}](data:image/svg+xml;base64,{encoded})")
