"""The shape of a mirrored table: types from describe, what is left out is said."""

from collections.abc import Iterator

import duckdb
import pytest

from pipelines.extract.table import shape_of
from resources.landing import LandedField


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute("CREATE SCHEMA salesforce")
        yield opened


def test_describe_decides_the_type_also_of_a_promised_column(con: duckdb.DuckDBPyConnection) -> None:
    selected = [LandedField(name="Id", type="VARCHAR"), LandedField(name="AnnualRevenue", type="DECIMAL(18,4)")]
    types = {column.name: column.type for column in shape_of(con, "account", "Account", selected).columns}
    assert types["AnnualRevenue"] == "DECIMAL(18,4)"
    assert "NumberOfEmployees" in types, "a promised field that is not readable is a column all the same"


def test_fields_that_are_not_fetched_are_named_in_the_tables_comment(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "CREATE TABLE salesforce.field AS SELECT * FROM (VALUES ('Thing__c', 'Body__c', 'base64', NULL::TIMESTAMP), "
        "('Thing__c', 'Place__c', 'location', NULL), ('Thing__c', 'Gone__c', 'base64', now()::TIMESTAMP), "
        "('Thing__c', 'Name', 'string', NULL), ('Other__c', 'Body__c', 'base64', NULL)) "
        "AS t(object_name, field_name, type, gone_at)"
    )
    shape = shape_of(con, "thing__c", "Thing__c", [LandedField(name="Id", type="VARCHAR")])
    assert shape.description.endswith(". Not fetched: Body__c (file content), Place__c (its parts are columns)")
