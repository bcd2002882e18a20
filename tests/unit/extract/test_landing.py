"""A landing folder never claims more than is on disk."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from data_contracts.errors import ExtractionError
from resources.landing import LandedField, LandedPage, LandingFolder, Manifest, folders, prune

NOW = datetime(2026, 1, 10, tzinfo=UTC)


def _manifest(**more: object) -> Manifest:
    values: dict[str, object] = {
        "org_id": "00D", "object": "account", "api_name": "Account", "purpose": "records", "kind": "full",
        "transport": "bulk", "soql": "SELECT Id FROM Account", "fields": [LandedField(name="Id", type="VARCHAR")],
        "api_version": "62.0", "match_key": "k", "restricted": False, "since": None, "until": NOW, "eligible": 3,
        "created_at": NOW, "selection_key": "s", "job_id": "750",
    }  # fmt: skip
    return Manifest.model_validate(values | more)


def _add(folder: LandingFolder, name: str, body: bytes, rows: int) -> None:
    (folder.path / name).write_bytes(body)
    digest = hashlib.sha256(body).hexdigest()
    folder.add_page(LandedPage(file=name, locator=name, next_locator="", rows=rows, bytes=len(body), sha256=digest))


def test_a_folder_reopens_as_it_was_left(tmp_path: Path) -> None:
    folder = LandingFolder.create(tmp_path, _manifest())
    assert not folder.manifest.complete
    folder.set_records(3)
    _add(folder, "a", b"aa", 2)
    assert not folder.manifest.complete
    _add(folder, "b", b"b", 1)
    folder.add_usage([("query", 1, 2, 3), ("query", 1, 0, 0)])
    again = LandingFolder.open(folder.path)
    assert again.manifest == folder.manifest
    assert again.manifest.complete
    assert again.manifest.usage["query"].calls == 2
    assert [entry.path for entry in folders(tmp_path, "account")] == [folder.path]


def test_an_empty_result_is_complete_without_pages(tmp_path: Path) -> None:
    folder = LandingFolder.create(tmp_path, _manifest())
    folder.set_records(0)
    assert folder.manifest.complete
    assert folder.page_files() == []


@pytest.mark.parametrize("damage", [b"", b"ax", b"aab", None])
def test_a_damaged_page_is_forgotten(damage: bytes | None, tmp_path: Path) -> None:
    folder = LandingFolder.create(tmp_path, _manifest(records=3))
    _add(folder, "a", b"aa", 2)
    _add(folder, "b", b"b", 1)
    if damage is None:
        (folder.path / "a").unlink()
    else:
        (folder.path / "a").write_bytes(damage)
    assert folder.drop_damaged_pages() == 1
    assert [page.file for page in LandingFolder.open(folder.path).manifest.pages] == ["b"]
    assert folder.drop_damaged_pages(lambda _: 7) == 1, "and one that holds other rows than announced"


def test_a_page_has_the_same_file_on_every_attempt(tmp_path: Path) -> None:
    folder = LandingFolder.create(tmp_path, _manifest())
    assert folder.page_target("MDow") == folder.page_target("MDow") != folder.page_target("")


def test_a_folder_without_a_manifest_is_not_one(tmp_path: Path) -> None:
    (tmp_path / "account" / "full-records-x-750").mkdir(parents=True)
    assert list(folders(tmp_path, "account")) == []
    with pytest.raises(ExtractionError, match="no readable manifest"):
        LandingFolder.open(tmp_path / "account" / "full-records-x-750")
    assert prune(tmp_path, 7, NOW) == 1


@pytest.mark.parametrize(
    ("more", "age_days", "removed"),
    [
        ({"loaded_at": NOW}, 6, 0),
        ({"loaded_at": NOW}, 8, 1),
        ({}, 6, 0),
        ({}, 7, 1),
        ({"abandoned": "why"}, 0, 1),
    ],
)
def test_prune(more: dict[str, object], age_days: int, removed: int, tmp_path: Path) -> None:
    LandingFolder.create(tmp_path, _manifest(**more))
    assert prune(tmp_path, 7, NOW + timedelta(days=age_days)) == removed
