"""One demo of two thousand accounts for all tests here, read with Python's own csv."""

import csv
import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from apps.demo_org.generate import DemoSummary, generate_demo

Rows = list[dict[str, str]]
AS_OF = dt.date(2026, 3, 1)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoSummary:
    return generate_demo(tmp_path_factory.mktemp("demo"), as_of=AS_OF)


@pytest.fixture(scope="session")
def table(demo: DemoSummary) -> Callable[[str], Rows]:
    """Rows of one file by its path below the demo folder, without the suffix."""
    known: dict[str, Rows] = {}

    def read(name: str) -> Rows:
        if name not in known:
            known[name] = read_csv(demo.folder / f"{name}.csv")
        return known[name]

    return read


def read_csv(path: Path) -> Rows:
    with path.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream, strict=True)
        rows = list(reader)
    assert reader.fieldnames
    assert all(None not in row and None not in row.values() for row in rows), f"{path.name} has ragged rows"
    return rows
