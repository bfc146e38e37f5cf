"""The three journeys of the site in a real browser, as several people at once: a meeting, a screening, a contest.

Each with and without JavaScript, on SQLite and on a real PostgreSQL. Everybody has a browser of their own; nobody waits
for a clock, only for what stands on the page.
"""

from __future__ import annotations

import json
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
import uvicorn
from playwright.sync_api import Browser, Locator, Page

from api.demo import prepare
from api.screens import FrontDesk
from api.setting import RULES, Setting
from api.storing import name_store
from api.today import Today
from api.web.app import make_site
from api.web.keeping import Office
from api.web.site_words import ROLE_NAMES
from engine.matches import find_matches
from engine.screening import Pair
from engine.store import audit
from engine.store.database import Database
from engine.store.flags import Filters, find, read
from tests.papers.reading import read_word
from tests.store.conftest import _fresh, server
from tests.web.conftest import DEMO, NOW, Borough, open_borough
from tests.web.test_browser import CHROMIUM, WIDE, browser, listen, sign_in

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
__all__ = ["browser", "server"]

PATIENCE = 60_000       # milliseconds; a run is put before people in one request
MAKING = 240_000        # milliseconds that the lists of the borough may take on a busy machine
LOOKS = 20_000          # how often somebody without JavaScript looks again at most: each takes tens of milliseconds

WHY, MINE = "Two agencies told us the same.", "We should go there together, and soon."
ACTION = {"What is to be done": "Visit together and ask what is needed", "Who does it": "PC Patel",
          "Due by (day/month/year)": "8/12/2026"}
INSTEAD = "The police confirm it before the keys are given."


def cases(*usual: tuple[str, bool]) -> pytest.MarkDecorator:
    """Both stores, with and without JavaScript; all but the `usual` ones only in the long run."""
    return pytest.mark.parametrize(("kind", "scripts"), [
        pytest.param(kind, scripts, id=f"{kind}, {'with' if scripts else 'without'} JavaScript",
                     marks=() if (kind, scripts) in usual else pytest.mark.more)
        for kind in ("sqlite", "postgresql") for scripts in (True, False)])


@dataclass(frozen=True)
class Guest:
    """Somebody at a browser of their own."""

    page: Page
    scripts: bool

    def open(self, path: str) -> None:
        self.page.goto(path)

    def press(self, name: str | re.Pattern[str]) -> None:
        """Presses a button, and waits for the page it leads to."""
        self._lead(self.page.get_by_role("button", name=name, exact=isinstance(name, str)))

    def follow(self, name: str | re.Pattern[str]) -> None:
        """Follows a link."""
        self._lead(self.page.get_by_role("link", name=name))

    def _lead(self, control: Locator) -> None:
        with self.page.expect_event("load"):
            control.click()

    def sees(self, *said: str) -> bool:
        """Waits until all of it is on the page."""
        for one in said:
            self.page.get_by_text(one).first.wait_for()
        return True

    def download(self, name: str | re.Pattern[str]) -> tuple[str, bytes]:
        """The name and content of the file behind a link."""
        with self.page.expect_download() as coming:
            self.page.get_by_role("link", name=name).click()
        return coming.value.suggested_filename, Path(coming.value.path()).read_bytes()

    def wait_for_link(self, name: str | re.Pattern[str]) -> None:
        """Waits until what was asked for is ready: the page looks by itself, or this person does."""
        wanted, again = (self.page.get_by_role("link", name=one) for one in (name, "Look again"))
        if not self.scripts:
            for _ in range(LOOKS):
                if not again.count():
                    break
                self.follow("Look again")
        wanted.wait_for(timeout=MAKING if self.scripts else PATIENCE)


@pytest.fixture(scope="module")
def furnished(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home with its run, and the desk of the day beside it: made once, copied for each journey."""
    home = tmp_path_factory.mktemp("furnished") / "home"
    shutil.copytree(prepared, home)
    opened = open_borough(home)
    opened.office.front.open_desk()
    opened.database.close()
    return home


@pytest.fixture
def borough(kind: str, furnished: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Borough]:
    """A copy of that home, and the site over it: its store in a file, or in a PostgreSQL with the same run put in."""
    home = tmp_path / "home"
    shutil.copytree(furnished, home)
    with ExitStack() as kept:
        url = name_store(home, None)
        if kind == "postgresql":
            (home / "store.db").unlink()        # nothing can lean on the file
            fresh = _fresh(request.getfixturevalue("server"), "template0")
            url = next(fresh)
            kept.callback(next, fresh, None)    # drops it
            prepare(Setting(home, RULES), url, residents=4_000, met=False)
        setting, database = Setting(home, RULES), Database(url)
        kept.callback(database.close)
        assert database.kind == kind
        office = Office(setting, FrontDesk(home, Today(setting, NOW.date, lambda _: None).open, lambda: NOW))
        site = make_site(database, DEMO, lambda: NOW, office=office)
        kept.callback(site.state.jobs.close)
        yield Borough(home, database, office, site)


@pytest.fixture
def come(borough: Borough, browser: Browser, scripts: bool) -> Iterator[Callable[[str], Guest]]:
    """Another person, signed in at a browser of their own. No console may say a word, and nobody else be asked."""
    web = uvicorn.Server(uvicorn.Config(borough.site, port=0, log_level="warning", access_log=False))
    thread = threading.Thread(target=web.run, daemon=True)
    thread.start()
    while not web.started:
        time.sleep(0.02)
    address = f"http://127.0.0.1:{web.servers[0].sockets[0].getsockname()[1]}"
    heard = listen(address)
    with ExitStack() as kept:

        def enter(role: str) -> Guest:
            context = kept.enter_context(browser.new_context(
                base_url=address, viewport=WIDE, java_script_enabled=scripts))    # type: ignore[arg-type]
            context.set_default_timeout(PATIENCE)
            page = context.new_page()
            heard.hear(page)
            sign_in(page, ROLE_NAMES[role])
            return Guest(page, scripts)

        yield enter
    web.should_exit = True
    thread.join()
    assert heard.said == []


def check_log(borough: Borough) -> None:
    """Every change that the journey made stands in the audit log, and its chain is whole."""
    with borough.database.reading() as reading:
        assert audit.verify(reading) is None


# --- a meeting --------------------------------------------------------------------------------------------


def decide(guest: Guest, decision: str, reason: str, why: str) -> None:
    guest.page.get_by_label(decision).check()
    guest.page.get_by_label(reason).check()
    guest.page.get_by_label("Why, in your own words").fill(why)


def agree(guest: Guest) -> None:
    action = guest.page.get_by_role("group", name="Action 1, if one is agreed")
    action.get_by_label("Agency").select_option(label="Police")
    for label, typed in ACTION.items():
        action.get_by_label(label).fill(typed)


@cases(("sqlite", True))
def test_a_meeting_is_held_by_two_people_and_leaves_its_minutes(
    come: Callable[[str], Guest], borough: Borough
) -> None:
    chair, member = come("tasking_chair"), come("tasking_member")
    chair.open("/meetings")
    chair.page.get_by_label("Who is present").fill("Priya Chair, council\nSam Member, police")
    chair.press("Start the meeting")
    meeting = chair.page.url
    chair.press(re.compile("^Begin with "))

    first = chair.page.locator("h1").inner_text()
    decide(chair, "Confirm: agencies should act together", "It is getting worse", WHY)
    agree(chair)
    chair.press("Save and go to the next")
    assert chair.sees("Saved. This is the next one.")
    chair.press("Put off")
    assert chair.sees("Put off. This is the next one.")

    decide(chair, "Confirm: agencies should act together", "The place itself needs work", MINE)
    agree(chair)
    member.open("/meetings")
    member.press("Go on with the meeting")
    member.press(re.compile("^Go on with "))
    assert member.page.locator("h1").inner_text() == chair.page.locator("h1").inner_text()
    decide(member, "Decline: nothing further should follow", "Already in hand", "Housing has it in hand.")
    member.press("Save and go to the next")
    assert member.sees("Saved. This is the next one.")

    chair.press("Save and go to the next")
    assert chair.sees("Somebody was quicker", "Sam Member changed this flag", "Nothing you sent was saved.")
    assert chair.page.get_by_label("Confirm: agencies should act together").is_checked()
    assert chair.page.get_by_label("The place itself needs work").is_checked()
    assert chair.page.get_by_label("Why, in your own words").input_value() == MINE
    action = chair.page.get_by_role("group", name="Action 1, if one is agreed")
    assert {label: action.get_by_label(label).input_value() for label in ACTION} == ACTION

    chair.follow("Back to the agenda")
    assert chair.sees("3 of ")
    chair.press("Close the meeting")
    assert chair.sees("A closed meeting is not opened again.")
    chair.press("Close the meeting")
    assert chair.sees("Closed by Priya Chair on 24 November 2026")
    chair.press("Minutes as Word")
    chair.wait_for_link(re.compile("^Download "))
    name, file = chair.download(re.compile("^Download "))
    minutes = read_word(file)
    assert name == "minutes-2026-11-24.docx"
    assert all(said in minutes for said in (WHY, *list(ACTION.values())[:2], "Housing has it in hand."))
    assert MINE not in minutes

    chair.open(meeting)
    tally = " ".join((chair.page.get_by_role("list", name="What came of it").text_content() or "").split())
    assert tally.startswith("1 Confirmed 1 Declined 0 Redirected 0 Needs information 1 Put off 0 Decided elsewhere")
    agreed = chair.page.get_by_role("region", name="Actions agreed").get_by_role("row").all_inner_texts()
    assert len(agreed) == 2
    assert all(said in agreed[1] for said in (first, "Visit together", "PC Patel", "8 December 2026"))
    check_log(borough)


# --- a screening ------------------------------------------------------------------------------------------


def find_blocked(borough: Borough) -> Pair:
    """Two with one hard conflict and something to ask, and other homes that would do."""
    runs, desk = borough.office.setting.runs, borough.office.front.open_desk()
    listed = pd.read_parquet(runs.folder / str(runs.latest()) / "shortlists.parquet")
    wanted = listed.query("hard == 1 and cannot_tell > 0").sort_values(["application", "uprn"])
    pairs = (Pair(row["application"], None, row["uprn"]) for _, row in wanted.iterrows())
    return next(pair for pair in pairs if find_matches(desk, pair))


@cases(("sqlite", True))
def test_an_offer_is_screened_asked_about_set_aside_recorded_and_taken_back(
    come: Callable[[str], Guest], borough: Borough
) -> None:
    pair, officer, manager = find_blocked(borough), come("housing_officer"), come("housing_manager")
    officer.open("/screenings")
    officer.press("Screen an offer")
    officer.page.get_by_label("Application reference, or person number").fill(pair.application)
    officer.page.get_by_label("UPRN, or part of the address of the home").fill(pair.uprn)
    officer.press("Find")
    assert officer.sees("Are these the two?", f"UPRN {pair.uprn}")
    officer.page.get_by_label("I do not know yet").check()
    officer.press("Screen them")
    assert officer.sees("It is not a refusal and not a decision", "Ask before deciding", "Settle this first")

    officer.page.locator("section[aria-labelledby=ask] .govuk-radios").first.get_by_label("No", exact=True).check()
    officer.press("Screen again with these answers")
    assert officer.sees("What changed", "Told: ", "Settled, and not so:", "What was told")
    screening = officer.page.url.split("?")[0]

    officer.press(re.compile("^Compare other homes"))
    rows = officer.page.get_by_role("region", name="Homes side by side").get_by_role("row").all_inner_texts()
    assert "(this one)" in rows[1]
    assert all("Screen this home" in row for row in rows[2:])
    assert len(rows) > 2
    officer.follow("Back to the screening")
    officer.press("Say what you think")
    officer.page.get_by_label("I would offer this home in spite of it").check()
    officer.page.get_by_label("Why, in your own words").fill("They know the street.")
    officer.press("Save your view")
    assert officer.sees("Your view is kept with this screening.", "They know the street.")

    officer.press("Record the offer")
    assert officer.sees("This has to be settled first, or set aside by a manager:")
    officer.follow("Back to the screening")
    officer.press("Ask a manager to set it aside")
    officer.page.get_by_label("Why is the home right all the same?").fill("The other party has moved away.")
    officer.page.get_by_label("What will be in place instead?").fill(INSTEAD)
    officer.press("Ask a manager")
    assert officer.sees("A housing manager will see your request.", "Override: waiting for a manager.")

    manager.open("/screenings")
    manager._lead(manager.page.locator("section[aria-labelledby=waiting] a"))
    assert manager.sees("A request for an override", "The other party has moved away.", INSTEAD)
    manager.page.get_by_label("Set the conflict aside").check()
    manager.page.get_by_label("Why, in your own words").fill("The police told me the same.")
    manager.press("Save your answer")
    assert manager.sees("The conflict is set aside, and it is reported.")

    officer.open(screening)
    assert officer.sees("Set aside by Jo Manager", "Override: granted.")
    officer.press("Record the offer")
    weighed = officer.page.get_by_label("Knows of it, and wants the home")
    if weighed.count():
        weighed.check()
    officer.page.get_by_label("I have made this offer to the applicant").check()
    officer.press("Record that the offer was made")
    assert officer.sees("The offer is recorded.", "The offer was recorded.")
    officer.press("Take the offer back")
    officer.page.get_by_label("Why does it no longer stand?").fill("They chose another home.")
    officer.page.get_by_label("The offer no longer stands, and the applicant knows").check()
    officer.press("Take the offer back")
    assert officer.sees("The offer no longer stands. The home is free again.")
    assert [one.standing for one in borough.office.front.kept.offers()] == [False]
    check_log(borough)


# --- a contest --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Doubt:
    """A person's flag, the place of a fact that three records just carry over its threshold, and one of those."""

    flag: str
    fact: int
    record: str


def find_doubtful(borough: Borough) -> Doubt:
    with borough.database.reading() as reading:
        for row in find(reading, Filters(lists=("people",)), size=100).rows:
            flag = json.loads(read(reading, row.id).text)
            kept = {one["record"] for one in flag["records"]}
            if "person/case-review-threshold" not in {one["rule"] for one in flag["reasons"]}:
                continue
            for place, fact in enumerate(flag["facts"]):
                if len(fact["records"]) == 3 and kept.issuperset(fact["records"]):
                    return Doubt(row.id, place, fact["records"][0])
    raise AssertionError("no such flag")


def take_list(guest: Guest) -> None:
    guest.open("/people")
    name, file = guest.download("Download these as CSV")
    assert name.endswith(".csv")
    assert file.count(b"\n") > 1


@cases()
def test_a_record_is_contested_the_lists_are_made_again_and_whoever_was_told_hears_of_it(
    come: Callable[[str], Guest], borough: Borough
) -> None:
    doubt, chair, member = find_doubtful(borough), come("tasking_chair"), come("tasking_member")
    analyst, governance = come("analyst"), come("governance")
    take_list(chair)
    take_list(member)
    chair.open(f"/flags/{doubt.flag}")
    chair.follow("Contest this flag, or a fact of it")
    chair.page.get_by_label("Somebody who speaks for them").check()
    chair.page.get_by_label("What do they say is wrong?").fill("One of these reports is about my neighbour.")
    chair.page.locator(f'input[name="facts"][value="{doubt.fact}"]').check()
    chair.page.locator(".govuk-checkboxes__item").filter(has_text=doubt.record).get_by_role("checkbox").check()
    chair.press("Contest it")
    assert chair.sees("It is answered by 22 December 2026", "1 record counts for nothing from today.")

    analyst.open("/runs/new")
    analyst.press("Make the lists")
    analyst.wait_for_link("See what is new in it, and put it before people")
    analyst.follow("See what is new in it, and put it before people")
    assert analyst.sees("Against the lists of 23 November 2026, which people work with")
    analyst.page.get_by_label("I looked at what changed").check()
    analyst.press("Put these lists before people")
    assert analyst.sees("They have been put before people.")

    check_gone(chair, borough, doubt)
    governance.open("/challenges")
    governance._lead(governance.page.get_by_role("table").get_by_role("link"))
    assert governance.sees("One of these reports is about my neighbour.", doubt.record, "no longer shown on this list",
                           "The lists of 24 November 2026 were made without these records, and are before people")
    governance.page.get_by_label("Upheld: something was wrong").check()
    governance.page.get_by_label("In words, for whoever raised it").fill("The council's own file names the neighbour.")
    governance.page.get_by_label("I am sure. Unless it is upheld").check()
    governance.press("Save what I found")
    assert governance.sees("What you found is saved", "Not sent")
    governance.press("Send recall notices")
    assert governance.sees("marked as sent", "not yet read")

    member.open("/recalls")
    member.press(re.compile("^We have read it"))
    assert member.sees("your agency has read it")
    assert member.page.get_by_role("button", name="We have read it").count() == 0
    governance.page.reload()
    told = governance.page.get_by_role("table").last.get_by_role("row").all_inner_texts()[1:]
    assert sorted((("Police" in row), ("Read 24 November 2026" in row)) for row in told) == [
        (False, False), (True, True)]
    check_log(borough)


def check_gone(chair: Guest, borough: Borough, doubt: Doubt) -> None:
    """Nothing carries the flag any more. Not because it is not so: it cannot be told, and the page says that."""
    with borough.database.reading() as reading:
        row = read(reading, doubt.flag).row
    assert (row.state, "cannot tell now" in row.because) == ("left", True)
    chair.open(f"/flags/{doubt.flag}")
    assert chair.sees("Contested", "Left the list", "cannot tell now")
