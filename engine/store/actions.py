"""What was agreed at a review: who does what by when, and whether it was done. Overdue ones are chased."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, select

from engine.contract import AGENCIES
from engine.errors import Problem
from engine.store.chain import Note
from engine.store.database import Reading, Writing
from engine.store.flags import read_row
from engine.store.problems import Missing, StoreError
from engine.store.tables import actions, flags
from engine.store.versioned import change_row, check_version
from engine.store.words import check, say_no_words, say_not_among, say_unkeepable

_WHAT = "the action"


@dataclass(frozen=True)
class Action:
    """One thing to be done. `owner`: the person who said they would, as the meeting called them."""

    id: str
    flag: str
    review: str | None
    what: str
    agency: str
    owner: str
    due: date
    state: str
    made_at: datetime
    made_by: str
    outcome: str
    changed_at: datetime
    changed_by: str
    version: int


def agree(writing: Writing, flag: str, what: str, agency: str, owner: str, due: date, review: str | None = None,
          ) -> Action:
    """Keeps an action agreed about a flag. Raises StoreError, or Missing where there is no such flag."""
    check(say_no_words(_WHAT, "action", what), say_no_words(_WHAT, "owner", owner, 1, 200),
          say_not_among(_WHAT, "agency", agency, AGENCIES),
          [] if due >= writing.at.date() else [Problem(_WHAT, "is due before it is agreed", "today or later",
                                                       "choose another day")])
    read_row(writing, flag)
    action = Action(writing.draw(), flag, review, what.strip(), agency, owner.strip(), due, "open", writing.at,
                    writing.actor, "", writing.at, writing.actor, 1)
    writing.change(Note("action.agreed", action.id, {"flag": flag, "agency": agency, "due": due.isoformat()}),
                   insert(actions), [vars(action)])
    return action


def close(writing: Writing, id: str, version: int, state: str, outcome: str = "") -> Action:
    """Notes that an action was done, or will not be: then the outcome says why. Raises Stale, StoreError, Missing."""
    check(say_not_among(_WHAT, "state", state, ("done", "cancelled")),
          say_no_words(_WHAT, "reason", outcome) if state == "cancelled" else
          say_unkeepable(_WHAT, "outcome", outcome))
    _check_open(writing, id, version)
    change_row(writing, actions, _WHAT, id, version, Note("action.closed", id, {"state": state}), state=state,
               outcome=outcome.strip())
    return read(writing, id)


def put_off(writing: Writing, id: str, version: int, due: date) -> Action:
    """Gives an action another day. Raises Stale, StoreError, Missing."""
    check([] if due >= writing.at.date() else [Problem(_WHAT, "is put off to a day that is over", "today or later",
                                                       "choose another day")])
    _check_open(writing, id, version)
    change_row(writing, actions, _WHAT, id, version, Note("action.put_off", id, {"due": due.isoformat()}), due=due)
    return read(writing, id)


def read(reading: Reading, id: str) -> Action:
    """One action. Raises Missing."""
    if (row := reading.first(select(actions).where(actions.c.id == id))) is None:
        raise Missing(_WHAT)
    return Action(**row)


def of_flag(reading: Reading, flag: str) -> tuple[Action, ...]:
    """Every action agreed about a flag, the first due first."""
    return _all(reading, select(actions).where(actions.c.flag == flag))


def of_subject(reading: Reading, list_name: str, subject: str) -> tuple[Action, ...]:
    """Every action agreed about any flag of a subject."""
    return _all(reading, select(actions).join(flags, flags.c.id == actions.c.flag)
                .where(flags.c.list == list_name, flags.c.subject == subject))


def find(reading: Reading, states: Sequence[str] = ("open",), agency: str | None = None,
         since: datetime | None = None) -> tuple[Action, ...]:
    """Actions in one of these states, of one agency or of all, the first due first. `since`: changed then or later."""
    query = select(actions).where(actions.c.state.in_(states))
    query = query if since is None else query.where(actions.c.changed_at >= since)
    return _all(reading, query if agency is None else query.where(actions.c.agency == agency))


def find_overdue(reading: Reading, today: date, agency: str | None = None) -> tuple[Action, ...]:
    """Open actions that were due before today: what is chased."""
    return tuple(action for action in find(reading, agency=agency) if action.due < today)


def _check_open(reading: Reading, id: str, version: int) -> None:
    check_version(reading, actions, _WHAT, id, version)
    if (action := read(reading, id)).state != "open":
        raise StoreError(Problem(_WHAT, f"is {action.state} already", "an open action", "agree a new one"), "conflict")


def _all(reading: Reading, query: Any) -> tuple[Action, ...]:
    return tuple(Action(**row) for row in reading.all(query.order_by(actions.c.due, actions.c.id)))
