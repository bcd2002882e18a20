"""The review page as people meet it: a real server on a free port, and persons with a browser's cookies."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import requests

from apps.review.passwords import hash_password
from apps.review.server import prepare
from apps.review.services import Services
from data_contracts.settings import Settings
from resources.decisions import Decision
from resources.home import Home

PASSWORD = "correct horse battery"
PEOPLE = {"ann": "reviewer", "bo": "reviewer", "vic": "viewer", "eve": "admin"}


@cache
def hashed() -> str:
    """One hash for everybody: making one takes its time."""
    return hash_password(PASSWORD)


def review_settings(**review: Any) -> Settings:
    """Settings whose review page knows four people, all with the same password."""
    accounts = [{"name": name, "role": role, "password_hash": hashed()} for name, role in PEOPLE.items()]
    return Settings.model_validate({"review": {"accounts": accounts, **review}})


@dataclass(frozen=True)
class Site:
    """A page that is served: where, and what it works on."""

    url: str
    sign_in: str | None
    services: Services

    def person(self, name: str = "ann") -> "Person":
        """Somebody who has signed in, without the time a password takes."""
        person = Person(self.url)
        session = self.services.sessions.begin(name)
        person.browser.cookies.set(self.services.door.session_name, self.services.sessions.cookie(session))
        return person

    def decisions(self) -> tuple[Decision, ...]:
        """What was decided on this page, and not before it."""
        return tuple(made for made in self.services.store.decisions() if made.decided_by in PEOPLE)


@dataclass
class Person:
    """A browser without JavaScript: cookies, and forms sent as they were shown."""

    url: str
    browser: requests.Session = field(default_factory=requests.Session)

    def get(self, path: str, **more: Any) -> requests.Response:
        return self.browser.get(self.url + path, allow_redirects=False, timeout=10, **more)

    def post(self, path: str, form: dict[str, str], **more: Any) -> requests.Response:
        return self.browser.post(self.url + path, data=form, allow_redirects=False, timeout=10, **more)

    def sign_in(self, name: str, password: str, **more: str) -> requests.Response:
        form = {"csrf": csrf_of(self.get("/sign-in").text), "name": name, "password": password, **more}
        return self.post("/sign-in", form)

    def token(self) -> str:
        """The CSRF token of this session."""
        return csrf_of(self.get("/help").text)

    def act(self, path: str, **form: str) -> requests.Response:
        """Send a form with this session's token."""
        return self.post(path, {"csrf": self.token(), **form})


def csrf_of(page: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found, page[:2000]
    return found[1]


@contextmanager
def serve_review(folder: Path, settings: Settings | None = None, host: str = "127.0.0.1") -> Iterator[Site]:
    """Serve the review page of the home in ``folder`` until the block ends."""
    home = Home(folder)
    home.prepare()
    with prepare(settings or review_settings(), home, host, 0) as page:
        thread = threading.Thread(target=page.server.run, kwargs={"sockets": [page.socket]}, daemon=True)
        thread.start()
        while not page.server.started and thread.is_alive():
            time.sleep(0.01)
        port = page.socket.getsockname()[1]
        try:
            yield Site(f"http://127.0.0.1:{port}", page.served.sign_in, page.services)
        finally:
            page.server.should_exit = True
            thread.join(10)
