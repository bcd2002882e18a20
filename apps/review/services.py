"""What the pages are given to work with, made once when the page starts. No request is known here."""

import secrets
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apps.review.accounts import Accounts
from apps.review.guard import Origins
from apps.review.identity import Door, Proxy
from apps.review.sessions import Sessions
from apps.review.templating import environment
from apps.review.throttle import Throttle
from data_contracts.settings import Settings
from pipelines.review.snapshot import ReviewSnapshot
from resources.decisions import DecisionStore
from resources.home import Home

#: One person's password is tried at a time in so many threads: a guess costs 16 MB.
GUESSES_AT_ONCE = 2


class Ticket:
    """The link that signs in who started the page, once; it is printed on their terminal and nowhere else."""

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(32)
        self._lock = threading.Lock()
        self._used = False

    def take(self, token: str) -> bool:
        """Return whether ``token`` is the one and was not used before; it is used now."""
        with self._lock:
            good = secrets.compare_digest(token.encode("utf-8", "surrogatepass"), self.token.encode())
            good, self._used = good and not self._used, self._used or good
            return good


@dataclass(frozen=True)
class Services:
    """The settings, the two stores the page works on, and who is signed in."""

    settings: Settings
    store: DecisionStore
    snapshot: ReviewSnapshot
    accounts: Accounts
    sessions: Sessions
    door: Door
    throttle: Throttle
    ticket: Ticket
    origins: Origins
    guesses: threading.Semaphore

    @classmethod
    def make(cls, settings: Settings, home: Home, origins: Origins) -> "Services":
        """Open the stores of ``home``; raises SettingsError or WarehouseError when one cannot be used."""
        review = settings.review
        accounts = Accounts(review)
        sessions = Sessions(review.session_hours)
        proxy = Proxy.from_environment(review.proxy)
        return cls(
            settings=settings,
            store=DecisionStore(home.decisions_url),
            snapshot=ReviewSnapshot(home.published),
            accounts=accounts,
            sessions=sessions,
            door=Door(accounts, sessions, proxy, secure=origins.secure),
            throttle=Throttle(),
            ticket=Ticket(),
            origins=origins,
            guesses=threading.Semaphore(GUESSES_AT_ONCE),
        )

    def render(self, template: str, **values: Any) -> str:
        """Return a template filled in; everything in it is escaped."""
        return environment().get_template(template).render(**values)

    def close(self) -> None:
        """Let files and connections go."""
        self.snapshot.close()
        self.store.close()


STATIC = Path(__file__).parent / "static"
