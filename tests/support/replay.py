"""Brings a demo org into the state of a recorded one and repeats a recorded request.

The state comes from the recorded answer alone: its records are created through the org's own API, with other
values, so that an answer can have the recorded shape only by being worked out.
"""

import json
import re
from typing import Any

import requests

from tests.support.demo_org_client import Client, V
from tests.support.recorded import Recorded

_RECORDED_ID = re.compile(r"\b(001|003|006|00Q|00U|00D|012|068|a0\w)[a-zA-Z0-9]{15}\b")
_ORGANIZATION = "00D"
_OBJECT_OF_PREFIX = {"001": "Account", "003": "Contact", "006": "Opportunity", "00Q": "Lead", "00U": "Event"}
_OBJECT_IN_PATH = re.compile(r"/sobjects/(\w+)")
_FROM = re.compile(r"\bFROM\s+(\w+)", re.IGNORECASE)
_EQUALS = re.compile(r"(\w+)\s*=\s*'([^']*)'")
_COUNTED = re.compile(r"count\(\w*\)", re.IGNORECASE)
#: Base64 of the file that stands for a recorded one.
FILE = "c29tZSBieXRlcw=="
_LEAST: dict[str, dict[str, Any]] = {
    "Contact": {"LastName": "Somebody"},
    "Lead": {"LastName": "Somebody", "Company": "Some company"},
    "Opportunity": {"Name": "Something", "StageName": "Prospecting", "CloseDate": "2030-01-31"},
    "ContentVersion": {"PathOnClient": "some.txt", "VersionData": FILE},
    "Event": {"DurationInMinutes": 5, "ActivityDateTime": "2030-01-31T10:00:00Z"},
}
#: Fields by which the rows of a sub-query hang on their parent.
_PARENT_FIELD = {("Account", "Contacts"): "AccountId", ("Contact", "Opportunities"): "ContactId"}
#: Fields whose value may be another one than the recorded: no picklist, date, id or number.
CHANGED = frozenset({"Name", "FirstName", "LastName", "Subject", "Description"})
_COLLECTION = 200
#: Objects that come with the org: their records are found, not made.
_GIVEN = frozenset({"User", "Organization", "RecordType", "AggregateResult"})


class Replay:
    """A demo org that recorded requests are repeated at."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._ids: dict[str, str] = {}

    def add_field(self, object_name: str, name: str, kind: str, **attributes: Any) -> None:
        self.execute(do="add_field", object=object_name, name=name, type=kind, **attributes)

    def execute(self, **arguments: Any) -> Any:
        done = self.client("POST", "/__demo__/execute", json=arguments)
        assert done.status_code == 200, done.text
        return done.json()["result"]

    def settings(self, **arguments: Any) -> None:
        assert self.client("POST", "/__demo__/settings", json=arguments).status_code == 200

    # -- the state

    def prepare(self, exchange: Recorded) -> None:
        """Make the org hold what the recorded one held."""
        self._ids = {}
        resource = exchange.path.split("/", 4)[-1].strip("/")
        if resource == "query":
            self._prepare_query(exchange.query["q"], exchange.body)
        elif resource == "tooling/query":
            self._prepare_package(exchange.query["q"])
        elif resource == "limits/recordCount":
            self._fill(exchange.query["sObjects"], exchange.body["sObjects"][0]["count"])
        elif resource.startswith("sobjects/Organization/"):
            self._set_up_organization(exchange.body)
        elif resource == "composite":
            self._prepare_composite(exchange)
        elif resource.startswith("composite/sobjects/"):
            self._prepare_upsert(resource.split("/")[2], resource.split("/")[3], exchange)

    def _prepare_package(self, soql: str) -> None:
        """Let one package be installed."""
        asked = {"q": "SELECT SubscriberPackageVersionId FROM InstalledSubscriberPackage"}
        installed = self.client.get(f"{V}/tooling/query", **asked).json()["records"]
        if installed:
            version = installed[0]["SubscriberPackageVersionId"]
        else:
            numbers = {f"{name}Version": 3 for name in ("Major", "Minor", "Patch")} | {"BuildNumber": 4}
            package = {"package": {"NamespacePrefix": "another"}, "version": numbers}
            version = self.execute(do="install_package", **package)["version"]
        if wanted := re.search(r"WHERE Id='(\w+)'", soql):
            self._ids[wanted[1]] = version

    def _set_up_organization(self, recorded: dict[str, Any]) -> None:
        """Fill the fields of the org's own row that were filled, as its setup pages do."""
        kept = ("Id", "CreatedById", "LastModifiedById", "attributes", "Address")
        values = {key: value for key, value in recorded.items() if key not in kept and value is not None}
        self.execute(
            do="update_where", object="Organization", where="Id != null", values=values | {"Name": "Another name"}
        )

    def _prepare_composite(self, exchange: Recorded) -> None:
        """Prepare each query among the parts; the first that reads an object says what it holds."""
        done: set[str] = set()
        for asked, answered in zip(
            exchange.request_body["compositeRequest"], exchange.body["compositeResponse"], strict=True
        ):
            soql = asked["url"].partition("?q=")[2]
            found = _FROM.search(soql)
            if found and answered["httpStatusCode"] == 200 and found[1] not in done:
                done.add(found[1])
                self._prepare_query(soql, answered["body"])

    def _prepare_query(self, soql: str, answer: Any) -> None:
        if not isinstance(answer, dict):
            return
        objects = [name for name in _FROM.findall(soql) if "." not in name]
        name = objects[-1]
        if _COUNTED.search(soql):
            rows = answer["records"]
            self._fill(name, rows[0]["expr0"] if rows else answer["totalSize"])
        elif "TYPEOF" in soql:
            self.prepare_events(answer["records"])
        elif name == "ContentVersion":
            # The API deletes no versions of files.
            for record in self.client.query("SELECT Id FROM ContentVersion")["records"]:
                self.execute(do="hard_delete", object=name, id=record["Id"])
            self._create_all(name, [self.least(name)] * answer["totalSize"])
        elif name not in _GIVEN:
            self.clear(name)
            self._make(answer["records"], name, **dict(_EQUALS.findall(soql.partition(" where ")[2])))

    def prepare_events(self, records: list[dict[str, Any]]) -> None:
        """Let there be events, and what they are about, as in a recorded answer."""
        self.clear("Event")
        for record in records:
            values = {key: value for key, value in self._values(record).items() if not key.startswith("Activity")}
            for field in ("Who", "What"):
                if parent := record[field]:
                    kind = parent["attributes"]["type"]
                    values[f"{field}Id"] = self.create(kind, self.least(kind) | self._values(parent))
            self.create("Event", self.least("Event") | values)

    def _prepare_upsert(self, name: str, field: str, exchange: Recorded) -> None:
        """Let records exist that the recorded upsert found, and no others."""
        self.clear(name)
        for sent, answered in zip(exchange.request_body["records"], exchange.body, strict=True):
            if not answered["created"]:
                values = {key: value for key, value in sent.items() if key not in ("Id", "attributes")}
                self._ids[str(sent.get("Id"))] = self.create(name, values if field != "Id" else self.least(name))

    def _fill(self, name: str, count: int) -> None:
        self.clear(name)
        self._create_all(name, [self.least(name)] * count)

    def clear(self, name: str) -> None:
        """Delete every record of an object."""
        found = self.client.query(f"SELECT Id FROM {name}")["records"]
        for start in range(0, len(found), _COLLECTION):
            ids = ",".join(record["Id"] for record in found[start : start + _COLLECTION])
            done = self.client("DELETE", f"{V}/composite/sobjects", params={"ids": ids})
            assert done.status_code == 200, done.text

    @staticmethod
    def least(name: str) -> dict[str, Any]:
        """The values without which Salesforce saves no such record."""
        return dict(_LEAST.get(name, {"Name": "Something"}))

    def create(self, name: str, values: dict[str, Any]) -> str:
        """Create a record and return its id."""
        return self._create_all(name, [values])[0]

    def _create_all(self, name: str, values: list[dict[str, Any]]) -> list[str]:
        ids: list[str] = []
        for start in range(0, len(values), _COLLECTION):
            records = [{"attributes": {"type": name}, **each} for each in values[start : start + _COLLECTION]]
            body = {"allOrNone": True, "records": records}
            made = self.client("POST", f"{V}/composite/sobjects", json=body).json()
            assert all(each["success"] for each in made), f"{name}: {made}"
            ids += [each["id"] for each in made]
        return ids

    def _make(self, records: list[dict[str, Any]], name: str, **more: Any) -> None:
        """Create the records of the recorded answer: the same fields are filled, with other values."""
        made = self._create_all(name, [self.least(name) | more | self._values(record) for record in records])
        for record, record_id in zip(records, made, strict=True):
            for key, children in record.items():
                if isinstance(children, dict) and "records" in children:
                    kind = children["records"][0]["attributes"]["type"]
                    self._make(children["records"], kind, **{_PARENT_FIELD[name, key]: record_id})

    def _values(self, record: dict[str, Any]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, value in record.items():
            if key == "RecordTypeId" and value:
                values[key] = self.client.query("SELECT Id FROM RecordType")["records"][0]["Id"]
            elif key not in ("Id", "attributes") and not isinstance(value, dict) and value is not None:
                values[key] = f"{value}!"[-60:] if isinstance(value, str) and key in CHANGED else value
        return values

    # -- the request

    def send(self, exchange: Recorded, *, token: str | None = None) -> requests.Response:
        """Repeat the request with the ids of this org."""
        more: dict[str, Any] = {}
        version = f"/v{exchange.version}/"
        if exchange.request_body is not None:
            more["data"] = self._translated(json.dumps(exchange.request_body)).replace("/vxx.0/", version).encode()
        path = self._translated(exchange.path).replace("/vxx.0/", version)
        headers = {"Content-Type": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        query = {key: self._with_known_ids(value) for key, value in exchange.query.items()}
        return self.client(exchange.method, path, params=query, headers=headers, **more)

    def _with_known_ids(self, text: str) -> str:
        for wanted, own in self._ids.items():
            text = text.replace(wanted, own)
        return text

    def remember(self, recorded_id: str, own: str) -> None:
        """Let ``own`` stand for a recorded id."""
        self._ids[recorded_id] = own

    def with_own_ids(self, text: str) -> str:
        """A batch with this org's ids in place of the recorded ones; the records exist."""
        self._ids = {}
        return self._translated(text)

    def _translated(self, text: str) -> str:
        """Put this org's ids in place of the recorded ones; a record that is named must exist."""
        in_path = _OBJECT_IN_PATH.search(text)

        def own_id(match: re.Match[str]) -> str:
            if match[1] == _ORGANIZATION:
                return self.client.org.org_id
            if match[0] not in self._ids:
                name = in_path[1] if in_path else _OBJECT_OF_PREFIX[match[1]]
                self._ids[match[0]] = self.create(name, self.least(name))
            return self._ids[match[0]]

        return _RECORDED_ID.sub(own_id, text)
