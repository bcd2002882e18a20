"""What people decided, as the resolver needs it: pairs that link and pairs that are forbidden.

The decisions are mirrored in ``match.decision`` by ``decisions.py``; nothing is written to it here.
"""

from pathlib import Path

import duckdb

from data_contracts.contracts import load_contract
from pipelines.resolve.decisions import IN_FORCE
from pipelines.resolve.evidence import mark_changed
from pipelines.resolve.sides import Sides
from pipelines.run import RunContext
from pipelines.succession import passed_on
from pipelines.tables import table_columns

_SQL = Path(__file__).parent / "judgements.sql"
_INHERITED = Path(__file__).parent / "inherited.sql"
_VANISHED = Path(__file__).parent / "vanished.sql"


def apply_judgements(con: duckdb.DuckDBPyConnection, sides: Sides, run: RunContext) -> int:
    """Create ``_decided`` (l, r, judgement, reason, decided_by, decided_at, links) and ``_forbidden`` (l, r).

    Also ``_inherited`` (l, r, judgement, decided_by, from_id, changed): judgements on records that were merged into a
    live one, or on leads converted to a live contact, and those whose evidence has ``changed``. They decide nothing:
    they put the pair before a person again. ``_vanished`` (l, reference_id, decided_by, decided_at) are the entities
    accepted last that the reference does not have any more.
    The run's start decides what has expired. Returns how many judgements count.
    """
    con.execute(load_contract("match.decision").ddl())
    mark_changed(con, sides.object, run)
    mine = {"object": sides.object, "at": run.started_at.replace(tzinfo=None)}
    for script in (_SQL, _VANISHED):
        con.execute(script.read_text(encoding="utf-8").replace("{in_force}", IN_FORCE), mine)
    con.execute("CREATE OR REPLACE TEMP TABLE _forbidden AS SELECT l, r FROM _decided WHERE judgement = 'negative'")
    inherited = _INHERITED.read_text(encoding="utf-8").replace("{in_force}", IN_FORCE)
    mirrored = table_columns(con, f"salesforce.{sides.object}")
    nobody = "SELECT NULL::VARCHAR AS object, NULL::VARCHAR AS id, NULL::VARCHAR AS to_id WHERE false"
    inherited = inherited.replace("{passed_on}", passed_on(con, sides.object) if mirrored else nobody)
    con.execute(inherited, mine)
    count: int = con.sql("SELECT count(*) FROM _decided").fetchall()[0][0]
    return count
