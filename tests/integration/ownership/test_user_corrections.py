"""Correcting the user mapping: the command and the page, over one published snapshot."""

import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from apps.cli.main import cli
from data_contracts.errors import CrosswalkError
from data_contracts.settings import Publish, Settings
from pipelines.ownership import build_users, load_own_users
from pipelines.publish.snapshot import publish_snapshot
from resources.decisions import DecisionStore
from resources.home import Home
from resources.user_mappings import mapping_versions
from tests.support.org_tables import put_salesforce, run_context, warehouse
from tests.support.review_reading import Page
from tests.support.review_site import PEOPLE, Site, hashed, serve_review

UNA, BO, HAND = (f"005{number:012d}AAA" for number in (1, 2, 3))
HOSTILE = '<script>document.title="owned"</script>'
SETTINGS = {
    "users": {
        "table": [
            {"user_id": "u1", "name": "Una Eide", "email": "una@x.test"},
            {"user_id": "u2", "name": "Bo Li", "email": "bo@x.test"},
            {"user_id": "u3", "name": "Bo Li", "email": "li@x.test"},
        ],
        "by_hand": {HAND: "u2"},
    }
}
USERS = [
    {"Id": UNA, "Name": "Una Eide", "Email": "una@x.test", "IsActive": True},
    {"Id": BO, "Name": "Bo Li", "Email": "other@x.test", "IsActive": True},
    {"Id": HAND, "Name": HOSTILE, "Email": None, "IsActive": True},
]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose snapshot has three users: one found, one that two fit, one of the settings."""
    folder = tmp_path_factory.mktemp("users")
    home, settings = Home(folder), Settings.model_validate(SETTINGS)
    home.prepare()
    with warehouse(folder) as con, closing(DecisionStore(home.decisions_url)) as store:
        put_salesforce(con, "user", USERS)
        load_own_users(con, settings.users, folder)
        build_users(con, store, settings, run_context())
        publish_snapshot(con, home, Publish(keep=0), run_context())
    return folder


@pytest.fixture
def folder(published: Path, tmp_path: Path) -> Path:
    """A copy of its own, without the warehouse."""
    home = Home(tmp_path)
    home.prepare()
    shutil.copy(Home(published).published, home.published)
    shutil.copy(published / "decisions.db", tmp_path)
    return tmp_path


@pytest.fixture
def store(folder: Path) -> Iterator[DecisionStore]:
    with closing(DecisionStore(Home(folder).decisions_url)) as made:
        yield made


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("CROSSWALK_HOME", str(folder))
    (folder / "crosswalk.yaml").write_text(json.dumps(SETTINGS))

    def command(*arguments: str) -> Result:
        return CliRunner().invoke(cli, ("users", *arguments))

    return command


def test_the_command_lists_shows_maps_unmaps_and_releases(run, store: DecisionStore):
    waiting = json.loads(run("list", "--json").output)
    assert [(user["salesforce_id"], user["status"]) for user in waiting["users"]] == [(BO, "several")]
    assert "Bo Li" in run("list").output
    assert "2 own users have its full name" in run("list").output
    assert [user["user_id"] for user in json.loads(run("find", "li", "BO", "--json").output)] == ["u2", "u3"]

    made = json.loads(run("map", "bo li", "u3", "--by", "ann", "--reason", "new address", "--json").output)
    assert (made["salesforce_id"], made["version"], made["own_id"]) == (BO, 1, "u3")
    assert "No user waits" in run("list").output
    shown = json.loads(run("show", BO[:15], "--json").output)
    assert shown["user"]["pending"]["own_id"] == "u3"
    assert [user["user_id"] for user in shown["candidates"]] == ["u2", "u3"]
    assert "ann: u3: new address" in run("show", "other@x.test").output
    assert "none of ours" in run("unmap", BO, "--by", "ann").output
    assert "to be found by itself" in run("release", UNA, "--by", "ann").output
    assert [made.act for made in mapping_versions(store, BO)] == ["mapped", "unmapped"]
    assert [made.act for made in mapping_versions(store, UNA)] == ["matched", "released"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("map", "nobody", "u1"), "no user of the CRM is called 'nobody'"),
        (("map", UNA, "u9"), "there is no own user 'u9'"),
        (("map", HAND, "u1"), "is mapped in the settings"),
        (("release", BO), "has no mapping to take back"),
    ],
)
def test_the_command_refuses_what_cannot_be(run, arguments: tuple[str, ...], message: str):
    result = run(*arguments)
    assert isinstance(result.exception, CrosswalkError)
    assert message in str(result.exception)
    assert result.exception.next_step


@pytest.fixture
def site(folder: Path) -> Iterator[Site]:
    accounts = [{"name": name, "role": role, "password_hash": hashed()} for name, role in PEOPLE.items()]
    with serve_review(folder, Settings.model_validate(SETTINGS | {"review": {"accounts": accounts}})) as served:
        yield served


def test_the_page_shows_and_corrects_without_javascript(site: Site, store: DecisionStore):
    ann = site.person("ann")
    listed = Page(ann.get("/users").text)
    assert listed.faults == []
    assert listed.links["Bo Li"] == f"/users/{BO}"
    assert "Una Eide" not in listed.links
    assert {"Una Eide", "Bo Li"} <= Page(ann.get("/users?show=all").text).links.keys()

    path = f"/users/{BO}"
    page = Page(ann.get(path).text)
    assert page.faults == []
    form = page.form(path)
    assert [tag["value"] for name, tag in page.tags if name == "input" and tag.get("type") == "radio"] == ["u2", "u3"]
    found = Page(ann.get(path + "?q=una").text)
    assert "u1" in [tag.get("value") for name, tag in found.tags if name == "input"]

    sent = form.fields | {"own_id": "u3", "act": "map", "reason": "asked her"}
    assert ann.post(path, sent).headers["location"] == "/users"
    assert "u3 from the next run on" in ann.get("/users").text
    slower = site.person("bo").post(path, sent | {"csrf": site.person("bo").token()})
    assert slower.status_code == 403  # another session's token
    bo = site.person("bo")
    assert bo.post(path, sent | {"csrf": bo.token()}).status_code == 409
    (made,) = mapping_versions(store, BO)
    assert (made.own_id, made.decided_by, made.reason) == ("u3", "ann", "asked her")
    assert "asked her" in ann.get(path).text
    assert "user mapped" in site.person("eve").get("/audit").text


def test_the_page_keeps_to_roles_tokens_and_what_exists(site: Site, store: DecisionStore):
    path, ann, vic = f"/users/{BO}", site.person("ann"), site.person("vic")
    assert 'method="post" action="/users' not in vic.get(path).text
    assert vic.act(path, version="0", own_id="u2", act="map").status_code == 403
    assert ann.post(path, {"version": "0", "own_id": "u2", "act": "map"}).status_code == 403
    for wrong in ({"act": "map"}, {"act": "map", "own_id": "u9"}, {"act": "erase"}, {"act": "map", "version": "x"}):
        assert ann.act(path, **{"version": "0", **wrong}).status_code == 409
    assert ann.get("/users/005").status_code == 404
    assert ann.act(f"/users/{HAND}", version="0", act="unmap").status_code == 409
    assert mapping_versions(store, BO) == ()
    text = ann.get("/users?show=all").text
    assert HOSTILE not in text
    assert "users.by_hand" in ann.get(f"/users/{HAND}").text
