"""The agenda of a meeting: the last lists put before people, each item in short and at length."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api.papers.cover import MARKING, Cover, find_day, note_told, say_facts, say_notes
from api.papers.paper import Column, Grid, Item, Paper, Section, Value
from api.papers.subjects import Past, Subject, find_past, find_printable
from api.web.deciding import say_reason
from api.web.keeping import name_user
from api.web.site_words import CHANGE_SHORT, LIST_TITLES, STATE_NAMES
from api.words import AXES, CHANGES, say_agencies, say_day, say_result, say_silence, say_standing, say_where
from engine.errors import Problem
from engine.prose import name_agency
from engine.store.actions import Action
from engine.store.database import Reading
from engine.store.flags import Filters, FlagRow, find_latest, read
from engine.store.problems import StoreError
from engine.store.reviews import Review

FIRST_REASONS = 3       # as in a line of the list; all of them stand on the flag's own page
LONGEST = 100
"""Items of one list: offers are not held to a meeting's capacity, and no meeting gets further than this."""

TOPICS = ("Why", "What speaks against it", "Not known, and who could say", "Bring together", "Open actions",
          "Last decision")
NAMING = (Column("Number", "number", 10), Column("Who or where", width=26))


def build_agenda(reading: Reading, cover: Cover) -> Paper:
    """The agenda of the last published lists, as one person may take it out. Raises StoreError where there is none."""
    published = find_latest(reading)
    if published is None:
        raise StoreError(Problem("the agenda", "no run has been put before people yet", "a published run",
                                 "publish one, then print the agenda"), "conflict")
    found = find_printable(reading, cover.me, cover.me.limit(Filters(runs=(published.run,))))
    rows = [row for name in LIST_TITLES for row in [one for one in found if one.list == name][:LONGEST]]
    flags = {row.id: json.loads(read(reading, row.id).text) for row in rows}
    past = find_past(reading, cover.me, rows)
    names = [name for name in LIST_TITLES if name in cover.me.lists]
    late = dict.fromkeys(line for flag in flags.values() for line in say_silence(flag["late_feeds"]))
    return Paper(
        f"agenda-{published.as_of}", f"Agenda of the tasking group, {say_day(published.as_of)}", cover.council, MARKING,
        published.as_of, cover.at,
        (("Lists as of", say_day(published.as_of)), *say_facts(reading, cover, names), ("Run", published.run)),
        (*say_notes(), *(f"Late feed. {line}" for line in late)), count_changes(names, rows),
        tuple(_section(reading, name, [row for row in rows if row.list == name],
                       sum(row.list == name for row in found), flags, past) for name in names),
        list_actions("Open actions", "No action is open on anybody or any place in this paper.",
                     [About(row, row.position, say_where(flags[row.id]), action, say_due(action, cover)) for row in rows
                      for action in past[row.list, row.subject].open]),
        note_told(cover.me, rows))


def count_changes(names: Sequence[str], rows: Sequence[FlagRow]) -> Grid:
    """How many items of each list are new, worse, better: of what is in the paper and of nothing else."""
    counted = [[sum(row.list == name and row.change == change for row in rows) for change in CHANGE_SHORT]
               for name in names]
    return Grid("Numbers", "What is in this paper",
                (Column("List", width=20), *(Column(said, "number") for said in CHANGE_SHORT.values()),
                 Column("In all", "number")),
                tuple((LIST_TITLES[name], *some, sum(some)) for name, some in zip(names, counted, strict=True)))


@dataclass(frozen=True)
class About:
    """An action, and of which list, number and name the subject is that it is about. `stands`: whether it is late."""

    row: FlagRow
    number: int | None
    who: str
    action: Action
    stands: str


def name_band(list_name: str) -> Column:
    """The column of the band; for an offer, which no points rank, of the weightiest thing asked for."""
    return Column("Before an offer" if list_name == "allocations" else "Band", width=18)


def list_actions(title: str, empty: str, found: Sequence[About]) -> Grid:
    """Actions as a table: about whom, what, who, by when, and how it stands."""
    columns = (Column("List", width=12), *NAMING, Column("Action", width=44), Column("Agency", width=18),
               Column("Owner", width=18), Column("Due", "day", 22), Column("How it stands", width=18))
    return Grid("Actions", title, columns, tuple(
        (LIST_TITLES[one.row.list], one.number, one.who, one.action.what, name_agency(one.action.agency),
         one.action.owner, one.action.due, one.stands) for one in found), empty)


def say_action(action: Action) -> str:
    """One action in one line."""
    return f"{action.what} ({name_agency(action.agency)}, {action.owner}, due {say_day(action.due)})"


def _section(
    reading: Reading, name: str, rows: Sequence[FlagRow], total: int, flags: Mapping[str, Mapping[str, Any]],
    past: Mapping[Subject, Past],
) -> Section:
    present = {axis["axis"] for row in rows for axis in flags[row.id]["axes"]}
    axes = [] if name == "allocations" else [axis for axis in AXES if axis in present]
    columns = (*NAMING, name_band(name),
               Column("Since last time", width=22),
               *(Column(f"{AXES[axis]}, points", "number", 14) for axis in axes))
    return Section(LIST_TITLES[name], LIST_TITLES[name], _say_lead(name, len(rows), total), columns, TOPICS,
                   tuple(_item(reading, row, flags[row.id], axes, past[row.list, row.subject]) for row in rows))


def _say_lead(name: str, shown: int, total: int) -> str:
    if not total:
        return ("Nothing on this list that may be printed. If a feed is late, rules cannot tell: an empty list is not "
                "yet good news.")
    said = f"The first {shown} of {total}; the others are on the site." if shown < total else f"{total} on this list."
    return said + (" An offer is never ranked by points." if name == "allocations" else
                   " Points order the list. Those of different axes are never added to each other.")


def _item(reading: Reading, row: FlagRow, flag: Mapping[str, Any], axes: Sequence[str], past: Past) -> Item:
    points = {axis["axis"]: axis["points"] for axis in flag["axes"]}
    cells: tuple[Value, ...] = (row.position, say_where(flag), say_standing(flag), CHANGES[row.change],
                                *(points.get(axis) for axis in axes))
    return Item(cells, (
        _say_reasons(flag), tuple(flag["against"]) or ("Nothing on record. Ask the people concerned.",),
        tuple(map(_say_question, flag["questions"])) or ("Nothing that a rule in force asks for.",),
        (say_agencies(flag["convene"]) or "Nobody is named.",),
        tuple(map(say_action, past.open)) or ("None.",),
        (_say_review(reading, past.last) if past.last else "None yet.",)))


def _say_reasons(flag: Mapping[str, Any]) -> tuple[str, ...]:
    said = [": ".join(part for part in (say_result(reason), reason["because"]) if part) for reason in flag["reasons"]]
    said += [card["said"] for card in flag["cards"] if card["band"]]
    more = len(said) - FIRST_REASONS
    return (*said[:FIRST_REASONS], *([f"And {more} more on the flag's own page."] if more > 0 else []))


def _say_question(question: Mapping[str, Any]) -> str:
    what = "; ".join(question["facts"]) or "What another rule waits for"
    return what + (f": {', '.join(question['agencies'])} could say." if question["agencies"] else ".")


def _say_review(reading: Reading, review: Review) -> str:
    who, when = name_user(reading, review.reviewer), say_day(find_day(review.at))
    return (f"{STATE_NAMES[review.decision]} on {when} by {who}. "
            f"{say_reason(review.reason_code)}: {review.rationale}")


def say_due(action: Action, cover: Cover) -> str:
    """How an open action stands on the day of printing."""
    return "overdue" if action.due < cover.today else "open"
