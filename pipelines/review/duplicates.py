"""Duplicates inside Salesforce: records of one object that are the same entity."""

import base64
import json
from typing import Any

import duckdb

from data_contracts.mapping import MappedObject
from pipelines.resolve.sides import kind_of
from pipelines.review.published import columns_of, rows_of, text
from pipelines.review.rows import DuplicateGroup, DuplicateRecords, ReviewError
from pipelines.review.worth import worth_query

#: Fields of a record that help to choose the one to keep, where the mirror has them, beside the mapped ones.
_FIELDS = {
    "CreatedDate": "created",
    "LastActivityDate": "last_activity",
    "SystemModstamp": "last_changed",
    "Type": "type",
    "RecordTypeId": "record_type",
    "ParentId": "parent",
}


def duplicates(
    con: duckdb.DuckDBPyConnection, object_name: MappedObject, after_key: str | None = None, limit: int = 50
) -> tuple[tuple[DuplicateGroup, ...], str | None]:
    """Return a page of entities with several records, most records first, and the key of the next page."""
    after = _parse(after_key) if after_key else (2**31, 0.0, "")
    found = rows_of(
        con,
        f"{_groups(con, object_name)} HAVING records < $n OR (records = $n AND (comparable < $w OR "
        "(comparable = $w AND reference_id > $id))) ORDER BY records DESC, comparable DESC, reference_id LIMIT $most",
        {"n": after[0], "w": after[1], "id": after[2], "most": limit + 1},
    )
    page = tuple(_group(object_name, row) for row in found[:limit])
    return page, page[-1].key if len(found) > limit else None


def duplicate_records(con: duckdb.DuckDBPyConnection, object_name: MappedObject, reference_id: str) -> DuplicateRecords:
    """Return the records of one entity side by side, the primary one first.

    Raises ReviewError when fewer than two are linked to it.
    """
    group = rows_of(con, f"{_groups(con, object_name, 'AND c.reference_id = $id')}", {"id": reference_id})
    if not group:
        raise ReviewError(
            f"fewer than two {object_name} records are linked to {reference_id}", next_step="go back to the duplicates"
        )
    records = _records(con, object_name, reference_id)
    hidden = ("salesforce_id", "reference_id", "data_status", "different_fields", "_method", "_primary")
    names = [name for name in records[0] if name not in hidden]
    values = [(name, tuple(row[name] for row in records)) for name in names]
    return DuplicateRecords(
        group=_group(object_name, group[0]),
        salesforce_ids=tuple(row["salesforce_id"] for row in records),
        methods=tuple(row["_method"] for row in records),
        primary=next((row["salesforce_id"] for row in records if row["_primary"]), None),
        values=tuple((name, cells, _differ(cells)) for name, cells in values if any(c is not None for c in cells)),
    )


def _groups(con: duckdb.DuckDBPyConnection, name: MappedObject, condition: str = "") -> str:
    kind = kind_of(name)
    return (
        "SELECT c.reference_id, any_value(e.name_raw) AS name, count(*) AS records, "
        "coalesce(sum(w.comparable), 0)::DOUBLE AS comparable, "
        # Of several currencies no sum is right: none is shown.
        "CASE WHEN count(DISTINCT w.currency) <= 1 THEN coalesce(sum(w.amount), 0) ELSE 0 END::DOUBLE AS worth, "
        "CASE WHEN count(DISTINCT w.currency) <= 1 THEN min(w.currency) END AS currency "
        f"FROM (SELECT *, count(*) OVER (PARTITION BY reference_id) AS of_it FROM crosswalk.{name} "
        f"WHERE status = 'linked') AS c LEFT JOIN standard.{kind} AS e ON e.{kind}_id = c.reference_id "
        f"LEFT JOIN ({worth_query(con, name)}) AS w ON w.salesforce_id = c.salesforce_id "
        f"WHERE c.of_it > 1 {condition} GROUP BY c.reference_id"
    )


def _records(con: duckdb.DuckDBPyConnection, name: MappedObject, reference_id: str) -> list[dict[str, Any]]:
    """Return the records of an entity: its mapped values, what helps to choose, owner, worth."""
    fields = columns_of(con, f"salesforce.{name}")
    primary = columns_of(con, f"ownership.{name}").keys() >= {"is_primary", "salesforce_id"}
    owner = "OwnerId" in fields and "Name" in columns_of(con, "salesforce.user")
    more = [f's."{field}" AS "{shown}"' for field, shown in _FIELDS.items() if field in fields]
    more += ['u."Name" AS owner'] if owner else [f"{text('OwnerId', fields, 's')} AS owner"]
    user = 'LEFT JOIN salesforce.user AS u ON u."Id" = s."OwnerId"' if owner else ""
    held = f"LEFT JOIN ownership.{name} AS o ON o.salesforce_id = c.salesforce_id" if primary else ""
    return rows_of(
        con,
        f"SELECT c.salesforce_id, c.method AS _method, {'o.is_primary' if primary else 'NULL::BOOLEAN'} AS _primary, "
        f"i.* EXCLUDE (salesforce_id), {', '.join(more)}, w.amount AS open_amount, w.currency AS open_currency "
        f"FROM crosswalk.{name} AS c LEFT JOIN imports.{name} AS i ON i.salesforce_id = c.salesforce_id "
        f'LEFT JOIN salesforce.{name} AS s ON s."Id" = c.salesforce_id {user} {held} '
        f"LEFT JOIN ({worth_query(con, name)}) AS w ON w.salesforce_id = c.salesforce_id "
        "WHERE c.status = 'linked' AND c.reference_id = $id "
        "ORDER BY _primary DESC NULLS LAST, w.comparable DESC NULLS LAST, c.salesforce_id LIMIT 50",
        {"id": reference_id},
    )


def _differ(cells: tuple[Any, ...]) -> bool:
    return len({str(cell).strip().lower() for cell in cells if cell is not None}) > 1


def _group(name: MappedObject, row: dict[str, Any]) -> DuplicateGroup:
    key = json.dumps([row["records"], row["comparable"], row["reference_id"]]).encode()
    told = (name, row["reference_id"], row["name"], row["records"], row["worth"], row["currency"])
    return DuplicateGroup(*told, base64.urlsafe_b64encode(key).decode().rstrip("="))


def _parse(key: str) -> tuple[int, float, str]:
    try:
        records, worth, reference_id = json.loads(base64.urlsafe_b64decode(key + "=" * (-len(key) % 4)))
        return int(records), float(worth), str(reference_id)
    except (ValueError, TypeError) as error:
        raise ReviewError("this is no place in the list of duplicates", next_step="open the list again") from error
