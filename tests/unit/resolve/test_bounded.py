"""Memory is bounded: a key that everybody shares is cut and said, pairs are made and scored in parts."""

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from pipelines.resolve import candidates, scoring
from pipelines.resolve.candidates import BLOCK, MOST, find_blocks, key_kinds, pair_up
from pipelines.resolve.comparisons import COMPARISONS
from pipelines.resolve.scripts import run_script
from pipelines.resolve.sides import Sides
from resources.direct_engine import DirectEngine

MILLION = 1_000_000
DOMAIN = key_kinds("company").index("domain")


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"memory_limit": "150MB"}) as con:
        con.execute("CREATE TEMP TABLE _forbidden (l INTEGER, r INTEGER)")
        yield con


def _block(con: duckdb.DuckDBPyConnection, records: int, entities: int) -> candidates.Candidates:
    """One domain that so many records and entities share."""
    for side, rows in (("left", records), ("right", entities)):
        con.execute(
            f"CREATE TEMP TABLE _{side}_key AS SELECT 7::UBIGINT AS h, {DOMAIN}::UTINYINT AS kind, "
            f"i::INTEGER AS n FROM range(1, {rows + 1}) t(i)"
        )
    con.execute("CREATE TEMP VIEW _right_id AS SELECT n, 'c' || n AS id FROM _right_key")
    sides = Sides("account", "company", records, entities, entities)
    find_blocks(con, sides)
    return pair_up(con, sides)


def test_a_block_of_a_million_is_cut_and_the_reason_said(con: duckdb.DuckDBPyConnection) -> None:
    found = _block(con, MILLION, MILLION)
    assert (found.pairs, found.blocks_cut, found.pairs_cut) == (0, 1, MILLION * MILLION)
    assert found.reasons == (
        f"1 keys of kind 'domain' are shared by more than {BLOCK} entities (the most common by 1,000,000) "
        "and make no candidates for 1,000,000 records",
    )
    assert con.sql("SELECT count(*) FROM _too_common").fetchall() == [(MILLION,)]


def test_very_many_records_of_one_bounded_block_are_paired_in_parts(con: duckdb.DuckDBPyConnection) -> None:
    records = 50_000
    assert records * BLOCK * candidates.BYTES_PER_PAIR > candidates.share_of_memory(con), "one part would do"
    found = _block(con, records, BLOCK)
    assert (found.pairs, found.records, found.reasons) == (records * MOST, records, ())


def test_scored_in_parts_is_scored_at_once(con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    run_script(con, "similarity.sql")
    con.execute("CREATE TEMP TABLE _word (word VARCHAR, weight FLOAT)")
    for side in ("left", "right"):
        con.execute(
            f"CREATE TEMP TABLE _{side} AS SELECT n::INTEGER AS n, ['w' || n % 7, 'x' || n % 5] AS name_tokens, "
            "array_to_string(list_sort(name_tokens), ' ') AS name_key, replace(name_key, ' ', '') AS name_squashed, "
            "[]::VARCHAR[] AS name_numbers, []::VARCHAR[] AS other_names, NULL::VARCHAR AS acronym, "
            "'d' || n % 3 AS domain, 1 AS domain_places, n % 3 AS phone_places, "
            "1 AS street_places, NULL::VARCHAR AS state_clean, "
            "'31024615' || n % 9 AS phone_tail, 'Main' AS street_name, "
            "'' || n % 4 AS street_number, '0' || n % 6 AS postal_code_clean, 'Boston' AS city_clean, "
            "'US' AS country_code FROM range(1, 25) t(n)"
        )
        run_script(con, "words.sql", side=side)
    run_script(con, "rarity.sql", entities=24, replace={"last": "NULL::VARCHAR", "first": "NULL::VARCHAR"})
    con.execute("CREATE TEMP TABLE _pairs AS SELECT l.n AS l, r.n AS r FROM _left l, _right r")

    def rows() -> tuple[int, list[tuple[Any, ...]]]:
        comparisons, sides = COMPARISONS["company"], Sides("account", "company", 24, 24, 24)
        model = (comparisons, scoring.starting_parameters(comparisons), 0.01)
        parts = scoring.score_in_parts(con, DirectEngine(con), sides, "_pairs", model, "_scored", "l, r, match_weight")
        found = con.execute("SELECT s.*, a.alike FROM _scored s JOIN _name_alike a USING (l, r) ORDER BY l, r")
        return parts, found.fetchall()

    at_once = rows()
    monkeypatch.setattr(scoring, "BYTES_PER_PAIR", candidates.share_of_memory(con) // 100)
    assert at_once[0] == 1
    assert len({row[2] for row in at_once[1]}) > 10, "weights of many kinds"
    assert rows() == (6, at_once[1])
