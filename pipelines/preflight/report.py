"""What preflight found, as data: findings, objects, fields, packages, and what is asked for.

Belongs here: the shapes, their JSON, and the form without a user's name. Looking is the business of the other modules.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

#: green: as it must be; grey: not needed, or for information; amber: works with less; red: a sync will fail.
Level = Literal["green", "grey", "amber", "red"]
LEVELS: tuple[Level, ...] = ("green", "grey", "amber", "red")
#: Of the JSON document; it grows when a key changes its meaning or goes, not when one is added.
SCHEMA = 1
MASK = "(masked)"


@dataclass(frozen=True)
class Finding:
    """One thing looked at, with the remedy as clicks in Setup or a key of ``crosswalk.yaml``.

    ``area``: connection, user, object, selection or package.
    """

    level: Level
    subject: str
    message: str
    remedy: str = ""
    area: str = "connection"


@dataclass(frozen=True)
class Connection:
    """Who is connected to which org; texts are empty where they could not be read.

    ``connected_at`` is when ``crosswalk connect`` was run (UTC, ISO 8601), ``connected_by`` whom it signed in.
    """

    org_id: str = ""
    org_name: str = ""
    edition: str = ""
    kind: str = ""
    instance: str = ""
    instance_url: str = ""
    pinned_org_id: str = ""
    user_id: str = ""
    username: str = ""
    profile: str = ""
    licence: str = ""
    integration_user: bool | None = None
    grant: str = ""
    scopes: str = ""
    connected_by: str = ""
    connected_at: str = ""
    api_version: str = ""
    newest_api_version: str = ""


@dataclass(frozen=True)
class Allocation:
    """One allocation of the org: what it allows and what is left."""

    name: str
    allowed: int
    left: int


@dataclass(frozen=True)
class ObjectAccess:
    """What the user may do with an object.

    ``view_all``: every record whoever owns it; None where it cannot be told. ``hidden``: fields that some profile or
    permission set may read and this user may not; None where that is not readable.
    """

    object: str
    readable: bool
    editable: bool = False
    edit_needed: bool = False
    view_all: bool | None = None
    fields: int = 0
    hidden: tuple[str, ...] | None = None
    records: int | None = None


@dataclass(frozen=True)
class FieldUse:
    """One field that Crosswalk relies on.

    ``state``: readable; hidden (it exists, not for this user); missing (deleted, or hidden: the org does not say).
    ``filled`` of ``records`` have a value; None where the org was not asked or cannot count it.
    """

    object: str
    field: str
    used_for: tuple[str, ...]
    state: Literal["readable", "hidden", "missing"]
    editable: bool = False
    records: int | None = None
    filled: int | None = None

    @property
    def share(self) -> float | None:
        """The share of records that fill it; None where there are none or it is not known."""
        return self.filled / self.records if self.records and self.filled is not None else None


@dataclass(frozen=True)
class Package:
    """An installed package that fields or objects of the settings belong to; ``version`` is empty if it is missing."""

    namespace: str
    name: str
    version: str
    used_by: tuple[str, ...]


@dataclass(frozen=True)
class Asked:
    """One thing that is asked of Salesforce, why, and where it is taken back."""

    kind: Literal["scope", "permission", "object"]
    name: str
    reason: str
    revoke: str


@dataclass(frozen=True)
class Report:
    """Everything preflight found."""

    checked_at: datetime
    connection: Connection = field(default_factory=Connection)
    allocations: tuple[Allocation, ...] = ()
    findings: tuple[Finding, ...] = ()
    objects: tuple[ObjectAccess, ...] = ()
    fields: tuple[FieldUse, ...] = ()
    packages: tuple[Package, ...] = ()
    asked_for: tuple[Asked, ...] = ()
    api_calls: int = 0

    @property
    def level(self) -> Level:
        """The worst level found; grey counts as green."""
        found = worst(item.level for item in self.findings)
        return "green" if found == "grey" else found

    def document(self) -> dict[str, Any]:
        """Return the JSON document of ``crosswalk preflight --json``; its keys are a promise."""
        body = asdict(self)
        body["fields"] = [asdict(item) | {"share": item.share} for item in self.fields]
        head = {"schema": SCHEMA, "ok": self.level != "red", "level": self.level}
        return {**head, **body, "checked_at": self.checked_at.isoformat(timespec="seconds")}

    def masked(self) -> "Report":
        """Return the report without the names of users: for logs, the Dagster UI and other people's machines."""
        known = {value for value in (self.connection.username, self.connection.connected_by) if value}
        connection = replace(
            self.connection,
            username=MASK if self.connection.username else "",
            connected_by=MASK if self.connection.connected_by else "",
        )
        findings = tuple(
            replace(item, message=without(item.message, known), remedy=without(item.remedy, known))
            for item in self.findings
        )
        return replace(self, connection=connection, findings=findings)


def worst(levels: Any) -> Level:
    """Return the worst of several levels, green for none."""
    return max(levels, key=LEVELS.index, default="green")


def without(text: str, values: Any) -> str:
    """Return ``text`` with every one of ``values`` masked."""
    for value in sorted(values, key=len, reverse=True):
        text = text.replace(value, MASK)
    return text


def as_json(document: Mapping[str, Any] | Sequence[Any]) -> str:
    """Return a document as indented JSON."""
    return json.dumps(document, default=str, ensure_ascii=False, indent=2)
