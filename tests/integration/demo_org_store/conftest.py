import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from apps.demo_org.store import OrgStore


class Clock:
    """A clock the test moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 2, 18, 12, 0, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


Loader = Callable[..., OrgStore]


def write_csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(header)
        writer.writerows(rows)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@contextmanager
def loader(folder: Path, clock: Clock) -> Iterator[Loader]:
    """Restore an org from {object: (header, rows)}; every org is closed at the end."""
    made: list[OrgStore] = []

    def build(**tables: tuple[Sequence[str], Sequence[Sequence[object]]]) -> OrgStore:
        data = folder / f"data{len(made)}"
        data.mkdir()
        for name, (header, rows) in tables.items():
            write_csv(data / f"{name}.csv", header, rows)
        made.append(OrgStore.load(data, folder / f"org{len(made)}.duckdb", clock=clock))
        return made[-1]

    yield build
    for store in made:
        store.close()


@pytest.fixture
def load(tmp_path: Path, clock: Clock) -> Iterator[Loader]:
    with loader(tmp_path, clock) as build:
        yield build


@pytest.fixture(scope="module")
def module_load(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loader]:
    """The same for an org that the tests of a module only read."""
    with loader(tmp_path_factory.mktemp("org"), Clock()) as build:
        yield build
