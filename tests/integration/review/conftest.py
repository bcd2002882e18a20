"""One snapshot of restaurants for all tests of the review page; each module has a home of its own with a copy of it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.home import Home
from tests.support.review_site import Site, serve_review
from tests.support.review_snapshot import publish_restaurants


@pytest.fixture(scope="session")
def restaurants(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published file."""
    return publish_restaurants(tmp_path_factory.mktemp("restaurants")).published


@pytest.fixture
def site(restaurants: Path, tmp_path: Path) -> Iterator[Site]:
    """The page over restaurants, with no decision yet."""
    home = Home(tmp_path)
    home.prepare()
    shutil.copy(restaurants, home.published)
    with serve_review(tmp_path) as served:
        yield served
