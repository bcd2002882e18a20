"""The watermark never skips a moment, and an Id range that is cut loses no Id."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pipelines.extract.split import DIGITS, between, part_soql
from pipelines.extract.state import Watermark
from pipelines.extract.watermark import Coverage, advanced, lower_bound
from resources.landing import JobPart, LandedField, Manifest

START = datetime(2026, 1, 10, tzinfo=UTC)
OVERLAP = timedelta(minutes=10)
MINUTES = st.integers(-600, 600).map(lambda minutes: timedelta(minutes=minutes))
IDS = st.text(alphabet=DIGITS, min_size=12, max_size=12).map(lambda tail: "001" + tail)


@given(MINUTES, MINUTES, st.booleans(), st.booleans())
def test_the_watermark_goes_back_only_for_a_reason(
    before: timedelta, after: timedelta, by_org: bool, same: bool
) -> None:
    previous = Watermark(START + before, "s")
    mark = Watermark(START + after, "s" if same else "t")
    until = START + after + timedelta(minutes=5)
    moved = advanced(previous, mark, until, by_org=by_org)
    if moved < previous.covered_until:
        assert not same or (by_org and until > previous.covered_until)
        assert moved == mark.covered_until
    assert moved in (previous.covered_until, mark.covered_until)
    assert advanced(None, mark, until, by_org=by_org) == mark.covered_until


@given(st.floats(-86_400, 86_400), st.floats(-86_400, 86_400))
def test_a_clock_set_back_widens_the_overlap_by_as_much(then: float, now: float) -> None:
    mark = Watermark(START, "s", (), then)
    since = lower_bound(mark, Coverage(START, START, False, now), OVERLAP)
    assert since <= START - OVERLAP
    back = timedelta(seconds=then - now)
    assert since <= START - OVERLAP - back or back <= timedelta(minutes=1)


@given(IDS, IDS, st.integers(2, 8))
def test_parts_hold_every_id_once(one: str, other: str, ways: int) -> None:
    first, last = sorted((one, other))
    cuts = between(first, last, ways)
    assert cuts == sorted(set(cuts))
    assert all(first <= cut <= last for cut in cuts)
    assert len(cuts) in (0, ways - 1)
    bounds = ["", *cuts, ""]
    for record in (first, last, *cuts):
        holding = [
            (low, high)
            for low, high in zip(bounds, bounds[1:], strict=False)
            if (not low or record > low) and (not high or record <= high)
        ]
        assert len(holding) == 1


def test_a_part_keeps_the_condition_of_the_whole() -> None:
    manifest = Manifest(
        org_id="00D", object="account", api_name="Account", purpose="records", kind="full", transport="bulk",
        soql="SELECT Id, Name FROM Account WHERE Name = 'a' OR Id IN (SELECT AccountId FROM Contact WHERE X = 1)",
        fields=[LandedField(name="Id", type="VARCHAR"), LandedField(name="Name", type="VARCHAR")], api_version="62.0",
        match_key="k", restricted=True, since=None, until=START, eligible=3, created_at=START, selection_key="s",
    )  # fmt: skip
    assert part_soql(manifest, JobPart(above="001A", up_to="001B")) == (
        "SELECT Id, Name FROM Account WHERE (Name = 'a' OR Id IN (SELECT AccountId FROM Contact WHERE X = 1)) "
        "AND Id > '001A' AND Id <= '001B'"
    )
