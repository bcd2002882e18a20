"""Everything that is scripted to go wrong in a sync, and how the run must take it; see ``fault_trials.Scenario``."""

import random
from typing import Any

from tests.support.demo_org_client import V
from tests.support.fault_trials import DATA, NOT_FOUND, POLL, RESULTS, SUBMIT, Scenario
from tests.support.trials import REST_PAGE, Arena

ANY = {"path": DATA}
PAGE = {"method": "GET", "path": RESULTS}
QUERY = {"path": r"/(query|queryAll)/?$"}
CREATE = {"method": "POST", "path": SUBMIT}
STATUS = {"method": "GET", "path": POLL}
DESCRIBE = {"path": "/describe$"}
HIDDEN = ("ops.schema_change", "salesforce.field")


def _fault(action: str, match: dict[str, Any], **arguments: Any) -> tuple[dict[str, Any], ...]:
    return ({"action": action, "match": match, **arguments},)


def _clock(**wanted: Any) -> Any:
    return lambda arena: arena.clock(**wanted)


def _abort_jobs(arena: Arena) -> None:
    """What the message tells an admin to do in Setup > Bulk Data Load Jobs."""
    client = arena.scripted.client
    for job in client.get(f"{V}/jobs/query").json()["records"]:
        if job["state"] not in ("JobComplete", "Failed", "Aborted"):
            assert client("PATCH", f"{V}/jobs/query/{job['id']}", json={"state": "Aborted"}).status_code == 200


def _job(state: str, message: str = "") -> dict[str, Any]:
    return {"id": "750000000000000AAA", "state": state, "numberRecordsProcessed": 0, "errorMessage": message}


SESSION = [
    Scenario("session expires", _fault("expire_session", ANY), ends="green"),
    Scenario("session expires at a page", _fault("expire_session", PAGE), ends="green"),
    Scenario("every session expires at once", _fault("expire_session", ANY), lasts=True, ends="red"),
    Scenario(
        "session expired, as the Bulk API says it",
        _fault("status", PAGE, status=400, body=[{"errorCode": "InvalidSessionId", "message": "Invalid session id"}]),
    ),
]
NETWORK = [
    Scenario("503 once", _fault("status", ANY, status=503), ends="green"),
    Scenario("503 three times", _fault("status", ANY, status=503), times=3, ends="green"),
    Scenario("503 forever", _fault("status", ANY, status=503), lasts=True, ends="red"),
    Scenario("500 at creating a job", _fault("status", CREATE, status=500), ends="any"),
    Scenario("connection breaks before an answer", _fault("drop_connection", ANY), ends="any"),
    Scenario("connection breaks in a page", _fault("drop_connection", PAGE, bytes=40), ends="green"),
    Scenario("connection breaks in every page", _fault("drop_connection", PAGE, bytes=40), lasts=True, ends="red"),
    Scenario("connection breaks in a query", _fault("drop_connection", QUERY, bytes=10), ends="green"),
    Scenario(
        "connection breaks in a REST page", _fault("drop_connection", QUERY, bytes=90), ends="green", rest=REST_PAGE
    ),
    Scenario("the answer to creating a job is lost", _fault("drop_connection", CREATE), ends="green"),
    Scenario("half an answer to creating a job", _fault("drop_connection", CREATE, bytes=20), ends="any"),
    Scenario("gzip ends early in a page", _fault("truncate_gzip", PAGE)),
    Scenario("gzip ends early in every page", _fault("truncate_gzip", PAGE), lasts=True, ends="red"),
    Scenario("gzip ends early anywhere", _fault("truncate_gzip", ANY)),
    Scenario("the org goes away", _fault("drop_connection", {"path": ""}), lasts=True, ends="red"),
]
QUOTA = [
    Scenario("quota gone for good", _fault("quota_exhausted", ANY), lasts=True, ends="red"),
    Scenario("quota gone for one request", _fault("quota_exhausted", ANY)),
]
DISK = [
    Scenario(f"no room from {step}", ends="red", request={"file_limit": size, "limit_from": step}, kinds=("full",))
    for step, size in (
        ("landing__account", 1_000),
        ("salesforce__account", 4096),
        ("ops__run_statistics", 4096),
        ("published__analytics", 500_000),
    )
]
JOBS = [
    Scenario("a job fails", _fault("job_failed", CREATE), ends="red", says="InternalServerError"),
    Scenario("a job fails for its size", _fault("job_failed", CREATE, message="InvalidBatch : QUERY_TIMEOUT")),
    Scenario(
        "every job fails for its size",
        _fault("job_failed", CREATE, message="InvalidBatch : QUERY_TIMEOUT"),
        lasts=True,
        ends="red",
    ),
    Scenario(
        "a job is aborted", _fault("status", STATUS, status=200, body=_job("Aborted")), ends="red", says="Aborted"
    ),
    Scenario(
        "a job never ends",
        _fault("slow_job", CREATE, seconds=3600),
        ends="red",
        # Long enough for every object's job to be made first, also on a busy machine.
        request={"works_within": 6},
        afterwards=_abort_jobs,
    ),
    Scenario("a job is gone", _fault("status", STATUS, status=404, body=NOT_FOUND)),
    Scenario("a page is gone", _fault("status", PAGE, status=404, body=NOT_FOUND)),
    Scenario("all pages are gone", _fault("status", PAGE, status=404, body=NOT_FOUND), lasts=True, ends="red"),
    Scenario(
        "the list of pages is gone",
        _fault("status", {"path": "/resultPages"}, status=404, body=NOT_FOUND),
        lasts=True,
        ends="green",
    ),
]
RIGHTS = [
    Scenario(
        "Account is hidden",
        _fault("hide_object", ANY, object="Account"),
        told=("salesforce.account",),
        after=HIDDEN,
    ),
    Scenario(
        "Opportunity is hidden",
        _fault("hide_object", ANY, object="Opportunity"),
        told=("salesforce.opportunity", *HIDDEN),
        after=HIDDEN,
    ),
    Scenario(
        "a mapped field is hidden",
        _fault("hide_field", ANY, object="Account", field="Website"),
        told=("salesforce.account", *HIDDEN),
        after=HIDDEN,
    ),
    Scenario(
        "a field that nothing needs is hidden",
        _fault("hide_field", ANY, object="Account", field="Fax"),
        told=("salesforce.account", "_state.watermark", "tables", *HIDDEN),
        after=HIDDEN,
    ),
]
WRONG = [
    Scenario("a page says one row too many", _fault("wrong_row_count", PAGE), ends="red"),
    Scenario("a page says one row too few", _fault("wrong_row_count", PAGE, rows=-1), ends="red"),
    Scenario("a page lacks its last row", _fault("drop_rows", PAGE), ends="red"),
    Scenario("a page lacks all rows but one", _fault("drop_rows", PAGE, rows=24)),
    Scenario("a page without a header", _fault("change_header", PAGE, header="missing")),
    Scenario("a page with its header twice", _fault("change_header", PAGE, header="repeated")),
    Scenario("a page in another order", _fault("change_header", PAGE, header="reversed")),
    Scenario("a query answers nothing", _fault("empty_result", QUERY)),
    Scenario("a job holds nothing", _fault("empty_result", CREATE)),
    Scenario("every job holds nothing", _fault("empty_result", CREATE), lasts=True, ends="red", kinds=("full",)),
    Scenario("a REST page holds nothing", _fault("empty_result", QUERY), rest=REST_PAGE),
]
CLOCK = [
    Scenario(
        "the org's clock is an hour back", meanwhile=_clock(skew_seconds=-3600), afterwards=_clock(skew_seconds=0)
    ),
    Scenario(
        "the org's clock is a day ahead", meanwhile=_clock(skew_seconds=86_400), afterwards=_clock(skew_seconds=0)
    ),
]
SCENARIOS: dict[str, Scenario] = {
    item.name: item for item in (*SESSION, *NETWORK, *QUOTA, *DISK, *JOBS, *RIGHTS, *WRONG, *CLOCK)
}


def combined(draw: random.Random) -> Scenario:
    """Return two or three faults of the list at once; what they do together is only held to the rule itself."""
    parts = draw.sample([item for item in SCENARIOS.values() if item.faults and not item.request], draw.choice([2, 3]))
    return Scenario(
        " + ".join(part.name for part in parts),
        tuple(fault for part in parts for fault in part.faults),
        times=draw.choice([1, 1, 2, 4]),
        told=tuple(name for part in parts for name in part.told),
        after=tuple(name for part in parts for name in part.after),
    )
