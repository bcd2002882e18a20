"""What a connection leaves in the home: the refresh token in a private file, and who connected in another.

``credentials.json`` holds the one secret Crosswalk ever writes. ``connection.json`` holds none: which org, which
user, how, since when, and whether it was disconnected. Asking Salesforce for tokens is ``auth``.
"""

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from data_contracts.errors import AuthenticationError, SettingsError
from resources.files import sync_folder
from resources.salesforce.secret import Secret, require_private, write_private

#: ``disconnecting``: a disconnect began and has not ended; ``disconnected``: sign in anew before the next call.
State = Literal["connected", "disconnecting", "disconnected"]
LOCK_SECONDS = 300.0


@dataclass(frozen=True)
class StoredToken:
    """A refresh token and where it belongs.

    ``given`` is the hash of the SALESFORCE_REFRESH_TOKEN this one replaced: Salesforce rotated it, and the variable
    still holds the old one. Empty for a token that ``crosswalk connect`` obtained.
    """

    refresh_token: Secret
    client_id: str
    login_url: str
    given: str = ""


@dataclass(frozen=True)
class ConnectionRecord:
    """Who connected to which org, how and when (UTC, ISO 8601); no secret.

    A disconnect adds ``archive``, the folder it moves to, and ``told``, what became of the token at Salesforce.
    """

    state: State
    org_id: str = ""
    user_id: str = ""
    username: str = ""
    instance_url: str = ""
    grant: str = ""
    scopes: str = ""
    at: str = ""
    archive: str = ""
    told: str = ""


class TokenStore:
    """The two files of a connection, in the folder of the home."""

    def __init__(self, folder: Path) -> None:
        self.token_file = folder / "credentials.json"
        self.record_file = folder / "connection.json"
        self._lock_file = folder / "credentials.lock"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from using or replacing the refresh token: a rotated one is valid once.

        Raises AuthenticationError when another process holds it for five minutes.
        """
        try:
            descriptor = os.open(self._lock_file, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise _unusable(self._lock_file, error) from error
        with os.fdopen(descriptor, "r+") as handle:
            until = time.monotonic() + LOCK_SECONDS
            while not _try_lock(handle.fileno()):
                if time.monotonic() > until:
                    raise AuthenticationError(
                        f"another process holds {self._lock_file}",
                        why="it is asking Salesforce for a token and does not come to an end",
                        next_step="end that process, then run the command again",
                    )
                time.sleep(0.05)
            yield

    def token(self) -> StoredToken | None:
        """Return the stored refresh token; None if there is none.

        Raises SettingsError when others may read the file, or it is not what was written.
        """
        if not self.token_file.exists():
            return None
        require_private(self.token_file, "the token store")
        body = _load(self.token_file, "sign in again: crosswalk connect")
        try:
            secret = Secret(str(body["refresh_token"]))
            return StoredToken(secret, str(body["client_id"]), str(body["login_url"]), str(body.get("given", "")))
        except KeyError as error:
            raise _broken(self.token_file, "sign in again: crosswalk connect") from error

    def save_token(self, token: StoredToken) -> None:
        """Write the token, whole and on disk on return; call it under :meth:`locked`."""
        body = {
            "refresh_token": token.refresh_token.reveal(),
            "client_id": token.client_id,
            "login_url": token.login_url,
            "given": token.given,
        }
        write_private(self.token_file, json.dumps(body, indent=1))

    def remove_token(self) -> None:
        """Remove the stored token, if there is one."""
        self.token_file.unlink(missing_ok=True)
        sync_folder(self.token_file.parent)

    def record(self) -> ConnectionRecord | None:
        """Return who connected; None if nobody ever did by ``crosswalk connect``."""
        if not self.record_file.exists():
            return None
        body = _load(self.record_file, f"remove {self.record_file}, then run: crosswalk connect")
        try:
            return ConnectionRecord(**body)
        except TypeError as error:
            raise _broken(self.record_file, f"remove {self.record_file}, then run: crosswalk connect") from error

    def save_record(self, record: ConnectionRecord) -> None:
        """Write who connected, or that it is over."""
        write_private(self.record_file, json.dumps(asdict(record), indent=1))

    def require_connected(self) -> None:
        """Raise AuthenticationError when this home was disconnected: it must not reconnect by itself."""
        record = self.record()
        if record is None or record.state == "connected":
            return
        over = record.state == "disconnected"
        raise AuthenticationError(
            f"this home was disconnected from org {record.org_id or 'unknown'}"
            if over
            else f"a disconnect from org {record.org_id or 'unknown'} began at {record.at} and did not end",
            why="after a disconnect somebody must sign in on purpose before Salesforce is asked for anything",
            next_step="run: crosswalk connect" if over else "run: crosswalk disconnect",
        )


def fingerprint(secret: Secret) -> str:
    """Return a hash by which a secret is recognised and not found out."""
    return hashlib.sha256(b"crosswalk refresh token\0" + secret.reveal().encode()).hexdigest()


def now_text() -> str:
    """Return the current time in UTC, whole seconds, as the records hold it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _load(path: Path, remedy: str) -> dict[str, Any]:
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _unusable(path, error) from error
    except ValueError:
        # Its message would quote the text.
        body = None
    if not isinstance(body, dict):
        raise _broken(path, remedy) from None
    return body


def _broken(path: Path, remedy: str) -> SettingsError:
    return SettingsError(f"{path} is not what Crosswalk wrote", why="it was changed by hand", next_step=remedy)


def _unusable(path: Path, error: OSError) -> SettingsError:
    return SettingsError(
        f"{path} cannot be used: {error.strerror}",
        why="it must belong to the user who runs Crosswalk",
        next_step="correct its owner, then run: crosswalk connect",
    )
