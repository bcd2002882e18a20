import json
from pathlib import Path

from apps.demo_org.request_log import Exchange, RequestLog
from apps.demo_org.usage import Usage


def test_limits_have_the_recorded_shape_and_count() -> None:
    usage = Usage()
    assert usage.call()
    usage.count("DailyBulkV2QueryJobs")
    limits = usage.limits()
    assert len(limits) >= 60
    assert limits["DailyApiRequests"] == {"Max": 100_000, "Remaining": 99_999}
    assert limits["DailyBulkV2QueryJobs"] == {"Max": 10_000, "Remaining": 9_999}
    assert limits["PermissionSets"]["CreateCustom"]["Max"] == 1000
    assert usage.header() == "api-usage=1/100000"


def test_the_allocation_ends() -> None:
    usage = Usage()
    usage.set("DailyApiRequests", 1, 2)
    assert [usage.call(), usage.call()] == [True, False]
    assert usage.header() == "api-usage=2/2"


def test_what_was_used_a_day_or_an_hour_ago_is_there_again() -> None:
    now = [1_000_000.0]
    usage = Usage(lambda: now[0])
    for limit in ("DailyApiRequests", "HourlySyncReportRuns", "MassEmail"):
        usage.count(limit, 3)
    now[0] += 1800
    usage.count("HourlySyncReportRuns")
    now[0] += 1860
    names = ("DailyApiRequests", "HourlySyncReportRuns", "MassEmail")
    assert [usage.used(name) for name in names] == [3, 1, 3]
    now[0] += 86_400
    assert [usage.used(name) for name in names] == [0, 0, 3]


def test_an_allocation_that_must_suffice() -> None:
    usage = Usage(lambda: 0.0)
    usage.set("HourlySyncReportRuns", 498, None)
    assert [usage.take("HourlySyncReportRuns") for _ in range(3)] == [None, None, 500]
    assert usage.limits()["HourlySyncReportRuns"] == {"Max": 500, "Remaining": 0}


def test_a_measured_allocation_unless_a_test_says_otherwise() -> None:
    usage = Usage()
    usage.measure("DataStorageMB", lambda: 24)
    assert usage.limits()["DataStorageMB"] == {"Max": 1024, "Remaining": 1000}
    usage.set("DataStorageMB", 1024, None)
    assert usage.limits()["DataStorageMB"]["Remaining"] == 0


def test_the_log_has_one_line_a_request_and_no_token(tmp_path: Path) -> None:
    log = RequestLog(tmp_path / "requests.jsonl")
    exchange = Exchange("GET", "/id/a/b", "oauth_token=00Dsecret&q=SELECT+Id+FROM+Lead", status=200, rows=3, bytes=9)
    log.write(exchange)
    log.write(exchange)
    log.close()
    (line,) = (tmp_path / "requests.jsonl").read_text().splitlines()
    entry = json.loads(line)
    assert "secret" not in line
    assert entry["query"] == {"q": "SELECT Id FROM Lead"}
    assert {"time", "method", "path", "status", "rows", "bytes", "user"} <= entry.keys()
    assert entry["time"].endswith("Z")
