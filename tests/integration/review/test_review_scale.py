"""The queue with 100,000 pairs waiting: fast, and right to the last page."""

import re
import time
from collections.abc import Iterator
from html import unescape

import pytest

from tests.support.review_reading import Page
from tests.support.review_site import Person, Site, serve_review
from tests.support.review_snapshot import publish_many

WAITING = 100_000
#: Wide: this suite runs three files side by side on two cores. Alone a page takes a tenth of it.
PAGE_SECONDS = 2.0


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("many")
    publish_many(folder, WAITING)
    with serve_review(folder) as site:
        site.person().get("/queue")
        yield site


def timed(person: Person, path: str) -> str:
    """A page that came fast enough at its second try at the latest."""
    took = []
    for _ in range(2):
        began = time.perf_counter()
        answer = person.get(path)
        took.append(time.perf_counter() - began)
        assert answer.status_code == 200, answer.text
        if took[-1] < PAGE_SECONDS:
            return answer.text
    raise AssertionError(f"{path} took {took} seconds")


@pytest.mark.parametrize(
    "path", ["/queue", "/queue?sort=name", "/queue?text=harbor+steel", "/queue?worth=1&min=0.8", "/help"]
)
def test_a_page_is_fast_with_a_hundred_thousand_waiting(many: Site, path: str) -> None:
    text = timed(many.person(), path)
    if path == "/queue":
        assert "100,000 records" in text


def test_deciding_is_fast_and_leads_on_in_the_order_of_the_queue(many: Site) -> None:
    ann = many.person()
    listed = [unescape(path) for path in re.findall(r'href="(/pair/[^"]+)"', timed(ann, "/queue?sort=worth"))]
    path = listed[0]
    for expected in listed[1:4]:
        form = next(form for form in Page(timed(ann, path)).forms if form.action.endswith("/decide"))
        began = time.perf_counter()
        answer = ann.post(form.action, form.fields | {"judgement": "negative"})
        assert time.perf_counter() - began < 2 * PAGE_SECONDS
        path = answer.headers["location"]
        assert path.split("?")[0] == expected.split("?")[0]
    assert f"{WAITING - 3:,} records" in timed(ann, "/queue")


def test_pages_by_key_neither_skip_nor_repeat_deep_in_the_queue(many: Site) -> None:
    ann, path, seen = many.person("bo"), "/queue?min=0.895&sort=probability", list[str]()
    while path:
        text = timed(ann, path)
        seen += re.findall(r"/pair/account/(\w+)", text)
        path = "/queue" + unescape(found[1]) if (found := re.search(r'rel="next" href="([^"]+)"', text)) else ""
    with many.services.snapshot.connect() as con:
        query = "SELECT salesforce_id FROM crosswalk.account WHERE match_probability >= 0.895"
        waiting = {row[0] for row in con.sql(query).fetchall()}
    decided = {made.salesforce_id for made in many.services.store.decisions()}
    assert len(seen) == len(set(seen))
    assert set(seen) == waiting - decided
