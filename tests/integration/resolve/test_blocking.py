"""Blocks are bounded by the reference alone, parts fit into memory, rungs propose few, and recall is measured."""

from pathlib import Path

import pytest

from pipelines.resolve import candidates, explain, hopeless
from pipelines.resolve.blocking_recall import blocking_recall
from pipelines.resolve.rungs import MOST_HITS
from tests.support.resolution import connect, put, read_csv, resolve_all

FOLDER = Path(__file__).parents[2] / "data" / "restaurants"


def test_parts_of_any_size_give_the_same_candidates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for size in (candidates.BYTES_PER_PAIR, 200_000_000):
        monkeypatch.setattr(candidates, "BYTES_PER_PAIR", size)
        with connect() as con:
            con.execute("SET memory_limit = '2GB'")
            put(con, "salesforce.account", list(read_csv(FOLDER / "Account.csv"))[:150])
            put(con, "reference.company", read_csv(FOLDER / "reference_company.csv"))
            resolve_all(con, "account", tmp_path / str(size))
            rows = con.sql("SELECT * FROM match.account_candidate ORDER BY salesforce_id, reference_id").fetchall()
            recall = blocking_recall(con, "account", f"read_csv('{FOLDER / 'truth.csv'}', all_varchar = true)")
        found.append(rows)
    assert found[0] == found[1]
    assert recall.pairs > 10
    assert recall.recall is not None
    assert recall.recall > 0.95
    assert max(recall.by_key.values()) <= recall.recall


def test_other_records_are_no_reason_to_cut_a_block(tmp_path: Path) -> None:
    records = [{"Id": f"A{i:04d}".ljust(18, "0"), "Name": "Acme", "BillingCity": "Boston"} for i in range(3000)]
    with connect() as con:
        put(con, "salesforce.account", records)
        put(con, "reference.company", [{"company_id": f"c{i}", "name": "Acme", "city": "Salem"} for i in range(3)])
        result = resolve_all(con, "account", tmp_path)
        least, most = con.sql("SELECT min(candidate_count), max(candidate_count) FROM crosswalk.account").fetchall()[0]
    assert (least, most) == (3, 3)
    assert result.blocks_cut == 0


def test_hopeless_pairs_are_counted_and_not_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for floor in (-1000.0, hopeless.FLOOR):
        monkeypatch.setattr(hopeless, "FLOOR", floor)
        with connect() as con:
            put(con, "salesforce.account", list(read_csv(FOLDER / "Account.csv"))[:200])
            put(con, "reference.company", read_csv(FOLDER / "reference_company.csv"))
            resolve_all(con, "account", tmp_path / str(floor))
            links = con.sql(
                "SELECT * EXCLUDE (linked_since, run_id) REPLACE (round(match_probability, 6) AS match_probability) "
                "FROM crosswalk.account ORDER BY 1"
            ).fetchall()
            pairs = {
                (record, entity): (weight, rung)
                for record, entity, weight, rung in con.sql(
                    "SELECT salesforce_id, reference_id, match_weight, rule_code FROM match.account_candidate"
                ).fetchall()
            }
            record = next(row[0] for row in links if row[7] > hopeless.SHOWN)
            told = explain(con, "account", record)
        found.append((links, pairs, told))
    (links, every, _), (same_links, listed, told) = found
    assert same_links == links, "what is linked, and of how many, does not depend on it"
    hopeful = {pair for pair, (weight, _) in every.items() if weight is None or weight >= hopeless.FLOOR}
    assert hopeful < listed.keys() < every.keys()
    assert all(listed[pair] == every[pair] for pair in listed)
    for record in {pair[0] for pair in every}:
        mine = [pair for pair in every if pair[0] == record]
        shown = [pair for pair in mine if pair in listed]
        assert len(shown) >= min(len(mine), hopeless.SHOWN)
    assert told.hopeless == told.link["candidate_count"] - len(told.candidates)


def test_a_rung_that_finds_many_proposes_few(tmp_path: Path) -> None:
    with connect() as con:
        put(con, "salesforce.account", [{"Id": "A1".ljust(18, "0"), "Name": "Acme"}])
        put(con, "reference.company", [{"company_id": f"c{i:02d}", "name": "Acme"} for i in range(35)])
        resolve_all(con, "account", tmp_path)
        rows = con.sql(
            "SELECT reference_id FROM match.account_candidate WHERE rule_code IS NOT NULL ORDER BY 1"
        ).fetchall()
    assert [row[0] for row in rows] == [f"c{i:02d}" for i in range(MOST_HITS)]


def test_a_branch_is_not_the_seat(tmp_path: Path) -> None:
    with connect() as con:
        put(con, "salesforce.account", [{"Id": "A1".ljust(18, "0"), "Name": "Acme Branch", "Website": "acme.com"}])
        put(con, "reference.company", [{"company_id": "c1", "name": "Acme", "website": "acme.com"}])
        resolve_all(con, "account", tmp_path)
        rows = con.sql("SELECT rule_code FROM crosswalk.account").fetchall()
    assert rows[0][0] is None
