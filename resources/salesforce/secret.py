"""Secrets: a value that never shows itself, and the private files it may come from.

Which secrets there are is ``credentials``; keeping one that Salesforce gave is ``token_store``.
"""

import stat
from pathlib import Path

from data_contracts.errors import SettingsError
from resources.files import PRIVATE, write_atomically


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


def require_private(path: Path, what: str) -> None:
    """Raise SettingsError when anybody but its owner may read or change ``path``, naming the mode.

    ``what`` names the file's purpose: a variable or the token store. A missing file is an error too.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as error:
        raise SettingsError(
            f"{what} names {path}, which cannot be read: {error.strerror}",
            why="the file is missing or this user may not reach it",
            next_step="correct the path, then run: crosswalk preflight",
        ) from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SettingsError(
            f"{what} names {path}, which others than its owner may use: its mode is {mode:04o}",
            why="a secret that others on this machine can read is none",
            next_step=f"chmod 600 {path}, and consider replacing the secret; then run: crosswalk preflight",
        )


def read_private(path: Path, what: str) -> Secret:
    """Return the content of a secret's file without surrounding white space; see :func:`require_private`."""
    if not path.is_file():
        raise SettingsError(
            f"{what} names {path}, which is not a file",
            why="the file is missing or this user cannot read it",
            next_step="correct the path, then run: crosswalk preflight",
        )
    require_private(path, what)
    try:
        value = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        # The decoding error would quote the bytes.
        value = ""
    if not value:
        raise SettingsError(
            f"{what} names {path}, which holds no text",
            why="the file is empty, not UTF-8, or not readable",
            next_step="write the secret into it, then run: crosswalk preflight",
        )
    return Secret(value)


def write_private(path: Path, text: str) -> None:
    """Replace a file that holds a secret by ``text``, readable by its owner alone from the first byte on.

    Raises SettingsError when the file cannot be written.
    """
    try:
        write_atomically(path, text, PRIVATE)
    except OSError as error:
        raise SettingsError(
            f"cannot write {path}: {error.strerror}",
            why="Salesforce's token would be lost with this process",
            next_step="free space or correct the folder's owner, then run: crosswalk connect",
        ) from error
