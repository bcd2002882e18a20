"""A home says how it is laid out: an earlier one is taken over, a later one refused."""

import json
from pathlib import Path

import pytest

from data_contracts.errors import SettingsError
from resources.home import LAYOUT, Home


def test_a_home_is_noted_once_and_an_older_one_is_taken_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSWALK_HOME", str(tmp_path))
    (tmp_path / "warehouse.duckdb").write_bytes(b"of an earlier version")
    home = Home.from_environment()
    assert json.loads((home.root / "home.json").read_text()) == {"layout": LAYOUT}
    before = (home.root / "home.json").stat().st_mtime_ns
    Home.from_environment()
    assert (home.root / "home.json").stat().st_mtime_ns == before


def test_a_home_of_a_later_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSWALK_HOME", str(tmp_path))
    (tmp_path / "home.json").write_text(json.dumps({"layout": LAYOUT + 1}))
    with pytest.raises(SettingsError, match=rf"layout {LAYOUT + 1}[\s\S]*upgrade Crosswalk"):
        Home.from_environment()
