"""Replaying human decisions: the decisions store as it stands, copied into ``match.decision``.

What a judgement does to a link is decided where links are made, from ``IN_FORCE`` below. What spoke for each when it
was made is kept beside it in ``_state.decision_evidence``, which is never published.
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

#: Both sides of each judgement as JSON, by its number in the store.
EVIDENCE_DDL = (
    "CREATE {or_replace} TABLE {if_not_exists} _state.decision_evidence "
    "(decision_id BIGINT, record VARCHAR, entity VARCHAR)"
)


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
    _replay_evidence(con, store)
    return int(decisions.num_rows)


def _replay_evidence(con: duckdb.DuckDBPyConnection, store: DecisionStore) -> None:
    con.execute("CREATE SCHEMA IF NOT EXISTS _state")
    con.execute(EVIDENCE_DDL.format(or_replace="OR REPLACE", if_not_exists=""))
    for batch in store.export_evidence():
        con.register("_evidence_of_the_store", batch)
        con.execute("INSERT INTO _state.decision_evidence SELECT * FROM _evidence_of_the_store")
        con.unregister("_evidence_of_the_store")
