"""The published side of resolution: ``match.*_candidate``, ``crosswalk.*``, ``ops.link_change``.

What the verdict on a record is, is decided in ``candidate.sql`` and ``decide.sql``; here it is written down.
"""

from pathlib import Path
from typing import Any

import duckdb

from data_contracts.contracts import TableContract, load_contract
from data_contracts.settings import Matching
from pipelines.resolve.active import weigh_questions
from pipelines.resolve.learning import learned_weight
from pipelines.resolve.met import met_pairs
from pipelines.resolve.model import Model
from pipelines.resolve.scripts import run_script
from pipelines.resolve.sides import Sides
from pipelines.run import RunContext

_SQL = Path(__file__).parent
#: Stated for a rung that only one entity satisfies, until decisions measure its precision.
RUNG_PROBABILITY = 0.99
#: The configured orders that break ties, as SQL.
TIES = {
    "match_weight": "match_weight DESC NULLS LAST",
    "same_country": "same_country DESC",
    "employees": "employees DESC NULLS LAST",
    "reference_id": "reference_id",
}


#: Every pair that is considered: those that share a key, those a rung proposes, those a person did not reject.
_CONSIDERED = (
    "(SELECT l, r FROM _pair UNION SELECT l, r FROM _rung_hit UNION SELECT l, r FROM _decided "
    "WHERE judgement <> 'negative' UNION SELECT l, r FROM _inherited WHERE judgement = 'positive')"
)


def judge(con: duckdb.DuckDBPyConnection, sides: Sides, matching: Matching, model: Model | None = None) -> None:
    """Create ``_considered`` (ranked candidates) and ``_outcome`` (status, reason, entity) for every live record.

    ``model`` is asked for what it learnt from decisions; ``_teaching`` says what a decision on each pair would teach.
    """
    ties = ", ".join([*(TIES[name] for name in matching.ties if name in TIES), "reference_id"])
    no_key = (
        "coalesce(n.name_clean, n.domain, n.phone) IS NULL"
        if sides.kind == "company"
        else "coalesce(n.last_name_clean, n.first_name_clean, n.email_clean, n.phone, n.mobile) IS NULL"
    )
    run_script(
        con,
        "candidate.sql",
        certain=RUNG_PROBABILITY,
        replace={"ties": ties, "met": met_pairs(sides, _CONSIDERED), "learned": learned_weight(model)},
    )
    run_script(
        con,
        "decide.sql",
        link=matching.thresholds.link,
        review=matching.thresholds.review,
        margin=matching.thresholds.ambiguity_margin,
        auto_link=matching.auto_link,
        entities=sides.right,
        replace={"no_key": no_key},
    )
    weigh_questions(con, model)


def write_candidates(con: duckdb.DuckDBPyConnection, sides: Sides) -> int:
    """Write ``match.<object>_candidate``; return its rows."""
    contract = load_contract(f"match.{sides.object}_candidate")
    source = "_considered LEFT JOIN _teaching USING (l, r)"
    have = {row[0] for row in con.sql(f"DESCRIBE FROM {source}").fetchall()}
    wanted = ", ".join(column.name for column in contract.columns if column.name in have)
    return _write(con, contract, f"SELECT {wanted} FROM {source}")


def write_crosswalk(con: duckdb.DuckDBPyConnection, sides: Sides, run: RunContext) -> int:
    """Write ``crosswalk.<object>`` with every record, and what changed since the last run; return its rows."""
    contract = load_contract(f"crosswalk.{sides.object}")
    con.execute(contract.ddl())
    con.execute(
        "CREATE OR REPLACE TEMP TABLE _previous AS SELECT salesforce_id, linked_since, "
        "CASE WHEN status = 'linked' THEN reference_id END AS reference_id, "
        f"CASE WHEN status = 'linked' THEN method END AS method FROM {contract.relation}"
    )
    company, join, successor = "", "", "heir_entity.id"
    if sides.object != "account":
        company = (
            "k.company_id AS company_reference_id, k.method AS company_method, k.probability AS company_probability, "
            "coalesce(k.reason, d.reason, 'not standardised in this run') AS company_reason, "
        )
        join = 'LEFT JOIN _company_link k ON k.salesforce_id = s."Id"'
    if sides.object == "lead":
        company += (
            "a.account_id, d.contact_id AS converted_contact_id, d.account_id AS converted_account_id, "
            "d.opportunity_id AS converted_opportunity_id, "
        )
        join += ' LEFT JOIN _lead_account a ON a.salesforce_id = s."Id"'
        join += " LEFT JOIN crosswalk.contact x ON x.salesforce_id = d.contact_id AND x.status = 'linked'"
        successor = "coalesce(heir_entity.id, x.reference_id)"
    sql = (_SQL / "crosswalk.sql").read_text(encoding="utf-8")
    parts = {"object": sides.object, "company_join": join, "company": company, "successor": successor}
    for name, text in parts.items():
        sql = sql.replace("{" + name + "}", text)
    return _write(con, contract, sql, {"now": run.started_at.replace(tzinfo=None), "run_id": run.run_id})


def write_link_changes(con: duckdb.DuckDBPyConnection, sides: Sides, run: RunContext, *, same_model: bool) -> int:
    """Append to ``ops.link_change`` what was linked, unlinked or moved since the previous run; return how many.

    The cause is the decision, the reference or the model where that can be told, else the record's data. A run that is
    resumed does this step again over what it wrote itself: its changes are still those since the run before.
    """
    contract = load_contract("ops.link_change")
    con.execute(contract.ddl())
    mine = {"run_id": run.run_id, "object": sides.object}
    con.execute(
        "CREATE OR REPLACE TEMP TABLE _noted AS SELECT salesforce_id, old_reference_id, new_reference_id, cause "
        f"FROM {contract.relation} WHERE run_id = $run_id AND object = $object",
        mine,
    )
    con.execute(f"DELETE FROM {contract.relation} WHERE run_id = $run_id AND object = $object", mine)
    sql = (_SQL / "link_change.sql").read_text(encoding="utf-8").replace("{object}", sides.object)
    moment = {"now": run.started_at.replace(tzinfo=None)}
    con.execute(f"INSERT INTO {contract.relation} BY NAME {sql}", mine | moment | {"same_model": same_model})
    count: int = con.execute(
        f"SELECT count(*) FROM {contract.relation} WHERE run_id = $run_id AND object = $object", mine
    ).fetchall()[0][0]
    return count


def _write(
    con: duckdb.DuckDBPyConnection, contract: TableContract, select: str, parameters: dict[str, Any] | None = None
) -> int:
    con.execute(contract.ddl(replace=True))
    con.execute(f"INSERT INTO {contract.relation} BY NAME {select}", parameters or {})
    for statement in contract.comments():
        con.execute(statement)
    rows: int = con.sql(f"SELECT count(*) FROM {contract.relation}").fetchall()[0][0]
    return rows
