"""Small files: the old one or the new one, for whom they are, and what a user hears when the machine refuses."""

import stat
from pathlib import Path

import pytest

from apps.cli import main
from resources.files import PRIVATE, write_atomically


@pytest.mark.parametrize("failing", ["os.fsync", "pathlib.Path.replace"])
def test_what_cannot_be_written_leaves_the_old_file_and_nothing_else(
    failing: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "kept.json"
    write_atomically(path, "old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(failing, full)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, "new")
    assert {item.name: item.read_text() for item in tmp_path.iterdir()} == {"kept.json": "old"}


def test_a_private_file_is_its_owners_alone_even_where_it_was_not_before(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("anybody's")
    path.chmod(0o644)
    write_atomically(path, "Ünïcode", PRIVATE)
    assert (path.read_text(encoding="utf-8"), stat.S_IMODE(path.stat().st_mode)) == ("Ünïcode", 0o600)


def test_a_full_disk_is_a_message_and_a_defect_is_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(error: OSError) -> None:
        raise error

    monkeypatch.setattr(main, "cli", lambda: fail(OSError(28, "No space left on device", "decisions.csv")))
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == 1
    assert "Error: cannot use decisions.csv: No space left on device" in capsys.readouterr().err
    monkeypatch.setattr(main, "cli", lambda: fail(OSError(9, "Bad file descriptor")))
    with pytest.raises(OSError, match="Bad file"):
        main.main()
