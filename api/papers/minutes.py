"""The minutes of a meeting: who was there, what was decided on each item and why, and what was agreed to be done."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api.papers.agenda import LONGEST, NAMING, About, list_actions, name_band, say_action, say_due
from api.papers.cover import MARKING, Cover, find_day, note_told, say_facts, say_notes
from api.papers.paper import Column, Grid, Item, Paper, Section
from api.papers.subjects import find_printable, keep_actions, keep_printable
from api.web.deciding import say_reason
from api.web.keeping import name_user
from api.web.layout import say_time
from api.web.site_words import DECISION_NAMES, LIST_TITLES, STATE_NAMES
from api.words import say_day, say_standing, say_where
from engine.store import actions, meetings, reviews
from engine.store.actions import Action
from engine.store.database import Reading
from engine.store.flags import Filters, FlagRow, find_publications, read, read_row
from engine.store.meetings import Meeting
from engine.store.reviews import Review

PUT_OFF, NOT_REACHED = "Put off", "Not reached"
TOPICS = ("Reason", "In their words", "Actions agreed")
_DECIDED = (Column("Decision", width=20), Column("Decided by", width=24), Column("Decided on", "day", 20))


@dataclass(frozen=True)
class Dealt:
    """A flag and what the meeting did with it: decided, put off, or nothing."""

    row: FlagRow
    flag: Mapping[str, Any]
    said: str
    review: Review | None
    agreed: tuple[Action, ...]


def build_minutes(reading: Reading, cover: Cover, meeting_id: str) -> Paper:
    """The minutes of a meeting, as one person may take them out; of one still open, a draft. Raises Missing."""
    meeting = meetings.read_meeting(reading, meeting_id)
    dealt = _find_dealt(reading, cover, meeting)
    names = [name for name in LIST_TITLES if name in cover.me.lists]
    shown = [one for name in names for one in _shorten([one for one in dealt if one.row.list == name])]
    overdue = _find_overdue(reading, cover, shown)
    agreed = [_about(one, action, cover) for one in shown for action in one.agreed]
    return Paper(
        f"minutes-{meeting.held_on}", f"Minutes of the tasking group, {say_day(meeting.held_on)}", cover.council,
        MARKING, meeting.held_on, cover.at, _say_facts(reading, cover, meeting, names), say_notes(),
        _count(names, dealt),
        tuple(_section(reading, name, [one for one in shown if one.row.list == name],
                       sum(one.row.list == name for one in dealt)) for name in names),
        list_actions("Actions agreed, and actions overdue", "No action was agreed, and none is overdue.",
                     [*agreed, *overdue]),
        note_told(cover.me, [*(one.row for one in shown), *(one.row for one in overdue)]))


def _say_facts(
    reading: Reading, cover: Cover, meeting: Meeting, names: Sequence[str]
) -> tuple[tuple[str, str], ...]:
    lists = next(one.as_of for one in find_publications(reading) if one.run == meeting.run)
    stands = (f"closed on {say_time(meeting.closed_at)}" if meeting.closed_at else
              "still open: these minutes are a draft")
    return (("Held on", say_day(meeting.held_on)), ("Present", "; ".join(meeting.present)), ("Meeting", stands),
            ("Lists as of", say_day(lists)), *say_facts(reading, cover, names), ("Run", meeting.run))


# --- what was dealt with -------------------------------------------------------------------------------


def _find_dealt(reading: Reading, cover: Cover, meeting: Meeting) -> list[Dealt]:
    rows = {row.id: row for row in
            find_printable(reading, cover.me, cover.me.limit(Filters(runs=(meeting.run,))))}
    items = {item.flag: item for item in meetings.find_items(reading, meeting.id)}
    agreed: dict[str, list[Action]] = {}
    for id in rows:
        for action in keep_actions(cover.me, _agreed_at(reading, meeting, id) if id in items else (), rows):
            agreed.setdefault(id, []).append(action)
    found = []
    for id, row in rows.items():
        item = items.get(id)
        review = reviews.read(reading, item.review) if item and item.review else None
        said = STATE_NAMES[review.decision] if review else PUT_OFF if item else NOT_REACHED
        found.append(Dealt(row, json.loads(read(reading, id).text), said, review, tuple(agreed.get(id, ()))))
    return found


def _agreed_at(reading: Reading, meeting: Meeting, flag: str) -> tuple[Action, ...]:
    """What was agreed about a flag from the opening of a meeting to its end."""
    return tuple(action for action in actions.of_flag(reading, flag) if meeting.opened_at <= action.made_at
                 and (meeting.closed_at is None or action.made_at <= meeting.closed_at))


def _shorten(dealt: Sequence[Dealt]) -> list[Dealt]:
    """All that the meeting dealt with, and of what it did not reach the first."""
    left = [one for one in dealt if one.said == NOT_REACHED][:LONGEST]
    return [one for one in dealt if one.said != NOT_REACHED or one in left]


def _find_overdue(reading: Reading, cover: Cover, shown: Sequence[Dealt]) -> list[About]:
    """Open actions that were due before today and are not among those agreed, about anybody this person may print."""
    mine = {action.id for one in shown for action in one.agreed}
    late = [action for action in actions.find_overdue(reading, cover.today) if action.id not in mine]
    rows = {row.id: row for row in
            keep_printable(reading, cover.me, [read_row(reading, id) for id in {one.flag: None for one in late}])}
    numbers = {(one.row.list, one.row.subject): one.row.position for one in shown}
    return [About(row, numbers.get((row.list, row.subject)), say_where(json.loads(read(reading, row.id).text)), action,
                  say_due(action, cover))
            for action in keep_actions(cover.me, late, rows) for row in [rows[action.flag]]]


# --- what is said --------------------------------------------------------------------------------------


def _about(one: Dealt, action: Action, cover: Cover) -> About:
    stands = f"agreed here, {say_due(action, cover) if action.state == 'open' else action.state}"
    return About(one.row, one.row.position, say_where(one.flag), action, stands)


def _count(names: Sequence[str], dealt: Sequence[Dealt]) -> Grid:
    said = (*(STATE_NAMES[decision] for decision in DECISION_NAMES), PUT_OFF, NOT_REACHED)
    counted = [[sum(one.row.list == name and one.said == what for one in dealt) for what in said] for name in names]
    return Grid("Numbers", "What was decided",
                (Column("List", width=20), *(Column(one, "number") for one in said), Column("In all", "number")),
                tuple((LIST_TITLES[name], *some, sum(some)) for name, some in zip(names, counted, strict=True)))


def _section(reading: Reading, name: str, shown: Sequence[Dealt], total: int) -> Section:
    reached = sum(one.said != NOT_REACHED for one in shown)
    lead = (f"{reached} of {total} dealt with." if total else "Nothing on this list that may be printed.")
    if len(shown) < total:
        lead += f" Of those not reached, the first {LONGEST} are named; the others are on the site."
    return Section(LIST_TITLES[name], LIST_TITLES[name], lead, (*NAMING, name_band(name), *_DECIDED), TOPICS,
                   tuple(_item(reading, one) for one in shown))


def _item(reading: Reading, one: Dealt) -> Item:
    review = one.review
    cells = (one.row.position, say_where(one.flag), say_standing(one.flag), one.said,
             name_user(reading, review.reviewer) if review else None, find_day(review.at) if review else None)
    agreed = tuple(map(say_action, one.agreed)) or ("None.",)
    if one.said == NOT_REACHED:
        return Item(cells, ())
    if review is None:
        return Item(cells, (("To another meeting.",), ("Nothing was decided.",), agreed))
    return Item(cells, ((say_reason(review.reason_code),), (review.rationale,), agreed))
