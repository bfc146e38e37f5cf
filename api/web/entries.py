"""Stored flags -> the few values a line of a list shows."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from api.web.site_words import say_leaving
from api.words import say_agencies, say_result, say_standing, say_where
from engine.store.database import Reading
from engine.store.flags import FlagRow, read_texts

_SAYS = 3       # reasons in a line; all of them stand on the flag's own page


@dataclass(frozen=True)
class Entry:
    """One line: `says` are its first reasons, `more` how many are left out. `first`: whoever reads it says how
    serious it is before we do, so that nothing of what we make of it is in the line."""

    id: str
    position: int
    title: str
    band: str
    standing: str
    change: str
    state: str
    axes: tuple[str, ...]
    says: tuple[str, ...]
    more: int
    because: str
    agencies: str
    lead: str
    first: bool = False


def make_entries(
    reading: Reading, rows: Iterable[FlagRow], name: Callable[[str], str], first: Collection[str] = ()
) -> list[Entry]:
    """The lines of some flags. `name` says what a user is called; `first`: those to be judged before ours is seen."""
    rows = tuple(rows)
    texts = read_texts(reading, [row.id for row in rows])
    made = [_make(row, json.loads(texts[row.id]), name) for row in rows]
    return [_cover(entry) if entry.id in first else entry for entry in made]


def _cover(entry: Entry) -> Entry:
    return replace(entry, first=True, band="", standing="", change="", axes=(), says=(), more=0, because="",
                   agencies="")


def _make(row: FlagRow, flag: Mapping[str, Any], name: Callable[[str], str]) -> Entry:
    said = [": ".join(part for part in (say_result(reason), reason["because"]) if part) for reason in flag["reasons"]]
    said += [card["said"] for card in flag["cards"] if card["band"]]
    # An offer is never ranked by points, so no axis leads it.
    leading = [row.axis, *(axis for axis in row.axes if axis != row.axis)] if row.list != "allocations" else []
    return Entry(
        row.id, row.position, say_where(flag), row.band, say_standing(flag), row.change, row.state, tuple(leading),
        tuple(said[:_SAYS]), max(0, len(said) - _SAYS), say_leaving(row.because), say_agencies(flag["convene"]),
        name(row.lead) if row.lead else "")
