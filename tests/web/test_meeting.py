"""The tasking group meets: it walks its lists, decides, agrees who does what, and closes."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient

from api.web.app import make_site
from api.web.meeting_item import Row
from engine.store import actions, audit, meetings, reviews
from engine.store.agreements import find_holding, withdraw
from engine.store.database import Database, create
from engine.store.flags import Filters, find, read
from engine.store.publishing import publish
from tests.web.conftest import DEMO, NOW, OWN, Visitor
from tests.web.made import FORMULA, OFFERS, SCRIPT

Visit = Callable[..., Visitor]
ALL = 4 + OFFERS        # three people and a place, and the offers
DECISION = {"act": "decide", "decision": "confirmed", "reason_confirmed": "getting_worse",
            "rationale": "Two agencies told us the same.\r\nWe meet on Friday."}
VISIT = {"what_1": "Visit together and ask what is needed", "agency_1": "police", "owner_1": "PC Patel",
         "due_1": "8/12/2026"}


def start(visitor: Visitor, **other: str) -> str:
    """Starts a meeting and gives its path."""
    run = re.findall(r'name="run" value="([^"]+)"', visitor.get("/meetings").text)[0]
    answer = visitor.send("/meetings", "/meetings", **{
        "run": run, "held_on": "24/11/2026", "present": "Priya Chair, council\nSam Member, police", **other})
    assert answer.status_code == 200
    return path_of(answer.url.path)


def path_of(path: str) -> str:
    return str(re.findall(r"/meetings/[0-9a-f]{32}$", path)[0])


def walk(visitor: Visitor, meeting: str) -> list[str]:
    """The items in the order of the agenda."""
    found = re.findall(r'<span class="ww-item__rank">\d+.</span> <a class="govuk-link" href="([^"]+)"',
                       visitor.get(meeting).text)
    return [path.replace("?only=moved", "") for path in found]


def save(visitor: Visitor, item: str, **other: str) -> httpx.Response:
    fields = {"version": visitor.version(item), "started": str(int(NOW.timestamp()) - 50), **DECISION, **other}
    return visitor.send(item, item, **fields)


def flag_of(item: str) -> str:
    return item.rpartition("/")[2]


# --- a whole meeting -----------------------------------------------------------------------------------


def test_a_whole_meeting_from_its_start_to_its_end(visit: Visit, store: Database) -> None:
    chair = visit("tasking_chair")
    assert "None yet" in chair.get("/meetings").text
    meeting = start(chair)
    assert f"0 of {ALL}</strong> dealt with" in chair.get(meeting).text
    assert "Begin with P000001" in chair.get(meeting).text
    first, second, third, *_ = items = walk(chair, meeting)
    assert len(items) == ALL

    answer = save(chair, first, **VISIT, what_2="Mend the lock of the front door", agency_2="housing", owner_2="Lee",
                  due_2="2026-12-01")
    assert (answer.url.path, "Saved. This is the next one." in answer.text) == (second, True)
    answer = save(chair, second, act="put_off")
    assert (answer.url.path, "Put off. This is the next one." in answer.text) == (third, True)
    save(chair, third, decision="declined", reason_declined="already_in_hand", rationale="Housing has it in hand.")
    assert f"3 of {ALL}</strong> dealt with" in chair.get(meeting).text

    asked = chair.get(f"{meeting}/close")
    assert f"{ALL - 3} were not reached" in asked.text
    text = chair.send(f"{meeting}/close", f"{meeting}/close", version=chair.version(f"{meeting}/close")).text
    assert "Closed by Priya Chair on 24 November 2026 at 2:05pm" in text
    assert [(said, int(number)) for number, said in re.findall(r"<span><b>(\d+)</b> ([\w ]+)</span>", text)] == [
        ("Confirmed", 1), ("Declined", 1), ("Redirected", 0), ("Needs information", 0), ("Put off", 1),
        ("Decided elsewhere", 0), ("Not reached", ALL - 3)]
    for said in ("Visit together and ask what is needed", "PC Patel", "8 December 2026", "1 December 2026",
                 "Sam Member, police"):
        assert said in text
    assert chair.get("/meetings").text.count("Open now") == 0
    assert chair.get(first).url.path == f"/flags/{flag_of(first)}"      # after the meeting, the flag
    with store.reading() as reading:
        review = reviews.of_flag(reading, flag_of(first))[0]
        assert (review.decision, review.seconds, review.rationale) == (
            "confirmed", 50, "Two agencies told us the same.\nWe meet on Friday.")
        assert {one.review for one in actions.of_flag(reading, flag_of(first))} == {review.id}
        assert audit.verify(reading) is None


def test_an_item_says_on_one_page_what_the_decision_rests_on(visit: Visit) -> None:
    chair = visit("tasking_chair")
    meeting = start(chair)
    first, second, *_ = walk(chair, meeting)
    text = chair.get(first).text
    for said in (f"<strong>1 of {ALL}</strong>", "As last time, with nothing new heard", "ww-axis--harm",
                 "ww-axis--vulnerability", "2 of the 4 records rest on a single report.",
                 "<strong>Social Care</strong> could say", "No decision yet", "No action is open",
                 f'href="/flags/{flag_of(first)}"', "This is the first", f'href="{second}" rel="next"',
                 'value="8/12/2026"'):
        assert said in text
    assert 'autofocus>P000001</h1>' in text
    assert "P000001" not in re.findall("<title>(.*?)</title>", text)[0]


def test_the_next_meeting_sees_what_was_decided_and_agreed_at_the_last(visit: Visit) -> None:
    chair = visit("tasking_chair")
    first = walk(chair, meeting := start(chair))[0]
    save(chair, first, **VISIT)
    text = chair.get(first).text
    assert "Decided at this meeting</strong> by Priya Chair: confirmed" in text
    assert "It is getting worse" in text
    assert "Still open: Visit together and ask what is needed (Police, PC Patel, due 8 December 2026)" in text
    assert ">Put off<" not in re.sub(r"\s", "", text)
    save(chair, first, decision="declined", reason_declined="would_do_harm", rationale="On second thoughts it harms.")
    chair.send(f"{meeting}/close", f"{meeting}/close", version="1")
    closed = chair.get(meeting).text
    assert "<b>1</b> Declined" in closed
    assert "<b>0</b> Confirmed" in closed
    assert "Visit together and ask what is needed" in closed        # agreed with the decision that was corrected


def test_only_what_is_new_or_worse_can_be_walked_and_the_count_stays_that_of_the_meeting(visit: Visit) -> None:
    chair = visit("tasking_chair")
    meeting = start(chair)
    moved = walk(chair, f"{meeting}?only=moved")
    assert len(moved) == ALL - 2        # one is stale, one better
    text = chair.get(f"{moved[0]}?only=moved").text
    assert f"<strong>1 of {len(moved)}</strong> new or worse, 0 of {ALL} dealt with" in text
    answer = chair.send(moved[0], f"{moved[0]}?only=moved", version=chair.version(moved[0]), act="put_off")
    assert answer.url.path == moved[1]
    assert "only=moved" in str(answer.url)


def test_the_last_one_leads_back_to_the_agenda_and_then_everything_is_dealt_with(visit: Visit, store: Database) -> None:
    chair = visit("tasking_chair")
    meeting = start(chair)
    items = walk(chair, meeting)
    with store.writing(NOW, "system") as writing:
        for item in items[:-1]:
            meetings.note_item(writing, flag_of(meeting), flag_of(item), None)
    answer = chair.send(items[-1], items[-1], version=chair.version(items[-1]), act="put_off")
    assert answer.url.path == meeting
    assert "Everything is dealt with" in answer.text


# --- several people ------------------------------------------------------------------------------------


def test_a_member_joins_and_is_written_down(visit: Visit) -> None:
    chair, member = visit("tasking_chair"), visit("tasking_member")
    meeting = start(chair)
    assert f'href="{meeting}"' in member.get("/meetings").text
    assert "Start a meeting" not in member.get("/meetings").text
    member.send(meeting, f"{meeting}/present", version="1", present="Priya Chair, council\nLate Person, fire")
    assert "Late Person, fire" in chair.get(meeting).text
    late = chair.send(meeting, f"{meeting}/present", version="1", present="Somebody Else, housing")
    assert late.status_code == 409
    assert "Sam Member changed this meeting on 24 November 2026 at 2:05pm." in late.text
    assert "Somebody Else, housing" in late.text
    assert "Somebody Else" not in chair.get(meeting).text
    assert "Write down who is present" in chair.send(meeting, f"{meeting}/present", version="2", present=" ").text


def test_two_people_on_one_item_lose_nothing_and_are_told(visit: Visit, store: Database) -> None:
    chair, member = visit("tasking_chair"), visit("tasking_member")
    item = walk(chair, start(chair))[0]
    version = member.version(item)
    save(chair, item)
    answer = save(member, item, version=version, decision="declined", reason_declined="out_of_date",
                  rationale="We do not agree at all.", **VISIT)
    assert answer.status_code == 409
    assert "Priya Chair changed this flag on 24 November 2026 at 2:05pm. It is now: confirmed." in answer.text
    for typed in ("We do not agree at all.", "Visit together and ask what is needed", "PC Patel"):
        assert typed in answer.text
    assert re.search(r'value="out_of_date"\s+checked', answer.text)
    assert member.send(item, item, version=version, act="put_off").status_code == 409
    with store.reading() as reading:
        assert len(reviews.of_flag(reading, flag_of(item))) == 1
        assert actions.of_flag(reading, flag_of(item)) == ()


def test_a_flag_decided_meanwhile_on_its_own_page_is_dealt_with(visit: Visit) -> None:
    chair, member = visit("tasking_chair"), visit("tasking_member")
    meeting = start(chair)
    first, second, *_ = walk(chair, meeting)
    page = f"/flags/{flag_of(first)}"
    version = chair.version(first)
    member.send(page, f"{page}/take-up", version=member.version(page))
    member.send(f"{page}/decide", f"{page}/decide", **{**DECISION, "version": member.version(f"{page}/decide")})
    assert "Begin with" not in chair.get(meeting).text
    assert "Go on with P000002" in chair.get(meeting).text
    assert "Decided already" in chair.get(first).text
    assert save(chair, first, version=version).status_code == 409
    assert save(chair, first, decision="redirected", reason_redirected="to_safeguarding").url.path == second


def test_what_somebody_else_has_taken_up_is_decided_without_taking_it_from_them(visit: Visit, store: Database) -> None:
    chair, member = visit("tasking_chair"), visit("tasking_member")
    item = walk(chair, start(chair))[0]
    page = f"/flags/{flag_of(item)}"
    member.send(page, f"{page}/take-up", version=member.version(page))
    save(chair, item)
    assert "Taken up by Sam Member" in chair.get("/people").text


def test_two_meetings_at_once_are_refused_and_what_was_typed_stays(visit: Visit) -> None:
    chair, member = visit("tasking_chair"), visit("tasking_member")
    token = member.token("/meetings")
    run = re.findall(r'name="run" value="([^"]+)"', member.get("/meetings").text)[0]
    start(chair)
    answer = member.client.post("/meetings", data={
        "form_token": token, "run": run, "held_on": "24/11/2026", "present": "Another Room, police"},
        headers=OWN)
    assert answer.status_code == 409
    assert "Go on with the open one, or close it first" in answer.text.replace("go on", "Go on")
    assert "Another Room, police" in answer.text
    assert "Open now" in answer.text


def test_a_meeting_closed_by_somebody_else_takes_nothing_more_and_says_so(visit: Visit) -> None:
    chair, member = visit("tasking_chair"), visit("tasking_member")
    meeting = start(chair)
    item = walk(chair, meeting)[0]
    version, token = member.version(item), member.token(item)
    chair.send(f"{meeting}/close", f"{meeting}/close", version="1")
    answer = member.client.post(item, data={"form_token": token, "version": version, **DECISION},
                                headers=OWN)
    assert answer.status_code == 409
    assert "The meeting is closed" in answer.text
    assert "We meet on Friday." in answer.text
    assert "Proposed" in member.get(f"/flags/{flag_of(item)}").text     # taken up and decided together, or not at all
    again = member.client.post(f"{meeting}/close", data={"form_token": token, "version": "1"},
                               headers=OWN)
    assert again.status_code == 409
    assert "Priya Chair changed this meeting" in again.text


def test_a_newer_list_is_told_and_what_moved_on_is_not_decided_here(visit: Visit, store: Database) -> None:
    chair = visit("tasking_chair")
    meeting = start(chair)
    item = walk(chair, meeting)[0]
    with store.reading() as reading:
        row = find(reading, Filters(search="P000001", states=("proposed",))).rows[0]
        text = read(reading, row.id).text
    with store.writing(datetime(2026, 11, 30, 9, tzinfo=UTC), "system") as writing:
        publish(writing, f"2026-11-30-{'0' * 8}", [text], [])
    assert "A newer list was published" in chair.get(meeting).text
    page = chair.get(item).text
    assert "It is not decided here any more" in page
    assert "Open the flag that took its place" in page
    assert f"{ALL} of {ALL}</strong> dealt with" in chair.get(meeting).text     # nothing is left to walk to
    chair.send(f"{meeting}/close", f"{meeting}/close", version="1")
    assert f"<b>{ALL}</b> Not reached" in chair.get(meeting).text


def test_who_is_to_judge_first_sees_our_band_neither_on_the_agenda_nor_on_the_page(
    visit: Visit, store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.web.agenda.find_first", lambda reading, me, rows: frozenset(
        row.id for row in rows if row.subject == "P000003"))
    monkeypatch.setattr("api.web.meeting_item.needs_first", lambda reading, me, row: row.subject == "P000003")
    chair = visit("tasking_chair")
    meeting = start(chair)
    item = walk(chair, meeting)[2]
    assert chair.get(meeting).text.count("yours first") == 2
    assert item in walk(chair, f"{meeting}?only=moved")     # it is better; left out, it would tell so
    for answer in (chair.get(item), chair.send(meeting, item, version="1", **DECISION)):
        assert str(answer.url).endswith(f"/flags/{flag_of(item)}?back={meeting.rpartition('/')[2]}")
    with store.reading() as reading:
        assert reviews.of_flag(reading, flag_of(item)) == ()


# --- mistakes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("wrong", "said"), [
    ({"held_on": "soon"}, "Give the day as day/month/year"), ({"held_on": "2025-11-24"}, "within 31 days of today"),
    ({"present": " \n "}, "Write down who is present"), ({"present": "x" * 201}, "is too long")])
def test_a_meeting_that_cannot_be_started_says_why_and_keeps_what_was_typed(
    visit: Visit, wrong: dict[str, str], said: str
) -> None:
    chair = visit("tasking_chair")
    run = re.findall(r'name="run" value="([^"]+)"', chair.get("/meetings").text)[0]
    answer = chair.send("/meetings", "/meetings", **{
        "run": run, "held_on": "24/11/2026", "present": "Priya Chair, council", **wrong})
    assert answer.status_code == 400
    assert said in answer.text
    assert "<title>Error: Meetings" in answer.text
    assert next(iter(wrong.values())).strip() in answer.text


def test_a_meeting_over_a_list_that_is_not_the_last_is_not_started(visit: Visit) -> None:
    answer = visit("tasking_chair").send("/meetings", "/meetings", run=f"2026-11-16-{'0' * 8}", held_on="2026-11-24",
                                         present="Priya Chair, council")
    assert answer.status_code == 409
    assert "a newer one was published" in answer.text


@pytest.mark.parametrize(("wrong", "said"), [
    ({"rationale": "?"}, "Say why, so that another person can follow it"),
    ({"reason_confirmed": "", "owner_1": ""}, "Say who will see that it is done"),
    ({"what_3": "Write to the landlord"}, "Choose the agency that does it"),
    ({"owner_2": "No\0body", "what_2": "Write to the landlord", "agency_2": "housing", "due_2": "2026-12-08"},
     "has a character that cannot be kept"),
])
def test_a_form_with_a_mistake_saves_nothing_and_keeps_what_was_typed(
    visit: Visit, store: Database, wrong: dict[str, str], said: str
) -> None:
    chair = visit("tasking_chair")
    item = walk(chair, start(chair))[0]
    answer = save(chair, item, **{**VISIT, **wrong})
    assert answer.status_code == 400
    assert said in answer.text
    assert "<title>Error: Meeting: 1 of" in answer.text
    for typed in ({**DECISION, **VISIT, **wrong}["rationale"].split("\r\n")[0], "Visit together and ask what is needed",
                  wrong.get("what_3") or wrong.get("what_2") or ""):
        assert typed in answer.text
    with store.reading() as reading:
        assert reviews.of_flag(reading, flag_of(item)) == ()
        assert actions.of_flag(reading, flag_of(item)) == ()
        assert find(reading, Filters(states=("under_review",))).total == 0      # nor is it taken up


WHOLE = {"what": "Visit together and ask what is needed", "agency": "police", "owner": "PC Patel", "due": "24/11/2026"}


@pytest.mark.parametrize(("typed", "said"), [
    ({}, {}),
    ({"what": "", "agency": "", "owner": ""}, {}),      # the day stands there from the start and alone says nothing
    ({"what": "Visit"}, {"what_1": "Say what is to be done, so that another person can do it"}),
    ({"what": "long " * 900}, {"what_1": "Say it in 4,000 characters or fewer"}),
    ({"agency": "the mayor"}, {"agency_1": "Choose the agency that does it"}),
    ({"owner": "12"}, {"owner_1": "Say who will see that it is done"}),
    ({"owner": "p" * 201}, {"owner_1": "Say it in 200 characters or fewer"}),
    ({"due": "2026-11-23"}, {"due_1": "Give today or a later day"}),
    ({"due": "tomorrow"}, {"due_1": "Give the day as day/month/year, such as 8/12/2026"}),
])
def test_what_is_missing_from_an_action_is_said_at_its_field(typed: dict[str, str], said: dict[str, str]) -> None:
    assert Row(1, **{**WHOLE, **typed}).find_errors(NOW.date()) == said


def test_what_is_typed_as_script_or_formula_is_shown_as_text(visit: Visit) -> None:
    chair = visit("tasking_chair")
    meeting = start(chair, present=f"{SCRIPT}\n{FORMULA} somebody")
    item = walk(chair, meeting)[0]
    save(chair, item, rationale=f"It says {SCRIPT} here.", what_1=f"Look into {SCRIPT}", agency_1="police",
         owner_1=SCRIPT, due_1="8/12/2026")
    place = walk(chair, meeting)[3]         # its name in the made store is a script
    pages = [item, place, meeting, "/meetings", f"{meeting}/close"]
    assert all(SCRIPT not in chair.get(page).text for page in pages)
    chair.send(f"{meeting}/close", f"{meeting}/close", version="1")
    closed = chair.get(meeting).text
    assert SCRIPT not in closed
    assert closed.count("&lt;script&gt;") >= 4


# --- who may -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["housing_officer", "agency_officer", *(
    pytest.param(role, marks=pytest.mark.more) for role in (
        "housing_manager", "analyst", "governance", "councillor", "administrator", "monitoring_officer"))])
def test_nobody_else_holds_meetings(visit: Visit, role: str) -> None:
    chair, other = visit("tasking_chair"), visit(role)
    meeting = start(chair)
    item = walk(chair, meeting)[0]
    for page in ("/meetings", meeting, f"{meeting}/close", item):
        assert other.get(page).status_code == 403
    token = re.findall(r'name="form_token" value="([^"]+)"', other.get("/").text)[-1]
    for page in ("/meetings", f"{meeting}/present", f"{meeting}/close", item):
        answer = other.client.post(page, data={"form_token": token, "version": "1"},
                                   headers=OWN)
        assert answer.status_code == 403
    assert "Meetings</a>" not in other.get("/").text


def test_what_is_not_theirs_is_on_nobodys_agenda_and_in_no_count(visit: Visit, store: Database) -> None:
    chair = visit("tasking_chair")
    meeting = start(chair)
    with store.reading() as reading:
        held = find(reading, Filters(search="P000005")).rows[0].id
        earlier = find(reading, Filters(search="P000004")).rows[0].id
    for flag in (held, earlier, "f" * 32):
        assert chair.get(f"{meeting}/items/{flag}").status_code == 404
        assert chair.send(meeting, f"{meeting}/items/{flag}", version="1", **DECISION).status_code == 404
    assert "P000005" not in chair.get(meeting).text
    assert chair.get(f"/meetings/{'f' * 32}").status_code == 404

    with store.writing(NOW, "system") as writing:
        signed = find_holding(writing, NOW.date())[0]
        withdraw(writing, signed.id, signed.version)
    text = chair.get(meeting).text
    assert "0 of 0</strong> dealt with" in text
    assert "Nothing on the agenda" in text


def test_a_store_without_a_list_says_that_there_is_nothing_to_walk_through(tmp_path: Path) -> None:
    create(url := f"sqlite:///{tmp_path / 'store.db'}")
    chair = Visitor(TestClient(make_site(Database(url), DEMO, lambda: NOW))).sign_in("tasking_chair")
    text = chair.get("/meetings").text
    assert "No list yet" in text
    assert "Start a meeting" not in text
