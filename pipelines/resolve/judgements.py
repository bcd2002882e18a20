"""What people decided, as the resolver needs it: pairs that link and pairs that are forbidden.

The decisions are mirrored in ``match.decision`` by ``decisions.py``; nothing is written to it here.
"""

from pathlib import Path

import duckdb

from data_contracts.contracts import load_contract
from pipelines.resolve.decisions import IN_FORCE
from pipelines.resolve.sides import Sides
from pipelines.run import RunContext

_SQL = Path(__file__).parent / "judgements.sql"


def apply_judgements(con: duckdb.DuckDBPyConnection, sides: Sides, run: RunContext) -> int:
    """Create ``_decided`` (l, r, judgement, reason, decided_by, decided_at, links) and ``_forbidden`` (l, r).

    The run's start decides what has expired. Returns how many judgements count.
    """
    con.execute(load_contract("match.decision").ddl())
    sql = _SQL.read_text(encoding="utf-8").replace("{in_force}", IN_FORCE)
    con.execute(sql, {"object": sides.object, "at": run.started_at.replace(tzinfo=None)})
    con.execute("CREATE OR REPLACE TEMP TABLE _forbidden AS SELECT l, r FROM _decided WHERE judgement = 'negative'")
    count: int = con.sql("SELECT count(*) FROM _decided").fetchall()[0][0]
    return count
