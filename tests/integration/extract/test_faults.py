"""Scripted faults: either the run recovers, or it fails with a clear error and the last good table stays."""

from collections.abc import Callable
from typing import Any

import pytest

from data_contracts.errors import (
    AuthenticationError,
    CrosswalkError,
    ExtractionError,
    OrgMismatchError,
    OrgUnreachableError,
    QuotaError,
    SalesforceError,
)
from pipelines.extract import schema
from resources.landing import LandingFolder
from resources.salesforce.credentials import Secret
from tests.integration.extract.conftest import ACCOUNTS
from tests.support.demo_org_client import Scripted
from tests.support.mirror import Mirror, settings_for

pytestmark = pytest.mark.usefixtures("always_bulk")
MakeMirror = Callable[..., Mirror]
RESULTS = {"method": "GET", "path": "/jobs/query/[^/]+/results$"}


@pytest.fixture(scope="module", autouse=True)
def _small_pages(scripted: Scripted) -> None:
    assert scripted.client("POST", "/__demo__/settings", json={"bulk_page_rows": 100}).status_code == 200


RECOVERED: dict[str, list[dict[str, Any]]] = {
    "503 on a page": [{"action": "status", "status": 503, "match": {**RESULTS, "nth": [2, 5]}}],
    "503 on creating the job": [
        {"action": "status", "status": 503, "match": {"method": "POST", "path": "/jobs/query/?$", "times": 1}}
    ],
    "429 on the describe": [{"action": "status", "status": 429, "match": {"path": "/describe$", "times": 1}}],
    "session expires while pages are sent": [{"action": "expire_session", "match": {**RESULTS, "nth": 3}}],
    "session expires while polling": [
        {"action": "expire_session", "match": {"path": "/jobs/query/[^/]+$", "method": "GET", "times": 1}}
    ],
    "connection breaks inside a body": [
        {"action": "drop_connection", "bytes": 40, "match": {**RESULTS, "nth": [1, 4]}}
    ],
    "connection breaks before an answer": [{"action": "drop_connection", "match": {**RESULTS, "nth": 2}}],
    "no resultPages": [{"action": "status", "status": 404, "match": {"path": "/resultPages"}}],
}


@pytest.mark.parametrize("name", RECOVERED)
def test_recovers(name: str, mirror: MakeMirror, scripted: Scripted) -> None:
    m = mirror()
    scripted.script(*RECOVERED[name])
    assert m.sync("full")["account"].live == ACCOUNTS
    fired = [entry for entry in scripted.log() if entry["fault"]]
    assert fired, "the fault never happened"


REFUSED: dict[str, tuple[list[dict[str, Any]], type[CrosswalkError], str]] = {
    "the job fails": ([{"action": "job_failed", "message": "InvalidBatch : no"}], ExtractionError, "InvalidBatch : no"),
    "page counts too many rows": (
        [{"action": "wrong_row_count", "match": {**RESULTS, "nth": 3}}],
        ExtractionError,
        "announced",
    ),
    "page lacks its last rows": (
        [{"action": "drop_rows", "match": {**RESULTS, "nth": 3}}],
        ExtractionError,
        "announced",
    ),
    "gzip is cut": ([{"action": "truncate_gzip", "match": {**RESULTS, "nth": 3}}], ExtractionError, ""),
    "empty although counted": (
        [{"action": "empty_result", "match": {"path": "/jobs/query/?$"}}],
        ExtractionError,
        "empty",
    ),
    "quota gone": ([{"action": "quota_exhausted", "match": RESULTS}], QuotaError, "REQUEST_LIMIT_EXCEEDED"),
    "object hidden": (
        [{"action": "hide_object", "object": "Account"}],
        ExtractionError,
        "does not show object Account",
    ),
    "session never valid": (
        [{"action": "expire_session", "match": RESULTS}],
        AuthenticationError,
        "INVALID_SESSION_ID",
    ),
    "503 for good": ([{"action": "status", "status": 503, "match": RESULTS}], SalesforceError, "SERVER_UNAVAILABLE"),
    "no answer for good": ([{"action": "drop_connection", "match": RESULTS}], OrgUnreachableError, "no answer"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_fails_clearly_and_keeps_the_last_good_table(name: str, mirror: MakeMirror, scripted: Scripted) -> None:
    faults, kind, words = REFUSED[name]
    m = mirror()
    m.sync("full")
    before = m.rows("SELECT * FROM salesforce.account ORDER BY ALL")
    scripted.script(*faults)
    with pytest.raises(kind) as caught:
        m.sync("full")
    assert words in str(caught.value)
    assert "Next:" in str(caught.value)
    assert m.rows("SELECT * FROM salesforce.account ORDER BY ALL") == before
    assert m.rows("SELECT table_name FROM duckdb_tables() WHERE table_name LIKE '%incoming%'") == []

    scripted.script()
    assert m.sync("full")["account"].live == ACCOUNTS, "and the next run works again"


@pytest.mark.parametrize("name", ["page lacks its last rows", "empty although counted"])
def test_ids_that_got_lost_do_not_count_as_having_left_the_selection(
    name: str, mirror: MakeMirror, scripted: Scripted
) -> None:
    faults, kind, words = REFUSED[name]
    m = mirror(
        settings=settings_for(objects={"account": {"selection": {"mode": "condition", "condition": "Id != ''"}}})
    )
    m.sync("full")
    scripted.script(*faults)
    with pytest.raises(kind, match=words):
        m.sync("delta")
    assert m.one("SELECT count(*) FROM salesforce.account WHERE NOT _is_deleted") == ACCOUNTS

    scripted.script()
    result = m.sync("delta")["account"]
    assert (result.removed, result.live) == (0, ACCOUNTS), "and the next run works again"


def test_a_wrong_page_is_fetched_again_by_the_next_run(mirror: MakeMirror, scripted: Scripted) -> None:
    m = mirror()
    scripted.script({"action": "truncate_gzip", "match": {**RESULTS, "nth": 2}})
    with pytest.raises(ExtractionError):
        m.sync("full")
    scripted.script()
    seen = len(scripted.log())
    assert m.sync("full")["account"].live == ACCOUNTS
    assert [
        entry["path"] for entry in scripted.log()[seen:] if entry["method"] == "POST" and "jobs" in entry["path"]
    ] == []


def test_a_field_that_goes_between_describe_and_query_is_left_out(mirror: MakeMirror, scripted: Scripted) -> None:
    m = mirror()
    m.sync("full")
    submit = {"method": "POST", "path": "/jobs/query/?$"}
    scripted.script({"action": "hide_field", "object": "Account", "field": "Website", "match": submit})
    m.sync("full")
    assert m.rows("SELECT field_name, change FROM ops.schema_change") == [("Website", "removed")]
    assert m.one('SELECT count("Website") FROM salesforce.account') == ACCOUNTS, "the last known values stay"


def test_a_field_matched_on_that_is_hidden_stops_the_run_and_names_both_causes(
    mirror: MakeMirror, scripted: Scripted
) -> None:
    settings = settings_for(
        "account",
        imports={"mapping": {"account": {"fax": {"sources": ["Fax"]}}}},
        matching={"reference_id_fields": {"account": "Website"}},
    )
    m = mirror(settings=settings)
    run, _ = m.submit("full")
    hide = [{"action": "hide_field", "object": "Account", "field": field} for field in ("Website", "Fax")]
    scripted.script(*hide)
    with m.warehouse.connect() as con:
        needed, mapped = schema.needed_fields(settings), schema.mapped_sources(settings)
        found = schema.refresh_schema(con, m.org, ["account"], run, needed, mapped)
    assert found.missing == (("account", "Website"),), "a mapped field stops its import, and not the run"
    with pytest.raises(ExtractionError, match=r"Account\.Website") as caught:
        found.raise_if_needed()
    assert "deleted in the org" in str(caught.value)
    assert "field-level security" in str(caught.value)
    marked = m.rows("SELECT field_name, needed FROM ops.schema_change WHERE change = 'removed' ORDER BY 1")
    assert marked == [("Fax", True), ("Website", True)]


def test_an_unreadable_object_that_is_not_matched_is_skipped_and_named(mirror: MakeMirror, scripted: Scripted) -> None:
    m = mirror("account", "campaign")
    scripted.script({"action": "hide_object", "object": "Campaign"})
    results = m.sync("full")
    assert results["account"].live == ACCOUNTS
    assert results["campaign"].fetched == 0
    assert any("Campaign" in line and "skipped" in line for line in m.progress)


def test_an_object_that_becomes_unreadable_keeps_its_rows_and_is_called_stale(
    mirror: MakeMirror, scripted: Scripted
) -> None:
    m = mirror("account", "user")
    first = m.sync("full")["user"]
    assert first.live
    kept = m.rows("SELECT * FROM salesforce.user ORDER BY ALL")
    scripted.script({"action": "hide_object", "object": "User"})
    for run in ("run-2", "run-3"):
        result = m.sync("delta")["user"]
        assert (result.rows, result.live, result.kind) == (first.rows, first.live, "none")
        assert result.stale_since
        assert "hidden from the user" in str(result.explanation)
        recorded = m.rows(
            "SELECT fetched, warehouse_count, stale_since FROM _state.load_result WHERE run_id = ? AND object = 'user'",
            run,
        )
        assert recorded == [(None, first.live, result.stale_since)]
    assert m.rows("SELECT * FROM salesforce.user ORDER BY ALL") == kept
    changes = m.rows("SELECT run_id, object_name, field_name, change FROM ops.schema_change")
    assert changes == [("run-2", "User", "*", "hidden")], "said once"
    scripted.script()
    back = m.sync("delta")["user"]
    assert (back.kind, back.difference, back.stale_since) == ("delta", 0, None)


def test_an_object_hidden_between_describe_and_count_is_skipped_too(mirror: MakeMirror, scripted: Scripted) -> None:
    m = mirror("account", "user")
    m.sync("full")
    scripted.script({"action": "hide_object", "object": "User", "match": {"path": "/query", "object": "User"}})
    assert m.sync("delta")["user"].stale_since


@pytest.mark.parametrize("status", [406, 420, 429, 500, 502, 504])
def test_a_passing_trouble_of_the_org_is_waited_out(status: int, mirror: MakeMirror, scripted: Scripted) -> None:
    scripted.script({"action": "status", "status": status, "match": {"method": "GET", "path": "/v62", "nth": [1, 3]}})
    assert mirror("contact").sync("full")["contact"].live == 2


def test_over_the_cap_is_refused_before_a_job_is_created(mirror: MakeMirror, scripted: Scripted) -> None:
    m = mirror(settings=settings_for("account", limits={"records": {"account": 1000}}))
    seen = len(scripted.log())
    _, plan = m.submit("full")
    with pytest.raises(ExtractionError) as caught:
        plan.require("account")
    for words in ("1,200", "1,000", "objects.account.selection", "last good data stays"):
        assert words in str(caught.value)
    assert plan.objects["account"].over_limit == 200
    assert m.rows("SELECT eligible, fetched, over_limit FROM _state.load_result") == [(1200, 0, 200)]
    assert not [entry for entry in scripted.log()[seen:] if "/jobs/" in entry["path"]]


def test_another_org_is_refused_with_both_ids(mirror: MakeMirror, still_org: Any) -> None:
    m = mirror()
    m.sync("full")
    with m.warehouse.connect() as con:
        con.execute("UPDATE _state.org SET org_id = '00D000000000001EAA'")
    with pytest.raises(OrgMismatchError) as caught:
        m.sync("full")
    assert "00D000000000001EAA" in str(caught.value)
    assert m.org.identity().org_id in str(caught.value)


def test_a_given_token_that_expired_says_so_once(mirror: MakeMirror, scripted: Scripted) -> None:
    environment = scripted.org.environment() | {
        "SALESFORCE_AUTH": "access_token",
        "SALESFORCE_ACCESS_TOKEN": scripted.org.access_token,
    }
    m = Mirror(scripted.org, mirror(name="other").home.root, settings_for("account"), environment)
    scripted.script({"action": "expire_session", "match": {"path": "/describe$"}})
    seen = len(scripted.log())
    with pytest.raises(AuthenticationError, match="SALESFORCE_ACCESS_TOKEN"):
        m.sync("full")
    assert len([entry for entry in scripted.log()[seen:] if entry["path"].endswith("/describe")]) == 1
    assert Secret(scripted.org.access_token) == m.org.session.tokens.credentials.access_token


@pytest.mark.parametrize("writes", [9, 10])
def test_disk_full_says_so_and_keeps_what_landed(
    writes: int, mirror: MakeMirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    m = mirror()
    run, plan = m.submit("full")
    written: list[str] = []

    def fsync(descriptor: int) -> None:
        written.append(str(descriptor))
        if len(written) == writes:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fsync)
    with pytest.raises(CrosswalkError, match="No space left"):
        m.finish(run, plan, "account")
    monkeypatch.undo()
    landed = len(LandingFolder.open(m.home.landing / plan.require("account").landing).manifest.pages)
    assert landed > 0
    assert m.finish(run, plan, "account").live == ACCOUNTS
