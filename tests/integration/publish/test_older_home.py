"""A home that an earlier version made: its tables are brought up to date by the steps of a run, and nothing is lost."""

from datetime import UTC, datetime
from pathlib import Path

import duckdb

from data_contracts.contracts import contract_names, load_contract
from pipelines.extract.state import prepare_state
from pipelines.publish.history import record_history
from pipelines.publish.run_record import begin_run
from pipelines.run import RunContext
from pipelines.tables import ensure_table
from resources.home import Home
from tests.support.org_tables import warehouse
from tests.support.review_home import review_home

#: Made by the code of commit b1c01e4, and touched by no later one.
DUMP = Path(__file__).parents[2] / "data" / "warehouse_b1c01e4.sql"
LINKS = "SELECT salesforce_id, status, reference_id, linked_since FROM crosswalk.account ORDER BY ALL"
KEPT = ("ops.sync_run", "ops.link_change", "ops.record_event", "ops.reject", "ops.api_usage", "imports.change")


def test_it_opens_its_next_run_publishes_and_what_it_knew_stays(tmp_path: Path) -> None:
    run = RunContext("new", "full", datetime.now(UTC), "s")
    with warehouse(tmp_path) as con:
        con.execute(DUMP.read_text(encoding="utf-8"))
        links = con.sql(LINKS).fetchall()
        before = {name: con.sql(f"SELECT count(*) FROM {name}").fetchall()[0][0] for name in KEPT}
        # As the first step of a run does.
        begin_run(con, run)
        prepare_state(con)
        for name in contract_names():
            ensure_table(con, load_contract(name))
    assert len(links) == 4
    with review_home(tmp_path) as made:
        made.run()
        with warehouse(tmp_path) as con:
            begun = record_history(con, run)
        made.run()
    assert begun["ops.link_history"] == 12
    with duckdb.connect(str(Home(tmp_path).published), read_only=True) as con:
        now = {row[0]: row[1:] for row in con.sql(LINKS).fetchall()}
        assert {key: now[key] for key, status, *_ in links if status == "linked"} == {
            key: tuple(rest) for key, *rest in links if rest[0] == "linked"
        }
        after = {name: con.sql(f"SELECT count(*) FROM {name}").fetchall()[0][0] for name in KEPT}
        assert {name: after[name] >= count for name, count in before.items()} == dict.fromkeys(KEPT, True)
        assert con.sql("SELECT count(*) FROM as_of(current_date)").fetchall() == [(12,)]
        for name in contract_names():
            there = {row[0] for row in con.sql(f"DESCRIBE {name}").fetchall()}
            assert {column.name for column in load_contract(name).columns} <= there, name
