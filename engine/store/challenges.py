"""Somebody says that a flag is wrong: what they say, what was found, and who has to be told (R16)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, insert, select, update

from engine.errors import Problem
from engine.store.agreements import Disclosure
from engine.store.chain import Note
from engine.store.database import Reading, Writing
from engine.store.flags import read_row
from engine.store.problems import Missing, StoreError
from engine.store.tables import CHALLENGE_STATES, challenges, disclosed_flags, disclosures, flags, recalls
from engine.store.versioned import change_row, check_version
from engine.store.words import check, say_no_words, say_not_among

_WHAT = "the challenge"
RAISERS = ("subject", "advocate", "agency", "officer")


@dataclass(frozen=True)
class Challenge:
    """One challenge. `facts`: those said to be wrong; `records`: those marked as disputed for it (see `disputes`)."""

    id: str
    flag: str
    raised_by: str
    says: str
    facts: tuple[str, ...]
    records: tuple[str, ...]
    state: str
    made_at: datetime
    made_by: str
    outcome: str
    changed_at: datetime
    changed_by: str
    version: int


@dataclass(frozen=True)
class Recall:
    """Somebody who was told of the flag, and when they were told that it was wrong."""

    disclosure: Disclosure
    sent: datetime | None
    acknowledged: datetime | None


@dataclass(frozen=True)
class Notice:
    """A recall as the agency that was told sees it: of which challenge, and what of its disclosure."""

    challenge: str
    recall: Recall


def raise_challenge(
    writing: Writing, flag: str, raised_by: str, says: str, facts: Sequence[str] = (), records: Sequence[str] = (),
) -> Challenge:
    """Records a challenge. Raises StoreError, or Missing where there is no such flag."""
    check(say_not_among(_WHAT, "one who raises it", raised_by, RAISERS), say_no_words(_WHAT, "challenge", says))
    read_row(writing, flag)
    challenge = Challenge(writing.draw(), flag, raised_by, says.strip(), tuple(facts), tuple(records), "open",
                          writing.at, writing.actor, "", writing.at, writing.actor, 1)
    note = Note("challenge.raised", challenge.id, {"flag": flag, "by": raised_by, "facts": len(challenge.facts),
                                                   "records": len(challenge.records)})
    writing.change(note, insert(challenges), [vars(challenge)])
    return challenge


def close(writing: Writing, id: str, version: int, state: str, outcome: str) -> Challenge:
    """Records what was found: upheld, not_upheld, or withdrawn. Raises Stale, StoreError, Missing."""
    check(say_not_among(_WHAT, "outcome", state, CHALLENGE_STATES[1:]), say_no_words(_WHAT, "outcome", outcome))
    check_version(writing, challenges, _WHAT, id, version)
    if (challenge := read(writing, id)).state != "open":
        raise StoreError(Problem(_WHAT, f"is {challenge.state.replace('_', ' ')} already", "an open challenge",
                                 "raise it again, with what is new"), "conflict")
    change_row(writing, challenges, _WHAT, id, version, Note("challenge.closed", id, {"state": state}), state=state,
               outcome=outcome.strip())
    return read(writing, id)


def believe(writing: Writing, id: str, version: int) -> Challenge:
    """Notes that the records of an upheld challenge were put right and are believed again. Raises Stale, StoreError."""
    check_version(writing, challenges, _WHAT, id, version)
    if (challenge := read(writing, id)).state != "upheld":
        raise StoreError(Problem(_WHAT, f"is {challenge.state.replace('_', ' ')}", "a challenge that was upheld",
                                 "nothing is to be done: its records are believed once it is closed"), "conflict")
    change_row(writing, challenges, _WHAT, id, version,
               Note("challenge.believed", id, {"records": len(challenge.records)}))
    return read(writing, id)


def read(reading: Reading, id: str) -> Challenge:
    """One challenge. Raises Missing."""
    if (row := reading.first(select(challenges).where(challenges.c.id == id))) is None:
        raise Missing(_WHAT)
    return Challenge(**row)


def find(reading: Reading, states: Sequence[str] = ("open",)) -> tuple[Challenge, ...]:
    """Challenges in one of these states, oldest first."""
    return _all(reading, select(challenges).where(challenges.c.state.in_(states)))


def find_contested(reading: Reading, flags: Sequence[str]) -> frozenset[str]:
    """Those of some flags that somebody ever challenged."""
    query = select(challenges.c.flag).where(challenges.c.flag.in_(list(flags))).distinct()
    return frozenset(row["flag"] for row in reading.all(query))


def of_flag(reading: Reading, flag: str) -> tuple[Challenge, ...]:
    """Every challenge to a flag, oldest first."""
    return _all(reading, select(challenges).where(challenges.c.flag == flag))


def of_subject(reading: Reading, list_name: str, subject: str) -> tuple[Challenge, ...]:
    """Every challenge to any flag of one subject on a list, oldest first."""
    theirs = select(flags.c.id).where(flags.c.list == list_name, flags.c.subject == subject)
    return _all(reading, select(challenges).where(challenges.c.flag.in_(theirs)))


def recall(writing: Writing, id: str, disclosure: str) -> None:
    """Notes that whoever a disclosure told has heard that it was wrong. A second time changes nothing."""
    told = {one.disclosure.id: one for one in find_recalls(writing, id)}
    if disclosure not in told:
        raise Missing("the disclosure")
    if told[disclosure].sent is None:
        row = {"challenge": id, "disclosure": disclosure, "at": writing.at, "actor": writing.actor,
               "acknowledged_at": None, "acknowledged_by": None}
        writing.change(Note("recall.sent", id, {"disclosure": disclosure}), insert(recalls), [row])


def acknowledge(writing: Writing, id: str, disclosure: str) -> None:
    """Notes that the actor's agency has read a recall notice; the first who does is kept. Raises Missing where none
    was sent."""
    notice = (recalls.c.challenge == id, recalls.c.disclosure == disclosure)
    if writing.first(select(recalls).where(*notice)) is None:
        raise Missing("the recall notice")
    statement = (update(recalls).where(*notice, recalls.c.acknowledged_at.is_(None))
                 .values(acknowledged_at=writing.at, acknowledged_by=writing.actor))
    writing.change(Note("recall.acknowledged", id, {"disclosure": disclosure}), statement)


def find_recalls(reading: Reading, id: str) -> tuple[Recall, ...]:
    """Everybody who was told of this subject's flags on that list, first told first: who must hear of it."""
    flag = read_row(reading, read(reading, id).flag)
    told = (select(disclosed_flags.c.disclosure).join(flags, flags.c.id == disclosed_flags.c.flag)
            .where(flags.c.list == flag.list, flags.c.subject == flag.subject))
    rows = reading.all(
        select(disclosures, recalls.c.at.label("sent"), recalls.c.acknowledged_at.label("acknowledged"))
        .outerjoin(recalls, (recalls.c.disclosure == disclosures.c.id) & (recalls.c.challenge == id))
        .where(disclosures.c.id.in_(told)).order_by(disclosures.c.at, disclosures.c.id))
    return tuple(map(_read_recall, rows))


def find_notices(reading: Reading, agency: str) -> tuple[Notice, ...]:
    """What was recalled from an agency, what nobody there has acknowledged first, then the newest."""
    rows = reading.all(
        select(disclosures, recalls.c.challenge, recalls.c.at.label("sent"),
               recalls.c.acknowledged_at.label("acknowledged"))
        .join(recalls, recalls.c.disclosure == disclosures.c.id).where(disclosures.c.agency == agency)
        .order_by(recalls.c.acknowledged_at.isnot(None), recalls.c.at.desc(), disclosures.c.id))
    return tuple(Notice(row["challenge"], _read_recall(row)) for row in rows)


def _read_recall(row: RowMapping) -> Recall:
    told = Disclosure(**{column.name: row[column.name] for column in disclosures.c})
    return Recall(told, row["sent"], row["acknowledged"])


def _all(reading: Reading, query: Any) -> tuple[Challenge, ...]:
    return tuple(Challenge(**row) for row in reading.all(query.order_by(challenges.c.made_at, challenges.c.id)))
