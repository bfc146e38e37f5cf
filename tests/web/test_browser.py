"""Every page in a real browser: accessible, narrow, by keyboard, with and without JavaScript, with a clean console."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.web.conftest import FLAGS

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
WCAG = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}}
NARROW, WIDE = {"width": 320, "height": 640}, {"width": 1280, "height": 900}
PATIENCE = 15_000       # milliseconds a browser is waited for on a busy machine

PAGES: dict[str, Callable[[Page, str], object]] = {
    "sign in": lambda page, _: (page.context.clear_cookies(), page.goto("/sign-in")),
    "sign in, nothing chosen": lambda page, _: (page.context.clear_cookies(), page.goto("/sign-in"),
                                                press(page, "Sign in")),
    "people": lambda page, _: page.goto("/people"),
    "people who left": lambda page, _: page.goto("/people?change=left"),
    "nothing fits": lambda page, _: page.goto("/people?state=declined"),
    "a long list, page 2": lambda page, _: page.goto("/allocations?page=2"),
    "a person": lambda page, _: open_first(page, "/people"),
    "a place": lambda page, _: open_first(page, "/places"),
    "an offer": lambda page, _: open_first(page, "/allocations"),
    "find": lambda page, _: page.goto("/find"),
    "found": lambda page, _: find(page, "P0000"),
    "found nothing": lambda page, _: find(page, "zzzz"),
    "decide": lambda page, taken: page.goto(f"{taken}/decide"),
    "decide, nothing filled in": lambda page, taken: (page.goto(f"{taken}/decide"), press(page, "Save the decision")),
    "no such page": lambda page, _: page.goto("/nothing"),
    "left the page": lambda page, _: page.goto("/away"),
}


ALIKE = ("sign in, nothing chosen", "people who left", "nothing fits", "an offer", "find", "found nothing", "decide")
"""Made of the same parts as another page here, so looked at only in the long run."""


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()
    page.wait_for_load_state()


def open_first(page: Page, path: str) -> None:
    page.goto(path)
    page.locator(".ww-item a").first.click()
    page.wait_for_load_state()


def find(page: Page, words: str) -> None:
    page.goto("/find")
    page.locator("#words").fill(words)
    press(page, "Find")


def sign_in(page: Page, role: str = "Chair of the tasking group") -> None:
    page.context.clear_cookies()        # whoever is signed in is led past the form
    page.goto("/sign-in")
    page.get_by_label(role).check()
    press(page, "Sign in")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def context(browser: Browser, served: str) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=served, viewport=WIDE)
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


@pytest.fixture(scope="module")
def taken(browser: Browser, served: str) -> str:
    """A flag that the chair has taken up."""
    with browser.new_context(base_url=served) as context:
        page = context.new_page()
        sign_in(page)
        open_first(page, "/people?change=worse")
        if page.get_by_role("button", name="Take it up").count():
            press(page, "Take it up")
        return page.url.split("?")[0]


@pytest.fixture
def page(context: BrowserContext, served: str) -> Iterator[Page]:
    """A page of somebody signed in, that fails the test for a word on the console or a request to anybody else."""
    page, heard = context.new_page(), listen(served)
    heard.hear(page)
    sign_in(page)
    yield page
    page.close()
    assert heard.said == []


class listen:
    """What a page says on the console, and whom it asks besides us. That a page is not there is what some tests ask."""

    def __init__(self, served: str) -> None:
        self.served, self.said = served, list[str]()

    def hear(self, page: Page) -> None:
        page.on("console", lambda message: self._keep(message.text, not re.search("status of 4", message.text)))
        page.on("pageerror", lambda error: self._keep(str(error), True))
        page.on("request", lambda request: self._keep(request.url, not request.url.startswith(self.served)))

    def _keep(self, said: str, wanted: bool) -> None:
        self.said += [said] if wanted else []


@pytest.mark.parametrize("name", [
    pytest.param(name, marks=pytest.mark.more if name in ALIKE else ()) for name in PAGES])
def test_a_page_meets_wcag_22_aa_and_reflows_at_320_pixels(page: Page, taken: str, name: str) -> None:
    PAGES[name](page, taken)
    assert page.locator("h1").count() == 1
    assert page.title()
    assert say(find_violations(page)) == []
    page.set_viewport_size(NARROW)
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"], "wider than the window"
    page.set_viewport_size(WIDE)


def test_the_keyboard_reaches_everything_in_order_and_it_is_seen_where_it_is(page: Page) -> None:
    page.goto("/people")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent.trim()") == "Skip to main content"
    reached = []
    for _ in range(60):
        page.keyboard.press("Tab")
        one = page.evaluate(FOCUSED)
        if one["text"] == "BODY":
            break
        assert one["shown"], f"nobody sees that {one['text']} has the focus"
        reached.append(one["text"])
    wanted = ["Example Council", "Sign out", "People", "Exit this page", "Filter", "Show", "P000001",
              "Download these as CSV"]
    places = [next(at for at, text in enumerate(reached) if want in text) for want in wanted]
    assert places == sorted(places)


def test_the_filter_answers_without_a_new_page_and_its_parts_work_again(page: Page) -> None:
    page.goto("/people")
    page.evaluate("window.same = true")
    page.get_by_label("Band").select_option("discuss")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**/people?*band=discuss*")
    page.wait_for_function("document.querySelectorAll('.ww-item').length == 1")
    assert page.locator("[data-told]").inner_text() == "1 flag.", "who listens is not told"
    assert page.evaluate("window.same") is True
    assert page.evaluate("localStorage.length") == 0, "pages about people are kept by the browser"


def test_a_fact_leads_to_a_record_that_was_folded_away(page: Page) -> None:
    open_first(page, "/people?axis=harm")
    page.get_by_text("Every fact that was read").click()
    page.locator('td a[href^="#record-"]').first.click()
    page.wait_for_function("location.hash.startsWith('#record-')")
    assert page.locator(":target").is_visible()


def test_on_paper_everything_is_unfolded_and_nothing_is_there_to_press(page: Page) -> None:
    open_first(page, "/people?axis=harm")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.get_by_text("Threshold:").first.is_visible()
    for gone in (".govuk-service-navigation", ".govuk-exit-this-page", ".ww-contents"):
        assert not page.locator(gone).is_visible()
    page.emulate_media(media="screen")


@pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_member_reads_takes_up_and_decides(browser: Browser, served: str, scripts: bool) -> None:
    with browser.new_context(base_url=served, java_script_enabled=scripts) as context:
        context.set_default_timeout(PATIENCE)
        page, heard = context.new_page(), listen(served)
        heard.hear(page)
        sign_in(page, "Member of the tasking group")
        page.goto(f"/allocations?page={1 if scripts else 2}")
        page.get_by_label("State").select_option("proposed")
        press(page, "Show")
        page.locator(".ww-item a").first.click()
        page.get_by_text("What was looked at for reason 1").click()
        assert page.get_by_text("Threshold:").first.is_visible()
        press(page, "Take it up")
        page.get_by_role("button", name="Decide").click()
        page.get_by_label("Decline: nothing further should follow").check()
        page.get_by_label("Already in hand").check()
        page.get_by_label("Why, in your own words").fill("Housing is looking after it already.")
        press(page, "Save the decision")
        assert page.get_by_text("Your decision is saved.").is_visible()
        assert page.get_by_text("Declined", exact=True).first.is_visible()
        assert heard.said == []


FOCUSED = """() => {
  const one = document.activeElement, style = getComputedStyle(one), box = one.getBoundingClientRect()
  const around = one.closest('.govuk-checkboxes__item, .govuk-radios__item')
  const label = around ? getComputedStyle(around.querySelector('label'), '::before').boxShadow : 'none'
  const marked = style.outlineStyle !== 'none' || style.boxShadow !== 'none' || label !== 'none'
  return {text: one === document.body ? 'BODY' : (one.innerText || one.name || '').trim(),
          shown: marked && box.width > 0 && box.height > 0}
}"""


def find_violations(page: Page) -> list[dict[str, Any]]:
    return Axe().run(page, options=WCAG).response["violations"]


def say(violations: list[dict[str, Any]]) -> list[str]:
    return [f"{one['id']}: {node['html'][:200]}" for one in violations for node in one["nodes"]]
