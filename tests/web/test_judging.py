"""An officer looks at the records and says how serious a flag is, before they see what Wardwise says."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import httpx
import pytest
import uvicorn
from playwright.sync_api import Page, sync_playwright
from starlette.testclient import TestClient

from api.web.app import make_site
from api.web.deciding import LONGEST_VISIT, count_seconds
from api.web.judging import FIRST_JUDGED, in_sample
from engine.store import audit, openings, reviews
from engine.store.database import Database
from engine.store.flags import Filters, find
from tests.web.conftest import DEMO, FLAGS, NOW, OWN, Visitor
from tests.web.made import SCRIPT
from tests.web.test_browser import CHROMIUM, find_violations, open_first, press, say, sign_in
from tests.web.test_meeting import flag_of, start, walk

Visit = Callable[..., Visitor]
OURS = ("ww-band", "ww-change", "Convene</strong>", "Reported 4 related incidents", "Victim has met the threshold",
        "Points", "ww-axis", "Needs not met", "Bring together")
"""What we make of the first person of the list: none of it is on the page that asks for a view first."""


class Clock:
    """A clock that the test sets."""

    now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def come(store: Database, clock: Clock) -> Visit:
    """Another visitor at a site where every person and place is judged first."""
    site = make_site(store, DEMO, clock, sample=1)
    return lambda role: Visitor(TestClient(site)).sign_in(role)


def first_flag(visitor: Visitor) -> str:
    return visitor.flags("/people")[0]


def look(visitor: Visitor, page: str, number: int, **headers: str) -> httpx.Response:
    answer: httpx.Response = visitor.client.post(
        f"{page}/opened", data={"form_token": visitor.token(page), "item": str(number)}, headers={**OWN, **headers},
        follow_redirects=False)
    return answer


def say_first(visitor: Visitor, page: str, band: str = "discuss", **other: str) -> httpx.Response:
    return visitor.send(page, f"{page}/first", band=band, **other)


def decide(visitor: Visitor, page: str, **other: str) -> httpx.Response:
    visitor.send(page, f"{page}/take-up", version=visitor.version(page))
    return visitor.send(f"{page}/decide", f"{page}/decide", **{
        "version": visitor.version(f"{page}/decide"), "started": "", "decision": "declined",
        "reason_declined": "already_in_hand", "rationale": "Housing has it in hand.", **other})


# --- what was opened -----------------------------------------------------------------------------------


def test_the_first_opening_of_a_flag_is_kept_for_each_person(visit: Visit, store: Database) -> None:
    chair, analyst = visit("tasking_chair"), visit("analyst")
    page = first_flag(chair)
    for visitor in (chair, chair, analyst, chair):
        assert visitor.get(page).status_code == 200
    with store.reading() as reading:
        assert len(openings.who_opened(reading, flag_of(page))) == 2
        assert len(audit.find(reading, audit.Wanted(action="flag.opened"))[0]) == 2


def test_coming_again_writes_nothing(visit: Visit, store: Database) -> None:
    chair = visit("tasking_chair")
    page = first_flag(chair)
    chair.get(page)
    with store.writing(NOW, "system"):      # while somebody writes, readers do not wait
        assert chair.get(page).status_code == 200


def test_a_flag_that_may_not_be_seen_is_not_opened(visit: Visit, store: Database) -> None:
    page = first_flag(visit("tasking_chair"))
    assert visit("councillor").get(page).status_code == 404
    with store.reading() as reading:
        assert openings.who_opened(reading, flag_of(page)) == ()


def test_a_record_is_opened_in_one_click_with_a_form_or_a_script(visit: Visit, store: Database) -> None:
    chair = visit("tasking_chair")
    page = first_flag(chair)
    assert chair.get(page).text.count("I have looked at this record") == 40
    answer = look(chair, page, 3)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{page}#record-3")
    answer = look(chair, page, 7, **{"HX-Request": "true"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert look(chair, page, 7).status_code == 303      # twice says no more than once
    text = chair.get(page).text
    assert text.count("I have looked at this record") == 38
    marked = re.findall(r'id="record-(\d+)">(?:(?!</li>).)*data-looked>You have', text, re.DOTALL)
    assert marked == ["7", "3"]
    assert visit("analyst").get(page).text.count("data-looked>You have") == 0
    with store.reading() as reading:
        kept = openings.who_opened(reading, flag_of(page))
        assert [one.item for one in kept if one.record] == ["record:3", "record:7"]
        assert audit.verify(reading) is None


@pytest.mark.parametrize(("role", "item", "status"), [
    ("tasking_chair", "41", 404), ("tasking_chair", "0", 422), ("tasking_chair", "record:1", 422),
    ("councillor", "1", 404), ("housing_manager", "1", 404)])
def test_what_is_not_there_or_may_not_be_seen_is_not_opened(
    visit: Visit, store: Database, role: str, item: str, status: int
) -> None:
    page, visitor = first_flag(visit("tasking_chair")), visit(role)
    answer = visitor.send("/", f"{page}/opened", item=item)
    assert answer.status_code in (status, 400 if status == 422 else status)
    with store.reading() as reading:
        assert [one for one in openings.who_opened(reading, flag_of(page)) if one.record] == []


def test_a_decision_keeps_what_was_opened_and_how_long_it_was_read(store: Database) -> None:
    clock = Clock()
    visitor = Visitor(TestClient(make_site(store, DEMO, clock))).sign_in("tasking_chair")
    page = first_flag(visitor)
    visitor.get(page)
    clock.now = NOW + timedelta(seconds=200)
    for number in (12, 2):
        look(visitor, page, number)
    assert decide(visitor, page, started=str(int(clock.now.timestamp()) - 30)).status_code == 200
    with store.reading() as reading:
        review = reviews.of_flag(reading, flag_of(page))[0]
    assert (review.opened, review.seconds) == (("record:2", "record:12"), 200)


def test_what_was_opened_counts_at_a_meeting_too(visit: Visit, store: Database) -> None:
    chair = visit("tasking_chair")
    item = walk(chair, start(chair))[0]
    look(chair, f"/flags/{flag_of(item)}", 1)
    chair.send(item, item, version=chair.version(item), started=str(int(NOW.timestamp()) - 50), act="decide",
               decision="declined", reason_declined="already_in_hand", rationale="Housing has it in hand.")
    with store.reading() as reading:
        review = reviews.of_flag(reading, flag_of(item))[0]
    assert (review.opened, review.seconds) == (("record:1",), 50)


STARTED = str(int((NOW - timedelta(seconds=95)).timestamp()))


@pytest.mark.parametrize(("started", "opened", "seconds"), [
    (STARTED, None, 95), (STARTED, timedelta(seconds=300), 300), (STARTED, timedelta(seconds=20), 95),
    (STARTED, timedelta(seconds=LONGEST_VISIT + 1), 95), ("", timedelta(seconds=300), 300), ("", None, None)])
def test_reading_counts_from_the_first_opening_where_that_can_be_believed(
    started: str, opened: timedelta | None, seconds: int | None
) -> None:
    assert count_seconds(started, NOW, NOW - opened if opened else None) == seconds


# --- judged first --------------------------------------------------------------------------------------


def test_one_flag_in_five_is_in_the_sample_whoever_asks_and_whenever() -> None:
    ids = [f"{number:032x}" for number in range(5000)]
    share = sum(in_sample(one) for one in ids) / len(ids)
    assert 1 / FIRST_JUDGED - 0.02 < share < 1 / FIRST_JUDGED + 0.02
    assert [number for number in range(12) if in_sample(ids[number])] == [1, 5, 11]
    assert not any(in_sample(one, 0) for one in ids)
    assert all(in_sample(one, 1) for one in ids)


def test_the_page_shows_the_records_and_what_was_not_known_and_nothing_of_ours(come: Visit) -> None:
    chair = come("tasking_chair")
    text = chair.get(first_flag(chair)).text
    for said in ("How serious is this, before you see what Wardwise says?", "Agencies need not act together",
                 "P000001", "40 records", "Anti-social behaviour suffered", "Support needs",
                 "<strong>Social Care</strong> could say", "Fire service incidents"):
        assert said in text
    for ours in OURS:
        assert ours not in text, f"the page tells of ours: {ours}"
    assert "P000001" not in re.findall("<title>(.*?)</title>", text)[0]


def test_a_name_that_is_a_script_is_shown_as_text(come: Visit) -> None:
    chair = come("tasking_chair")
    text = chair.get(chair.flags("/places")[0]).text
    assert "before you see what Wardwise says" in text
    assert SCRIPT not in text
    assert "&lt;script&gt;document.title" in text


@pytest.mark.parametrize("band", ["discuss", "none"])
def test_what_is_said_first_is_kept_beside_the_decision_and_then_ours_is_shown(
    come: Visit, store: Database, band: str
) -> None:
    chair = come("tasking_chair")
    page = first_flag(chair)
    answer = say_first(chair, page, band)
    assert answer.url.path == page
    assert "Victim has met the threshold" in answer.text
    say_first(chair, page, "convene")       # the first word counts
    decide(chair, page)
    with store.reading() as reading:
        review = reviews.of_flag(reading, flag_of(page))[0]
        assert (review.own_band, review.shown_band) == (band, "convene")
        assert len(audit.find(reading, audit.Wanted(action="flag.judged_first"))[0]) == 1


@pytest.mark.parametrize("band", ["", "critical", "<script>"])
def test_saying_nothing_asks_again_and_shows_nothing_of_ours(come: Visit, band: str) -> None:
    chair = come("tasking_chair")
    answer = say_first(chair, first_flag(chair), band)
    assert answer.status_code == 400
    assert "Say how serious you think it is" in answer.text
    assert "<title>Error: Your view first" in answer.text
    assert not any(ours in answer.text for ours in OURS)


def test_until_it_is_said_every_way_leads_to_the_question(come: Visit, store: Database) -> None:
    chair = come("tasking_chair")
    page = first_flag(chair)
    with store.reading() as reading:
        version = find(reading, Filters(lists=("people",), search="P000001"), "newest").rows[0].version
    assert chair.send(page, f"{page}/take-up", version=str(version)).url.path == page
    for answer in (chair.get(f"{page}/decide"), chair.get(f"{page}/contest"), chair.send(
            page, f"{page}/decide", version=str(version + 1), decision="confirmed", reason_confirmed="other",
            rationale="We agree with it all.")):
        assert answer.url.path == page
        assert "before you see what Wardwise says" in answer.text
    with store.reading() as reading:
        assert reviews.of_flag(reading, flag_of(page)) == ()


def test_in_the_list_it_says_your_view_first_and_nothing_of_ours(come: Visit) -> None:
    chair, analyst = come("tasking_chair"), come("analyst")
    text = chair.get("/people").text
    lines = re.findall(r'<li class="ww-item">.*?</li>', text, re.DOTALL)
    assert len(lines) == 3
    assert all("Your view first" in line and not any(ours in line for ours in OURS) for line in lines)
    say_first(chair, first_flag(chair))
    assert chair.get("/people").text.count("Your view first") == 2
    assert "Your view first" not in analyst.get("/people").text
    found = chair.send("/find", "/find", words="P000002").text
    assert "Your view first" in found
    assert "Reported 4 related" not in found


def test_an_earlier_flag_of_the_same_person_does_not_tell_either(come: Visit) -> None:
    chair = come("tasking_chair")
    page = first_flag(chair)
    old = re.findall(r'href="(/flags/[^"]+)">Open the flag of 16', come("analyst").get(page).text)[0]
    told = re.findall(r'<li class="ww-timeline__item">.*?</li>', chair.get(old).text, re.DOTALL)
    assert "23 November 2026</span>: Your view first." in told[0]
    assert "As last time" not in told[0]


@pytest.mark.parametrize("role", ["analyst", "agency_officer"])
def test_who_does_not_decide_is_not_asked(come: Visit, role: str) -> None:
    visitor = come(role)
    page = first_flag(visitor)
    assert "Victim has met the threshold" in visitor.get(page).text
    assert visitor.send(page, f"{page}/first", band="watch").status_code == 403


def test_an_offer_has_no_band_and_is_not_asked_about(come: Visit) -> None:
    chair = come("tasking_chair")
    assert "before you see" not in chair.get(chair.flags("/allocations")[0]).text
    assert "Your view first" not in chair.get("/allocations").text


def test_who_comes_after_the_decision_is_told_and_says_nothing_first(come: Visit, store: Database) -> None:
    chair, member = come("tasking_chair"), come("tasking_member")
    page = first_flag(chair)
    token = member.token(page)
    say_first(chair, page)
    decide(chair, page)
    answer = member.client.post(f"{page}/first", data={"form_token": token, "band": "watch"}, headers=OWN)
    assert "Priya Chair changed this flag" in answer.text
    assert "Nothing of yours was saved" in answer.text
    with store.reading() as reading:
        assert len(audit.find(reading, audit.Wanted(action="flag.judged_first"))[0]) == 1


def test_at_a_meeting_the_question_comes_first_and_leads_back_to_the_item(come: Visit) -> None:
    chair = come("tasking_chair")
    meeting = start(chair)
    assert "yours first" in chair.get(meeting).text
    item = walk(chair, meeting)[0]
    asked = chair.get(f"{item}?only=moved")
    assert asked.url.path == f"/flags/{flag_of(item)}"
    assert f'href="{meeting}?only=moved"' in asked.text
    back = {name: re.findall(f'name="{name}" value="([^"]*)"', asked.text)[0] for name in ("back", "only")}
    answer = chair.send(f"/flags/{flag_of(item)}", f"/flags/{flag_of(item)}/first", band="watch", **back)
    assert (answer.url.path, answer.url.query) == (item, b"only=moved")
    assert "Your decision" in answer.text


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example", "../audit", "0" * 31, "0" * 32 + "%0A"])
def test_nobody_is_led_anywhere_but_to_a_meeting(come: Visit, back: str) -> None:
    chair = come("tasking_chair")
    page = first_flag(chair)
    assert "evil" not in chair.get(f"{page}?back={back}").text
    assert say_first(chair, page, back=back).url.path == page


# --- in a browser --------------------------------------------------------------------------------------


@pytest.fixture
def served_first(store: Database) -> Iterator[str]:
    """The address of a site where every person and place is judged first."""
    server = uvicorn.Server(uvicorn.Config(make_site(store, DEMO, lambda: NOW, sample=1), port=0, log_level="warning",
                                           access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def page(served_first: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        page = browser.new_page(base_url=served_first)
        page.set_default_timeout(15_000)
        yield page
        browser.close()


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_in_a_browser_a_record_is_noted_as_it_is_unfolded_and_paper_notes_nothing(page: Page) -> None:
    sign_in(page)
    open_first(page, "/people")
    assert say(find_violations(page)) == []
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.wait_for_timeout(300)
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    page.wait_for_timeout(300)
    page.reload()
    assert page.locator("[data-looked]:visible").count() == 0
    with page.expect_response("**/opened") as answered:
        page.locator("#record-40 summary").click()
    assert answered.value.status == 204
    page.wait_for_selector("#record-40 [data-looked]:visible")
    assert page.locator("#record-40 button").count() == 0
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320, "wider than the window"
    page.get_by_label("Watch").check()
    press(page, "Save, and see what Wardwise says")
    assert page.locator("#record-40 [data-looked]").is_visible()
    assert say(find_violations(page)) == []
