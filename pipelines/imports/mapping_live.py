"""One record of the org and its describe, in memory, as the mirror would hold them: for a test before the first sync.

One describe and one query are asked; nothing is written anywhere.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import duckdb

from data_contracts.contracts import literal, quoted
from data_contracts.errors import SalesforceError
from data_contracts.mapping import MappedObject, mapped_fields
from data_contracts.mapping_rules import OrgField
from data_contracts.settings import Settings
from pipelines.extract.fields import FieldSpec, field_specs
from pipelines.extract.objects import api_name
from resources.salesforce import SalesforceOrg


def live_fields(org: SalesforceOrg, object_name: str) -> dict[str, OrgField]:
    """Return API name → field of what the org offers of an object now. Raises SalesforceError as describe does."""
    return {spec.name: _org_field(spec) for spec in field_specs(org.describe(api_name(object_name)))}


def _org_field(spec: FieldSpec) -> OrgField:
    return OrgField(spec.name, spec.type, spec.label, spec.createable, spec.updateable, spec.calculated)


@contextmanager
def live_record(
    org: SalesforceOrg, object_name: MappedObject, settings: Settings, record_id: str | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a database in memory with one record of the org: ``record_id``, or the one that was changed last.

    Holds the fields that the mapping reads. Where the org has no such record, the table is empty.
    """
    specs = {spec.name: spec for spec in field_specs(org.describe(api_name(object_name)))}
    wanted = [specs[name] for name in sorted(mapped_fields(settings, object_name)) if name in specs]
    wanted = [spec for spec in wanted if spec.readable and spec.name != "Id"]
    which = f"WHERE Id = {literal(record_id)}" if record_id else "ORDER BY LastModifiedDate DESC"
    names = ", ".join(["Id", *(spec.name for spec in wanted)])
    soql = f"SELECT {names} FROM {api_name(object_name)} {which} LIMIT 1"
    rows = [row for page in _asked(org, soql) for row in page]
    con = duckdb.connect(":memory:")
    try:
        _describe(con, api_name(object_name), specs)
        _fill(con, object_name, wanted, rows)
        yield con
    finally:
        con.close()


def _asked(org: SalesforceOrg, soql: str) -> list[list[Mapping[str, Any]]]:
    try:
        return [list(page) for page in org.query(soql)]
    except SalesforceError as error:
        # What is no Id of this object is answered so: there is no such record.
        if error.code == "INVALID_QUERY_FILTER_OPERATOR":
            return []
        raise


def _describe(con: duckdb.DuckDBPyConnection, api: str, specs: Mapping[str, FieldSpec]) -> None:
    con.execute("CREATE SCHEMA salesforce")
    con.execute(
        "CREATE TABLE salesforce.field (object_name VARCHAR, field_name VARCHAR, label VARCHAR, type VARCHAR, "
        "createable BOOLEAN, updateable BOOLEAN, calculated BOOLEAN, gone_at TIMESTAMP)"
    )
    con.executemany(
        "INSERT INTO salesforce.field VALUES (?, ?, ?, ?, ?, ?, ?, NULL)",
        [
            [api, spec.name, spec.label, spec.type, spec.createable, spec.updateable, spec.calculated]
            for spec in specs.values()
        ],
    )


def _fill(
    con: duckdb.DuckDBPyConnection, object_name: str, wanted: list[FieldSpec], rows: list[Mapping[str, Any]]
) -> None:
    columns = "".join(f", {quoted(spec.name)} {spec.duckdb_type}" for spec in wanted)
    table = f"salesforce.{quoted(object_name)}"
    con.execute(f"CREATE TABLE {table} (Id VARCHAR{columns}, _is_deleted BOOLEAN)")
    marks = "".join(f", {_typed(spec)}" for spec in wanted)
    for row in rows:
        values = [row["Id"], *(_text(row.get(spec.name)) for spec in wanted)]
        con.execute(f"INSERT INTO {table} SELECT ?{marks}, FALSE", values).fetchall()


def _typed(spec: FieldSpec) -> str:
    moment = spec.duckdb_type == "TIMESTAMP"
    return "TRY_CAST(? AS TIMESTAMPTZ)::TIMESTAMP" if moment else f"TRY_CAST(? AS {spec.duckdb_type})"


def _text(value: object) -> str | None:
    return None if value is None else str(value)
