"""Runs ``jsforce_checks.cjs`` and notes what it prints."""

import json
import os
import subprocess
from dataclasses import asdict
from pathlib import Path

from apps.demo_org.launch import DemoOrg
from tests.fidelity.report import Report

_CLIENT = "jsforce"
_SCRIPT = Path(__file__).with_name("jsforce_checks.cjs")


def run_jsforce(installed: Path, org: DemoOrg, report: Report) -> None:
    """Run every check against ``org`` with the jsforce that is in ``installed``."""
    environment = {**os.environ, "DEMO_ORG": json.dumps(asdict(org), default=str), "NODE_NO_WARNINGS": "1"}
    environment |= {"NODE_EXTRA_CA_CERTS": org.ca_file}
    done = subprocess.run(
        ["node", str(_SCRIPT)], cwd=installed, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    for line in lines:
        report.add(_CLIENT, line["area"], line["name"], line["message"])
    if done.returncode or not lines:
        report.not_run.append(f"{_CLIENT}: node ended with {done.returncode}: {done.stderr.strip()[-600:]}")
