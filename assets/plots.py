"""Plots for asset metadata: Altair charts rendered to SVG and inlined in Markdown.

They live in Dagster's event log, so each is drawn from a few aggregated numbers and stays well under 100 kB.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import dagster as dg
import vl_convert as vlc

# As wide as the dialog in which Dagster shows Markdown: the legend goes below, beside the plot it is cut off.
WIDTH, HEIGHT = 560, 220
LEGEND = alt.Legend(orient="bottom", columnPadding=24)
LINK, REVIEW = "#1b7f5c", "#b3590a"
# One label at a time: Vega gives all ticks of an axis the prefix of the largest, and 1 reads "0k".
TICKS = alt.Axis(values=[0, *(10**power for power in range(8))], labelExpr="format(datum.value, '~s')")

# The ISO text orders the runs and keeps two of one minute apart; people read date and time.
RUN_AXIS = alt.Axis(
    labelAngle=-30,
    labelExpr="substring(datum.value, 0, 10) + ' ' + substring(datum.value, 11, 16)",
    labelOverlap=True,
)


def histogram(
    bins: Sequence[tuple[float, int]], *, width: float, link: float, review: float
) -> dg.MarkdownMetadataValue:
    """Return the histogram of match weights, with the two thresholds as rules.

    ``bins`` are (lower edge in bits, candidates), all ``width`` bits wide; ``link`` and ``review`` are weights in bits.
    """
    rows = [{"from": edge, "to": edge + width, "pairs": pairs} for edge, pairs in bins]
    bars = (
        alt.Chart(as_data(rows))
        .mark_bar(color="#4c78a8")
        .encode(
            x=alt.X("from:Q", bin="binned", title="match weight (bits)"),
            x2="to:Q",
            y=alt.Y("pairs:Q", scale=alt.Scale(type="symlog"), axis=TICKS, title="candidates (log scale)"),
        )
    )
    names = [f"review from {review:.1f}", f"link from {link:.1f}"]
    marks = [{"weight": weight, "name": name} for weight, name in zip((review, link), names, strict=True)]
    color = alt.Color(
        "name:N", scale=alt.Scale(domain=names, range=[REVIEW, LINK]), title="threshold (bits)", legend=LEGEND
    )
    rules = alt.Chart(as_data(marks)).mark_rule(size=2, strokeDash=[5, 3]).encode(x="weight:Q", color=color)
    return _inline(bars + rules, "Match weights and thresholds")


def link_rate(rows: Sequence[tuple[str, str, float]]) -> dg.MarkdownMetadataValue:
    """Return the link rate per run and object; ``rows`` are (start of the run as ISO text, object, share of 1)."""
    values = [{"run": started, "object": name, "rate": rate} for started, name, rate in rows]
    chart = (
        alt.Chart(as_data(values))
        .mark_line(point=True)
        .encode(
            x=alt.X("run:O", title="start of the run (UTC)", axis=RUN_AXIS),
            y=alt.Y("rate:Q", title="linked", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1])),
            color=alt.Color("object:N", title="object", legend=LEGEND),
        )
    )
    return _inline(chart, "Link rate per run")


def rows_over_time(rows: Sequence[tuple[str, str, int]]) -> dg.MarkdownMetadataValue:
    """Return the live records in the mirror per run; ``rows`` are (start of the run as ISO text, object, records)."""
    values = [{"run": started, "object": name, "records": count} for started, name, count in rows]
    chart = (
        alt.Chart(as_data(values))
        .mark_line(point=True)
        .encode(
            x=alt.X("run:O", title="start of the run (UTC)", axis=RUN_AXIS),
            y=alt.Y("records:Q", title="live records (log scale)", scale=alt.Scale(type="symlog"), axis=TICKS),
            color=alt.Color("object:N", title="object", legend=LEGEND),
        )
    )
    return _inline(chart, "Records per object")


def api_use(
    rows: Sequence[tuple[str, str, int]],
    budget: int,
    estimates: Sequence[tuple[str, int, int | None, int | None]] = (),
) -> dg.MarkdownMetadataValue:
    """Return the API requests per run and object, what was expected of each run, and the budget of a run as a rule.

    ``rows`` are (start of the run as ISO text, object or ``-``, requests), ``estimates`` (start of the run, requests
    expected, the org's own count after it, what the org allows). The budget is drawn where it is near what was used:
    far above, it would flatten everything else, and the title names it.
    """
    values = [{"run": started, "object": name, "requests": count} for started, name, count in rows]
    y = alt.Y("sum(requests):Q", title="API requests", axis=alt.Axis(format="~s"))
    color = alt.Color("object:N", title="object", legend=LEGEND)
    runs = alt.X("run:O", title="start of the run (UTC)", axis=RUN_AXIS)
    chart: Any = alt.Chart(as_data(values)).mark_bar().encode(x=runs, y=y, color=color)
    if estimates:
        expected = [{"run": started, "estimated": count} for started, count, _, _ in estimates]
        tick = alt.Chart(as_data(expected)).mark_tick(color="black", thickness=2, size=24)
        chart += tick.encode(x=runs, y="estimated:Q")
    totals: dict[str, int] = {}
    for started, _, count in rows:
        totals[started] = totals.get(started, 0) + count
    if max(totals.values(), default=0) * 5 >= budget:
        chart += (
            alt.Chart(as_data([{"budget": budget}])).mark_rule(color=REVIEW, strokeDash=[5, 3]).encode(y="budget:Q")
        )
    return _inline(chart, f"API requests per run, budget {budget:,}", _org_share(estimates))


def _org_share(estimates: Sequence[tuple[str, int, int | None, int | None]]) -> str:
    """Say what the marks are, and how much of its allocation the org had used after the latest run."""
    marks = "black mark: estimated before the run"
    last = next((item for item in reversed(estimates) if item[2] is not None and item[3]), None)
    if last is None or last[2] is None or not last[3]:
        return marks
    return f"{marks}; the org had used {last[2]:,} of {last[3]:,} ({last[2] / last[3]:.0%}) in 24 hours"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> dg.MetadataValue[Any]:
    """Return rows of text as a Markdown table, or the word none."""
    if not rows:
        return dg.MetadataValue.text("none")
    lines = [heads, ["---"] * len(heads), *rows]
    return dg.MetadataValue.md("\n".join("| " + " | ".join(_cell(value) for value in line) + " |" for line in lines))


def _cell(value: object) -> str:
    return str(value if value is not None else "").replace("|", "\\|").replace("\n", " ")


def as_data(rows: Sequence[Mapping[str, object]]) -> Any:
    """Return rows as a chart's own data."""
    return alt.InlineData(values=[dict(row) for row in rows])


def inline(chart: Any, title: str, subtitle: str = "") -> dg.MarkdownMetadataValue:
    """Return a chart that has a width and a height of its own as Markdown with the SVG in it."""
    return _inline(chart, title, subtitle, None)


def _inline(
    chart: Any, title: str, subtitle: str = "", size: tuple[int, int] | None = (WIDTH, HEIGHT)
) -> dg.MarkdownMetadataValue:
    heading = alt.TitleParams(title, subtitle=subtitle) if subtitle else title
    titled = chart.properties(title=heading)
    spec = (titled.properties(width=size[0], height=size[1]) if size else titled).to_json()
    svg = vlc.vegalite_to_svg(spec)
    encoded = base64.b64encode(svg.encode()).decode()
    return dg.MetadataValue.md(f"![{title}](data:image/svg+xml;base64,{encoded})")
