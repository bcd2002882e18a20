"""A real Spark cluster against DuckDB: the same links and weights, pair by pair, from the same settings."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from data_contracts.settings import Settings
from pipelines.resolve.spark.dialect import spark_functions, spark_sql
from resources.spark_cluster import spark_session
from resources.spark_engine import SparkEngine
from resources.spark_java import carried_java
from tests.support.resolution import connect, put, read_csv, resolve_all
from tests.support.spark_cluster import OPTIONS, standalone_cluster

DATA = Path(__file__).parents[2] / "data"
#: What docs/spark.md promises, in bits.
TOLERANCE = 1e-6
QUICK = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.extraJavaOptions": OPTIONS,
    "spark.executor.memory": "512m",
    "spark.sql.shuffle.partitions": "2",
}


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a cluster of two workers on which this process has a session."""
    folder = tmp_path_factory.mktemp("spark")
    java = carried_java(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAVA_HOME", str(java))
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        with standalone_cluster(folder, java) as url, spark_session(url, folder, QUICK):
            yield url


def _resolved(name: str, folder: str, rows: int, home: Path, settings: Settings) -> dict[str, list[tuple[Any, ...]]]:
    """Every candidate with its weights, and every link, of one set."""
    kind = "company" if name == "account" else "person"
    with connect() as con:
        put(con, f"salesforce.{name}", list(read_csv(DATA / folder / f"{name.capitalize()}.csv"))[:rows])
        put(con, f"reference.{kind}", list(read_csv(DATA / folder / f"reference_{kind}.csv")))
        version = resolve_all(con, name, home, settings).model
        assert version is not None
        columns = [row[0] for row in con.execute(f"DESCRIBE match.{name}_candidate").fetchall()]
        weights = [column for column in columns if "weight" in column]
        return {
            "model": [(version.version,)],
            "pairs": con.execute(
                f"SELECT salesforce_id, reference_id, {', '.join(weights)} FROM match.{name}_candidate ORDER BY ALL"
            ).fetchall(),
            "links": con.execute(
                f"SELECT salesforce_id, status, reference_id, method, reason FROM crosswalk.{name} ORDER BY ALL"
            ).fetchall(),
        }


@pytest.mark.parametrize(("name", "folder", "rows"), [("account", "restaurants", 200), ("contact", "febrl4", 150)])
def test_the_same_links_and_weights(master: str, tmp_path: Path, name: str, folder: str, rows: int) -> None:
    spark = Settings.model_validate({"matching": {"engine": "spark", "spark": {"master": master}}})
    ours = _resolved(name, folder, rows, tmp_path / "duckdb", Settings())
    theirs = _resolved(name, folder, rows, tmp_path / "spark", spark)
    assert theirs["model"] == ours["model"]
    assert theirs["links"] == ours["links"]
    assert len(ours["links"]) > 100
    assert [pair[:2] for pair in theirs["pairs"]] == [pair[:2] for pair in ours["pairs"]]
    for mine, their in zip(ours["pairs"], theirs["pairs"], strict=True):
        assert their[2:] == pytest.approx(mine[2:], abs=TOLERANCE, nan_ok=True), mine[:2]
    assert not list((tmp_path / "spark").glob("spark/exchange-*")), "what was exchanged is deleted"


def test_likenesses_are_those_of_duckdb(master: str, tmp_path: Path) -> None:
    chance = random.Random(7)
    pairs = []
    for _ in range(1500):
        word = "".join(chance.choice("abcde12é€ 北") for _ in range(chance.randint(1, 16)))
        other = list(word)
        for _ in range(chance.randint(0, 5)):
            place = chance.randrange(len(other) + 1)
            other[place : place + chance.randint(0, 1)] = [chance.choice("abcde1é")] * chance.randint(0, 1)
        pairs.append((word, "".join(other) or None))
    wanted = {
        "winkler": "jaro_winkler_similarity(a, b) >= 0.92",
        "more": "jaro_winkler_similarity(a, b) >= 0.8",
        "distance": "levenshtein(left(a, 64), left(b, 64)) <= length(b) // 4",
        "near": "near(a, b, 2)",
        "first": "left(a, -2) = left(b, -2)",
        "apart": "coalesce(jaro_winkler_similarity(a, b) >= 0.85, true)",
    }
    with duckdb.connect() as con, spark_session(master, tmp_path, {}) as session:
        con.execute(
            "CREATE TEMP MACRO near(a, b, letters) AS abs(length(a) - length(b)) <= letters "
            "AND jaro_similarity(a, b) >= 0.6 AND damerau_levenshtein(a, b) <= letters"
        )
        con.register("given", pa.table({"a": [pair[0] for pair in pairs], "b": [pair[1] for pair in pairs]}))
        engine = SparkEngine(con, session, tmp_path)
        engine.send("FROM given", "given")
        spark = ", ".join(f"{spark_sql(sql)} AS {name}" for name, sql in wanted.items())
        engine.run(*spark_functions(spark))
        engine.fetch(f"SELECT a, b, {spark} FROM given", "found")
        apart = " OR ".join(f"({sql}) IS DISTINCT FROM {name}" for name, sql in wanted.items())
        assert con.execute(f"SELECT * FROM found WHERE {apart}").fetchall() == []
        for name in wanted:
            shares = con.execute(f"SELECT count(DISTINCT {name}) FROM found").fetchall()
            assert shares == [(2,)], f"{name} is now this, now that"
