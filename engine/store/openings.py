"""What somebody opened, and when first: a flag, or one record behind it (requirement R17).

An item is a code that says nothing of anybody: `flag`, or a record by its number on that flag, such as `record:3`. The
text of a flag never changes, so a number names the same record for ever.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select

from engine.errors import Problem
from engine.store.chain import Note
from engine.store.database import Reading, Writing
from engine.store.flags import read_row
from engine.store.tables import openings
from engine.store.words import check

FLAG = "flag"
_RECORD = "record:"
_ITEM = re.compile(r"flag|record:[1-9][0-9]{0,5}")


@dataclass(frozen=True)
class Opening:
    """One thing one person opened, and the moment they first did."""

    flag: str
    user: str
    item: str
    at: datetime

    @property
    def record(self) -> int | None:
        """The number of the record; None where it is the flag itself."""
        return int(self.item.removeprefix(_RECORD)) if self.item.startswith(_RECORD) else None


def name_record(number: int) -> str:
    """The item of the record with this number on its flag."""
    return f"{_RECORD}{number}"


def open_item(writing: Writing, flag: str, item: str) -> bool:
    """Keeps that the actor opened something for the first time; False where they had before, and nothing is kept.

    Raises StoreError for what is no item, and Missing where there is no such flag.
    """
    check(_say_no_item(item))
    read_row(writing, flag)
    known = select(openings.c.at).where(openings.c.flag == flag, openings.c.user == writing.actor,
                                        openings.c.item == item)
    if writing.value(known) is not None:
        return False
    opening = Opening(flag, writing.actor, item, writing.at)
    action = "flag.opened" if item == FLAG else "evidence.opened"
    writing.change(Note(action, flag, {"item": item}), insert(openings), [vars(opening)])
    return True


def find_opened(reading: Reading, flag: str, user: str) -> tuple[Opening, ...]:
    """What one person opened of a flag, oldest first."""
    return _all(reading, select(openings).where(openings.c.flag == flag, openings.c.user == user))


def who_opened(reading: Reading, flag: str) -> tuple[Opening, ...]:
    """Everything anybody opened of a flag, oldest first."""
    return _all(reading, select(openings).where(openings.c.flag == flag))


def _all(reading: Reading, query: Any) -> tuple[Opening, ...]:
    ordered = query.order_by(openings.c.at, openings.c.item, openings.c.user)
    return tuple(Opening(**row) for row in reading.all(ordered))


def _say_no_item(item: str) -> list[Problem]:
    if _ITEM.fullmatch(item):
        return []
    return [Problem("the opening", "is of nothing a flag has", "flag, or record: and its number from 1",
                    "name the flag, or a record by its number")]
