"""What ``benchmarks.extraction`` measures, each run as a process of its own so that CPU and memory are its alone.

Reads its order as JSON from the last argument and writes what only it knows as one JSON line. Choosing what to run
and putting the figures side by side is ``extraction``.
"""

import json
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from string import Template
from typing import Any

OBJECT = "account"


def generate(order: dict[str, Any]) -> dict[str, Any]:
    """Write ``Account.csv``."""
    import duckdb

    sql = Template((Path(__file__).parent / "accounts.sql").read_text())
    with duckdb.connect() as con:
        con.execute(sql.substitute(rows=order["rows"], path=order["path"])).fetchall()
    return {}


def ours(order: dict[str, Any]) -> dict[str, Any]:
    """One whole extraction of Crosswalk: describe, submit, wait, download, load with every proof."""
    from data_contracts.settings import Settings
    from pipelines.extract import download_object, load_object, refresh_schema, submit_jobs
    from pipelines.run import RunContext
    from resources.home import Home
    from resources.salesforce import SalesforceOrg
    from resources.warehouse import Warehouse

    home = Home(Path(order["home"]))
    home.prepare()
    chosen: dict[str, Any] = {name: {"enabled": name == OBJECT} for name in Settings().objects}
    limits = {"records": {OBJECT: max(order["rows"], 1)}}
    settings = Settings.model_validate({"objects": chosen, "limits": limits})
    run = RunContext(datetime.now(UTC).strftime("run-%Y%m%dT%H%M%S%f"), order["kind"], datetime.now(UTC))
    warehouse = Warehouse(home.warehouse, order["memory"])
    org = SalesforceOrg.connect(settings.connection, os.environ, store=None)
    clock = Clock()
    with warehouse.connect() as con:
        refresh_schema(con, org, [OBJECT], run)
        plan = submit_jobs(con, org, home, settings, run)
    clock.lap("submit")
    chosen_plan = plan.require(OBJECT)
    job = json.loads((home.landing / chosen_plan.landing / "manifest.json").read_text())["job_id"]
    if job:
        org.bulk.wait(job)
    clock.lap("wait")
    download_object(org, home, chosen_plan)
    clock.lap("download")
    with warehouse.connect() as con:
        result = load_object(con, home, settings, chosen_plan, run)
    clock.lap("load")
    with warehouse.connect() as con:
        asked = "SELECT endpoint, sum(calls)::BIGINT FROM ops.api_usage WHERE run_id = ? GROUP BY ALL ORDER BY ALL"
        calls = dict(con.execute(asked, [run.run_id]).fetchall())
    return {
        "fetched": result.fetched, "changed": result.changed, "api_calls": calls, "stages": clock.laps,
        "landing": chosen_plan.landing,
    }  # fmt: skip


def floor(order: dict[str, Any]) -> dict[str, Any]:
    """Read gzip pages that lie on the local disk into a typed table, with no check of anything."""
    _load(sorted(Path(order["pages"]).glob("*.csv.gz")), order)
    return {}


def simple_salesforce(order: dict[str, Any]) -> dict[str, Any]:
    """simple-salesforce's own Bulk 2.0 download, then the very load of the floor."""
    from simple_salesforce import Salesforce

    # requests prefers this variable to a session's own setting.
    os.environ["REQUESTS_CA_BUNDLE"] = os.environ["SALESFORCE_CA_BUNDLE"]
    org = Salesforce(session_id=order["token"], instance_url=os.environ["SALESFORCE_INSTANCE_URL"], version="62.0")
    folder = Path(order["folder"])
    folder.mkdir()
    fields = ", ".join(field["name"] for field in order["fields"])
    clock = Clock()
    org.bulk2.Account.download(f"SELECT {fields} FROM Account", path=str(folder))
    clock.lap("download")
    _load(sorted(folder.iterdir()), order)
    clock.lap("load")
    return {"stages": clock.laps}


def _load(files: list[Path], order: dict[str, Any]) -> None:
    import duckdb

    names = [(field["name"], field["type"]) for field in order["fields"]]
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in names)
    table = ", ".join(f'"{name}" {kind}' for name, kind in names)
    paths = ", ".join(f"'{path}'" for path in files)
    config = {"memory_limit": order["memory"], "preserve_insertion_order": False}
    with duckdb.connect(order["database"], config=config) as con:
        con.execute(f"CREATE TABLE account ({table})").fetchall()
        con.execute(
            f"INSERT INTO account SELECT * FROM read_csv([{paths}], columns={{{columns}}}, header=true, "
            "auto_detect=false, delim=',', quote='\"', escape='\"', nullstr='')"
        ).fetchall()
        loaded = con.execute("SELECT count(*) FROM account").fetchall()[0][0]
    if loaded != order["rows"]:
        raise SystemExit(f"{loaded} rows instead of {order['rows']}")


class Clock:
    """Seconds and CPU seconds of one stage after another."""

    def __init__(self) -> None:
        self.laps: dict[str, dict[str, float]] = {}
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def lap(self, name: str) -> None:
        """End a stage."""
        wall, cpu = time.perf_counter(), time.process_time()
        self.laps[name] = {"seconds": round(wall - self._wall, 3), "cpu_seconds": round(cpu - self._cpu, 3)}
        self._wall, self._cpu = wall, cpu


STEPS = {step.__name__: step for step in (generate, ours, floor, simple_salesforce)}

if __name__ == "__main__":
    print(json.dumps(STEPS[sys.argv[1]](json.loads(sys.argv[2]))))
