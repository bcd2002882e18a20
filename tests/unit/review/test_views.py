"""What a page makes of values: marks, shapes, filters, addresses, texts."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.review.candidate_map import HEIGHT, WIDTH, candidate_map
from apps.review.differences import marked
from apps.review.exchange import local_path
from apps.review.filters import chosen, chosen_of
from apps.review.formats import bits, money, query, share, value
from apps.review.next_pair import pair_path
from apps.review.waterfall import WIDTH as BAR_WIDTH
from apps.review.waterfall import waterfall
from pipelines.review.rows import Bar, Candidate, PairKey

BARS = (
    Bar("prior", "before any comparison", -10.0, 0.0, -10.0),
    Bar("name", "name", 12.0, -10.0, 2.0),
    Bar("domain", "domain", -3.5, 2.0, -1.5),
    Bar("phone", "phone", 0.0, -1.5, -1.5),
)
CANDIDATE = Candidate("c1", "Acme", 1, None, ("name",), -1.5, 0.26, 0.1, None, BARS, "Bonn", "DE", None)


@settings(max_examples=60)
@given(st.text(max_size=40), st.text(max_size=40))
def test_marked_pieces_make_up_both_values_and_what_is_not_marked_is_the_same(left: str, right: str) -> None:
    one, other = marked(left, right)
    assert "".join(piece.text for piece in one) == value(left)
    assert "".join(piece.text for piece in other) == value(right)
    plain = ["".join(piece.text for piece in side if not piece.differs).casefold().split() for side in (one, other)]
    assert plain[0] == plain[1] or "–" in (value(left), value(right))


def test_the_words_that_differ_are_marked() -> None:
    one, other = marked("Acme Widgets Inc", "ACME Gadgets Inc")
    assert [piece.text for piece in one if piece.differs] == ["Widgets"]
    assert [piece.text for piece in other if piece.differs] == ["Gadgets"]


def test_a_missing_value_marks_nothing() -> None:
    assert not any(piece.differs for side in marked(None, "Acme") for piece in side)


def test_the_waterfall_lies_within_its_drawing_and_ends_at_the_weight() -> None:
    drawn = waterfall(BARS)
    assert drawn
    assert drawn.total == -1.5
    for shape in drawn.shapes:
        assert shape.x >= 0
        assert shape.x + shape.width <= BAR_WIDTH
        assert shape.width > 0
    assert [shape.positive for shape in drawn.shapes] == [False, True, False, True]
    assert waterfall(()) is None


def test_the_map_shows_every_scored_candidate_and_the_better_name_further_right() -> None:
    better = replace(CANDIDATE, reference_id="c2", rank=2, waterfall=(replace(BARS[1], bits=20.0), *BARS[2:]))
    drawn = candidate_map([CANDIDATE, better, replace(CANDIDATE, reference_id="c3", waterfall=())])
    assert drawn
    assert [dot.candidate.reference_id for dot in drawn.dots] == ["c1", "c2"]
    assert drawn.dots[1].x > drawn.dots[0].x
    assert all(0 <= dot.x <= WIDTH and 0 <= dot.y <= HEIGHT for dot in drawn.dots)
    assert candidate_map([CANDIDATE]) is None
    twin = candidate_map([CANDIDATE, replace(CANDIDATE, reference_id="c4", rank=2), better])
    assert twin
    assert [(dot.candidate.reference_id, dot.more) for dot in twin.dots] == [("c1", 1), ("c2", 0)]


def test_filters_take_what_is_sound_and_leave_out_the_rest() -> None:
    wanted = chosen(
        {
            "object": "account",
            "min": "0,5",
            "max": "7",
            "sort": "worth",
            "waiting": "drop table",
            "after": "k",
            "x": "y",
        }
    )
    assert (wanted.filters.object, wanted.filters.min_probability, wanted.sort) == ("account", 0.5, "worth")
    assert wanted.filters.max_probability is None
    assert wanted.filters.waiting is None
    assert wanted.after == "k"
    assert "x" not in wanted.query


@settings(max_examples=60)
@given(st.dictionaries(st.text(max_size=8), st.text(max_size=20), max_size=6), st.text(max_size=60))
def test_no_address_makes_the_filters_fail(values: dict[str, str], text: str) -> None:
    chosen(values)
    chosen_of(text)
    kept = chosen({**values, "text": text, "object": "lead"})
    assert chosen_of(query(kept.query)).filters == kept.filters


def test_an_address_carries_any_entity_id() -> None:
    path = pair_path(PairKey("account", "001A/..", "a&b=c#d é"), {"text": "x y"})
    assert path == "/pair/account/001A%2F..?text=x+y&reference_id=a%26b%3Dc%23d+%C3%A9"


@pytest.mark.parametrize(
    ("path", "leads"),
    [
        ("/queue?sort=worth", "/queue?sort=worth"),
        ("//evil.example", "/"),
        ("https://evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/a\\b", "/"),
        ("/a\nb", "/"),
        ("", "/"),
        ("/" + "a" * 3000, "/"),
    ],
)
def test_only_a_path_of_ours_is_gone_to(path: str, leads: str) -> None:
    assert local_path(path) == leads


def test_values_read_well() -> None:
    assert share(0.99999) == "0.9999"
    assert share(0.5) == "0.500"
    assert share(1.0) == "1.000"
    assert bits(-3.14) == "−3.1"
    assert money(1234.5, "EUR") == "EUR 1,234"
    assert money(5.0, None) == "5"
    assert value(["a", None, "b"]) == "a, b"
    assert value(datetime(2026, 3, 1, 2, 3, tzinfo=UTC)) == "2026-03-01 02:03 UTC"
    assert [value(item) for item in (None, "", [], True, 3.5, 3.0)] == ["–", "–", "–", "yes", "3.50", "3"]


def test_what_turns_text_around_is_written_out_and_a_script_is_left_as_it_is() -> None:
    assert value("Acme \u202egnidloH\u202c Ltd") == "Acme [U+202E]gnidloH[U+202C] Ltd"
    assert value("شركة الأفق") == "شركة الأفق"
