from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from apps.demo_org.store import OrgStore, SObjectError, SoqlError


def test_many_threads_write_and_read_at_once(load: Any) -> None:
    store: OrgStore = load(Account=(["Name"], [[f"n{i}"] for i in range(50)]))
    parent = store.create("Account", {"Name": "parent"})

    def work(number: int) -> list[str]:
        made = [store.create("Contact", {"LastName": f"{number}-{i}", "AccountId": parent}) for i in range(8)]
        for record in made[:4]:
            store.update("Contact", record, {"Title": "Dr"})
        store.delete("Contact", made[0])
        assert store.query("SELECT COUNT() FROM Account").total() == 51
        assert len(store.query("SELECT Name, Account.Name FROM Contact").records()) >= 7
        return made

    jobs: Callable[[int], list[str]] = work
    with ThreadPoolExecutor(6) as pool:
        made = [record for batch in pool.map(jobs, range(6)) for record in batch]
    assert len(set(made)) == 48
    assert store.count("Contact") == 42
    assert store.query("SELECT COUNT() FROM Contact WHERE Title = 'Dr'").total() == 18


def test_overlong_and_overdeep_queries_are_refused_as_soql_errors(load: Any) -> None:
    store: OrgStore = load()
    deep = "(" * 20_000 + "Name = 'x'" + ")" * 20_000
    with pytest.raises(SoqlError, match="QUERY_TOO_COMPLICATED"):
        store.query(f"SELECT Id FROM Account WHERE {deep}")
    with pytest.raises(SoqlError, match="cannot be longer than 100000 characters"):
        store.query("SELECT Id FROM Account WHERE Name = '" + "x" * 100_000 + "'")


def test_a_converted_lead_cannot_be_changed(load: Any) -> None:
    lead = "00Q000000000001AAA"
    store: OrgStore = load(Lead=(["Id", "LastName", "Company", "IsConverted"], [[lead, "l", "c", "true"]]))
    with pytest.raises(SObjectError, match="cannot reference converted lead"):
        store.update("Lead", lead, {"LastName": "m"})
