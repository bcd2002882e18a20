"""Splink on a Spark cluster: tables out as Parquet, scores back the same way. It trains and decides nothing.

The exchange folder must be seen by this machine and every worker under one path. What is written there is personal
data of the records that are scored; it is deleted when the engine is closed, whatever happens.
"""

import logging
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from data_contracts.errors import ResolutionError
from resources.resolution_engine import JOINER, LEFT, RIGHT
from resources.spark_cluster import spark_session


class SparkEngine:
    """Scores on a cluster. Tables are those of a DuckDB connection until sent, then views of the session."""

    def __init__(self, con: duckdb.DuckDBPyConnection, session: Any, exchange: Path) -> None:
        from splink import SparkAPI

        self._con, self._session, self._exchange = con, session, exchange
        # Steps are handed on as files: what is only planned again and again takes longer than the work.
        session.sparkContext.setCheckpointDir(str(exchange / "steps"))
        # Registers Splink's string functions, which our statements use too.
        self._api = SparkAPI(spark_session=session, break_lineage_method="parquet")

    def send(self, query: str, view: str) -> None:
        """Write the rows of a DuckDB query as Parquet and make them a view of the session."""
        path = self._exchange / f"{view}.parquet"
        self._con.execute(f"COPY ({query}) TO '{_quoted(path)}' (FORMAT parquet)").fetchall()
        with self._foreseen():
            self._session.read.parquet(str(path)).createOrReplaceTempView(view)

    def run(self, *statements: str) -> None:
        """Run statements that give no rows."""
        with self._foreseen():
            for statement in statements:
                self._session.sql(statement)

    def define(self, view: str, statement: str, *, keep: bool = False) -> None:
        """Make the rows of a statement in Spark's SQL a view; with ``keep`` they are computed now, and once."""
        with self._foreseen():
            rows = self._session.sql(statement)
            if keep:
                path = str(self._exchange / f"{view}.parquet")
                rows.write.parquet(path)
                rows = self._session.read.parquet(path)
            rows.createOrReplaceTempView(view)

    def fetch(self, query: str, into: str) -> None:
        """Compute a query over views of the session and make its rows the temporary DuckDB table ``into``."""
        path = self._exchange / f"{into}-{uuid.uuid4().hex[:8]}"
        with self._foreseen():
            self._session.sql(query).write.parquet(str(path))
        self._con.execute(
            f"CREATE OR REPLACE TEMP TABLE {into} AS SELECT * FROM read_parquet('{_quoted(path)}/*.parquet')"
        ).fetchall()

    def score(self, settings: dict[str, Any], left: str, right: str, pairs: str, into: str) -> None:
        """See ``ResolutionEngine.score``; the inputs are views of the session, the conditions in Spark's SQL."""
        from splink import Linker

        with self._foreseen():
            api = self._api
            tables = [
                api.register(self._session.table(view), dataset_display_name=source)
                for source, view in ((LEFT, left), (RIGHT, right))
            ]
            linker = Linker(tables, settings, log_level=logging.ERROR, validate_settings=False)
            blocked = self._session.sql(
                f"SELECT '0' AS match_key, concat('{LEFT}{JOINER}', l) AS join_key_l, "
                f"concat('{RIGHT}{JOINER}', r) AS join_key_r FROM {pairs}"
            )
            linker.table_management.register_blocked_pairs_for_predict(api.register(blocked))
            scored = linker.inference.predict(warning_mode="never").physical_name
        prefixes = ("gamma_", "mw_") if settings["retain_matching_columns"] else ("mw_",)
        kept = ", ".join(p + c["output_column_name"] for c in settings["comparisons"] for p in prefixes)
        self.fetch(f"SELECT CAST(n_l AS INT) AS l, CAST(n_r AS INT) AS r, match_weight, {kept} FROM {scored}", into)

    @contextmanager
    def _foreseen(self) -> Iterator[None]:
        """Tell in a sentence what Spark says in a page."""
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkException

        try:
            yield
        except (Py4JError, PySparkException) as error:
            raise self._failure(str(error)) from error

    def _failure(self, said: str) -> ResolutionError:
        if "FileNotFound" in said or "PATH_NOT_FOUND" in said or "does not exist" in said:
            return ResolutionError(
                f"a Spark worker cannot read {self._exchange}",
                why="this machine and every worker must see the exchange folder under the same path",
                next_step="set matching.spark.folder to a folder on storage they share",
            )
        first = next((line.strip() for line in said.splitlines() if "Exception" in line or "Error" in line), said[:300])
        return ResolutionError(
            "the Spark cluster could not score the pairs",
            why=first[:300],
            next_step="look at the application's log on the cluster, or set matching.engine: duckdb",
        )


@contextmanager
def spark_engine(
    con: duckdb.DuckDBPyConnection, master: str, folder: Path, options: Mapping[str, str]
) -> Iterator[SparkEngine]:
    """Open a session on ``master`` that exchanges tables below ``folder``; both are cleared away afterwards."""
    exchange = folder / f"exchange-{uuid.uuid4().hex[:8]}"
    exchange.mkdir(parents=True)
    try:
        with spark_session(master, exchange, options) as session:
            yield SparkEngine(con, session, exchange)
    finally:
        shutil.rmtree(exchange, ignore_errors=True)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
