"""Installs the clients that come from npm, in a cache folder outside the project.

Belongs here: which versions, and where they lie. Nothing is installed twice.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

SALESFORCE_CLI: Final = "2.150.6"
JSFORCE: Final = "3.10.26"
#: undici 8, which both clients ask for, needs Node 22; version 7 serves them on Node 20.
_OVERRIDES: Final = {"undici": "^7"}
_JEST: Final = {
    "@babel/core": "^7.26.10",
    "@babel/plugin-transform-runtime": "^7.26.10",
    "@babel/preset-env": "^7.26.9",
    "@babel/preset-typescript": "^7.27.0",
    "@babel/runtime": "^7.27.0",
    "babel-jest": "29.7.0",
    "babel-preset-power-assert": "^3.0.0",
    "jest": "29.7.0",
    "power-assert": "^1.6.1",
    "through2": "^3.0.1",
}
_MINUTES = 15


class NotInstalled(Exception):
    """A client could not be had; the message says why and what to do."""


def cache_folder() -> Path:
    """Where clients are kept between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "crosswalk" / "fidelity"


def install_salesforce_cli() -> Path:
    """Return the folder of the official Salesforce CLI."""
    return _install(f"sf-{SALESFORCE_CLI}", {"@salesforce/cli": SALESFORCE_CLI})


def install_jsforce() -> Path:
    """Return a folder with jsforce and what its test suite needs."""
    return _install(f"jsforce-{JSFORCE}", {"jsforce": JSFORCE, **_JEST})


def _install(name: str, packages: dict[str, str]) -> Path:
    folder = cache_folder() / name
    if (folder / ".complete").exists():
        return folder
    if shutil.which("npm") is None:
        raise NotInstalled("npm is not on the PATH: install Node.js 20 or later (https://nodejs.org).")
    folder.mkdir(parents=True, exist_ok=True)
    manifest: dict[str, Any] = {"private": True, "overrides": _OVERRIDES, "dependencies": packages}
    (folder / "package.json").write_text(json.dumps(manifest, indent=1), "utf-8")
    command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_MINUTES * 60, check=False)
    if done.returncode:
        raise NotInstalled(f"npm could not install {', '.join(packages)}: {done.stderr.strip()[-800:]}")
    (folder / ".complete").touch()
    return folder
