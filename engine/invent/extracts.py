"""Rows from every chapter -> one table per feed, in the order the agency came to know them.

Numbers that identify things are plain counters until they are written, where they are scrambled: a
reference never tells whether its row is background or was put there on purpose.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from engine.invent.arrays import NONE, Column, Truth, Whole, scramble
from engine.invent.columns import FEEDS, KNOWN, NAMESPACES, PEOPLE
from engine.invent.roster import Roster
from engine.invent.spelling import find_reference

_EMPTY = {"text", "code", "postcode", "lsoa", "ward"}
Columns = dict[str, Column]


@dataclass(frozen=True)
class Table:
    """A feed's rows: rendered columns as arrays, who each row is about, and which rows are set.

    `settled` is false where a row was written before its people lived where they do: it has no address.
    """

    columns: Columns
    people: dict[str, Whole]
    story: Truth
    settled: Truth

    def __len__(self) -> int:
        return len(self.story)

    def take(self, rows: Whole) -> Table:
        """These rows only."""
        return Table({name: values[rows] for name, values in self.columns.items()},
                     {prefix: who[rows] for prefix, who in self.people.items()},
                     self.story[rows], self.settled[rows])


@dataclass(frozen=True)
class Correction:
    """A record issued again on `amended` with some columns (and people) changed."""

    key: int
    amended: int
    changes: dict[str, object]
    people: dict[str, int]


@dataclass
class Extracts:
    """Collects rows; `tables` gives them back by feed."""

    blocks: dict[str, list[Table]] = field(default_factory=dict)
    late: dict[str, list[Table]] = field(default_factory=dict)
    corrections: dict[str, list[Correction]] = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=dict)

    def number(self, kind: str, count: int) -> Whole:
        """The next so many counters of a kind of reference."""
        start = self.counters.get(kind, 0)
        self.counters[kind] = start + count
        return np.arange(start, start + count, dtype=np.int64)

    def add(self, feed: str, columns: Columns, people: dict[str, Whole] | None = None, *,
            story: bool = False, late: bool = False, settled: bool = True,
            told: Truth | None = None) -> None:
        """Add rows to a feed; columns left out are not recorded. Rows not `told` reach no agency."""
        unknown = set(columns) - set(FEEDS[feed])
        assert not unknown, f"{feed} has no {sorted(unknown)}"
        count = max(len(np.atleast_1d(values)) for values in columns.values())
        spread = {name: np.broadcast_to(_plain(values), (count,))
                  for name, values in columns.items()}
        block = Table(spread, people or {}, np.full(count, story), np.full(count, settled))
        block = block if told is None else block.take(np.flatnonzero(told))
        (self.late if late else self.blocks).setdefault(feed, []).append(block)

    def join(self, feed: str, *, late: bool = False) -> Table:
        """All rows of a feed, ordered by the day they became known and then in no order."""
        blocks = (self.late if late else self.blocks).get(feed, [])
        counts = [len(block) for block in blocks]
        columns = {}
        owned = {f"{prefix}_{part}" for prefix in PEOPLE[feed]
                 for part in ("ref", "forename", "surname", "dob", "uprn", "postcode")}
        for name in FEEDS[feed]:
            if name not in owned:
                parts = [block.columns.get(name, _blanks(feed, name, count))
                         for block, count in zip(blocks, counts, strict=True)]
                columns[name] = np.concatenate(parts) if parts else _blanks(feed, name, 0)
        people = {prefix: np.concatenate(
            [block.people.get(prefix, np.full(count, NONE))
             for block, count in zip(blocks, counts, strict=True)] or [np.zeros(0, np.int64)])
            for prefix in PEOPLE[feed]}
        table = Table(columns, people, np.concatenate(
            [block.story for block in blocks] or [np.zeros(0, bool)]), np.concatenate(
            [block.settled for block in blocks] or [np.zeros(0, bool)]))
        order = np.lexsort((scramble(np.arange(len(table)), 3),
                            columns[KNOWN.get(feed, "recorded")]))
        return table.take(order)


def fill_people(feed: str, table: Table, roster: Roster) -> Columns:
    """The table's columns in the feed's order, with its person blocks written out."""
    when = table.columns.get("recorded", np.zeros(len(table), np.int64))
    written = dict(table.columns)
    for prefix, who in table.people.items():
        written |= roster.write_block(prefix, NAMESPACES[feed], who, when, table.settled)
    return {name: written[name] for name in FEEDS[feed]} | {
        name: values for name, values in written.items() if name == "amended"}


def correct(table: Table, key: str, corrections: list[Correction]) -> Table:
    """The corrected versions of some of a table's records, carrying the day they were issued."""
    position = {int(number): row for row, number in enumerate(table.columns[key].tolist())}
    rows = np.array([position[c.key] for c in corrections], dtype=np.int64)
    again = table.take(rows)
    for row, correction in enumerate(corrections):
        for name, value in correction.changes.items():
            again.columns[name][row] = value
        for prefix, person in correction.people.items():
            again.people[prefix][row] = person
    again.columns["amended"] = np.array([c.amended for c in corrections], dtype=np.int64)
    return again


def _plain(values: Column) -> Column:
    """Text always as objects, so that what is not recorded can stand beside it."""
    return values.astype(object) if values.dtype.kind == "U" else values


def _blanks(feed: str, name: str, count: int) -> Column:
    if FEEDS[feed][name] in _EMPTY and not find_reference(feed, name):
        return np.full(count, None, dtype=object)
    return np.full(count, NONE, dtype=np.int64)
