"""What is known of the subjects in a paper: their flags and what follows from them, as far as it may be printed.

An earlier flag of the same subject may be for somebody else's eyes; then so is what was agreed about it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from api.web.reach import Reach
from api.web.rights import Task
from engine.lists import LISTS
from engine.store import actions, reviews
from engine.store.actions import Action
from engine.store.database import Reading
from engine.store.flags import Filters, FlagRow, history
from engine.store.reviews import Review

MOST = 5000
"""Flags looked through for one paper: as many as one CSV of a list may hold."""

Subject = tuple[str, str]       # list, and its id there


@dataclass(frozen=True)
class Past:
    """What was agreed and decided about one subject: open actions, the first due first, and the last decision."""

    open: tuple[Action, ...]
    last: Review | None


def find_printable(reading: Reading, me: Reach, filters: Filters) -> tuple[FlagRow, ...]:
    """The flags that fit, may be seen and may leave, as their lists order them."""
    rows = [row for row in me.find(reading, filters, "list", 1, MOST).rows if row.status == "shown"]
    kept = keep_printable(reading, me, rows)
    return tuple(sorted(kept, key=lambda row: (list(LISTS.values()).index(row.list), row.position)))


def keep_printable(reading: Reading, me: Reach, rows: Sequence[FlagRow]) -> tuple[FlagRow, ...]:
    """Of some flags, those that this person may see and take out."""
    seen, leaves = me.may(reading, "view_flag", rows), me.may(reading, "export", rows)
    return tuple(row for row, may, might in zip(rows, seen, leaves, strict=True) if may and might)


def find_past(reading: Reading, me: Reach, rows: Sequence[FlagRow]) -> Mapping[Subject, Past]:
    """For each subject of some flags what was agreed and decided about any flag of it, so far as it may be printed."""
    told = [each for list_name, subject in dict.fromkeys((row.list, row.subject) for row in rows)
            for each in history(reading, list_name, subject)]
    flags = {row.id: row for row in keep_printable(reading, me, told)}
    agreed: dict[Subject, list[Action]] = {}
    for action in keep_actions(me, actions.find(reading), flags):
        agreed.setdefault((flags[action.flag].list, flags[action.flag].subject), []).append(action)
    decided: dict[Subject, Review] = {}
    for row in flags.values():
        for review in reviews.of_flag(reading, row.id):
            last = decided.get((row.list, row.subject))
            if last is None or (review.at, review.number) >= (last.at, last.number):
                decided[row.list, row.subject] = review
    return {key: Past(tuple(agreed.get(key, ())), decided.get(key))
            for key in dict.fromkeys((row.list, row.subject) for row in rows)}


def keep_actions(me: Reach, some: Sequence[Action], flags: Mapping[str, FlagRow]) -> tuple[Action, ...]:
    """Of some actions those about these flags that this person may see, the first due first."""
    about = [action for action in some if action.flag in flags]
    may = me.keep("view_action", [Task(one.id, flags[one.flag].list, one.agency, flags[one.flag].status)
                                  for one in about])
    return tuple(action for action, allowed in zip(about, may, strict=True) if allowed)
