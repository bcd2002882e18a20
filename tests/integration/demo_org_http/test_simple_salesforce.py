"""An independent client, unmodified, over TLS: what the fidelity of the demo org is measured by."""

import csv
import io

import pytest
from simple_salesforce import Salesforce, SalesforceMalformedRequest, SalesforceResourceNotFound

from tests.support.connect_redirector import connect_redirector
from tests.support.demo_org_client import Scripted


@pytest.fixture
def salesforce(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> Salesforce:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", scripted.org.ca_file)
    return Salesforce(instance_url=scripted.org.url, session_id=scripted.org.access_token)


def test_query_all_describe_and_limits(salesforce: Salesforce) -> None:
    result = salesforce.query_all("SELECT Id, Name, Owner.Name FROM Account")
    assert len(result["records"]) == result["totalSize"] > 2000
    assert result["done"] is True
    assert "Account" in [each["name"] for each in salesforce.describe()["sobjects"]]
    assert "Legacy__c" in [field["name"] for field in salesforce.Account.describe()["fields"]]
    assert salesforce.limits()["DailyApiRequests"]["Max"] == 100_000
    assert salesforce.api_usage["api-usage"].total == 100_000


def test_create_update_upsert_delete(salesforce: Salesforce) -> None:
    created = salesforce.Account.create({"Name": "From outside"})
    assert created["success"] is True
    assert salesforce.Account.update(created["id"], {"Phone": "1"}) == 204
    assert salesforce.Account.get(created["id"])["Phone"] == "1"
    assert salesforce.Account.delete(created["id"]) == 204
    with pytest.raises(SalesforceResourceNotFound):
        salesforce.Account.get(created["id"])
    with pytest.raises(SalesforceMalformedRequest, match="INVALID_FIELD"):
        salesforce.Account.create({"FavoritePet__c": "Dog"})


def test_bulk2_query(salesforce: Salesforce) -> None:
    pages = list(salesforce.bulk2.Account.query("SELECT Id, Name FROM Account", max_records=1000, wait=0.2))
    assert len(pages) >= 3
    rows = [row for page in pages for row in csv.DictReader(io.StringIO(page))]
    wanted = salesforce.query_all("SELECT Id, Name FROM Account")["records"]
    assert {(row["Id"], row["Name"]) for row in rows} == {(record["Id"], record["Name"]) for record in wanted}
    assert len(rows) == len(wanted)


@pytest.mark.parametrize("flow", ["client_credentials", "jwt_bearer"])
def test_sign_in_under_real_host_names(scripted: Scripted, monkeypatch: pytest.MonkeyPatch, flow: str) -> None:
    org = scripted.org
    with connect_redirector(int(org.url.rpartition(":")[2])) as proxy:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", org.ca_file)
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        if flow == "client_credentials":
            signed_in = Salesforce(
                consumer_key=org.client_id, consumer_secret=org.client_secret, domain="demo.my", version="60.0"
            )
        else:
            signed_in = Salesforce(
                username=org.username, consumer_key=org.client_id, privatekey_file=org.private_key_file, version="60.0"
            )
        assert signed_in.sf_instance == "demo.my.salesforce.com"
        assert signed_in.query("SELECT COUNT() FROM Contact")["totalSize"] == 2
