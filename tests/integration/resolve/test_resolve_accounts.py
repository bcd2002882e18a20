"""Accounts against companies, through real Splink: who is linked, who is not, and why."""

from pathlib import Path

import pytest

from data_contracts.contracts import load_contract
from data_contracts.errors import CrosswalkError
from data_contracts.settings import Matching, Settings
from pipelines.publish.invariants import check_invariants
from pipelines.resolve import explain
from tests.support.resolution import Rows, connect, links, put, read_csv, resolve_all, run_context

CANDIDATES = "match.account_candidate"

COMPANIES = [
    {"company_id": "c1", "name": "Acme Widgets Inc", "website": "acme.com", "phone": "3102461501", "city": "Boston"},
    {"company_id": "c2", "name": "Globex Corporation", "website": "globex.com", "city": "Denver"},
    {"company_id": "c3", "name": "Initech", "website": "initech.io", "city": "Austin"},
    {"company_id": "c4", "name": "Apex", "website": "apex.de", "city": "Berlin"},
    {"company_id": "c5", "name": "Twin Peaks Coffee", "city": "Salem"},
    {"company_id": "c6", "name": "Twin Peaks Coffee", "city": "Salem"},
    {"company_id": "c7", "name": "Store 12"},
]
ACCOUNTS = [
    {"Id": "A1".ljust(18, "0"), "Name": "ACME Widgets", "Website": "https://www.acme.com/x", "Phone": None},
    {"Id": "A2".ljust(18, "0"), "Name": "Globex", "Website": None, "Phone": None},
    {"Id": "A3".ljust(18, "0"), "Name": "Unrelated Bakery", "Website": None, "Phone": None},
    {"Id": "A4".ljust(18, "0"), "Name": "Apex", "Website": "apex-other.com", "Phone": None},
    {"Id": "A5".ljust(18, "0"), "Name": "Twin Peaks Coffee", "Website": None, "Phone": None},
    {"Id": "A6".ljust(18, "0"), "Name": "[[unknown]]", "Website": "Yes", "Phone": None},
    {"Id": "A7".ljust(18, "0"), "Name": "Store 14", "Website": None, "Phone": None},
    {"Id": "A8".ljust(18, "0"), "Name": "Initech", "Website": None, "Phone": None, "_is_deleted": True},
]
A1, A2, A3, A4, A5, A6, A7, A8 = (str(row["Id"]) for row in ACCOUNTS)
for _row in ACCOUNTS:
    _row.setdefault("_is_deleted", False)


def test_every_record_has_one_row_a_status_and_a_reason(tmp_path: Path) -> None:
    with connect() as con:
        put(con, "salesforce.account", ACCOUNTS)
        put(con, "reference.company", COMPANIES)
        result = resolve_all(con, "account", tmp_path)
        found = links(con, "account")
        reasons = dict(con.sql("SELECT salesforce_id, reason FROM crosswalk.account").fetchall())
    assert set(found) == {A1, A2, A3, A4, A5, A6, A7, A8}
    assert result.linked + result.in_review + result.unmatched + result.skipped == result.records == 8
    assert all(reason.strip() for reason in reasons.values())
    assert found[A1] == ("linked", "c1")
    assert found[A2] == ("linked", "c2")
    assert found[A3][0] == "unmatched"
    assert found[A6] == ("skipped", None)
    assert found[A8] == ("skipped", None)
    assert reasons[A8] == "deleted in Salesforce"


def test_a_rung_links_only_where_exactly_one_entity_satisfies_it_and_no_veto_speaks(tmp_path: Path) -> None:
    with connect() as con:
        put(con, "salesforce.account", ACCOUNTS)
        put(con, "reference.company", COMPANIES)
        resolve_all(con, "account", tmp_path)
        rules = dict(con.sql("SELECT salesforce_id, rule_code FROM crosswalk.account WHERE method = 'rule'").fetchall())
        found = links(con, "account")
    assert rules[A1] == "ACC_DOMAIN_NAME"
    assert rules[A2] == "ACC_NAME"
    assert A4 not in rules, "equal name, other domain"
    assert A5 not in rules, "two entities of that name"
    assert A7 not in rules, "other number"
    assert found[A5][0] != "linked", "a tie is never broken by chance"


def test_decisions_link_forbid_expire_and_are_withdrawn(tmp_path: Path) -> None:
    def decision(record: str, entity: str, judgement: str, day: int, **more: object) -> dict[str, object]:
        row = {"object": "account", "salesforce_id": record, "reference_id": entity, "judgement": judgement}
        row |= {"reason": "seen", "decided_by": "ann", "decided_at": f"2026-02-{day:02d} 00:00:00"}
        return row | {"expires_at": None, "withdrawn_at": None} | more

    decisions = [
        decision(A3, "c3", "positive", 1),
        decision(A1, "c1", "positive", 1),
        decision(A1, "c1", "negative", 2),
        decision(A2, "c2", "negative", 1, expires_at="2026-02-20 00:00:00"),
        decision(A5, "c5", "positive", 1, withdrawn_at="2026-02-02 00:00:00"),
    ]
    with connect() as con:
        put(con, "salesforce.account", ACCOUNTS)
        put(con, "reference.company", COMPANIES)
        put(con, "match.decision", decisions)
        for column in ("decided_at", "expires_at", "withdrawn_at"):
            con.execute(f"ALTER TABLE match.decision ALTER {column} TYPE TIMESTAMP")
        resolve_all(con, "account", tmp_path)
        found = links(con, "account")
        person = con.sql(f"SELECT method, decided_by, reason FROM crosswalk.account WHERE salesforce_id = '{A3}'")
        assert person.fetchall() == [("person", "ann", "accepted by ann: seen")]
        assert not con.sql(
            f"SELECT * FROM match.account_candidate WHERE salesforce_id = '{A1}' AND reference_id = 'c1'"
        ).fetchall()
    assert found[A3] == ("linked", "c3")
    assert found[A1] != ("linked", "c1"), "the last decision wins"
    assert found[A2] == ("linked", "c2"), "an expired one does not count"
    assert found[A5][0] != "linked"


@pytest.mark.parametrize(("auto_link", "methods"), [("none", set()), ("rules", {"rule"})])
def test_auto_link_says_what_may_link_without_a_person(tmp_path: Path, auto_link: str, methods: set[str]) -> None:
    settings = Settings(matching=Matching(auto_link=auto_link))  # type: ignore[arg-type]
    with connect() as con:
        put(con, "salesforce.account", ACCOUNTS)
        put(con, "reference.company", COMPANIES)
        resolve_all(con, "account", tmp_path, settings)
        linked = con.sql("SELECT DISTINCT method FROM crosswalk.account WHERE status = 'linked'").fetchall()
        proposed = con.sql("SELECT count(*) FROM crosswalk.account WHERE status = 'in_review'").fetchall()[0][0]
    assert {row[0] for row in linked} == methods
    assert proposed > 0 or auto_link == "rules"


@pytest.mark.parametrize("companies", [None, []])
def test_without_a_reference_every_record_is_unmatched_and_says_so(
    tmp_path: Path, companies: list[None] | None
) -> None:
    with connect() as con:
        put(con, "salesforce.account", ACCOUNTS)
        if companies is not None:
            con.execute("CREATE TABLE reference.company (company_id VARCHAR, name VARCHAR)")
        resolve_all(con, "account", tmp_path)
        found = con.sql(f"SELECT status, reason FROM crosswalk.account WHERE salesforce_id = '{A1}'").fetchall()
    assert found == [("unmatched", "no reference is configured, or it is empty")]


def test_an_empty_object_and_columns_that_do_not_exist(tmp_path: Path) -> None:
    with connect() as con:
        con.execute('CREATE TABLE salesforce.account ("Id" VARCHAR, "Name" VARCHAR, _is_deleted BOOLEAN)')
        put(con, "reference.company", [{"company_id": "c1", "name": "Acme"}])
        assert resolve_all(con, "account", tmp_path).records == 0


def test_a_key_that_too_many_share_makes_no_pairs_and_the_reason_says_so(tmp_path: Path) -> None:
    with connect() as con:
        put(con, "salesforce.account", [{"Id": A1, "Name": "Acme"}, {"Id": A2, "Name": "Zyx Wvu"}])
        put(con, "reference.company", [{"company_id": f"c{i}", "name": "Acme"} for i in range(60)])
        assert resolve_all(con, "account", tmp_path).blocks_cut > 0
        reasons = dict(con.sql("SELECT salesforce_id, reason FROM crosswalk.account").fetchall())
    assert "too common" in reasons[A1]
    assert "no entity" in reasons[A2]


def test_links_are_kept_between_runs_and_changes_are_recorded(tmp_path: Path) -> None:
    with connect() as con:
        put(con, "salesforce.account", ACCOUNTS)
        put(con, "reference.company", COMPANIES)
        first = resolve_all(con, "account", tmp_path)
        put(con, "reference.company", [row for row in COMPANIES if row["company_id"] != "c2"])
        second = resolve_all(con, "account", tmp_path, run=run_context("r2", "delta", 2))
        since = con.sql(f"SELECT linked_since::DATE::VARCHAR FROM crosswalk.account WHERE salesforce_id = '{A1}'")
        assert since.fetchall() == [("2026-03-01",)]
        changes = con.sql("SELECT salesforce_id, change, cause FROM ops.link_change WHERE run_id = 'r2'").fetchall()
    assert first.changes == first.linked
    assert second.model_reused
    assert second.model_path == first.model_path
    assert changes == [(A2, "lost", "reference")]


def test_a_step_done_again_by_a_resumed_run_keeps_the_changes_of_its_first_attempt(tmp_path: Path) -> None:
    def noted() -> list[tuple[str, ...]]:
        return con.sql("SELECT * FROM ops.link_change ORDER BY ALL").fetchall()

    with connect() as con:
        put(con, "salesforce.account", ACCOUNTS)
        put(con, "reference.company", COMPANIES)
        resolve_all(con, "account", tmp_path)
        first = noted()
        assert {row[-2] for row in first} == {"data"}, "a first run changes no model"
        resolve_all(con, "account", tmp_path)
        assert noted() == first
        put(con, "reference.company", [row for row in COMPANIES if row["company_id"] != "c2"])
        resolve_all(con, "account", tmp_path, run=run_context("r2", "full", 2))
        second = noted()
        again = resolve_all(con, "account", tmp_path, run=run_context("r2", "full", 2))
        assert noted() == second
    assert again.changes == 1
    assert len(second) == len(first) + 1


def test_explain_names_the_rung_the_candidates_and_the_values(tmp_path: Path) -> None:
    with connect() as con:
        put(con, "salesforce.account", ACCOUNTS)
        put(con, "reference.company", COMPANIES)
        resolve_all(con, "account", tmp_path)
        found = explain(con, "account", A1[:15])
        assert found.winner == "c1"
        assert found.candidates[0].rule_code == "ACC_DOMAIN_NAME"
        assert found.values["domain"] == "acme.com"
        assert found.candidates[0].values["name_core"] == "acme widgets"
        with pytest.raises(CrosswalkError, match="no account"):
            explain(con, "account", "X" * 18)


def test_the_order_of_rows_and_the_number_of_threads_change_nothing(tmp_path: Path) -> None:
    folder, found = Path(__file__).parents[2] / "data" / "restaurants", []
    for threads, turn in ((1, 1), (3, -1)):
        with connect() as con:
            con.execute(f"SET threads = {threads}")
            put(con, "salesforce.account", list(read_csv(folder / "Account.csv"))[::turn])
            put(con, "reference.company", list(read_csv(folder / "reference_company.csv"))[::turn])
            model = resolve_all(con, "account", tmp_path / str(threads)).model
            tables = [con.sql(f"FROM {name} ORDER BY ALL").fetchall() for name in (CANDIDATES, "crosswalk.account")]
            found.append((model.version if model else None, tables))
    assert found[0][0]
    assert found[0] == found[1], "to the last digit"


def test_a_former_name_is_a_name_to_a_rung_and_a_person_account_is_no_company(tmp_path: Path) -> None:
    renamed, listed, person, owner, contact = (name.ljust(18, "0") for name in ("R1", "R2", "P1", "P2", "C1"))
    company = {"IsPersonAccount": "false", "LastName": None, "PersonContactId": None}
    accounts: Rows = [
        {"Id": renamed, "Name": "Quonset Marine Ltd"} | company,
        {"Id": listed, "Name": "Zephyr Rail (formerly Tramline Works)"} | company,
        {"Id": person, "Name": "Jo Stone", "IsPersonAccount": "true", "LastName": "Stone", "PersonContactId": contact},
        {"Id": owner, "Name": "Ida Quill", "IsPersonAccount": "true", "LastName": "Quill", "PersonContactId": None},
    ]
    companies: Rows = [
        {"company_id": "c1", "name": "Harbour Systems Inc", "other_names": "Quonset Marine; Old Pier Company"},
        {"company_id": "c2", "name": "Tramline Works AG", "other_names": None},
        {"company_id": "c3", "name": "Jo Stone Ltd", "other_names": None},
        {"company_id": "c4", "name": "Ida Quill Ltd", "other_names": None},
    ]
    with connect() as con:
        put(con, "salesforce.account", accounts)
        put(con, "reference.company", companies)
        con.execute(load_contract("match.decision").ddl()).fetchall()
        con.execute(
            "INSERT INTO match.decision (object, salesforce_id, reference_id, judgement, decided_by, decided_at) "
            "VALUES ('account', $id, 'c4', 'positive', 'ann', TIMESTAMP '2026-01-01')",
            {"id": owner},
        ).fetchall()
        resolve_all(con, "account", tmp_path)
        found = {
            row[0]: row[1:]
            for row in con.sql(
                "SELECT salesforce_id, status, reference_id, method, rule_code, reason_code, reason "
                "FROM crosswalk.account"
            ).fetchall()
        }
        pointed = [explain(con, "account", record).person_contact for record in (person, owner, renamed)]
        report = check_invariants(con, load_contract("crosswalk.account"))
    assert found[renamed][:4] == ("linked", "c1", "rule", "ACC_NAME")
    assert found[listed][:4] == ("linked", "c2", "rule", "ACC_NAME")
    assert found[person] == (
        *("skipped", None, None, None, "person_account"),
        f"a person account is no company: the person is matched as its contact {contact}",
    )
    assert pointed == [contact, None, None]
    assert [str(failure) for failure in report.blocking_failures] == []
    assert found[owner][:3] == ("linked", "c4", "person"), "a person may say so all the same"
