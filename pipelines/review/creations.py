"""What was created by hand: accepted proposals become rows of the reference, decided ones keep their status.

The decisions store is the truth: both are replayed by every run, so a warehouse built anew has them too.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from data_contracts.contracts import load_contract, quoted
from data_contracts.mapping import Entity, MappedObject
from pipelines.review.published import KEYS
from pipelines.run import RunContext
from pipelines.tables import ensure_table, scalar, transaction
from resources.decisions import DecisionStore
from resources.decisions_creations import Creation, creations

_FOLDER = Path(__file__).parent


def replay_creations(con: duckdb.DuckDBPyConnection, kind: Entity, store: DecisionStore) -> int:
    """Bring the rows of origin ``created`` in ``reference.<kind>`` up to the store; return how many there are.

    Call it when the source is loaded: an id the source has now stays the source's. What was taken back goes.
    """
    contract = load_contract(f"reference.{kind}")
    key = KEYS[kind]
    accepted = [one for one in creations(store) if one.kind == kind and one.status == "accepted"]
    gone = [one.reference_id for one in creations(store, withdrawn=True) if one.kind == kind]
    ours = [one.reference_id for one in accepted] + gone
    columns = [column for column in contract.columns if column.name not in (key, "origin")]
    values = ", ".join(f"TRY_CAST({quoted(c.name)} AS {c.type}) AS {quoted(c.name)}" for c in columns)
    with transaction(con):
        ensure_table(con, contract)
        con.execute(
            f"DELETE FROM {contract.relation} WHERE origin = 'created' AND {key} IN (FROM unnest($ids))", {"ids": ours}
        )
        if accepted:
            con.register("_created", _table(accepted, key, [column.name for column in columns]))
            con.execute(
                f"INSERT INTO {contract.relation} BY NAME SELECT {key}, {values}, 'created' AS origin FROM _created "
                f"ANTI JOIN {contract.relation} USING ({key})"
            )
            con.unregister("_created")
    return scalar(con, f"SELECT count(*) FROM {contract.relation} WHERE origin = 'created'")


def replay_proposals(con: duckdb.DuckDBPyConnection, name: MappedObject, store: DecisionStore, run: RunContext) -> int:
    """Give decided proposals of one object their status in ``imports.creation_proposal``; return how many there are.

    Those whose decision was taken back are proposed anew as long as the record is unmatched.
    """
    contract = load_contract("imports.creation_proposal")
    decided = [one for one in creations(store) if one.object == name]
    kept = {one.salesforce_id for one in decided}
    back = [one.salesforce_id for one in creations(store, withdrawn=True) if one.object == name]
    with transaction(con):
        ensure_table(con, contract)
        con.execute(
            f"DELETE FROM {contract.relation} WHERE object = $object AND salesforce_id IN (FROM unnest($ids)) "
            "AND status <> 'proposed'",
            {"object": name, "ids": sorted(set(back) - kept)},
        )
        if decided:
            con.register("_decided_proposals", _proposals(decided, run))
            for statement in (_FOLDER / "proposals_decided.sql").read_text(encoding="utf-8").split(";"):
                if statement.strip():
                    con.execute(statement)
            con.unregister("_decided_proposals")
            con.execute("DROP TABLE _newly_decided")
    return len(decided)


def _table(accepted: Iterable[Creation], key: str, columns: Sequence[str]) -> pa.Table:
    rows = [{**{name: one.values.get(name) for name in columns}, key: one.reference_id} for one in accepted]
    return pa.Table.from_pylist(rows, schema=pa.schema([(name, pa.string()) for name in (key, *columns)]))


def _proposals(decided: Iterable[Creation], run: RunContext) -> pa.Table:
    contract = load_contract("imports.creation_proposal")
    times = {"proposed_at", "decided_at"}
    rows = [_proposal(one, run) for one in decided]
    schema = [(c.name, pa.timestamp("us") if c.name in times else pa.string()) for c in contract.columns]
    return pa.Table.from_pylist(rows, schema=pa.schema(schema))


def _proposal(one: Creation, run: RunContext) -> dict[str, object]:
    moment = one.decided_at.replace(tzinfo=None)
    full = " ".join(part for part in (one.values.get("first_name"), one.values.get("last_name")) if part)
    told: dict[str, str | None] = {"object": one.object, "salesforce_id": one.salesforce_id, "status": one.status}
    told |= {"entity": one.kind, "reference_id": one.reference_id, "run_id": run.run_id}
    told |= {"decided_by": one.decided_by, "reason": one.reason}
    name = one.values.get("name") or full
    return {**one.values, **told, "name": name, "decided_at": moment, "proposed_at": moment}
