"""One snapshot of restaurants for all tests of the review page; each module has a home of its own with a copy of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.home import Home
from tests.support.review_site import Site, serve_review
from tests.support.review_snapshot import copy_home, publish_restaurants


@pytest.fixture(scope="session")
def restaurants(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The home in which it was published."""
    return publish_restaurants(tmp_path_factory.mktemp("restaurants"))


@pytest.fixture
def site(restaurants: Home, tmp_path: Path) -> Iterator[Site]:
    """The page over restaurants, with no decision since they were published."""
    copy_home(restaurants, tmp_path)
    with serve_review(tmp_path) as served:
        yield served
