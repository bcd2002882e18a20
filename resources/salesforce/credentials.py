"""Which credentials the environment holds, checked before anything is sent.

Secrets come from ``SALESFORCE_*`` variables, from private files named by ``SALESFORCE_*_FILE``, and, for a refresh
token, from the store that ``crosswalk connect`` fills. Asking for a token with them is ``resources.salesforce.auth``.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast, get_args
from urllib.parse import urlsplit

from data_contracts.errors import SettingsError
from resources.salesforce.secret import Secret, read_private, require_private
from resources.salesforce.token_store import StoredToken, TokenStore, fingerprint

__all__ = ["REQUIRED", "Credentials", "Grant", "Secret", "is_loopback"]

Grant = Literal["jwt", "client_credentials", "refresh_token", "access_token"]

#: What each way of signing in needs, beyond the URL.
REQUIRED: dict[Grant, tuple[str, ...]] = {
    "jwt": ("CLIENT_ID", "PRIVATE_KEY_FILE", "USERNAME"),
    "client_credentials": ("CLIENT_ID", "CLIENT_SECRET"),
    "refresh_token": ("CLIENT_ID", "REFRESH_TOKEN"),
    "access_token": ("ACCESS_TOKEN",),
}
#: Each may come from a file instead: SALESFORCE_CLIENT_SECRET_FILE and so on.
SECRETS = ("CLIENT_SECRET", "REFRESH_TOKEN", "ACCESS_TOKEN")
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


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
    #: Hash of the SALESFORCE_REFRESH_TOKEN that ``refresh_token`` is or replaced; empty for one of the store alone.
    refresh_origin: str = ""

    @classmethod
    def from_environment(
        cls,
        environ: Mapping[str, str],
        *,
        instance_url: str | None = None,
        login_url: str | None = None,
        store: TokenStore | None = None,
        signing_in: bool = False,
    ) -> "Credentials":
        """Read ``SALESFORCE_*``; a URL in the environment wins over the one of the settings file.

        ``store`` may hold a refresh token; ``signing_in`` is ``crosswalk connect``, which is about to obtain one.
        Raises SettingsError naming every variable that is missing or wrong.
        """

        def get(name: str) -> str:
            return environ.get(f"SALESFORCE_{name}", "").strip()

        secrets = {name: _secret(name, get) for name in SECRETS}
        instance = _url("INSTANCE_URL", get("INSTANCE_URL") or (instance_url or ""))
        login = _url("LOGIN_URL", get("LOGIN_URL") or (login_url or "")) or instance
        stored = store.token() if store else None
        given = {name for names in REQUIRED.values() for name in names if secrets.get(name) or get(name)}
        grant = _grant(get("AUTH"), given, stored)
        refresh = _refresh_token(grant, secrets["REFRESH_TOKEN"], stored, get("CLIENT_ID"))
        _require(grant, given | ({"REFRESH_TOKEN"} if refresh or signing_in else set()), login, instance)
        return cls(
            grant=grant,
            login_url=login,
            instance_url=instance or None,
            client_id=get("CLIENT_ID"),
            client_secret=secrets["CLIENT_SECRET"],
            private_key_file=_private_key(get("PRIVATE_KEY_FILE")),
            username=get("USERNAME"),
            refresh_token=refresh,
            access_token=secrets["ACCESS_TOKEN"],
            ca_bundle=str(ca) if (ca := _file("CA_BUNDLE", get("CA_BUNDLE"))) else None,
            refresh_origin=fingerprint(variable) if (variable := secrets["REFRESH_TOKEN"]) else "",
        )


def is_loopback(url: str) -> bool:
    """Whether ``url`` names this machine."""
    return (urlsplit(url).hostname or "") in LOOPBACK


def _secret(name: str, get: Callable[[str], str]) -> Secret | None:
    value, file = get(name), get(f"{name}_FILE")
    if value and file:
        raise SettingsError(
            f"SALESFORCE_{name} and SALESFORCE_{name}_FILE are both set",
            why="which of the two counts would be a guess",
            next_step=f"unset SALESFORCE_{name} and keep the file",
        )
    if file:
        return read_private(Path(file).expanduser(), f"SALESFORCE_{name}_FILE")
    return Secret(value) if value else None


def _grant(value: str, given: set[str], stored: StoredToken | None) -> Grant:
    if not value:
        order: tuple[Grant, ...] = ("access_token", "jwt", "client_credentials", "refresh_token")
        otherwise: Grant = "refresh_token" if stored else "client_credentials"
        return next((grant for grant in order if given.issuperset(REQUIRED[grant])), otherwise)
    if value not in get_args(Grant):
        raise SettingsError(
            f"SALESFORCE_AUTH is {value!r}",
            why=f"it must be one of {', '.join(get_args(Grant))}",
            next_step="correct the variable, then run: crosswalk preflight",
        )
    return cast(Grant, value)


def _refresh_token(grant: Grant, given: Secret | None, stored: StoredToken | None, client_id: str) -> Secret | None:
    """The token to begin with: a stored one that replaced the given one wins, because rotation voided that."""
    if grant != "refresh_token" or stored is None:
        return given
    if given is not None:
        return stored.refresh_token if stored.given == fingerprint(given) else given
    if client_id and stored.client_id != client_id:
        raise SettingsError(
            "the stored refresh token belongs to another app than SALESFORCE_CLIENT_ID",
            why="a refresh token works with the app it was issued to",
            next_step="correct SALESFORCE_CLIENT_ID, or run: crosswalk disconnect, then crosswalk connect",
        )
    return stored.refresh_token


def _require(grant: Grant, given: set[str], login: str, instance: str) -> None:
    missing = [f"SALESFORCE_{name}" for name in REQUIRED[grant] if name not in given]
    if not login or (grant == "access_token" and not instance):
        missing.insert(0, "SALESFORCE_INSTANCE_URL")
    if not missing:
        return
    only_token = missing == ["SALESFORCE_REFRESH_TOKEN"]
    raise SettingsError(
        f"cannot sign in to Salesforce: {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set",
        why="nobody has signed in for this home yet"
        if only_token
        else f"SALESFORCE_AUTH is {grant}, which needs {', '.join(REQUIRED[grant])} and a URL",
        next_step="run: crosswalk connect" if only_token else "set the variable, then run: crosswalk preflight",
    )


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


def _private_key(value: str) -> Path | None:
    path = _file("PRIVATE_KEY_FILE", value)
    if path is not None:
        require_private(path, "SALESFORCE_PRIVATE_KEY_FILE")
    return path
