"""simple-salesforce, unmodified, through TLS under a real host name: everything its users do with an org.

A CONNECT proxy turns ``demo.my.salesforce.com`` to the demo org; certificates are checked.
"""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from simple_salesforce import Salesforce, SalesforceError, SalesforceMoreThanOneRecord, SalesforceResourceNotFound

from tests.support.connect_redirector import connect_redirector
from tests.support.demo_org_client import Client, write_csv
from tests.support.org_forge import forked_demo_org

_ACCOUNTS = 2_100
#: Asked for at once: the library would wait five seconds between two polls.
_SOON = 0.1


@pytest.fixture(scope="module")
def salesforce(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Salesforce]:
    folder = tmp_path_factory.mktemp("org")
    write_csv(folder / "Account.csv", ["Name", "Site"], [[f"Company {n:04d}", f"S{n % 3}"] for n in range(_ACCOUNTS)])
    write_csv(folder / "Thing__c.csv", ["Name"], [["one"]])
    field = {"object": "Thing__c", "name": "Ref__c", "type": "string", "length": 40, "externalId": True}
    with (
        forked_demo_org(folder) as org,
        connect_redirector(int(org.url.rpartition(":")[2])) as proxy,
        pytest.MonkeyPatch.context() as patch,
    ):
        added = Client(org)("POST", "/__demo__/execute", json={"do": "add_field", "idLookup": True, **field})
        assert added.status_code == 200
        patch.setenv("REQUESTS_CA_BUNDLE", org.ca_file)
        patch.setenv("HTTPS_PROXY", proxy)
        client = Salesforce(instance="demo.my.salesforce.com", session_id=org.access_token, version="60.0")
        yield client


def test_query_query_all_and_deleted_records(salesforce: Salesforce) -> None:
    first = salesforce.query("SELECT Id, Name, Owner.Name FROM Account ORDER BY Name")
    assert (len(first["records"]), first["totalSize"], first["done"]) == (2000, _ACCOUNTS, False)
    second = salesforce.query_more(first["nextRecordsUrl"], identifier_is_url=True)
    assert len(first["records"]) + len(second["records"]) == _ACCOUNTS
    names = [record["Name"] for record in salesforce.query_all_iter("SELECT Name FROM Account ORDER BY Name")]
    assert names == [f"Company {n:04d}" for n in range(_ACCOUNTS)]
    gone = salesforce.Lead.create({"LastName": "Gone", "Company": "C"})["id"]
    salesforce.Lead.delete(gone)
    assert salesforce.query("SELECT Id FROM Lead")["totalSize"] == 0
    assert salesforce.query("SELECT Id, IsDeleted FROM Lead", include_deleted=True)["records"][0]["IsDeleted"] is True
    assert salesforce.query_all("SELECT Id FROM Lead", include_deleted=True)["totalSize"] == 1


def test_describe_limits_and_the_users_own_rest_calls(salesforce: Salesforce) -> None:
    assert {"Account", "Thing__c"} <= {each["name"] for each in salesforce.describe()["sobjects"]}
    assert "Ref__c" in [field["name"] for field in salesforce.Thing__c.describe()["fields"]]
    assert salesforce.Thing__c.metadata()["objectDescribe"]["name"] == "Thing__c"
    assert salesforce.limits()["DailyApiRequests"]["Remaining"] < 100_000
    assert 0 < salesforce.api_usage["api-usage"].used < 100_000
    assert salesforce.restful("limits/recordCount", {"sObjects": "Account"})["sObjects"][0]["count"] == _ACCOUNTS
    assert salesforce.is_sandbox() is False


def test_a_record_is_created_read_changed_and_deleted(salesforce: Salesforce) -> None:
    created = salesforce.Account.create({"Name": "From outside"})
    assert (created["success"], created["errors"]) == (True, [])
    assert salesforce.Account.update(created["id"], {"Phone": "1"}) == 204
    assert salesforce.Account.get(created["id"])["Phone"] == "1"
    now = datetime.now(UTC)
    assert created["id"] in salesforce.Account.updated(now - timedelta(hours=1), now + timedelta(minutes=1))["ids"]
    assert salesforce.Account.delete(created["id"]) == 204
    with pytest.raises(SalesforceResourceNotFound):
        salesforce.Account.get(created["id"])
    deleted = salesforce.Account.deleted(now - timedelta(hours=1), now + timedelta(minutes=1))["deletedRecords"]
    assert created["id"] in [record["id"] for record in deleted]


def test_upsert_by_external_id(salesforce: Salesforce) -> None:
    assert salesforce.Thing__c.upsert("Ref__c/new-one", {"Name": "first"}) == 201
    assert salesforce.Thing__c.upsert("Ref__c/new-one", {"Name": "second"}) == 200
    assert salesforce.Thing__c.get_by_custom_id("Ref__c", "new-one")["Name"] == "second"
    for name in ("twin", "other twin"):
        salesforce.Thing__c.create({"Name": name, "Ref__c": "twins"})
    with pytest.raises(SalesforceMoreThanOneRecord):
        salesforce.Thing__c.upsert("Ref__c/twins", {"Name": "who?"})


@pytest.mark.parametrize(
    ("soql", "code"),
    [("SELECT Bacon__c FROM Account", "INVALID_FIELD"), ("SELEKT Id FROM Account", "MALFORMED_QUERY")],
)
def test_errors_are_the_librarys_own(salesforce: Salesforce, soql: str, code: str) -> None:
    with pytest.raises(SalesforceError) as caught:
        salesforce.query(soql)
    assert caught.value.content[0]["errorCode"] == code


def test_bulk_2_query_in_pages_and_download(salesforce: Salesforce, tmp_path: Path) -> None:
    soql = "SELECT Id, Name, Site FROM Account WHERE Name LIKE 'Company%'"
    pages = list(salesforce.bulk2.Account.query(soql, max_records=1000, wait=_SOON))
    rows = [row for page in pages for row in csv.DictReader(io.StringIO(page))]
    wanted = salesforce.query_all(soql)["records"]
    assert len(pages) == 3
    assert len(rows) == len(wanted)
    assert {tuple(row.values()) for row in rows} == {(r["Id"], r["Name"], r["Site"]) for r in wanted}
    results = salesforce.bulk2.Account.download(soql, str(tmp_path), max_records=1000, wait=_SOON)
    assert sum(result["number_of_records"] for result in results) == _ACCOUNTS


def test_bulk_2_insert_update_upsert_delete(salesforce: Salesforce) -> None:
    bulk = salesforce.bulk2.Thing__c
    done = bulk.insert(records=[{"Name": f"bulk {n}", "Ref__c": f"R{n}"} for n in range(30)], wait=_SOON)
    assert (done[0]["numberRecordsProcessed"], done[0]["numberRecordsFailed"]) == (30, 0)
    created = list(csv.DictReader(io.StringIO(bulk.get_successful_records(done[0]["job_id"]))))
    assert {row["sf__Created"] for row in created} == {"true"}
    bulk.update(records=[{"Id": row["sf__Id"], "Name": "changed"} for row in created[:10]], wait=_SOON)
    assert salesforce.query("SELECT COUNT() FROM Thing__c WHERE Name = 'changed'")["totalSize"] == 10
    records = [{"Ref__c": "R1", "Name": "upserted"}, {"Ref__c": "R99", "Name": "upserted"}]
    bulk.upsert(records=records, external_id_field="Ref__c", wait=_SOON)
    assert salesforce.query("SELECT COUNT() FROM Thing__c WHERE Name = 'upserted'")["totalSize"] == 2
    ids = [{"Id": row["sf__Id"]} for row in created]
    assert bulk.delete(records=ids, wait=_SOON)[0]["numberRecordsProcessed"] == 30
    again = bulk.delete(records=ids[:1], wait=_SOON)[0]
    assert again["numberRecordsFailed"] == 1
    assert "ENTITY_IS_DELETED" in bulk.get_failed_records(again["job_id"])
