import csv
import gzip
import io
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.demo_org.store import BulkPage, OrgStore, SoqlError
from tests.integration.demo_org_store.conftest import write_csv  # type: ignore[import-untyped, unused-ignore]


def text_of(page: BulkPage) -> str:
    raw = page.path.read_bytes()
    return (gzip.decompress(raw) if page.path.suffix == ".gz" else raw).decode("utf-8")


def rows_of(pages: list[BulkPage]) -> list[list[str]]:
    found = []
    for page in pages:
        rows = list(csv.reader(io.StringIO(text_of(page), newline="")))
        assert len(rows) - 1 == page.rows
        assert page.bytes == page.path.stat().st_size
        found += rows[1:]
    return found


def restore(load: Any) -> OrgStore:
    header = ["Name", "AnnualRevenue", "NumberOfEmployees", "CreatedDate", "IsDeleted", "Since__c", "Latitude__c"]
    rows = [
        [f"n{i}", i * 1_000_000.5, i, f"2024-01-01T00:00:{i:02d}.250Z", i % 5 == 0, "2024-02-29", ""] for i in range(25)
    ]
    return load(Account=(header, rows))  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def store(module_load: Any) -> OrgStore:
    return restore(module_load)


@pytest.fixture
def changing(load: Any) -> OrgStore:
    return restore(load)


def test_shape_of_a_page(store: OrgStore, tmp_path: Path) -> None:
    soql = (
        "select name, Owner.Name, annualrevenue, NumberOfEmployees, CreatedDate, IsDeleted, Since__c, Site from Account"
    )
    pages = store.write_bulk_csv(soql + " WHERE Name IN ('n12', 'n1')", tmp_path / "out")
    assert text_of(pages[0]) == (
        '"Name","Owner.Name","AnnualRevenue","NumberOfEmployees","CreatedDate","IsDeleted","Since__c","Site"\n'
        '"n1","Integration User","1000000.5","1","2024-01-01T00:00:01.250Z","false","2024-02-29",""\n'
        '"n12","Integration User","1.2000006E7","12","2024-01-01T00:00:12.250Z","false","2024-02-29",""\n'
    )


@pytest.mark.parametrize(
    "soql",
    [
        "SELECT Name FROM Account",
        "SELECT Name, Owner.Name FROM Account ORDER BY Name DESC",
        "SELECT Name FROM Account LIMIT 17",
    ],
)
@pytest.mark.parametrize("page_rows", [1, 7, 20, 1000])
def test_pages_hold_every_row_once(store: OrgStore, tmp_path: Path, soql: str, page_rows: int) -> None:
    expected = [r["Name"] for r in store.query(soql).records()]
    pages = store.write_bulk_csv(soql, tmp_path / "out", page_rows=page_rows)
    assert [r[0] for r in rows_of(pages)] == expected
    assert all(p.rows == page_rows for p in pages[:-1])
    assert all(text_of(p).endswith('"\n') and text_of(p).startswith('"Name"') for p in pages)


def test_pages_after_rows_are_gone(changing: OrgStore, tmp_path: Path) -> None:
    for record in changing.query("SELECT Id FROM Account LIMIT 9").records():
        changing.hard_delete("Account", record["Id"])
    changing.create("Account", {"Name": "new"})
    pages = changing.write_bulk_csv("SELECT Id FROM Account", tmp_path / "out", page_rows=4, include_deleted=True)
    assert sum(p.rows for p in pages) == 25 - 9 + 1
    assert len({r[0] for r in rows_of(pages)}) == 17


def test_no_rows_give_a_page_with_the_header(store: OrgStore, tmp_path: Path) -> None:
    for number, tail in enumerate(("", " ORDER BY Name")):
        pages = store.write_bulk_csv(f"SELECT Id, Name FROM Lead{tail}", tmp_path / str(number))
        assert [(p.rows, text_of(p)) for p in pages] == [(0, '"Id","Name"\n')]


def test_deleted_rows_only_where_asked(store: OrgStore, tmp_path: Path) -> None:
    assert len(rows_of(store.write_bulk_csv("SELECT Id FROM Account", tmp_path / "a"))) == 20
    assert len(rows_of(store.write_bulk_csv("SELECT Id FROM Account", tmp_path / "b", include_deleted=True))) == 25


@pytest.mark.parametrize(
    ("soql", "says"),
    [
        ("SELECT COUNT() FROM Account", "COUNT() not supported"),
        ("SELECT MAX(CreatedDate) FROM Account", "Aggregate function not supported"),
        ("SELECT Name, COUNT(Id) FROM Account GROUP BY Name", "Aggregate function not supported"),
        ("SELECT Id FROM Account OFFSET 5", "OFFSET not supported"),
        ("SELECT Id, BillingAddress FROM Account", "Selecting compound data not supported"),
        ("SELECT Id, (SELECT Id FROM Contacts) FROM Account", "Aggregate Relationship not supported"),
    ],
)
def test_what_bulk_refuses(store: OrgStore, soql: str, says: str) -> None:
    with pytest.raises(SoqlError, match="in Bulk Query") as refused:
        store.check_bulk(soql)
    assert refused.value.code == "FUNCTIONALITY_NOT_ENABLED"
    assert says in refused.value.message


VALUES = st.text(
    alphabet=st.one_of(st.sampled_from("\",\n\r;\\' \t"), st.characters(codec="utf-8", exclude_characters="\0")),
    min_size=1,
    max_size=30,
)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(VALUES, min_size=1, max_size=30), st.sampled_from(["LF", "CRLF"]), st.sampled_from([None, 1]))
def test_what_went_in_comes_out(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], ending: str, level: int | None
) -> None:
    folder = tmp_path_factory.mktemp("roundtrip")
    write_csv(folder / "Account.csv", ["Name", "Site"], [[f"n{i}", t] for i, t in enumerate(texts)])
    store = OrgStore.load(folder, folder / "org.duckdb")
    pages = store.write_bulk_csv(
        "SELECT Name, Site FROM Account", folder / "out", page_rows=7, gzip_level=level, line_ending=ending
    )
    assert rows_of(pages) == [[f"n{i}", t] for i, t in enumerate(texts)]
    assert all(text_of(p).endswith('"\r\n' if ending == "CRLF" else '"\n') for p in pages)
    store.close()


def test_a_job_sees_one_state_while_people_write(changing: OrgStore, tmp_path: Path) -> None:
    stop: list[bool] = []

    def write() -> None:
        while not stop:
            changing.update_where("Account", "Name != null", {"Rating": "Hot" if changing.count("Account") else "Cold"})
            record = changing.create("Account", {"Name": "later"})
            changing.delete("Account", record)

    writer = Thread(target=write)
    writer.start()
    try:
        for number in range(6):
            pages = changing.write_bulk_csv("SELECT Id, Name FROM Account", tmp_path / str(number), page_rows=3)
            names = [r[1] for r in rows_of(pages) if r[1] != "later"]
            assert sorted(names) == sorted(f"n{i}" for i in range(25) if i % 5)
    finally:
        stop.append(True)
        writer.join()
