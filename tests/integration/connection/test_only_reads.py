"""A whole extraction, full and delta, by Bulk and REST, read off the org's own request log and its records."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.extract import submit
from pipelines.preflight import preflight
from tests.support.demo_org_client import Scripted, serve_scripted, write_csv
from tests.support.mirror import Mirror, settings_for

#: Everything an extraction may ask for; what is not here fails the test, a GET too.
ALLOWED = [
    ("POST", r"/services/oauth2/token"),
    ("GET", r"/services/oauth2/userinfo"),
    ("GET", r"/services/data"),
    ("GET", r"/services/data/v[\d.]+/limits/?"),
    ("GET", r"/services/data/v[\d.]+/limits/recordCount"),
    ("GET", r"/services/data/v[\d.]+/sobjects/?"),
    ("GET", r"/services/data/v[\d.]+/sobjects/\w+/describe"),
    ("GET", r"/services/data/v[\d.]+/sobjects/\w+/(updated|deleted)/?"),
    ("GET", r"/services/data/v[\d.]+/sobjects/\w+/listviews(/\w+/describe)?"),
    ("GET", r"/services/data/v[\d.]+/(query|queryAll)(/[\w-]+)?/?"),
    ("POST", r"/services/data/v[\d.]+/jobs/query"),
    ("GET", r"/services/data/v[\d.]+/jobs/query/750\w+(/results|/resultPages)?"),
    ("DELETE", r"/services/data/v[\d.]+/jobs/query/750\w+"),
    ("PATCH", r"/services/data/v[\d.]+/jobs/query/750\w+"),
]
OBJECTS = ("Account", "Contact")


@pytest.fixture(scope="module")
def scripted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scripted]:
    data = tmp_path_factory.mktemp("org")
    write_csv(data / "Account.csv", ["Name"], [[f"Company {n}"] for n in range(300)])
    write_csv(data / "Contact.csv", ["LastName", "IsDeleted"], [["Ng", "false"], ["Gone", "true"]])
    with serve_scripted(data, tmp_path_factory.mktemp("scripted")) as served:
        yield served


def state_of(scripted: Scripted) -> list[list[dict[str, Any]]]:
    """Every record with its stamps, deleted ones too, as another client sees them."""
    stamps = "Id, IsDeleted, CreatedDate, LastModifiedDate, SystemModstamp, LastViewedDate, LastReferencedDate"
    return [
        scripted.client.query(f"SELECT {stamps} FROM {name} ORDER BY Id", "queryAll")["records"] for name in OBJECTS
    ]


def test_a_full_and_a_delta_sync_only_read(scripted: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, seen = state_of(scripted), len(scripted.log())
    settings = settings_for("account", "contact")
    for transport in ("rest", "bulk"):
        if transport == "bulk":
            monkeypatch.setattr(submit, "REST_ROWS", -1)
        mirror = Mirror(scripted.org, tmp_path / transport, settings)
        preflight(mirror.org, settings)
        assert mirror.sync("full")["account"].live == 300
        mirror.sync("delta")
    asked = [(entry["method"], entry["path"]) for entry in scripted.log()[seen:]]
    assert {("POST", "/services/data/v62.0/jobs/query"), ("POST", "/services/oauth2/token")} <= set(asked)
    assert [
        item for item in asked if not any(item[0] == verb and re.fullmatch(path, item[1]) for verb, path in ALLOWED)
    ] == []
    assert state_of(scripted) == before
