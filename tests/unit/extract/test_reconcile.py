"""Counts that differ: explained, swept, or refused; against a small table in memory."""

from datetime import UTC, datetime
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.errors import ReconciliationError
from pipelines.extract.reconcile import reconcile
from resources.landing import Manifest, OrgCount

NOW = datetime(2026, 1, 10, tzinfo=UTC)
RECORDS = st.sets(st.integers(0, 40))


def _id(number: int) -> str:
    return f"001{number:012d}AAA"


def _manifest(**count: Any) -> Manifest:
    return Manifest(
        org_id="00D", object="account", api_name="Account", purpose="records", kind="delta", transport="rest",
        soql="SELECT Id FROM Account", fields=[], api_version="62.0", match_key="k", restricted=False, since=NOW,
        until=NOW, eligible=3, created_at=NOW, selection_key="s",
        org_count=OrgCount(asked_at=NOW, bound=NOW, **count),
    )  # fmt: skip


def _warehouse(live: set[int]) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute(
        'CREATE TABLE held AS SELECT unnest(?::VARCHAR[]) AS "Id", false AS _is_deleted',
        [[_id(number) for number in sorted(live)]],
    ).fetchall()
    con.execute("INSERT INTO held VALUES ('001999999999999AAA', true)").fetchall()
    return con


@settings(deadline=None, max_examples=60)
@given(settled=RECORDS, changed=RECORDS, arrived=RECORDS, lost=RECORDS, gone=RECORDS, named=st.booleans())
def test_what_is_lost_is_noticed_and_what_moves_is_not(
    settled: set[int], changed: set[int], arrived: set[int], lost: set[int], gone: set[int], named: bool
) -> None:
    """``settled`` did not change; of ``changed`` some arrived; ``lost`` are missing; ``gone`` left the org."""
    changed, gone = changed - settled, gone - settled - changed
    lost &= settled
    held = (settled - lost) | (changed & arrived) | gone
    manifest = _manifest(
        live=len(settled | changed),
        settled=len(settled),
        unsettled=[_id(number) for number in changed] if named else None,
        unsettled_count=len(changed),
        gone=[_id(number)[:15] for number in gone],
        gone_for_sure=True,
    )
    with _warehouse(held) as con:
        # Named one by one, what changed and what is gone can hide nothing.
        missing = bool(lost) if named else len(settled) > len(held)
        if missing:
            with pytest.raises(ReconciliationError, match="records are missing"):
                reconcile(con, "held", manifest)
            return
        found = reconcile(con, "held", manifest)
    assert found
    assert (found.org_count, found.warehouse_count) == (len(settled | changed), len(held))
    assert bool(found.explanation) or found.difference == 0
    if named:
        assert found.surplus == len(gone)


def test_an_exact_comparison_finds_one_lost_among_many_changed() -> None:
    manifest = _manifest(live=40, settled=20, unsettled=[_id(number) for number in range(20, 40)], unsettled_count=20)
    with _warehouse(set(range(1, 40))) as con, pytest.raises(ReconciliationError, match=": 1 records are missing"):
        reconcile(con, "held", manifest)


def test_a_landing_of_an_earlier_version_has_nothing_to_compare() -> None:
    manifest = _manifest(live=0, settled=0)
    manifest.org_count = None
    with _warehouse(set()) as con:
        assert reconcile(con, "held", manifest) is None


@settings(deadline=None, max_examples=50)
@given(live=RECORDS, unsettled=RECORDS, short=st.sets(st.integers(0, 40)))
def test_ids_of_15_and_18_characters_name_the_same(live: set[int], unsettled: set[int], short: set[int]) -> None:
    """The org names changed records with 18 characters, deleted ones perhaps with 15, and some with both."""
    settled = len(live - unsettled - short)
    manifest = _manifest(
        live=len(live), settled=settled, unsettled=[_id(number) for number in sorted(unsettled)],
        unsettled_count=len(unsettled), gone=[_id(number)[:15] for number in sorted(short)], gone_for_sure=True,
    )  # fmt: skip
    found = reconcile(_warehouse(live), "held", manifest)
    assert found is not None
    assert found.surplus == len(live & short)
