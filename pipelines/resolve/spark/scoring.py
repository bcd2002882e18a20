"""Pairs of one object scored on a Spark cluster instead of on the warehouse's connection: same model, same columns.

Blocking, training (on a sample) and deciding stay in DuckDB; what grows with the pairs, the likeness of names and the
comparisons, is computed by the cluster.
"""

from pathlib import Path

import duckdb

from data_contracts.settings import Spark
from pipelines.resolve.model import Model
from pipelines.resolve.scoring import DERIVED, splink_comparisons
from pipelines.resolve.scripts import run_script
from pipelines.resolve.sides import Sides
from pipelines.resolve.spark.dialect import spark_functions, spark_script, spark_sql
from resources.resolution_engine import splink_settings
from resources.spark_engine import SparkEngine, spark_engine

#: What the likeness of company names is computed from; on DuckDB it is a column of its own.
_NAMES = {"words": "w.words", "weights": "w.weights", "other_names": "s.other_names", "name_key": "s.name_key"}
_LIKENESS = "MAP<INT, STRUCT<alike: FLOAT, contained: FLOAT, shared: FLOAT, own: FLOAT>>"
#: Weights are single precision; in the shortest decimals that mean them, 0.7 is 0.7 to both engines.
_WEIGHTS = ("total", "last_weight", "first_weight")


def score_on_spark(
    con: duckdb.DuckDBPyConnection, spark: Spark, folder: Path, sides: Sides, pairs: str, model: Model, into: str
) -> None:
    """Score table ``pairs`` (l, r) and write ``into`` (l, r, match_weight, mw_…), for companies ``_name_alike`` too.

    ``folder`` is where tables are exchanged unless the settings name another. Raises ResolutionError when the cluster
    is not there or cannot compute it.
    """
    with spark_engine(con, spark.master or "", spark.folder or folder, spark.options) as engine:
        for side, key in (("left", "l"), ("right", "r")):
            columns = _columns(sides, model)
            run_script(con, "features.sql", side=side, replace=_parts(sides, columns, key, pairs))
            engine.send(f"FROM _{side}_seen", f"seen_{side}")
        engine.send(f"SELECT l, r FROM {pairs}", "pairs")
        if sides.kind == "company":
            _liken_names(engine)
        settings = splink_settings(splink_comparisons(model.comparisons, model.parameters), model.prior)
        levels = [level for comparison in settings["comparisons"] for level in comparison["comparison_levels"]]
        for level in levels:
            if level["sql_condition"] != "ELSE":
                level["sql_condition"] = spark_sql(level["sql_condition"])
        engine.run(*spark_functions(*(level["sql_condition"] for level in levels)))
        prefix = "named" if sides.kind == "company" else "seen"
        engine.score(settings, f"{prefix}_left", f"{prefix}_right", "pairs", into)


def _liken_names(engine: SparkEngine) -> None:
    """Compute the likeness of the names of every pair: for the comparisons, and for what is decided later."""
    engine.define("name_alike", spark_script("names.sql"), keep=True)
    engine.define(
        "names",
        "SELECT l AS n, map_from_entries(collect_list(named_struct('key', r, 'value', "
        "named_struct('alike', alike, 'contained', contained, 'shared', shared, 'own', own)))) AS names "
        "FROM name_alike GROUP BY l",
    )
    unused = f"EXCEPT ({', '.join(_NAMES)})"
    named = f"SELECT s.* {unused}, s.name_key"
    engine.define("named_left", f"{named}, k.names FROM seen_left s LEFT JOIN names k USING (n)")
    # Splink stacks the two: both have every column, of one type.
    engine.define("named_right", f"{named}, CAST(NULL AS {_LIKENESS}) AS names FROM seen_right s")
    engine.fetch("SELECT l, r, shared, alike, contained, own FROM name_alike", "_name_alike")


def _columns(sides: Sides, model: Model) -> dict[str, str]:
    """Return the columns of a side the cluster needs, as SQL."""
    wanted = {column for comparison in model.comparisons for column in comparison.columns} - {"names"}
    columns = {name: DERIVED.get(name, f"s.{name}") for name in sorted(wanted)}
    columns |= {name: f"({sql})::VARCHAR::DOUBLE" for name, sql in columns.items() if name in _WEIGHTS}
    return columns | (_NAMES if sides.kind == "company" else {})


def _parts(sides: Sides, columns: dict[str, str], key: str, pairs: str) -> dict[str, str]:
    last, first = ("last_squashed", "first_squashed") if sides.kind == "person" else ("NULL::VARCHAR", "NULL::VARCHAR")
    return {
        "columns": ", ".join(["s.n", *(f"{sql} AS {name}" for name, sql in columns.items())]),
        "key": key,
        "pairs": pairs,
        "last": last,
        "first": first,
        "names": "(SELECT NULL::INTEGER AS n WHERE false)",
    }
