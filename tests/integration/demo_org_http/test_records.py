import time
from base64 import b64encode
from pathlib import Path
from typing import Any

import jwt

from tests.support.demo_org_client import Scripted, V


def create(scripted: Scripted, **values: Any) -> str:
    answer = scripted.client("POST", f"{V}/sobjects/Account", json=values)
    assert answer.status_code == 201, answer.text
    found = answer.json()
    assert found == {"id": found["id"], "success": True, "errors": []}
    assert answer.headers["Location"] == f"{V}/sobjects/Account/{found['id']}"
    return str(found["id"])


def test_create_read_update_delete_undelete(scripted: Scripted) -> None:
    client = scripted.client
    record = f"{V}/sobjects/Account/{create(scripted, Name='New', Phone='1')}"
    updated = client("PATCH", record, json={"Phone": "2"})
    assert (updated.status_code, updated.content, updated.headers.get("Content-Type")) == (204, b"", None)
    assert client.get(record, fields="Name,Phone").json() == {
        "attributes": {"type": "Account", "url": record},
        "Name": "New",
        "Phone": "2",
        "Id": record.rpartition("/")[2],
    }
    assert client("DELETE", record).status_code == 204
    again = client("DELETE", record)
    assert (again.status_code, again.json()) == (
        404,
        [{"message": "entity is deleted", "errorCode": "ENTITY_IS_DELETED", "fields": []}],
    )
    soql = f"SELECT IsDeleted FROM Account WHERE Id = '{record[-18:]}'"
    assert client.query(soql)["totalSize"] == 0
    assert client.query(soql, "queryAll")["records"][0]["IsDeleted"] is True
    assert client("POST", "/__demo__/undelete", json={"object": "Account", "id": record[-18:]}).status_code == 200
    assert client.query(soql)["totalSize"] == 1


def test_errors_of_writes_are_those_recorded(scripted: Scripted) -> None:
    client = scripted.client
    unknown = client("POST", f"{V}/sobjects/Account", json={"FavoritePet__c": "Dog"})
    assert (unknown.status_code, unknown.json()) == (
        400,
        [{"message": "No such column 'FavoritePet__c' on sobject of type Account", "errorCode": "INVALID_FIELD"}],
    )
    wrong = "a00B000000FSjVUIB1"
    malformed = client("PATCH", f"{V}/sobjects/Account/{wrong}", json={"Name": "x"})
    assert (malformed.status_code, malformed.json()) == (
        400,
        [
            {
                "message": f"Account ID: id value of incorrect type: {wrong}",
                "errorCode": "MALFORMED_ID",
                "fields": ["Id"],
            }
        ],
    )
    missing = client("POST", f"{V}/sobjects/Contact", json={"FirstName": "x"}).json()
    assert missing == [
        {
            "message": "Required fields are missing: [LastName]",
            "errorCode": "REQUIRED_FIELD_MISSING",
            "fields": ["LastName"],
        }
    ]
    for body in (b"", b"[1]", b"{", b"\xff"):
        answer = client("POST", f"{V}/sobjects/Account", data=body)
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")


def test_upsert_by_external_id_says_whether_it_created(scripted: Scripted) -> None:
    client = scripted.client
    added = {"do": "add_field", "object": "Account", "name": "Key__c", "type": "string", "externalId": True}
    assert client("POST", "/__demo__/execute", json=added).status_code == 200
    path = f"{V}/sobjects/Account/Key__c/a%20b"
    first, second = (client("PATCH", path, json={"Name": f"Upserted {n}"}) for n in (1, 2))
    assert [first.status_code, second.status_code] == [201, 200]
    assert [first.json()["created"], second.json()["created"]] == [True, False]
    assert client.get(path).json()["Name"] == "Upserted 2"
    twin = create(scripted, Name="Twin", Key__c="a b")
    several = client.get(path)
    assert several.status_code == 300
    assert f"{V}/sobjects/Account/{twin}" in several.json()
    unknown = client("PATCH", f"{V}/sobjects/Account/Nope__c/1", json={"Name": "x"})
    assert unknown.status_code == 404
    assert unknown.json()[0]["message"] == "Provided external ID field does not exist or is not accessible: Nope__c"


def test_changes_show_in_the_request_log(scripted: Scripted) -> None:
    create(scripted, Name="Logged")
    line = scripted.log()[-1]
    assert (line["method"], line["path"], line["status"], line["rows"]) == ("POST", f"{V}/sobjects/Account", 201, 1)
    assert (line["user"], line["object"]) == (scripted.org.username, "Account")


def test_a_change_is_the_signed_in_users(scripted: Scripted) -> None:
    org, client = scripted.org, scripted.client
    claims = {"iss": org.client_id, "sub": "ada@demo.example.com", "aud": org.url, "exp": time.time() + 60}
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "assertion": jwt.encode(claims, Path(org.private_key_file).read_text(), algorithm="RS256"),
    }
    token = client("POST", "/services/oauth2/token", data=form).json()["access_token"]
    record = create(scripted, Name="Ada was here")
    changed = client(
        "PATCH", f"{V}/sobjects/Account/{record}", json={"Phone": "1"}, headers={"Authorization": f"Bearer {token}"}
    )
    assert changed.status_code == 204
    assert scripted.log()[-1]["user"] == "ada@demo.example.com"
    soql = f"SELECT LastModifiedBy.Username FROM Account WHERE Id = '{record}'"
    assert client.query(soql)["records"][0]["LastModifiedBy"]["Username"] == "ada@demo.example.com"


def test_a_file_is_kept_and_told_by_its_address(scripted: Scripted) -> None:
    client, files = scripted.client, f"{V}/sobjects/ContentVersion"
    content = bytes(range(256))
    sent = {"PathOnClient": "C:\\docs\\report.final.pdf", "VersionData": b64encode(content).decode()}
    made = client("POST", files, json=sent)
    assert made.status_code == 201, made.text
    record = f"{files}/{made.json()['id']}"
    told = client.get(record).json()
    assert (told["Title"], told["FileExtension"], told["ContentSize"]) == ("report.final", "pdf", 256)
    assert told["VersionData"] == f"{record}/VersionData"
    read = client.get(told["VersionData"])
    assert (read.content, read.headers["Content-Type"]) == (content, "application/octetstream")
    changed = client("PATCH", record, json={"VersionData": b64encode(b"new").decode()})
    assert (changed.status_code, client.get(told["VersionData"]).content) == (204, b"new")
    assert client("POST", files, json=sent | {"VersionData": "not base64!"}).status_code == 400
    assert client.get(f"{files}/068000000000000AAA/VersionData").status_code == 404
    refused = client(
        "POST", f"{V}/jobs/query", json={"operation": "query", "query": "SELECT VersionData FROM ContentVersion"}
    )
    assert (refused.status_code, refused.json()[0]["errorCode"]) == (400, "FUNCTIONALITY_NOT_ENABLED")


def test_typeof_picks_fields_by_the_parents_object(scripted: Scripted) -> None:
    client = scripted.client
    account = create(scripted, Name="Parent", Phone="5")
    lead = client("POST", f"{V}/sobjects/Lead", json={"LastName": "Lovelace", "Company": "Engines"}).json()["id"]
    for subject, more in (("a", {"WhoId": lead}), ("b", {"WhatId": account}), ("c", {})):
        assert client("POST", f"{V}/sobjects/Task", json={"Subject": subject, **more}).status_code == 201
    who = "TYPEOF Who WHEN Contact THEN Email WHEN Lead THEN Company, LastName END"
    found = client.query(f"SELECT {who}, TYPEOF What WHEN Case THEN Id ELSE Name END FROM Task ORDER BY Subject")[
        "records"
    ]
    url = f"{V}/sobjects"
    assert [(each["Who"], each["What"]) for each in found] == [
        (
            {"attributes": {"type": "Lead", "url": f"{url}/Lead/{lead}"}, "Company": "Engines", "LastName": "Lovelace"},
            None,
        ),
        (None, {"attributes": {"type": "Account", "url": f"{url}/Account/{account}"}, "Name": "Parent"}),
        (None, None),
    ]
    without_else = client.query("SELECT TYPEOF What WHEN Case THEN Id END FROM Task WHERE Subject = 'b'")["records"]
    assert without_else[0]["What"] is None
    for soql, code in (
        ("SELECT TYPEOF What WHEN Account THEN Nonsense END FROM Task", "INVALID_FIELD"),
        ("SELECT TYPEOF What WHEN Pricebook THEN Id END FROM Task", "INVALID_TYPE"),
        ("SELECT TYPEOF Account WHEN Account THEN Id END FROM Contact", "MALFORMED_QUERY"),
        ("SELECT TYPEOF What ELSE Id END FROM Task", "MALFORMED_QUERY"),
    ):
        assert client.get(f"{V}/query", q=soql).json()[0]["errorCode"] == code
    job = client("POST", f"{V}/jobs/query", json={"operation": "query", "query": f"SELECT {who} FROM Task"})
    assert job.json()[0]["errorCode"] == "FUNCTIONALITY_NOT_ENABLED"
