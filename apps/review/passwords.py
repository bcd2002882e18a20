"""Password hashes of the review page: scrypt from the standard library, written as one word for the settings.

Nothing here knows who somebody is; no password and no hash is ever logged.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass

from data_contracts.errors import SettingsError

#: scrypt's cost: 16 MB and some 50 ms for one guess.
COST, BLOCK, PARALLEL = 2**14, 8, 1
#: No hash in the settings may make one sign-in cost more than this many bytes.
MOST_MEMORY = 256 * 2**20
SHORTEST = 12
LONGEST = 1024


@dataclass(frozen=True)
class _Parsed:
    cost: int
    block: int
    parallel: int
    salt: bytes
    digest: bytes


def hash_password(password: str) -> str:
    """Return ``scrypt:N:r:p:salt:digest`` for the settings, another one each time.

    Raises SettingsError for a password that is too short to resist guessing, or absurdly long.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise SettingsError(
            f"a password has {SHORTEST} to {LONGEST} characters", why="a shorter one can be guessed from its hash"
        )
    salt = secrets.token_bytes(16)
    parsed = _Parsed(COST, BLOCK, PARALLEL, salt, b"")
    words = (base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (salt, _digest(password, parsed)))
    return ":".join(("scrypt", str(COST), str(BLOCK), str(PARALLEL), *words))


def verify(password: str, stored: str | None) -> bool:
    """Return whether ``password`` belongs to ``stored``.

    None (no such user, or one without a password) costs as much time as a wrong password, so that nobody learns by
    the clock which names exist.
    """
    parsed = _parse(stored) if stored else None
    if len(password) > LONGEST:
        return False
    expected = parsed or _NOBODY
    same = hmac.compare_digest(_digest(password, expected), expected.digest)
    return same and parsed is not None


def check_hash(stored: str) -> None:
    """Raise SettingsError when ``stored`` is no hash that ``hash_password`` writes; the message does not repeat it."""
    if _parse(stored) is None:
        raise SettingsError(
            "a password_hash of review.accounts is not a scrypt hash",
            why="a password itself is never written into the settings",
            next_step="make one with: crosswalk review --hash-password",
        )


def _parse(stored: str) -> _Parsed | None:
    parts = stored.split(":")
    if len(parts) != 6 or parts[0] != "scrypt":
        return None
    try:
        cost, block, parallel = (int(part) for part in parts[1:4])
        salt, digest = (base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in parts[4:])
    except (ValueError, binascii.Error):
        return None
    sound = cost >= 2**14 and cost & (cost - 1) == 0 and block >= 8 and 1 <= parallel <= 16
    sound = sound and 128 * cost * block <= MOST_MEMORY and len(salt) >= 16 and len(digest) == 32
    return _Parsed(cost, block, parallel, salt, digest) if sound else None


def _digest(password: str, parsed: _Parsed) -> bytes:
    return hashlib.scrypt(
        password.encode("utf-8", "surrogatepass"),
        salt=parsed.salt,
        n=parsed.cost,
        r=parsed.block,
        p=parsed.parallel,
        maxmem=2 * MOST_MEMORY,
        dklen=32,
    )


#: Whom a password is compared with that belongs to nobody.
_NOBODY = _Parsed(COST, BLOCK, PARALLEL, secrets.token_bytes(16), secrets.token_bytes(32))
