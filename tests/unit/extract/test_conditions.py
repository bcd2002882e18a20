"""What is said against a condition before the org is asked, and where Salesforce's fault stands in it."""

import pytest

from pipelines.extract.conditions import faults, place, warnings


@pytest.mark.parametrize(
    "condition",
    [
        "Industry = 'Energy'",
        "Name LIKE 'Acme%' AND (NumberOfEmployees > 5 OR Website = null)",
        "Name = 'order by (limit 5' AND Site = 'it\\'s (where'",
        "Id IN (SELECT AccountId FROM Contact WHERE Email != null LIMIT 5)",
        "LimitReached__c = true",
    ],
)
def test_a_condition_has_no_fault(condition: str) -> None:
    assert list(faults(condition)) == []


@pytest.mark.parametrize(
    ("condition", "word"),
    [
        ("WHERE Industry = 'Energy'", "WHERE"),
        ("SELECT Id FROM Account", "whole query"),
        ("Industry = 'Energy' ORDER  BY Name", "ORDER BY"),
        ("Industry = 'Energy' limit 5", "LIMIT"),
        ("Industry = 'a') OR (Industry = 'b'", "parentheses"),
        ("(Industry = 'a'", "parentheses"),
        ("Industry = 'a", "quoted"),
        ("Id IN (SELECT Id FROM Contact) GROUP BY Name", "GROUP BY"),
    ],
)
def test_a_fault_is_named(condition: str, word: str) -> None:
    assert any(word in fault for fault in faults(condition))


@pytest.mark.parametrize(
    ("condition", "word"),
    [
        ("Id IN (SELECT AccountId FROM Contact)", "semi-join"),
        ("Name LIKE '%acme'", "wildcard"),
        ("Industry != 'Energy'", "no index"),
        ("LastActivityDate = LAST_N_DAYS:30", "relative date"),
        ("CreatedDate > THIS_YEAR", "relative date"),
    ],
)
def test_a_price_is_told(condition: str, word: str) -> None:
    assert any(word in warning for warning in warnings(condition))


def test_text_in_quotes_has_no_price() -> None:
    assert list(warnings("Name = 'NOT (SELECT TODAY' AND Site LIKE 'a%'")) == []


@pytest.mark.parametrize("condition", ["Nmae = 'x'", "Name = 'x'\n  AND Nmae = 'y'"])
def test_a_position_of_salesforce_points_into_the_condition(condition: str) -> None:
    prefix = "SELECT COUNT() FROM Account WHERE ("
    before, _, _ = (prefix + condition).partition("Nmae")
    row, column = before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1
    at = place((row, column), prefix, condition)
    assert at is not None
    assert condition[at - 1 :].startswith("Nmae")
    assert place(None, prefix, condition) is None
    assert place((1, 3), prefix, condition) is None
