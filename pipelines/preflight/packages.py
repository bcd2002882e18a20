"""Which installed packages the settings rely on: fields and objects named ``namespace__Name__c`` belong to one."""

from collections.abc import Mapping, Sequence
from typing import Any

from data_contracts.errors import SalesforceError
from data_contracts.settings import Settings
from pipelines.extract.objects import api_name, namespace_of
from pipelines.preflight.connected import VIEW_SETUP
from pipelines.preflight.relied import NAMED
from pipelines.preflight.report import FieldUse, Finding, Package
from resources.salesforce import SalesforceOrg

_SOQL = (
    "SELECT SubscriberPackage.NamespacePrefix, SubscriberPackage.Name, SubscriberPackageVersion.MajorVersion, "
    "SubscriberPackageVersion.MinorVersion, SubscriberPackageVersion.PatchVersion, "
    "SubscriberPackageVersion.BuildNumber FROM InstalledSubscriberPackage"
)


def packages(
    org: SalesforceOrg, settings: Settings, uses: Sequence[FieldUse], organization: Mapping[str, Any]
) -> tuple[tuple[Package, ...], list[Finding]]:
    """Return the packages relied on, and whether they are installed; the org is asked only if there are any."""
    needed: dict[str, list[str]] = {}
    for name, user in _named(settings, uses):
        if (space := namespace_of(name)) and space != organization.get("NamespacePrefix"):
            needed.setdefault(space, []).append(user)
    if not needed:
        return (), [Finding("green", "packages", "the settings rely on no installed package", area="package")]
    try:
        installed = {str(row["SubscriberPackage"]["NamespacePrefix"]): row for row in org.rest.tooling(_SOQL)}
    except SalesforceError as error:
        told = f"the settings rely on {', '.join(needed)}; installed packages are not readable ({error.code})"
        return (), [Finding("amber", "packages", told, VIEW_SETUP, "package")]
    lower = {namespace.lower(): row for namespace, row in installed.items()}
    known = tuple(_package(namespace, lower.get(namespace.lower()), users) for namespace, users in needed.items())
    return known, [_finding(package) for package in known]


def _named(settings: Settings, uses: Sequence[FieldUse]) -> list[tuple[str, str]]:
    fields = [(use.field, f"{use.object}.{use.field}") for use in uses if NAMED & set(use.used_for)]
    return fields + [(api_name(name), api_name(name)) for name, item in settings.objects.items() if item.enabled]


def _package(namespace: str, row: Mapping[str, Any] | None, users: Sequence[str]) -> Package:
    if row is None:
        return Package(namespace, "", "", tuple(users))
    numbers = row["SubscriberPackageVersion"] or {}
    parts = [numbers.get(f"{part}Version") for part in ("Major", "Minor", "Patch")]
    version = ".".join(str(part or 0) for part in parts)
    version += f" (build {numbers['BuildNumber']})" if numbers.get("BuildNumber") else ""
    return Package(namespace, str(row["SubscriberPackage"].get("Name") or namespace), version, tuple(users))


def _finding(package: Package) -> Finding:
    users = ", ".join(package.used_by)
    if package.version:
        told = f"{package.name} ({package.namespace}) {package.version}: {users}"
        return Finding("green", "packages", told, area="package")
    told = f"no installed package has the namespace {package.namespace}, and crosswalk.yaml relies on {users}"
    remedy = "Setup > Installed Packages: install it again, or take these out of crosswalk.yaml"
    return Finding("red", "packages", told, remedy, "package")
