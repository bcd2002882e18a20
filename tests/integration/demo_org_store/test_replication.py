"""getUpdated and getDeleted over a store: windows, ids, what an open transaction does to the covered date."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from apps.demo_org.store import OrgStore, SObjectError
from tests.integration.demo_org_store.conftest import Clock, loader

MINUTE = timedelta(minutes=1)


def updated(store: OrgStore, start: datetime, end: datetime, name: str = "Account") -> tuple[list[str], datetime]:
    found = store.replication.updated(store.object_type(name), start, end)
    return found.ids, found.latest_date_covered.replace(tzinfo=UTC)


def deleted(store: OrgStore, start: datetime, end: datetime, name: str = "Account") -> list[str]:
    return [record for record, _ in store.replication.deleted(store.object_type(name), start, end).records]


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def shared(clock: Clock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OrgStore]:
    with loader(tmp_path_factory.mktemp("org"), clock) as build:
        yield build()


@pytest.fixture
def store(shared: OrgStore, clock: Clock) -> OrgStore:
    """One org for all; every test has days of its own."""
    clock.now = (clock.now + timedelta(days=40)).replace(hour=12, minute=0, second=0)
    shared.replication.maximum_ids = 600_000
    return shared


def test_created_and_changed_records_once_each(store: OrgStore, clock: Clock) -> None:
    start = clock.now
    first = store.create("Account", {"Name": "A"})
    clock.now += 2 * MINUTE
    second = store.create("Account", {"Name": "B"})
    gone = store.create("Account", {"Name": "C"})
    store.delete("Account", gone)
    clock.now += 2 * MINUTE
    store.update("Account", first, {"Name": "AA"})
    clock.now += MINUTE
    assert updated(store, start, clock.now) == ([second, first], clock.now)
    assert updated(store, start, start + 4 * MINUTE)[0] == [second]
    assert deleted(store, start, clock.now) == [gone]


def test_the_end_is_open_and_seconds_are_ignored(store: OrgStore, clock: Clock) -> None:
    start = clock.now
    clock.now += timedelta(seconds=59)
    made = store.create("Account", {"Name": "A"})
    clock.now = start + 5 * MINUTE
    assert updated(store, start + timedelta(seconds=59), start + MINUTE + timedelta(seconds=1)) == (
        [made],
        start + MINUTE,
    )
    assert updated(store, start - MINUTE, start)[0] == []


def test_an_end_in_the_future_is_not_covered(store: OrgStore, clock: Clock) -> None:
    clock.now += timedelta(seconds=30)
    assert updated(store, clock.now - 5 * MINUTE, clock.now + timedelta(days=1))[1] == clock.now - timedelta(seconds=30)


def test_an_open_transaction_holds_the_covered_date_back(store: OrgStore, clock: Clock) -> None:
    start = clock.now
    transaction = store.transactions.begin()
    clock.now += 3 * MINUTE
    with store.transactions.within(transaction):
        late = store.create("Account", {"Name": "late"})
    clock.now += 3 * MINUTE
    on_time = store.create("Account", {"Name": "on time"})
    clock.now += 4 * MINUTE
    assert updated(store, start, clock.now) == ([on_time], start)
    with pytest.raises(SObjectError, match="NOT_FOUND"):
        store.get("Account", late)
    store.transactions.commit(transaction)
    # The naive cursor has read past this stamp long ago.
    assert updated(store, start, clock.now) == ([late, on_time], clock.now)
    assert store.get("Account", late)["SystemModstamp"] == f"{start + 3 * MINUTE:%Y-%m-%dT%H:%M:%S}.000+0000"


def test_a_transaction_can_be_undone_and_locks_what_it_changed(store: OrgStore, clock: Clock) -> None:
    made = store.create("Account", {"Name": "before"})
    transaction = store.transactions.begin()
    with store.transactions.within(transaction):
        store.update("Account", made, {"Name": "inside"})
    with pytest.raises(SObjectError, match="UNABLE_TO_LOCK_ROW"):
        store.update("Account", made, {"Name": "outside"})
    store.transactions.rollback(transaction)
    assert store.get("Account", made)["Name"] == "before"
    store.update("Account", made, {"Name": "outside"})
    with pytest.raises(SObjectError, match="no open transaction"):
        store.transactions.commit(transaction)


def test_hard_deletes_are_listed_until_the_log_is_purged(store: OrgStore, clock: Clock) -> None:
    start = clock.now
    binned, direct, undeleted = (store.create("Account", {"Name": n}) for n in "ABC")
    store.delete("Account", binned)
    store.delete("Account", undeleted)
    clock.now += 2 * MINUTE
    store.hard_delete("Account", binned)
    store.hard_delete("Account", direct)
    store.undelete("Account", undeleted)
    clock.now += 2 * MINUTE
    kind = store.object_type("Account")
    found = store.replication.deleted(kind, start, clock.now)
    stored = start.replace(tzinfo=None)
    assert found.records == [(binned, stored), (direct, stored + 2 * MINUTE)]
    assert found.earliest_date_available == (clock.now - timedelta(days=15)).replace(tzinfo=None)
    assert store.replication.purge(kind, start + MINUTE) == 1
    assert deleted(store, start + MINUTE, clock.now) == [direct]
    with pytest.raises(SObjectError, match="INVALID_REPLICATION_DATE"):
        deleted(store, start, clock.now)


@pytest.mark.parametrize(
    ("start", "end", "code"),
    [
        (timedelta(0), timedelta(0), "INVALID_REPLICATION_DATE"),
        (timedelta(0), -MINUTE, "INVALID_REPLICATION_DATE"),
        (timedelta(seconds=-50), timedelta(seconds=-10), "INVALID_REPLICATION_DATE"),
        (MINUTE, 2 * MINUTE, "INVALID_REPLICATION_DATE"),
        (timedelta(days=-30, minutes=-1), timedelta(0), "INVALID_REPLICATION_DATE"),
        (timedelta(days=-30), timedelta(0), ""),
    ],
)
def test_windows(store: OrgStore, clock: Clock, start: timedelta, end: timedelta, code: str) -> None:
    try:
        updated(store, clock.now + start, clock.now + end)
        found = ""
    except SObjectError as error:
        found = error.code
    assert found == code


def test_deleted_reaches_fifteen_days_back(store: OrgStore, clock: Clock) -> None:
    assert deleted(store, clock.now - timedelta(days=15), clock.now) == []
    with pytest.raises(SObjectError, match="INVALID_REPLICATION_DATE"):
        deleted(store, clock.now - timedelta(days=15, minutes=1), clock.now)


def test_too_many_ids_are_refused_not_cut(store: OrgStore, clock: Clock) -> None:
    start = clock.now
    store.replication.maximum_ids = 2
    for name in "AB":
        store.create("Account", {"Name": name})
    clock.now += MINUTE
    assert len(updated(store, start, clock.now)[0]) == 2
    clock.now -= MINUTE
    store.create("Account", {"Name": "C"})
    clock.now += MINUTE
    with pytest.raises(SObjectError, match="EXCEEDED_ID_LIMIT"):
        updated(store, start, clock.now)


def test_an_object_that_does_not_replicate(store: OrgStore, clock: Clock) -> None:
    with pytest.raises(SObjectError, match="INVALID_TYPE_FOR_OPERATION"):
        updated(store, clock.now - MINUTE, clock.now, "ListView")
