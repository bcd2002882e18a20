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
