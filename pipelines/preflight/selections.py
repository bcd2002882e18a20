"""Whether what the settings select can be read: list views, reports, conditions, and the windows in time."""

from collections.abc import Iterator
from datetime import datetime

from data_contracts.errors import AuthenticationError, CrosswalkError, OrgUnreachableError
from data_contracts.settings import Settings
from pipelines.extract.conditions import try_selection
from pipelines.extract.objects import api_name
from pipelines.extract.selection import MONTHS, window_start
from pipelines.preflight.report import Finding
from resources.salesforce import SalesforceOrg


def selections(org: SalesforceOrg, settings: Settings, name: str) -> Iterator[Finding]:
    """Yield what trying the selection of one object says; nothing where all records are selected and no list named."""
    chosen = settings.objects[name].selection
    if chosen.mode == "all" and not (chosen.lists or chosen.reports):
        return
    subject, key = f"{api_name(name)} selection", f"objects.{name}.selection"
    try:
        trial = try_selection(org, settings, name)
    except (AuthenticationError, OrgUnreachableError):
        raise
    except CrosswalkError as error:
        remedy = error.next_step or f"crosswalk selection validate {name}"
        yield Finding("red", subject, f"{key} cannot be tried: {error.what}", remedy, "selection")
        return
    for problem in trial.problems:
        what, _, remedy = problem.replace("; Why: ", ": ").partition("; Next: ")
        remedy = remedy or f"correct {key} in crosswalk.yaml; try it: crosswalk selection validate {name}"
        yield Finding("red", subject, what, remedy, "selection")
    for warning in trial.warnings:
        yield Finding("grey", subject, warning, area="selection")
    if trial.usable:
        members = "; ".join(f"{item}: {count:,}" for item, count in trial.members.items())
        matched = "" if trial.matched is None else f"{trial.matched:,} of {trial.records:,} records"
        yield Finding("green", subject, "; ".join(filter(None, [matched, members])), area="selection")


def windows(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Yield when scheduled runs may work, and from when on opportunities are read."""
    window = settings.window
    at = now.astimezone(window.zone).time()
    opens, closes = window.opens, window.closes
    inside = opens <= at < closes if opens <= closes else at >= opens or at < closes
    told = f"scheduled runs from {opens:%H:%M} to {closes:%H:%M} {window.time_zone}"
    told += ", open now" if inside else ", closed now"
    yield Finding("green", "window", told, area="selection")
    length = settings.objects["account"].opportunities
    if settings.objects["opportunity"].enabled and length:
        since = window_start(now, MONTHS[length])
        told = f"opportunities created since {since:%Y-%m-%d} ({length})"
        yield Finding("green", "window", told, area="selection")
