"""Our own arithmetic against Splink's, pair by pair, on the same settings."""

import duckdb
import pytest

from pipelines.resolve.comparisons import COMPARISONS
from pipelines.resolve.scoring import splink_comparisons, starting_parameters
from resources.direct_engine import DirectEngine, is_plain
from resources.resolution_engine import DuckDBEngine, splink_settings

CHOSEN = tuple(c for c in COMPARISONS["company"] if c.name in ("domain", "phone", "street", "locality"))
COLUMNS = (
    *("domain", "phone_tail", "street_number", "street_name"),
    *("postal_code_clean", "city_clean", "state_clean", "country_code"),
)
COUNTS = ("domain_places", "phone_places", "street_places")
MACRO = (
    "CREATE OR REPLACE TEMP MACRO near(a, b, letters) AS abs(length(a) - length(b)) <= letters "
    "AND damerau_levenshtein(a, b) <= letters"
)


def _sides(con: duckdb.DuckDBPyConnection) -> None:
    """Two tables whose values agree, nearly agree, differ and are missing in every mixture."""
    con.execute(MACRO)
    values = ", ".join(
        f"CASE WHEN hash(n, {i}) % 5 = 0 THEN NULL ELSE (1234560 + hash(n, {i}, 'v') % 12)::VARCHAR END AS {name}"
        for i, name in enumerate(COLUMNS)
    )
    values += "".join(f", (1 + hash(n, '{name}') % 3)::INTEGER AS {name}" for name in COUNTS)
    for side, size in (("left", 40), ("right", 60)):
        con.execute(f"CREATE TEMP TABLE _{side}_seen AS SELECT n::INTEGER AS n, {values} FROM range(1, {size}) t(n)")
    con.execute("CREATE TEMP TABLE _wanted AS SELECT l.n AS l, r.n AS r FROM _left_seen l, _right_seen r")


@pytest.mark.parametrize("levels", [True, False])
def test_the_same_weights_and_levels_as_splink(levels: bool) -> None:
    parameters = starting_parameters(CHOSEN)
    parameters["phone"]["m"][0] *= 0.37
    found = splink_settings(splink_comparisons(CHOSEN, parameters), 0.0123, levels=levels)
    with duckdb.connect() as con:
        _sides(con)
        DuckDBEngine(con).score(found, "_left_seen", "_right_seen", "_wanted", "_theirs")
        DirectEngine(con).score(found, "_left_seen", "_right_seen", "_wanted", "_ours")
        names = [row[0] for row in con.execute("DESCRIBE _theirs").fetchall()]
        assert sorted(names) == sorted(row[0] for row in con.execute("DESCRIBE _ours").fetchall())
        pairs = con.execute("SELECT count(*) FROM _theirs JOIN _ours USING (l, r)").fetchall()[0][0]
        apart = " OR ".join(f"NOT abs(t.{name} - o.{name}) < 1e-9" for name in names if name not in ("l", "r"))
        other = con.execute(f"SELECT * FROM _theirs t JOIN _ours o USING (l, r) WHERE {apart}").fetchall()
        different = con.execute("SELECT count(DISTINCT round(match_weight, 6)) FROM _ours").fetchall()[0][0]
    assert pairs == 39 * 59
    assert different > 50, "levels of all kinds"
    assert other == []


def test_only_the_pairs_asked_for_are_kept() -> None:
    found = splink_settings(splink_comparisons(CHOSEN, starting_parameters(CHOSEN)), 0.0123)
    with duckdb.connect() as con:
        _sides(con)
        DirectEngine(con).score(found, "_left_seen", "_right_seen", "_wanted", "_all")
        middle = con.execute("SELECT median(match_weight) FROM _all").fetchall()[0][0]
        kept = f"match_weight >= {middle} OR (l, r) IN (SELECT l, r FROM _wanted WHERE l = r)"
        also = {"cities": "city_clean_l || city_clean_r"}
        DirectEngine(con).score(found, "_left_seen", "_right_seen", "_wanted", "_kept", also=also, kept=kept)
        wrong = con.execute(
            f"SELECT count(*) FROM _all a FULL JOIN (SELECT * EXCLUDE (cities) FROM _kept) k USING (l, r) "
            f"WHERE (k.match_weight IS NOT NULL) <> (a.match_weight >= {middle} OR l = r) "
            "OR k.match_weight IS NOT NULL AND k IS DISTINCT FROM a"
        ).fetchall()[0][0]
        counts = con.execute("SELECT (SELECT count(*) FROM _all), (SELECT count(*) FROM _kept)").fetchall()[0]
    assert wrong == 0
    assert 39 < counts[1] < counts[0]


def test_what_it_does_not_know_is_left_to_splink() -> None:
    found = splink_settings(splink_comparisons(CHOSEN, starting_parameters(CHOSEN)), 0.01)
    assert is_plain(found)
    found["comparisons"][0]["comparison_levels"][1]["tf_adjustment_column"] = "domain"
    assert not is_plain(found)
