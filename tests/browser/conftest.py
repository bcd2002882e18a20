"""``make ui`` as a person has it: a home without a run, the UI in Chromium, and a run launched from its launchpad."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from apps.demo_org.generate import generate_demo
from tests.browser.ensure_chromium import find_chromium

ACCOUNTS = 120
ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PAGE_SECONDS = 240
#: A UI stands still that has worked for less than so many CPU seconds in so many seconds: idle it needs a tenth of it.
WORK, STILL_SECONDS = 4, 90
#: CPU seconds in which it must be ready: ten times what a start or a run needs.
ENOUGH = 300


@dataclass(frozen=True)
class ServedUi:
    """A running ``python -m apps.ui``: where it answers, what it wrote and its process."""

    url: str
    log: Path
    process: subprocess.Popen[bytes]

    def wait_until(self, ready: Callable[[], bool], otherwise: str) -> None:
        """Wait for something of the UI, however slow the machine is, as long as its processes work on it."""
        began = worked = self._worked()
        since = time.monotonic()
        while not ready():
            if (now := self._worked()) >= worked + WORK:
                worked, since = now, time.monotonic()
            still = self.process.poll() is not None or time.monotonic() - since > STILL_SECONDS
            if still or worked - began > ENOUGH:
                raise AssertionError(f"{otherwise}:\n{self.log.read_text()[-4000:]}")
            time.sleep(0.5)

    def _worked(self) -> float:
        """CPU seconds of the UI and all it started."""
        used = 0.0
        for member in [found := psutil.Process(self.process.pid), *found.children(recursive=True)]:
            with suppress(psutil.Error):
                used += sum(member.cpu_times()[:4])
        return used


@pytest.fixture(scope="session")
def ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedUi]:
    """The UI on a small demo org, in a home in which nothing has run."""
    home = tmp_path_factory.mktemp("ui")
    generate_demo(home / "demo" / "org", accounts=ACCOUNTS, seed=11)
    port = _free_port()
    environment = os.environ | {"CROSSWALK_HOME": str(home), "DAGSTER_PORT": str(port), "COLUMNS": "200"}
    log = home / "ui.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "apps.ui"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            preexec_fn=_take_interrupts,
        )
    try:
        served = ServedUi(f"http://127.0.0.1:{port}", log, process)
        served.wait_until(lambda: "Dagster UI: http" in log.read_text(), "the UI did not start")
        yield served
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.wait(60)


def _take_interrupts() -> None:
    # A shell's background job ignores SIGINT and hands that down; a terminal's Ctrl-C is taken.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def browser() -> Iterator[BrowserContext]:
    """A Chromium of our own, wide enough for the UI not to fold; its pages share one cache."""
    expect.set_options(timeout=PAGE_SECONDS * 1000)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM)
        context = chromium.new_context(viewport={"width": 1600, "height": 1000})
        context.set_default_timeout(PAGE_SECONDS * 1000)
        yield context
        chromium.close()


@pytest.fixture(scope="session")
def run_id(ui: ServedUi, browser: BrowserContext) -> str:
    """A weekly full sync, launched in the launchpad and seen to succeed."""
    page = browser.new_page()
    page.goto(f"{ui.url}/locations/crosswalk/jobs/weekly_full_sync/playground")
    page.get_by_role("button", name="Launch Run").click()
    page.wait_for_url(re.compile("/runs/[0-9a-f-]{36}"))
    found = re.search("/runs/([0-9a-f-]{36})", page.url)
    assert found
    ended = page.get_by_text("Success", exact=True).or_(page.get_by_text("Failure", exact=True)).first
    ui.wait_until(ended.is_visible, "the run did not end")
    assert ended.inner_text() == "Success", ui.log.read_text()[-4000:]
    page.close()
    return found[1]


@pytest.fixture
def page(browser: BrowserContext) -> Iterator[Page]:
    """A fresh page."""
    opened = browser.new_page()
    yield opened
    opened.close()
