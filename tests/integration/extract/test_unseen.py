"""Records that vanish without a word: a few may have gone for good, many mean that access was narrowed."""

from datetime import timedelta
from pathlib import Path

import pytest

from data_contracts.errors import ReconciliationError
from data_contracts.settings import Settings
from resources.landing import LandedField, LandingFolder, OrgCount
from tests.support.landed_pages import START, LandedPages, csv_page

FIELDS = [
    LandedField(name="Id", type="VARCHAR"),
    LandedField(name="IsDeleted", type="BOOLEAN"),
    LandedField(name="SystemModstamp", type="TIMESTAMP"),
]
ALL = 400


class Org(LandedPages):
    """An org whose records the user sees up to a number; ``logged`` are those its log of deletions names."""

    def seen(self, records: int, day: int, logged: int = 0) -> str:
        rows = [(key(number), "false", "2025-12-31T00:00:00.000Z") for number in range(records)]
        until = START + timedelta(days=day)
        landing = self.land([(csv_page([field.name for field in FIELDS], rows), records)], until=until)
        if logged:
            gone = {key(ALL - 1 - number): until for number in range(logged)}
            count = OrgCount(asked_at=until, bound=until, live=records, settled=records, gone_at=gone)
            with LandingFolder.open(self.home.landing / landing).changing() as manifest:
                manifest.org_count = count
        return landing


def key(number: int) -> str:
    return f"a01{number:012d}AAA"


@pytest.mark.parametrize(("left", "logged"), [(ALL - 10, 0), (ALL - 110, 100), (ALL - 200, 200)])
def test_what_the_log_names_and_a_few_more_are_marked_deleted(tmp_path: Path, left: int, logged: int) -> None:
    org = Org(tmp_path, FIELDS)
    with org.warehouse.connect() as con:
        org.load(con, org.seen(ALL, 1))
        result = org.load(con, org.seen(left, 2, logged))
    assert (result.live, result.deleted, result.rows) == (left, ALL - left, ALL)


@pytest.mark.parametrize(("left", "logged"), [(ALL - 11, 0), (ALL // 2, 0), (ALL - 111, 100)])
def test_more_than_that_keeps_the_last_good_data(tmp_path: Path, left: int, logged: int) -> None:
    org = Org(tmp_path, FIELDS)
    with org.warehouse.connect() as con:
        org.load(con, org.seen(ALL, 1))
        with pytest.raises(ReconciliationError, match="no longer shown") as told:
            org.load(con, org.seen(left, 2, logged))
        live = con.execute("SELECT count(*) FROM salesforce.thing__c WHERE NOT _is_deleted").fetchall()[0][0]
        events = con.execute("SELECT count(*) FROM ops.record_event").fetchall()[0][0]
    assert (live, events) == (ALL, 0)
    assert "View All" in str(told.value)
    assert "limits.unseen_deletions" in str(told.value)


def test_an_admin_can_say_that_they_are_gone(tmp_path: Path) -> None:
    org = Org(tmp_path, FIELDS)
    org.settings = Settings.model_validate({"limits": {"unseen_deletions": 1}})
    with org.warehouse.connect() as con:
        org.load(con, org.seen(ALL, 1))
        assert org.load(con, org.seen(ALL // 2, 2)).deleted == ALL // 2
