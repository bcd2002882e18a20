"""Great Expectations on a batch and SQL on the table, against each other and against what was planted."""

from dataclasses import replace

import duckdb
import pytest
from open_data_contract_standard.model import DataQuality

from data_contracts.contracts import TableContract, load_contract
from data_contracts.errors import ContractError
from pipelines.extract import contract_check
from pipelines.extract.contract_check import validate_batch
from pipelines.publish.invariants import check_invariants

ACCOUNT = load_contract("salesforce.account")


@pytest.fixture
def con():
    with duckdb.connect() as connection:
        for schema in ("salesforce", "reference", "crosswalk"):
            connection.execute(f"CREATE SCHEMA {schema}")
        yield connection


def fill(con: duckdb.DuckDBPyConnection, rows: int) -> None:
    con.execute(ACCOUNT.ddl())
    con.execute(
        "INSERT INTO salesforce.account BY NAME SELECT lpad(i::VARCHAR, 18, '0') AS Id, 'Acme ' || i AS Name, "
        "'www.acme' || i || '.example' AS Website, '+1 555 01 ' || i AS Phone, false AS _is_deleted, "
        "TIMESTAMP '2026-01-01' AS _synced_at, 'r1' AS _run_id FROM range(?) t(i)",
        [rows],
    )


def broken(report) -> dict[str, int]:
    return {f.rule: f.failed_rows for f in (*report.blocking_failures, *report.warnings)}


def with_rule(contract: TableContract, quality: DataQuality) -> TableContract:
    document = contract.document.model_copy(deep=True)
    document.schema_[0].quality = [*(document.schema_[0].quality or []), quality]
    return replace(contract, document=document)


def test_sound_rows_pass_both(con):
    fill(con, 50)
    for report in (validate_batch(con, ACCOUNT, "salesforce.account"), check_invariants(con, ACCOUNT)):
        assert report.passed
        assert broken(report) == {}
        assert report.rows == 50
        assert report.rules >= 8


def test_an_empty_batch_passes(con):
    fill(con, 0)
    assert validate_batch(con, ACCOUNT, "salesforce.account").passed


@pytest.mark.parametrize("slice_rows", [200_000, 7])
def test_planted_faults_are_counted_alike_in_slices_and_in_sql(con, monkeypatch, slice_rows):
    monkeypatch.setattr(contract_check, "SLICE_ROWS", slice_rows)
    fill(con, 60)
    con.execute("INSERT INTO salesforce.account SELECT * FROM salesforce.account WHERE Name IN ('Acme 3', 'Acme 9')")
    con.execute("UPDATE salesforce.account SET Id = 'short' WHERE Name = 'Acme 20'")
    con.execute("UPDATE salesforce.account SET Website = 'Yes' WHERE Name IN ('Acme 30', 'Acme 31')")
    batch = validate_batch(con, ACCOUNT, "salesforce.account")
    table = check_invariants(con, ACCOUNT)
    planted = {"primary_key_unique": 4, "id_format": 1, "looks_like_a_website": 2}
    assert broken(batch) == broken(table) == planted
    assert {f.rule for f in batch.blocking_failures} == {"primary_key_unique", "id_format"}
    ids = {f.rule: f.ids for f in batch.blocking_failures}
    assert ids == {f.rule: f.ids for f in table.blocking_failures}
    assert ids["id_format"] == ("short",)
    assert ids["primary_key_unique"] == ("000000000000000003", "000000000000000009")


def test_at_most_ten_ids_and_no_personal_value_in_what_is_told(con):
    contact = load_contract("salesforce.contact")
    con.execute(contact.ddl())
    con.execute(
        "INSERT INTO salesforce.contact BY NAME SELECT 'x' || i AS Id, 'Geheim' AS LastName, 'geheim' AS Email, "
        "false AS _is_deleted, now()::TIMESTAMP AS _synced_at, 'r' AS _run_id FROM range(30) t(i)"
    )
    report = validate_batch(con, contact, "salesforce.contact")
    (format_failure,) = [f for f in report.blocking_failures if f.rule == "id_format"]
    assert format_failure.failed_rows == 30
    assert len(format_failure.ids) == 10
    assert [f.rule for f in report.warnings] == ["looks_like_an_email"]
    with pytest.raises(ContractError) as raised:
        report.raise_if_blocked()
    assert "geheim" not in (str(raised.value) + report.markdown()).lower()


def test_a_field_hidden_by_field_level_security_is_no_fault(con):
    fill(con, 5)
    con.execute("ALTER TABLE salesforce.account DROP COLUMN Website")
    con.execute("ALTER TABLE salesforce.account DROP COLUMN Name")
    assert validate_batch(con, ACCOUNT, "salesforce.account").passed
    assert check_invariants(con, ACCOUNT).passed


def test_a_missing_key_and_another_type_block_before_any_value_is_read(con):
    fill(con, 5)
    relation = "(SELECT * EXCLUDE (Id, NumberOfEmployees), 'many' AS NumberOfEmployees FROM salesforce.account)"
    report = validate_batch(con, ACCOUNT, relation)
    assert [(f.rule, f.column) for f in report.blocking_failures] == [
        ("column_present", "Id"),
        ("column_type", "NumberOfEmployees"),
    ]
    assert "promises BIGINT, the table has VARCHAR" in str(report.blocking_failures[1])


def test_another_width_of_the_same_type_is_no_fault(con):
    fill(con, 5)
    relation = "(SELECT * REPLACE (AnnualRevenue::DECIMAL(18, 0) AS AnnualRevenue) FROM salesforce.account)"
    assert validate_batch(con, ACCOUNT, relation).passed


def test_nulls_in_a_required_column_block(con):
    fill(con, 12)
    relation = "(SELECT * REPLACE (CASE WHEN Name < 'Acme 2' THEN NULL ELSE Id END AS Id) FROM salesforce.account)"
    planted = con.sql("SELECT count(*) FROM salesforce.account WHERE Name < 'Acme 2'").fetchall()[0][0]
    report = validate_batch(con, ACCOUNT, relation)
    assert broken(report)["not_null"] == planted


def test_a_rule_that_cannot_run_is_an_error_not_bad_data(con):
    fill(con, 3)
    quality = DataQuality(name="typo", type="sql", query="SELECT count(*) FROM salesforce.acount", mustBe=0)
    with pytest.raises(ContractError, match=r"rule typo of salesforce\.account could not be evaluated"):
        check_invariants(con, with_rule(ACCOUNT, quality))
    many = DataQuality(name="many", type="sql", query="SELECT Id FROM salesforce.account", mustBe=0)
    with pytest.raises(ContractError, match=r"rule many .* returned 3 rows"):
        check_invariants(con, with_rule(ACCOUNT, many))


def test_a_pattern_great_expectations_cannot_read_is_an_error_not_bad_data(con):
    fill(con, 3)
    document = ACCOUNT.document.model_copy(deep=True)
    document.schema_[0].properties[1].quality = [
        DataQuality(
            name="bad", type="library", metric="invalidValues", arguments={"pattern": "("}, mustBe=0, severity="warning"
        )
    ]
    with pytest.raises(ContractError, match="could not be evaluated"):
        validate_batch(con, replace(ACCOUNT, document=document), "salesforce.account")


def test_sql_rules_tell_the_keys_the_query_returns(con):
    fill(con, 30)
    query = "SELECT count(*), min(Id, 10) FROM salesforce.account WHERE Name < 'Acme 2'"
    quality = DataQuality(name="named", type="sql", query=query, mustBe=0, severity="error", description="d")
    (failure,) = check_invariants(con, with_rule(ACCOUNT, quality)).blocking_failures
    assert failure.failed_rows == 12
    assert failure.ids[:2] == ("000000000000000000", "000000000000000001")
    assert len(failure.ids) == 10


def test_a_table_that_is_not_there_is_an_error(con):
    with pytest.raises(ContractError, match=r"table salesforce\.lead is not in the warehouse"):
        check_invariants(con, load_contract("salesforce.lead"))


def test_the_crosswalk_is_held_to_one_row_per_record_and_known_entities(con):
    fill(con, 3)
    company = load_contract("reference.company")
    con.execute(company.ddl())
    con.execute("INSERT INTO reference.company BY NAME SELECT 'c1' AS company_id, 'Acme' AS name, 'source' AS origin")
    crosswalk = load_contract("crosswalk.account")
    con.execute(crosswalk.ddl())
    required = {c.name: "1" if "INT" in c.type else "'x'" for c in crosswalk.columns if c.required or c.primary_key}
    required |= {
        "status": "'linked'",
        "reference_id": "'nobody'",
        "method": "'rule'",
        "reason": "''",
        "salesforce_id": "Id",
    }
    values = ", ".join(f"{value} AS {name}" for name, value in required.items())
    con.execute(f"INSERT INTO crosswalk.account BY NAME SELECT {values} FROM salesforce.account LIMIT 2")
    rules = {failure.rule for failure in check_invariants(con, crosswalk).blocking_failures}
    assert rules >= {"reason_given", "every_record_once", "reference_exists"}
