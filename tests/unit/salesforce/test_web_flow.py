"""The browser's way: PKCE and state as the standards have them, and answers that are not ours."""

import threading
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from data_contracts.errors import AuthenticationError, SettingsError
from resources.salesforce.secret import Secret
from resources.salesforce.web_flow import SCOPES, Loopback, SignIn, challenge

URL = "https://acme.my.salesforce.com"


def sign_in(loopback: Loopback, *, forced: bool = False) -> SignIn:
    return SignIn(URL, "consumer-key", loopback.redirect_uri, forced)


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    with Loopback(0) as made:
        yield made


def test_the_challenge_is_that_of_the_standard() -> None:
    # RFC 7636, appendix B.
    assert challenge(Secret("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")) == (
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    )


def test_the_address_asks_for_what_is_documented_and_holds_no_secret(loopback: Loopback) -> None:
    attempt = sign_in(loopback, forced=True)
    parts = urlsplit(attempt.address())
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    assert (parts.netloc, parts.path) == ("acme.my.salesforce.com", "/services/oauth2/authorize")
    assert asked.pop("state") == attempt.state.reveal()
    assert asked == {
        "response_type": "code",
        "client_id": "consumer-key",
        "redirect_uri": loopback.redirect_uri,
        "scope": " ".join(SCOPES),
        "code_challenge": challenge(attempt.verifier),
        "code_challenge_method": "S256",
        "prompt": "login",
    }
    assert attempt.verifier.reveal() not in attempt.address()
    assert 43 <= len(attempt.verifier.reveal()) <= 128
    assert attempt.verifier.reveal() not in repr(attempt)


def test_two_attempts_share_nothing(loopback: Loopback) -> None:
    one, two = sign_in(loopback), sign_in(loopback)
    assert one.state != two.state
    assert one.verifier != two.verifier
    assert "prompt" not in one.address()


def test_only_the_answer_to_this_attempt_ends_the_wait(loopback: Loopback, capfd: pytest.CaptureFixture[str]) -> None:
    attempt, callback = sign_in(loopback), loopback.redirect_uri
    state, statuses = attempt.state.reveal(), list[int]()

    def browser() -> None:
        for address, parameters in [
            (callback.replace("/callback", "/favicon.ico"), {}),
            (callback, {}),
            (callback, {"code": "x", "state": "guessed"}),
            (callback, {"error": "access_denied", "state": "guessed"}),
            (callback, {"state": state}),
            (callback, {"code": "canary-code", "state": state}),
        ]:
            statuses.append(requests.get(address, params=parameters, timeout=10).status_code)

    thread = threading.Thread(target=browser)
    thread.start()
    form = loopback.wait(attempt, 10)
    thread.join()
    assert statuses == [404, 400, 400, 400, 400, 200]
    assert form == {
        "grant_type": "authorization_code",
        "code": "canary-code",
        "redirect_uri": callback,
        "code_verifier": attempt.verifier.reveal(),
    }
    told = capfd.readouterr()
    assert "canary-code" not in told.out + told.err


def test_a_refusal_is_shown_without_running_what_it_says(loopback: Loopback) -> None:
    attempt, pages = sign_in(loopback), list[str]()
    answer = {"error": "access_denied", "error_description": "<script>x</script>", "state": attempt.state.reveal()}
    thread = threading.Thread(
        target=lambda: pages.append(requests.get(loopback.redirect_uri, params=answer, timeout=10).text)
    )
    thread.start()
    with pytest.raises(AuthenticationError, match="pressed Deny"):
        loopback.wait(attempt, 10)
    thread.join()
    assert "<script>" not in pages[0]


def test_nobody_comes(loopback: Loopback) -> None:
    with pytest.raises(AuthenticationError, match=r"nobody signed in[\s\S]*docs/connecting.md"):
        loopback.wait(sign_in(loopback), 0.05)


def test_a_port_in_use_is_named(loopback: Loopback) -> None:
    port = urlsplit(loopback.redirect_uri).port or 0
    with pytest.raises(SettingsError, match=rf"127.0.0.1:{port}[\s\S]*--port"):
        Loopback(port)
