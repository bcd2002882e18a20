"""How records change, over HTTP: getUpdated and getDeleted, transactions, the clock, SOAP merge and convert."""

from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any
from xml.etree import ElementTree

import pytest
import requests

from tests.support.demo_org_client import Scripted, V

NOON = "2026-11-22T12:00:00+00:00"


class Org:
    """An org whose clock stands still at noon until the test moves it."""

    def __init__(self, scripted: Scripted) -> None:
        self.scripted, self.client = scripted, scripted.client

    def do(self, action: str, **arguments: Any) -> Any:
        answer = self.client("POST", "/__demo__/execute", json={"do": action, **arguments})
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]

    def clock(self, **wanted: Any) -> None:
        assert self.client("POST", "/__demo__/settings", json={"clock": wanted}).status_code == 200

    def changed(self, what: str, start: str, end: str, name: str = "Account") -> requests.Response:
        return self.client.get(f"{V}/sobjects/{name}/{what}", start=start, end=end)

    def soap(self, body: str, token: str | None = None) -> ElementTree.Element:
        session = self.client.org.access_token if token is None else token
        text = (
            '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns="urn:partner.soap.sforce.com" '
            'xmlns:s="urn:sobject.partner.soap.sforce.com"><e:Header><SessionHeader><sessionId>'
            f"{session}</sessionId></SessionHeader></e:Header><e:Body>{body}</e:Body></e:Envelope>"
        )
        headers = {"Content-Type": "text/xml", "SOAPAction": '""'}
        return ElementTree.fromstring(self.client("POST", "/services/Soap/u/60.0", data=text, headers=headers).text)


def texts(tree: ElementTree.Element, name: str) -> list[str | None]:
    return [element.text for element in tree.iter() if element.tag.rpartition("}")[2] == name]


@pytest.fixture
def org(scripted: Scripted) -> Iterator[Org]:
    found = Org(scripted)
    found.clock(now=NOON, skew_seconds=0, stamp_skew_seconds=0)
    yield found
    found.clock(now=None)


def test_updated_and_deleted(org: Org) -> None:
    kept, gone = (org.do("create", object="Account", values={"Name": n}) for n in "AB")
    org.do("delete", object="Account", id=gone)
    org.clock(advance_seconds=90)
    answer = org.changed("updated", "2026-11-22T12:00:00+00:00", "2026-11-22T12:01:00.000Z")
    assert answer.json() == {"ids": [kept], "latestDateCovered": "2026-11-22T12:01:00.000+0000"}
    assert parsedate_to_datetime(answer.headers["Date"]).isoformat() == "2026-11-22T12:01:30+00:00"
    assert org.changed("deleted", "2026-11-22T12:00:00Z", "2026-11-22T12:01:00Z").json() == {
        "deletedRecords": [{"deletedDate": "2026-11-22T12:00:00.000+0000", "id": gone}],
        "earliestDateAvailable": "2026-11-07T12:01:00.000+0000",
        "latestDateCovered": "2026-11-22T12:01:00.000+0000",
    }


@pytest.mark.parametrize(
    ("what", "name", "start", "end", "status", "code"),
    [
        ("updated", "Account", NOON, NOON, 400, "INVALID_REPLICATION_DATE"),
        ("updated", "Account", "2026-10-01T00:00:00Z", NOON, 400, "INVALID_REPLICATION_DATE"),
        ("deleted", "Account", "2026-11-01T00:00:00Z", NOON, 400, "INVALID_REPLICATION_DATE"),
        ("updated", "Account", "yesterday", NOON, 400, "INVALID_REPLICATION_DATE"),
        ("updated", "Account", "", NOON, 400, "MISSING_ARGUMENT"),
        ("updated", "LeadStatus", "2026-11-22T11:00:00Z", NOON, 400, "INVALID_TYPE_FOR_OPERATION"),
        ("deleted", "Nothing", "2026-11-22T11:00:00Z", NOON, 404, "NOT_FOUND"),
    ],
)
def test_spans_that_are_refused(org: Org, what: str, name: str, start: str, end: str, status: int, code: str) -> None:
    answer = org.changed(what, start, end, name)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (status, code)


def test_a_long_transaction(org: Org) -> None:
    transaction = org.do("begin")
    late = org.do("create", object="Contact", values={"LastName": "late"}, transaction=transaction)
    org.clock(advance_seconds=300)
    span = ("2026-11-22T11:59:00Z", "2026-11-22T12:05:00Z", "Contact")
    assert org.changed("updated", *span).json() == {"ids": [], "latestDateCovered": "2026-11-22T12:00:00.000+0000"}
    assert org.client.get(f"{V}/sobjects/Contact/{late}").status_code == 404
    org.do("commit", transaction=transaction)
    assert org.changed("updated", *span).json() == {"ids": [late], "latestDateCovered": "2026-11-22T12:05:00.000+0000"}


def test_stamps_ahead_of_the_date_header_and_tied_ones(org: Org) -> None:
    org.clock(stamp_skew_seconds=7)
    made = org.do("create", object="Lead", values={"LastName": "L", "Company": "C"})
    answer = org.client.get(f"{V}/sobjects/Lead/{made}")
    assert answer.json()["SystemModstamp"] == "2026-11-22T12:00:07.000+0000"
    assert answer.headers["Date"] == "Sun, 22 Nov 2026 12:00:00 GMT"
    tied = "2026-11-20T08:00:00Z"
    count = org.do("update_where", object="Account", where="NumberOfEmployees = 7", values={}, stamp=tied)
    found = org.client.query(f"SELECT COUNT() FROM Account WHERE SystemModstamp = {tied}")
    assert count == found["totalSize"] > 10


def test_merge_over_soap(org: Org) -> None:
    master, loser = (org.do("create", object="Account", values={"Name": n}) for n in ("master", "loser"))
    child = org.do("create", object="Contact", values={"LastName": "C", "AccountId": loser})
    request = (
        f"<merge><request><masterRecord><s:type>Account</s:type><s:Id>{master}</s:Id><s:Phone>12 &amp; 3</s:Phone>"
        f"</masterRecord><recordToMergeIds>{loser}</recordToMergeIds></request></merge>"
    )
    answer = org.soap(request)
    assert (texts(answer, "success"), texts(answer, "updatedRelatedIds")) == (["true"], [child])
    assert org.client.get(f"{V}/sobjects/Account/{master}").json()["Phone"] == "12 & 3"
    (row,) = org.client.query(f"SELECT MasterRecordId, IsDeleted FROM Account WHERE Id = '{loser}'", "queryAll")[
        "records"
    ]
    assert (row["MasterRecordId"], row["IsDeleted"]) == (master, True)
    again = org.soap(request)
    assert (texts(again, "success"), texts(again, "statusCode")) == (["false"], ["ENTITY_IS_DELETED"])


def test_convert_lead_over_soap_and_the_bin(org: Org) -> None:
    lead = org.do("create", object="Lead", values={"LastName": "L", "Company": "C"})
    convert = (
        f"<convertLead><leadConverts><convertedStatus>Closed - Converted</convertedStatus>"
        f"<doNotCreateOpportunity>true</doNotCreateOpportunity><leadId>{lead}</leadId></leadConverts></convertLead>"
    )
    answer = org.soap(convert)
    (account,) = texts(answer, "accountId")
    assert (texts(answer, "success"), texts(answer, "opportunityId")) == (["true"], [None])
    assert org.client.get(f"{V}/sobjects/Lead/{lead}").json()["ConvertedAccountId"] == account
    assert texts(org.soap(convert), "statusCode") == ["CANNOT_UPDATE_CONVERTED_LEAD"]
    org.do("delete", object="Account", id=account)
    assert texts(org.soap(f"<undelete><ids>{account}</ids></undelete>"), "success") == ["true"]
    org.do("delete", object="Account", id=account)
    assert texts(org.soap(f"<emptyRecycleBin><ids>{account}</ids></emptyRecycleBin>"), "success") == ["true"]
    assert org.client.query(f"SELECT COUNT() FROM Account WHERE Id = '{account}'", "queryAll")["totalSize"] == 0


def test_soap_needs_a_session_and_knows_replication(org: Org) -> None:
    assert texts(org.soap("<merge/>", token="00Dnothing"), "exceptionCode") == ["INVALID_SESSION_ID"]
    span = "<startDate>2026-11-22T11:00:00Z</startDate><endDate>2026-11-22T12:00:00Z</endDate>"
    answer = org.soap(f"<getUpdated><sObjectType>Campaign</sObjectType>{span}</getUpdated>")
    assert texts(answer, "latestDateCovered") == ["2026-11-22T12:00:00.000Z"]
    wrong = org.soap(f"<getDeleted><sObjectType>LeadStatus</sObjectType>{span}</getDeleted>")
    assert texts(wrong, "exceptionCode") == ["INVALID_TYPE_FOR_OPERATION"]


def test_a_formula_field_added_while_it_runs(org: Org) -> None:
    account = org.do("create", object="Account", values={"Name": "A", "Industry": "Energy"})
    contact = org.do("create", object="Contact", values={"LastName": "C", "AccountId": account})
    org.do("add_field", object="Contact", name="Trade__c", type="string", formula="Account.Industry")
    org.clock(advance_seconds=60)
    org.do("update", object="Account", id=account, values={"Industry": "Banking"})
    soql = f"SELECT Trade__c, SystemModstamp FROM Contact WHERE Id = '{contact}'"
    (row,) = org.client.query(soql)["records"]
    assert (row["Trade__c"], row["SystemModstamp"]) == ("Banking", "2026-11-22T12:00:00.000+0000")
    bad = {"do": "add_field", "object": "Contact", "name": "Bad__c", "formula": "NOPE("}
    assert org.client("POST", "/__demo__/execute", json=bad).json()[0]["errorCode"] == "INVALID_FORMULA"


def test_allocations_roll_on_with_the_clock(org: Org) -> None:
    org.client("POST", "/__demo__/settings", json={"limit": "DailyBulkV2QueryJobs", "used": 10_000})
    job = {"operation": "query", "query": "SELECT Id FROM Account"}
    refused = org.client("POST", f"{V}/jobs/query", json=job)
    assert (refused.status_code, refused.json()[0]["errorCode"]) == (400, "LIMIT_EXCEEDED")
    before = org.client.get(f"{V}/limits").json()["DailyApiRequests"]["Remaining"]
    org.clock(advance_seconds=86_460)
    assert org.client("POST", f"{V}/jobs/query", json=job).status_code == 200
    after = org.client.get(f"{V}/limits").json()
    assert after["DailyApiRequests"]["Remaining"] > before
    assert after["DailyBulkV2QueryJobs"]["Remaining"] == 9_999


def test_objects_that_bulk_does_not_take(org: Org) -> None:
    refused = org.client("POST", f"{V}/jobs/query", json={"operation": "query", "query": "SELECT Id FROM CaseStatus"})
    assert (refused.status_code, refused.json()[0]["errorCode"]) == (400, "INVALIDENTITY")
    assert org.client.query("SELECT Id, MasterLabel FROM CaseStatus")["totalSize"] > 0


def test_pages_of_wide_rows_are_small(org: Org) -> None:
    for name in ("Story__c", "Notes__c"):
        org.do("add_field", object="Account", name=name, type="textarea")
    wide = org.client.query("SELECT Id, Story__c, Notes__c FROM Account")
    assert (len(wide["records"]), wide["nextRecordsUrl"].rpartition("-")[2], wide["done"]) == (200, "200", False)
    following = org.client.get(wide["nextRecordsUrl"]).json()["records"]
    assert len({row["Id"] for row in wide["records"] + following}) == 400
    assert len(org.client.query("SELECT Id, Story__c FROM Account")["records"]) == 2000
