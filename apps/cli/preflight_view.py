"""How a preflight report looks in a terminal or a pipe: every line says its colour in words too."""

from collections.abc import Sequence

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from pipelines.preflight.report import FieldUse, Finding, Level, Report

STYLES: dict[Level, str] = {"green": "green", "grey": "bright_black", "amber": "yellow", "red": "bold red"}
MARKS: dict[Level, str] = {"green": "✔ green", "grey": "· grey", "amber": "! amber", "red": "✘ red"}
#: A file or a pipe has no width.
PIPE_WIDTH = 120
#: Below this share a field tells few records apart.
SOME = 0.5


def show(report: Report, *, review: bool) -> None:
    """Print the report; ``review`` adds everything that is asked for, for a security review."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(width=PIPE_WIDTH, highlight=False)
    console.print(_findings(report.findings))
    if any(use.records is not None for use in report.fields):
        console.print()
        console.print(_fields([use for use in report.fields if use.records is not None]))
    if review:
        console.print()
        console.print(_asked(report))
    console.print()
    for line in summary(report, review=review):
        console.print(line)


def summary(report: Report, *, review: bool) -> list[Text]:
    """Return the last lines: how many of each colour, and what to do next."""
    counts = {level: sum(item.level == level for item in report.findings) for level in ("red", "amber", "green")}
    words = ", ".join(f"{count} {level}" for level, count in counts.items())
    after: dict[Level, str] = {
        "red": "A sync will fail or lack data until the red lines are mended.",
        "amber": "A sync works; the amber lines say what it does without.",
    }
    lines = [
        Text.assemble((f"Preflight: {words}. ", STYLES[report.level]), after.get(report.level, "A sync will work."))
    ]
    if report.api_calls:
        lines.append(Text(f"{report.api_calls} API calls, no record moved.", style="bright_black"))
    if not review:
        told = "crosswalk preflight --review lists every scope and object asked for, why, and where it is revoked."
        lines.append(Text(told, style="bright_black"))
    return lines


def _findings(findings: Sequence[Finding]) -> Table:
    table = Table(title="Preflight", title_justify="left", title_style="bold", expand=False)
    table.add_column("", no_wrap=True)
    table.add_column("what", min_width=11, overflow="fold")
    table.add_column("found, and what to do", overflow="fold")
    area = ""
    for item in findings:
        if area and item.area != area:
            table.add_section()
        area = item.area
        message = Text(item.message, style="bright_black" if item.level == "grey" else "")
        told = Group(message, Text(f"→ {item.remedy}", style=STYLES[item.level])) if item.remedy else message
        table.add_row(Text(MARKS[item.level], style=STYLES[item.level]), item.subject, told)
    return table


def _fields(uses: Sequence[FieldUse]) -> Table:
    table = Table(title="Fields in use", title_justify="left", title_style="bold")
    for name in ("object", "field", "used for"):
        table.add_column(name, overflow="fold")
    table.add_column("readable", no_wrap=True)
    table.add_column("filled", justify="right", no_wrap=True)
    table.add_column("of", justify="right", no_wrap=True)
    last = ""
    for use in uses:
        if last and use.object != last:
            table.add_section()
        state = Text("yes", style="green") if use.state == "readable" else Text(use.state, style="yellow")
        count = f"{use.records:,}" if use.records is not None else "–"
        table.add_row(
            use.object if use.object != last else "", use.field, ", ".join(use.used_for), state, _share(use), count
        )
        last = use.object
    return table


def _share(use: FieldUse) -> Text:
    if use.share is None:
        return Text("–" if use.records == 0 or use.state != "readable" else "not counted", style="bright_black")
    style = "red" if use.share == 0 else "yellow" if use.share < SOME else "green"
    # 99.97 % is not all of them, and 0.02 % not none.
    figure = f"{use.share:.0%}" if use.share in (0, 1) else f"{min(max(use.share, 0.001), 0.999):.1%}"
    return Text(figure, style=style)


def _asked(report: Report) -> Table:
    table = Table(title="Asked for (for a security review)", title_justify="left", title_style="bold")
    for name in ("kind", "name", "why", "revoked at"):
        table.add_column(name, overflow="fold")
    kind = ""
    for item in report.asked_for:
        if kind and item.kind != kind:
            table.add_section()
        kind = item.kind
        table.add_row(item.kind, item.name, item.reason, item.revoke)
    return table
