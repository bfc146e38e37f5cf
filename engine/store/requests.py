"""An officer asks a manager to set a hard conflict aside; the manager says yes or no, and why.

Nothing here sets anything aside: that is the manager's own act, kept with the screening. A screening is named by the
token it has on the site, which says nothing about anybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select

from engine.errors import Problem
from engine.store.chain import Note
from engine.store.database import Reading, Writing
from engine.store.problems import Missing, StoreError
from engine.store.tables import override_requests
from engine.store.versioned import change_row, check_version
from engine.store.words import check, say_no_words

LONGEST = 2000      # characters: what the record of overrides takes, so that nothing granted is too long for it

_WHAT = "the request"


@dataclass(frozen=True)
class Request:
    """One request about one rule of one screening. States: asked, granted, refused, withdrawn."""

    id: str
    screening: str
    rule: str
    reason: str
    mitigation: str
    state: str
    asked_at: datetime
    asked_by: str
    answered_at: datetime | None
    answered_by: str | None
    answer: str
    changed_at: datetime
    changed_by: str
    version: int


def ask(writing: Writing, screening: str, rule: str, reason: str, mitigation: str) -> Request:
    """Asks for an override. Raises StoreError with everything wrong, or where one for the rule is waiting already."""
    check(_say_no_words("reason", reason), _say_no_words("mitigation", mitigation))
    if any(one.rule == rule and one.state == "asked" for one in of_screening(writing, screening)):
        raise StoreError(Problem(_WHAT, "was made already, and waits for a manager", "one request for each rule",
                                 "wait for the answer, or withdraw the request"), "conflict")
    made = Request(writing.draw(), screening, rule, reason.strip(), mitigation.strip(), "asked", writing.at,
                   writing.actor, None, None, "", writing.at, writing.actor, 1)
    writing.change(Note("override_request.asked", made.id, {"screening": screening, "rule": rule}),
                   insert(override_requests), [vars(made)])
    return made


def grant(writing: Writing, id: str, version: int, answer: str) -> Request:
    """Notes that a manager set the conflict aside. Raises Stale, StoreError, Missing."""
    return _answer(writing, id, version, "granted", answer)


def refuse(writing: Writing, id: str, version: int, answer: str) -> Request:
    """Notes that a manager did not, and why. Raises Stale, StoreError, Missing."""
    return _answer(writing, id, version, "refused", answer)


def withdraw(writing: Writing, id: str, version: int) -> Request:
    """Takes a request back that nobody has answered. Raises Stale, StoreError, Missing."""
    check_asked(writing, id, version)
    change_row(writing, override_requests, _WHAT, id, version, Note("override_request.withdrawn", id, {}),
               state="withdrawn")
    return read(writing, id)


def read(reading: Reading, id: str) -> Request:
    """One request. Raises Missing."""
    if (row := reading.first(select(override_requests).where(override_requests.c.id == id))) is None:
        raise Missing(_WHAT)
    return Request(**row)


def of_screening(reading: Reading, screening: str) -> tuple[Request, ...]:
    """Every request about a screening, oldest first."""
    return _all(reading, select(override_requests).where(override_requests.c.screening == screening))


def find(reading: Reading, states: Sequence[str] = ("asked",), asked_by: str | None = None) -> tuple[Request, ...]:
    """Requests in one of these states, oldest first: what waits for a manager, or what one officer asked."""
    query = select(override_requests).where(override_requests.c.state.in_(states))
    return _all(reading, query if asked_by is None else query.where(override_requests.c.asked_by == asked_by))


def check_asked(reading: Reading, id: str, version: int) -> None:
    """Raises Stale where it is no longer what was read, StoreError where it was answered, and Missing."""
    check_version(reading, override_requests, _WHAT, id, version)
    if (request := read(reading, id)).state != "asked":
        raise StoreError(Problem(_WHAT, f"is {request.state} already", "a request nobody has answered",
                                 "ask again, if it is still needed"), "conflict")


def _answer(writing: Writing, id: str, version: int, state: str, answer: str) -> Request:
    check(_say_no_words("answer", answer))
    check_asked(writing, id, version)
    change_row(writing, override_requests, _WHAT, id, version, Note(f"override_request.{state}", id, {}), state=state,
               answer=answer.strip(), answered_at=writing.at, answered_by=writing.actor)
    return read(writing, id)


def _say_no_words(what: str, said: str) -> list[Problem]:
    return say_no_words(_WHAT, what, said, most=LONGEST)


def _all(reading: Reading, query: Any) -> tuple[Request, ...]:
    rows = reading.all(query.order_by(override_requests.c.asked_at, override_requests.c.id))
    return tuple(Request(**row) for row in rows)
