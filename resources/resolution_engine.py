"""The engine Splink runs on: it scores given pairs of given records with a given model. It trains and decides nothing.

DuckDB now. Another backend is another class with the same ``score``; settings and pairs stay the same.
"""

import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import duckdb

from data_contracts.errors import ResolutionError

#: Splink joins on ``<source>-__-<id>``; these are the two sources.
LEFT, RIGHT = "crm", "reference"
JOINER = "-__-"


class ResolutionEngine(Protocol):
    """What resolution needs of a backend."""

    def score(self, settings: dict[str, Any], left: str, right: str, pairs: str, into: str) -> None:
        """Score ``pairs`` (l, r) of records of ``left`` and ``right`` (column n) and write them to table ``into``.

        ``into`` has l, r, match_weight (bits, prior included), and per comparison ``mw_<name>`` (bits); with
        ``retain_matching_columns`` also ``gamma_<name>``: the level, the highest is best, -1 is nothing to compare.
        """


class DuckDBEngine:
    """Splink on the connection that holds the data; its working tables live in a scratch database in memory."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con

    def score(self, settings: dict[str, Any], left: str, right: str, pairs: str, into: str) -> None:
        """See ``ResolutionEngine.score``; the three inputs and ``into`` are temporary tables."""
        from splink import DuckDBAPI, Linker

        with _scratch(self._con) as name:
            # Unique names: Splink looks columns up by bare table name in every schema there is.
            inputs = {}
            for source, table in ((LEFT, left), (RIGHT, right)):
                inputs[source] = f"{name}_{source}"
                self._con.execute(f"CREATE TABLE {inputs[source]} AS SELECT * FROM {table}")
            self._con.execute(
                f"CREATE TABLE {name}_pairs AS SELECT '0' AS match_key, '{LEFT}{JOINER}' || l AS join_key_l, "
                f"'{RIGHT}{JOINER}' || r AS join_key_r FROM {pairs}"
            )
            api = DuckDBAPI(connection=self._con)
            tables = [api.register(table, dataset_display_name=source) for source, table in inputs.items()]
            # Looking for columns parses every condition once more: a third of a small run.
            linker = Linker(tables, settings, log_level=logging.ERROR, validate_settings=False)
            linker.table_management.register_blocked_pairs_for_predict(api.register(f"{name}_pairs"))
            scored = linker.inference.predict(warning_mode="never").physical_name
            prefixes = ("gamma_", "mw_") if settings["retain_matching_columns"] else ("mw_",)
            kept = ", ".join(p + c["output_column_name"] for c in settings["comparisons"] for p in prefixes)
            self._con.execute(
                f"CREATE OR REPLACE TEMP TABLE {into} AS SELECT n_l::INTEGER AS l, n_r::INTEGER AS r, "
                f"match_weight, {kept} FROM {scored}"
            )


def splink_settings(comparisons: list[dict[str, Any]], prior: float, *, levels: bool = False) -> dict[str, Any]:
    """Return Splink's settings for two datasets keyed by ``n``; ``prior`` is the share of matches among the pairs.

    ``levels`` asks for the level of every comparison beside its weight.

    Raises ResolutionError when a level has no trained m or u: Splink would fill in a default of its own.
    """
    for comparison in comparisons:
        for level in comparison["comparison_levels"]:
            trained = level.get("is_null_level") or (level.get("m_probability") and level.get("u_probability"))
            if not trained:
                name, label = comparison["output_column_name"], level["label_for_charts"]
                raise ResolutionError(
                    f"the model has no trained weight for {name}: {label}",
                    why="a default would be a guess",
                    next_step="delete the model and run: crosswalk sync --full",
                )
    return {
        "link_type": "link_only",
        "unique_id_column_name": "n",
        "source_dataset_column_name": "source_dataset",
        "probability_two_random_records_match": prior,
        "blocking_rules_to_generate_predictions": ["l.n = r.n"],
        "retain_matching_columns": levels,
        "retain_intermediate_calculation_columns": True,
        "comparisons": comparisons,
    }


@contextmanager
def _scratch(con: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Make a scratch database the current one: the warehouse file is spared Splink's tables, and its log."""
    name = f"splink_{uuid.uuid4().hex[:8]}"
    current = con.sql("SELECT current_database(), current_schema()").fetchall()[0]
    con.execute(f"ATTACH ':memory:' AS {name}")
    con.execute(f"USE {name}")
    try:
        yield name
    finally:
        con.execute(f'USE "{current[0]}"."{current[1]}"')
        con.execute(f"DETACH {name}")
