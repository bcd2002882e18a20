"""Reports in slices against a report service of the test's own, whatever order it compares Ids by."""

import random
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.errors import ExtractionError, QuotaError, SettingsError
from pipelines.extract.report_shape import ReportShape, read_shape
from pipelines.extract.report_slices import ReportReader, id18
from resources.salesforce.reports import ReportName

MOST = 2_000
Order = Callable[[str], Any]


class Service:
    """Runs one report: rows of Ids, filtered by range filters on the Id, cut at 2,000."""

    def __init__(self, rows: list[str], order: Order = str, **metadata: Any) -> None:
        self.rows, self.order, self.runs = rows, order, 0
        self.metadata: dict[str, Any] = {
            "reportFormat": "TABULAR", "detailColumns": ["ACCOUNT.NAME", "ACCOUNT_ID"], "aggregates": ["s!SALES"],
            "reportFilters": [], "reportBooleanFilter": None, **metadata,
        }  # fmt: skip

    def described(self) -> dict[str, Any]:
        return {"reportMetadata": self.metadata}

    def shape(self) -> ReportShape:
        return read_shape(
            ReportName("00O000000000001AAA", "Mine", "Mine"), self.described(), "account", "Account", "001"
        )

    def run(self, metadata: Mapping[str, Any]) -> dict[str, Any]:
        self.runs += 1
        found = [row for row in self.rows if all(self._holds(row, each) for each in metadata["reportFilters"])]
        cells = [{"dataCells": [{"value": "x"}, {"value": row[:15]}]} for row in found[:MOST]]
        totals = [{"value": len(found) if name == "RowCount" else 1} for name in metadata["aggregates"]]
        return {
            "allData": len(found) <= MOST,
            "reportMetadata": dict(metadata),
            "factMap": {"T!T": {"aggregates": totals, "rows": cells}},
        }

    def _holds(self, row: str, each: Mapping[str, Any]) -> bool:
        left, right = self.order(row[:15]), self.order(str(each["value"])[:15])
        return bool(left < right) if each["operator"] == "lessThan" else bool(left >= right)


def _read(service: Service, known: list[str], left: int = 500) -> list[str]:
    reader = ReportReader(service.shape(), service.run, lambda _: known, lambda: left)
    return [record for group in reader.members() for record in group]


def _ids(count: int, seed: int) -> list[str]:
    rng = random.Random(seed)
    letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    return sorted({id18("001" + "".join(rng.choices(letters, k=12))) for _ in range(count)})


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 1_000),
    known=st.integers(1, 9_000),
    share=st.floats(0, 1),
    repeated=st.integers(1, 3),
    order=st.sampled_from([str, str.lower, lambda text: text[::-1]]),
)
def test_every_member_once_or_an_error(seed: int, known: int, share: float, repeated: int, order: Order) -> None:
    """The order of the org may be another than ours (no difference between capitals): then it may be refused."""
    ids = _ids(known, seed)
    rng = random.Random(seed)
    members = [record for record in ids if rng.random() < share]
    rows = [record for record in members for _ in range(repeated)]
    rng.shuffle(rows)
    service = Service(rows, order)
    try:
        found = _read(service, ids)
    except ExtractionError:
        assert order is not str
        return
    assert sorted(found) == members
    if order is str:
        assert service.runs <= 3 + 3 * len(rows) / 1_500


def test_a_record_on_more_rows_than_one_run_returns_is_one_member() -> None:
    ids = _ids(3_000, 5)
    rows = [ids[7]] * 2_500 + ids
    assert sorted(_read(Service(rows), ids)) == ids


def test_filters_that_are_ignored_are_noticed() -> None:
    service = Service(_ids(5_000, 1))
    service._holds = lambda row, each: True  # type: ignore[method-assign]
    with pytest.raises(ExtractionError):
        _read(service, service.rows)


def test_filters_that_lose_rows_are_noticed() -> None:
    service = Service(_ids(5_000, 1))
    lossy = service._holds
    service._holds = lambda row, each: lossy(row, each) and row[5] != "A"  # type: ignore[method-assign]
    with pytest.raises(ExtractionError, match="slices hold"):
        _read(service, service.rows)


def test_filter_logic_is_kept_and_extended() -> None:
    filters = [{"column": "INDUSTRY", "operator": "equals", "value": name} for name in ("a", "b", "c")]
    shape = Service([], reportFilters=filters, reportBooleanFilter="1 OR (2 AND NOT 3)").shape()
    asked = shape.ask("001000000000001AAA", "001000000000009AAA", shape.axis())
    assert asked["reportBooleanFilter"] == "(1 OR (2 AND NOT 3)) AND 4 AND 5"
    assert [item["operator"] for item in asked["reportFilters"]] == ["equals"] * 3 + ["greaterOrEqual", "lessThan"]
    assert shape.ask(None, "001000000000009AAA", shape.axis())["reportBooleanFilter"].endswith("AND 4")
    assert shape.ask()["reportBooleanFilter"] == "1 OR (2 AND NOT 3)"
    plain = Service([], reportFilters=filters).shape()
    assert plain.ask("001000000000001AAA", None, plain.axis())["reportBooleanFilter"] is None


def test_too_few_runs_this_hour() -> None:
    service = Service(_ids(9_000, 3))
    with pytest.raises(QuotaError, match="this hour allows 4"):
        _read(service, service.rows, left=4)
    assert service.runs == 1


def test_another_object_in_the_id_column_is_refused() -> None:
    with pytest.raises(ExtractionError, match="begin with 001"):
        _read(Service(["003000000000001AAA"]), [])


@pytest.mark.parametrize(
    ("metadata", "word"),
    [
        ({"reportFormat": "MULTI_BLOCK"}, "joined"),
        ({"hasDetailRows": False}, "detail rows"),
        ({"scope": "team"}, "'team'"),
        ({"detailColumns": ["ACCOUNT.NAME", "CONTACT_ID"]}, "Id column of Account"),
        ({"reportFilters": [{"column": "OWNER", "operator": "equals", "value": "$USER"}]}, "connected user"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(metadata: dict[str, Any], word: str) -> None:
    with pytest.raises(SettingsError, match="report Mine of account") as caught:
        Service([], **metadata).shape()
    assert word in str(caught.value)


@pytest.mark.parametrize(
    ("api", "column"),
    [
        ("Contact", "CONTACT_ID"), ("OpportunityContactRole", "OpportunityContactRole.Id"), ("Site__c", "CUST_ID"),
        ("Opportunity", "OPPORTUNITY_ID"), ("Account", "Account$Id"), ("Task", "ACTIVITY_ID"),
    ],
)  # fmt: skip
def test_the_id_column_of_each_kind_of_report_type(api: str, column: str) -> None:
    described = {"reportMetadata": {"reportFormat": "MATRIX", "detailColumns": ["ACCOUNT.NAME", column]}}
    shape = read_shape(ReportName("00O000000000001AAA", "R", "R"), described, "x", api, "001")
    assert shape.id_column == column


def test_ids_of_fifteen_characters_get_their_checksum() -> None:
    assert id18("00158000002dk2N") == "00158000002dk2NAAQ"
    assert id18("00158000002dk2NAAQ") == "00158000002dk2NAAQ"
