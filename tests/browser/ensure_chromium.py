"""Find a Chromium for the browser tests, or install one: the system's, else Playwright's own, else Debian's.

Prints nothing when one is there. Run by ``make test`` before pytest.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_chromium() -> str | None:
    """Return the path of a Chromium, or None: CROSSWALK_CHROMIUM, the PATH, then Playwright's download."""
    named = os.environ.get("CROSSWALK_CHROMIUM")
    if named:
        return named
    for name in NAMES:
        if path := shutil.which(name):
            return path
    return _playwright_chromium()


def _playwright_chromium() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).is_file() else None


def install() -> None:
    """Install Chromium: Debian's package where we may, else Playwright's own download."""
    if shutil.which("apt-get") and os.geteuid() == 0:
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], env=environment, check=False)
        subprocess.run(
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-dejavu-core"],
            env=environment,
            check=False,
            stdout=subprocess.DEVNULL,
        )
    if find_chromium() is None:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)


def main() -> int:
    """Make sure a Chromium is there; 1 with a message when none can be had."""
    if find_chromium() is None:
        install()
    if find_chromium() is None:
        print(
            "The browser tests need Chromium and none could be installed.\n"
            "Next: install the package chromium, or set CROSSWALK_CHROMIUM to a Chromium or Chrome.",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
