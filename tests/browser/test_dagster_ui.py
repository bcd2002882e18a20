"""What a data engineer sees in the Dagster UI after a first run."""

import re
import signal
from typing import Any

import psutil
import pytest
from playwright.sync_api import Page, expect

from data_contracts.contracts import contract_names, load_contract
from tests.browser.conftest import ServedUi

GROUPS = ("salesforce", "reference", "standard", "resolve", "imports", "ownership", "ops", "publish")
#: A step may stand left of the next; groups side by side are one step.
FLOW = (("salesforce",), ("standard",), ("resolve",), ("imports", "ownership"), ("ops",), ("publish",))
#: The parts of the project a warning could come from.
OURS = re.compile(r"/(assets|schedules|resources|pipelines|data_contracts|apps)/\w+\.py|/definitions\.py")
TROUBLE = re.compile(r"Warning\b|Traceback|\bERROR\b|\bCRITICAL\b|Exception")


def ask(page: Page, ui: ServedUi, query: str) -> Any:
    """The answer of the UI's own GraphQL endpoint."""
    return page.request.post(f"{ui.url}/graphql", data={"query": query}).json()["data"]


def show_plot(page: Page, key: str) -> int:
    """Open the plot of metadata ``key`` as a person does and return how many pixels wide it is drawn."""
    row = page.get_by_role("row").or_(page.locator("tr")).filter(has_text=key)
    row.get_by_text("[Show Markdown]").first.click()
    image = page.get_by_role("dialog").locator("img")
    expect(image).to_be_visible()
    width: int = image.evaluate("image => image.decode().then(() => image.naturalWidth)")
    return width


def test_the_graph_shows_the_groups_in_the_order_data_flows(ui: ServedUi, run_id: str, page: Page) -> None:
    page.goto(f"{ui.url}/asset-groups")
    left: dict[str, float] = {}
    for group in GROUPS:
        node = page.locator("svg foreignObject, [data-svg-key], g").get_by_text(group, exact=True).first
        expect(node).to_be_visible()
        box = node.bounding_box()
        assert box
        left[group] = box["x"]
    ends = [(max(left[name] for name in step), min(left[name] for name in step)) for step in FLOW]
    for (before, _), (_, after) in zip(ends, ends[1:], strict=False):
        assert before < after
    assert left["reference"] < left["standard"]


def test_every_published_table_is_an_asset_with_its_contract(ui: ServedUi, run_id: str, page: Page) -> None:
    nodes = ask(page, ui, "{assetNodes{assetKey{path} description owners{__typename} kinds groupName}}")["assetNodes"]
    found = {".".join(node["assetKey"]["path"]): node for node in nodes}
    promised = [name for name in contract_names() if not name.startswith("insight.")]
    assert set(promised) <= set(found)
    assert {name: found[name]["description"] for name in promised} == {
        name: load_contract(name).description for name in promised
    }
    assert all(node["owners"] and node["kinds"] and node["description"] for node in nodes)
    assert {node["groupName"] for node in nodes} == set(GROUPS)


def test_the_crosswalk_says_what_it_is_and_shows_its_match_weights(ui: ServedUi, run_id: str, page: Page) -> None:
    contract = load_contract("crosswalk.account")
    page.goto(f"{ui.url}/assets/crosswalk/account")
    expect(page.get_by_text(contract.description.strip()[:60]).first).to_be_visible()
    for column in contract.columns:
        expect(page.get_by_text(column.name, exact=True).first).to_be_attached()
        expect(page.get_by_text(column.description.strip()[:40]).first).to_be_attached()
    for text in ("Row count", "data-engineering", "DuckDB", "splink", "analytics.crosswalk.account"):
        expect(page.get_by_text(text).first).to_be_visible()
    assert show_plot(page, "match weights") > 300


@pytest.mark.parametrize("plot", ["link rate per run", "records per object", "API requests per run"])
def test_the_statistics_show_their_plots(ui: ServedUi, run_id: str, page: Page, plot: str) -> None:
    page.goto(f"{ui.url}/assets/ops/run_statistics")
    assert show_plot(page, plot) > 300


def test_the_api_usage_of_the_run_is_told_by_endpoint(ui: ServedUi, run_id: str, page: Page) -> None:
    query = """{assetNodeOrError(assetKey:{path:["ops","api_usage"]}){... on AssetNode{
        assetMaterializations(limit:1){metadataEntries{label ... on MarkdownMetadataEntry{mdStr}}}}}}"""
    entries = ask(page, ui, query)["assetNodeOrError"]["assetMaterializations"][0]["metadataEntries"]
    told = next(entry["mdStr"] for entry in entries if entry["label"] == "in this run")
    assert re.search(r"^\| account \| describe \| \d+ \| \d+ \|$", told, re.MULTILINE)


@pytest.mark.parametrize("asset", ["salesforce/account", "crosswalk/account"])
def test_a_blocking_check_is_seen_to_have_passed(ui: ServedUi, run_id: str, page: Page, asset: str) -> None:
    page.goto(f"{ui.url}/assets/{asset}?view=checks")
    page.get_by_text("keeps_contract", exact=True).first.click()
    expect(page.get_by_text("This is a blocking asset check.")).to_be_visible()
    expect(page.get_by_text("Passed", exact=True).first).to_be_visible()
    expect(page.get_by_text(re.compile(r"\d+ rules hold on [\d,]+ rows")).first).to_be_visible()


def test_every_check_of_the_run_is_green(ui: ServedUi, run_id: str, page: Page) -> None:
    query = """{assetNodes{assetKey{path} assetChecksOrError{... on AssetChecks{checks{
        name blocking executionForLatestMaterialization{status runId}}}}}}"""
    checks = [
        (
            "/".join(node["assetKey"]["path"]),
            check["name"],
            check["blocking"],
            check["executionForLatestMaterialization"],
        )
        for node in ask(page, ui, query)["assetNodes"]
        for check in node["assetChecksOrError"]["checks"]
    ]
    assert len(checks) > len(contract_names())
    # What preflight and the alarms find is a warning to look at; every other check stands between a table and what
    # follows.
    assert {check[0] for check in checks if not check[2]} == {"ops/preflight", "ops/alarm"}
    assert [check for check in checks if check[3] != {"status": "SUCCEEDED", "runId": run_id}] == []


def test_the_run_tells_how_far_its_steps_came(ui: ServedUi, run_id: str, page: Page) -> None:
    page.goto(f"{ui.url}/runs/{run_id}")
    expect(page.get_by_text(re.compile(r"^Succeeded \([1-9]\d+\)$"))).to_be_visible()
    expect(page.get_by_text("Errored (0)")).to_be_visible()
    page.get_by_placeholder("Filter…").fill("account: loaded")
    expect(page.get_by_text(re.compile(r"account: loaded [\d,]+ rows")).first).to_be_visible()


@pytest.mark.parametrize(
    ("job", "told"), [("daily_sync", "Fetch what changed"), ("weekly_full_sync", "Fetch everything")]
)
def test_a_job_is_listed_and_described(ui: ServedUi, run_id: str, page: Page, job: str, told: str) -> None:
    page.goto(f"{ui.url}/jobs")
    page.get_by_role("link", name=job).first.click()
    expect(page.get_by_text(told).first).to_be_visible()


def test_the_schedules_are_listed_switched_off_and_say_when(ui: ServedUi, run_id: str, page: Page) -> None:
    page.goto(f"{ui.url}/automation")
    for job in ("daily_sync", "weekly_full_sync"):
        expect(page.get_by_text(f"{job}_schedule", exact=True)).to_be_visible()
    expect(page.get_by_text(re.compile("08:00 PM E[SD]T")).first).to_be_visible()
    query = """{schedulesOrError(repositorySelector: {repositoryLocationName: "crosswalk",
        repositoryName: "__repository__"}){... on Schedules{results{name description scheduleState{status}}}}}"""
    schedules = ask(page, ui, query)["schedulesOrError"]["results"]
    assert [schedule["scheduleState"]["status"] for schedule in schedules] == ["STOPPED", "STOPPED"]
    assert all("20:00 to 06:00 America/New_York" in schedule["description"] for schedule in schedules)


def test_ctrl_c_ends_every_process_and_the_log_is_clean(ui: ServedUi, run_id: str) -> None:
    family = psutil.Process(ui.process.pid).children(recursive=True)
    assert any("demo-org" in member.cmdline() for member in family)
    assert any("dagster_webserver" in member.cmdline() for member in family)
    ui.process.send_signal(signal.SIGINT)
    assert ui.process.wait(60) == 0
    _, left = psutil.wait_procs(family, timeout=10)
    assert [member.cmdline() for member in left] == []
    lines = ui.log.read_text().splitlines()
    assert [line for line in lines if TROUBLE.search(line) or (OURS.search(line) and "arning" in line)] == []
    assert any("account: loaded" in line for line in lines)
