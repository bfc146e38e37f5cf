"""A question to an agency about a flag, and its answer: words, or "we may not say", which is an answer too."""

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
from engine.store.tables import flags, questions
from engine.store.versioned import change_row, check_version
from engine.store.words import check, say_no_words, say_not_among, say_unkeepable

_WHAT = "the question"
_LONGEST_VALUE = 200


@dataclass(frozen=True)
class Question:
    """One question. `fact`: the feature it would settle, where it would; `value`: what the agency says that fact is,
    which is its word and no record. States: asked, answered, withheld, withdrawn."""

    id: str
    flag: str
    agency: str
    fact: str | None
    asks: str
    due: date | None
    state: str
    asked_at: datetime
    asked_by: str
    replied_at: datetime | None
    replied_by: str | None
    reply: str
    changed_at: datetime
    changed_by: str
    version: int
    value: str = ""


def ask(writing: Writing, flag: str, agency: str, asks: str, fact: str | None = None, due: date | None = None,
        ) -> Question:
    """Puts a question to an agency. Raises StoreError, or Missing where there is no such flag."""
    check(say_not_among(_WHAT, "agency", agency, AGENCIES), say_no_words(_WHAT, "question", asks))
    read_row(writing, flag)
    question = Question(writing.draw(), flag, agency, fact, asks.strip(), due, "asked", writing.at, writing.actor, None,
                        None, "", writing.at, writing.actor, 1)
    writing.change(Note("question.asked", question.id, {"flag": flag, "agency": agency, "fact": fact}),
                   insert(questions), [vars(question)])
    return question


def answer(writing: Writing, id: str, version: int, reply: str, value: str = "") -> Question:
    """Keeps an agency's answer. `value`: of the fact the question names, as people say it; then words are not needed.

    Raises Stale, StoreError, Missing.
    """
    value, reply = value.strip(), reply.strip()
    check(say_no_words(_WHAT, "reply", reply, 0 if value else 1),
          say_no_words(_WHAT, "value", value, 0, _LONGEST_VALUE),
          [Problem(_WHAT, "the value has more than one line", "one line", "say the rest in the reply")]
          if "\n" in value or "\r" in value else [])
    return _settle(writing, id, version, "answered", reply, value)


def withhold(writing: Writing, id: str, version: int, reason: str = "") -> Question:
    """Keeps that an agency may not say; it need not say why. Raises Stale, StoreError, Missing."""
    check(say_unkeepable(_WHAT, "reason", reason))
    return _settle(writing, id, version, "withheld", reason)


def withdraw(writing: Writing, id: str, version: int) -> Question:
    """Takes a question back that nobody has answered. Raises Stale, StoreError, Missing."""
    _check_asked(writing, id, version)
    change_row(writing, questions, _WHAT, id, version, Note("question.withdrawn", id, {}), state="withdrawn")
    return read(writing, id)


def read(reading: Reading, id: str) -> Question:
    """One question. Raises Missing."""
    if (row := reading.first(select(questions).where(questions.c.id == id))) is None:
        raise Missing(_WHAT)
    return Question(**row)


def of_flag(reading: Reading, flag: str) -> tuple[Question, ...]:
    """Every question about a flag, oldest first."""
    return _all(reading, select(questions).where(questions.c.flag == flag))


def of_subject(reading: Reading, list_name: str, subject: str) -> tuple[Question, ...]:
    """Every question about any flag of a subject, oldest first."""
    return _all(reading, select(questions).join(flags, flags.c.id == questions.c.flag)
                .where(flags.c.list == list_name, flags.c.subject == subject))


def find(reading: Reading, agency: str | None = None, states: Sequence[str] = ("asked",),
         since: datetime | None = None) -> tuple[Question, ...]:
    """Questions in one of these states: what is asked of an agency, or of anybody. `since`: changed then or later."""
    query = select(questions).where(questions.c.state.in_(states))
    query = query if since is None else query.where(questions.c.changed_at >= since)
    return _all(reading, query if agency is None else query.where(questions.c.agency == agency))


def _settle(writing: Writing, id: str, version: int, state: str, reply: str, value: str = "") -> Question:
    _check_asked(writing, id, version)
    change_row(writing, questions, _WHAT, id, version, Note(f"question.{state}", id, {}), state=state,
               reply=reply.strip(), value=value, replied_at=writing.at, replied_by=writing.actor)
    return read(writing, id)


def _check_asked(reading: Reading, id: str, version: int) -> None:
    check_version(reading, questions, _WHAT, id, version)
    if (question := read(reading, id)).state != "asked":
        raise StoreError(Problem(_WHAT, f"is {question.state} already", "a question nobody has answered",
                                 "ask again, if more is to be known"), "conflict")


def _all(reading: Reading, query: Any) -> tuple[Question, ...]:
    return tuple(Question(**row) for row in reading.all(query.order_by(questions.c.asked_at, questions.c.id)))
