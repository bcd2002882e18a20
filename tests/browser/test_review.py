"""The review page in a real browser: keys, sign-in, light and dark, narrow, without JavaScript, hostile names."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

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


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 360), ("dark", 360)])
def test_it_reads_well_light_and_dark_wide_and_narrow(chromium: Browser, site: Site, scheme: str, width: int) -> None:
    context = signed_in(chromium, site, "eve", color_scheme=scheme)
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 800})
    backs = set()
    for number, path in enumerate(("/queue", HOSTILE_PAIR + "&q=cafe", "/help", "/shadow?field=OrgMatch__c", "/bulk")):
        page.goto(path)
        keep(page, f"{number}_{scheme}_{width}")
        faint = [item for item in page.evaluate(CONTRASTS) if item[0] < CONTRAST]
        assert faint == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        backs.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert backs == {"rgb(255, 255, 255)" if scheme == "light" else "rgb(18, 23, 30)"}
    context.close()
