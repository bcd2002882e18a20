"""One pair with everything a person needs to decide it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import duckdb

from data_contracts.contracts import load_contract
from data_contracts.mapping import MappedObject
from data_contracts.settings import Settings
from pipelines.resolve.evidence import evidence_of_pair
from pipelines.resolve.hopeless import left_out
from pipelines.resolve.sides import kind_of
from pipelines.review.acts import version_of
from pipelines.review.mapped import mapped_fields
from pipelines.review.pending import pending_decisions
from pipelines.review.published import KEYS, columns_of, row_of, rows_of
from pipelines.review.queue_table import queue_table
from pipelines.review.rows import Candidate, EvidenceChange, Field, PairKey, PairView, ReviewError
from pipelines.review.waterfall import waterfall
from pipelines.review.worth import worth_query
from pipelines.standardize.sources import INPUTS, read_sql
from resources.decisions import Decision, DecisionStore, Evidence
from resources.decisions_acts import evidence_of

#: Standard values that say nothing to a reader beside the others.
_HIDDEN = {"salesforce_id", "company_id", "person_id", "name_raw", "name_key", "company_name_key"}
#: A value as it was typed → the standard values made of it, where that is not ``<name>_clean``.
_STANDARD: dict[str, tuple[str, ...]] = {
    **{name: (name,) for name in ("phone", "mobile", "birthdate", "other_names", "is_person")},
    "website": ("domain",),
    "street": ("street_number", "street_name", "street_unit"),
    "country": ("country_code",),
}


def pair(
    con: duckdb.DuckDBPyConnection, store: DecisionStore, key: PairKey, settings: Settings | None = None
) -> PairView:
    """Return both sides, the candidates, the mapped fields before and after, the decisions and the version.

    The entity need not be a candidate (search for another one). ``settings`` say how the primary record of an entity
    is chosen. Raises ReviewError for an unknown record.
    """
    kind = kind_of(key.object)
    link = row_of(con, f"crosswalk.{key.object}", "salesforce_id", key.salesforce_id)
    if not link:
        raise ReviewError(
            f"there is no {key.object} {key.salesforce_id} in the crosswalk",
            why="the last run did not find it, or it was never synced",
            next_step="go back to the queue",
        )
    record = row_of(con, f"standard.{key.object}", "salesforce_id", key.salesforce_id)
    entity = row_of(con, f"standard.{kind}", KEYS[kind], key.reference_id)
    decisions = store.decisions(key.object, key.salesforce_id)[::-1]
    candidates = _candidates(con, key.object, key.salesforce_id, decisions)
    mine = next((c for c in candidates if c.reference_id == key.reference_id), None)
    evidence = evidence_of_pair(con, key.object, key.salesforce_id, key.reference_id)
    worth, currency = _worth(con, key)
    return PairView(
        key=key,
        name=record.get("name_raw"),
        candidate_name=entity.get("name_raw"),
        status=str(link["status"]),
        reason=str(link["reason"]),
        method=link["method"],
        rule_code=mine.rule_code if mine else link["rule_code"],
        match_probability=mine.match_probability if mine else None,
        match_weight=mine.match_weight if mine else None,
        model=f"run {link['run_id']}" if mine and mine.match_weight is not None else None,
        veto=mine.veto if mine else None,
        margin=_margin(candidates),
        worth=worth,
        currency=currency,
        owner=_owner(con, key),
        raw=_raw(con, key, record, entity),
        standard=_standard(key.object, record, entity),
        candidates=candidates,
        hopeless=left_out(link, candidates),
        mapped=mapped_fields(con, key, settings or Settings()),
        decisions=decisions,
        pending=pending_decisions(con, store).of(key.object, key.salesforce_id),
        changed_evidence=_changed(store, decisions, key, evidence),
        entity_is_there=bool(entity),
        version=version_of(store, key, evidence),
    )


def _candidates(
    con: duckdb.DuckDBPyConnection, name: MappedObject, salesforce_id: str, decisions: tuple[Decision, ...]
) -> tuple[Candidate, ...]:
    kind = kind_of(name)
    rows = rows_of(
        con,
        f"SELECT k.*, e.name_raw AS _name, e.city_clean AS _city, e.country_code AS _country "
        f"FROM match.{name}_candidate AS k LEFT JOIN standard.{kind} AS e ON e.{kind}_id = k.reference_id "
        "WHERE k.salesforce_id = $id ORDER BY k.rank",
        {"id": salesforce_id},
    )
    return tuple(_candidate(name, row, decisions) for row in rows)


def _candidate(name: MappedObject, row: Mapping[str, Any], decisions: tuple[Decision, ...]) -> Candidate:
    share = row["match_probability"]
    teaches = row.get("teaching_value")
    return Candidate(
        reference_id=row["reference_id"],
        name=row["_name"],
        rank=row["rank"],
        rule_code=row["rule_code"],
        block_keys=tuple(row["block_keys"] or ()),
        match_weight=row["match_weight"],
        match_probability=share,
        teaching_value=teaches if teaches is not None else 1 - abs(2 * (0.5 if share is None else share) - 1),
        veto=row["veto"],
        waterfall=waterfall(name, row),
        city=row["_city"],
        country=row["_country"],
        decision=next((d for d in decisions if d.reference_id == row["reference_id"] and not d.withdrawn_at), None),
    )


def _margin(candidates: tuple[Candidate, ...]) -> float | None:
    """Return by how many bits the best candidate leads the second."""
    weights = [c.match_weight for c in candidates[:2] if c.match_weight is not None]
    return weights[0] - weights[1] if len(weights) == 2 else None


def _worth(con: duckdb.DuckDBPyConnection, key: PairKey) -> tuple[float, str | None]:
    """Return the open amount and its currency, of what waits as the queue shows it."""
    asked = {"object": key.object, "id": key.salesforce_id}
    listed = f"SELECT worth, currency FROM {queue_table(con)} WHERE object = $object AND salesforce_id = $id"
    rows = con.execute(listed, asked).fetchall()
    if not rows:
        query = f"SELECT amount, currency FROM ({worth_query(con, key.object)}) WHERE salesforce_id = $id"
        rows = con.execute(query, {"id": key.salesforce_id}).fetchall()
    return (float(rows[0][0] or 0), rows[0][1]) if rows else (0.0, None)


def _owner(con: duckdb.DuckDBPyConnection, key: PairKey) -> str | None:
    if "OwnerId" not in columns_of(con, f"salesforce.{key.object}") or "Name" not in columns_of(con, "salesforce.user"):
        return None
    query = f'SELECT u."Name" FROM salesforce.{key.object} s JOIN salesforce.user u ON u."Id" = s."OwnerId" '
    rows = con.execute(query + 'WHERE s."Id" = $id', {"id": key.salesforce_id}).fetchall()
    return rows[0][0] if rows else None


def _raw(
    con: duckdb.DuckDBPyConnection, key: PairKey, record_standard: Mapping[str, Any], entity_standard: Mapping[str, Any]
) -> tuple[Field, ...]:
    """Return the values as they were typed, side by side; what is another spelling of the same does not differ."""
    sides: list[dict[str, Any]] = []
    for table, value in ((key.object, key.salesforce_id), (kind_of(key.object), key.reference_id)):
        query = read_sql(con, table, None)
        rows = rows_of(con, f"SELECT * FROM ({query}) WHERE key = $key", {"key": value}) if query else []
        sides.append(rows[0] if rows else {})
    record, entity = ({**side, "name": _full_name(side)} for side in sides)
    names = [name for name in INPUTS if name not in ("key", "size", "stored_reference_id", "parent_key")]
    nothing = (None, False, "false")
    # That an account is no person is what everybody expects of it.
    shown = [name for name in names if any(side.get(name) not in nothing for side in (record, entity))]
    fields = (_field(name, name.replace("_", " "), record.get(name), entity.get(name)) for name in shown)
    return tuple(
        replace(f, differs=False) if f.differs and _same(f.name, record_standard, entity_standard) else f
        for f in fields
    )


def _same(name: str, record: Mapping[str, Any], entity: Mapping[str, Any]) -> bool:
    """Return whether what was made of a value is there and the same on both sides."""
    made = _STANDARD.get(name, (f"{name}_clean",))
    if name == "name" and "name_clean" not in record:
        made = ("first_name_clean", "last_name_clean")
    pairs = [(record.get(part), entity.get(part)) for part in made]
    return all(one == other for one, other in pairs) and not all(_empty(one) for one, _ in pairs)


def _full_name(side: Mapping[str, Any]) -> str | None:
    parts = [side.get("first_name"), side.get("last_name")]
    return side.get("name") or " ".join(part for part in parts if part) or None


def _standard(name: MappedObject, record: Mapping[str, Any], entity: Mapping[str, Any]) -> tuple[Field, ...]:
    """Return the values that matching sees, side by side."""
    described = {c.name: c.description for c in load_contract(f"standard.{name}").columns}
    names = [n for n in {**record, **entity} if n not in _HIDDEN and not n.startswith("_")]
    shown = [n for n in names if not (_empty(record.get(n)) and _empty(entity.get(n)))]
    return tuple(_field(n, described.get(n, n.replace("_", " ")), record.get(n), entity.get(n)) for n in shown)


def _field(name: str, label: str, record: Any, entity: Any) -> Field:
    one_sided = _empty(record) or _empty(entity)
    return Field(name, label, record, entity, None if one_sided else _comparable(record) != _comparable(entity))


def _empty(value: Any) -> bool:
    return value is None or value == "" or value == []


def _comparable(value: Any) -> Any:
    return " ".join(value.lower().split()) if isinstance(value, str) else value


def _changed(
    store: DecisionStore, decisions: tuple[Decision, ...], key: PairKey, now: Evidence | None
) -> tuple[EvidenceChange, ...]:
    """Return what is other than when the judgement in force on the pair was made, on the sides that changed."""
    made = next((d for d in decisions if d.reference_id == key.reference_id and not d.withdrawn_at), None)
    kept = evidence_of(store, made.id) if made else None
    if kept is None or now is None or kept.hash == now.hash:
        return ()
    found = []
    for side, before, after in (("record", kept.record, now.record), ("entity", kept.entity, now.entity)):
        changes = {part: _other(before, after, part) for part in ("raw", "standard")}
        if changes["standard"] and (changes["raw"] or json.loads(before)["raw"] is None):
            found += [EvidenceChange(side, n, *values) for part in changes.values() for n, values in part.items()]  # type: ignore[arg-type]
    return tuple(found)


def _other(before: str, after: str, part: str) -> dict[str, tuple[Any, Any]]:
    one, other = json.loads(before)[part] or {}, json.loads(after)[part] or {}
    return {name: (one[name], other[name]) for name in one if name in other and one[name] != other[name]}
