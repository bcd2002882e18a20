"""A process that publishes: run by the tests beside it, to be killed or read from while it works.

Arguments: home, run id, the stage to stop at (or ``-``), and how many times to publish. Every row of the warehouse
carries the run id, so that a torn snapshot shows.
"""

import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from data_contracts.contracts import load_contract
from data_contracts.settings import Publish
from pipelines.publish.run_record import begin_run, finish_run
from pipelines.publish.snapshot import publish_snapshot
from pipelines.run import RunContext
from resources.home import Home
from resources.warehouse import Warehouse

ROWS = 2_000
TABLES = ("salesforce.account", "salesforce.contact")


def fill(con: duckdb.DuckDBPyConnection, run_id: str, rows: int = ROWS) -> None:
    """Replace the rows of two tables by rows of this run, as a full sync does."""
    for name in TABLES:
        contract = load_contract(name)
        con.execute(contract.ddl(replace=True))
        for statement in contract.comments():
            con.execute(statement)
        con.execute(
            f"INSERT INTO {contract.relation} BY NAME SELECT lpad(i::VARCHAR, 18, '0') AS Id, 'x' || i AS Name, "
            "false AS _is_deleted, now()::TIMESTAMP AS _synced_at, ? AS _run_id FROM range(?) t(i)",
            [run_id, rows],
        )


def main() -> None:
    """Publish, telling each stage on standard output, and wait for ever at the stage asked for."""
    root, run_id, stop_at, times = sys.argv[1:]

    def on_stage(stage: str) -> None:
        sys.stdout.write(f"{stage}\n")
        sys.stdout.flush()
        if stage == stop_at:
            time.sleep(600)

    home = Home(Path(root))
    home.prepare()
    with home.lock("publish"), Warehouse(home.warehouse).connect() as con:
        for number in range(int(times)):
            run = RunContext(f"{run_id}{number}", "full", datetime.now(UTC))
            begin_run(con, run)
            fill(con, run.run_id)
            publish_snapshot(con, home, Publish(schemas=("salesforce", "ops"), keep=2), run, on_stage=on_stage)
            finish_run(con, run, "succeeded")


if __name__ == "__main__":
    main()
