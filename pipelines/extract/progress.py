"""How a step of extraction tells what it does while it does it."""

from collections.abc import Callable

Progress = Callable[[str], None]


def quiet(_: str) -> None:
    """Ignore progress."""
