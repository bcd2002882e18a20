"""The review page in a real browser: keys, sign-in, light and dark, narrow, without JavaScript, hostile names."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import duckdb
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from data_contracts.contracts import load_contract
from resources.home import Home
from tests.support.review_site import PASSWORD, Site, serve_review
from tests.support.review_snapshot import copy_home, publish_restaurants, salesforce_id

HOSTILE_PAIR = f"/pair/account/{salesforce_id(1)}?reference_id=h1"
#: Contrast of text and its background that WCAG 2 asks for at level AA.
CONTRAST = 4.5


@pytest.fixture(scope="module")
def chromium(browser: BrowserContext) -> Browser:
    """The browser of the session: Playwright runs once in a process."""
    assert browser.browser
    return browser.browser


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return publish_restaurants(tmp_path_factory.mktemp("review"), rows=40)


@pytest.fixture
def site(published: Home, tmp_path: Path) -> Iterator[Site]:
    copy_home(published, tmp_path)
    with serve_review(tmp_path) as served:
        yield served


def signed_in(browser: Browser, site: Site, name: str = "ann", **context: object) -> BrowserContext:
    """A browser whose person has signed in."""
    made = browser.new_context(base_url=site.url, viewport={"width": 1280, "height": 900}, **(context))  # type: ignore[arg-type]
    made.set_default_timeout(45_000)
    session = site.services.sessions.begin(name)
    cookie = {"name": site.services.door.session_name, "value": site.services.sessions.cookie(session), "url": site.url}
    made.add_cookies([cookie])  # type: ignore[list-item]
    return made


def keep(page: Page, name: str) -> None:
    """Keep a screenshot where somebody asked for them."""
    if folder := os.environ.get("REVIEW_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def press(page: Page, key: str) -> None:
    """Press a key once the page listens to it: its script is deferred."""
    page.wait_for_load_state()
    page.keyboard.press(key)


def record_of(page: Page) -> str:
    return page.url.split("/pair/account/")[1].split("?")[0]


def test_a_steward_signs_in_and_decides_with_one_key_each(chromium: Browser, site: Site) -> None:
    page = chromium.new_page(base_url=site.url)
    page.set_default_timeout(45_000)
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(message.text))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto("/queue?sort=name")
    page.get_by_label("Name").fill("ann")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/queue?sort=name")
    page.locator("table.queue tbody a").first.click()
    page.wait_for_url("**/pair/account/**")
    seen = []
    for key in "ynu":
        seen.append(record_of(page))
        before = page.url
        press(page, key)
        page.wait_for_function("before => location.href !== before", arg=before)
        expect(page.get_by_role("status")).to_contain_text("It counts from the next run on")
    made = site.decisions()
    assert [(one.salesforce_id, one.judgement) for one in made] == list(
        zip(seen, ("positive", "negative", "unsure"), strict=True)
    )
    press(page, "z")
    expect(page.get_by_role("status")).to_contain_text("Taken back: unsure")
    assert record_of(page) == seen[2]
    press(page, "p")
    page.wait_for_function("id => !location.href.includes(id)", arg=seen[2])
    assert troubles == []


def test_keys_do_nothing_while_somebody_types_and_can_be_switched_off(chromium: Browser, site: Site) -> None:
    context = signed_in(chromium, site)
    page = context.new_page()
    page.goto(HOSTILE_PAIR)
    page.get_by_label("Reason").click()
    page.keyboard.type("yes, nobody unsure")
    expect(page.get_by_label("Reason")).to_have_value("yes, nobody unsure")
    page.goto("/help")
    page.get_by_role("button", name="Switch them off").click()
    page.goto(HOSTILE_PAIR)
    page.keyboard.press("y")
    page.keyboard.press("Control+y")
    expect(page.get_by_role("heading", level=1)).to_contain_text("is it")
    assert site.decisions() == ()
    context.close()


def test_a_keyboard_alone_reaches_the_decision_and_focus_is_seen(chromium: Browser, site: Site) -> None:
    context = signed_in(chromium, site)
    page = context.new_page()
    page.goto(HOSTILE_PAIR)
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    for _ in range(12):
        page.keyboard.press("Tab")
        focused = page.evaluate("document.activeElement.value || ''")
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", page.evaluate("document.activeElement.outerHTML")
        if focused == "negative":
            break
    page.keyboard.press("Enter")
    page.wait_for_function("id => !location.href.includes(id)", arg=salesforce_id(1))
    assert [one.judgement for one in site.decisions()] == ["negative"]
    context.close()


def test_without_javascript_everything_is_there(chromium: Browser, site: Site) -> None:
    context = signed_in(chromium, site, java_script_enabled=False)
    page = context.new_page()
    page.goto("/queue")
    page.locator("table.queue tbody a").first.click()
    first = record_of(page)
    page.get_by_label("Reason").fill("seen on their site")
    page.get_by_role("button", name="The same", exact=False).first.click()
    expect(page.get_by_role("status")).to_contain_text("the same")
    page.get_by_role("button", name="Take back my last decision").click()
    assert record_of(page) == first
    context.close()


def test_a_script_in_a_name_does_not_run(chromium: Browser, site: Site) -> None:
    context = signed_in(chromium, site, "eve")
    page = context.new_page()
    page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    for path in (HOSTILE_PAIR, "/queue?text=script"):
        page.goto(path)
        assert page.title() != "owned"
        expect(page.get_by_text('<script>document.title="owned"</script>').first).to_be_visible()
    # Were it let onto a page after all, the policy would stop it.
    blocked = """() => { const made = document.createElement("script"); made.textContent = "document.title = 'owned'";
        document.body.append(made); return document.title }"""
    assert page.evaluate(blocked) != "owned"
    context.close()


CONTRASTS = (Path(__file__).parent / "contrast.js").read_text(encoding="utf-8")
#: Names nobody would make up, and orgs have: one endless word, from right to left, and what turns the text around it.
HARD = (
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerk" * 4,
    "شركة الأفق للتجارة (2024)",
    "Acme \u202egnidloH\u202c",
)
ENDLESS, RIGHT_TO_LEFT = salesforce_id(3), salesforce_id(4)
USER = "005000000000001AAA"
#: Pages that no link of the navigation leads to.
OTHERS = (
    HOSTILE_PAIR + "&q=cafe",
    f"/pair/account/{ENDLESS}?reference_id=z2",
    f"/pair/account/{RIGHT_TO_LEFT}?reference_id=z2",
    f"/record/account/{ENDLESS}",
    f"/missing/account/{salesforce_id(2)}",
    "/duplicates/account?reference_id=z2",
    f"/users/{USER}",
    "/users?show=all",
    "/shadow?field=OrgMatch__c",
    "/help",
)
LOOKS: tuple[tuple[int, Literal["light", "dark"]], ...] = ((1280, "light"), (768, "dark"), (360, "light"))
FAULTS = """() => ({
    headings: document.querySelectorAll("h1").length,
    nameless: [...document.querySelectorAll("input:not([type=hidden]), select, textarea")]
        .filter((item) => !item.labels.length).map((item) => item.outerHTML),
    sideways: document.documentElement.scrollWidth - innerWidth,
    small: [...document.querySelectorAll("button, .button, select, nav a")].filter((item) => item.checkVisibility())
        .filter((item) => item.getBoundingClientRect().height < 24).map((item) => item.outerHTML),
})"""


@pytest.fixture(scope="module")
def hard(published: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The page over records with names that burst tables, and a user with an endless address."""
    folder = tmp_path_factory.mktemp("hard")
    copy_home(published, folder)
    with duckdb.connect(str(Home(folder).published)) as con:
        for record, name in ((ENDLESS, HARD[0]), (RIGHT_TO_LEFT, HARD[1])):
            con.execute("UPDATE standard.account SET name_raw = ? WHERE salesforce_id = ?", [name, record])
            con.execute('UPDATE salesforce.account SET "Name" = ? WHERE "Id" = ?', [name, record])
        con.execute("UPDATE standard.company SET name_raw = ? WHERE company_id = 'z2'", [HARD[2]])
        con.execute("CREATE SCHEMA IF NOT EXISTS ownership")
        for name in ("ownership.user", "ownership.own_user"):
            con.execute(load_contract(name).ddl())
        con.execute(
            "INSERT INTO ownership.user (salesforce_id, kind, name, email, record_count, status, needs_person, "
            "candidates, reason, mapping_version) VALUES (?, 'user', ?, ?, 7, 'none', true, [], 'nobody fits', 0)",
            [USER, HARD[0], "a" * 60 + "@" + "b" * 60 + ".example"],
        )
    with serve_review(folder) as served:
        yield served


def test_every_page_is_whole_whatever_its_width(chromium: Browser, hard: Site) -> None:
    context = signed_in(chromium, hard, "eve")
    page = context.new_page()
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(message.text))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto("/queue")
    reached = [link.get_attribute("href") or "" for link in page.get_by_role("navigation").get_by_role("link").all()]
    assert len(reached) == 9, "an admin sees every page"
    for number, path in enumerate((*reached, *OTHERS)):
        answer = page.goto(path)
        assert answer
        assert answer.status == 200, path
        # One visit a page, for a visit is what costs.
        for width, scheme in LOOKS:
            page.set_viewport_size({"width": width, "height": 800})
            page.emulate_media(color_scheme=scheme)
            keep(page, f"{number}_{scheme}_{width}")
            assert page.evaluate(FAULTS) == {"headings": 1, "nameless": [], "sideways": 0, "small": []}, (path, width)
            assert [item for item in page.evaluate(CONTRASTS) if item[0] < CONTRAST] == [], (path, width)
            back = "rgb(255, 255, 255)" if scheme == "light" else "rgb(18, 23, 30)"
            assert page.evaluate("getComputedStyle(document.body).backgroundColor") == back, path
            if width == 1280:
                assert page.evaluate("document.querySelector('.top').offsetHeight") < 60, "the head is one line"
        if path in reached:
            assert page.locator("nav [aria-current=page]").get_attribute("href") == path
    assert troubles == []
    context.close()


def test_a_name_that_turns_the_text_around_is_seen_to(chromium: Browser, hard: Site) -> None:
    context = signed_in(chromium, hard)
    page = context.new_page()
    page.goto(OTHERS[1])
    expect(page.get_by_role("heading", level=1)).to_contain_text("Acme [U+202E]gnidloH[U+202C]")
    context.close()


def test_on_a_telephone_a_row_of_the_queue_is_a_card_that_says_what_each_value_is(
    chromium: Browser, site: Site
) -> None:
    context = signed_in(chromium, site)
    page = context.new_page()
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto("/queue")
    row = page.locator("table.queue tbody tr").first
    for cell in row.locator("td").all():
        box, label = cell.bounding_box(), cell.evaluate("cell => getComputedStyle(cell, '::before').content")
        assert box
        assert box["x"] + box["width"] <= 360
        assert json.loads(label) == f"{cell.get_attribute('data-label')}: "
    context.close()
