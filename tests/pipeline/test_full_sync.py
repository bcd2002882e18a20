"""The whole way, from the org to the snapshot, through Dagster: counts, reasons, identities, descriptions."""

import csv
import stat
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from apps.truth import score
from data_contracts.contracts import contract_names, load_contract
from schedules.launch import RunOutcome
from tests.support.installation import FirstSync, Installation

OBJECTS = {"account": "Account.csv", "contact": "Contact.csv", "lead": "Lead.csv"}


@pytest.fixture(scope="module")
def outcome(first_sync: FirstSync) -> RunOutcome:
    return first_sync.outcome


@pytest.fixture
def con(installation: Installation, outcome: RunOutcome) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(installation.home.published), read_only=True) as connection:
        yield connection


def csv_ids(path: Path) -> set[str]:
    with path.open(newline="", encoding="utf-8") as file:
        return {row["Id"] for row in csv.DictReader(file)}


def test_the_run_succeeds_and_says_so_in_the_snapshot(outcome: RunOutcome, con: duckdb.DuckDBPyConnection) -> None:
    assert outcome.success
    assert outcome.failures == ()
    rows = con.execute("SELECT run_id, kind, status FROM ops.sync_run").fetchall()
    assert rows == [(outcome.run_id, "full", "succeeded")]


@pytest.mark.parametrize(("name", "file"), OBJECTS.items())
def test_every_record_of_the_org_stands_in_the_crosswalk_once(
    con: duckdb.DuckDBPyConnection, org_files: Path, name: str, file: str
) -> None:
    ids = [row[0] for row in con.execute(f"SELECT salesforce_id FROM crosswalk.{name}").fetchall()]
    assert len(ids) == len(set(ids))
    assert set(ids) == csv_ids(org_files / file)


@pytest.mark.parametrize("name", OBJECTS)
def test_every_record_has_a_status_and_a_reason(con: duckdb.DuckDBPyConnection, name: str) -> None:
    bad = con.execute(
        f"SELECT count(*) FROM crosswalk.{name} WHERE trim(coalesce(reason, '')) = '' "
        "OR status NOT IN ('linked', 'in_review', 'unmatched', 'skipped')"
    ).fetchall()
    assert bad == [(0,)]


@pytest.mark.parametrize("name", OBJECTS)
def test_links_agree_with_the_known_truth(
    installation: Installation, outcome: RunOutcome, org_files: Path, name: str
) -> None:
    result = score(installation.home.published, org_files / "truth" / f"{name}.csv", name)
    assert result.linked > 0
    assert result.precision > 0.9
    assert result.recall > 0.5


def test_the_figures_of_the_run_reconcile(con: duckdb.DuckDBPyConnection) -> None:
    rows = con.execute(
        "SELECT object, fetched, new, changed, unchanged, records, linked, in_review, unmatched, skipped, "
        "linked_by_rule, linked_by_model, linked_by_person, distinct_entities, duplicates "
        "FROM ops.run_statistics WHERE linked IS NOT NULL"
    ).fetchall()
    assert {row[0] for row in rows} == set(OBJECTS)
    for _, fetched, new, changed, unchanged, records, linked, review, unmatched, skipped, *parts in rows:
        assert fetched == new + changed + unchanged
        assert records == linked + review + unmatched + skipped
        assert linked == sum(parts[:3])
        assert parts[4] == linked - parts[3]


def test_every_table_and_column_is_described_as_its_contract_says(con: duckdb.DuckDBPyConnection) -> None:
    comments = dict(
        con.execute(
            "SELECT schema_name || '.' || table_name, comment FROM duckdb_tables() WHERE NOT internal"
        ).fetchall()
    )
    assert {name: comments.get(name) for name in contract_names()} == {
        name: load_contract(name).description for name in contract_names()
    }
    bare = con.execute(
        "SELECT schema_name, table_name, column_name FROM duckdb_columns() "
        "WHERE NOT internal AND schema_name <> 'main' AND coalesce(comment, '') = ''"
    ).fetchall()
    assert bare == []


def test_the_warehouse_is_private_and_one_snapshot_is_published(
    installation: Installation, outcome: RunOutcome
) -> None:
    assert stat.S_IMODE(installation.home.warehouse.stat().st_mode) == 0o600
    assert list(installation.home.root.rglob("analytics.duckdb")) == [installation.home.published]


def test_a_delta_after_a_full_run_changes_no_link(installation: Installation, con: duckdb.DuckDBPyConnection) -> None:
    before = {name: links(con, name) for name in OBJECTS}
    con.close()
    outcome = installation.sync(full=False)
    assert outcome.success
    with duckdb.connect(str(installation.home.published), read_only=True) as after:
        assert {name: links(after, name) for name in OBJECTS} == before
        assert after.execute("SELECT count(*) FROM imports.change").fetchall() == con_changes(after, outcome.run_id)


def links(con: duckdb.DuckDBPyConnection, name: str) -> list[tuple[object, ...]]:
    query = f"SELECT salesforce_id, status, reference_id, method, linked_since FROM crosswalk.{name} ORDER BY ALL"
    return con.execute(query).fetchall()


def con_changes(con: duckdb.DuckDBPyConnection, run_id: str) -> list[tuple[object, ...]]:
    return con.execute("SELECT count(*) FROM imports.change WHERE run_id <> ?", [run_id]).fetchall()


def test_every_owner_stands_among_the_users_and_every_entity_in_the_search(con: duckdb.DuckDBPyConnection) -> None:
    owners = " UNION ".join(f'SELECT "OwnerId" FROM salesforce.{name} WHERE NOT _is_deleted' for name in OBJECTS)
    assert con.execute(f"{owners} EXCEPT SELECT salesforce_id FROM ownership.user").fetchall() == []
    kinds = dict(con.execute("SELECT kind, count(*) FROM ownership.user GROUP BY 1").fetchall())
    assert kinds["user"] > 0
    assert kinds["queue"] > 0
    for kind in ("company", "person"):
        there = f"SELECT {kind}_id FROM reference.{kind}"
        assert (
            con.execute(f"({there} EXCEPT SELECT reference_id FROM ownership.search WHERE kind = '{kind}')").fetchall()
            == []
        )
    held = "SELECT sum(record_count) FROM ownership.search"
    records = "SELECT " + " + ".join(f"(SELECT count(*) FROM ownership.{name})" for name in OBJECTS)
    assert con.execute(held).fetchall() == con.execute(records).fetchall()


def test_converted_leads_left_and_stand_as_contacts(con: duckdb.DuckDBPyConnection) -> None:
    converted = 'SELECT "Id" AS id, "ConvertedContactId" AS contact FROM salesforce.lead WHERE "IsConverted"'
    left = f"SELECT count(*) FROM ({converted}) WHERE id IN (SELECT salesforce_id FROM ownership.lead)"
    stand = f"SELECT count(*) FROM ({converted}) WHERE contact IN (SELECT salesforce_id FROM ownership.contact)"
    assert con.execute(left).fetchall() == [(0,)]
    assert con.execute(stand).fetchall()[0][0] > 0
