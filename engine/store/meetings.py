"""The tasking group's meetings: over which list, when, who was there, and which flags were dealt with or put off.

One meeting is open at a time. What is decided at it is kept by `reviews` and `actions`; here is only that it was done
at this meeting. A closed meeting is not changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import insert, select, update

from engine.errors import Problem
from engine.store.chain import Note
from engine.store.database import Reading, Writing
from engine.store.flags import find_publications, read_row
from engine.store.problems import Missing, StoreError
from engine.store.tables import meeting_items, meetings, reviews
from engine.store.versioned import change_row, check_version
from engine.store.words import check, say_no_words

_WHAT = "the meeting"
NEAR = timedelta(days=31)
"""How far from today a meeting may be said to be held: one is written up late now and then, and a wrong year is the
commonest slip."""
MOST_PRESENT, LONGEST_NAME = 60, 200     # lines of people, and characters in one: a full room, and a name with agency


@dataclass(frozen=True)
class Meeting:
    """One meeting over the lists of `run`. `present`: as the chair wrote them, name and agency; open until closed."""

    id: str
    run: str
    held_on: date
    present: tuple[str, ...]
    opened_at: datetime
    opened_by: str
    closed_at: datetime | None
    changed_at: datetime
    changed_by: str
    version: int


@dataclass(frozen=True)
class Item:
    """A flag that was dealt with at a meeting. `review`: what was decided; None where it was put off."""

    meeting: str
    flag: str
    review: str | None
    at: datetime


def open_meeting(writing: Writing, run: str, held_on: date, present: Sequence[str]) -> Meeting:
    """Opens a meeting over a published run. Raises StoreError: a conflict where another one is still open."""
    present = _tidy(present)
    check(_say_run(writing, run), _say_day(writing, held_on), _say_present(present))
    if find_open(writing) is not None:
        raise StoreError(Problem(_WHAT, "cannot be opened while another one is open", "one open meeting at a time",
                                 "go on with the open one, or close it first"), "conflict")
    meeting = Meeting(writing.draw(), run, held_on, present, writing.at, writing.actor, None, writing.at,
                      writing.actor, 1)
    note = Note("meeting.opened", meeting.id, {"run": run, "held_on": held_on.isoformat(), "present": len(present)})
    writing.change(note, insert(meetings), [vars(meeting)])
    return meeting


def change_present(writing: Writing, id: str, version: int, present: Sequence[str]) -> Meeting:
    """Puts right who is there: somebody came late. Raises Stale, StoreError, Missing."""
    present = _tidy(present)
    check(_say_present(present))
    _check_open(writing, id, version)
    change_row(writing, meetings, _WHAT, id, version, Note("meeting.present_changed", id, {"present": len(present)}),
               present=present)
    return read_meeting(writing, id)


def note_item(writing: Writing, meeting_id: str, flag: str, review: str | None) -> Item:
    """Keeps that a flag was decided at a meeting, or put off; said again, the last word holds.

    Raises StoreError for a closed meeting, a flag of another list or a review of another flag; Missing.
    """
    meeting = read_meeting(writing, meeting_id)
    _check_not_closed(meeting)
    check(_say_elsewhere(meeting, read_row(writing, flag).run), _say_other_flag(writing, flag, review))
    item = Item(meeting_id, flag, review, writing.at)
    note = Note("meeting.item_noted", meeting_id, {"flag": flag, "review": review})
    again = update(meeting_items).where(meeting_items.c.meeting == meeting_id, meeting_items.c.flag == flag)
    if writing.change(note, again.values(review=review, at=writing.at)) == 0:
        writing.change(note, insert(meeting_items), [vars(item)])
    return item


def close_meeting(writing: Writing, id: str, version: int) -> Meeting:
    """Closes a meeting for good. Raises Stale, Missing, and StoreError where it is closed already."""
    meeting = _check_open(writing, id, version)
    note = Note("meeting.closed", id, {"items": len(find_items(writing, id))})
    change_row(writing, meetings, _WHAT, id, version, note, closed_at=writing.at)
    return replace(meeting, closed_at=writing.at, changed_at=writing.at, changed_by=writing.actor, version=version + 1)


def read_meeting(reading: Reading, id: str) -> Meeting:
    """One meeting. Raises Missing."""
    if (row := reading.first(select(meetings).where(meetings.c.id == id))) is None:
        raise Missing(_WHAT)
    return Meeting(**row)


def find_meetings(reading: Reading) -> tuple[Meeting, ...]:
    """Every meeting, the one opened last first."""
    rows = reading.all(select(meetings).order_by(meetings.c.opened_at.desc(), meetings.c.id))
    return tuple(Meeting(**row) for row in rows)


def find_open(reading: Reading) -> Meeting | None:
    """The meeting that is open, if one is."""
    row = reading.first(select(meetings).where(meetings.c.closed_at.is_(None)).limit(1))
    return Meeting(**row) if row else None


def find_items(reading: Reading, meeting_id: str) -> tuple[Item, ...]:
    """What was dealt with at a meeting, in the order it was last said."""
    rows = reading.all(select(meeting_items).where(meeting_items.c.meeting == meeting_id)
                       .order_by(meeting_items.c.at, meeting_items.c.flag))
    return tuple(Item(**row) for row in rows)


def _check_open(reading: Reading, id: str, version: int) -> Meeting:
    check_version(reading, meetings, _WHAT, id, version)
    meeting = read_meeting(reading, id)
    _check_not_closed(meeting)
    return meeting


def _check_not_closed(meeting: Meeting) -> None:
    if meeting.closed_at is not None:
        raise StoreError(Problem(_WHAT, "is closed", "an open meeting",
                                 "decide on the flag's own page, or at the next meeting"), "conflict")


def _tidy(present: Sequence[str]) -> tuple[str, ...]:
    return tuple(said for said in (" ".join(one.split()) for one in present) if said)


def _say_run(reading: Reading, run: str) -> list[Problem]:
    if any(one.run == run for one in find_publications(reading)):
        return []
    return [Problem(_WHAT, "is over a run that was not put before people", "a published run", "publish it first")]


def _say_day(writing: Writing, held_on: date) -> list[Problem]:
    if abs(held_on - writing.at.date()) <= NEAR:
        return []
    return [Problem(_WHAT, f"is held more than {NEAR.days} days from today", f"a day within {NEAR.days} days",
                    "correct the date")]


def _say_present(present: tuple[str, ...]) -> list[Problem]:
    if not present:
        return [Problem(_WHAT, "has nobody present", "one person at least", "write down who is there, one on a line")]
    if len(present) > MOST_PRESENT:
        return [Problem(_WHAT, f"has more than {MOST_PRESENT} lines of people", f"{MOST_PRESENT} at most",
                        "write down those who decide")]
    return [problem for one in present for problem in say_no_words(_WHAT, "name of who is present", one, 1,
                                                                   LONGEST_NAME)]


def _say_elsewhere(meeting: Meeting, run: str) -> list[Problem]:
    if run == meeting.run:
        return []
    return [Problem(_WHAT, "is over another list than this flag's", "a flag of the meeting's own list",
                    "close this meeting and start one over the new list")]


def _say_other_flag(reading: Reading, flag: str, review: str | None) -> list[Problem]:
    if review is None or reading.value(select(reviews.c.flag).where(reviews.c.id == review)) == flag:
        return []
    return [Problem(_WHAT, "was given a decision about another flag", "a review of this flag", "pass its own review")]
