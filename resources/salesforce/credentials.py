"""Which credentials the environment holds, checked before anything is sent.

Secrets come from ``SALESFORCE_*`` variables only and live in :class:`Secret`, which never shows its value.
Asking for a token with them is ``resources.salesforce.auth``.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast, get_args
from urllib.parse import urlsplit

from data_contracts.errors import SettingsError

Grant = Literal["jwt", "client_credentials", "refresh_token", "access_token"]

#: What each way of signing in needs, beyond the URL.
REQUIRED: dict[Grant, tuple[str, ...]] = {
    "jwt": ("CLIENT_ID", "PRIVATE_KEY_FILE", "USERNAME"),
    "client_credentials": ("CLIENT_ID", "CLIENT_SECRET"),
    "refresh_token": ("CLIENT_ID", "REFRESH_TOKEN"),
    "access_token": ("ACCESS_TOKEN",),
}
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Secret:
    """A value that must not appear in a log, a message or a repr; ``reveal()`` is the only way to it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value itself, to be sent and not kept."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a Secret is not written to files or passed between processes")


@dataclass(frozen=True)
class Credentials:
    """How to sign in: the grant, where to ask, and what that grant needs."""

    grant: Grant
    login_url: str
    instance_url: str | None
    client_id: str = ""
    client_secret: Secret | None = None
    private_key_file: Path | None = None
    username: str = ""
    refresh_token: Secret | None = None
    access_token: Secret | None = None
    ca_bundle: str | None = None

    @classmethod
    def from_environment(
        cls, environ: Mapping[str, str], *, instance_url: str | None = None, login_url: str | None = None
    ) -> "Credentials":
        """Read ``SALESFORCE_*``; a URL in the environment wins over the one of the settings file.

        Raises SettingsError naming every variable that is missing or wrong.
        """

        def get(name: str) -> str:
            return environ.get(f"SALESFORCE_{name}", "").strip()

        instance = _url("INSTANCE_URL", get("INSTANCE_URL") or (instance_url or ""))
        login = _url("LOGIN_URL", get("LOGIN_URL") or (login_url or "")) or instance
        grant = _grant(get("AUTH"), get)
        missing = [f"SALESFORCE_{name}" for name in REQUIRED[grant] if not get(name)]
        if not login or (grant == "access_token" and not instance):
            missing.insert(0, "SALESFORCE_INSTANCE_URL")
        if missing:
            raise SettingsError(
                f"cannot sign in to Salesforce: {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set",
                why=f"SALESFORCE_AUTH is {grant}, which needs {', '.join(REQUIRED[grant])} and a URL",
                next_step="set the variable, then run: crosswalk preflight",
            )
        return cls(
            grant=grant,
            login_url=login,
            instance_url=instance or None,
            client_id=get("CLIENT_ID"),
            client_secret=_secret(get("CLIENT_SECRET")),
            private_key_file=_file("PRIVATE_KEY_FILE", get("PRIVATE_KEY_FILE")),
            username=get("USERNAME"),
            refresh_token=_secret(get("REFRESH_TOKEN")),
            access_token=_secret(get("ACCESS_TOKEN")),
            ca_bundle=str(ca) if (ca := _file("CA_BUNDLE", get("CA_BUNDLE"))) else None,
        )


def is_loopback(url: str) -> bool:
    """Whether ``url`` names this machine."""
    return (urlsplit(url).hostname or "") in LOOPBACK


def _secret(value: str) -> Secret | None:
    return Secret(value) if value else None


def _grant(value: str, get: Callable[[str], str]) -> Grant:
    if not value:
        order: tuple[Grant, ...] = ("access_token", "jwt", "client_credentials", "refresh_token")
        return next((grant for grant in order if all(get(name) for name in REQUIRED[grant])), "client_credentials")
    if value not in get_args(Grant):
        raise SettingsError(
            f"SALESFORCE_AUTH is {value!r}",
            why=f"it must be one of {', '.join(get_args(Grant))}",
            next_step="correct the variable, then run: crosswalk preflight",
        )
    return cast(Grant, value)


def _url(name: str, value: str) -> str:
    value = value.rstrip("/")
    if not value:
        return ""
    with suppress(ValueError):
        parts = urlsplit(value)
        if parts.scheme == "https" and parts.hostname and not parts.path:
            return value
    raise SettingsError(
        f"SALESFORCE_{name} is {value!r}",
        why="it must be https:// and a host (https://acme.my.salesforce.com): a token never travels in the clear",
        next_step="copy the My Domain URL from Setup > My Domain",
    )


def _file(name: str, value: str) -> Path | None:
    if not value:
        return None
    path = Path(value).expanduser()
    if not path.is_file():
        raise SettingsError(
            f"SALESFORCE_{name} names {value}, which is not a file",
            why="the file is missing or this user cannot read it",
            next_step="correct the path, then run: crosswalk preflight",
        )
    return path
