"""What the org's describe says now, kept in ``salesforce.field`` with its history, and what changed since.

Deciding what to read of it is ``pipelines.extract.plan``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from duckdb import DuckDBPyConnection

from data_contracts.contracts import load_contract, object_contract
from data_contracts.errors import ExtractionError, QuotaError, SalesforceError
from data_contracts.mapping import ENTITY, mapped_fields
from data_contracts.settings import Settings
from pipelines.extract.drift import GONE, HIDDEN, WHOLE, Change, KnownField, differences
from pipelines.extract.fields import FieldSpec, field_specs
from pipelines.extract.objects import MATCHED, api_name, table_name
from pipelines.extract.state import doubt_fields, pin_org
from pipelines.extract.usage import record_usage
from pipelines.run import RunContext
from pipelines.tables import ensure_table, table_columns, transaction
from resources.salesforce import SalesforceOrg
from resources.salesforce.usage import attributed_to

#: A list of these is passed as one parameter: a registered table would load pandas, half a second in every process.
_FIELD = (
    "STRUCT(object_name VARCHAR, field_name VARCHAR, label VARCHAR, type VARCHAR, length BIGINT, precision BIGINT, "
    "scale BIGINT, picklist_values VARCHAR[], createable BOOLEAN, updateable BOOLEAN, calculated BOOLEAN, "
    "custom BOOLEAN, help_text VARCHAR, picklist_labels VARCHAR[], reference_to VARCHAR[], position BIGINT, "
    "first_seen TIMESTAMP, last_seen TIMESTAMP)"
)

#: Without these an account, contact or lead has no name to be matched by.
MATCH_KEYS = {"account": ("Name",), "contact": ("LastName",), "lead": ("LastName", "Company")}


@dataclass(frozen=True)
class SchemaRefresh:
    """What a refresh found: readable objects, skipped ones with the reason, changes, and what is missing."""

    fields: int
    changes: int
    objects: tuple[str, ...]
    skipped: Mapping[str, str]
    missing: tuple[tuple[str, str], ...] = ()

    def raise_if_needed(self) -> None:
        """Raise ExtractionError when a field that matching, a filter or a contract relies on is not there."""
        if self.missing:
            names = ", ".join(f"{api_name(name)}.{field}" for name, field in self.missing)
            raise ExtractionError(
                f"a match key, a filter or a contract relies on {names}, which the org does not show",
                why=GONE,
                next_step="restore the field, or give the user's permission set read access, "
                "or take it out of crosswalk.yaml where it is named there (see: crosswalk fields OBJECT)",
            )


def needed_fields(settings: Settings) -> dict[str, frozenset[str]]:
    """Return the API fields per object that a run cannot do without.

    Those the settings match on or filter by, those an object cannot be matched without, and those its contract
    requires. A mapped field is not among them: where it goes, the import of its object stops, and nothing else.
    """
    needed: dict[str, set[str]] = {name: set(fields) for name, fields in MATCH_KEYS.items()}
    for enabled in settings.objects:
        required = {column.name for column in object_contract(table_name(enabled)).columns if column.required}
        needed.setdefault(enabled, set()).update(name for name in required if not name.startswith("_"))
    for matched, reference_field in settings.matching.reference_id_fields.items():
        needed.setdefault(matched, set()).add(reference_field)
    for name, chosen in settings.objects.items():
        needed.setdefault(name, set()).update(item.field for item in chosen.custom_filters)
    return {name: frozenset(fields) for name, fields in needed.items() if fields}


def mapped_sources(settings: Settings) -> dict[str, frozenset[str]]:
    """Return the API fields per object that feed its imports, by the settings or by default."""
    return {name: mapped_fields(settings, name) for name in ENTITY}


def refresh_schema(
    con: DuckDBPyConnection,
    org: SalesforceOrg,
    objects: Iterable[str],
    run: RunContext,
    needed: Mapping[str, frozenset[str]] | None = None,
    mapped: Mapping[str, frozenset[str]] | None = None,
) -> SchemaRefresh:
    """Describe ``objects``, update ``salesforce.field`` and record differences in ``ops.schema_change``.

    ``needed`` are fields that a run cannot do without, ``mapped`` those that an object's import reads: a change of
    either is marked, and those of ``needed`` that are not there are in the result.

    An object the org lacks or the user cannot read is skipped and named; for account, contact and lead that
    is an error. Raises OrgMismatchError when the org is not the pinned one.
    """
    pin_org(con, org.identity())
    described: dict[str, tuple[str, tuple[FieldSpec, ...]]] = {}
    skipped: dict[str, str] = {}
    for name in objects:
        try:
            with attributed_to(name):
                body = org.describe(api_name(name))
        except QuotaError:
            raise
        except SalesforceError as error:
            if error.status not in (400, 403, 404):
                raise
            skipped[name] = _unreadable(name, error)
            continue
        described[name] = (str(body["name"]), field_specs(body))
    _prepare(con)
    changes = 0
    with transaction(con):
        for name, (api, specs) in described.items():
            relied_on = (needed or {}).get(name, frozenset()) | (mapped or {}).get(name, frozenset())
            changes += _record(con, api, specs, run, relied_on)
        changes += sum(_record_hidden(con, api_name(name), run) for name in skipped)
    record_usage(con, org, run)
    missing = tuple(
        (name, field)
        for name, fields in sorted((needed or {}).items())
        if name in described
        for field in sorted(fields)
        if field.lower() not in {spec.name.lower() for spec in described[name][1]}
    )
    total = sum(len(specs) for _, specs in described.values())
    return SchemaRefresh(total, changes, tuple(described), skipped, missing)


def known_fields(con: DuckDBPyConnection, name: str) -> tuple[str, tuple[FieldSpec, ...]]:
    """Return the API name and the fields of object ``name`` as last described; empty where it never was."""
    if "position" not in table_columns(con, "salesforce.field"):
        return "", ()
    rows = con.execute(
        "SELECT object_name, field_name, label, type, length, precision, scale, picklist_values, createable, "
        "updateable, calculated, custom, coalesce(help_text, '') FROM salesforce.field "
        "WHERE lower(object_name) = lower(?) AND gone_at IS NULL ORDER BY position",
        [api_name(name)],
    ).fetchall()
    specs = tuple(_spec(row) for row in rows)
    return (rows[0][0] if rows else ""), specs


def _prepare(con: DuckDBPyConnection) -> None:
    ensure_table(con, load_contract("salesforce.field"))
    ensure_table(con, load_contract("ops.schema_change"))


def _spec(row: tuple[Any, ...]) -> FieldSpec:
    names = ("name", "label", "type", "length", "precision", "scale")
    flags = ("createable", "updateable", "calculated", "custom", "help")
    picklist = tuple(row[7] or ())
    return FieldSpec(
        **dict(zip(names, row[1:7], strict=True)), picklist_values=picklist, **dict(zip(flags, row[8:], strict=True))
    )


def _unreadable(name: str, error: SalesforceError) -> str:
    if name in MATCHED:
        raise ExtractionError(
            f"the org does not show object {api_name(name)}: {error.code}",
            why="the object does not exist there, or the connected user has no permission to read it",
            next_step=f"give the user's permission set Read on {api_name(name)}, "
            f"or set objects.{name}.enabled: false in crosswalk.yaml",
        ) from error
    return f"{api_name(name)} is not there or not readable for this user ({error.code})"


def _record(
    con: DuckDBPyConnection, api: str, specs: tuple[FieldSpec, ...], run: RunContext, needed: frozenset[str]
) -> int:
    before = con.execute(
        "SELECT field_name, coalesce(label, field_name), type, coalesce(length, 0), coalesce(precision, 0), "
        "coalesce(scale, 0), coalesce(calculated, false), gone_at IS NOT NULL FROM salesforce.field "
        "WHERE lower(object_name) = lower(?)",
        [api],
    ).fetchall()
    changes = differences([KnownField(*row) for row in before], specs)
    _note(con, api, changes, run, needed)
    doubt_fields(con, table_name(api), [change.field for change in changes if change.refill])
    _replace_snapshot(con, api, specs, datetime.now(UTC).replace(tzinfo=None))
    return len(changes)


def _record_hidden(con: DuckDBPyConnection, api: str, run: RunContext) -> int:
    """Note that an object described before can no longer be read; its fields count as gone, its rows stay."""
    now = datetime.now(UTC).replace(tzinfo=None)
    gone = con.execute(
        "UPDATE salesforce.field SET gone_at = ? WHERE lower(object_name) = lower(?) AND gone_at IS NULL", [now, api]
    ).fetchall()[0][0]
    if gone:
        change = Change(WHOLE, "hidden", f"{gone} fields", None, HIDDEN)
        _note(con, api, [change], run, frozenset())
    return int(gone > 0)


def _note(
    con: DuckDBPyConnection, api: str, changes: Sequence[Change], run: RunContext, needed: frozenset[str]
) -> None:
    """Write changes to ``ops.schema_change``; what happens twice within a run is there once."""
    now, relied_on = datetime.now(UTC).replace(tzinfo=None), {name.lower() for name in needed}
    for change in changes:
        key = [run.run_id, api, change.field, change.change]
        con.execute(
            "DELETE FROM ops.schema_change WHERE run_id = ? AND object_name = ? AND field_name = ? AND change = ?", key
        ).fetchall()
        con.execute(
            "INSERT INTO ops.schema_change BY NAME SELECT ? AS run_id, ? AS object_name, ? AS field_name, "
            "? AS change, ? AS detected_at, ? AS old_value, ? AS new_value, ? AS needed, ? AS message",
            [*key, now, change.old, change.new, change.field.lower() in relied_on, change.message],
        ).fetchall()


def _replace_snapshot(con: DuckDBPyConnection, api: str, specs: tuple[FieldSpec, ...], now: datetime) -> None:
    present = [spec.name.lower() for spec in specs]
    con.execute(
        "UPDATE salesforce.field SET object_name = $api, gone_at = coalesce(gone_at, CASE WHEN lower(field_name) "
        "NOT IN (SELECT unnest($present::VARCHAR[])) THEN $now END) WHERE lower(object_name) = lower($api)",
        {"api": api, "present": present, "now": now},
    ).fetchall()
    seen = "SELECT lower(field_name), first_seen FROM salesforce.field WHERE object_name = ?"
    first_seen = dict(con.execute(seen, [api]).fetchall())
    con.execute(
        "DELETE FROM salesforce.field WHERE object_name = ? AND lower(field_name) IN (SELECT unnest(?::VARCHAR[]))",
        [api, present],
    ).fetchall()
    rows = [
        {
            "object_name": api,
            "field_name": spec.name,
            "label": spec.label,
            "type": spec.type,
            "length": spec.length,
            "precision": spec.precision,
            "scale": spec.scale,
            "picklist_values": list(spec.picklist_values),
            "createable": spec.createable,
            "updateable": spec.updateable,
            "calculated": spec.calculated,
            "custom": spec.custom,
            "help_text": spec.help or None,
            "picklist_labels": list(spec.picklist_labels),
            "reference_to": list(spec.reference_to),
            "position": position,
            "first_seen": first_seen.get(spec.name.lower(), now),
            "last_seen": now,
        }
        for position, spec in enumerate(specs)
    ]
    con.execute(
        f"INSERT INTO salesforce.field BY NAME SELECT unnest(field) FROM (SELECT unnest(?::{_FIELD}[]) AS field)",
        [rows],
    ).fetchall()
