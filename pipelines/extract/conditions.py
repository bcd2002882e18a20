"""Trying a selection before it is used: how many records it matches, what Salesforce says against it, what to mind.

It asks for counts and moves no record; what a selection becomes when it is used is ``pipelines.extract.selection``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from data_contracts.errors import CrosswalkError, SalesforceError
from data_contracts.settings import Selection, Settings
from pipelines.extract.objects import api_name
from pipelines.extract.plan import over_cap
from pipelines.extract.report_shape import read_shape
from pipelines.extract.report_slices import row_count
from pipelines.extract.selection import list_condition, lists_condition, resolve_lists, resolve_reports
from resources.salesforce import SalesforceOrg

_QUOTED = re.compile(r"'(?:\\.|[^'\\])*'")
_NO_CONDITION = re.compile(
    r"\b(ORDER\s+BY|GROUP\s+BY|LIMIT|OFFSET|WITH\s+SECURITY_ENFORCED|USING\s+SCOPE)\b", re.IGNORECASE
)
_LITERALS = re.compile(
    r"\b(TODAY|YESTERDAY|TOMORROW|(THIS|LAST|NEXT)_\w+|N?_?(DAYS|WEEKS|MONTHS)_AGO)\b", re.IGNORECASE
)


@dataclass(frozen=True)
class Trial:
    """What came of trying a selection.

    ``matched`` is None where it cannot be counted, ``records`` are all of the object. ``position`` is where in the
    condition, counted from 1, Salesforce found its fault. With ``problems`` the selection cannot be used.
    """

    object: str
    mode: str
    condition: str | None
    matched: int | None
    records: int
    cap: int | None
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    position: int | None = None
    members: dict[str, int] = field(default_factory=dict)

    @property
    def usable(self) -> bool:
        """Whether a sync would take it."""
        return not self.problems


def try_selection(org: SalesforceOrg, settings: Settings, name: str, condition: str | None = None) -> Trial:
    """Try the selection of object ``name`` in the settings, or a condition that is not in them yet.

    Raises SalesforceError where the org cannot be asked at all; what it says against the selection is in the result.
    """
    selection = Selection(mode="condition", condition=condition) if condition else settings.objects[name].selection
    records = org.count(api_name(name))
    if selection.mode == "condition":
        return _try_condition(org, settings, name, (selection.condition or "").strip(), records)
    return _try_lists(org, settings, name, selection, records)


def _try_condition(org: SalesforceOrg, settings: Settings, name: str, condition: str, records: int) -> Trial:
    problems, position, matched = list(faults(condition)), None, None
    if not problems:
        try:
            matched = org.count(api_name(name), f"({condition})")
        except SalesforceError as error:
            if error.status != 400:
                raise
            problems.append(error.what)
            position = place(error.position, f"SELECT COUNT() FROM {api_name(name)} WHERE (", condition)
    cap, refusal = over_cap(name, matched or 0, settings)
    problems += [refusal.partition("\n")[0]] if refusal else []
    told = tuple(warnings(condition))
    return Trial(name, "condition", condition, matched, records, cap, tuple(problems), told, position)


def _try_lists(org: SalesforceOrg, settings: Settings, name: str, selection: Selection, records: int) -> Trial:
    """Count each list view and report; their union only where it is one condition."""
    members: dict[str, int] = {}
    problems: list[str] = []
    for kind, wanted in (("list view", selection.lists), ("report", selection.reports)):
        for item in wanted:
            try:
                count = _view_count(org, name, item) if kind == "list view" else _report_count(org, name, item)
            except SalesforceError as error:
                if error.status != 400:
                    raise
                problems.append(error.what)
            except CrosswalkError as error:
                problems.append(str(error).replace("\n", "; "))
            else:
                members[f"{kind} {item}"] = count
    matched: int | None = records
    if selection.mode == "lists":
        countable = not problems and not selection.reports
        matched = org.count(api_name(name), lists_condition(org, name, selection.lists)) if countable else None
        if matched is None and len(members) == 1 and not problems:
            matched = next(iter(members.values()))
    cap, refusal = over_cap(name, matched or 0, settings)
    problems += [refusal.partition("\n")[0]] if refusal else []
    return Trial(name, selection.mode, None, matched, records, cap, tuple(problems), members=members)


def _view_count(org: SalesforceOrg, name: str, wanted: str) -> int:
    view = resolve_lists(org, name, (wanted,))[0]
    return org.count(api_name(name), list_condition(org, name, view) or None)


def _report_count(org: SalesforceOrg, name: str, wanted: str) -> int:
    """Run the report once: its rows are counted whole, however many are shown."""
    report = resolve_reports(org, name, (wanted,))[0]
    api, reports = api_name(name), org.reports
    prefix = str(org.describe(api).get("keyPrefix") or "")
    shape = read_shape(report, reports.describe(report.id), name, api, prefix)
    return row_count(shape, reports.run(report.id, shape.ask()))


def faults(condition: str) -> Iterator[str]:
    """Yield what makes a text no condition, before Salesforce is asked: it would be put between parentheses."""
    text = _QUOTED.sub(lambda quote: "'" + "x" * (len(quote[0]) - 2) + "'", condition)
    if re.match(r"\s*WHERE\b", text, re.IGNORECASE):
        yield "the condition begins with WHERE; leave the word out"
    if re.match(r"\s*SELECT\b", text, re.IGNORECASE):
        yield "the condition is a whole query; give what would stand after WHERE"
    outer = _without_subqueries(text)
    if found := _NO_CONDITION.search(outer):
        yield f"{' '.join(found[0].upper().split())} is no part of a condition; leave it out"
    depth = 0
    for character in text:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth < 0:
            break
    if depth:
        yield "the parentheses do not match"
    if text.count("'") % 2:
        yield "a quoted text does not end"


def warnings(condition: str) -> Iterator[str]:
    """Yield what works and has a price."""
    text = _QUOTED.sub("''", condition)
    if re.search(r"\(\s*SELECT\b", text, re.IGNORECASE):
        yield (
            "a semi-join (IN (SELECT …)) is slow on large objects, allowed twice at most and not inside OR; what it "
            "selects changes with other records"
        )
    if re.search(r"\bLIKE\s+'[%_]", condition, re.IGNORECASE):
        yield "LIKE with a wildcard in front uses no index: the org reads the whole object"
    if re.search(r"!=|<>|\bNOT\b", text, re.IGNORECASE):
        yield "!= and NOT use no index: the org reads the whole object"
    if _LITERALS.search(text):
        yield "a relative date moves by itself: records enter and leave without being changed"


def place(position: tuple[int, int] | None, prefix: str, condition: str) -> int | None:
    """Return where in ``condition`` (from 1) Salesforce's row and column point, None where they point elsewhere."""
    if position is None:
        return None
    row, column = position
    lines = (prefix + condition).split("\n")
    at = sum(len(line) + 1 for line in lines[: row - 1]) + column - len(prefix)
    return at if 1 <= at <= len(condition) + 1 else None


def _without_subqueries(text: str) -> str:
    """Blank what stands in parentheses that begin with SELECT."""
    kept, depth, inside = [], 0, 0
    for position, character in enumerate(text):
        if character == "(":
            depth += 1
            if not inside and re.match(r"\(\s*SELECT\b", text[position:], re.IGNORECASE):
                inside = depth
        kept.append(" " if inside else character)
        if character == ")":
            inside = 0 if inside == depth else inside
            depth -= 1
    return "".join(kept)
