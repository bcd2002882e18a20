"""What an org offers for the mapping of an object: every field with type, label, fill rate, use, and whose it is.

Fields of an installed package are marked, and marked as greyed where the package is not there any more. Printing it is
``apps.cli.fields``.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import duckdb

from data_contracts.contracts import quoted
from data_contracts.mapping import Direction, as_mapped, effective_targets
from data_contracts.mapping_rules import COMPOUND, OrgField
from data_contracts.settings import Settings
from pipelines.extract.objects import api_name, namespace_of
from pipelines.imports.mapping_fields import org_fields
from pipelines.imports.mapping_live import live_fields
from pipelines.preflight.fill import fill_counts
from pipelines.tables import table_columns
from resources.salesforce import SalesforceOrg

#: Aggregates the org is asked for in one query.
_TOGETHER = 50


@dataclass(frozen=True)
class Offered:
    """One field: ``fill_rate`` is the share of live records with a value, None where it is not known.

    ``mapped_to`` are targets of the imports it feeds, with the number of its choice where there are several;
    ``exported_from`` what an export would write into it. ``package`` is its namespace, ``greyed`` where that package is
    not installed (any more); ``gone`` where the org offered the field before and does not now.
    """

    field: str
    label: str | None
    type: str | None
    fill_rate: float | None
    mapped_to: tuple[str, ...] = ()
    exported_from: str | None = None
    package: str | None = None
    greyed: bool = False
    gone: bool = False


def offered_by_mirror(con: duckdb.DuckDBPyConnection, object_name: str, settings: Settings) -> list[Offered]:
    """Return the fields of an object as last described, mapped ones first; empty where it never was."""
    fields = org_fields(con, object_name)
    gone: Mapping[str, OrgField] = {}
    present: set[str] = set()
    if table_columns(con, "salesforce.field"):
        rows = con.execute(
            "SELECT field_name, type, label FROM salesforce.field WHERE gone_at IS NOT NULL "
            "AND lower(replace(object_name, '_', '')) = ?",
            [object_name.lower().replace("_", "")],
        ).fetchall()
        gone = {name: OrgField(name, kind, label or name) for name, kind, label in rows if name not in fields}
        names = con.execute("SELECT DISTINCT field_name FROM salesforce.field WHERE gone_at IS NULL").fetchall()
        present = {space for (name,) in names if (space := namespace_of(name))}
    if not fields and not gone:
        return []
    return _sorted(settings, object_name, fields, gone, _mirror_rates(con, object_name), present)


def offered_by_org(org: SalesforceOrg, object_name: str, settings: Settings) -> list[Offered]:
    """Return the fields of an object as the org offers them now, with their fill rates by its own count."""
    fields = live_fields(org, object_name)
    described = {str(entry["name"]): entry for entry in org.describe(api_name(object_name))["fields"]}
    rates: dict[str, float] = {}
    names = [name for name, entry in described.items() if entry.get("aggregatable")]
    for start in range(0, len(names), _TOGETHER):
        records, counts = fill_counts(org, api_name(object_name), names[start : start + _TOGETHER], described)
        rates |= {name: count / records for name, count in counts.items() if records}
    present = {space for name in fields if (space := namespace_of(name))}
    return _sorted(settings, object_name, fields, {}, rates, present)


def _mirror_rates(con: duckdb.DuckDBPyConnection, object_name: str) -> dict[str, float]:
    names = [name for name in table_columns(con, f"salesforce.{object_name}") if not name.startswith("_")]
    if not names:
        return {}
    counts = ", ".join(f"count({quoted(name)})" for name in names)
    table = f"salesforce.{quoted(object_name)}"
    row = con.execute(f"SELECT count(*), {counts} FROM {table} WHERE NOT _is_deleted").fetchall()[0]
    return {name: count / row[0] for name, count in zip(names, row[1:], strict=True)} if row[0] else {}


def _sorted(
    settings: Settings,
    object_name: str,
    fields: Mapping[str, OrgField],
    gone: Mapping[str, OrgField],
    rates: Mapping[str, float],
    present: Collection[str],
) -> list[Offered]:
    """Put mapped fields first, and those a mapping names although they are not there among them."""
    mapped = _uses(settings, object_name, "imports")
    exported = _uses(settings, object_name, "exports")
    absent = {name: OrgField(name, "", name) for name in _named(settings, object_name) if name not in fields}
    found = []
    for name, field in {**fields, **gone, **{key: item for key, item in absent.items() if key not in gone}}.items():
        space = namespace_of(name)
        found.append(
            Offered(
                name,
                field.label or name,
                field.type or None,
                rates.get(name) if field.type not in COMPOUND and name in fields else None,
                tuple(mapped.get(name, ())),
                ", ".join(exported.get(name, ())) or None,
                space,
                space is not None and name not in fields and space not in present,
                name not in fields,
            )
        )
    return sorted(found, key=lambda row: (not row.mapped_to, row.gone, row.field))


def _uses(settings: Settings, object_name: str, direction: Direction) -> dict[str, list[str]]:
    """Field → the targets it feeds, or in exports the columns that would be written into it."""
    name = as_mapped(object_name)
    found: dict[str, list[str]] = {}
    for target in effective_targets(settings, name, direction) if name else ():
        if direction == "exports":
            found[target.name] = [target.choices]
            continue
        for choice, source in enumerate(target.sources, start=1):
            numbered = f"{target.name} {choice}" if len(target.sources) > 1 else target.name
            found.setdefault(source, []).append(numbered)
    return found


def _named(settings: Settings, object_name: str) -> Iterable[str]:
    """Fields that a person mapped, in either direction: they are listed also where the org has none of the name."""
    name = as_mapped(object_name)
    if name is None:
        return []
    sources = [source for target in effective_targets(settings, name) for source in target.named]
    exported = effective_targets(settings, name, "exports")
    return [*sources, *(target.name for target in exported if target.configured)]
