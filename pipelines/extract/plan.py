"""What is to be fetched of each object: full or delta, its bounds, its query, its transport, within its cap.

Planning asks the org for counts only; creating jobs is ``pipelines.extract.submit``.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from data_contracts.errors import ExtractionError
from data_contracts.settings import Settings
from pipelines.extract.fields import FieldSpec, cursor_field
from pipelines.extract.objects import table_name
from pipelines.extract.selection import SelectionQuery, soql_time
from pipelines.extract.state import Watermark
from pipelines.extract.watermark import Coverage
from resources.files import write_atomically
from resources.landing import LandedField, Manifest

#: A delta looks back this far behind the watermark: rows committed late carry an earlier stamp.
OVERLAP = timedelta(minutes=10)
#: Up to this many rows five REST pages are cheaper than a Bulk job.
REST_ROWS = 10_000

#: Up to this share of an object's fields, reading only those that are to be filled beats reading everything.
FILLED_SHARE = 0.5

#: Why a full run reads an object as a delta.
RESUMED = "the interrupted full run before it had loaded this object already"

Kind = Literal["full", "delta"]


class ObjectPlan(BaseModel):
    """What a run does about one object: where its rows (and ids) land, or why it is refused or skipped.

    ``stored`` are the live records of the warehouse when the run was planned, ``to_come`` the API calls expected from
    then on, by endpoint, ``needed`` the fields that the object cannot do without.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    run_id: str = ""
    kind: Kind
    reason: str = ""
    eligible: int = 0
    cap: int | None = None
    landing: str = ""
    ids_landing: str = ""
    refused: str = ""
    skipped: str = ""
    stored: int | None = None
    to_come: dict[str, int] = {}
    needed: tuple[str, ...] = ()

    @property
    def over_limit(self) -> int:
        """Records above the cap."""
        return max(0, self.eligible - self.cap) if self.cap is not None else 0


class ExtractionPlan(BaseModel):
    """The plan of a run: one entry per enabled object, kept beside the landing files."""

    model_config = ConfigDict(frozen=True)

    run_id: str
    objects: dict[str, ObjectPlan]

    def require(self, name: str) -> ObjectPlan:
        """Return the plan of ``name``; raises ExtractionError when it was refused or is not in this run."""
        plan = self.objects.get(name)
        if plan is None:
            raise ExtractionError(
                f"object {name} is not part of run {self.run_id}", why="it is switched off or was not asked for"
            )
        if plan.refused:
            what, _, rest = plan.refused.partition("\n")
            raise ExtractionError(what, why=rest.partition("\n")[0], next_step=rest.partition("\n")[2])
        return plan

    def save(self, landing: Path) -> None:
        """Keep the plan for steps of the run that start in another process."""
        write_atomically(landing / f"plan-{self.run_id}.json", self.model_dump_json(indent=1))

    @classmethod
    def load(cls, landing: Path, run_id: str) -> "ExtractionPlan":
        """Read the plan of a run back; raises ExtractionError where there is none."""
        found = cls.find(landing, run_id)
        if found is None:
            raise ExtractionError(
                f"run {run_id} has no extraction plan",
                why="the step that submits the jobs has not run",
                next_step="run the whole sync: crosswalk sync",
            )
        return found

    @classmethod
    def find(cls, landing: Path, run_id: str) -> "ExtractionPlan | None":
        """Return the plan of a run, None where there is none."""
        path = landing / f"plan-{run_id}.json"
        return cls.model_validate_json(path.read_text()) if path.is_file() else None


@dataclass(frozen=True)
class ObjectInput:
    """What the warehouse knows of an object when a run is planned."""

    name: str
    api: str
    fields: tuple[FieldSpec, ...]
    watermark: Watermark | None
    columns: dict[str, str]
    doubt: tuple[str, str] | None = None
    loaded_by_unfinished: bool = False
    needed: frozenset[str] = frozenset()


def choose_kind(asked: Kind, known: ObjectInput, selection: SelectionQuery) -> tuple[Kind, str]:
    """Return full or delta, and why it is another one than was asked for.

    A full run that was interrupted after it had loaded the object has done its work: a delta brings it up to date.
    """
    kind, reason = _delta_or_full(known, selection)
    if asked == "full":
        return ("delta", RESUMED) if kind == "delta" and known.loaded_by_unfinished else ("full", "")
    return kind, reason


def _delta_or_full(known: ObjectInput, selection: SelectionQuery) -> tuple[Kind, str]:
    if known.watermark is None or not known.columns:
        return "full", "first load"
    if known.doubt and known.doubt[0] == "full":
        return "full", known.doubt[1]
    if known.watermark.selection_key != selection.key:
        return "full", "the selection changed"
    readable = [spec for spec in known.fields if spec.readable]
    if cursor_field(spec.name for spec in readable) is None:
        return "full", "the object has no field that tells when a record changed"
    if not (names := fields_to_fill(known)):
        return "delta", ""
    told = f"fields to fill: {', '.join(names[:5])}" + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    if selection.by_ids or len(names) > FILLED_SHARE * len(readable):
        return "full", told
    return "delta", f"{told}; a job of the Id and these fields reads them of every record"


def fields_to_fill(known: ObjectInput) -> list[str]:
    """Return the readable fields whose stored values cannot be relied on, sorted.

    They are new, came back, changed their type, or were gone at some describe since the last load.
    """
    covered = {name.lower() for name in known.watermark.fields} if known.watermark else set()
    columns = {name.lower(): kind for name, kind in known.columns.items()}
    return sorted(
        spec.name
        for spec in known.fields
        if spec.readable and (spec.name.lower() not in covered or columns.get(spec.name.lower()) != spec.duckdb_type)
    )


def over_cap(name: str, eligible: int, settings: Settings) -> tuple[int | None, str]:
    """Return the object's cap, and the refusal (what, why, next: one line each) when the count is over it."""
    cap: int | None = getattr(settings.limits.records, name, None)
    if cap is None or eligible <= cap:
        return cap, ""
    narrow = (
        "set objects.account.opportunities to a shorter window"
        if name == "opportunity"
        else f"set objects.{name}.selection to a condition or lists"
    )
    return cap, (
        f"{name} has {eligible:,} records, over the limit of {cap:,}\n"
        f"limits.records.{name} is {cap:,}; nothing was fetched and the last good data stays\n"
        f"{narrow}, or raise the limit; then run: crosswalk sync --object {name}"
    )


def soql_of(fields: Sequence[str], api: str, conditions: Sequence[str | None]) -> str:
    """Return a SELECT without ORDER BY or LIMIT, which would keep the org from working in chunks."""
    where = joined(conditions)
    return f"SELECT {', '.join(fields)} FROM {api}" + (f" WHERE {where}" if where else "")


def joined(conditions: Sequence[str | None]) -> str | None:
    """Return the conditions joined by AND, None when there is none."""
    parts = [part for part in conditions if part]
    return (" AND ".join(f"({part})" for part in parts) if len(parts) > 1 else "".join(parts)) or None


def delta_condition(cursor: str, since: datetime, until: datetime) -> str:
    """Return the half-open bounds of a delta, in whole seconds."""
    return f"{cursor} >= {soql_time(since)} AND {cursor} < {soql_time(until)}"


def match_key(*parts: object) -> str:
    """Identify a job by what it would fetch, so that a rerun finds the one a killed run left."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:24]


def _landed(spec: FieldSpec) -> LandedField:
    return LandedField(
        name=spec.name,
        type=spec.duckdb_type,
        length=spec.length,
        calculated=spec.calculated,
        comment=spec.comment,
    )


@dataclass(frozen=True)
class JobRequest:
    """One query to land, whatever the transport. ``filled`` are the fields that a job of every Id brings with it.

    ``again`` are Ids of records that a delta reads whether they changed or not.
    """

    known: ObjectInput
    kind: Kind
    purpose: Literal["records", "ids"]
    selection: SelectionQuery
    since: datetime | None
    coverage: Coverage
    eligible: int
    filled: tuple[str, ...] = ()
    again: tuple[str, ...] = ()

    @property
    def until(self) -> datetime:
        """The org's time before the job: the upper bound of a delta."""
        return self.coverage.until

    @property
    def deleted_since(self) -> datetime | None:
        """From where on deletions are unknown to the warehouse; None before the first load."""
        mark = self.known.watermark
        return self.since or (mark.covered_until - OVERLAP if mark else None)

    def fields(self) -> list[LandedField]:
        """Return the selected fields: all readable ones, or the Id and what is to be filled."""
        if self.purpose == "ids":
            filled = [_landed(spec) for spec in self.known.fields if spec.name in self.filled]
            return [LandedField(name="Id", type="VARCHAR"), *filled]
        return [_landed(spec) for spec in self.known.fields if spec.readable]

    def conditions(self) -> list[str | None]:
        """Return what the rows must satisfy: the bounds of a delta and the selection."""
        cursor = cursor_field(field.name for field in self.fields())
        bounds = delta_condition(cursor, self.since, self.until) if self.since and cursor else None
        if bounds and self.again:
            listed = ", ".join(f"'{record}'" for record in self.again)
            bounds = f"(({bounds}) OR Id IN ({listed}))"
        return [bounds, self.selection.where]

    def manifest(self, org_id: str, api_version: str, now: datetime) -> Manifest:
        """Return the first manifest of this job; its transport is still to be chosen."""
        fields, api = self.fields(), self.known.api
        soql = soql_of([field.name for field in fields], api, self.conditions())
        key = match_key(
            org_id, api, self.purpose, self.kind, api_version, self.selection.key, self.since,
            [field.model_dump() for field in fields], *self.again,
        )  # fmt: skip
        return Manifest(
            org_id=org_id,
            object=table_name(self.known.name),
            api_name=api,
            purpose=self.purpose,
            kind=self.kind,
            transport="bulk",
            soql=soql,
            fields=fields,
            api_version=api_version,
            match_key=key,
            restricted=self.selection.restricted,
            created_since=self.selection.created_since,
            since=self.since,
            deleted_since=self.deleted_since,
            until=self.until,
            covered=self.coverage.covered,
            covered_by_org=self.coverage.by_org,
            clock_offset=self.coverage.clock_offset,
            condition=self.selection.where or "",
            eligible=self.eligible,
            created_at=now,
            selection_key=self.selection.key,
        )
