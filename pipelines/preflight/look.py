"""Looking before leaping: is the connection, the user and every field we rely on as it must be?

Asks the org for a dozen answers and two or three more an object; moves no record and changes nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from data_contracts.errors import (
    AuthenticationError,
    CrosswalkError,
    OrgUnreachableError,
    SalesforceError,
    SettingsError,
)
from data_contracts.settings import Settings
from pipelines.extract.objects import api_name
from pipelines.preflight.connected import allocations, connected, organization, versions
from pipelines.preflight.facts import HomeFacts
from pipelines.preflight.fill import filled
from pipelines.preflight.objects import ObjectLook, look_at
from pipelines.preflight.packages import packages
from pipelines.preflight.report import Allocation, Connection, Finding, Package, Report
from pipelines.preflight.requested import asked_for, reads_reports
from pipelines.preflight.rights import Rights, rights
from pipelines.preflight.selections import selections, windows
from resources.salesforce import SalesforceOrg
from resources.salesforce.usage import attributed_to

_Answer = TypeVar("_Answer")
#: The next question would end the same way, after as many retries.
_NO_USE_ASKING = (AuthenticationError, OrgUnreachableError)


def preflight(
    org: SalesforceOrg, settings: Settings, facts: HomeFacts | None = None, *, now: datetime | None = None
) -> Report:
    """Return what was found, connection first, then the enabled objects in the order of the settings.

    What the org refuses becomes a red finding with its remedy, and the rest is looked at all the same. Raises
    SalesforceError only where the org does not say who is connected.
    """
    at, before = now or datetime.now(UTC), org.usage.total_calls()
    connection, findings = connected(org, settings, facts or HomeFacts())
    connection = _ask(findings, "API version", partial(versions, org, connection), connection)
    seen = Report(at, connection)
    if all(item.level != "red" or item.subject != "API version" for item in findings):
        # In a version that the org does not have, everything is missing.
        try:
            seen = _everything(org, settings, seen, findings)
        except _NO_USE_ASKING as error:
            findings.append(_red("connection", error))
    findings += windows(settings, at)
    calls = org.usage.total_calls() - before
    return replace(seen, findings=tuple(findings), asked_for=asked_for(settings), api_calls=calls)


def _everything(org: SalesforceOrg, settings: Settings, seen: Report, findings: list[Finding]) -> Report:
    names = [name for name, chosen in settings.objects.items() if chosen.enabled]
    unnamed: tuple[Connection, dict[str, Any]] = (seen.connection, {})
    connection, record = _ask(findings, "org", partial(organization, org, seen.connection), unnamed)
    if any((item.level, item.subject) == ("red", "org") for item in findings):
        return seen
    none_left: tuple[Allocation, ...] = ()
    left = _ask(findings, "API requests", partial(allocations, org, settings), none_left)
    unknown = (connection, Rights(False, False))
    apis = [api_name(name) for name in names]
    connection, may = _ask(
        findings, "user", partial(rights, org, connection, apis, reports=reads_reports(settings)), unknown
    )
    looks: list[ObjectLook] = []
    for name in names:
        with attributed_to(name):
            look = _ask(findings, api_name(name), partial(_object, org, settings, name, may, record), None)
            looks += [look] if look else []
    for look in looks:
        if look.describe is not None:
            with attributed_to(look.name):
                findings += selections(org, settings, look.name)
    uses = tuple(use for look in looks for use in look.uses)
    no_packages: tuple[Package, ...] = ()
    relied = _ask(findings, "packages", partial(packages, org, settings, uses, record), no_packages)
    return replace(
        seen,
        connection=connection,
        allocations=left,
        objects=tuple(look.access for look in looks),
        fields=uses,
        packages=relied,
    )


def preflight_of(
    connect: Callable[[], SalesforceOrg], settings: Settings, facts: HomeFacts, *, now: datetime | None = None
) -> Report:
    """Return the report of the org that ``connect`` signs in to; a connection that cannot be made is a report too."""
    at = now or datetime.now(UTC)
    try:
        return preflight(connect(), settings, facts, now=at)
    except (SalesforceError, SettingsError) as error:
        return Report(checked_at=at, findings=(_red("connection", error),), asked_for=asked_for(settings))


def _red(subject: str, error: CrosswalkError) -> Finding:
    return Finding("red", subject, error.what + (f": {error.why}" if error.why else ""), error.next_step)


def _ask(
    findings: list[Finding],
    subject: str,
    question: Callable[[], tuple[_Answer, list[Finding]]],
    otherwise: _Answer,
) -> _Answer:
    """Return the answer and keep its findings; a refusal is a red finding, and ``otherwise`` stands for the answer."""
    try:
        answer, found = question()
    except _NO_USE_ASKING:
        raise
    except CrosswalkError as error:
        findings.append(_red(subject, error))
        return otherwise
    findings += found
    return answer


def _object(
    org: SalesforceOrg, settings: Settings, name: str, may: Rights, record: Mapping[str, Any]
) -> tuple[ObjectLook | None, list[Finding]]:
    look = filled(org, settings, look_at(org, settings, name, may, record))
    return look, list(look.findings)
