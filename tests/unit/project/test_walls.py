"""The walls of the project: which room may import which, where Dagster may be named, and what may stand in a file."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
# Each room with the rooms it may import from; the order is the design's, one way only.
ORDER = ["data_contracts", "resources", "pipelines", "assets", "schedules", "definitions"]
ALLOWED = {room: set(ORDER[: position + 1]) for position, room in enumerate(ORDER)}
ALLOWED["apps"] = {"apps", "definitions", "schedules", "pipelines", "resources", "data_contracts"}
MAY_NAME_DAGSTER = ("definitions.py", "schedules/", "assets/", "resources/wiring.py")


def tracked() -> list[str]:
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    return [name for name in names if name and (ROOT / name).is_file()]


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module.split(".")[0])
    return found


MODULES = [name for name in tracked() if name.endswith(".py") and not name.startswith(("tests/", "benchmarks/"))]


@pytest.mark.parametrize("name", MODULES)
def test_imports_point_one_way(name: str) -> None:
    room = name.split("/")[0].removesuffix(".py")
    ours = imports_of(ROOT / name) & (set(ORDER) | {"apps"})
    assert ours <= ALLOWED[room], f"{name} imports {sorted(ours - ALLOWED[room])}"


def test_dagster_is_named_where_it_is_wired() -> None:
    strangers = [
        name for name in MODULES if "dagster" in imports_of(ROOT / name) and not name.startswith(MAY_NAME_DAGSTER)
    ]
    assert strangers == []


def test_the_demo_data_and_the_pipelines_share_nothing() -> None:
    sharing = [
        name for name in MODULES
        if name.startswith(("apps/demo_org/generate", "apps/demo_org/store")) and "pipelines" in imports_of(ROOT / name)
    ]  # fmt: skip
    assert sharing == []


def test_the_top_level_is_the_one_the_user_fixed() -> None:
    folders = {name.split("/")[0] for name in tracked() if "/" in name}
    assert folders <= {
        "pipelines", "assets", "resources", "schedules", "data_contracts", "tests", "apps", "benchmarks", "docs", ".ci"
    }  # fmt: skip


def test_no_file_names_a_machine_or_a_package_index() -> None:
    wrong = re.compile(r"(?<![\w.])/(?:work|root|home/\w+)/|--(?:extra-)?index-url|pypi\.org|npmjs\.org")
    named = []
    for name in tracked():
        path = ROOT / name
        if path.suffix in {".png", ".csv", ".parquet"} or name == "tests/unit/project/test_walls.py":
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if wrong.search(line):
                named.append(f"{name}:{number}")
    assert named == []


def test_the_lock_pins_every_package_by_hash() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[a-z0-9])", text.strip())
    assert len(entries) > 100
    for entry in entries:
        assert "==" in entry.split()[0], entry.split()[0]
        assert "--hash=sha256:" in entry, entry.split()[0]


def test_dagster_packages_are_one_release_train() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    versions = dict(re.findall(r"^(dagster(?:-\w+)?)==(\S+)", text, re.MULTILINE))
    assert versions["dagster"] == versions["dagster-webserver"] == versions["dagster-graphql"] == "1.13.27"
    assert versions["dagster-postgres"] == "0.29.27"
