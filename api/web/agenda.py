"""A meeting -> its agenda as one person may see it: every flag of its lists that they may decide, and how far it got.

A flag they may not decide stands nowhere here, in no count either.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from api.web.judging import find_first
from api.web.reach import Reach
from api.web.rights import Task
from api.web.site_words import LIST_TITLES
from api.words import say_where
from engine.store import reviews
from engine.store.actions import Action, of_flag
from engine.store.database import Reading
from engine.store.flags import Filters, FlagRow
from engine.store.meetings import Item, Meeting, find_items
from engine.store.reviews import Review
from engine.store.tables import DECIDED_STATES

MOST = 5000
"""Flags of one agenda: a whole borough's offers."""

Only = Literal["", "moved"]
_MOVED = ("new", "worse")
Status = Literal["waiting", "decided", "put_off", "elsewhere", "gone"]
STATUS_NAMES = {"waiting": "To do", "decided": "Decided here", "put_off": "Put off", "elsewhere": "Decided already",
                "gone": "On a later list"}


@dataclass(frozen=True)
class Line:
    """One flag on the agenda. `review`: what this meeting decided; `first`: the officer gives a band of their own
    before ours is shown; `place`: from 1, in the order it is walked."""

    row: FlagRow
    item: Item | None
    review: Review | None
    first: bool
    place: int

    @property
    def id(self) -> str:
        """The flag."""
        return self.row.id

    @property
    def title(self) -> str:
        """What the subject is called."""
        return say_where({"name": self.row.name, "subject": self.row.subject})

    @property
    def status(self) -> Status:
        """How far this meeting is with it. What was put off and then decided elsewhere is decided."""
        if self.review:
            return "decided"
        if self.row.state in DECIDED_STATES:
            return "elsewhere"
        if self.item:
            return "put_off"
        return "gone" if self.row.state in ("superseded", "left") else "waiting"


@dataclass(frozen=True)
class Agenda:
    """The lines in the order they are walked: people, places, offers, each as its list was published."""

    lines: tuple[Line, ...]

    @property
    def done(self) -> int:
        """How many are dealt with."""
        return sum(line.status != "waiting" for line in self.lines)

    @property
    def groups(self) -> Iterator[tuple[str, list[Line]]]:
        """The lines of each list that has any."""
        for name in LIST_TITLES:
            if lines := [line for line in self.lines if line.row.list == name]:
                yield name, lines

    @property
    def tally(self) -> Counter[str]:
        """How many have each status, and how many each decision of this meeting."""
        return Counter([*(line.status for line in self.lines),
                        *(line.review.decision for line in self.lines if line.review)])

    def find(self, flag: str) -> Line | None:
        """The line of a flag."""
        return next((line for line in self.lines if line.id == flag), None)

    def step(self, line: Line, by: int) -> Line | None:
        """The line so many before or after this one."""
        at = self.lines.index(line) + by
        return self.lines[at] if 0 <= at < len(self.lines) else None

    def next(self, after: str = "") -> Line | None:
        """The first line to do after a flag, and from the top again where none is left after it."""
        here = self.find(after)
        at = here.place if here else 0
        ordered = (*self.lines[at:], *self.lines[:at])
        return next((line for line in ordered if line.status == "waiting"), None)

    def only(self, only: Only) -> Agenda:
        """The agenda with only what is new or worse, where that is asked for. What is to be judged first stays: that
        it was left out would tell of our band."""
        kept = [line for line in self.lines if not only or line.first or line.row.change in _MOVED]
        return Agenda(tuple(replace(line, place=place) for place, line in enumerate(kept, 1)))


def make_agenda(reading: Reading, me: Reach, meeting: Meeting) -> Agenda:
    """The agenda of a meeting, of what this person may see and decide."""
    found = me.find(reading, Filters(runs=(meeting.run,)), "list", 1, MOST).rows
    rows = [row for row, may in zip(found, me.may(reading, "decide", found), strict=True) if may]
    rows.sort(key=lambda row: (list(LIST_TITLES).index(row.list), row.position))
    items = {item.flag: item for item in find_items(reading, meeting.id)}
    first = find_first(reading, me, rows)
    return Agenda(tuple(_make_line(reading, row, items.get(row.id), row.id in first, place)
                        for place, row in enumerate(rows, 1)))


def find_agreed(reading: Reading, me: Reach, meeting: Meeting, agenda: Agenda) -> list[tuple[Line, Action]]:
    """The actions agreed with this meeting's decisions, corrected ones included, in the order of the agenda."""
    agreed = [(line, action) for line in agenda.lines if line.review
              for action in of_flag(reading, line.id) if _made_here(reading, meeting, line.review, action)]
    allowed = me.keep("view_action", [Task(action.id, line.row.list, action.agency, line.row.status)
                                      for line, action in agreed])
    return [pair for pair, may in zip(agreed, allowed, strict=True) if may]


def _made_here(reading: Reading, meeting: Meeting, last: Review, action: Action) -> bool:
    return action.review is not None and meeting.opened_at <= reviews.read(reading, action.review).at <= last.at


def _make_line(reading: Reading, row: FlagRow, item: Item | None, first: bool, place: int) -> Line:
    review = reviews.read(reading, item.review) if item and item.review else None
    return Line(row, item, review, first, place)
