"""What a paper says, before it is a file. Every format is written from the same content and cannot say other things.

A `Value` that is None was not counted. Texts are as people wrote them; each writer makes them harmless in its own way.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

Value = str | int | float | date | None
Kind = Literal["text", "number", "day"]


@dataclass(frozen=True)
class Column:
    """One column. `width`: the share of a page it takes, in characters."""

    title: str
    kind: Kind = "text"
    width: int = 12


@dataclass(frozen=True)
class Grid:
    """A table that is a table in every format. `empty` is said where it has no rows."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    empty: str = ""


@dataclass(frozen=True)
class Item:
    """One subject. `cells` are under the section's columns; `says` under its topics, one text or several each. Without
    any it stands in the table alone."""

    cells: tuple[Value, ...]
    says: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Section:
    """One list: a table of its items, each then told at length under the topics. The first two columns name an item.

    `name` is short, `lead` says what is here and what is left out.
    """

    name: str
    title: str
    lead: str
    columns: tuple[Column, ...]
    topics: tuple[str, ...]
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Told:
    """The flags a paper tells of under one agreement (None where none is kept): what is noted as a disclosure."""

    agreement: str | None
    flags: tuple[str, ...]


@dataclass(frozen=True)
class Paper:
    """One agenda or minutes, as of the moment it was printed.

    `name` is that of the file and holds nobody's name; `day` is that of the list or meeting; `facts` and `notes` stand
    on its first page; `numbers` are of what is in it.
    """

    name: str
    title: str
    council: str
    marking: str
    day: date
    printed: datetime
    facts: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    numbers: Grid
    sections: tuple[Section, ...]
    actions: Grid
    told: tuple[Told, ...]
