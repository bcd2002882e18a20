"""Every test that docs/compared.md names exists."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
NAMED = re.compile(r"`(test_\w+\.py)::(test_\w+)`")


def test_every_complaint_has_a_test_that_exists() -> None:
    page = (ROOT / "docs" / "compared.md").read_text()
    named = set(NAMED.findall(page))
    there: set[tuple[str, str]] = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        there |= {(path.name, name) for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)}
    assert sorted(named - there) == []
    assert len(named) > 60


def test_no_row_is_without_a_test() -> None:
    page = (ROOT / "docs" / "compared.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("|") and not line.startswith("|---")]
    without = [line for line in rows if not NAMED.search(line) and "Our test" not in line]
    assert without == []
    assert len(rows) > 50
