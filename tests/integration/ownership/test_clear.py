"""The third of three acts: clearing removes matches here, and the next run brings them back.

The first, not visible, is in ``test_search``; the second, switched off, in ``tests/pipeline/test_definitions``.
"""

from pathlib import Path

import pytest
from click.testing import CliRunner

from apps.cli.main import cli
from pipelines.clear import clear_matches, clearable
from pipelines.ownership import build_opportunity_ownership, build_ownership, build_search
from resources.salesforce import SalesforceOrg
from tests.support.org_tables import fetch, warehouse
from tests.support.review_home import ACCOUNTS, COMPANIES, OPPORTUNITIES, ReviewHome, aid, review_home

LINKS = "SELECT salesforce_id, status, reference_id, method FROM crosswalk.account ORDER BY 1"
IMPORTS = "SELECT reference_id, name, website FROM imports.company ORDER BY 1"
OWNED = "SELECT reference_id, salesforce_id, is_primary FROM ownership.account ORDER BY ALL"
SEARCH = "SELECT reference_id, in_crm, salesforce_ids FROM ownership.search ORDER BY ALL"
DERIVED = (LINKS, IMPORTS, OWNED, SEARCH)
KEPT = (
    "SELECT * FROM salesforce.account ORDER BY 1",
    "SELECT * FROM match.decision ORDER BY ALL",
    "SELECT * FROM reference.company ORDER BY 1",
)


def _run(house: ReviewHome) -> list[list[tuple[object, ...]]]:
    run = house.run()
    with warehouse(house.home.root) as con:
        build_ownership(con, "account", house.settings, run)
        build_opportunity_ownership(con, house.settings, run)
        build_search(con, house.settings)
        return [fetch(con, query) for query in DERIVED]


def test_clear_asks_names_counts_and_is_undone_by_the_next_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def no_org(*_: object, **__: object) -> None:
        raise AssertionError("clear must not reach for Salesforce")

    monkeypatch.setattr(SalesforceOrg, "connect", no_org)
    monkeypatch.setenv("CROSSWALK_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with review_home(tmp_path) as house:
        house.load(company=COMPANIES, account=ACCOUNTS, opportunity=OPPORTUNITIES)
        house.store.record("account", aid(4), "c5", "positive", decided_by="ann")
        before = _run(house)
        assert ("c5", True, [aid(4)]) in before[-1]
        with warehouse(tmp_path) as con:
            kept = [fetch(con, query) for query in KEPT]
            counts = clearable(con, "account")
        assert {"crosswalk.account", "imports.account", "imports.company", "ownership.account"} <= counts.keys()

        refused = CliRunner().invoke(cli, ["clear", "account"], input="n\n")
        assert all(name in refused.output and f"{count:,}" in refused.output for name, count in counts.items())
        with warehouse(tmp_path) as con:
            assert [fetch(con, query) for query in DERIVED] == before

        cleared = CliRunner().invoke(cli, ["clear", "account"], input="y\n")
        assert cleared.exit_code == 0, cleared.output
        assert f"Removed {sum(counts.values()):,} rows" in cleared.output
        with warehouse(tmp_path) as con:
            assert [fetch(con, query) for query in DERIVED[:3]] == [[], [], []]
            assert {row[1] for row in fetch(con, SEARCH)} == {False}
            assert [fetch(con, query) for query in KEPT] == kept
            assert clear_matches(con, "account", house.settings) == {}
        assert _run(house) == before
