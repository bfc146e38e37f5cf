"""The page of a flag, and what a person does with it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from api.web.deciding import count_seconds
from api.web.layout import say_time
from engine.store import audit
from engine.store.database import Database
from tests.web.conftest import NOW, Visitor

Visit = Callable[..., Visitor]
DECISION = {"decision": "confirmed", "reason_confirmed": "getting_worse",
            "rationale": "Two agencies told us the same.\r\nWe meet on Friday."}


def take_up(visitor: Visitor, page: str) -> str:
    return visitor.send(page, f"{page}/take-up", version=visitor.version(page)).text


def decide(visitor: Visitor, page: str, **other: str) -> str:
    fields = {"version": visitor.version(f"{page}/decide"), "started": str(int(NOW.timestamp()) - 90), **DECISION,
              **other}
    return visitor.send(f"{page}/decide", f"{page}/decide", **fields).text


def test_the_page_says_everything_a_flag_holds_in_layers(visit: Visit) -> None:
    visitor = visit("tasking_chair")
    text = visitor.get(visitor.flags("/people")[0]).text
    layers = ["Reported 4 related incidents", "Points, one axis at a time", 'id="why"', 'id="evidence"', 'id="against"',
              'id="unknown"', 'id="change"', 'id="cards"', 'id="next"', 'id="contest"', 'id="history"']
    places = [text.index(layer) for layer in layers]
    assert places == sorted(places)
    for said in ("<dd>4 incidents</dd>", "<dd>3 incidents</dd>", "Enough on its own", "40 records", "28 older records",
                 "Points that add up to 9", "With a support plan it would leave its band", "disputed",
                 "<strong>Social Care</strong> could say", "Late feed", "It decides nothing"):
        assert said in text
    assert text.index("Support first") < text.index("Enforce only where lawful")


def test_neither_the_address_nor_the_title_names_anybody(visit: Visit) -> None:
    visitor = visit("tasking_chair")
    page = visitor.flags("/people")[0]
    assert re.fullmatch(r"/flags/[0-9a-f]{32}", page)
    assert "<title>People: number 1 of 23 November 2026 - Wardwise - Example Council</title>" in visitor.get(page).text


def test_harm_suffered_and_harm_caused_look_different_and_share_no_number(visit: Visit) -> None:
    visitor = visit("tasking_chair")
    text = visitor.get(visitor.flags("/people")[0]).text
    panels = re.findall(r'<section class="ww-panel ww-panel--(\w+)".*?</section>', text, re.DOTALL)
    assert panels == ["vulnerability", "harm"]
    assert "5.5 points" in text
    assert "7 points" in text
    assert "12.5" not in text


def test_every_fact_leads_to_its_records_in_one_click(visit: Visit) -> None:
    visitor = visit("tasking_chair")
    text = visitor.get(visitor.flags("/people")[0]).text
    asked = set(re.findall(r'href="#(record-\d+)"', text))
    assert asked
    assert asked <= set(re.findall(r'id="(record-\d+)"', text))


def test_taking_up_and_deciding_is_kept_and_told_in_the_history(visit: Visit, store: Database) -> None:
    visitor = visit("tasking_chair")
    page = visitor.flags("/people")[0]
    assert "You have taken this up" in take_up(visitor, page)
    text = decide(visitor, page)
    assert "Your decision is saved" in text
    assert "by Priya Chair on 24 November 2026 at 2:05pm: It is getting worse" in text
    assert "Two agencies told us the same.\nWe meet on Friday." in text
    with store.reading() as reading:
        assert audit.verify(reading) is None


def test_a_decision_is_corrected_by_a_further_one(visit: Visit) -> None:
    visitor = visit("tasking_chair")
    page = visitor.flags("/people")[0]
    take_up(visitor, page)
    assert "Correct the decision" in decide(visitor, page)
    text = decide(visitor, page, decision="declined", reason_declined="would_do_harm", rationale="It would do harm.")
    assert text.index("Acting on it would do harm") < text.index("It is getting worse")


@pytest.mark.parametrize(("missing", "said"), [
    ({"decision": ""}, "Choose a decision"),
    ({"reason_confirmed": ""}, "Choose the reason that fits best"),
    ({"reason_confirmed": "already_in_hand"}, "Choose the reason that fits best"),
    ({"rationale": " . "}, "Say why, so that another person can follow it"),
    ({"rationale": "long " * 900}, "4,000 characters or fewer"),
])
def test_what_is_missing_is_said_and_what_was_typed_is_kept(visit: Visit, missing: dict[str, str], said: str) -> None:
    visitor = visit("tasking_chair")
    page = visitor.flags("/people")[0]
    take_up(visitor, page)
    text = decide(visitor, page, **missing)
    assert said in text
    assert "<title>Error: Decide" in text
    assert missing.get("rationale", "Two agencies told us the same.").strip() in text


def test_who_is_slower_is_told_who_when_and_what_and_loses_nothing_typed(visit: Visit) -> None:
    chair, member = visit("tasking_chair"), visit("tasking_member")
    page = chair.flags("/people")[0]
    take_up(chair, page)
    version = member.version(f"{page}/decide")
    decide(chair, page)
    text = decide(member, page, version=version, rationale="We do not agree at all.")
    assert "Priya Chair changed this flag on 24 November 2026 at 2:05pm. It is now: confirmed." in text
    assert "Nothing you sent was saved" in text
    assert "We do not agree at all." in text
    assert "We do not agree" not in member.get(page).text


def test_taking_up_what_somebody_else_just_took_up_says_so(visit: Visit) -> None:
    chair, member = visit("tasking_chair"), visit("tasking_member")
    page = chair.flags("/people")[0]
    version = member.version(page)
    take_up(chair, page)
    text = member.send(page, f"{page}/take-up", version=version).text
    assert "Priya Chair changed this flag" in text
    assert "Nothing of yours was saved" in text


def test_who_may_not_decide_may_read_and_is_refused(visit: Visit) -> None:
    visitor = visit("analyst")
    page = visitor.flags("/people")[0]
    assert "Take it up" not in visitor.get(page).text
    assert visitor.get(f"{page}/decide").status_code == 403
    assert visitor.send(page, f"{page}/take-up", version="1").status_code == 403


def test_an_old_flag_leads_to_the_one_that_took_its_place(visit: Visit) -> None:
    visitor = visit("tasking_chair")
    page = visitor.flags("/people")[0]
    old = re.findall(r'href="(/flags/[^"]+)">Open the flag of 16 November 2026', visitor.get(page).text)[0]
    assert f'href="{page}">Open the flag that took its place' in visitor.get(old).text
    assert "Take it up" not in visitor.get(old).text


@pytest.mark.parametrize(("moment", "said"), [
    (datetime(2026, 1, 5, 14, 5, tzinfo=UTC), "5 January 2026 at 2:05pm"),
    (datetime(2026, 7, 5, 23, 30, tzinfo=UTC), "6 July 2026 at 12:30am"),
    (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "25 October 2026 at 1:30am"),
])
def test_times_are_those_of_a_clock_in_london(moment: datetime, said: str) -> None:
    assert say_time(moment) == said


@pytest.mark.parametrize(("started", "seconds"), [
    (str(int((NOW - timedelta(seconds=95)).timestamp())), 95), ("", None), ("x", None), ("9" * 20, None), ("0", None)])
def test_how_long_it_took_is_counted_where_it_can_be_believed(started: str, seconds: int | None) -> None:
    assert count_seconds(started, NOW) == seconds


def test_only_who_may_not_decide_is_told_that_others_do(visit: Visit) -> None:
    chair, analyst = visit("tasking_chair"), visit("analyst")
    page = chair.flags("/people")[0]
    assert "The tasking group decides" not in chair.get(page).text
    assert "The tasking group decides" in analyst.get(page).text
    assert "Take it up" not in analyst.get(page).text
