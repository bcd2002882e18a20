"""Who may do what on the review page: names, roles and rights. How somebody proves to be who they are is elsewhere."""

import getpass
from dataclasses import dataclass
from typing import Literal

from apps.review.passwords import check_hash, verify
from data_contracts.errors import SettingsError
from data_contracts.settings import Review

Role = Literal["viewer", "reviewer", "admin"]
Right = Literal["see", "decide", "bulk", "audit"]

#: What each role may do. A reviewer takes back their own decisions; an admin anybody's.
RIGHTS: dict[Role, frozenset[Right]] = {
    "viewer": frozenset({"see"}),
    "reviewer": frozenset({"see", "decide"}),
    "admin": frozenset({"see", "decide", "bulk", "audit"}),
}


@dataclass(frozen=True)
class User:
    """Somebody who may open the page."""

    name: str
    role: Role

    def may(self, right: Right) -> bool:
        """Return whether the role grants ``right``."""
        return right in RIGHTS[self.role]


class Accounts:
    """The people named in ``review.accounts``; with nobody named, the one person who started the page."""

    def __init__(self, review: Review) -> None:
        self._users = {account.name: User(account.name, account.role) for account in review.accounts}
        self._hashes = {account.name: account.password_hash for account in review.accounts}
        self._default = review.proxy.default_role if review.proxy else None
        self._proxied = review.proxy is not None
        if len(self._users) < len(review.accounts):
            raise SettingsError("review.accounts names somebody twice", why="each name stands for one person")
        for stored in self._hashes.values():
            if stored:
                check_hash(stored)
        #: Nobody is named and nobody is vouched for: who started the page signs in by the link it prints.
        self.local = None if self._users or self._proxied else User(getpass.getuser(), "admin")
        if self.local:
            self._users[self.local.name] = self.local

    @property
    def with_password(self) -> bool:
        """Return whether anybody signs in with a password."""
        return any(self._hashes.values())

    def find(self, name: str) -> User | None:
        """Return the user of this name as the settings have it."""
        return self._users.get(name)

    def sign_in(self, name: str, password: str) -> User | None:
        """Return the user when the password is theirs; takes as long for a name that does not exist."""
        return self._users.get(name) if verify(password, self._hashes.get(name)) else None

    def vouched(self, name: str) -> User | None:
        """Return whom a trusted proxy names: a named account, else with the proxy's default role, else nobody."""
        found = self._users.get(name)
        if found or not self._default:
            return found
        return User(name, self._default)
