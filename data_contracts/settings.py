"""The settings model: what a CRM admin may write in ``crosswalk.yaml``, with every default.

Only the shape and the meaning of keys live here; reading the file and turning validation errors into
messages with line, key, value and nearest word is ``data_contracts.settings_file``.
"""

import hashlib
import json
import re
from datetime import date, time
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, PrivateAttr, field_validator, model_validator

from data_contracts.settings_alerts import Alerts, Email
from data_contracts.settings_imports import (
    Creation,
    Exports,
    Imports,
    MappedField,
    PrimaryRule,
    SurvivorRule,
    Survivorship,
)
from data_contracts.settings_review import Review, ReviewProxy, ReviewUser
from data_contracts.settings_section import Section, Share

# Sections that have a module of their own are found here too.
__all__ = [
    "Alerts",
    "Creation",
    "Email",
    "Exports",
    "Imports",
    "MappedField",
    "PrimaryRule",
    "Review",
    "ReviewProxy",
    "ReviewUser",
    "Section",
    "SurvivorRule",
    "Survivorship",
]

Frequency = Literal["daily", "weekly", "biweekly", "monthly", "manual"]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class Connection(Section):
    """Which org. Secrets are never written here: they come from ``SALESFORCE_*`` variables or a 0600 file."""

    enabled: bool = Field(
        True,
        description="the switch of the whole integration; off: schedules and syncs ask the org nothing and say so, "
        "what is published stays",
    )
    instance_url: str | None = Field(
        None, description="My Domain URL of the org, for example https://acme.my.salesforce.com"
    )
    login_url: str | None = Field(None, description="where to ask for a token, when it differs from instance_url")
    api_version: str = Field("62.0", pattern=r"^\d\d\.0$", description="Salesforce API version")
    timeout_seconds: float = Field(120, gt=0, description="longest wait for one answer of the org")


#: What schedules and syncs say while ``connection.enabled`` is false.
SWITCHED_OFF = "the whole integration is switched off (connection.enabled: false): the org is asked nothing"


class Selection(Section):
    """Which records of an object are imported."""

    mode: Literal["all", "lists", "condition"] = Field(
        "all", description="all records, only members of lists, or a SOQL condition"
    )
    lists: tuple[str, ...] = Field(
        (), description="list view ids or developer names; with mode all they are facets only"
    )
    reports: tuple[str, ...] = Field((), description="report ids or developer names, used like lists")
    condition: str | None = Field(None, description="a SOQL WHERE condition, without the word WHERE")

    @model_validator(mode="after")
    def _mode_has_its_key(self) -> "Selection":
        if self.mode == "lists" and not (self.lists or self.reports):
            raise ValueError("mode lists needs at least one entry under lists or reports")
        if self.mode == "condition" and not (self.condition or "").strip():
            raise ValueError("mode condition needs a condition, for example: condition: Industry = 'Energy'")
        return self


class CustomFilter(Section):
    """A picklist or lookup field shown as a filter beside ownership."""

    field: str = Field(description="API name of the field")
    name: str | None = Field(None, description="how the filter is called; the field's label unless given")


class ObjectSettings(Section):
    """What is imported of one Salesforce object, and when."""

    enabled: bool = Field(True, description="off stops the object's runs and removes nothing")
    frequency: Frequency = Field(
        "daily", description="daily: a full run on the set_up_on weekday, deltas on the others"
    )
    set_up_on: date | None = Field(
        None, description="the day the object was set up; its weekday is that of the weekly full run"
    )
    selection: Selection = Field(default_factory=Selection)
    opportunities: Literal["6 months", "1 year", "2 years"] | None = Field(
        "1 year", description="window of opportunities by CreatedDate"
    )
    custom_filters: tuple[CustomFilter, ...] = Field((), max_length=3, description="at most three")
    advanced_sync: bool = Field(
        True,
        description="mirror every readable field and record, matched or not; off: only the fields that are mapped, "
        "matched on or promised, and with mode lists only the chosen records",
    )
    calculated_refresh: Literal["nightly", "weekly", "never"] = Field(
        "nightly",
        description="when formula and roll-up fields that are mapped, matched on or filtered by are read again beside "
        "a delta: they move no stamp; a full run reads them anyway, and without such a field it costs nothing",
    )
    visible: bool = Field(True, description="whether ownership of this object is shown, apart from syncing it")

    @property
    def is_scheduled(self) -> bool:
        """Whether the object is ever due by itself."""
        return self.enabled and self.frequency != "manual"


class Window(Section):
    """The off-hours window in which scheduled runs may work; it may cross midnight."""

    time_zone: str = Field("America/New_York", description="IANA time zone")
    opens: time = Field(time(20, 0), description="local time")
    closes: time = Field(time(6, 0), description="local time")

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"{value!r} is not an IANA time zone such as America/New_York or Asia/Kolkata")
        return value

    @property
    def zone(self) -> ZoneInfo:
        """The zone as an object."""
        return ZoneInfo(self.time_zone)


class RecordLimits(Section):
    """The most records of an object that are imported; above it the object is refused, not truncated."""

    account: int = Field(2_000_000, gt=0)
    contact: int = Field(2_000_000, gt=0)
    lead: int = Field(2_000_000, gt=0)
    opportunity: int = Field(500_000, gt=0)


class ApiBudget(Section):
    """Our share of the org's daily API requests."""

    per_run: int = Field(2_000, gt=0, description="most API requests of one run")
    pause_at: Share = Field(0.95, description="share of the org's allocation in use at which we pause")
    resume_below: Share = Field(0.75, description="share below which we resume")
    wait_minutes: int = Field(
        60, ge=0, description="how long a run waits for that altogether; a scheduled one never past the window's end"
    )


class Limits(Section):
    """Record and API limits, and the memory DuckDB may use."""

    records: RecordLimits = Field(default_factory=RecordLimits)
    api: ApiBudget = Field(default_factory=ApiBudget)
    unseen_deletions: Share = Field(
        0.01,
        description="share of an object's records that may be missing without the org's log of deletions naming them; "
        "above it the object keeps its last good data",
    )
    memory: str = Field("2GB", pattern=r"^\d+(\.\d+)?\s?(MB|GB)$", description="DuckDB memory limit, for example 2GB")


class ReferenceSource(Section):
    """Where a reference table comes from: a CSV or Parquet path, a DuckDB file or a SQLAlchemy URL."""

    path: str | None = Field(None, description="CSV, Parquet or DuckDB file; relative to the settings file")
    url: str | None = Field(None, description="SQLAlchemy URL; ${NAME} is replaced from the environment")
    table: str | None = Field(None, description="table or view, for a DuckDB file or a URL")
    columns: dict[str, str] = Field(default_factory=dict, description="canonical column → column of the source")

    @model_validator(mode="after")
    def _one_source(self) -> "ReferenceSource":
        if bool(self.path) == bool(self.url):
            raise ValueError("exactly one of path and url is needed")
        if self.url and not self.table:
            raise ValueError("url needs table, the table or view to read")
        if self.url and re.search(r"://[^/@]*:(?!\$\{)[^/@]+@", self.url):
            raise ValueError(
                "a password is written into url; put it into an environment variable and write ${NAME} instead"
            )
        return self


class Reference(Section):
    """The reference database of companies and people."""

    company: ReferenceSource | None = None
    person: ReferenceSource | None = None


class Thresholds(Section):
    """Probabilities that part linked, in review and unmatched."""

    link: Share = Field(0.8, description="at or above: linked")
    review: Share = Field(0.5, description="at or above, below link: a person decides")
    ambiguity_margin: float = Field(1.0, ge=0, description="bits by which the best candidate must lead the second")

    @model_validator(mode="after")
    def _review_below_link(self) -> "Thresholds":
        if self.review > self.link:
            raise ValueError(f"review ({self.review}) must not be above link ({self.link})")
        return self


class Spark(Section):
    """A Spark cluster that scores candidate pairs, for reference data beyond one machine."""

    master: str | None = Field(
        None,
        pattern=r"^(spark://[^\s,/]+:\d+(,[^\s,/]+:\d+)*|local(\[(\*|\d+)\])?|yarn|k8s://https?://\S+)$",
        description="the cluster's address, for example spark://host:7077",
    )
    folder: Path | None = Field(
        None, description="where tables are exchanged, the same path on this machine and every worker"
    )
    options: dict[Annotated[str, Field(pattern=r"^spark\.\S+$")], str] = Field(
        default_factory=dict, description="Spark's own settings, for example spark.executor.memory: 8g"
    )


class Matching(Section):
    """How records are resolved against the reference."""

    auto_link: Literal["none", "rules", "model"] = Field("model", description="what may link without a person")
    thresholds: Thresholds = Field(default_factory=Thresholds)
    rungs: tuple[str, ...] | None = Field(None, description="rung codes in order; unset means all of them")
    ties: tuple[str, ...] = Field(
        ("match_weight", "same_country", "employees", "reference_id"), description="order that breaks ties"
    )
    engine: Literal["duckdb", "spark"] = Field("duckdb", description="where candidate pairs are scored")
    spark: Spark = Field(default_factory=Spark)
    max_link_changes: Share = Field(
        0.2,
        description="share of an object's links that one run may change without approval, and 50 in any case; "
        "1 never stops a run",
    )
    seed: int = Field(20260101, description="seed of the sample a model is trained on")
    reference_id_fields: dict[str, str] = Field(
        default_factory=dict, description="object → API field that already holds the reference id"
    )

    @model_validator(mode="after")
    def _spark_has_a_master(self) -> "Matching":
        if self.engine == "spark" and self.spark.master is None:
            raise ValueError("engine spark needs spark.master, for example: spark://host:7077")
        return self


class OwnUser(Section):
    """One of the organisation's own users, written into the settings."""

    user_id: str = Field(min_length=1, description="the organisation's own id of the user")
    name: str | None = Field(None, description="full name")
    email: str | None = Field(None, description="e-mail address")
    active: bool = Field(True, description="whether the user still works there")


class Users(Section):
    """The organisation's own users, to map CRM users to."""

    source: ReferenceSource | None = Field(
        None, description="where they come from; columns: user_id, name or first_name and last_name, email, active"
    )
    table: tuple[OwnUser, ...] = Field((), description="or written here, one by one")
    by_hand: dict[str, str] = Field(
        default_factory=dict, description="Salesforce user id → own user id; before anything else"
    )

    @model_validator(mode="after")
    def _each_once(self) -> "Users":
        if self.source and self.table:
            raise ValueError("users come from source or from table, not from both")
        twice = sorted({user.user_id for user in self.table if [u.user_id for u in self.table].count(user.user_id) > 1})
        if twice:
            raise ValueError(f"user_id is there more than once: {', '.join(twice[:5])}")
        wrong = [key for key in self.by_hand if len(key) not in (15, 18) or key[:3] not in ("005", "00G")]
        if wrong:
            raise ValueError(f"by_hand: {wrong[0]!r} is not the Id of a Salesforce user (005…) or queue (00G…)")
        return self


class Publish(Section):
    """What analysts get."""

    schemas: tuple[str, ...] | None = Field(None, description="unset means all published schemas")
    hidden_columns: tuple[str, ...] = Field((), description="schema.table.column that are left out")
    mask_personal: bool = Field(False, description="personal columns become a keyed hash, unless mask says otherwise")
    mask: dict[str, Literal["hash", "null", "drop", "show"]] = Field(
        default_factory=dict,
        description="what becomes of personal data: by class (name, email, phone, address, birth, job, text, user, "
        "value, other), schema, schema.table or schema.table.column; the narrowest counts",
    )
    storage_version: str = Field("v1.5.0", description="oldest DuckDB that must read the snapshot")
    keep: int = Field(3, ge=0, description="earlier snapshots kept")
    parquet: bool = Field(False, description="also write every published table to published/parquet/")

    @field_validator("mask", mode="before")
    @classmethod
    def _null_is_a_word(cls, value: object) -> object:
        # `email: null` in YAML is no text, and means what it says.
        return {k: "null" if v is None else v for k, v in value.items()} if isinstance(value, dict) else value


class Retention(Section):
    """How long files and history are kept, in days."""

    landing_days: int = Field(7, ge=0, description="downloaded pages that are loaded")
    history_days: int = Field(730, ge=1, description="intervals of the history that ended, and what happened in runs")
    snapshot_days: int | None = Field(None, ge=1, description="earlier snapshots; unset: as many as publish.keep")


DEFAULT_OBJECTS = (
    *("account", "contact", "lead", "opportunity", "user", "campaign", "campaign_member"),
    *("opportunity_contact_role", "task", "event"),
)


def _default_objects() -> dict[str, ObjectSettings]:
    return {name: ObjectSettings() for name in DEFAULT_OBJECTS}


class Settings(Section):
    """The whole of ``crosswalk.yaml``; everything but ``connection`` and ``reference`` works without being written."""

    connection: Connection = Field(default_factory=Connection)
    objects: dict[str, ObjectSettings] = Field(default_factory=_default_objects)
    window: Window = Field(default_factory=Window)
    limits: Limits = Field(default_factory=Limits)
    reference: Reference = Field(default_factory=Reference)
    matching: Matching = Field(default_factory=Matching)
    imports: Imports = Field(default_factory=Imports)
    exports: Exports = Field(default_factory=Exports)
    users: Users = Field(default_factory=Users)
    publish: Publish = Field(default_factory=Publish)
    retention: Retention = Field(default_factory=Retention)
    alerts: Alerts = Field(default_factory=Alerts)
    review: Review = Field(default_factory=Review)

    #: Where each key stands in the file, as written by the reader of the file: path of keys → line.
    _lines: dict[tuple[str | int, ...], int] = PrivateAttr(default_factory=dict)
    _file: str = PrivateAttr("")

    def where(self, *key: str | int) -> str:
        """Return where ``key`` stands, for a message: ``crosswalk.yaml line 12, imports.mapping``; else its name."""
        name = ".".join(str(part) for part in key)
        line = self.line_of(*key)
        return f"{self._file} line {line}, {name}" if line else name

    def line_of(self, *key: str | int) -> int | None:
        """Return the line of the settings file on which ``key`` stands, None where it does not."""
        return self._lines.get(key)

    @field_validator("objects")
    @classmethod
    def _defaults_stay(cls, value: dict[str, ObjectSettings]) -> dict[str, ObjectSettings]:
        tables: dict[str, str] = {}
        for name in value:
            other = tables.setdefault(name.lower(), name)
            if other != name:
                raise ValueError(f"{other} and {name} are one object: Salesforce does not tell capitals apart")
        return _default_objects() | value

    def hash(self) -> str:
        """Return a short, stable hash of all settings (no secret is among them)."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]
