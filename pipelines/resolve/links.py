"""The published side of resolution: ``match.*_candidate``, ``crosswalk.*``, ``ops.link_change``.

What the verdict on a record is, is decided in ``candidate.sql`` and ``decide.sql``; here it is written down.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from data_contracts.contracts import TableContract, load_contract
from data_contracts.settings import Matching
from pipelines.resolve.active import weigh_questions
from pipelines.resolve.basis import Difference
from pipelines.resolve.candidates import key_kinds
from pipelines.resolve.learning import NOTHING_LEARNED, learned_weight
from pipelines.resolve.met import met_pairs
from pipelines.resolve.model import Model, none_sql
from pipelines.resolve.scripts import run_script
from pipelines.resolve.sides import Sides
from pipelines.run import RunContext
from pipelines.tables import table_columns

_SQL = Path(__file__).parent
#: Stated for a rung that only one entity satisfies, until decisions measure its precision.
RUNG_PROBABILITY = 0.99
#: The summed odds of a record's candidates before anything is learnt from people.
_BEFORE = "sum(pow(2, least(match_weight - weight_learned, 60)) ORDER BY r)"
#: The configured orders that break ties, as SQL.
TIES = {
    "match_weight": "match_weight DESC NULLS LAST",
    "same_country": "same_country DESC",
    "employees": "employees DESC NULLS LAST",
    "reference_id": "place",
}


#: A person's employer is evidence too: another one where the account's link is, with the cause of that.
_EMPLOYER = """
    SELECT m.salesforce_id, bool_or(old.place > $last OR new.place > $last) AS other,
        CASE WHEN any_value(p.company_id) IS DISTINCT FROM any_value(x.company_reference_id) THEN
            coalesce(any_value(a.cause) FILTER (a.cause IN ('reference', 'model', 'decision', 'settings')), 'data')
        END AS cause
    FROM _moved m
    LEFT JOIN _previous p USING (salesforce_id)
    LEFT JOIN crosswalk.{object} x USING (salesforce_id)
    LEFT JOIN standard.{object} s USING (salesforce_id)
    LEFT JOIN _merged_account g ON g.id = s.account_id
    LEFT JOIN ops.link_change a ON a.object = 'account' AND a.run_id = $run_id
        AND a.salesforce_id = coalesce(g.merged_into, s.account_id)
    LEFT JOIN _state.company_basis old ON old.id = p.company_id
    LEFT JOIN _state.company_basis new ON new.id = x.company_reference_id
    WHERE m.known
    GROUP BY m.salesforce_id"""
_NO_EMPLOYER = "SELECT NULL::VARCHAR AS salesforce_id, false AS other, NULL::VARCHAR AS cause WHERE false"


#: Accounts that are people take no part in the matching of companies.
_PERSONS = 'LEFT JOIN (SELECT salesforce_id FROM standard.account WHERE is_person) i ON i.salesforce_id = s."Id"'
_PERSON_OR_NOT = (
    "CASE WHEN i.salesforce_id IS NULL THEN 'not standardised in this run' "
    "ELSE 'a person account is no company: the person is matched as its contact' || {contact} END"
)
_PERSON_CODE = "CASE WHEN i.salesforce_id IS NOT NULL AND o.l IS NULL THEN 'person_account' ELSE 'no_key' END"


@dataclass(frozen=True)
class LinkChanges:
    """How many links of one cause were made, lost or moved, with the ids of a few of the records.

    ``known`` is whether the records were there in the run before and are in the mirror now: one that left the selection
    takes its link along.
    """

    cause: str
    change: str
    known: bool
    records: int
    examples: list[str]


def judge(con: duckdb.DuckDBPyConnection, sides: Sides, matching: Matching, model: Model | None = None) -> None:
    """Create ``_considered`` (ranked candidates) and ``_outcome`` (status, reason, entity) for every live record.

    ``model`` is asked for what it learnt from decisions; ``_teaching`` says what a decision on each pair would teach.
    """
    ties = ", ".join([*(TIES[name] for name in matching.ties if name in TIES), TIES["reference_id"]])
    no_key = (
        "coalesce(n.name_clean, n.domain, n.phone) IS NULL"
        if sides.kind == "company"
        else "coalesce(n.last_name_clean, n.first_name_clean, n.email_clean, n.phone, n.mobile) IS NULL"
    )
    learned = learned_weight(model)
    run_script(
        con,
        "candidate.sql",
        certain=RUNG_PROBABILITY,
        replace={
            "ties": ties,
            "met": met_pairs(con, sides),
            "learned": learned,
            "before": "sum(pair_odds ORDER BY r)" if learned == NOTHING_LEARNED else _BEFORE,
            "kinds": "[" + ", ".join(f"'{kind}'" for kind in key_kinds(sides.kind)) + "]",
            "none": none_sql(model),
        },
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


def write_candidates(con: duckdb.DuckDBPyConnection, sides: Sides, *, only: str | None = None) -> int:
    """Write ``match.<object>_candidate``; return its rows.

    ``only`` names a table (id) of the records whose candidates are written, those of the others stay.
    """
    contract = load_contract(f"match.{sides.object}_candidate")
    source = "_candidate LEFT JOIN _teaching USING (l, r)"
    have = {row[0] for row in con.sql(f"DESCRIBE FROM {source}").fetchall()}
    wanted = ", ".join(column.name for column in contract.columns if column.name in have)
    return _write(con, contract, f"SELECT {wanted} FROM {source}", only=only)


def write_crosswalk(con: duckdb.DuckDBPyConnection, sides: Sides, run: RunContext, *, only: str | None = None) -> int:
    """Write ``crosswalk.<object>`` with every record, and what changed since the last run; return its rows.

    ``only`` names a table (id) of the records whose rows are written, the others stay.
    """
    contract = load_contract(f"crosswalk.{sides.object}")
    con.execute(contract.ddl())
    con.execute(
        "CREATE OR REPLACE TEMP TABLE _previous AS SELECT salesforce_id, linked_since, "
        "CASE WHEN status = 'linked' THEN reference_id END AS reference_id, "
        "CASE WHEN status = 'linked' THEN method END AS method, "
        f"{'NULL' if sides.object == 'account' else 'company_reference_id'} AS company_id "
        f"FROM {contract.relation} {_of(only)}"
    )
    run_script(con, "heir.sql")
    company, join, successor, no_outcome = "", _PERSONS, "_heir.reference_id", _PERSON_CODE
    contact = """coalesce(' ' || s."PersonContactId", '')"""
    named = "PersonContactId" in table_columns(con, f"salesforce.{sides.object}")
    otherwise = _PERSON_OR_NOT.replace("{contact}", contact if named else "''")
    if sides.object != "account":
        no_outcome = "'no_key'"
        company = (
            "k.company_id AS company_reference_id, k.method AS company_method, k.probability AS company_probability, "
            "coalesce(k.reason, d.reason, 'not standardised in this run') AS company_reason, "
        )
        join, otherwise = 'LEFT JOIN _company_link k ON k.salesforce_id = s."Id"', "'not standardised in this run'"
    if sides.object == "lead":
        company += (
            "a.account_id, d.contact_id AS converted_contact_id, d.account_id AS converted_account_id, "
            "d.opportunity_id AS converted_opportunity_id, "
        )
        join += ' LEFT JOIN _lead_account a ON a.salesforce_id = s."Id"'
        join += " LEFT JOIN crosswalk.contact x ON x.salesforce_id = d.contact_id AND x.status = 'linked'"
        successor = "coalesce(_heir.reference_id, x.reference_id)"
    sql = (_SQL / "crosswalk.sql").read_text(encoding="utf-8")
    records = f'(FROM salesforce.{sides.object} WHERE "Id" IN (SELECT id FROM {only}))' if only else None
    parts = {
        "records": records or f"salesforce.{sides.object}",
        "object": sides.object,
        "company_join": join,
        "company": company,
        "successor": successor,
        "otherwise": otherwise,
        "no_outcome": no_outcome,
    }
    for name, text in parts.items():
        sql = sql.replace("{" + name + "}", text)
    return _write(con, contract, sql, {"now": run.started_at.replace(tzinfo=None), "run_id": run.run_id}, only=only)


def by_rung(con: duckdb.DuckDBPyConnection, name: str, codes: Iterable[str]) -> dict[str, int]:
    """Return how many records of ``crosswalk.<name>`` each rung links or proposes; 0 for those that found none."""
    rows = con.sql(f"SELECT rule_code, count(*) FROM crosswalk.{name} WHERE method = 'rule' GROUP BY 1").fetchall()
    return dict.fromkeys(codes, 0) | dict(rows)


def write_link_changes(
    con: duckdb.DuckDBPyConnection,
    sides: Sides,
    run: RunContext,
    difference: Difference,
    *,
    only: str | None = None,
) -> list[LinkChanges]:
    """Append to ``ops.link_change`` what was linked, unlinked or moved since the previous run; return how many of what.

    Comes after ``write_crosswalk`` and before ``write_candidates``: a cause may lie with an entity that was considered
    in the run before. A run that is resumed does this step again over what it wrote itself: its changes are still those
    since the run before. ``only`` names a table (id) of the records whose links were looked at.
    """
    relation = load_contract("ops.link_change").relation
    mine = {"run_id": run.run_id, "object": sides.object}
    con.execute(
        "CREATE OR REPLACE TEMP TABLE _noted AS SELECT salesforce_id, old_reference_id, new_reference_id, causes "
        f"FROM {relation} {_of(only)} WHERE run_id = $run_id AND object = $object",
        mine,
    )
    again = f"AND salesforce_id IN (SELECT id FROM {only})" if only else ""
    con.execute(f"DELETE FROM {relation} WHERE run_id = $run_id AND object = $object {again}", mine)
    employer = _NO_EMPLOYER if sides.kind == "company" else _EMPLOYER
    run_script(
        con,
        "link_change.sql",
        replace={
            "employer": employer.replace("{object}", sides.object),
            "object": sides.object,
            "kind": sides.kind,
            "candidates_before": f"match.{sides.object}_candidate",
            "only": _of(only),
        },
        now=run.started_at.replace(tzinfo=None),
        last=difference.last,
        known_basis=difference.known,
        new_model=difference.model,
        new_settings=difference.settings,
        new_version=difference.version,
        entities=difference.entities,
        **mine,
    )
    return [
        LinkChanges(*row)
        for row in con.sql(
            "SELECT cause, CASE WHEN old_reference_id IS NULL THEN 'made' WHEN new_reference_id IS NULL THEN 'lost' "
            "ELSE 'moved' END AS change, known AND s.salesforce_id IS NOT NULL AS known, count(*), "
            f"min(c.salesforce_id, 3) FROM _caused c LEFT JOIN crosswalk.{sides.object} s USING (salesforce_id) "
            "GROUP BY ALL ORDER BY ALL"
        ).fetchall()
    ]


def _of(only: str | None) -> str:
    """Return the join that leaves the records of a table (id)."""
    return f"SEMI JOIN {only} w ON w.id = salesforce_id" if only else ""


def _write(
    con: duckdb.DuckDBPyConnection,
    contract: TableContract,
    select: str,
    parameters: dict[str, Any] | None = None,
    *,
    only: str | None = None,
) -> int:
    if only:
        con.execute(f"DELETE FROM {contract.relation} WHERE salesforce_id IN (SELECT id FROM {only})")
    else:
        con.execute(contract.ddl(replace=True))
    con.execute(f"INSERT INTO {contract.relation} BY NAME {select}", parameters or {})
    for statement in [] if only else contract.comments():
        con.execute(statement)
    rows: int = con.sql(f"SELECT count(*) FROM {contract.relation}").fetchall()[0][0]
    return rows
