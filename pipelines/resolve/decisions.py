"""Replaying human decisions: the decisions store as it stands, copied into ``match.decision``.

What a judgement does to a link is decided where links are made, from ``IN_FORCE`` below.
"""

import duckdb

from data_contracts.contracts import load_contract
from pipelines.run import RunContext
from resources.decisions import DecisionStore

#: The judgement that holds per pair at ``$at``: the latest one neither taken back nor expired.
IN_FORCE = """
SELECT object, salesforce_id, reference_id, judgement, reason, decided_by, decided_at
FROM match.decision
WHERE withdrawn_at IS NULL AND (expires_at IS NULL OR expires_at > $at)
QUALIFY row_number() OVER (PARTITION BY object, salesforce_id, reference_id ORDER BY decided_at DESC, judgement) = 1
"""


def replay_decisions(con: duckdb.DuckDBPyConnection, store: DecisionStore, run: RunContext) -> int:
    """Replace ``match.decision`` with every judgement of the store, withdrawn ones too; return how many there are."""
    contract = load_contract("match.decision")
    decisions = store.export_arrow()
    con.register("_decisions_of_the_store", decisions)
    con.execute(contract.ddl(replace=True))
    con.execute("INSERT INTO match.decision BY NAME SELECT * FROM _decisions_of_the_store")
    con.unregister("_decisions_of_the_store")
    for statement in contract.comments():
        con.execute(statement)
    return int(decisions.num_rows)
