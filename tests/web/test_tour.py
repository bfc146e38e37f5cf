"""Every page of the site over an invented borough, in a real browser, as whoever works with it: accessible, narrow, by
keyboard, with a clean console. In the long run also as every other role that may open it, and without JavaScript."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page

from api.web.rights import ROLES
from api.web.site_words import ROLE_NAMES
from tests.web.conftest import open_borough
from tests.web.test_browser import (
    CHROMIUM,
    FOCUSED,
    NARROW,
    PATIENCE,
    WIDE,
    browser,
    find_violations,
    listen,
    press,
    say,
    sign_in,
)
from tests.web.test_route_walk import TABLE, World, make_one_of_everything, move

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
__all__ = ["browser"]


@dataclass(frozen=True)
class Stop:
    """A page and who looks at it. `then`: what they press when it is there."""

    role: str
    path: str
    then: Callable[[Page], object] | None = None


def button(name: str) -> Callable[[Page], object]:
    return lambda page: press(page, name)


def find_pair(page: Page) -> None:
    page.locator("#applicant").fill("zzzz")
    page.locator("#home").fill("zzzz")
    press(page, "Find")


TOUR = {
    "people": Stop("tasking_chair", "/people"),
    "a person": Stop("tasking_chair", "/flags/{id}"),
    "a place": Stop("tasking_chair", "/places", lambda page: page.locator(".ww-item a").first.click()),
    "an offer": Stop("tasking_chair", "/allocations", lambda page: page.locator(".ww-item a").first.click()),
    "ask an agency": Stop("tasking_chair", "/flags/{id}/ask"),
    "ask an agency, nothing said": Stop("tasking_chair", "/flags/{id}/ask", button("Send the question")),
    "agree an action": Stop("tasking_chair", "/flags/{id}/agree"),
    "agree an action, nothing said": Stop("tasking_chair", "/flags/{id}/agree", button("Agree it")),
    "contest": Stop("tasking_chair", "/flags/{id}/contest"),
    "contested": Stop("tasking_chair", "/flags/{id}/contested/{challenge}"),
    "meetings": Stop("tasking_chair", "/meetings"),
    "a meeting": Stop("tasking_chair", "/meetings/{id}"),
    "an item": Stop("tasking_chair", "/meetings/{id}/items/{flag}"),
    "an item, nothing filled in": Stop("tasking_chair", "/meetings/{id}/items/{flag}",
                                       button("Save and go to the next")),
    "close a meeting": Stop("tasking_chair", "/meetings/{id}/close"),
    "actions and questions": Stop("tasking_chair", "/worklist"),
    "an action": Stop("tasking_chair", "/actions/{id}"),
    "an action, not ticked": Stop("tasking_chair", "/actions/{id}", button("Note that it was done")),
    "what was asked for": Stop("tasking_chair", "/jobs"),
    "a job": Stop("tasking_chair", "/jobs/{id}"),
    "recalls": Stop("tasking_member", "/recalls"),
    "an agency's work": Stop("agency_officer", "/worklist"),
    "a question": Stop("agency_officer", "/questions/{id}"),
    "a question, nothing said": Stop("agency_officer", "/questions/{id}", button("Send the answer")),
    "screenings": Stop("housing_officer", "/screenings"),
    "screen an offer": Stop("housing_officer", "/screenings/new"),
    "screen an offer, not found": Stop("housing_officer", "/screenings/new", find_pair),
    "a screening": Stop("housing_officer", "/screenings/{token}"),
    "other homes": Stop("housing_officer", "/screenings/{token}/homes"),
    "the officer's view": Stop("housing_officer", "/screenings/{token}/view"),
    "an offer to record": Stop("housing_officer", "/screenings/{token}/offer"),
    "ask for an override": Stop("housing_officer", "/screenings/{token}/override/{number}"),
    "requests waiting": Stop("housing_manager", "/screenings"),
    "a request": Stop("housing_manager", "/overrides/{id}"),
    "overrides": Stop("housing_manager", "/overrides"),
    "rules": Stop("analyst", "/rules"),
    "no rule fits": Stop("analyst", "/rules?theme=x"),
    "a rule": Stop("analyst", "/rules/{subject}/{name}"),
    "runs": Stop("analyst", "/runs"),
    "a run": Stop("analyst", "/runs/{name}"),
    "make lists": Stop("analyst", "/runs/new"),
    "data": Stop("analyst", "/data"),
    "refused rows": Stop("analyst", "/data/quarantine"),
    "files": Stop("analyst", "/data/files"),
    "reviewing": Stop("governance", "/reviewing"),
    "challenges": Stop("governance", "/challenges"),
    "a challenge": Stop("governance", "/challenges/{id}"),
    "a notice": Stop("governance", "/challenges/{id}/notices/{agency}"),
    "disclosures": Stop("governance", "/disclosures"),
    "a disclosure": Stop("governance", "/disclosures/{id}"),
    "what is kept": Stop("governance", "/retention"),
    "the audit log": Stop("governance", "/audit"),
    "numbers": Stop("councillor", "/numbers"),
    "accounts": Stop("administrator", "/accounts"),
    "a new account": Stop("administrator", "/accounts/new"),
    "a new account, nothing filled in": Stop("administrator", "/accounts/new", button("Make the account")),
    "an account": Stop("administrator", "/accounts/{id}"),
    "agreements": Stop("administrator", "/agreements"),
    "a new agreement": Stop("administrator", "/agreements/new"),
    "a new agreement, nothing filled in": Stop("administrator", "/agreements/new", button("Save")),
    "an agreement": Stop("administrator", "/agreements/{id}"),
    "challenges to what is restricted": Stop("monitoring_officer", "/challenges"),
}


@dataclass(frozen=True)
class Site:
    """A served borough with one of everything, and what stands for each part of an address."""

    address: str
    world: World


@pytest.fixture(scope="module")
def site(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("toured") / "home"
    shutil.copytree(prepared, home)
    borough = open_borough(home)
    world = World(borough, make_one_of_everything(borough))
    move(world, "agency_officer", "police")
    server = uvicorn.Server(uvicorn.Config(borough.site, port=0, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield Site(f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", world)
    server.should_exit = True
    thread.join()
    borough.database.close()


@pytest.fixture(scope="module")
def contexts(browser: Browser, site: Site) -> Iterator[Callable[..., BrowserContext]]:
    """The browser of somebody who is signed in, the same one for all of a role's pages."""
    opened: dict[tuple[str, bool], BrowserContext] = {}

    def open_for(role: str, scripts: bool = True) -> BrowserContext:
        if (role, scripts) not in opened:
            context = browser.new_context(base_url=site.address, viewport=WIDE, java_script_enabled=scripts)
            context.set_default_timeout(PATIENCE)
            sign_in(context.new_page(), ROLE_NAMES[role])
            opened[role, scripts] = context
        return opened[role, scripts]

    yield open_for
    for context in opened.values():
        context.close()


ALIKE = ("an offer", "ask an agency", "agree an action", "an action, not ticked", "a question, nothing said",
         "an item", "a new account", "a new agreement", "screen an offer", "an offer to record", "no rule fits",
         "a job", "files", "an agency's work", "challenges to what is restricted", "overrides", "recalls",
         "a person", "contested", "meetings", "accounts", "agreements", "an agreement", "an account", "a disclosure",
         "a new account, nothing filled in", "other homes", "the officer's view", "what was asked for", "runs",
         "a notice", "close a meeting", "requests waiting", "people")
"""Made of the same parts as another page here, or looked at elsewhere: only in the long run."""


@pytest.mark.parametrize("name", [
    pytest.param(name, marks=pytest.mark.more if name in ALIKE else ()) for name in TOUR])
def test_a_page_meets_wcag_22_aa_reflows_and_says_nothing_on_the_console(
    contexts: Callable[..., BrowserContext], site: Site, name: str
) -> None:
    stop = TOUR[name]
    page, heard = contexts(stop.role).new_page(), listen(site.address)
    heard.hear(page)
    answer = page.goto(site.world.fill(stop.path))
    assert answer is not None
    assert answer.ok, f"{stop.path} answered {answer.status}"
    if stop.then:
        stop.then(page)
        page.wait_for_load_state()
    check_page(page)
    assert heard.said == []
    page.close()


OPENED = [(role, line.split()[1]) for line in TABLE.splitlines()[1:] if line.startswith("GET")
          for role, cell in zip(ROLES, line.split()[2:], strict=True) if cell in "os" and not line.split()[1].endswith(
              (".csv", "/progress"))]


@pytest.mark.more
@pytest.mark.parametrize(("role", "path"), OPENED)
def test_a_page_is_the_same_for_every_role_that_may_open_it(
    contexts: Callable[..., BrowserContext], site: Site, role: str, path: str
) -> None:
    page, heard = contexts(role).new_page(), listen(site.address)
    heard.hear(page)
    if not (page.goto(site.world.fill(path)) or pytest.fail("no answer")).ok:
        pytest.skip("this very one is another agency's: the walk over addresses asks as the police")
    check_page(page)
    check_keyboard(page)
    assert heard.said == []
    page.close()


@pytest.mark.more
@pytest.mark.parametrize("name", TOUR)
def test_a_page_says_all_of_it_without_javascript(
    contexts: Callable[..., BrowserContext], site: Site, name: str
) -> None:
    stop = TOUR[name]
    page = contexts(stop.role, False).new_page()
    page.goto(site.world.fill(stop.path))
    if stop.then:
        stop.then(page)
    assert page.locator("h1").count() == 1
    assert page.locator("main [hidden]:not([data-print]):not([data-scripted])").count() == 0, "shown by a script only"
    page.close()


def check_page(page: Page) -> None:
    assert page.locator("h1").count() == 1
    assert page.title()
    assert say(find_violations(page)) == []
    page.set_viewport_size(NARROW)
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"], "wider than the window"
    page.set_viewport_size(WIDE)


def check_keyboard(page: Page) -> None:
    """Forty times Tab: whatever has the focus is seen to have it."""
    for _ in range(40):
        page.keyboard.press("Tab")
        one = page.evaluate(FOCUSED)
        if one["text"] == "BODY":
            return
        assert one["shown"], f"nobody sees that {one['text']} has the focus"
