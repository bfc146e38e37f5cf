"""A meeting of the tasking group: opened over a list, each flag dealt with or put off, and closed for good."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from engine.store import audit, meetings, reviews
from engine.store.accounts import User
from engine.store.database import Writing
from engine.store.meetings import Item, Meeting
from engine.store.problems import Missing, Stale, StoreError

from .made import BECAUSE, MONDAY, Store, later

TODAY = date(2026, 11, 23)
PRESENT = ("Una Chair, community safety", "  Pat   Constable,  police ", "")


@pytest.fixture
def una(store: Store) -> User:
    store.publish()
    return store.add_person()


def start(writing: Writing, store: Store) -> Meeting:
    return meetings.open_meeting(writing, store.weeks.first, TODAY, PRESENT)


def test_a_meeting_is_opened_walked_through_and_closed(store: Store, una: User) -> None:
    first, second = store.flags(lists=("people",))[:2]
    with store.database.writing(MONDAY, una.id) as writing:
        meeting = start(writing, store)
        assert meeting.present == ("Una Chair, community safety", "Pat Constable, police")
        assert meetings.find_open(writing) == meeting
        taken = reviews.take_up(writing, first.id, first.version)
        review = reviews.decide(writing, first.id, taken.version, "confirmed", "other", BECAUSE)
        meetings.note_item(writing, meeting.id, first.id, review.id)
    with store.database.writing(later(1), una.id) as writing:
        meetings.note_item(writing, meeting.id, second.id, None)
        closed = meetings.close_meeting(writing, meeting.id, 1)
    with store.database.reading() as reading:
        assert meetings.find_items(reading, meeting.id) == (
            Item(meeting.id, first.id, review.id, MONDAY), Item(meeting.id, second.id, None, later(1)))
        assert meetings.read_meeting(reading, meeting.id) == closed
        assert (closed.closed_at, closed.version) == (later(1), 2)
        assert meetings.find_open(reading) is None


def test_what_was_put_off_is_decided_later_at_the_same_meeting_and_stands_there_once(store: Store, una: User) -> None:
    flag = store.flag()
    with store.database.writing(MONDAY, una.id) as writing:
        meeting = start(writing, store)
        meetings.note_item(writing, meeting.id, flag.id, None)
    with store.database.writing(later(3), una.id) as writing:
        taken = reviews.take_up(writing, flag.id, flag.version)
        review = reviews.decide(writing, flag.id, taken.version, "declined", "out_of_date", BECAUSE)
        meetings.note_item(writing, meeting.id, flag.id, review.id)
        assert meetings.find_items(writing, meeting.id) == (Item(meeting.id, flag.id, review.id, later(3)),)


def test_one_meeting_is_open_at_a_time_and_the_next_may_follow(store: Store, una: User) -> None:
    with store.database.writing(MONDAY, una.id) as writing:
        first = start(writing, store)
        with pytest.raises(StoreError, match="while another one is open") as caught:
            start(writing, store)
        assert (caught.value.fault, caught.value.problems[0].fix) == (
            "conflict", "go on with the open one, or close it first")
        meetings.close_meeting(writing, first.id, 1)
    with store.database.writing(later(1), una.id) as writing:
        second = start(writing, store)
        assert meetings.find_meetings(writing) == (second, meetings.read_meeting(writing, first.id))


def test_everything_wrong_with_a_new_meeting_is_said_at_once(store: Store, una: User) -> None:
    with store.database.writing(MONDAY, una.id) as writing, pytest.raises(StoreError) as caught:
        meetings.open_meeting(writing, "2020-01-01-00000000", TODAY + timedelta(days=365), [" "])
    assert sorted(problem.found for problem in caught.value.problems) == [
        "has nobody present", "is held more than 31 days from today", "is over a run that was not put before people"]


@pytest.mark.parametrize(("present", "said"), [
    (["Una Chair"] * 61, "has more than 60 lines of people"), (["U" * 201], "name of who is present is too long"),
    (["Una\0Chair"], "has a character that cannot be kept"),
    (["12 34"], "name of who is present is not said in words")])
def test_who_is_present_is_written_so_that_it_can_be_kept(
    store: Store, una: User, present: list[str], said: str
) -> None:
    with store.database.writing(MONDAY, una.id) as writing, pytest.raises(StoreError, match=said):
        meetings.open_meeting(writing, store.weeks.first, TODAY, present)


def test_somebody_who_comes_late_is_added_and_two_who_write_at_once_are_told(store: Store, una: User) -> None:
    with store.database.writing(MONDAY, una.id) as writing:
        meeting = start(writing, store)
        changed = meetings.change_present(writing, meeting.id, 1, [*meeting.present, "Ola Late, housing"])
        assert changed.present[-1] == "Ola Late, housing"
        with pytest.raises(Stale):
            meetings.change_present(writing, meeting.id, 1, ["Una Chair"])
        with pytest.raises(Stale):
            meetings.close_meeting(writing, meeting.id, 1)


def test_a_closed_meeting_is_not_changed(store: Store, una: User) -> None:
    with store.database.writing(MONDAY, una.id) as writing:
        meeting = meetings.close_meeting(writing, start(writing, store).id, 1)
        acts: tuple[Callable[[], object], ...] = (
            lambda: meetings.note_item(writing, meeting.id, store.flag().id, None),
            lambda: meetings.change_present(writing, meeting.id, 2, ["Una Chair"]),
            lambda: meetings.close_meeting(writing, meeting.id, 2))
        for act in acts:
            with pytest.raises(StoreError, match="is closed") as caught:
                act()
            assert caught.value.fault == "conflict"


def test_only_a_flag_of_the_list_and_a_review_of_that_flag_are_noted(store: Store, una: User) -> None:
    first, second = store.flags(lists=("people",))[:2]
    store.publish(store.weeks.second)
    later_flag = store.flags(runs=(store.weeks.second,))[0]
    with store.database.writing(MONDAY, una.id) as writing:
        meeting = start(writing, store)
        with pytest.raises(StoreError, match="over another list than this flag's"):
            meetings.note_item(writing, meeting.id, later_flag.id, None)
        with pytest.raises(StoreError, match="a decision about another flag"):
            meetings.note_item(writing, meeting.id, first.id, "f" * 32)
        for place, flag in (("none", second.id), (meeting.id, "none")):
            with pytest.raises(Missing):
                meetings.note_item(writing, place, flag, None)
        assert meetings.find_items(writing, meeting.id) == ()


def test_the_log_tells_of_a_meeting_by_numbers_and_codes_and_of_nobody(store: Store, una: User) -> None:
    with store.database.writing(MONDAY, una.id) as writing:
        meeting = start(writing, store)
        meetings.note_item(writing, meeting.id, store.flag().id, None)
        meetings.close_meeting(writing, meeting.id, 1)
    with store.database.reading() as reading:
        lines = reading.all(text("SELECT action, body FROM audit WHERE action LIKE 'meeting.%' ORDER BY id"))
        assert [(line["action"], json.loads(line["body"])) for line in lines] == [
            ("meeting.opened", {"held_on": "2026-11-23", "present": 2, "run": store.weeks.first}),
            ("meeting.item_noted", {"flag": store.flag().id, "review": None}),
            ("meeting.closed", {"items": 1})]
        assert audit.verify(reading) is None
