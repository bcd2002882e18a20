"""Running the SQL in order and writing the files: the only door to the generator."""

import datetime as dt
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import duckdb

from apps.demo_org.generate.plan import DemoPlan, make_plan
from apps.demo_org.generate.words import load_words

SQL = Path(__file__).parent / "sql"
#: Statements that build the world, in order.
WORLD = ("macros", "company", "slot", "person", "contact_row", "opportunity")
#: File written -> queries whose rows it holds (columns by name) and the columns it is ordered by.
FILES: dict[str, tuple[tuple[str, ...], str]] = {
    "Account.csv": (("account_company", "account_person"), '"Id"'),
    "Contact.csv": (("contact", "contact_person"), '"Id"'),
    "Lead.csv": (("lead",), '"Id"'),
    "Opportunity.csv": (("opportunity_out",), '"Id"'),
    "User.csv": (("user",), '"Id"'),
    "Group.csv": (("group",), '"Id"'),
    "Campaign.csv": (("campaign",), '"Id"'),
    "CampaignMember.csv": (("campaign_member",), '"Id"'),
    "OpportunityContactRole.csv": (("opportunity_contact_role",), '"Id"'),
    "Task.csv": (("task",), '"Id"'),
    "ListView.csv": (("list_view",), '"Id"'),
    "Report.csv": (("report",), '"Id"'),
    "reference/company.csv": (("reference_company",), "company_id"),
    "reference/person.csv": (("reference_person",), "person_id"),
    "truth/account.csv": (("truth_account",), "salesforce_id"),
    "truth/account_person.csv": (("truth_account_person",), "salesforce_id"),
    "truth/contact.csv": (("truth_contact",), "salesforce_id"),
    "truth/contact_company.csv": (("truth_contact_company",), "salesforce_id"),
    "truth/lead.csv": (("truth_lead",), "salesforce_id"),
    "truth/lead_company.csv": (("truth_lead_company",), "salesforce_id"),
    "truth/lead_account.csv": (("truth_lead_account",), "salesforce_id, account_id"),
}


@dataclass(frozen=True)
class DemoSummary:
    """What was written: the folder, the day the org was left, and rows per file (path below the folder)."""

    folder: Path
    seed: int
    as_of: dt.date
    rows: dict[str, int]


def generate_demo(
    folder: Path,
    *,
    accounts: int = 2000,
    seed: int = 20260101,
    contacts: int | None = None,
    leads: int | None = None,
    opportunities: int | None = None,
    companies: int | None = None,
    people: int | None = None,
    as_of: dt.date | None = None,
    threads: int | None = None,
    memory_limit: str = "2GB",
) -> DemoSummary:
    """Write an org (one CSV per object), ``reference/`` and ``truth/`` into ``folder``.

    Sizes not given follow ``accounts``: as many contacts, leads and reference companies, a quarter of it
    opportunities, twice it people. All dates lie before ``as_of`` (default: today, UTC). Equal arguments give
    byte-equal files, whatever ``threads``; another DuckDB release may draw other values. Raises
    ``SettingsError`` for a size outside the documented limits.
    """
    plan = make_plan(
        accounts,
        seed,
        as_of,
        contacts=contacts,
        leads=leads,
        opportunities=opportunities,
        companies=companies,
        people=people,
    )
    for part in ("reference", "truth"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="crosswalk-demo-", dir=folder))
    try:
        rows = _build(plan, folder, work, threads, memory_limit)
    finally:
        shutil.rmtree(work)
    return DemoSummary(folder, seed, plan.as_of, rows)


def _build(plan: DemoPlan, folder: Path, work: Path, threads: int | None, memory_limit: str) -> dict[str, int]:
    """Build the world in a database of its own, which spills to disk, and export it file by file."""
    with duckdb.connect(str(work / "world.duckdb")) as con:
        con.execute("SET enable_progress_bar = false")
        con.execute(f"SET memory_limit = '{memory_limit}'")
        con.execute("SET temp_directory = ?", [str(work / "spill")])
        # Every export is ordered by key, so DuckDB need not keep the order in between.
        con.execute("SET preserve_insertion_order = false")
        if threads:
            con.execute(f"SET threads = {threads}")
        for name, value in plan.variables().items():
            con.execute(f"SET VARIABLE {name} = {value}::BIGINT")
        load_words(con)
        for step in WORLD:
            con.execute((SQL / f"{step}.sql").read_text(encoding="utf-8"))
        account_person = (SQL / "account_person.sql").read_text(encoding="utf-8")
        con.execute(f"CREATE TABLE account_person AS {account_person}")
        return {name: _export(con, folder / name, queries, order) for name, (queries, order) in FILES.items()}


def _export(con: duckdb.DuckDBPyConnection, file: Path, queries: tuple[str, ...], order: str) -> int:
    """Write the queries' rows to one CSV file, sorted, and return how many."""
    parts = [(SQL / f"{query}.sql").read_text(encoding="utf-8") for query in queries]
    union = "\nUNION ALL BY NAME\n".join(f"(\n{part}\n)" for part in parts)
    target = str(file).replace("'", "''")
    result = con.execute(f"COPY (SELECT * FROM ({union}) ORDER BY {order}) TO '{target}' (HEADER, DELIMITER ',')")
    return int(result.fetchall()[0][0])
