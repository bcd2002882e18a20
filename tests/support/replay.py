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

_RECORDED_ID = re.compile(r"\b(001|003|006|00Q|00U|00D|012|a0\w)[a-zA-Z0-9]{15}\b")
_ORGANIZATION = "00D"
_OBJECT_OF_PREFIX = {"001": "Account", "003": "Contact", "006": "Opportunity", "00Q": "Lead", "00U": "Event"}
_OBJECT_IN_PATH = re.compile(r"/sobjects/(\w+)")
_FROM = re.compile(r"\bFROM\s+(\w+)", re.IGNORECASE)
_COUNTED = re.compile(r"count\(\w*\)", re.IGNORECASE)
_LEAST: dict[str, dict[str, Any]] = {
    "Contact": {"LastName": "Somebody"},
    "Lead": {"LastName": "Somebody", "Company": "Some company"},
    "Opportunity": {"Name": "Something", "StageName": "Prospecting", "CloseDate": "2030-01-31"},
    "Event": {"DurationInMinutes": 5, "ActivityDateTime": "2030-01-31T10:00:00Z"},
}
#: Fields by which a child row of a sub-query hangs on its parent, and a parent row on its child.
_PARENT_FIELD = {("Account", "Contacts"): "AccountId", ("Contact", "Opportunities"): "ContactId"}
_LOOKUP_FIELD = {"Who": "WhoId", "What": "WhatId"}
#: Objects that come with the org: their records are found, not made.
_GIVEN = frozenset({"User", "Organization", "RecordType", "AggregateResult"})


class Replay:
    """A demo org that recorded requests are repeated at."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._ids: dict[str, str] = {}

    def add_field(self, object_name: str, name: str, kind: str, **attributes: Any) -> None:
        self.execute(do="add_field", object=object_name, name=name, type=kind, **attributes)

    def execute(self, **arguments: Any) -> None:
        done = self.client("POST", "/__demo__/execute", json=arguments)
        assert done.status_code == 200, done.text

    def settings(self, **arguments: Any) -> None:
        assert self.client("POST", "/__demo__/settings", json=arguments).status_code == 200

    # -- the state

    def prepare(self, exchange: Recorded) -> None:
        """Make the org hold what the recorded one held."""
        self._ids = {}
        resource = exchange.path.split("/", 4)[-1].strip("/")
        if resource == "query":
            self._prepare_query(exchange.query["q"], exchange.body)
        elif resource == "limits/recordCount":
            self._fill(exchange.query["sObjects"], exchange.body["sObjects"][0]["count"])
        elif resource == "composite":
            self._prepare_composite(exchange)
        elif resource.startswith("composite/sobjects/"):
            self._prepare_upsert(resource.split("/")[2], resource.split("/")[3], exchange)

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
        elif name not in _GIVEN:
            self.clear(name)
            for record in answer["records"]:
                self._make(record, name)

    def _prepare_upsert(self, name: str, field: str, exchange: Recorded) -> None:
        """Let records exist that the recorded upsert found, and no others."""
        self.clear(name)
        for sent, answered in zip(exchange.request_body["records"], exchange.body, strict=True):
            if not answered["created"]:
                values = {key: value for key, value in sent.items() if key not in ("Id", "attributes")}
                self._ids[str(sent.get("Id"))] = self.create(name, values if field != "Id" else self.least(name))

    def _fill(self, name: str, count: int) -> None:
        self.clear(name)
        for _ in range(count):
            self.create(name, self.least(name))

    def clear(self, name: str) -> None:
        """Delete every record of an object."""
        for record in self.client.query(f"SELECT Id FROM {name}")["records"]:
            assert self.client("DELETE", f"{V}/sobjects/{name}/{record['Id']}").status_code in (204, 404)

    @staticmethod
    def least(name: str) -> dict[str, Any]:
        """The values without which Salesforce saves no such record."""
        return dict(_LEAST.get(name, {"Name": "Something"}))

    def create(self, name: str, values: dict[str, Any]) -> str:
        made = self.client("POST", f"{V}/sobjects/{name}", json=values)
        assert made.status_code == 201, f"{name} {values}: {made.text}"
        return str(made.json()["id"])

    def _make(self, record: dict[str, Any], name: str, **more: Any) -> str:
        """Create a record of the recorded answer: the same fields are filled, with other values."""
        values: dict[str, Any] = self.least(name) | more
        for key, value in record.items():
            if key in _LOOKUP_FIELD and value:
                values[_LOOKUP_FIELD[key]] = self._make(value, value["attributes"]["type"])
            elif key == "RecordTypeId" and value:
                values[key] = self.client.query("SELECT Id FROM RecordType")["records"][0]["Id"]
            elif key not in ("Id", "attributes") and not isinstance(value, dict) and value is not None:
                values[key] = f"{value}!"[-60:] if isinstance(value, str) and _changeable(key, value) else value
        made = self.create(name, values)
        for key, children in record.items():
            if isinstance(children, dict) and "records" in children:
                for child in children["records"]:
                    kind = child["attributes"]["type"]
                    self._make(child, kind, **{_PARENT_FIELD[name, key]: made})
        return made

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
        return self.client(exchange.method, path, params=exchange.query, headers=headers, **more)

    def remember(self, recorded_id: str, own: str) -> None:
        """Let ``own`` stand for a recorded id."""
        self._ids[recorded_id] = own

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


def _changeable(key: str, value: str) -> bool:
    """Tell whether a text may be another one: no picklist value, date, id or number."""
    return key in ("Name", "FirstName", "LastName", "Subject", "Description") and not value[:4].isdigit()
