"""What ``table_columns`` says of a table, whatever the open transaction has done to it."""

import duckdb
import pytest

from pipelines.tables import table_columns


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("CREATE SCHEMA ops").fetchall()
    connection.execute("CREATE TABLE ops.run (id VARCHAR, amount DECIMAL(18,2), tags VARCHAR[])").fetchall()
    return connection


def test_columns_and_types_in_order(con: duckdb.DuckDBPyConnection) -> None:
    assert list(table_columns(con, "ops.run").items()) == [
        ("id", "VARCHAR"), ("amount", "DECIMAL(18,2)"), ("tags", "VARCHAR[]"),
    ]  # fmt: skip


def test_a_missing_table_has_none_and_the_transaction_goes_on(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("BEGIN").fetchall()
    con.execute("INSERT INTO ops.run VALUES ('a', 1, NULL)").fetchall()
    assert table_columns(con, "ops.nothing") == {}
    con.execute("COMMIT").fetchall()
    assert con.execute("SELECT count(*) FROM ops.run").fetchall() == [(1,)]


def test_the_transaction_sees_what_it_made_and_altered(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("BEGIN").fetchall()
    con.execute("CREATE TABLE ops.made (id VARCHAR)").fetchall()
    con.execute("ALTER TABLE ops.run ADD COLUMN added BIGINT").fetchall()
    assert table_columns(con, "ops.made") == {"id": "VARCHAR"}
    assert table_columns(con, "ops.run")["added"] == "BIGINT"
    con.execute("ROLLBACK").fetchall()
    assert table_columns(con, "ops.made") == {}
    assert "added" not in table_columns(con, "ops.run")


def test_a_temporary_table_is_none_of_the_warehouse(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE TEMP TABLE other (id VARCHAR)").fetchall()
    assert table_columns(con, "ops.other") == {}
