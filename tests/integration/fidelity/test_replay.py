"""Every recorded exchange of an API the demo org serves, repeated after the org was changed, and compared.

Compared: status, keys at every depth, JSON types, error codes, messages and the other values of the protocol
(``tests/support/shapes.py``), header names and the content type. What a recording
does not say is not compared: CumulusCI's have no headers. Bulk API 1 is ``test_replay_bulk1.py``.
"""

from base64 import b64decode
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest
import requests

from tests.support.recorded import RECORDED, Recorded, not_replayed, recorded
from tests.support.replay import CHANGED, FILE, Replay
from tests.support.shapes import differences, protocol_values

#: Headers a client may rely on. Left out: Date (the server's clock), Server, X-SFDC-* (its edge, newer than the
#: recordings), Content-Security-Policy (for pages; only on some 204s), Expect-CT and the like (retired).
_HEADERS = frozenset(
    {
        "cache-control",
        "content-type",
        "location",
        "set-cookie",
        "sforce-limit-info",
        "strict-transport-security",
        "vary",
        "www-authenticate",
        "x-content-type-options",
        "x-robots-tag",
        "x-xss-protection",
    }
)
_PAGED = "SELECT RANDOM_1__c, RANDOM_2__c FROM Random__c"
_REPLAYED = [each for each in recorded() if each.n not in not_replayed() and not each.is_bulk1]
_BULK1 = [each for each in recorded() if each.n not in not_replayed() and each.is_bulk1]


def test_each_recording_is_replayed_or_listed_with_a_reason() -> None:
    assert len({each.n for each in recorded()}) == RECORDED
    assert not_replayed().keys() <= {each.n for each in recorded()}
    assert all(reason.strip() for reason in not_replayed().values())
    assert len(_REPLAYED) + len(_BULK1) + len(not_replayed()) == RECORDED


@pytest.mark.parametrize("exchange", _REPLAYED, ids=str)
def test_replay(replay: Replay, exchange: Recorded) -> None:
    answer = _repeat(replay, exchange)
    assert answer.status_code == exchange.status, answer.text
    body = _body(answer)
    if exchange.cut:
        _leave_out_fields(body, exchange.body)
    assert differences(exchange.body, body, metadata=_is_describe(exchange), cut=exchange.cut) == []
    if not exchange.thinned:
        assert protocol_values(_sorted(body)) == protocol_values(_sorted(exchange.body))
    assert _names(body).isdisjoint(_names(exchange.body)), "the values are the recorded ones, not this org's"
    if exchange.headers:
        _compare_headers(exchange.headers, answer)


def _body(answer: requests.Response) -> Any:
    """The JSON answered; of a file nothing, once its bytes are those that were saved."""
    if answer.headers.get("Content-Type") == "application/octetstream":
        assert answer.content == b64decode(FILE)
        return None
    return answer.json() if answer.content else None


def _sorted(body: Any) -> Any:
    """Events by subject: without ORDER BY and with parents of several objects they come as they come."""
    if not isinstance(body, dict) or "Subject" not in (body.get("records") or [{}])[0]:
        return body
    return {**body, "records": sorted(body["records"], key=lambda record: str(record["Subject"]))}


def _leave_out_fields(body: Any, wanted: Any) -> None:
    """Leave only the recorded fields in the describes of a recording whose authors had cut fields out."""
    for each, recorded_one in zip(body.get("compositeResponse", []), wanted.get("compositeResponse", []), strict=True):
        _leave_out_fields(each["body"], recorded_one["body"])
    if "fields" in wanted:
        names = {field["name"] for field in wanted["fields"]}
        body["fields"] = [field for field in body["fields"] if field["name"] in names]


def _names(answer: Any) -> set[str]:
    """The names of records in a query's answer, which differ from the recorded ones by what was prepared."""
    if isinstance(answer, list):
        return set().union(*map(_names, answer))
    if not isinstance(answer, dict) or "describe" in str(answer.get("urls")):
        return set()
    own = {value for key, value in answer.items() if key in CHANGED and value and "attributes" in answer}
    return own.union(*map(_names, answer.values()))


def _is_describe(exchange: Recorded) -> bool:
    return exchange.path.endswith(("/describe", "/sobjects")) or exchange.cut


def _repeat(replay: Replay, exchange: Recorded) -> requests.Response:
    """Prepare the org and send the request; a few need more than the recorded answer tells."""
    replay.prepare(exchange)
    if exchange.name == "create-invalid-token":
        return replay.send(exchange, token="00D000000000000!AQEAQ.invalid")
    if exchange.name == "delete-already-deleted":
        assert replay.send(replace(exchange, body=None)).status_code == 204
    if exchange.name == "update-malformed-id":
        replay.remember(exchange.path.rpartition("/")[2], _misspelt(replay.create("Movie__c", {"Name": "A film"})))
    if exchange.name.endswith("test_http_headers__composite"):
        return replay.send(replace(exchange, request_body=_asked_now(exchange.request_body)))
    if exchange.name.startswith("query-with-next-records-url"):
        return _page(replay, exchange)
    return replay.send(exchange)


def _asked_now(body: Any) -> Any:
    """Let the client's copy of the metadata be of today instead of 2020: this org is younger than that."""
    today = format_datetime(datetime.now(UTC), usegmt=True)
    parts = [{**part, "httpHeaders": {"If-Modified-Since": today}} for part in body["compositeRequest"]]
    return {**body, "compositeRequest": parts}


def _misspelt(record_id: str) -> str:
    """Return the id with a check letter that does not fit the case of the others."""
    return record_id[:-1] + ("A" if record_id[-1] != "A" else "B")


def _page(replay: Replay, exchange: Recorded) -> requests.Response:
    """Ask for the first or the second of three pages."""
    replay.clear("Random__c")
    for number in range(5):
        filled = "some text" if number % 2 else None
        replay.create("Random__c", {"Name": str(number), "RANDOM_1__c": filled, "RANDOM_2__c": filled})
    replay.settings(rest_page_rows=2)
    try:
        first = replay.client.get(f"/services/data/v{exchange.version}/query", q=_PAGED)
        return replay.client.get(first.json()["nextRecordsUrl"]) if exchange.name.endswith("-2") else first
    finally:
        replay.settings(rest_page_rows=None)


def _compare_headers(wanted: dict[str, Any], answer: requests.Response) -> None:
    assert {name.lower() for name in answer.headers} & _HEADERS == {name.lower() for name in wanted} & _HEADERS
    if "Content-Type" in wanted:
        assert answer.headers["Content-Type"].lower() == wanted["Content-Type"].lower()
