"""Records that somebody disputes, and which of them are in doubt on a date.

    home/disputes.jsonl     one JSON line each: a record marked as disputed for a challenge, or that mark lifted

An agency may send a dispute with its own feed (a column `disputed`); this is the partnership's own mark, for any record
of any feed, and it works in the same way: what rests on the record is not known, neither true nor false (exclusion
X-09). Nothing is ever taken out, and a mark made after a date changes nothing of that date.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal, get_args

import ibis
import ibis.expr.types as ir

from engine.errors import Problem, RunError
from engine.journal import Journal

Event = Literal["marked", "lifted"]

COLUMN = "disputed"
"""What a table says of a record in dispute, whoever disputes it."""


@dataclass(frozen=True)
class Dispute:
    """One line: for a challenge, on a day, a record was marked as disputed, or that mark was lifted.

    `record` is named as on a flag (feed:reference); `by` is an account, never a name.
    """

    record: str
    event: Event
    day: date
    by: str
    challenge: str


class Disputes:
    """The disputes under one home. Any number of threads and processes may use it at once."""

    def __init__(self, home: Path) -> None:
        self.path = home / "disputes.jsonl"
        self._journal = Journal(self.path, "a dispute", _read_line)

    def mark(self, records: Iterable[str], challenge: str, by: str, day: date) -> None:
        """Marks records as disputed for a challenge. What it has marked already stays as it is."""
        self._add("marked", records, challenge, by, day)

    def lift(self, challenge: str, by: str, day: date, records: Iterable[str] | None = None) -> None:
        """Lifts the marks of a challenge, of all its records or of these. Those of other challenges stand."""
        self._add("lifted", records, challenge, by, day)

    def on(self, day: date) -> frozenset[str]:
        """The records in dispute on a day: marked on it or before, and not lifted on it or before."""
        return frozenset(record for record, _ in _standing(one for one in self.lines() if one.day <= day))

    def of(self, challenge: str) -> frozenset[str]:
        """The records whose mark for a challenge stands now."""
        return frozenset(record for record, whose in _standing(self.lines()) if whose == challenge)

    def lines(self) -> Sequence[Dispute]:
        """Every line, oldest first. Raises RunError where the journal is not what it should be."""
        try:
            return self._journal.read()[0]
        except OSError as error:
            raise RunError(Problem(str(self.path), f"the disputes cannot be read: {error.strerror}",
                                   "a file that may be read", "correct the permissions")) from error

    def _add(self, event: Event, records: Iterable[str] | None, challenge: str, by: str, day: date) -> None:
        named = None if records is None else sorted(set(records))
        _check(named or (), challenge, by)
        with self._writing():
            lines = [one for one in self.lines() if one.challenge == challenge]
            standing = {record for record, _ in _standing(lines)}
            wanted = sorted(standing) if named is None else named
            # A mark lifted before the day it was made would leave the days between neither here nor there.
            first = max([day, *(one.day for one in lines)])
            for record in wanted:
                if (record in standing) == (event == "lifted"):
                    self._journal.append({"record": record, "event": event, "day": first.isoformat(), "by": by,
                                          "challenge": challenge})

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            with self._journal.hold():
                yield
        except OSError as error:
            raise RunError(Problem(str(self.path), f"the dispute was not recorded: {error.strerror}",
                                   "a folder with room, that may be written",
                                   "make room or correct the permissions, and do it again")) from error


def mark_tables(tables: Mapping[str, ir.Table], records: Collection[str]) -> dict[str, ir.Table]:
    """The feeds' tables with these records in dispute, besides those that their agencies dispute themselves.

    A table none of whose records is named stays the very same.
    """
    marked = dict(tables)
    for feed in sorted({record.partition(":")[0] for record in records} & set(tables)):
        rows = tables[feed]
        ours = rows.record.isin(sorted(record for record in records if record.startswith(f"{feed}:")))
        marked[feed] = rows.mutate(**{COLUMN: in_doubt(rows) | ours})
    return marked


def in_doubt(rows: ir.Table) -> ir.BooleanValue:
    """Whether a row rests on a record in dispute; no row does where nothing in its table was ever disputed."""
    if COLUMN not in rows.columns:
        return ibis.literal(False)
    doubtful: ir.BooleanValue = rows[COLUMN].fill_null(False)
    return doubtful


def _standing(lines: Iterable[Dispute]) -> set[tuple[str, str]]:
    """The record and challenge of every mark that no later line lifts."""
    standing: set[tuple[str, str]] = set()
    for one in lines:
        (standing.add if one.event == "marked" else standing.discard)((one.record, one.challenge))
    return standing


def _check(records: Iterable[str], challenge: str, by: str) -> None:
    problems = []
    if not challenge.strip() or not by.strip():
        problems.append(Problem("the dispute", "does not say who recorded it, or for which challenge",
                                "an account and a challenge", "sign in, and record it with its challenge"))
    if any(not all(record.partition(":")[::2]) for record in records):
        # What was written is not repeated: it may be a name.
        problems.append(Problem("the dispute", "a record is not named as flags name it", "feed:reference",
                                "take the record from a flag"))
    if problems:
        raise RunError(problems)


def _read_line(_number: int, fields: Mapping[str, Any]) -> Dispute:
    texts = {name: fields[name] for name in ("record", "event", "by", "challenge")}
    assert all(isinstance(text, str) for text in texts.values())
    assert texts["event"] in get_args(Event)
    return Dispute(**texts, day=date.fromisoformat(fields["day"]))
