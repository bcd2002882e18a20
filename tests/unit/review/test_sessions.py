"""Sessions: signatures, ends, and what one person's session says of another's."""

import pytest

from apps.review import sessions
from apps.review.sessions import Sessions, same
from tests.unit.review.test_throttle import Clock


def test_a_cookie_names_its_session_and_every_change_of_it_names_none() -> None:
    kept = Sessions(12)
    session = kept.begin("ann")
    cookie = kept.cookie(session)
    assert kept.find(cookie) is session
    for position in range(0, len(cookie), 7):
        other = "A" if cookie[position] != "A" else "B"
        assert kept.find(cookie[:position] + other + cookie[position + 1 :]) is None
    for wrong in (None, "", ".", session.token, session.token + ".", cookie + "x", "é.é"):
        assert kept.find(wrong) is None


def test_another_process_signs_otherwise() -> None:
    one, other = Sessions(12), Sessions(12)
    assert other.find(one.cookie(one.begin("ann"))) is None


def test_a_form_cookie_is_no_session_and_a_session_no_form_cookie() -> None:
    kept = Sessions(12)
    cookie, form = kept.cookie(kept.begin("ann")), kept.form_cookie()
    assert kept.find(form) is None
    assert kept.form_token(cookie) is None
    assert kept.form_token(form) not in (None, kept.form_token(kept.form_cookie()))


@pytest.mark.parametrize(("hours", "idle"), [(1, 3601), (12, sessions.IDLE_SECONDS + 1)])
def test_a_session_ends_by_age_and_by_idleness(hours: float, idle: float) -> None:
    clock = Clock()
    kept = Sessions(hours, clock)
    cookie = kept.cookie(kept.begin("ann"))
    clock.now += idle
    assert kept.find(cookie) is None
    clock.now -= idle
    assert kept.find(cookie) is None


def test_use_keeps_a_session_alive_until_its_age() -> None:
    clock = Clock()
    kept = Sessions(3, clock)
    cookie = kept.cookie(kept.begin("ann"))
    for _ in range(5):
        clock.now += 2000
        assert kept.find(cookie)
    clock.now += 2000
    assert kept.find(cookie) is None


def test_one_persons_many_sessions_push_out_their_own_oldest_only() -> None:
    kept = Sessions(12)
    other = kept.cookie(kept.begin("bo"))
    mine = [kept.cookie(kept.begin("ann")) for _ in range(sessions.MOST_OF_ONE + 5)]
    alive = [bool(kept.find(cookie)) for cookie in mine]
    assert alive == [False] * 5 + [True] * sessions.MOST_OF_ONE
    assert kept.find(other)


def test_the_trail_leads_back() -> None:
    session = Sessions(12).begin("ann")
    for path in ("/1", "/2", "/3"):
        session.visit(path)
    assert session.previous("/3") == "/2"
    assert session.previous("/2") == "/1"
    assert session.previous("/1") is None
    assert session.previous("/new") == "/3"


def test_secrets_are_compared_whatever_they_hold() -> None:
    assert same("abc", "abc")
    assert not same(None, "abc")
    assert not same("é\udcff", "abc")
