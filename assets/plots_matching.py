"""Plots of the matching itself for asset metadata: m and u, precision and recall, link rate by segment.

Drawn from a few numbers each, like those of ``plots``; what the numbers mean is said where they are made.
"""

import math
from collections.abc import Sequence

import altair as alt
import dagster as dg

from assets.plots import LINK, RUN_AXIS, WIDTH, as_data, inline
from pipelines.resolve.agreement import Interval
from pipelines.resolve.model import Model

#: Height of a level's row.
ROW = 14
#: Width kept for names of levels: browsers draw text wider than it is measured here, and what is too wide is cut.
NAMES = 225
_SHARES = alt.Axis(values=[0, 0.5, 1], format=".1~f")
_LEAST = 1e-9


def m_and_u(model: Model) -> dg.MarkdownMetadataValue:
    """Return m, u and the weight of every level of every comparison.

    m: share of the level among matches, u: among all other pairs, both of pairs with something to compare; the weight
    is log2(m / u), what the level adds to a pair.
    """
    rows = []
    for comparison in model.comparisons:
        m, u = (model.parameters[comparison.name][which] for which in ("m", "u"))
        labels = [*(level.label for level in comparison.levels), "nothing alike"]
        for label, share, chance in zip(labels, m, u, strict=True):
            name = f"{comparison.name.replace('_', ' ')}: {label}"
            bits = math.log2(max(share, _LEAST) / max(chance, _LEAST))
            rows.append({"level": name, "m": share, "u": chance, "weight": bits, "for": bits >= 0})
    order = [str(row["level"]) for row in rows]
    panels: list[alt.Chart] = []
    for name, title in (("m", "m: of matches"), ("u", "u: of others"), ("weight", "weight (bits)")):
        axis = None if panels else alt.Axis(labelLimit=NAMES - 30, minExtent=NAMES)
        color = alt.Color("for:N", scale=alt.Scale(domain=[True, False], range=["#4c78a8", "#c8553d"]), legend=None)
        panel = alt.Chart(as_data(rows)).mark_bar(color="#7f8fa6")
        encoded = panel.encode(
            y=alt.Y("level:N", sort=order, title=None, axis=axis),
            x=alt.X(f"{name}:Q", title=title, axis=alt.Axis(tickCount=3) if name == "weight" else _SHARES),
        )
        encoded = encoded.encode(color=color) if name == "weight" else encoded
        panels.append(encoded.properties(width=(WIDTH - NAMES - 20) // 3, height=ROW * len(rows)))
    return inline(alt.hconcat(*panels, spacing=8), f"m and u of model {model.version}")


def precision_and_recall(figures: Sequence[tuple[str, Interval]], decisions: int) -> dg.MarkdownMetadataValue:
    """Return shares with their 95 % intervals; ``figures`` are (what, interval), ``decisions`` those they rest on."""
    rows = [
        {
            "what": f"{what} ({round(item.share * item.of)} of {item.of})",
            "share": item.share,
            "low": item.low,
            "high": item.high,
            "text": f"{item.share:.3f}  [{item.low:.3f}, {item.high:.3f}]",
        }
        for what, item in figures
    ]
    base = alt.Chart(as_data(rows)).encode(y=alt.Y("what:N", sort=None, title=None, axis=alt.Axis(minExtent=150)))
    scale = alt.Scale(domain=[0, 1])
    chart = (
        base.mark_rule(size=3, color="#7f8fa6").encode(x=alt.X("low:Q", title="share", scale=scale), x2="high:Q")
        + base.mark_point(filled=True, size=90, color=LINK, opacity=1).encode(x="share:Q")
        + base.mark_text(dy=-12, align="right", dx=4).encode(x="high:Q", text="text:N")
    ).properties(width=WIDTH - 200, height=46 * len(rows))
    told = f"95 % intervals over {decisions:,} decisions: hard pairs, some of them learnt from"
    return inline(chart, "Precision and recall without a person", told)


def segment_rates(rows: Sequence[tuple[str, str, str, int, float]], segment: str) -> dg.MarkdownMetadataValue:
    """Return the link rate per run by the values of one segment, one panel per object.

    ``rows`` are (start of the run as ISO text, object, value, records, share of 1).
    """
    values = [
        {"run": run, "object": name, "value": value, "records": records, "rate": rate}
        for run, name, value, records, rate in rows
    ]
    chart = (
        alt.Chart(as_data(values))
        .mark_line(point=True)
        .encode(
            x=alt.X("run:O", title="start of the run (UTC)", axis=RUN_AXIS),
            y=alt.Y("rate:Q", title="linked", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1])),
            # Three Salesforce ids are as wide as the plot.
            color=alt.Color("value:N", title=segment, legend=alt.Legend(orient="bottom", columns=3, columnPadding=24)),
        )
        .properties(width=WIDTH, height=150)
        .facet(row=alt.Row("object:N", title=None))
        .resolve_scale(color="independent")
    )
    return inline(chart, f"Link rate by {segment}")
