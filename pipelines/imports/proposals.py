"""``imports.creation_proposal``: unmatched records with enough on them to become a reference entity."""

from pathlib import Path

import duckdb

from data_contracts.contracts import load_contract, quoted
from data_contracts.mapping import ENTITY, MappedObject
from pipelines.run import RunContext
from pipelines.tables import ensure_table, scalar, table_columns, transaction

_FOLDER = Path(__file__).parent
_COLUMNS = (
    *("name", "first_name", "last_name", "website", "email", "phone", "mobile"),
    *("street", "city", "state", "postal_code", "country"),
)


def build_creation_proposals(con: duckdb.DuckDBPyConnection, object_name: MappedObject, run: RunContext) -> int:
    """Bring the proposals of one object up to ``imports.<object>`` and return how many await a decision.

    A record is proposed when it is unmatched, has a name and at least one of website, phone, e-mail, address, and
    is not a converted lead. Decided proposals stay; undecided ones go with their reason to be.
    """
    mapped = table_columns(con, f"imports.{object_name}")
    columns = [
        f"i.{quoted(name)}::VARCHAR AS {name}" if name in mapped else f"NULL::VARCHAR AS {name}" for name in _COLUMNS
    ]
    lead = "IsConverted" in table_columns(con, f"salesforce.{object_name}")
    converted = "AND NOT coalesce(s.IsConverted, FALSE)" if object_name == "lead" and lead else ""
    ensure_table(con, load_contract("imports.creation_proposal"))
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE import_unmatched AS SELECT i.salesforce_id, {', '.join(columns)} "
        f"FROM imports.{object_name} AS i JOIN salesforce.{object_name} AS s ON s.Id = i.salesforce_id "
        f"WHERE i.data_status = 'no match' {converted}"
    )
    key = {"object": object_name}
    stamp = {"run_id": run.run_id, "at": run.started_at.replace(tzinfo=None), "entity": ENTITY[object_name]}
    con.execute((_FOLDER / "proposals.sql").read_text(encoding="utf-8"), key | stamp)
    with transaction(con):
        con.execute("DELETE FROM imports.creation_proposal WHERE object = $object AND status = 'proposed'", key)
        con.execute("INSERT INTO imports.creation_proposal BY NAME SELECT * FROM import_proposed")
    con.execute("DROP TABLE import_proposed")
    con.execute("DROP TABLE import_unmatched")
    waiting = "SELECT count(*) FROM imports.creation_proposal WHERE object = $object AND status = 'proposed'"
    return scalar(con, waiting, key)
