"""The audit log: what was done, by whom, when and to what; added to, searched and verified, never changed.

Triggers stop accidents. The chain of hashes shows what somebody with the keys to the server did: a line changed, taken
out or put in breaks it. Only the head printed elsewhere (on each pack) shows a log that was cut short or written anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, func, select
from sqlalchemy.exc import DataError

from engine.store.chain import START, Line, Note, holds
from engine.store.database import Reading, Writing
from engine.store.tables import audit

NOTHING: Mapping[str, Any] = MappingProxyType({})
PAGE = 50       # lines on a page
_UNREADABLE = "it cannot be read: it was changed"


@dataclass(frozen=True)
class Head:
    """The last line, to be printed and kept where nobody can change it."""

    id: int
    hash: str


@dataclass(frozen=True)
class Broken:
    """The first line that cannot be believed, and why."""

    id: int
    because: str


@dataclass(frozen=True)
class Wanted:
    """What is looked for in the log: each field None for whatever it is; `since` is included, `until` is not."""

    actor: str | None = None
    action: str | None = None
    object: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def append(writing: Writing, action: str, object: str = "", body: Mapping[str, Any] = NOTHING) -> Head:
    """Says that something was looked at or done that changes no table. Gives the new head.

    Raises StoreError where the body holds anything but codes, numbers and digests.
    """
    writing.note(Note(action, object, body))
    return head(writing)


def head(reading: Reading) -> Head:
    """The last line; number 0 of a log without one."""
    last = reading.first(select(audit.c.id, audit.c.hash).order_by(audit.c.id.desc()).limit(1))
    return Head(last["id"], last["hash"]) if last else Head(0, START)


def verify(reading: Reading, anchor: Head | None = None) -> Broken | None:
    """Walks the whole log. None where it is whole, and where `anchor`, a head printed earlier, stands in it."""
    last, because = _walk(reading.stream(select(audit).order_by(audit.c.id)), Head(0, START), anchor)
    if because == _UNREADABLE:      # somewhere among the rows fetched together: the next ones are asked for singly
        last, because = _walk(_read_singly(reading, last.id), last, anchor)
    if because is not None:
        return Broken(last.id + 1, because)
    if anchor is not None and anchor.id > last.id:
        return Broken(last.id + 1, f"the log ends here, but line {anchor.id} was once its head: lines were cut off")
    return None


def find(reading: Reading, wanted: Wanted, page: int = 1, size: int = PAGE) -> tuple[Sequence[Line], int]:
    """One page of the lines that fit, newest first, and how many fit in all."""
    terms = _terms(wanted)
    total = reading.value(select(func.count()).select_from(audit).where(*terms))
    rows = reading.all(select(audit).where(*terms).order_by(audit.c.id.desc()).limit(size).offset((page - 1) * size))
    return [_line(row) for row in rows], int(total)


def find_actions(reading: Reading) -> tuple[str, ...]:
    """Every word the log has for what was done."""
    return tuple(row["action"] for row in reading.all(select(audit.c.action).distinct().order_by(audit.c.action)))


def _walk(rows: Iterator[RowMapping], last: Head, anchor: Head | None) -> tuple[Head, str | None]:
    """The last line that can be believed, and what is wrong with the one after it."""
    try:
        for row in rows:
            line = _line(row)
            if (because := _say_broken(line, last, anchor)) is not None:
                return last, because
            last = Head(line.id, line.hash)
    except (ValueError, DataError):
        return last, _UNREADABLE
    return last, None


def _read_singly(reading: Reading, after: int) -> Iterator[RowMapping]:
    while (row := reading.first(select(audit).where(audit.c.id > after).order_by(audit.c.id).limit(1))) is not None:
        yield row
        after = row["id"]


def _say_broken(line: Line, last: Head, anchor: Head | None) -> str | None:
    if line.id != last.id + 1:
        return f"it is gone: line {line.id} follows line {last.id}"
    if line.prev != last.hash:
        return "it is not tied to the line before: one of the two was changed"
    if not holds(line):
        return "it does not say what was written: it was changed"
    if anchor is not None and anchor.id == line.id and anchor.hash != line.hash:
        return "it has another hash than was printed: the log was written anew up to here"
    return None


def _terms(wanted: Wanted) -> list[ColumnElement[bool]]:
    terms = [audit.c[name] == value for name in ("actor", "action", "object")
             if (value := getattr(wanted, name)) is not None]
    if wanted.since is not None:
        terms.append(audit.c.at >= wanted.since)
    if wanted.until is not None:
        terms.append(audit.c.at < wanted.until)
    return terms


def _line(row: RowMapping) -> Line:
    return Line(**row)
