"""What the org's describe says now, kept in ``salesforce.field`` with its history, and what changed since.

Deciding what to read of it is ``pipelines.extract.plan``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from duckdb import DuckDBPyConnection

from data_contracts.contracts import load_contract
from data_contracts.errors import ExtractionError, QuotaError, SalesforceError
from data_contracts.settings import Settings
from pipelines.extract.fields import FieldSpec, field_specs
from pipelines.extract.objects import MATCHED, api_name
from pipelines.extract.state import pin_org
from pipelines.extract.usage import record_usage
from pipelines.run import RunContext
from pipelines.tables import ensure_table, table_columns, transaction
from resources.salesforce import SalesforceOrg
from resources.salesforce.usage import attributed_to

#: A list of these is passed as one parameter: a registered table would load pandas, half a second in every process.
_FIELD = (
    "STRUCT(object_name VARCHAR, field_name VARCHAR, label VARCHAR, type VARCHAR, length BIGINT, precision BIGINT, "
    "scale BIGINT, picklist_values VARCHAR[], createable BOOLEAN, updateable BOOLEAN, calculated BOOLEAN, "
    "custom BOOLEAN, help_text VARCHAR, position BIGINT, first_seen TIMESTAMP, last_seen TIMESTAMP)"
)
GONE = "deleted in the org, or hidden from the connected user by field-level security"

HIDDEN = (
    "the object was deleted in the org, or the user lost the permission to read it; what was mirrored stays as it was"
)


@dataclass(frozen=True)
class SchemaRefresh:
    """What a refresh found: readable objects, skipped ones with the reason, changes, and what is missing."""

    fields: int
    changes: int
    objects: tuple[str, ...]
    skipped: Mapping[str, str]
    missing: tuple[tuple[str, str], ...] = ()

    def raise_if_needed(self) -> None:
        """Raise ExtractionError when a field that a mapping or a match key relies on is not there."""
        if self.missing:
            names = ", ".join(f"{api_name(name)}.{field}" for name, field in self.missing)
            raise ExtractionError(
                f"crosswalk.yaml relies on {names}, which the org does not show",
                why=GONE,
                next_step="restore the field, or give the user's permission set read access, "
                "or take it out of crosswalk.yaml",
            )


def needed_fields(settings: Settings) -> dict[str, frozenset[str]]:
    """Return the API fields per object that the settings name: mapped, matched on or filtered by."""
    needed: dict[str, set[str]] = {}
    for mapped, targets in settings.imports.mapping.items():
        for field in targets.values():
            needed.setdefault(mapped, set()).update(field.sources if field else ())
    for matched, reference_field in settings.matching.reference_id_fields.items():
        needed.setdefault(matched, set()).add(reference_field)
    for name, chosen in settings.objects.items():
        needed.setdefault(name, set()).update(item.field for item in chosen.custom_filters)
    return {name: frozenset(fields) for name, fields in needed.items() if fields}


def refresh_schema(
    con: DuckDBPyConnection,
    org: SalesforceOrg,
    objects: Iterable[str],
    run: RunContext,
    needed: Mapping[str, frozenset[str]] | None = None,
) -> SchemaRefresh:
    """Describe ``objects``, update ``salesforce.field`` and record differences in ``ops.schema_change``.

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
            changes += _record(con, api, specs, run, (needed or {}).get(name, frozenset()))
        changes += sum(_record_hidden(con, api_name(name), run) for name in skipped)
    record_usage(con, org, run)
    missing = tuple(
        (name, field)
        for name, fields in sorted((needed or {}).items())
        if name in described
        for field in sorted(fields - {spec.name for spec in described[name][1]})
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
    before = {
        row[0]: row[1:]
        for row in con.execute(
            "SELECT field_name, type, length, precision, scale, gone_at FROM salesforce.field WHERE object_name = ?",
            [api],
        ).fetchall()
    }
    now = datetime.now(UTC).replace(tzinfo=None)
    changes = _differences(before, specs)
    if changes:
        con.executemany(
            "INSERT INTO ops.schema_change BY NAME SELECT ? AS run_id, ? AS detected_at, ? AS object_name, "
            "? AS field_name, ? AS change, ? AS old_value, ? AS new_value, ? AS needed, ? AS message",
            [
                [run.run_id, now, api, field, change, old, new, field in needed, message]
                for field, change, old, new, message in changes
            ],
        )
    _replace_snapshot(con, api, specs, now)
    return len(changes)


def _record_hidden(con: DuckDBPyConnection, api: str, run: RunContext) -> int:
    """Note that an object described before can no longer be read; its fields count as gone, its rows stay."""
    now = datetime.now(UTC).replace(tzinfo=None)
    gone = con.execute(
        "UPDATE salesforce.field SET gone_at = ? WHERE lower(object_name) = lower(?) AND gone_at IS NULL", [now, api]
    ).fetchall()[0][0]
    if gone:
        con.execute(
            "INSERT INTO ops.schema_change BY NAME SELECT ? AS run_id, ? AS detected_at, ? AS object_name, "
            "'*' AS field_name, 'hidden' AS change, ? AS old_value, false AS needed, ? AS message",
            [run.run_id, now, api, f"{gone} fields", HIDDEN],
        ).fetchall()
    return int(gone > 0)


def _differences(
    before: Mapping[str, tuple[object, ...]], specs: tuple[FieldSpec, ...]
) -> list[tuple[str, str, str | None, str | None, str]]:
    """Return ``(field, change, old, new, message)``; nothing at an object's first describe."""
    if not before:
        return []
    found: list[tuple[str, str, str | None, str | None, str]] = []
    for spec in specs:
        new = _signature(spec.type, spec.length, spec.precision, spec.scale)
        old = before.get(spec.name)
        if old is None or old[4] is not None:
            found.append((spec.name, "added", None, new, "new in the org, or newly readable for the user"))
        elif (was := _signature(*old[:4])) != new:
            found.append((spec.name, "retyped", was, new, "the field's type, length or precision changed in the org"))
    present = {spec.name for spec in specs}
    for name, old in before.items():
        if name not in present and old[4] is None:
            found.append((name, "removed", _signature(*old[:4]), None, GONE))
    return found


def _signature(kind: object, length: object, precision: object, scale: object) -> str:
    return f"{kind}({length},{precision},{scale})"


def _replace_snapshot(con: DuckDBPyConnection, api: str, specs: tuple[FieldSpec, ...], now: datetime) -> None:
    con.execute(
        "UPDATE salesforce.field SET gone_at = ? WHERE object_name = ? AND gone_at IS NULL AND field_name NOT IN "
        "(SELECT unnest(?::VARCHAR[]))",
        [now, api, [spec.name for spec in specs]],
    ).fetchall()
    first_seen = dict(
        con.execute("SELECT field_name, first_seen FROM salesforce.field WHERE object_name = ?", [api]).fetchall()
    )
    con.execute(
        "DELETE FROM salesforce.field WHERE object_name = ? AND field_name IN (SELECT unnest(?::VARCHAR[]))",
        [api, [spec.name for spec in specs]],
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
            "position": position,
            "first_seen": first_seen.get(spec.name, now),
            "last_seen": now,
        }
        for position, spec in enumerate(specs)
    ]
    con.execute(
        f"INSERT INTO salesforce.field BY NAME SELECT unnest(field) FROM (SELECT unnest(?::{_FIELD}[]) AS field)",
        [rows],
    ).fetchall()
