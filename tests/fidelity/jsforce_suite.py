"""jsforce's own end-to-end suite against the demo org, unmodified: ``test/*.test.ts`` of its repository.

Belongs here: where the suite comes from, how jest runs it, its results as checks. It is not part of the npm package.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from apps.demo_org.launch import DemoOrg
from tests.fidelity.npm import JSFORCE, NotInstalled, cache_folder
from tests.fidelity.report import Report

CLIENT: Final = "jsforce's suite"
#: A folder with a checkout of jsforce, for a machine that does not reach its repository.
SOURCE_VARIABLE: Final = "JSFORCE_SUITE"
_REPOSITORY: Final = "https://github.com/jsforce/jsforce.git"
#: What the demo org is measured by. Left out: Apex, metadata, streaming, tooling and other APIs it does not serve, and
#: tests that need no org. Those of bulk.test.ts (Bulk API 1) run in the two files that import it.
_FILES: Final = (
    "analytics",
    "bulk2",
    "connection-crud",
    "connection-meta",
    "connection-session",
    "oauth2",
    "query",
    "sobject",
)
_CONFIGURATION: Final = """
module.exports = {
  testMatch: ['**/test/*.test.ts'],
  setupFilesAfterEnv: ['./setup.js'],
  moduleNameMapper: { '^puppeteer$': '<rootDir>/no-browser.js' },
};
"""
#: Upstream waits two minutes for a test; an org on this machine answers or it does not.
_SETUP: Final = "Symbol.dispose ??= Symbol.for('nodejs.dispose'); jest.setTimeout(40000);"
_MINUTES = 15


def fetch_suite() -> Path:
    """Return a checkout of jsforce with its tests."""
    if given := os.environ.get(SOURCE_VARIABLE):
        if not (Path(given) / "test" / "query.test.ts").is_file():
            raise NotInstalled(
                f"{SOURCE_VARIABLE}={given} holds no checkout of jsforce (test/query.test.ts is missing)."
            )
        return Path(given)
    folder = cache_folder() / f"jsforce-source-{JSFORCE}"
    if (folder / "test").is_dir():
        return folder
    command = ["git", "clone", "--quiet", "--depth", "1", "--branch", JSFORCE, _REPOSITORY, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        shutil.rmtree(folder, ignore_errors=True)
        raise NotInstalled(
            f"{_REPOSITORY} cannot be cloned ({done.stderr.strip()[-300:]}). "
            f"Clone it elsewhere and run: {SOURCE_VARIABLE}=DIR make fidelity"
        )
    return folder


def run_suite(installed: Path, source: Path, org: DemoOrg, report: Report) -> None:
    """Run jest and note each test of the suite."""
    folder = installed / "suite"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(source / "test", folder / "test")
    shutil.copy(source / "babel.config.js", folder)
    (folder / "jest.config.js").write_text(_CONFIGURATION, "utf-8")
    (folder / "setup.js").write_text(_SETUP, "utf-8")
    (folder / "no-browser.js").write_text("module.exports = {};", "utf-8")
    results = folder / "results.json"
    jest = str(installed / "node_modules" / ".bin" / "jest")
    # One file after the other: two of them import bulk.test.ts, which writes and removes files of fixed names.
    command = [jest, "--forceExit", "--runInBand", "--json", f"--outputFile={results}"]
    command += [f"test/{name}.test.ts" for name in _FILES]
    environment = {**os.environ, "SF_LOGIN_URL": org.url, "SF_ACCESS_TOKEN": org.access_token}
    environment |= {"SF_USERNAME": org.username, "NODE_EXTRA_CA_CERTS": org.ca_file, "NODE_NO_WARNINGS": "1"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=_MINUTES * 60, check=False
    )
    if not results.exists():
        report.not_run.append(f"{CLIENT}: jest ended with {done.returncode}: {done.stderr.strip()[-600:]}")
        return
    _note(json.loads(results.read_text("utf-8")), report)


def _note(results: dict[str, list[dict[str, object]]], report: Report) -> None:
    for file in results["testResults"]:
        area = Path(str(file["name"])).name.removesuffix(".test.ts")
        tests = file["assertionResults"]
        assert isinstance(tests, list)
        if not tests:
            report.add(CLIENT, area, "the file runs", str(file["message"])[:600])
        for test in tests:
            if test["status"] in ("passed", "failed"):
                message = " ".join("".join(test["failureMessages"]).split())
                report.add(CLIENT, area, test["fullName"], message if test["status"] == "failed" else "")
