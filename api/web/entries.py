"""Stored flags -> the few values a line of a list shows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from api.web.site_words import say_leaving
from api.words import say_agencies, say_result, say_standing, say_where
from engine.store.database import Reading
from engine.store.flags import FlagRow, read

_SAYS = 3       # reasons in a line; all of them stand on the flag's own page


@dataclass(frozen=True)
class Entry:
    """One line: `says` are its first reasons, `more` how many are left out."""

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


def make_entries(reading: Reading, rows: Iterable[FlagRow], name: Callable[[str], str]) -> list[Entry]:
    """The lines of some flags. `name` says what a user is called."""
    return [_make(reading, row, name) for row in rows]


def _make(reading: Reading, row: FlagRow, name: Callable[[str], str]) -> Entry:
    flag = json.loads(read(reading, row.id).text)
    said = [": ".join(part for part in (say_result(reason), reason["because"]) if part) for reason in flag["reasons"]]
    said += [card["said"] for card in flag["cards"] if card["band"]]
    # An offer is never ranked by points, so no axis leads it.
    leading = [row.axis, *(axis for axis in row.axes if axis != row.axis)] if row.list != "allocations" else []
    return Entry(
        row.id, row.position, say_where(flag), row.band, say_standing(flag), row.change, row.state, tuple(leading),
        tuple(said[:_SAYS]), max(0, len(said) - _SAYS), say_leaving(row.because), say_agencies(flag["convene"]),
        name(row.lead) if row.lead else "")
