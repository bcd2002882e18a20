"""Which records of an object are wanted, as one SOQL condition; settings in, SOQL out.

List views contribute the condition behind them. What a delta adds is ``pipelines.extract.plan``.
"""

import calendar
import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime

from data_contracts.errors import SettingsError
from data_contracts.settings import Settings
from pipelines.extract.objects import api_name
from resources.salesforce import SalesforceOrg
from resources.salesforce.reports import ReportName
from resources.salesforce.rest import ListView

MONTHS = {"6 months": 6, "1 year": 12, "2 years": 24}


@dataclass(frozen=True)
class SelectionQuery:
    """A selection as SOQL.

    ``key`` identifies the settings behind it: it does not move with the calendar. ``restricted`` says that
    records can leave it without any stamp of their own moving. ``created_since`` is the start of a window. ``by_ids``:
    reports are among what selects, whose members no condition describes.
    """

    where: str | None
    key: str
    restricted: bool
    created_since: datetime | None = None
    by_ids: bool = False


def selection_query(org: SalesforceOrg, name: str, settings: Settings, now: datetime) -> SelectionQuery:
    """Return the condition for object ``name``.

    With ``advanced_sync`` a selection by lists limits ownership and not the mirror. Raises SettingsError for a
    list view that is not there or that shows a person's own records only.
    """
    chosen = settings.objects[name]
    conditions: list[str] = []
    if chosen.selection.mode == "condition":
        conditions.append(_condition(name, chosen.selection.condition))
    by_lists = chosen.selection.mode == "lists" and not chosen.advanced_sync
    by_ids = by_lists and bool(chosen.selection.reports)
    if by_lists and not by_ids:
        conditions.append(lists_condition(org, name, chosen.selection.lists))
    restricted = bool(conditions) or by_ids
    window = settings.objects["account"].opportunities if name == "opportunity" else None
    since = window_start(now, MONTHS[window]) if window else None
    # The conditions behind the lists too: an edited list view is another selection. The window's start is not
    # part of it, as it moves every day.
    identity = [chosen.selection.model_dump(mode="json"), chosen.advanced_sync, window, conditions]
    key = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]
    if since:
        conditions.append(f"CreatedDate >= {soql_time(since)}")
    where = " AND ".join(f"({part})" for part in conditions) if len(conditions) > 1 else "".join(conditions)
    return SelectionQuery(where or None, key, restricted, since, by_ids)


def resolve_lists(org: SalesforceOrg, name: str, wanted: tuple[str, ...]) -> list[ListView]:
    """Return the list views named by id (15 or 18 characters), developer name or label.

    Raises SettingsError naming the first that the connected user cannot see.
    """
    if not wanted:
        return []
    views = org.list_views(api_name(name))
    found: list[ListView] = []
    for want in wanted:
        match = next((view for view in views if want in (view.id, view.id[:15], view.developer_name, view.label)), None)
        if match is None:
            raise SettingsError(
                f"objects.{name}.selection.lists names {want!r}, which is not a list view the connected user can see",
                why="the list view was deleted or renamed, or is not shared with the user",
                next_step=f"share it with the user, or choose one of: {', '.join(v.developer_name for v in views[:9])}",
            )
        found.append(match)
    return found


def resolve_reports(org: SalesforceOrg, name: str, wanted: tuple[str, ...]) -> list[ReportName]:
    """Return the reports named by id (15 or 18 characters), developer name or name.

    Raises SettingsError naming the first that the connected user cannot see.
    """
    found: list[ReportName] = []
    for want in wanted:
        report = org.reports.find(want)
        if report is None:
            raise SettingsError(
                f"objects.{name}.selection.reports names {want!r}, which is not a report the connected user can see",
                why="the report was deleted or renamed, its folder is not shared with the user, or the name is not "
                "one report's alone",
                next_step="share its folder with the user, or write the report's id or developer name",
            )
        found.append(report)
    return found


def list_condition(org: SalesforceOrg, name: str, view: ListView) -> str:
    """Return the condition behind a list view, empty for all records; refuses "my" lists with the reason."""
    query = org.list_view_query(api_name(name), view.id)
    if query.scope != "everything":
        raise SettingsError(
            f"list view {view.developer_name or view.id} of {name} shows the scope {query.scope!r}",
            why="it would list the records of the connected user, not those of whoever made the list",
            next_step="use a list view over all records, filtered by owner if need be",
        )
    return query.where


def window_start(now: datetime, months: int) -> datetime:
    """Return midnight UTC of the day ``months`` before ``now``; the 31st becomes the month's last day."""
    index = now.year * 12 + now.month - 1 - months
    year, month = divmod(index, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return datetime(year, month + 1, min(now.day, last), tzinfo=UTC)


def soql_time(moment: datetime) -> str:
    """Return a SOQL datetime literal in whole seconds UTC: SOQL ignores fractions when it compares."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _condition(name: str, condition: str | None) -> str:
    if condition and condition.strip():
        return condition.strip()
    raise SettingsError(
        f"objects.{name}.selection.mode is condition, and there is no condition",
        why="without one every record would be imported",
        next_step=f"set objects.{name}.selection.condition, for example: Type = 'Customer'",
    )


def lists_condition(org: SalesforceOrg, name: str, lists: tuple[str, ...]) -> str:
    """Return the condition for the members of at least one of several list views, each record once."""
    views = resolve_lists(org, name, lists)
    if not views:
        raise SettingsError(
            f"objects.{name}.selection.mode is lists, and no list is named",
            why="without one no record would be imported",
            next_step=f"set objects.{name}.selection.lists to list view ids or developer names",
        )
    conditions = [list_condition(org, name, view) for view in views]
    if not all(conditions):
        return "Id != null"
    return " OR ".join(f"({part})" for part in conditions)
