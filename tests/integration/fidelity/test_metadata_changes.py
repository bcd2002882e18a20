"""Metadata is answered only if it changed, and a path of two slashes is served: what recorded clients rely on."""

from tests.support.replay import Replay

_DESCRIBE = "/services/data/v60.0/sobjects/Spaceship__c/describe"


def test_a_describe_is_304_until_the_object_changes(replay: Replay) -> None:
    first = replay.client.get(_DESCRIBE)
    known = {"If-Modified-Since": first.headers["Last-Modified"]}
    same = replay.client("GET", _DESCRIBE, headers=known)
    assert (same.status_code, same.content) == (304, b"")
    assert same.headers["ETag"] == first.headers["ETag"]
    replay.add_field("Spaceship__c", "Crew__c", "double")
    changed = replay.client("GET", _DESCRIBE, headers=known)
    assert changed.status_code == 200
    assert changed.headers["ETag"] != first.headers["ETag"]
    assert "Crew__c" in [field["name"] for field in changed.json()["fields"]]
    assert replay.client("GET", _DESCRIBE, headers={"If-Modified-Since": "no date"}).status_code == 200


def test_an_instance_url_that_ends_in_a_slash(replay: Replay) -> None:
    assert replay.client.get("//services/data/v60.0/limits").status_code == 200
    assert replay.client.get("/services//data/v60.0/limits").status_code == 404
