"""Reports over HTTP, judged against sums and conditions computed here from the rows that were loaded."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.demo_org.errors import DemoOrgError
from apps.demo_org.reports_catalog import ReportCatalog
from apps.demo_org.store import OrgStore
from tests.support.demo_org_client import Client, Scripted, V, serve_scripted, write_csv

R = f"{V}/analytics/reports"
ACCOUNTS, MATRIX, MINE, PRIVATE, LEADS = (f"00O5g000000000{n}" for n in range(1, 6))
USER = "0055g0000000042"
INDUSTRIES = ["Energy", "Retail", ""]
NAMES = ["Acme, Inc.", "100% Pure", "a_b", "O'Neil", 'Say "hi"', "back\\slash", "Ōe"]
ROWS = [
    {
        "Id": f"0015g0000{n:06d}",
        "Name": f"{NAMES[n % 7]} {n}",
        "Industry": INDUSTRIES[n % 3],
        "AnnualRevenue": str(n * 10) if n % 4 else "",
        "OwnerId": USER if n % 5 == 0 else "",
        "CreatedDate": f"2024-{1 + n % 3:02d}-{1 + n % 28:02d}T23:59:{n % 60:02d}Z",
    }
    for n in range(1, 2_302)
]
DEALS = [
    {"Name": f"Deal {n}", "Amount": str(n), "CloseDate": f"2024-{1 + n % 3:02d}-10", "Type": ["New", "Old"][n % 2]}
    for n in range(1, 40)
]
COLUMNS = ["ACCOUNT_ID", "ACCOUNT.NAME", "INDUSTRY", "SALES", "USERS.NAME", "CREATED_DATE"]


def table(path: Path, rows: list[dict[str, str]]) -> None:
    write_csv(path, list(rows[0]), [list(row.values()) for row in rows])


def report(number: str, name: str, folder: str = "Public Reports", **definition: Any) -> dict[str, str]:
    row = {"Id": number, "Name": name, "DeveloperName": name.replace(" ", "_"), "FolderName": folder, "OwnerId": USER}
    return {**row, "ReportMetadata": json.dumps(definition)}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reports")
    table(folder / "Account.csv", ROWS)
    table(folder / "Opportunity.csv", DEALS)
    table(folder / "Lead.csv", [{"LastName": f"L{n}", "Company": "Acme" if n % 2 else "B"} for n in range(10)])
    table(folder / "User.csv", [{"Id": USER, "Username": "ada@demo.example.com", "LastName": "Lovelace"}])
    groups: dict[str, Any] = {"groupingsDown": ["TYPE"], "groupingsAcross": [month := {"name": "CLOSE_DATE"}]}
    month["dateGranularity"] = "Month"
    reports = [
        report(ACCOUNTS, "All accounts", reportType="Account", detailColumns=COLUMNS),
        report(MATRIX, "Deals", reportType="Opportunity", detailColumns=["AMOUNT"], aggregates=["s!AMOUNT"], **groups),
        report(MINE, "Mine", reportType="Account", detailColumns=["ACCOUNT_ID"], scope="user"),
        report(PRIVATE, "Secret", "Private Reports", reportType="Account", detailColumns=["ACCOUNT_ID"]),
        report(LEADS, "Leads", reportType="LeadList", detailColumns=["LEAD_ID", "COMPANY"], groupingsDown=["COMPANY"]),
    ]
    table(folder / "Report.csv", reports)
    return folder


@pytest.fixture(scope="module")
def served(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scripted]:
    with serve_scripted(data, tmp_path_factory.mktemp("served")) as scripted:
        yield scripted


@pytest.fixture(scope="module")
def client(served: Scripted) -> Client:
    return served.client


@pytest.fixture(autouse=True)
def _nothing_left(served: Scripted) -> Iterator[None]:
    yield
    served.script()
    served.client("POST", "/__demo__/settings", json={"limit": "HourlySyncReportRuns", "used": 0})


def run(client: Client, number: str = ACCOUNTS, **metadata: Any) -> dict[str, Any]:
    answer = client("POST", f"{R}/{number}?includeDetails=true", json={"reportMetadata": metadata})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def count(found: dict[str, Any]) -> int:
    return int(found["factMap"]["T!T"]["aggregates"][0]["value"])


def ids(found: dict[str, Any]) -> list[str]:
    return [row["dataCells"][0]["value"] for row in found["factMap"]["T!T"]["rows"]]


def test_a_run_shows_the_first_2000_rows_and_says_that_there_are_more(client: Client) -> None:
    found = client.get(f"{R}/{ACCOUNTS}", includeDetails="true").json()
    assert (found["allData"], found["hasDetailRows"], count(found)) == (False, True, len(ROWS))
    assert ids(found) == [row["Id"] for row in ROWS[:2_000]]
    # The keys of the recorded runs.
    assert set(found) == {
        *("allData", "hasDetailRows", "groupingsAcross", "groupingsDown", "attributes", "reportExtendedMetadata"),
        *("factMap", "reportMetadata"),
    }
    first = ROWS[0]
    assert [cell["label"] for cell in found["factMap"]["T!T"]["rows"][0]["dataCells"]] == [
        *(first["Id"], first["Name"], first["Industry"], "$10", "Integration User", "2/2/2024")
    ]
    assert found["factMap"]["T!T"]["rows"][0]["dataCells"][3]["value"] == {"amount": 10, "currency": None}
    assert found["reportMetadata"]["reportType"] == {"type": "AccountList", "label": "Accounts"}
    without = client.get(f"{R}/{ACCOUNTS}").json()
    assert (without["allData"], without["hasDetailRows"], "rows" in without["factMap"]["T!T"]) == (True, False, False)


def test_slices_by_created_date_and_id_bring_every_row_once(client: Client) -> None:
    seen: list[str] = []
    for month in (1, 2, 3):
        halves = [("lessThan", f"2024-{month:02d}-15"), ("greaterOrEqual", f"2024-{month:02d}-15T00:00:00Z")]
        for operator, day in halves:
            bounds = {"startDate": f"2024-{month:02d}-01", "endDate": f"2024-{month:02d}-29", "column": "CREATED_DATE"}
            part = run(
                client,
                standardDateFilter={**bounds, "durationValue": "CUSTOM"},
                reportFilters=[{"column": "CREATED_DATE", "operator": operator, "value": day}],
            )
            assert part["allData"]
            seen += ids(part)
    assert sorted(seen) == [row["Id"] for row in ROWS]
    middle = ROWS[1_500]["Id"]
    low, high = (
        run(client, reportFilters=[{"column": "ACCOUNT_ID", "operator": operator, "value": middle}])
        for operator in ("lessThan", "greaterOrEqual")
    )
    assert ids(low) + ids(high) == [row["Id"] for row in ROWS]


OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "equals": lambda value, given: value.lower() == given.lower(),
    "notEqual": lambda value, given: value.lower() != given.lower(),
    "contains": lambda value, given: given.lower() in value.lower(),
    "notContain": lambda value, given: given.lower() not in value.lower(),
    "startsWith": lambda value, given: value.lower().startswith(given.lower()),
}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    operator=st.sampled_from(sorted(OPERATORS)),
    values=st.lists(st.sampled_from([*NAMES, "1", "%", "_", "'", "\\", "retail", "Energy"]), min_size=1, max_size=3),
    column=st.sampled_from([("ACCOUNT.NAME", "Name"), ("INDUSTRY", "Industry")]),
)
def test_text_filters_select_what_they_say(
    client: Client, operator: str, values: list[str], column: tuple[str, str]
) -> None:
    given_value = ",".join('"' + value.replace('"', '""') + '"' for value in values)
    found = run(client, reportFilters=[{"column": column[0], "operator": operator, "value": given_value}])
    matches = [[OPERATORS[operator](row[column[1]], value) for value in values] for row in ROWS]
    negated = operator in ("notEqual", "notContain")
    assert count(found) == sum(all(each) if negated else any(each) for each in matches)


def test_filter_logic_numbers_blanks_and_days(client: Client) -> None:
    filters = [
        {"column": "INDUSTRY", "operator": "equals", "value": ""},
        {"column": "SALES", "operator": "greaterThan", "value": '"20,000"'},
        {"column": "CREATED_DATE", "operator": "equals", "value": "2024-02-05"},
    ]
    found = run(client, reportFilters=filters, reportBooleanFilter="(1 OR 2) AND NOT 3")
    wanted = [
        row
        for row in ROWS
        if (row["Industry"] == "" or float(row["AnnualRevenue"] or 0) > 20_000)
        and row["CreatedDate"][:10] != "2024-02-05"
    ]
    assert ids(found) == [row["Id"] for row in wanted]


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"reportFilters": [{"column": "NOPE", "operator": "equals", "value": ""}]}, "valid filterable column"),
        ({"reportFilters": [{"column": "SALES", "operator": "contains", "value": "1"}]}, "valid condition"),
        ({"reportFilters": [{"column": "CREATED_DATE", "operator": "equals", "value": "soon"}]}, "date in the correct"),
        ({"reportFilters": [{"column": "ACCOUNT_ID", "operator": "equals", "value": "001"}]}, "15 or 18 characters"),
        ({"reportFilters": [{"column": "INDUSTRY", "operator": "equals", "value": "x"}] * 21}, "at most 20"),
        (
            {
                "reportFilters": [{"column": "INDUSTRY", "operator": "equals", "value": "x"}],
                "reportBooleanFilter": "1 AND 2",
            },
            "filter logic",
        ),
        ({"detailColumns": []}, "any columns selected"),
        ({"detailColumns": ["INDUSTRY"] * 101}, "fewer than 100 columns"),
        ({"sortBy": [{"sortColumn": "PHONE1", "sortOrder": "Asc"}]}, "selected column"),
    ],
)
def test_what_cannot_be_run_is_refused(client: Client, metadata: dict[str, Any], message: str) -> None:
    answer = client("POST", f"{R}/{ACCOUNTS}", json={"reportMetadata": metadata})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "BAD_REQUEST")
    assert message in answer.json()[0]["message"]


def test_a_matrix_adds_up(client: Client) -> None:
    found = run(client, MATRIX)
    down = [each["value"] for each in found["groupingsDown"]["groupings"]]
    across = [(each["key"], each["value"], each["label"]) for each in found["groupingsAcross"]["groupings"]]
    assert down == ["New", "Old"]
    assert across == [
        (str(n), f"2024-{n + 1:02d}-01", f"{m} 2024") for n, m in enumerate(["January", "February", "March"])
    ]
    for row, kind in enumerate([*down, "T"]):
        for column in ["0", "1", "2", "T"]:
            place = f"{'T' if kind == 'T' else row}!{column}"
            wanted = [
                int(deal["Amount"])
                for deal in DEALS
                if kind in ("T", deal["Type"]) and column in ("T", str(int(deal["CloseDate"][5:7]) - 1))
            ]
            cell = found["factMap"][place]
            assert cell["aggregates"] == [{"value": sum(wanted), "label": f"${sum(wanted):,}.00"}]
            leaf = kind != "T" and column != "T"
            assert sorted(r["dataCells"][0]["value"]["amount"] for r in cell["rows"]) == (
                sorted(wanted) if leaf else []
            )


def test_my_scope_is_of_whoever_runs_it(client: Client) -> None:
    assert count(run(client, MINE)) == sum(row["OwnerId"] == "" for row in ROWS)


def test_a_report_in_anothers_private_folder_is_not_there(client: Client) -> None:
    for path in (f"{R}/{PRIVATE}", f"{R}/{PRIVATE}/describe", f"{R}/00O5g0000009999"):
        answer = client.get(path)
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (404, "NOT_FOUND")
    assert "Secret" not in [each["name"] for each in client.get(R).json()]


def test_soql_finds_reports_and_their_definition_is_no_field(client: Client) -> None:
    found = client.query("SELECT Id, Name, DeveloperName, FolderName FROM Report WHERE DeveloperName = 'All_accounts'")
    assert [each["Name"] for each in found["records"]] == ["All accounts"]
    names = {each["name"] for each in client.get(f"{V}/sobjects/Report/describe").json()["fields"]}
    assert "ReportMetadata" not in names


def test_describe_tells_columns_filters_and_scopes(client: Client) -> None:
    found = client.get(f"{R}/{ACCOUNTS}/describe").json()
    columns = found["reportTypeMetadata"]["categories"][0]["columns"]
    assert set(COLUMNS) <= set(columns)
    assert columns["SALES"]["dataType"] == "currency"
    assert {each["name"] for each in found["reportTypeMetadata"]["dataTypeFilterOperatorMap"]["boolean"]} == {
        *("equals", "notEqual")
    }
    assert [each["value"] for each in found["reportTypeMetadata"]["scopeInfo"]["values"]] == ["organization", "user"]
    assert set(found["reportExtendedMetadata"]["detailColumnInfo"]) == set(COLUMNS)


def test_a_hidden_field_is_no_column_and_a_hidden_object_no_report(served: Scripted) -> None:
    served.script({"action": "hide_field", "object": "Account", "field": "AnnualRevenue"})
    found = run(served.client)
    assert "SALES" not in found["reportExtendedMetadata"]["detailColumnInfo"]
    assert len(found["factMap"]["T!T"]["rows"][0]["dataCells"]) == len(COLUMNS) - 1
    served.script({"action": "hide_object", "object": "Account"})
    answer = served.client.get(f"{R}/{ACCOUNTS}")
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (403, "FORBIDDEN")


def test_running_reports_needs_its_permission_and_a_plan_can_be_had(client: Client) -> None:
    [plan] = client.get(f"{V}/query", explain=MINE).json()["plans"]
    assert plan["cardinality"] == sum(row["OwnerId"] == "" for row in ROWS)
    right = {"do": "set_system_permission", "permission": "RunReports"}
    assert client("POST", "/__demo__/execute", json={**right, "granted": False}).status_code == 200
    try:
        answer = client.get(f"{R}/{ACCOUNTS}")
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (403, "FORBIDDEN")
    finally:
        client("POST", "/__demo__/execute", json=right)
    assert client.get(f"{R}/{ACCOUNTS}").status_code == 200


def test_field_permissions_hold_in_reports_too(client: Client) -> None:
    right = {"do": "set_field_permission", "field": "Account.Industry", "read": False, "edit": False}
    assert client("POST", "/__demo__/execute", json=right).status_code == 200
    try:
        found = run(client)
        assert "INDUSTRY" not in found["reportExtendedMetadata"]["detailColumnInfo"]
        filters = [{"column": "INDUSTRY", "operator": "equals", "value": "Energy"}]
        refused = client("POST", f"{R}/{ACCOUNTS}", json={"reportMetadata": {"reportFilters": filters}})
        assert (refused.status_code, refused.json()[0]["errorCode"]) == (400, "BAD_REQUEST")
    finally:
        client("POST", "/__demo__/execute", json={**right, "read": True, "edit": True})


def test_runs_of_an_hour_are_counted_and_refused(client: Client) -> None:
    before = client.get(f"{V}/limits").json()["HourlySyncReportRuns"]["Remaining"]
    run(client)
    assert client.get(f"{V}/limits").json()["HourlySyncReportRuns"]["Remaining"] == before - 1
    client("POST", "/__demo__/settings", json={"limit": "HourlySyncReportRuns", "used": 500})
    answer = client.get(f"{R}/{ACCOUNTS}")
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (403, "FORBIDDEN")
    assert "500 reports synchronously" in answer.json()[0]["message"]


def test_a_run_in_the_background_ends_with_the_same_result(client: Client) -> None:
    started = client("POST", f"{R}/{LEADS}/instances?includeDetails=true").json()
    assert (started["status"], started["completionDate"]) == ("New", None)
    for _ in range(200):
        found = client.get(started["url"]).json()
        if found["attributes"]["status"] == "Success":
            break
        time.sleep(0.02)
    assert found["attributes"]["id"] == started["id"]
    assert found["factMap"] == run(client, LEADS)["factMap"]
    assert found["factMap"]["0!T"]["aggregates"][0]["value"] == 5
    assert [each["id"] for each in client.get(f"{R}/{LEADS}/instances").json()] == [started["id"]]
    assert client("DELETE", started["url"]).status_code == 204
    assert client.get(started["url"]).status_code == 404


def test_a_report_is_created_cloned_saved_and_deleted(client: Client) -> None:
    definition = {"name": "Made", "reportType": {"type": "LeadList"}, "detailColumns": ["COMPANY"]}
    made = client("POST", R, json={"reportMetadata": definition}).json()["reportMetadata"]
    assert (made["name"], made["reportFormat"], made["developerName"]) == ("Made", "TABULAR", "Made")
    clone = client("POST", f"{R}?cloneId={made['id']}", json={"reportMetadata": {"name": "Twin"}}).json()
    twin = clone["reportMetadata"]
    assert (twin["name"], twin["detailColumns"]) == ("Twin", ["COMPANY"])
    only = [{"column": "COMPANY", "operator": "equals", "value": "Acme"}]
    assert client("PATCH", f"{R}/{twin['id']}", json={"reportMetadata": {"reportFilters": only}}).status_code == 200
    assert (count(run(client, twin["id"])), count(run(client, made["id"]))) == (5, 10)
    assert client("DELETE", f"{R}/{twin['id']}").status_code == 204
    assert client.get(f"{R}/{twin['id']}/describe").status_code == 404
    assert client.query(f"SELECT Id FROM Report WHERE Id = '{twin['id']}'")["totalSize"] == 0


def test_a_definition_that_is_no_json_stops_the_start(tmp_path: Path) -> None:
    for text, why in (("{", "Expecting"), ("[]", "not a JSON object")):
        row = {"Id": ACCOUNTS, "Name": "Broken", "ReportMetadata": text}
        table(tmp_path / "Report.csv", [row])
        store = OrgStore.load(tmp_path, tmp_path / "org.duckdb")
        try:
            with pytest.raises(DemoOrgError, match=f"ReportMetadata of report {ACCOUNTS}.*(?s:.*){why}"):
                ReportCatalog(store)
        finally:
            store.close()


def test_background_runs_are_forgotten_after_a_day(client: Client) -> None:
    started = client("POST", f"{R}/{LEADS}/instances").json()
    assert client.get(started["url"]).status_code == 200
    client("POST", "/__demo__/settings", json={"clock": {"skew_seconds": 86_401}})
    try:
        assert client.get(started["url"]).status_code == 404
    finally:
        client("POST", "/__demo__/settings", json={"clock": {"skew_seconds": 0}})
    assert client.get(started["url"]).status_code == 200
