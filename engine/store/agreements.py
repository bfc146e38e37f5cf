"""What may be shared with whom and for what, and everything that was: agreements and disclosures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, insert, select

from engine.contract import AGENCIES, PURPOSES
from engine.errors import Problem
from engine.lists import LISTS
from engine.store.chain import Note
from engine.store.database import Reading, Writing
from engine.store.problems import Missing
from engine.store.tables import agreements, disclosed_flags, disclosures
from engine.store.versioned import change_row
from engine.store.words import check, say_no_words, say_not_among

_WHAT = "the agreement"


@dataclass(frozen=True)
class Agreement:
    """An information sharing agreement: these agencies, for these purposes, about these lists, from one day to and
    with another. `withdrawn`: when it was ended early."""

    id: str
    title: str
    reference: str
    dpia_reference: str
    agencies: tuple[str, ...]
    purposes: tuple[str, ...]
    lists: tuple[str, ...]
    valid_from: date
    valid_until: date
    withdrawn: datetime | None
    made_at: datetime
    made_by: str
    changed_at: datetime
    changed_by: str
    version: int

    def holds(self, on: date) -> bool:
        """Whether it holds on a day."""
        return self.withdrawn is None and self.valid_from <= on <= self.valid_until


@dataclass(frozen=True)
class Terms:
    """What an agreement says."""

    title: str
    reference: str
    dpia_reference: str
    agencies: tuple[str, ...]
    purposes: tuple[str, ...]
    lists: tuple[str, ...]
    valid_from: date
    valid_until: date


@dataclass(frozen=True)
class Disclosure:
    """Something that left: what, to which agency, for what, how many rows, and the SHA-256 of the file, if one did."""

    id: str
    at: datetime
    actor: str
    agency: str
    what: str
    rows: int
    file_digest: str | None
    agreement: str | None
    purpose: str


def make(writing: Writing, terms: Terms) -> Agreement:
    """Keeps an agreement. Raises StoreError with everything that is wrong."""
    check(say_no_words(_WHAT, "title", terms.title, 3, 300), say_no_words(_WHAT, "reference", terms.reference, 1, 200),
          say_no_words(_WHAT, "DPIA reference", terms.dpia_reference, 1, 200),
          *_say_words("agency", terms.agencies, AGENCIES), *_say_words("purpose", terms.purposes, PURPOSES),
          *_say_words("list", terms.lists, tuple(LISTS.values())),
          [] if terms.valid_from <= terms.valid_until else
          [Problem(_WHAT, "ends before it begins", "", "correct the days")])
    agreement = Agreement(writing.draw(), **vars(terms), withdrawn=None, made_at=writing.at, made_by=writing.actor,
                          changed_at=writing.at, changed_by=writing.actor, version=1)
    note = Note("agreement.made", agreement.id, {
        "agencies": terms.agencies, "purposes": terms.purposes, "lists": terms.lists,
        "from": terms.valid_from.isoformat(), "until": terms.valid_until.isoformat()})
    writing.change(note, insert(agreements), [vars(agreement)])
    return agreement


def withdraw(writing: Writing, id: str, version: int) -> Agreement:
    """Ends an agreement now. Raises Stale, Missing."""
    change_row(writing, agreements, _WHAT, id, version, Note("agreement.withdrawn", id, {}), withdrawn=writing.at)
    return read(writing, id)


def read(reading: Reading, id: str) -> Agreement:
    """One agreement. Raises Missing."""
    if (row := reading.first(select(agreements).where(agreements.c.id == id))) is None:
        raise Missing(_WHAT)
    return Agreement(**row)


def find(reading: Reading) -> tuple[Agreement, ...]:
    """Every agreement, the one that ends last first."""
    rows = reading.all(select(agreements).order_by(agreements.c.valid_until.desc(), agreements.c.id))
    return tuple(Agreement(**row) for row in rows)


def find_holding(reading: Reading, on: date, agency: str | None = None, purpose: str | None = None,
                 list_name: str | None = None) -> tuple[Agreement, ...]:
    """The agreements that hold on a day, for an agency, a purpose and a list."""
    return tuple(one for one in find(reading) if one.holds(on) and (agency is None or agency in one.agencies)
                 and (purpose is None or purpose in one.purposes) and (list_name is None or list_name in one.lists))


# --- what left -----------------------------------------------------------------------------------------


def disclose(
    writing: Writing, agency: str, what: str, purpose: str, flags: Sequence[str], *, rows: int | None = None,
    file_digest: str | None = None, agreement: str | None = None,
) -> Disclosure:
    """Keeps that something was shown or sent to an agency, and which flags it told of, so that it can be recalled.

    `what`: a code such as agenda_pdf. `rows`: of the file; as many as flags where left out.
    """
    check(say_not_among("the disclosure", "agency", agency, AGENCIES),
          say_not_among("the disclosure", "purpose", purpose, PURPOSES))
    told = tuple(dict.fromkeys(flags))
    disclosure = Disclosure(writing.draw(), writing.at, writing.actor, agency, what,
                            len(told) if rows is None else rows, file_digest, agreement, purpose)
    note = Note("disclosed", disclosure.id, {
        "agency": agency, "what": what, "purpose": purpose, "rows": disclosure.rows, "file": file_digest,
        "agreement": agreement, "flags": len(told)})
    writing.change(note, insert(disclosures), [vars(disclosure)])
    writing.change_all([Note("disclosed.flags", disclosure.id, {"flags": len(told)})], insert(disclosed_flags),
                       [{"disclosure": disclosure.id, "flag": flag} for flag in told])
    return disclosure


def find_disclosures(
    reading: Reading, flag: str | None = None, *, agency: str | None = None, digest: str | None = None,
    limit: int = 500, offset: int = 0,
) -> tuple[tuple[Disclosure, ...], int]:
    """What left, newest first, and how many there are in all: everything, what told of one flag, what one agency was
    told, or the file of a SHA-256."""
    query: Any = select(disclosures)
    if flag is not None:
        query = query.join(disclosed_flags, disclosed_flags.c.disclosure == disclosures.c.id).where(
            disclosed_flags.c.flag == flag)
    for column, wanted in ((disclosures.c.agency, agency), (disclosures.c.file_digest, digest)):
        query = query if wanted is None else query.where(column == wanted)
    total = int(reading.value(select(func.count()).select_from(query.subquery())))
    rows = reading.all(query.order_by(disclosures.c.at.desc(), disclosures.c.id).limit(limit).offset(offset))
    return tuple(Disclosure(**row) for row in rows), total


def read_disclosure(reading: Reading, id: str) -> Disclosure:
    """One of them. Raises Missing."""
    if (row := reading.first(select(disclosures).where(disclosures.c.id == id))) is None:
        raise Missing("the disclosure")
    return Disclosure(**row)


def find_disclosed_flags(reading: Reading, disclosure: str) -> tuple[str, ...]:
    """The flags a disclosure told of."""
    rows = reading.all(select(disclosed_flags.c.flag).where(disclosed_flags.c.disclosure == disclosure)
                       .order_by(disclosed_flags.c.flag))
    return tuple(row["flag"] for row in rows)


def _say_words(what: str, said: Sequence[str], allowed: Sequence[str]) -> list[list[Problem]]:
    if not said:
        return [[Problem(_WHAT, f"names no {what}", ", ".join(allowed), "choose at least one")]]
    return [say_not_among(_WHAT, what, word, allowed) for word in said]
