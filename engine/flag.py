"""A flag: one subject put forward on one date, complete in itself, and as text that never changes.

Written as JSON with sorted keys, so that the same flag is the same bytes; `replay` compares them.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from engine.rule import Response
from engine.scores import Part


@dataclass(frozen=True)
class Axis:
    """One axis: parts add up to `before` (after theme caps), less `reduced`, is `points`; `card`: the band a score card
    lifts it to."""

    axis: str
    points: float
    before: float
    reduced: float
    band: str | None
    floor: str | None
    card: str | None
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Node:
    """One clause or block as it came out: what was asked, what was seen, who could say, when it was known and how near.

    `metres`: to the nearest record counted, for what is counted around a place; never to a person.
    """

    text: str
    state: bool | None
    value: str | None
    threshold: str | None
    agencies: tuple[str, ...]
    first: date | None
    last: date | None
    metres: int | None
    steps: tuple[Node, ...]


@dataclass(frozen=True)
class Reason:
    """One rule that fired, with its tree, and `enough`: the fewest facts that alone make it fire."""

    rule: str
    reference: str
    title: str
    axis: str
    theme: str
    because: str
    why: str
    points: int
    counted_points: float
    floor: str
    authority: str
    threshold: str
    owner: str
    review_by: date
    result: str | None
    level: str | None
    factor: str | None
    tree: Node
    enough: tuple[str, ...]


@dataclass(frozen=True)
class Fact:
    """A feature a fired rule read: its value, who holds it, and the records behind it."""

    name: str
    title: str
    value: str
    window: int | None
    agencies: tuple[str, ...]
    records: tuple[str, ...]
    disputed: bool
    changeable: bool


@dataclass(frozen=True)
class Record:
    """One record behind the flag; its content stays with the agency that holds it."""

    record: str
    feed: str
    occurred: date | None
    known: date
    what: str | None
    evidence: int | None
    role: str | None


@dataclass(frozen=True)
class Question:
    """A rule that cannot tell, the facts that would settle it, and the agencies that could."""

    rule: str
    title: str
    facts: tuple[str, ...]
    agencies: tuple[str, ...]
    waits_for: tuple[str, ...]


@dataclass(frozen=True)
class CardPart:
    """One factor of one case: the value, the line of the card it fell in, its points and those of the average case."""

    fact: str
    title: str
    value: str
    line: str
    points: int
    typical: float
    changeable: bool
    records: tuple[str, ...]

    @property
    def difference(self) -> float:
        """Points above the average case; below 0 where it speaks for the subject."""
        return round(self.points - self.typical, 2)


@dataclass(frozen=True)
class CardAccount:
    """What a score card says of one subject. Parts add up to `score`; without a number there are none.

    `change`: what would take it out of its band, of what somebody could change; `lapse`: when time alone would.
    """

    card: str
    title: str
    axis: str | None
    status: str
    score: int | None
    least: int
    most: int
    band: str | None
    parts: tuple[CardPart, ...]
    raises: tuple[str, ...]
    lowers: tuple[str, ...]
    abstains: str | None
    said: str
    change: str
    lapse: str


@dataclass(frozen=True)
class Flag:
    """Everything kept of one flag. `cards`: what the score cards in force say; those on trial are not shown here."""

    id: str
    as_of: date
    list: str
    subject: str
    name: str
    band: str
    status: str
    change: str
    paragraph: str
    axes: tuple[Axis, ...]
    reasons: tuple[Reason, ...]
    cards: tuple[CardAccount, ...]
    facts: tuple[Fact, ...]
    records: tuple[Record, ...]
    against: tuple[str, ...]
    questions: tuple[Question, ...]
    lapse: str
    convene: tuple[str, ...]
    respond: tuple[Response, ...]
    routing: tuple[str, ...]
    late_feeds: tuple[str, ...]
    contest: str
    does_not: str
    digests: Mapping[str, str]


def write_json(value: Any, indent: int | None = 1) -> str:
    """A frozen value as JSON: sorted keys, dates as ISO, the same bytes every time."""
    return json.dumps(_plain(value), sort_keys=True, indent=indent, ensure_ascii=False,
                      allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, date | datetime) else value
