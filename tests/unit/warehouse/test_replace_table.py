"""A table and its comments come together or not at all, in a transaction of the caller or in one of its own."""

from collections.abc import Sequence

import duckdb
import pytest

from data_contracts.contracts import Column, TableContract, load_contract
from pipelines.tables import described_columns, replace_table

CONTRACT = load_contract("ops.alarm")


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("CREATE SCHEMA ops").fetchall()
    return connection


def test_by_itself_it_is_there_for_everybody(con: duckdb.DuckDBPyConnection) -> None:
    replace_table(con, CONTRACT)
    with con.cursor() as other:
        found = described_columns(other, CONTRACT.name)
    assert [(item.name, item.description) for item in found] == [
        (item.name, item.description) for item in CONTRACT.columns
    ]


def test_in_a_transaction_it_goes_with_it(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("BEGIN").fetchall()
    replace_table(con, CONTRACT)
    replace_table(con, CONTRACT)
    assert described_columns(con, CONTRACT.name)
    con.execute("ROLLBACK").fetchall()
    assert described_columns(con, CONTRACT.name) == []


def test_without_all_of_its_comments_there_is_no_table(
    con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def one_too_many(self: TableContract, *, extra: Sequence[Column] = (), relation: str = "") -> list[str]:
        return ["COMMENT ON TABLE ops.alarm IS 'half'", "COMMENT ON TABLE ops.nothing IS 'x'"]

    monkeypatch.setattr(TableContract, "comments", one_too_many)
    with pytest.raises(duckdb.CatalogException):
        replace_table(con, CONTRACT)
    assert described_columns(con, CONTRACT.name) == []
