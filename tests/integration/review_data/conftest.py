"""Databases for the decisions store: SQLite and a real PostgreSQL, a fresh one each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.decisions import DecisionStore
from tests.support.decision_database import fresh_database


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of its own for each test."""
    with fresh_database(request, tmp_path) as made:
        yield made


@pytest.fixture
def store(url: str) -> Iterator[DecisionStore]:
    """A store in that database."""
    store = DecisionStore(url)
    yield store
    store.close()
