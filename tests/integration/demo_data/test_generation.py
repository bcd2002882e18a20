"""Equal arguments give equal bytes, other arguments other data, and any size can be asked for."""

import csv
import datetime as dt
import hashlib
from pathlib import Path

import pytest
from click.testing import CliRunner

from apps.demo_org.generate import DemoSummary, generate_demo
from apps.demo_org.generate.__main__ import main
from apps.demo_org.generate.build import FILES
from data_contracts.errors import SettingsError

AS_OF = dt.date(2026, 3, 1)


def digests(folder: Path) -> dict[str, str]:
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in FILES}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_equal_seeds_give_equal_bytes_whatever_the_threads_and_memory(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    generate_demo(one, accounts=400, as_of=AS_OF, threads=1, memory_limit="400MB")
    generate_demo(two, accounts=400, as_of=AS_OF, threads=4)
    assert digests(one) == digests(two)


def test_another_seed_gives_other_companies_in_the_same_files(tmp_path: Path, demo: DemoSummary) -> None:
    summary = generate_demo(tmp_path, accounts=200, as_of=AS_OF, seed=demo.seed + 1)
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert found == set(FILES) == set(summary.rows)
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {"reference", "truth"}
    names = [{row["name"] for row in rows(folder / "reference/company.csv")} for folder in (tmp_path, demo.folder)]
    assert len(names[0] & names[1]) < 20


def test_a_tiny_org_has_the_sizes_asked_for(tmp_path: Path) -> None:
    summary = generate_demo(tmp_path, accounts=1, as_of=AS_OF)
    for name in ("Account", "Contact", "Lead"):
        assert summary.rows[f"{name}.csv"] == 1
    assert summary.rows["reference/company.csv"] == 1
    assert summary.rows["reference/person.csv"] == 2


def test_objects_are_sized_one_by_one_and_dated_before_as_of(tmp_path: Path) -> None:
    leap_day = dt.date(2024, 2, 29)
    summary = generate_demo(
        tmp_path, accounts=500, contacts=0, leads=0, opportunities=40, companies=900, people=0, as_of=leap_day
    )
    sizes = [summary.rows[f"{name}.csv"] for name in ("Account", "Contact", "Lead", "Opportunity")]
    assert sizes == [500, 0, 0, 40]
    assert (summary.rows["reference/company.csv"], summary.rows["reference/person.csv"]) == (900, 0)
    assert rows(tmp_path / "Contact.csv") == []
    assert summary.rows["truth/contact.csv"] == 0
    newest = max(row["SystemModstamp"] for row in rows(tmp_path / "Account.csv"))
    assert "2024-02-01" < newest[:10] < leap_day.isoformat()


def test_the_command_writes_a_demo_and_says_what(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["--out", str(tmp_path), "--size", "150", "--as-of", "2026-03-01"])
    assert result.exit_code == 0
    assert "Account.csv" in result.output
    assert len(rows(tmp_path / "Account.csv")) == 150


def test_the_command_refuses_too_much_in_words(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["--out", str(tmp_path), "--size", "3000000"])
    assert result.exit_code == 1
    assert "3,000,000 accounts" in result.output
    assert "Traceback" not in result.output
    with pytest.raises(SettingsError):
        generate_demo(tmp_path, accounts=3_000_000)
