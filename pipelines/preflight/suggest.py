"""Settings that fit what the org and the reference hold: objects, custom filters, mapping, id fields, thresholds.

Everything is counted on the mirror; nothing is asked of the org and nothing is written. Each proposal has its reason.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from data_contracts.contracts import quoted
from data_contracts.mapping import ENTITY, MappedObject, Target, effective_targets
from data_contracts.mapping_rules import OrgField
from data_contracts.settings import Settings
from pipelines.extract.objects import table_name
from pipelines.imports.mapping_fields import org_fields
from pipelines.preflight.queues import GROUP, unnamed_queues
from pipelines.preflight.settings_check import FILTERED
from pipelines.resolve.preview import WANTED_PRECISION, suggested, sweep
from pipelines.tables import scalar, table_columns

#: Lookups and picklists that say nothing about who a record is for.
_NO_FILTERS = (
    *("OwnerId", "CreatedById", "LastModifiedById", "MasterRecordId", "RecordTypeId", "AccountId", "ReportsToId"),
    *("ConvertedAccountId", "ConvertedContactId", "ConvertedOpportunityId", "IndividualId", "ParentId"),
    *("CleanStatus", "CurrencyIsoCode", "Salutation"),
)
#: Target → the type of the fields that could be a further choice of it, and parts of names that could not.
_FURTHER = {"phone": ("phone", ("fax", "assistant", "mobile")), "email": ("email", ()), "website": ("url", ("photo",))}
_MOST_VALUES, _LEAST_FILLED, _LEAST_GAIN, _POOR = 50, 0.3, 0.01, 0.2


@dataclass(frozen=True)
class Proposal:
    """One key with what it should say, and why; ``value`` None is a key that only holds others."""

    key: tuple[str, ...]
    value: Any
    reason: str


def suggestions(con: duckdb.DuckDBPyConnection, settings: Settings) -> list[Proposal]:
    """Return the proposals in the order of the settings file, from the mirror and the reference in ``con``."""
    return [*_objects(con, settings), *_thresholds(con, settings), *_id_fields(con), *_mappings(con, settings)]


def _objects(con: duckdb.DuckDBPyConnection, settings: Settings) -> Iterator[Proposal]:
    for name, item in settings.objects.items():
        table = f"salesforce.{table_name(name)}"
        if not table_columns(con, table):
            if item.enabled:
                yield Proposal(("objects", name, "enabled"), False, "not there, or not readable for the connected user")
            continue
        live = scalar(con, f"SELECT count(*) FROM salesforce.{quoted(table_name(name))} WHERE NOT _is_deleted")
        reason = f"{live:,} live records" if live else "the org has no record of it"
        yield Proposal(("objects", name, "enabled"), bool(live) or name in ENTITY, reason)
        if name == "account":
            yield from _window(con, item.opportunities)
        if name in ENTITY and live:
            yield from _filters(con, settings, name, live)
    if told := unnamed_queues(con, settings):
        yield Proposal(("objects", GROUP, "enabled"), True, told)


def _window(con: duckdb.DuckDBPyConnection, now: str | None) -> Iterator[Proposal]:
    if "CreatedDate" not in table_columns(con, "salesforce.opportunity") or now is None:
        return
    recent = "CreatedDate >= now()::TIMESTAMP - INTERVAL 6 MONTH"
    total, late = con.execute(
        f"SELECT count(*), count(*) FILTER ({recent}) FROM salesforce.opportunity WHERE NOT _is_deleted"
    ).fetchall()[0]
    told = f"{late:,} of the {total:,} opportunities mirrored were created in the past 6 months"
    yield Proposal(("objects", "account", "opportunities"), "6 months" if total and late == total else now, told)


def _filters(con: duckdb.DuckDBPyConnection, settings: Settings, name: str, live: int) -> Iterator[Proposal]:
    """Up to three picklists and lookups that are filled and tell records apart; those of the settings stay."""
    key = ("objects", name, "custom_filters")
    if chosen := settings.objects[name].custom_filters:
        value = [{"field": item.field, "name": item.name} if item.name else {"field": item.field} for item in chosen]
        yield Proposal(key, value, "as you have it")
        return
    columns = table_columns(con, f"salesforce.{name}")
    fields = [field for field in org_fields(con, name).values() if field.type in FILTERED and field.name in columns]
    found = []
    for field in fields:
        if field.name in _NO_FILTERS or field.name.endswith("GeocodeAccuracy"):
            continue
        filled, values = con.execute(
            f"SELECT count({quoted(field.name)}), approx_count_distinct({quoted(field.name)}) "
            f"FROM salesforce.{quoted(name)} WHERE NOT _is_deleted"
        ).fetchall()[0]
        if filled >= _LEAST_FILLED * live and 2 <= values <= _MOST_VALUES:
            found.append((filled / live, field, values))
    best = sorted(found, key=lambda item: (-item[0], item[1].name))[:3]
    if best:
        told = "; ".join(f"{field.name}: {field.type}, {share:.0%} filled, {n} values" for share, field, n in best)
        yield Proposal(key, [{"field": field.name} for _, field, _ in best], told)


def _thresholds(con: duckdb.DuckDBPyConnection, settings: Settings) -> Iterator[Proposal]:
    now = settings.matching.thresholds
    found: dict[str, float] = {}
    for name in ENTITY:
        if table_columns(con, f"match.{name}_candidate") and table_columns(con, f"crosswalk.{name}"):
            link = suggested(sweep(con, name, now))
            if link is not None:
                found[name] = link
    if not found:
        told = "the model alone links nothing yet that could be judged; the threshold in use"
        yield Proposal(("matching", "thresholds", "link"), now.link, told)
        return
    each = ", ".join(f"{name} {link:g}" for name, link in found.items())
    told = f"{WANTED_PRECISION:.0%} of the links by the model alone are expected to be right from there on: {each}"
    highest = max(found.values())
    yield Proposal(("matching", "thresholds", "link"), highest, told)
    yield Proposal(("matching", "thresholds", "review"), min(now.review, highest), "what a person is asked about now")


def _id_fields(con: duckdb.DuckDBPyConnection) -> Iterator[Proposal]:
    """Fields that already hold the id of the reference entity."""
    for name, entity in ENTITY.items():
        if f"{entity}_id" not in table_columns(con, f"reference.{entity}"):
            continue
        columns = table_columns(con, f"salesforce.{name}")
        for field in org_fields(con, name).values():
            if field.type != "string" or not field.name.endswith("__c") or field.name not in columns:
                continue
            values, known = con.execute(
                f"SELECT count(*), count(r.{entity}_id) FROM (SELECT DISTINCT {quoted(field.name)} AS value "
                f"FROM salesforce.{quoted(name)} WHERE {quoted(field.name)} IS NOT NULL LIMIT 1000) "
                f"LEFT JOIN (SELECT DISTINCT {entity}_id FROM reference.{entity}) AS r ON r.{entity}_id = value"
            ).fetchall()[0]
            if values >= 10 and known >= 0.9 * values:
                told = f"{known:,} of {values:,} different values of it are ids of reference.{entity}"
                yield Proposal(("matching", "reference_id_fields", name), field.name, told)
                break


def _mappings(con: duckdb.DuckDBPyConnection, settings: Settings) -> Iterator[Proposal]:
    for name in ENTITY:
        columns, fields = table_columns(con, f"salesforce.{name}"), org_fields(con, name)
        live = scalar(con, f"SELECT count(*) FROM salesforce.{quoted(name)} WHERE NOT _is_deleted") if columns else 0
        if not live:
            continue
        offered = [field for field in fields.values() if field.name in columns]
        targets = effective_targets(settings, name)
        mapped = {source for target in targets for source in target.sources}
        for target in targets:
            if target.configured or target.group:
                continue
            left = [field for field in offered if field.name not in mapped]
            if found := _further(con, name, target, left, live, columns) or _instead(con, name, target, left, live):
                yield found


def _further(
    con: duckdb.DuckDBPyConnection,
    name: MappedObject,
    target: Target,
    offered: Sequence[OrgField],
    live: int,
    columns: dict[str, str],
) -> Proposal | None:
    """Fields of the target's kind that have a value where all of its choices are empty."""
    if target.name not in _FURTHER:
        return None
    kind, never = _FURTHER[target.name]
    empty = " AND ".join(f"{quoted(field)} IS NULL" for field in target.sources if field in columns) or "TRUE"
    gains = []
    for field in offered:
        if field.type == kind and not any(word in field.name.lower() for word in never):
            count = scalar(
                con,
                f"SELECT count(*) FROM salesforce.{quoted(name)} "
                f"WHERE NOT _is_deleted AND {empty} AND {quoted(field.name)} IS NOT NULL",
            )
            gains += [(count, field.name)] if count >= max(1, _LEAST_GAIN * live) else []
    if not gains:
        return None
    gains.sort(key=lambda item: (-item[0], item[1]))
    told = "; ".join(
        f"{count:,} records have {field} and none of {', '.join(target.sources)}" for count, field in gains
    )
    return Proposal(("imports", "mapping", name, target.name, "add"), [field for _, field in gains], told)


def _instead(
    con: duckdb.DuckDBPyConnection, name: MappedObject, target: Target, offered: Sequence[OrgField], live: int
) -> Proposal | None:
    """A field of the org's own that is called like the target, where its default is hardly filled."""
    table, word = f"salesforce.{quoted(name)} WHERE NOT _is_deleted", target.name.replace("_", "")
    present = set(table_columns(con, f"salesforce.{name}"))
    held = [field for field in target.sources if field in present]
    filled = scalar(con, f"SELECT count({quoted(held[0])}) FROM {table}") if held else 0
    if filled >= _POOR * live:
        return None
    for field in offered:
        called = (field.label + field.name).lower().replace(" ", "").replace("_", "")
        if not field.name.endswith("__c") or word not in called or field.type == "boolean":
            continue
        own = scalar(con, f"SELECT count({quoted(field.name)}) FROM {table}")
        if own >= _LEAST_FILLED * live and own > filled:
            shares = f"{own / live:.0%} of the records, {' and '.join(held) or 'no default'} in {filled / live:.0%}"
            told = f"{field.name} is filled in {shares}"
            return Proposal(("imports", "mapping", name, target.name, "sources"), [field.name, *held], told)
    return None
