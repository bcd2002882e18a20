"""The arithmetic behind the demo org: counts add up and permutations are permutations."""

import datetime as dt
from math import gcd

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apps.demo_org.generate.plan import LIMITS, PERSON_ACCOUNTS, DemoPlan, make_plan
from data_contracts.errors import SettingsError

DAY = dt.date(2026, 1, 1)


def plan_of(accounts: int, **sizes: int) -> DemoPlan:
    everything: dict[str, int | None] = dict.fromkeys(("contacts", "leads", "opportunities", "companies", "people"))
    return make_plan(accounts, 1, DAY, **{**everything, **sizes})


def test_one_argument_reaches_the_documented_limits() -> None:
    plan = plan_of(LIMITS["accounts"])
    assert {name: getattr(plan, name) for name in LIMITS} == LIMITS


@pytest.mark.parametrize("name", ["contacts", "leads", "opportunities", "companies", "people"])
def test_a_size_beyond_the_limit_is_refused_by_name(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        plan_of(1000, **{name: LIMITS[name] + 1})


@pytest.mark.parametrize("sizes", [{"accounts": 0}, {"accounts": -5}, {"accounts": 10, "companies": 0}])
def test_an_org_without_accounts_or_companies_is_refused(sizes: dict[str, int]) -> None:
    with pytest.raises(SettingsError, match="Next:"):
        plan_of(**sizes)


@given(st.integers(1, 3000), st.integers(0, 3000), st.integers(0, 3000))
def test_strides_permute_and_come_back(accounts: int, contacts: int, leads: int) -> None:
    variables = plan_of(accounts, contacts=contacts, leads=leads).variables()
    size, step, shift = variables["world"], variables["world_step"], variables["world_shift"]
    forward = [(k * step + shift) % size for k in range(size)]
    assert sorted(forward) == list(range(size))
    assert [(w - shift) % size * variables["world_back"] % size for w in forward] == list(range(size))


@given(st.integers(1, 2_000_000), st.integers(0, 2_000_000), st.integers(0, 2_000_000))
@example(100_000, 100_000, 100_000)
def test_no_two_records_get_one_number(accounts: int, contacts: int, leads: int) -> None:
    variables = plan_of(accounts, contacts=contacts, leads=leads).variables()
    for name in ("world", "accounts", "contacts", "leads", "companies", "people"):
        assert gcd(variables[f"{name}_step"], max(1, variables[name])) == 1, name


@given(st.integers(1, 5000))
def test_primaries_and_person_accounts_are_counted_as_the_sql_places_them(accounts: int) -> None:
    variables = plan_of(accounts).variables()
    assert variables["account_primaries"] == sum(k % 100 < 81 for k in range(accounts))
    assert variables["person_contacts"] == sum(k % 100 in PERSON_ACCOUNTS for k in range(accounts))


@given(st.integers(1, 2_000_000), st.integers(0, 4_000_000), st.integers(1, 2_000_000))
def test_known_entities_fit_into_the_reference(accounts: int, people: int, companies: int) -> None:
    variables = plan_of(accounts, people=people, companies=companies).variables()
    assert variables["known_contacts"] + variables["known_persons"] + variables["known_leads"] <= people
    assert variables["matched"] <= min(companies, variables["account_primaries"])
    assert variables["world"] >= companies


def test_the_default_day_is_today() -> None:
    before = dt.datetime.now(dt.UTC).date()
    plan = make_plan(1, 1, None, contacts=None, leads=None, opportunities=None, companies=None, people=None)
    assert before <= plan.as_of <= dt.datetime.now(dt.UTC).date()
