"""How a step of extraction tells what it does while it does it: seldom enough to read, often enough to trust."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[str], None]

#: Seconds between two lines about rows, about a waiting job in an unchanged state, and about a long statement.
ROWS_EVERY, STATE_EVERY, ALIVE_EVERY = 2.0, 10.0, 15.0


def quiet(_: str) -> None:
    """Ignore progress."""


class Pace:
    """Tells rows done, of how many, how fast, and how much longer; ``verb`` is what becomes of them."""

    def __init__(self, progress: Progress, name: str, verb: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._progress, self._name, self._verb, self._clock = progress, name, verb, clock
        self._began, self._told = clock(), float("-inf")
        self._done = 0

    def add(self, rows: int, total: int) -> None:
        """Count rows, and tell now and then; always about the last ones."""
        self._done += rows
        now = self._clock()
        if self._done < total and now - self._told < ROWS_EVERY:
            return
        self._told = now
        rate = self._done / max(now - self._began, 1e-3)
        left = f", about {span((total - self._done) / rate)} to go" if 0 < self._done < total else ""
        self._progress(f"{self._name}: {self._done:,} of {total:,} rows {self._verb}, {rate:,.0f} rows/s{left}")


class Waiting:
    """Tells what the org says of a job that is awaited: its state, its rows, for how long, how much longer."""

    def __init__(self, progress: Progress, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._progress, self._name, self._clock = progress, name, clock
        self._began, self._told, self._state = clock(), float("-inf"), ("", "")
        self._polls = 0

    def tell(self, job: str, state: str, rows: int, total: int) -> None:
        """One poll: a new state is told at once, the same one now and then."""
        self._polls += 1
        now = self._clock()
        if (job, state) == self._state and now - self._told < STATE_EVERY:
            return
        self._told, self._state = now, (job, state)
        waited = now - self._began
        left = f", about {span((total - rows) * waited / rows)} to go" if 0 < rows < total and waited >= 1 else ""
        polls = f"{self._polls} poll{'s' if self._polls > 1 else ''}"
        self._progress(
            f"{self._name}: job {job} is {state}, {rows:,} of {total:,} rows, {span(waited)} and {polls} so far{left}"
        )


@contextmanager
def alive(progress: Progress, what: str, every: float = ALIVE_EVERY) -> Iterator[None]:
    """Tell now and then that a long statement is still at work."""
    over, began = threading.Event(), time.monotonic()

    def tell() -> None:
        while not over.wait(every):
            progress(f"{what}, {span(time.monotonic() - began)} so far")

    thread = threading.Thread(target=tell, name="alive", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def span(seconds: float) -> str:
    """Return a length of time in words, for example ``3 min 20 s``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
