"""What a rule says in SQL, held against a plain Python reading of the standard."""

import re

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from open_data_contract_standard.model import DataQuality, OpenDataContractStandard, SchemaObject, SchemaProperty

from data_contracts.checks import CheckReport, RuleFailure
from data_contracts.contracts import Column, TableContract
from data_contracts.errors import ContractError
from data_contracts.rules import Rule, rules_of

WORDS = st.one_of(st.none(), st.text(alphabet="ab@. 'é", max_size=4))


KEY = Column("Id", "VARCHAR", "key", primary_key=True)


def contract(*quality: DataQuality, columns: tuple[Column, ...] = (KEY,)) -> TableContract:
    table = SchemaObject(name="t", quality=list(quality), properties=[SchemaProperty(name=c.name) for c in columns])
    return TableContract("salesforce.t", "a table", tuple(columns), OpenDataContractStandard(schema=[table]))


def counted(rule: Rule, values: list[str | None]) -> int:
    with duckdb.connect() as con:
        con.execute('CREATE TABLE t ("it""s" VARCHAR)')
        con.executemany("INSERT INTO t VALUES (?)", [[value] for value in values])
        return int(con.sql(f"SELECT count(*) FROM t WHERE {rule.failing()}").fetchall()[0][0])


@settings(max_examples=25, deadline=None)
@given(values=st.lists(WORDS, min_size=1, max_size=8))
def test_row_wise_rules_count_as_the_standard_reads(values):
    column = ('it"s',)
    pattern = Rule("p", "invalidValues", column, "", pattern=r"^[^@]+@[^@]+$")
    listed = Rule("l", "invalidValues", column, "", values=("a", "'"))
    missing = Rule("m", "missingValues", column, "", values=("", "b"))
    present = [value for value in values if value is not None]
    assert counted(Rule("n", "nullValues", column, ""), values) == len(values) - len(present)
    assert counted(pattern, values) == sum(not re.search(pattern.pattern, value) for value in present)
    assert counted(listed, values) == sum(value not in ("a", "'") for value in present)
    assert counted(missing, values) == sum(value in (None, "", "b") for value in values)


@pytest.mark.parametrize(
    ("comparison", "bound", "good", "bad"),
    [
        ("mustBe", 0, 0, 1),
        ("mustNotBe", 0, 1, 0),
        ("mustBeGreaterThan", 3, 4, 3),
        ("mustBeGreaterOrEqualTo", 3, 3, 2),
        ("mustBeLessThan", 3, 2, 3),
        ("mustBeLessOrEqualTo", 3, 3, 4),
        ("mustBeBetween", [1, 2], 2, 3),
        ("mustNotBeBetween", [1, 2], 3, 1),
    ],
)
def test_comparisons(comparison, bound, good, bad):
    rule = Rule("r", "rowCount", (), "", comparison=comparison, bound=bound)
    assert rule.holds(good, 10)
    assert not rule.holds(bad, 10)


def test_percent_is_a_share_of_the_rows():
    rule = Rule("r", "nullValues", ("a",), "", comparison="mustBeLessOrEqualTo", bound=1, percent=True)
    assert rule.holds(1, 100)
    assert not rule.holds(2, 100)
    assert rule.holds(0, 0)


def test_columns_imply_their_rules():
    columns = (
        Column("Id", "VARCHAR", "key", primary_key=True),
        Column("code", "VARCHAR", "a code", required=True, unique=True),
        Column("status", "VARCHAR", "a word", allowed=("on", "off")),
    )
    found = {(rule.name, rule.columns) for rule in rules_of(contract(columns=columns))}
    assert found == {
        ("primary_key_unique", ("Id",)),
        ("not_null", ("Id",)),
        ("not_null", ("code",)),
        ("unique", ("code",)),
        ("allowed_values", ("status",)),
    }


@pytest.mark.parametrize(
    "quality",
    [
        DataQuality(name="no_bound", type="sql", query="SELECT 0"),
        DataQuality(name="two_bounds", type="sql", query="SELECT 0", mustBe=0, mustBeLessThan=1),
        DataQuality(name="unknown", type="library", metric="freshness", mustBe=0),
        DataQuality(type="sql", query="SELECT 0", mustBe=0),
    ],
)
def test_a_rule_that_cannot_be_read_is_refused(quality):
    with pytest.raises(ContractError, match=r"salesforce\.t cannot be read"):
        rules_of(contract(quality))


def test_report_names_rule_rows_and_ids_and_nothing_else():
    failure = RuleFailure("id_format", "Id", "eighteen letters", 3, 1000, ("a", "b"))
    report = CheckReport("salesforce.t", 1000, 4, (failure,), ())
    assert not report.passed
    with pytest.raises(ContractError) as raised:
        report.raise_if_blocked()
    told = str(raised.value)
    assert (
        "salesforce.t breaks its contract: id_format on Id (eighteen letters): 3 of 1,000 rows, for example a, b"
        in told
    )
    assert "last published snapshot stays" in told
    assert "| error | id_format: eighteen letters | Id | 3 | 1,000 | a, b |" in report.markdown()


def test_a_report_of_warnings_alone_passes():
    report = CheckReport("salesforce.t", 5, 1, (), (RuleFailure("web", "Website", "dots", 2, 5),))
    report.raise_if_blocked()
    assert report.passed
    assert "| warning | web: dots | Website | 2 | 5 |  |" in report.markdown()
