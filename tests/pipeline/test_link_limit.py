"""A sync that would change too many links: it fails before it publishes, and goes through when it is approved."""

import csv
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from apps.cli.approve import command as approve
from apps.cli.sync import SyncFailed
from tests.support.installation import Installation


def renumber(source: Path, target: Path) -> None:
    """Write the companies of ``source`` with new ids, as a vendor does who renumbers."""
    with source.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(row | {"company_id": f"new-{row['company_id']}", "parent_id": ""} for row in rows)


def published(installation: Installation) -> tuple[int, int]:
    found = installation.home.published.stat()
    return found.st_ino, found.st_mtime_ns


def test_the_snapshot_stays_until_somebody_approves(installation: Installation, org_files: Path) -> None:
    renumbered = installation.folder / "company.csv"
    renumber(org_files / "reference" / "company.csv", renumbered)
    settings = installation.settings.read_text().replace(f"{org_files}/reference/company.csv", str(renumbered))
    # An id that the org stores would tell them apart again.
    settings = settings.replace("{account: Reference_Company_Id__c}", "{}")
    installation.settings.write_text(settings)
    before = published(installation)

    with pytest.raises(SyncFailed) as stopped:
        installation.sync(full=False, objects=("account",))
    told = str(stopped.value)
    assert "the last published snapshot is untouched" in told
    assert "links would change, more than" in told
    assert "by reference" in told
    run_id = told.split("crosswalk approve ")[1].split(",")[0]
    assert published(installation) == before

    shown = CliRunner().invoke(approve, [run_id, "--by", "Ann"], catch_exceptions=False)
    assert shown.output.startswith("Approved: account: ")
    assert published(installation) == before

    outcome = installation.sync(full=False, objects=("account",))
    assert outcome.success
    with duckdb.connect(str(installation.home.published), read_only=True) as con:
        moved = con.execute(
            "SELECT count(*) FROM ops.link_change WHERE run_id = ? AND change = 'moved' AND cause = 'reference'",
            [outcome.run_id],
        ).fetchall()[0][0]
        assert moved > 50
        kept = con.sql("SELECT run_id, object, approved_by, closed_by_run FROM ops.link_approval").fetchall()
        assert kept == [(run_id, "account", "Ann", outcome.run_id)]
        failed = con.execute("SELECT status, message FROM ops.sync_run WHERE run_id = ?", [run_id]).fetchall()[0]
        assert failed[0] == "failed"
        assert "crosswalk approve" in failed[1]
        segments = con.execute(
            "SELECT DISTINCT segment FROM ops.link_segment WHERE run_id = ? AND object = 'account'", [outcome.run_id]
        ).fetchall()
        assert {"country", "owner"} <= {row[0] for row in segments}
        model = "SELECT model FROM ops.run_statistics WHERE run_id = ? AND object = 'account'"
        assert con.execute(model, [outcome.run_id]).fetchall()[0][0]
