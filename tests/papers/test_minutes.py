"""The minutes: who was there, what was decided on each item and why, what was put off, what was not reached."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from api.papers.minutes import build_minutes
from api.papers.paper import Paper
from engine.store import actions, meetings, reviews
from engine.store.database import Database
from engine.store.flags import FlagRow
from engine.store.meetings import Meeting
from engine.store.problems import Missing
from tests.papers.conftest import Print
from tests.papers.made import PRINTED

Rows = dict[str, FlagRow]
BEFORE = PRINTED - timedelta(days=5)


@pytest.fixture
def meeting(store: Database, cover: Print, rows: Rows) -> Meeting:
    """P000001 is confirmed with one action, P000002 put off, P000003 not reached; an older action is overdue."""
    me, flag = cover().me.id, rows["P000001"]
    with store.writing(BEFORE, me) as writing:
        actions.agree(writing, rows["P000003"].id, "Ask the school what it knows", "education", "Ann", BEFORE.date())
    with store.writing(PRINTED, me) as writing:
        opened = meetings.open_meeting(writing, flag.run, PRINTED.date(), ["Priya Chair, chair", "Sam Member, police"])
        version = reviews.take_up(writing, flag.id, flag.version).version
        review = reviews.decide(writing, flag.id, version, "confirmed", "support_not_in_place", "Nobody called yet.")
        actions.agree(writing, flag.id, "=Call the family today", "housing", "Lee", date(2026, 12, 1), review.id)
        meetings.note_item(writing, opened.id, flag.id, review.id)
        meetings.note_item(writing, opened.id, rows["P000002"].id, None)
    return opened


def build(store: Database, cover: Print, id: str, role: str = "tasking_chair") -> Paper:
    with store.reading() as reading:
        return build_minutes(reading, cover(role), id)


def test_minutes_say_who_was_there_and_that_an_open_meeting_is_a_draft(
    store: Database, cover: Print, meeting: Meeting
) -> None:
    paper = build(store, cover, meeting.id)
    facts = dict(paper.facts)
    assert (paper.name, paper.title) == ("minutes-2026-11-24", "Minutes of the tasking group, 24 November 2026")
    assert facts["Present"] == "Priya Chair, chair; Sam Member, police"
    assert facts["Meeting"] == "still open: these minutes are a draft"
    with store.writing(PRINTED, cover().me.id) as writing:
        meetings.close_meeting(writing, meeting.id, 1)
    assert dict(build(store, cover, meeting.id).facts)["Meeting"] == "closed on 24 November 2026 at 2:05pm"


def test_each_item_says_what_was_decided_by_whom_and_in_whose_words(
    store: Database, cover: Print, meeting: Meeting
) -> None:
    paper = build(store, cover, meeting.id)
    decided, put_off, not_reached = paper.sections[0].items
    assert decided.cells == (1, "P000001", "Convene", "Confirmed", "Priya Chair", date(2026, 11, 24))
    assert decided.says == (("Support is not in place",), ("Nobody called yet.",),
                            ("=Call the family today (Housing, Lee, due 1 December 2026)",))
    assert put_off.cells[3:] == ("Put off", None, None)
    assert (not_reached.cells[3], not_reached.says) == ("Not reached", ())
    assert paper.sections[0].lead == "2 of 3 dealt with."
    assert paper.numbers.rows[0] == ("People", 1, 0, 0, 0, 1, 1, 3)


def test_actions_agreed_here_come_first_and_then_those_overdue(
    store: Database, cover: Print, meeting: Meeting, rows: Rows
) -> None:
    paper = build(store, cover, meeting.id)
    assert [(row[2], row[3], row[-1]) for row in paper.actions.rows] == [
        ("P000001", "=Call the family today", "agreed here, open"),
        ("P000003", "Ask the school what it knows", "overdue")]
    assert rows["P000003"].id in paper.told[0].flags


def test_a_meeting_there_never_was_has_no_minutes(store: Database, cover: Print) -> None:
    with pytest.raises(Missing):
        build(store, cover, "0" * 32)


def test_minutes_for_who_may_not_take_flags_out_name_nobody_on_the_lists(
    store: Database, cover: Print, meeting: Meeting
) -> None:
    paper = build(store, cover, meeting.id, "analyst")
    assert "P00000" not in str((paper.sections, paper.actions))
    assert paper.told == ()
