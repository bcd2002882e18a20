"""A forgotten person stays out although the org goes on sending the record; the counts still hold."""

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from data_contracts.errors import ReconciliationError
from data_contracts.settings import ReferenceSource
from pipelines.extract.forgotten import keep_out
from pipelines.extract.pages import check_headers, prove, read_csv
from pipelines.extract.reconcile import reconcile
from pipelines.extract.reference import load_reference
from pipelines.run import RunContext
from resources.home import Home
from resources.landing import LandingFolder, OrgCount
from resources.tombstones import add_tombstones, read_tombstones
from tests.support.landed import land
from tests.support.org_tables import warehouse

KEY, OTHER = "003000000000001AAA", "003000000000009AAD"
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path)
    made.prepare()
    add_tombstones(made, "contact", [KEY])
    return made


def rows_of(folder: LandingFolder) -> list[tuple[object, ...]]:
    with duckdb.connect() as con:
        source = read_csv(check_headers(folder), folder.manifest.fields)
        con.execute(f"CREATE TABLE page AS SELECT * FROM {source}")
        assert prove(con, "page", folder.manifest) == folder.manifest.records
        return con.sql("FROM page ORDER BY Id").fetchall()


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("sent", [KEY, KEY[:15]])
def test_the_row_leaves_the_page_and_the_org_may_count_one_more(home: Home, packed: bool, sent: str) -> None:
    body = f'Id,LastName\n{sent},Zoltan\n{OTHER},"Sa, vannah"\n'
    count = OrgCount(asked_at=NOW, bound=NOW, live=2, settled=2)
    folder = land(home.landing, "contact", body, packed=packed, org_count=count)
    assert keep_out(home, folder) == 1
    again = LandingFolder.open(folder.path)
    assert rows_of(again) == [(OTHER, "Sa, vannah")]
    assert again.drop_damaged_pages() == 0
    with duckdb.connect() as con:
        con.execute("CREATE TABLE t AS SELECT 1 AS Id, false AS _is_deleted")
        found = reconcile(con, "t", again.manifest)
        assert found is not None
        assert "kept out" in found.explanation
        con.execute("DELETE FROM t")
        with pytest.raises(ReconciliationError):
            reconcile(con, "t", again.manifest)
    assert keep_out(home, again) == 1  # a load that is tried again


def test_a_delta_without_the_person_still_counts_it_until_the_org_has_it_no_more(home: Home) -> None:
    assert keep_out(home, land(home.landing, "contact", f"Id,LastName\n{KEY},Z\n")) == 1
    day = datetime(2026, 3, 2, tzinfo=UTC)
    delta = land(home.landing, "contact", f"Id,LastName\n{OTHER},S\n", kind="delta", created_at=day)
    assert keep_out(home, delta) == 1
    later = land(home.landing, "contact", f"Id,LastName\n{OTHER},S\n", created_at=datetime(2026, 3, 3, tzinfo=UTC))
    assert keep_out(home, later) == 0


def test_rows_about_the_person_stay_without_it(home: Home) -> None:
    folder = land(home.landing, "task", f"Id,WhoId,Subject\n00T1,{KEY},Call Zoltan\n00T2,{OTHER},Write\n")
    assert keep_out(home, folder) == 0
    assert rows_of(LandingFolder.open(folder.path)) == [("00T1", None, None), ("00T2", OTHER, "Write")]


def test_a_membership_and_a_lookup_lose_the_person_and_nothing_else(home: Home) -> None:
    member = land(home.landing, "campaign_member", f"Id,ContactId,Email,Status\n00v1,{KEY},z@canary.example,Sent\n")
    keep_out(home, member)
    assert rows_of(LandingFolder.open(member.path)) == [("00v1", None, None, "Sent")]
    deal = land(home.landing, "opportunity", f"Id,ContactId,Name\n0061,{KEY},Big deal\n")
    keep_out(home, deal)
    assert rows_of(LandingFolder.open(deal.path)) == [("0061", None, "Big deal")]


def test_nothing_is_read_where_nobody_was_forgotten(tmp_path: Path) -> None:
    folder = land(tmp_path / "landing", "contact", f"Id,LastName\n{KEY},Z\n")
    (folder.path / "page-first.csv").unlink()
    assert keep_out(Home(tmp_path), folder) == 0


def test_an_entity_of_the_reference_stays_out(home: Home, tmp_path: Path) -> None:
    add_tombstones(home, "person", ["P1"])
    (tmp_path / "people.csv").write_text("person_id,last_name\nP1,Zoltan\nP2,Savannah\n")
    source, run = ReferenceSource(path="people.csv"), RunContext("r", "full", NOW)
    with warehouse(tmp_path) as con:
        assert load_reference(con, "person", source, tmp_path, run, home=home).rows == 1
        assert con.sql("SELECT person_id FROM reference.person").fetchall() == [("P2",)]


def test_the_file_holds_hashes_only_and_is_private(home: Home) -> None:
    path = home.root / "forgotten.json"
    assert KEY[:15] not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    stones = read_tombstones(home)
    with duckdb.connect() as con:
        told = con.sql(f"SELECT {stones.sql('x')} FROM (VALUES ('{KEY}'), ('{KEY[:15]}')) AS t(x)").fetchall()
    assert {row[0] for row in told} == stones.of("contact")
