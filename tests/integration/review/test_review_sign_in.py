"""Signing in to the review page over real HTTP, and the attacks on it."""

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from starlette.routing import Route

from apps.review import throttle
from apps.review.app import make_app
from data_contracts.errors import SettingsError
from data_contracts.settings import Settings
from resources.decisions_acts import audit_rows
from tests.support.review_site import PASSWORD, Person, Site, csrf_of, review_settings, serve_review

SECRET = "a secret between the proxy and us"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serve_review(tmp_path_factory.mktemp("home")) as served:
        yield served


@pytest.fixture(autouse=True)
def _failures_are_forgotten(site: Site) -> None:
    site.services.throttle._failures.clear()


def session_cookie(person: Person) -> str:
    return next(cookie.value or "" for cookie in person.browser.cookies if cookie.name.endswith("session"))


def test_nothing_is_shown_to_somebody_who_has_not_signed_in(site: Site) -> None:
    stranger = Person(site.url)
    app = make_app(site.services)
    routes = [route.path for route in app.routes if isinstance(route, Route)]
    assert len(routes) > 20
    for path in routes:
        filled = re.sub(r"\{object\}", "account", re.sub(r"\{\w+(:int)?\}", "1", path))
        if path == "/sign-in":
            continue
        answer = stranger.get(filled)
        assert answer.status_code in (303, 404, 405), path
        if answer.status_code == 303:
            assert answer.headers["location"].startswith("/sign-in"), path
        assert stranger.post(filled, {"csrf": "x"}).status_code in (401, 404, 405), path


def test_the_right_password_signs_in_and_leads_on(site: Site) -> None:
    person = Person(site.url)
    assert person.get("/help?x=1").headers["location"] == "/sign-in?next=%2Fhelp%3Fx%3D1"
    answer = person.sign_in("ann", PASSWORD, next="/help?x=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/help?x=1")
    assert "ann" in person.get("/help").text
    assert person.get("/sign-in?next=/audit").headers["location"] == "/audit"


@pytest.mark.parametrize("name", ["ann", "nobody", "", "ann'--", "a" * 5000])
def test_a_wrong_password_and_a_wrong_name_are_answered_alike(site: Site, name: str) -> None:
    answer = Person(site.url).sign_in(name, "wrong horse battery")
    assert answer.status_code == 401
    assert "Name and password do not belong together." in answer.text
    assert "session" not in answer.headers.get("set-cookie", "")


def test_the_cookies_are_for_this_page_alone(site: Site) -> None:
    person = Person(site.url)
    person.get("/sign-in")
    answer = person.sign_in("ann", PASSWORD)
    for cookie in (answer.headers["set-cookie"], Person(site.url).get("/sign-in").headers["set-cookie"]):
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert "Path=/" in cookie
        assert "Domain" not in cookie


def test_a_session_planted_before_the_sign_in_is_not_the_one_after_it(site: Site) -> None:
    attacker = site.person("bo")
    victim = Person(site.url)
    victim.browser.cookies.set("crosswalk_session", session_cookie(attacker))
    form = {"csrf": csrf_of(Person(site.url).get("/sign-in").text), "name": "ann", "password": PASSWORD}
    assert victim.post("/sign-in", form).status_code == 403
    victim.browser.cookies.clear()
    before = session_cookie(attacker)
    victim.sign_in("ann", PASSWORD)
    first = session_cookie(victim)
    assert first != before
    kept = {cookie.name: cookie.value or "" for cookie in victim.browser.cookies}
    form["csrf"] = site.services.sessions.form_token(kept["crosswalk_form"]) or ""
    assert victim.post("/sign-in", form).status_code == 303
    assert session_cookie(victim) != first
    old = Person(site.url)
    old.browser.cookies.set("crosswalk_session", first)
    assert old.get("/help").status_code == 303


def test_a_forged_or_changed_session_cookie_opens_nothing(site: Site) -> None:
    cookie = session_cookie(site.person("eve"))
    value, _, mac = cookie.rpartition(".")
    other = ("B" if value[0] == "A" else "A") + value[1:]
    for forged in (value, f"{value}.", f"{value}.{'0' * 64}", f"{other}.{mac}", "eve.admin", f"eve.{mac}"):
        person = Person(site.url)
        person.browser.cookies.set("crosswalk_session", forged)
        assert person.get("/help").status_code == 303


def test_signing_out_ends_the_session_everywhere(site: Site) -> None:
    person = site.person("ann")
    cookie = session_cookie(person)
    assert person.act("/sign-out").headers["location"] == "/sign-in"
    thief = Person(site.url)
    thief.browser.cookies.set("crosswalk_session", cookie)
    assert thief.get("/help").status_code == 303


def test_guessing_is_stopped_and_told_when_to_go_on(site: Site) -> None:
    person = Person(site.url)
    codes = [person.sign_in("ann", "wrong horse battery").status_code for _ in range(throttle.PER_NAME_AND_ADDRESS)]
    assert set(codes) == {401}
    stopped = person.sign_in("ann", PASSWORD)
    assert stopped.status_code == 429
    assert 800 < int(stopped.headers["retry-after"]) <= 901
    assert Person(site.url).sign_in("bo", PASSWORD).status_code == 303


def test_sign_ins_are_in_the_audit_and_no_secret_is_anywhere(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    person = Person(site.url)
    person.sign_in("ann", PASSWORD)
    Person(site.url).sign_in("ann", "mistyped horse battery")
    # Somebody types the password where the name belongs.
    Person(site.url).sign_in(PASSWORD, "ann")
    rows = audit_rows(site.services.store, limit=3)
    assert [(row.by_user, row.action) for row in rows] == [
        ("unknown", "sign_in_failed"),
        ("ann", "sign_in_failed"),
        ("ann", "sign_in"),
    ]
    secrets = (PASSWORD, "mistyped horse battery", session_cookie(person), person.token())
    told = caplog.text + repr(rows)
    assert not [secret for secret in secrets if secret in told]


def test_only_an_admin_sees_the_audit(site: Site) -> None:
    for name, status in (("vic", 403), ("ann", 403), ("eve", 200)):
        assert site.person(name).get("/audit").status_code == status


@pytest.mark.parametrize(
    "location", ["//evil.example/x", "https://evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_the_sign_in_leads_nowhere_else(site: Site, location: str) -> None:
    assert Person(site.url).sign_in("ann", PASSWORD, next=location).headers["location"] == "/"


@pytest.mark.parametrize("wanted", ["/sign-out", "/preferences", "/undo", "/bulk", "/pair/account/001/decide"])
def test_a_form_without_the_token_of_this_very_session_is_refused(site: Site, wanted: str) -> None:
    admin, other = site.person("eve"), site.person("eve")
    for forged in ("", "x", other.token(), session_cookie(admin)):
        answer = admin.post(wanted, {"csrf": forged, "name": "blind", "on": "1"})
        assert answer.status_code == 403
        assert "not of this session" in answer.text
    assert admin.post(wanted, {"name": "blind", "on": "1"}).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_form_from_another_site_is_refused_even_with_a_token(site: Site, headers: dict[str, str]) -> None:
    person = site.person("ann")
    form = {"csrf": person.token(), "name": "blind", "on": "1", "back": "/help"}
    assert person.post("/preferences", form, headers=headers).status_code == 403
    assert "Blind mode off" in person.get("/help").text


def test_a_form_of_this_page_is_accepted(site: Site) -> None:
    person = site.person("ann")
    form = {"csrf": person.token(), "name": "blind", "on": "1", "back": "/help"}
    fine = {"Origin": site.url, "Sec-Fetch-Site": "same-origin"}
    assert person.post("/preferences", form, headers=fine).headers["location"] == "/help"
    assert "Blind mode on" in person.get("/help").text


def test_only_plain_forms_are_read(site: Site) -> None:
    person = site.person("ann")
    token = person.token()
    for kind in ("text/plain", "application/json", "multipart/form-data; boundary=x"):
        answer = person.browser.post(site.url + "/preferences", data=f"csrf={token}", headers={"Content-Type": kind})
        assert answer.status_code == 415
    assert person.post("/preferences", {"csrf": token, "x": "y" * 70_000}).status_code == 413
    many = {f"f{number}": "" for number in range(500)}
    assert person.post("/preferences", {"csrf": token, **many}).status_code == 400
    assert person.browser.put(site.url + "/preferences").status_code == 405


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "localhost", "127.0.0.1.evil.example", ""])
def test_a_foreign_name_that_leads_here_is_refused(site: Site, host: str) -> None:
    answer = requests.get(site.url + "/sign-in", headers={"Host": host}, timeout=5)
    assert answer.status_code in (400, 421)
    assert "form" not in answer.text


def test_every_answer_carries_the_headers_that_keep_foreign_script_out(site: Site) -> None:
    person = site.person("ann")
    for path in ("/help", "/sign-in", "/static/review.css", "/static/review.js", "/nowhere", "/audit"):
        headers = person.get(path).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; ")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert "server" not in headers
    assert person.get("/help").headers["cache-control"] == "no-store"


def test_the_pages_hold_no_script_and_no_style_of_their_own(site: Site) -> None:
    for file in Path("apps/review/templates").glob("*.html"):
        text = file.read_text()
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:|\|\s*safe\b|autoescape", text), file
        assert re.findall(r"<script[^>]*>", text) in ([], ['<script src="/static/review.js" defer>']), file


@pytest.fixture
def proxied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("CROSSWALK_REVIEW_PROXY_SECRET", SECRET)
    with serve_review(tmp_path, review_settings(proxy={"default_role": "viewer"})) as served:
        yield served


def by_proxy(url: str, name: str, **more: str) -> Person:
    person = Person(url)
    person.browser.headers.update({"X-Forwarded-User": name, "X-Crosswalk-Proxy-Secret": SECRET, **more})
    return person


def test_whom_the_proxy_names_is_signed_in_with_the_role_of_the_settings(proxied: Site) -> None:
    assert by_proxy(proxied.url, "eve").get("/audit").status_code == 200
    stranger = by_proxy(proxied.url, "new@example.com")
    assert "(viewer)" in stranger.get("/help").text
    assert stranger.act("/undo").status_code == 403


def test_a_forged_user_header_is_ignored(proxied: Site) -> None:
    for forged in (
        {"X-Forwarded-User": "eve"},
        {"X-Forwarded-User": "eve", "X-Crosswalk-Proxy-Secret": "guess"},
        {"X-Forwarded-User": "eve", "X-Crosswalk-Proxy-Secret": ""},
        {"Remote-User": "eve", "X-Crosswalk-Proxy-Secret": SECRET},
    ):
        assert requests.get(proxied.url + "/audit", headers=forged, allow_redirects=False, timeout=5).status_code == 303
    ann = proxied.person("ann")
    assert ann.get("/audit", headers={"X-Forwarded-User": "eve"}).status_code == 403


def test_a_session_begun_by_the_proxy_ends_with_its_word_and_is_nobody_elses(proxied: Site) -> None:
    ann = by_proxy(proxied.url, "ann")
    token = ann.token()
    ann.browser.headers["X-Forwarded-User"] = "eve"
    assert ann.post("/preferences", {"csrf": token, "name": "blind", "on": "1"}).status_code == 403
    ann.browser.headers.pop("X-Forwarded-User")
    assert ann.get("/help").status_code == 303


def test_the_header_counts_from_the_proxys_address_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSWALK_REVIEW_PROXY_SECRET", SECRET)
    with serve_review(tmp_path, review_settings(proxy={"addresses": ["192.0.2.1"]})) as served:
        assert by_proxy(served.url, "eve").get("/audit").status_code == 303


def test_without_accounts_the_printed_link_signs_in_once(tmp_path: Path) -> None:
    with serve_review(tmp_path, Settings()) as served:
        assert served.sign_in
        path = served.sign_in.removeprefix(served.url)
        person = Person(served.url)
        assert "printed" in person.get("/sign-in").text
        shown = person.get(path).text
        form = {"csrf": csrf_of(shown), "ticket": path.partition("ticket=")[2]}
        assert person.post("/sign-in", form | {"ticket": "x" * 43}).status_code == 403
        assert person.post("/sign-in", form).status_code == 303
        assert "(admin)" in person.get("/help").text
        thief = Person(served.url)
        form["csrf"] = csrf_of(thief.get(path).text)
        assert thief.post("/sign-in", form).status_code == 403


@pytest.mark.parametrize(
    ("review", "host", "message"),
    [
        ({}, "0.0.0.0", "unencrypted"),
        ({}, "review.example.com", "unencrypted"),
        ({"public_url": "https://review.example.com"}, "0.0.0.0", "names nobody"),
        ({"proxy": {}}, "127.0.0.1", "CROSSWALK_REVIEW_PROXY_SECRET"),
        ({"accounts": [{"name": "ann", "password_hash": "hunter2"}]}, "127.0.0.1", "not a scrypt hash"),
        ({"accounts": [{"name": "ann"}, {"name": "ann", "role": "admin"}]}, "127.0.0.1", "twice"),
    ],
)
def test_an_unsafe_page_is_not_served(review: dict[str, object], host: str, message: str, tmp_path: Path) -> None:
    with (
        pytest.raises(SettingsError, match=message) as caught,
        serve_review(tmp_path, Settings.model_validate({"review": review}), host),
    ):
        raise AssertionError("it was served")
    assert "hunter2" not in str(caught.value)


def test_behind_https_the_cookies_are_secure_and_the_public_name_is_the_only_one(tmp_path: Path) -> None:
    settings = review_settings(public_url="https://Review.example.com")
    with serve_review(tmp_path, settings) as served:
        public = {"Host": "review.example.com"}
        answer = requests.get(served.url + "/sign-in", headers=public, timeout=5)
        assert answer.headers["set-cookie"].startswith("__Host-crosswalk_form=")
        assert "Secure" in answer.headers["set-cookie"]
        assert answer.headers["strict-transport-security"]
        assert requests.get(served.url + "/sign-in", timeout=5).status_code == 421
        foreign = public | {"Origin": "http://review.example.com", "Content-Type": "application/x-www-form-urlencoded"}
        assert requests.post(served.url + "/sign-in", data="a=b", headers=foreign, timeout=5).status_code == 403
