"""How users of other tools lost rows or tables while the job was green: one test per complaint, with its thread.

What is about values is ``test_peers_values``, late stamps are ``test_watermark``; docs/compared.md lists them all.
"""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from data_contracts.errors import CrosswalkError, ExtractionError, OrgUnreachableError
from pipelines.extract import rest_pages
from resources.landing import LandedField
from resources.salesforce.bulk import BulkApi, BulkJob
from tests.integration.extract.conftest import ACCOUNTS, account_id
from tests.support.demo_org_client import Scripted
from tests.support.landed_pages import LandedPages, csv_page
from tests.support.mirror import Mirror

MakeMirror = Callable[..., Mirror]
RESULTS = {"method": "GET", "path": "/jobs/query/[^/]+/results$"}


@pytest.fixture(scope="module", autouse=True)
def _small_pages(scripted: Scripted) -> None:
    assert scripted.client("POST", "/__demo__/settings", json={"bulk_page_rows": 100}).status_code == 200


def update(scripted: Scripted, number: int, stamp: bool = True, **values: Any) -> None:
    body = {"do": "update_where", "object": "Account", "where": f"Id = '{account_id(number)}'", "values": values}
    assert scripted.client("POST", "/__demo__/execute", json={**body, "stamp": stamp}).status_code == 200


def ids_of(scripted: Scripted) -> list[str]:
    page = scripted.client.query("SELECT Id FROM Account ORDER BY Id")
    found = [record["Id"] for record in page["records"]]
    while not page["done"]:
        page = scripted.client.get(page["nextRecordsUrl"]).json()
        found += [record["Id"] for record in page["records"]]
    return found


def stored(m: Mirror) -> list[str]:
    return [row[0] for row in m.rows('SELECT "Id" FROM salesforce.account WHERE NOT _is_deleted ORDER BY "Id"')]


def test_records_of_any_age_come_with_the_first_run(mirror: MakeMirror, scripted: Scripted) -> None:
    """airbyte#37528: without a start date the first sync begins two years back; MeltanoLabs: four weeks back."""
    old = {"CreatedDate": "1999-03-01T00:00:00.000Z", "LastModifiedDate": "1999-03-01T00:00:00.000Z"}
    update(scripted, 11, stamp=False, **old, SystemModstamp="1999-03-01T00:00:00.000Z")
    m = mirror()
    m.sync("delta")
    assert m.one('SELECT year("SystemModstamp") FROM salesforce.account WHERE "Id" = ?', account_id(11)) == 1999
    assert stored(m) == ids_of(scripted)


def test_a_change_that_leaves_the_last_modified_date_behind_arrives(mirror: MakeMirror, scripted: Scripted) -> None:
    """dlt (Account), lht: a cursor on LastModifiedDate misses system processes, and imports that set it."""
    m = mirror()
    m.sync("full")
    scripted.client("POST", "/__demo__/settings", json={"clock": {"advance_seconds": 2}})
    update(scripted, 12, Name="Changed by a process", LastModifiedDate="2001-01-01T00:00:00.000Z")
    scripted.client("POST", "/__demo__/settings", json={"clock": {"advance_seconds": 2}})
    m.sync("delta")
    found = m.rows('SELECT "Name", year("LastModifiedDate") FROM salesforce.account WHERE "Id" = ?', account_id(12))
    assert found == [("Changed by a process", 2001)]


@pytest.mark.parametrize("transport", ["rest", "bulk"])
def test_many_pages_hold_every_record_once(
    transport: str, mirror: MakeMirror, scripted: Scripted, request: pytest.FixtureRequest
) -> None:
    """airbyte#27048 (500,000 of 900,000), #19014 (stops at 14,900), #20471 and #29455 (boundary pages twice);
    springml/spark-salesforce: only the last result of each batch."""
    request.getfixturevalue("monkeypatch").setattr(rest_pages, "PAGE_ROWS", 100)
    if transport == "bulk":
        request.getfixturevalue("always_bulk")
    m = mirror()
    result = m.sync("full")["account"]
    assert stored(m) == ids_of(scripted)
    assert (result.fetched, result.difference) == (ACCOUNTS, 0)


TIMED_OUT: dict[str, list[dict[str, Any]]] = {
    "bulk": [{"action": "job_failed", "message": "QUERY_TIMEOUT: Your query request was running for too long."}],
    "rest": [
        {"action": "status", "status": 400, "match": {"path": "/queryAll"},
         "body": [{"errorCode": "QUERY_TIMEOUT", "message": "Your query request was running for too long."}]}
    ],
}  # fmt: skip


@pytest.mark.parametrize("transport", TIMED_OUT)
def test_a_query_that_timed_out_is_an_error_and_no_empty_table(
    transport: str, mirror: MakeMirror, scripted: Scripted, request: pytest.FixtureRequest
) -> None:
    """airbyte#19947, #17503: QUERY_TIMEOUT, no rows, and the sync succeeded."""
    m = mirror()
    m.sync("full")
    before = m.rows("SELECT * FROM salesforce.account ORDER BY ALL")
    if transport == "bulk":
        request.getfixturevalue("always_bulk")
    scripted.script(*TIMED_OUT[transport])
    with pytest.raises(CrosswalkError, match="QUERY_TIMEOUT"):
        m.sync("full")
    assert m.rows("SELECT * FROM salesforce.account ORDER BY ALL") == before


@pytest.mark.usefixtures("always_bulk")
def test_bulk_that_fails_half_way_goes_on_with_bulk_and_repeats_no_row(mirror: MakeMirror, scripted: Scripted) -> None:
    """ingestr and Airbyte begin again by REST when Bulk fails after some pages: rows twice, or in another format."""
    m = mirror()
    scripted.script({"action": "status", "status": 500, "match": {**RESULTS, "after": 5}})
    with pytest.raises(CrosswalkError):
        m.sync("full")
    scripted.script()
    seen = len(scripted.log())
    assert m.sync("full")["account"].difference == 0
    later = scripted.log()[seen:]
    assert stored(m) == ids_of(scripted)
    pages = [entry for entry in later if entry["path"].endswith("/results")]
    assert 0 < len(pages) < ACCOUNTS / 100, "what had landed is not fetched again"
    assert not [entry for entry in later if "BillingStreet" in str(entry["query"]) and "/jobs/" not in entry["path"]]


@pytest.mark.usefixtures("always_bulk")
def test_a_second_attempt_after_rows_were_lost_never_replaces_a_whole_table(
    mirror: MakeMirror, scripted: Scripted
) -> None:
    """airbyte#86347: the retry of a refresh overwrote a complete table and "succeeded"; #73715, #33230, #40673."""
    m = mirror()
    m.sync("full")
    before = stored(m)
    for faults in (
        [{"action": "drop_rows", "rows": 40, "match": {**RESULTS, "nth": 1}}],
        [{"action": "empty_result", "match": {"path": "/jobs/query/?$"}}],
        [{"action": "status", "status": 500, "match": {**RESULTS, "after": 2}}],
    ):
        scripted.script(*faults)
        # An attempt fails, or takes up what the one before had landed and is whole.
        with contextlib.suppress(CrosswalkError):
            assert m.sync("full")["account"].difference == 0
        assert any(entry["fault"] for entry in scripted.log())
        assert stored(m) == before
    scripted.script()
    m.sync("full")
    assert stored(m) == ids_of(scripted)


class _SlowJob(BulkApi):
    """A job that is done after so many seconds of a clock that only the pauses between polls move."""

    def __init__(self, seconds: float) -> None:
        self.api_version, self.clock, self.polls, self._seconds = "62.0", 0.0, 0, seconds

    def status(self, job_id: str) -> BulkJob:
        self.polls += 1
        state = "JobComplete" if self.clock >= self._seconds else "InProgress"
        return BulkJob.from_json({"id": job_id, "state": state, "object": "Account", "operation": "queryAll"})

    def pause(self, seconds: float) -> None:
        self.clock += seconds


@pytest.mark.parametrize(("hours", "most_polls"), [(0.5, 80), (6, 740)])
def test_a_job_that_takes_hours_is_waited_for_with_few_polls(
    hours: float, most_polls: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """WaveLink#59, ingestr: good jobs are given up after ten minutes; jsforce#237, #298, #901, salesforcer#13: polling
    ends or never pauses; simple-salesforce polls a job of half an hour some 900 times."""
    job = _SlowJob(hours * 3600)
    monkeypatch.setattr("resources.salesforce.bulk.time.monotonic", lambda: job.clock)
    assert job.wait("750", sleep=job.pause).state == "JobComplete"
    assert job.polls <= most_polls


def test_a_job_that_never_ends_is_said_to_be_stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    """airbyte#17148: stuck in InProgress for ever; MeltanoLabs loops for ever on Aborted."""
    job = _SlowJob(float("inf"))
    monkeypatch.setattr("resources.salesforce.bulk.time.monotonic", lambda: job.clock)
    with pytest.raises(ExtractionError, match="still InProgress after 24 hours") as caught:
        job.wait("750", sleep=job.pause)
    assert "Bulk Data Load Jobs" in str(caught.value)


@pytest.mark.usefixtures("always_bulk")
def test_an_org_that_stops_answering_ends_in_an_error(
    mirror: MakeMirror, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """simple-salesforce, MeltanoLabs, Airbyte: no time limit on a download; a connection that hangs hangs the sync."""
    m = mirror()
    monkeypatch.setattr(m.org.session, "_timeout", (0.3, 0.3))
    scripted.script({"action": "delay", "seconds": 1.0, "match": RESULTS})
    with pytest.raises(OrgUnreachableError):
        m.sync("full")
    scripted.script()
    assert m.sync("full")["account"].difference == 0


def test_blanks_and_empty_texts_are_told_apart_from_each_other(tmp_path: Path) -> None:
    """Airbyte: texts of blanks became null, and null keys were left out; aio-sf: null became an empty text."""
    fields = [LandedField(name="Id", type="VARCHAR"), LandedField(name="X__c", type="VARCHAR")]
    made = LandedPages(tmp_path, fields)
    with made.warehouse.connect() as con:
        made.load(con, made.land([(csv_page(["Id", "X__c"], [("1", " "), ("2", None), ("3", "\t")]), 3)]))
        assert con.execute('SELECT "X__c" FROM salesforce.thing__c ORDER BY "Id"').fetchall() == [
            (" ",),
            (None,),
            ("\t",),
        ]
