"""What a user without every permission sees and may do, over HTTP; Hypothesis keeps the rows and the answers equal."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.demo_org_client import Client, Scripted, V, serve_scripted, write_csv

ROBOT = "robot@demo.example.com"
PROFILE = "00e5g000000Rob1AAA"
OWN_SET, EXTRA_SET = "0PS5g000000Rob1AAA", "0PS5g000000Ext1AAA"
ROBOT_ID = "0055g000000Rob1AAA"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scripted]:
    folder = tmp_path_factory.mktemp("permissions")
    data = folder / "data"
    data.mkdir()
    write_csv(data / "Account.csv", ["Name", "Industry", "Phone", "BillingCity"], [["A", "Energy", "1", "Bonn"]])
    write_csv(data / "Lead.csv", ["LastName", "Company"], [["L", "C"]])
    write_csv(data / "Visit__c.csv", ["Name", "Notes__c"], [["V", "n"]])
    write_csv(data / "User.csv", ["Id", "Username", "LastName", "IsActive", "ProfileId"],
              [[ROBOT_ID, ROBOT, "Robot", "true", PROFILE]])  # fmt: skip
    write_csv(data / "Profile.csv", ["Id", "Name", "UserType"], [[PROFILE, "Robots", "Standard"]])
    sets = [
        [OWN_SET, "XRobots", PROFILE, "true", "true", "false"],
        [EXTRA_SET, "Reader", "", "false", "false", "false"],
    ]
    header = ["Id", "Name", "ProfileId", "IsOwnedByProfile", "PermissionsApiEnabled", "PermissionsViewSetup"]
    write_csv(data / "PermissionSet.csv", header, sets)
    write_csv(data / "PermissionSetAssignment.csv", ["PermissionSetId", "AssigneeId"], [[EXTRA_SET, ROBOT_ID]])
    write_csv(data / "ObjectPermissions.csv", ["ParentId", "SobjectType", "PermissionsRead", "PermissionsEdit"],
              [[EXTRA_SET, "Account", "true", "true"]])  # fmt: skip
    write_csv(data / "FieldPermissions.csv", ["ParentId", "SobjectType", "Field", "PermissionsRead", "PermissionsEdit"],
              [[EXTRA_SET, "Account", "Account.Phone", "true", "true"],
               [EXTRA_SET, "Account", "Account.BillingAddress", "true", "false"]])  # fmt: skip
    write_csv(data / "InstalledSubscriberPackage.csv", ["Id", "SubscriberPackageId", "SubscriberPackageVersionId"],
              [["0A35g0000000001AAA", "0335g0000000001AAA", "04t5g0000000001AAA"]])  # fmt: skip
    write_csv(data / "SubscriberPackage.csv", ["Id", "Name", "NamespacePrefix"],
              [["0335g0000000001AAA", "Deal Story", "deal"]])  # fmt: skip
    write_csv(data / "SubscriberPackageVersion.csv", ["Id", "SubscriberPackageId", "MajorVersion", "MinorVersion"],
              [["04t5g0000000001AAA", "0335g0000000001AAA", "3", "14"]])  # fmt: skip
    with serve_scripted(data, folder) as found:
        yield found


@pytest.fixture(scope="module")
def robot(served: Scripted) -> Client:
    """The restricted user's client."""
    return sign_in(served, ROBOT)


def sign_in(served: Scripted, username: str) -> Client:
    org = served.org
    claims = {"iss": org.client_id, "sub": username, "aud": org.url, "exp": int(time.time()) + 60}
    signed = jwt.encode(claims, Path(org.private_key_file).read_text(), algorithm="RS256")
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": signed}
    answer = requests.post(f"{org.url}/services/oauth2/token", data=form, verify=org.ca_file, timeout=10)
    client = Client(org)
    client.session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return client


def do(served: Scripted, action: str, **more: Any) -> Any:
    answer = served.client("POST", "/__demo__/execute", json={"do": action, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


def fields(client: Client, name: str = "Account") -> dict[str, dict[str, Any]]:
    return {field["name"]: field for field in client.get(f"{V}/sobjects/{name}/describe").json()["fields"]}


def refused(answer: requests.Response) -> tuple[int, str, str]:
    error = answer.json()[0]
    return answer.status_code, error["errorCode"], error["message"].splitlines()[-1]


def account_id(served: Scripted) -> str:
    return str(served.client.query("SELECT Id FROM Account")["records"][0]["Id"])


def test_the_admin_sees_everything_and_its_rows_say_so(served: Scripted) -> None:
    found = fields(served.client)
    assert {"Industry", "Phone", "BillingStreet", "BillingAddress"} <= found.keys()
    soql = (
        "SELECT Field FROM FieldPermissions WHERE SobjectType = 'Account' AND PermissionsRead = true "
        "AND Parent.IsOwnedByProfile = true AND Parent.Profile.Name = 'System Administrator'"
    )
    granted = {record["Field"] for record in served.client.query(soql)["records"]}
    governed = {
        f"Account.{name}"
        for name, field in found.items()
        if field["permissionable"] and found.get(field["compoundFieldName"] or "", {}).get("type") != "address"
    }
    assert granted == governed
    assert "Visit__c" in {
        r["SobjectType"] for r in served.client.query("SELECT SobjectType FROM ObjectPermissions")["records"]
    }


def test_hidden_objects_are_gone_everywhere(robot: Client) -> None:
    listed = {each["name"]: each for each in robot.get(f"{V}/sobjects").json()["sobjects"]}
    assert "Account" in listed
    assert not {"Lead", "Visit__c", "PermissionSet", "InstalledSubscriberPackage"} & listed.keys()
    assert (listed["Account"]["createable"], listed["Account"]["updateable"], listed["Account"]["deletable"]) == (
        False, True, False,
    )  # fmt: skip
    assert robot.get(f"{V}/sobjects/Lead/describe").status_code == 404
    for resource in ("query", "queryAll"):
        status, code, message = refused(robot.get(f"{V}/{resource}", q="SELECT Id FROM Lead"))
        assert (status, code) == (400, "INVALID_TYPE")
        assert message.startswith("sObject type 'Lead' is not supported.")
    job = {"operation": "query", "query": "SELECT Id FROM Lead"}
    assert refused(robot("POST", f"{V}/jobs/query", json=job))[:2] == (400, "INVALID_TYPE")


def test_hidden_fields_are_gone_everywhere(robot: Client, served: Scripted) -> None:
    found = fields(robot)
    assert "Industry" not in found
    assert {"Id", "Name", "OwnerId", "Phone", "BillingCity", "BillingAddress"} <= found.keys()
    for soql in ("SELECT Industry FROM Account", "SELECT Id FROM Account WHERE Industry = 'Energy'"):
        status, code, message = refused(robot.get(f"{V}/query", q=soql))
        assert (status, code) == (400, "INVALID_FIELD")
        assert message.startswith("No such column 'Industry' on entity 'Account'.")
    record = robot.get(f"{V}/sobjects/Account/{account_id(served)}").json()
    assert "Industry" not in record
    assert record["Phone"] == "1"
    assert "Industry" in served.client.get(f"{V}/sobjects/Account/{account_id(served)}").json()


def test_writes_need_the_field_and_the_object(robot: Client, served: Scripted) -> None:
    found = fields(robot)
    assert (found["Phone"]["updateable"], found["Phone"]["createable"]) == (True, False)
    assert (found["BillingCity"]["updateable"], found["Name"]["updateable"]) == (False, True)
    record = f"{V}/sobjects/Account/{account_id(served)}"
    assert robot("PATCH", record, json={"Phone": "2"}).status_code == 204
    assert refused(robot("PATCH", record, json={"BillingCity": "Köln"}))[:2] == (400, "INVALID_FIELD_FOR_INSERT_UPDATE")
    wanted = (400, "INVALID_FIELD", "No such column 'Industry' on sobject of type Account")
    assert refused(robot("PATCH", record, json={"Industry": "x"})) == wanted
    assert refused(robot("POST", f"{V}/sobjects/Account", json={"Name": "x"}))[:2] == (
        400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
    )  # fmt: skip
    assert refused(robot("DELETE", record))[:2] == (400, "INSUFFICIENT_ACCESS_OR_READONLY")
    assert robot("POST", f"{V}/sobjects/Lead", json={"LastName": "x", "Company": "x"}).status_code == 404
    assert served.client("PATCH", record, json={"BillingCity": "Köln"}).status_code == 204


def test_everybody_has_one_row_of_permissions(robot: Client, served: Scripted) -> None:
    soql = "SELECT PermissionsApiEnabled, PermissionsViewSetup, PermissionsModifyAllData FROM UserPermissionAccess"
    for client, rights in ((robot, [True, False, False]), (served.client, [True, True, True])):
        found = client.query(soql)
        assert found["totalSize"] == 1
        assert [value for key, value in found["records"][0].items() if key != "attributes"] == rights


def test_limits_and_setup_objects_need_view_setup(robot: Client, served: Scripted) -> None:
    assert refused(robot.get(f"{V}/limits"))[:2] == (403, "FUNCTIONALITY_NOT_ENABLED")
    assert refused(robot.get(f"{V}/query", q="SELECT Id FROM PermissionSet"))[:2] == (400, "INVALID_TYPE")
    do(served, "set_system_permission", permission_set="Reader", permission="ViewSetup")
    assert robot.get(f"{V}/limits").status_code == 200
    mine = robot.query(f"SELECT PermissionSet.Name FROM PermissionSetAssignment WHERE AssigneeId = '{ROBOT_ID}'")
    assert [record["PermissionSet"]["Name"] for record in mine["records"]] == ["Reader"]
    do(served, "set_system_permission", permission_set="Reader", permission="ViewSetup", granted=False)
    assert robot.get(f"{V}/limits").status_code == 403
    soql = "SELECT PermissionsViewSetup FROM Profile WHERE Name = 'System Administrator'"
    for granted in (False, True):
        do(served, "set_system_permission", permission="ViewSetup", granted=granted)
        assert served.client.query(soql)["records"][0]["PermissionsViewSetup"] is granted


def test_installed_packages_through_the_tooling_api(robot: Client, served: Scripted) -> None:
    soql = (
        "SELECT Id, SubscriberPackage.Name, SubscriberPackage.NamespacePrefix, "
        "SubscriberPackageVersion.MajorVersion, SubscriberPackageVersion.MinorVersion FROM InstalledSubscriberPackage"
    )
    found = served.client.get(f"{V}/tooling/query", q=soql).json()
    assert list(found) == ["size", "totalSize", "done", "queryLocator", "entityTypeName", "records"]
    record = found["records"][0]
    assert record["attributes"]["url"] == f"{V}/tooling/sobjects/InstalledSubscriberPackage/0A35g0000000001AAA"
    assert (record["SubscriberPackage"]["Name"], record["SubscriberPackage"]["NamespacePrefix"]) == (
        "Deal Story",
        "deal",
    )
    assert record["SubscriberPackageVersion"]["MinorVersion"] == 14
    for client, path, query in (
        (robot, "tooling/query", soql),
        (served.client, "query", soql),
        (served.client, "tooling/query", "SELECT Id FROM Account"),
    ):
        assert refused(client.get(f"{V}/{path}", q=query))[:2] == (400, "INVALID_TYPE")


def test_rights_come_and_go_at_run_time(robot: Client, served: Scripted) -> None:
    do(served, "set_object_permission", permission_set="Reader", object="Visit__c", read=True)
    assert robot.get(f"{V}/sobjects/Visit__c/describe").status_code == 200
    assert "Notes__c" not in fields(robot, "Visit__c")
    do(served, "set_field_permission", permission_set="Reader", field="Visit__c.Notes__c", read=True)
    assert robot.query("SELECT Notes__c FROM Visit__c")["records"][0]["Notes__c"] == "n"
    do(served, "set_object_permission", permission_set="Reader", object="Visit__c", read=False)
    assert robot.get(f"{V}/sobjects/Visit__c/describe").status_code == 404
    do(served, "set_field_permission", field="Account.Industry", read=False)
    assert "Industry" not in fields(served.client)
    do(served, "set_field_permission", field="Account.Industry", edit=True)
    assert fields(served.client)["Industry"]["updateable"] is True


def test_a_permission_withdrawn_between_the_creation_of_a_job_and_its_run(served: Scripted) -> None:
    served.script({"action": "slow_job", "seconds": 0.3})
    job = served.client.submit("SELECT Id, Industry FROM Account")
    do(served, "set_field_permission", field="Account.Industry", read=False)
    ended = served.client.finish(job)
    assert ended["state"] == "Failed"
    assert "No such column 'Industry'" in ended["errorMessage"]
    do(served, "set_field_permission", field="Account.Industry", edit=True)
    served.script()


def test_the_same_rows_through_rest(robot: Client, served: Scripted) -> None:
    row = {"ParentId": EXTRA_SET, "SobjectType": "Lead", "PermissionsRead": True}
    assert refused(robot("POST", f"{V}/sobjects/ObjectPermissions", json=row))[0] == 404
    made = served.client("POST", f"{V}/sobjects/ObjectPermissions", json=row)
    assert made.status_code == 201, made.text
    assert robot.query("SELECT COUNT() FROM Lead")["totalSize"] == 1
    assert served.client("DELETE", f"{V}/sobjects/ObjectPermissions/{made.json()['id']}").status_code == 204
    assert robot.get(f"{V}/query", q="SELECT Id FROM Lead").status_code == 400


def test_rights_given_in_a_transaction_hold_once_it_commits(robot: Client, served: Scripted) -> None:
    name = do(served, "begin")
    row = {"ParentId": EXTRA_SET, "SobjectType": "Lead", "PermissionsRead": True}
    made = do(served, "create", object="ObjectPermissions", values=row, transaction=name)
    assert robot.get(f"{V}/sobjects/Lead/describe").status_code == 404
    do(served, "commit", transaction=name)
    assert robot.get(f"{V}/sobjects/Lead/describe").status_code == 200
    do(served, "delete", object="ObjectPermissions", id=made)
    assert robot.get(f"{V}/sobjects/Lead/describe").status_code == 404


def test_a_field_added_later_is_the_admins_to_see(robot: Client, served: Scripted) -> None:
    do(served, "add_field", object="Account", name="Later__c", type="string")
    assert fields(served.client)["Later__c"]["updateable"] is True
    assert "Later__c" not in fields(robot)
    do(served, "remove_field", object="Account", name="Later__c")
    left = served.client.query("SELECT Id FROM FieldPermissions WHERE Field = 'Account.Later__c'")
    assert left["totalSize"] == 0


def test_an_integration_user_is_known_by_its_licence(served: Scripted) -> None:
    assert served.client.get("/services/oauth2/userinfo").json()["is_salesforce_integration_user"] is False
    do(served, "set_profile", user=ROBOT, profile="Minimum Access - API Only Integrations")
    client = sign_in(served, ROBOT)
    assert client.get("/services/oauth2/userinfo").json()["is_salesforce_integration_user"] is True
    assert client.query("SELECT PermissionsApiUserOnly FROM UserPermissionAccess")["records"][0][
        "PermissionsApiUserOnly"
    ]
    profile = served.client.query(
        f"SELECT Profile.Name, UserType, Profile.UserLicense.Name FROM User WHERE Id = '{ROBOT_ID}'"
    )
    assert profile["records"][0]["Profile"]["UserLicense"]["Name"] == "Salesforce Integration"
    do(served, "set_profile", user=ROBOT, profile="Robots")


RIGHTS = st.fixed_dictionaries({right: st.booleans() for right in ("read", "create", "edit", "delete")})
FIELD = st.fixed_dictionaries({"read": st.booleans(), "edit": st.booleans()})


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rights=RIGHTS, field=FIELD)
def test_describe_query_and_write_agree(
    robot: Client, served: Scripted, rights: dict[str, bool], field: dict[str, bool]
) -> None:
    """Whatever an admin grants: what describe says, what SOQL takes and what a write does are the same."""
    do(served, "set_object_permission", permission_set="Reader", object="Account", **rights)
    do(served, "set_field_permission", permission_set="Reader", field="Account.Website", **field)
    read, edit = rights["read"], rights["read"] and rights["edit"]
    sees = read and field["read"]
    described = robot.get(f"{V}/sobjects/Account/describe")
    assert (described.status_code == 200) is read
    known = {each["name"]: each for each in described.json()["fields"]} if read else {}
    assert ("Website" in known) is sees
    assert (robot.get(f"{V}/query", q="SELECT Website FROM Account").status_code == 200) is sees
    writes = sees and edit and field["edit"]
    assert known.get("Website", {}).get("updateable", False) is writes
    answer = robot("PATCH", f"{V}/sobjects/Account/{account_id(served)}", json={"Website": "x"})
    assert (answer.status_code == 204) is writes
    bulk = robot("POST", f"{V}/jobs/query", json={"operation": "query", "query": "SELECT Website FROM Account"})
    assert (bulk.status_code == 200) is sees
