"""Types, names and plans follow from describe and settings alone."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_contracts.settings import Settings
from pipelines.extract.fields import FieldSpec, cursor_field, decimal_type, field_specs
from pipelines.extract.objects import api_name, table_name
from pipelines.extract.plan import ObjectInput, choose_kind, delta_condition, over_cap, soql_of
from pipelines.extract.selection import SelectionQuery, soql_time, window_start
from pipelines.extract.state import Watermark
from resources.salesforce.usage import endpoint_kind

TEXTS = (
    *("string", "id", "reference", "picklist", "multipicklist", "textarea"),
    *("email", "phone", "url", "encryptedstring", "combobox", "anyType"),
)


@pytest.mark.parametrize(
    ("kind", "precision", "scale", "duckdb_type"),
    [
        ("currency", 18, 2, "DECIMAL(18,2)"),
        ("currency", 18, 0, "DECIMAL(18,0)"),
        ("percent", 5, 2, "DECIMAL(18,2)"),
        ("double", 18, 15, "DECIMAL(18,15)"),
        ("double", 30, 10, "DECIMAL(30,10)"),
        ("double", 0, 0, "DOUBLE"),
        ("int", 0, 0, "BIGINT"),
        ("boolean", 0, 0, "BOOLEAN"),
        ("date", 0, 0, "DATE"),
        ("datetime", 0, 0, "TIMESTAMP"),
        ("time", 0, 0, "TIME"),
        *[(text, 0, 0, "VARCHAR") for text in TEXTS],
    ],
)  # fmt: skip
def test_column_types(kind: str, precision: int, scale: int, duckdb_type: str) -> None:
    assert FieldSpec("X", "X", kind, precision=precision, scale=scale).duckdb_type == duckdb_type


@given(st.integers(0, 60), st.integers(0, 40))
def test_a_decimal_type_is_always_one_duckdb_has(precision: int, scale: int) -> None:
    kind = decimal_type(precision, scale)
    if kind != "DOUBLE":
        width, places = (int(part) for part in kind.removeprefix("DECIMAL(").rstrip(")").split(","))
        assert places <= width <= 38
        assert places == scale
        assert width >= min(precision, 38)


def test_compound_fields_and_files_are_known_but_not_read() -> None:
    entries = [{"name": name, "type": name} for name in ("address", "location", "base64", "string")]
    assert [spec.name for spec in field_specs({"fields": entries}) if spec.readable] == ["string"]


@pytest.mark.parametrize(
    ("names", "cursor"),
    [(["Id", "CreatedDate", "SystemModstamp"], "SystemModstamp"), (["CreatedDate"], "CreatedDate"), (["Id"], None)],
)
def test_cursor(names: list[str], cursor: str | None) -> None:
    assert cursor_field(names) == cursor


@pytest.mark.parametrize(
    ("name", "api", "table"),
    [
        ("campaign_member", "CampaignMember", "campaign_member"),
        ("opportunity_contact_role", "OpportunityContactRole", "opportunity_contact_role"),
        ("Site__c", "Site__c", "site__c"),
        ("user", "User", "user"),
    ],
)
def test_names(name: str, api: str, table: str) -> None:
    assert (api_name(name), table_name(name)) == (api, table)


NOW = datetime(2026, 3, 31, 12, 30, 45, 999999, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "months", "start"),
    [
        (NOW, 6, datetime(2025, 9, 30, tzinfo=UTC)),
        (NOW, 12, datetime(2025, 3, 31, tzinfo=UTC)),
        (datetime(2024, 2, 29, tzinfo=UTC), 12, datetime(2023, 2, 28, tzinfo=UTC)),
        (datetime(2026, 8, 31, tzinfo=UTC), 6, datetime(2026, 2, 28, tzinfo=UTC)),
        (datetime(2026, 1, 5, tzinfo=UTC), 24, datetime(2024, 1, 5, tzinfo=UTC)),
    ],
)
def test_opportunity_window(now: datetime, months: int, start: datetime) -> None:
    assert window_start(now, months) == start


def test_bounds_are_half_open_whole_seconds() -> None:
    assert soql_time(NOW) == "2026-03-31T12:30:45Z"
    assert delta_condition("S", NOW, NOW) == "S >= 2026-03-31T12:30:45Z AND S < 2026-03-31T12:30:45Z"


def test_conditions_are_joined_without_changing_their_meaning() -> None:
    assert soql_of(["Id"], "A", [None, None]) == "SELECT Id FROM A"
    assert soql_of(["Id", "N"], "A", [None, "x = 1 OR y = 2"]) == "SELECT Id, N FROM A WHERE x = 1 OR y = 2"
    assert soql_of(["Id"], "A", ["s > 1", "x = 1 OR y = 2"]) == "SELECT Id FROM A WHERE (s > 1) AND (x = 1 OR y = 2)"


STAMP, NAME = FieldSpec("SystemModstamp", "S", "datetime"), FieldSpec("Name", "N", "string")
COLUMNS = {"SystemModstamp": "TIMESTAMP", "Name": "VARCHAR"}
NEW = tuple(FieldSpec(f"X{number}__c", "X", "string") for number in range(1, 7))
MARK = Watermark(NOW, "key", ("SystemModstamp", "Name"))


@pytest.mark.parametrize(
    ("known", "key", "kind", "reason"),
    [
        (ObjectInput("a", "A", (STAMP, NAME), MARK, COLUMNS), "key", "delta", ""),
        (ObjectInput("a", "A", (STAMP, NAME), None, COLUMNS), "key", "full", "first load"),
        (ObjectInput("a", "A", (STAMP, NAME), MARK, {}), "key", "full", "first load"),
        (ObjectInput("a", "A", (STAMP, NAME), MARK, COLUMNS), "other", "full", "selection changed"),
        (ObjectInput("a", "A", (NAME,), MARK, COLUMNS), "key", "full", "no field that tells"),
        (ObjectInput("a", "A", (STAMP, NAME, *NEW[:2]), MARK, COLUMNS), "key", "delta", "fill: X1__c, X2__c; a job of"),
        (ObjectInput("a", "A", (STAMP, FieldSpec("Name", "N", "int")), MARK, COLUMNS), "key", "delta", "fill: Name;"),
        (ObjectInput("a", "A", (STAMP, NAME, *NEW), MARK, COLUMNS), "key", "full", "X5__c and 1 more"),
    ],
)
def test_when_a_delta_must_be_a_full_run(known: ObjectInput, key: str, kind: str, reason: str) -> None:
    found, why = choose_kind("delta", known, SelectionQuery(None, key, False))
    assert found == kind
    assert reason in why
    assert choose_kind("full", known, SelectionQuery(None, key, False)) == ("full", "")


def test_caps() -> None:
    settings = Settings()
    assert over_cap("account", 2_000_000, settings) == (2_000_000, "")
    assert over_cap("task", 10**9, settings) == (None, "")
    cap, refusal = over_cap("opportunity", 500_001, settings)
    assert cap == 500_000
    assert "shorter window" in refusal
    assert len(refusal.splitlines()) == 3


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/services/data/v62.0/jobs/query", "bulk_create"),
        ("/services/data/v62.0/jobs/query/750", "bulk_job"),
        ("/services/data/v62.0/jobs/query/750/results", "bulk_result"),
        ("/services/data/v62.0/jobs/query/750/resultPages", "bulk_result_pages"),
        ("/services/data/v62.0/query/", "query"),
        ("/services/data/v62.0/queryAll/", "query"),
        ("/services/data/v62.0/query/0r8xx5R2yF2gs3VASQ-2000", "query"),
        ("/services/data/v62.0/sobjects/Account/describe", "describe"),
        ("/services/data/v62.0/sobjects/Account/listviews/00B/describe", "list_view"),
        ("/services/oauth2/token", "oauth"),
        ("/services/oauth2/userinfo", "identity"),
        ("/services/data/v62.0/limits/", "limits"),
    ],
)
def test_endpoint_kinds(path: str, kind: str) -> None:
    assert endpoint_kind(path) == kind
