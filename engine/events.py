"""What happened to screenings, and what it adds up to: which were kept, what was overridden, which offers stand.

Each line of the log is one event: a screening kept, a conflict overridden, an offer made, an offer withdrawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any, Literal

from engine.screening import Answer, Pair, Screening

View = Literal["accepts", "declines"]


@dataclass(frozen=True, slots=True)
class Kept:
    """One screening as kept. With its pair, its answers and the desk of that digest it can be made again.

    `titles` are those of the hard and soft rules. `key` and `request` tell a request sent twice from another one.
    """

    id: str
    made_at: str
    by: str
    pair: Pair
    as_of: date
    result: str
    hard: tuple[str, ...]
    soft: tuple[str, ...]
    titles: Mapping[str, str]
    answers: tuple[Answer, ...]
    desk: str
    digest: str
    key: str | None
    request: str


@dataclass(frozen=True, slots=True)
class Override:
    """A manager's word that an offer may be made in spite of a hard conflict; `counts`: the first for that rule."""

    screening: str
    rule: str
    title: str
    by: str
    role: str
    reason: str
    mitigation: str
    at: str
    counts: bool = True


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Why an offer no longer stands: it was recorded in error, or the applicant said no."""

    offer: str
    by: str
    reason: str
    at: str


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer a person made; `overridden` and `accepted` are the conflicts it was made in spite of."""

    id: str
    screening: str
    application: str
    applicant: str | None
    uprn: str
    by: str
    role: str
    applicant_view: View | None
    overridden: tuple[str, ...]
    accepted: tuple[str, ...]
    at: str
    withdrawn: Withdrawal | None = None

    @property
    def standing(self) -> bool:
        """Whether the home is still promised by it."""
        return self.withdrawn is None


Event = Kept | Override | Offer | Withdrawal


@dataclass
class Book:
    """What the events so far add up to."""

    kept: dict[str, Kept] = field(default_factory=dict)
    overrides: list[Override] = field(default_factory=list)
    offers: dict[str, Offer] = field(default_factory=dict)
    keys: dict[tuple[str, str], Kept] = field(default_factory=dict)
    latest: dict[tuple[str, str], Kept] = field(default_factory=dict)       # by application and UPRN

    def add(self, event: Event) -> None:
        """Takes in the next event. Raises KeyError for the withdrawal of an offer never made."""
        if isinstance(event, Kept):
            self.kept[event.id] = self.latest[event.pair.application, event.pair.uprn] = event
            if event.key is not None:
                self.keys[event.by, event.key] = event
        elif isinstance(event, Override):
            counts = event.rule not in self.overridden(event.screening)
            self.overrides.append(replace(event, counts=counts))
        elif isinstance(event, Offer):
            self.offers[event.id] = event
        else:
            self.offers[event.offer] = replace(self.offers[event.offer], withdrawn=event)

    def overridden(self, screening: str) -> frozenset[str]:
        """The rules a manager has overridden for a screening."""
        return frozenset(override.rule for override in self.overrides if override.screening == screening)


def describe(screening: Screening, answers: Sequence[Answer]) -> dict[str, Any]:
    """What the log says of a screening: its pair, its result, its conflicts and the answers it was given."""
    pair = Pair(screening.application, screening.applicant, screening.uprn, screening.proposal)
    return {"pair": asdict(pair), "as_of": screening.as_of.isoformat(), "result": screening.result,
            "hard": screening.hard, "soft": screening.soft,
            "titles": {c.rule: c.title for c in screening.conflicts if c.level != "info"},
            "answers": [_write_answer(answer) for answer in answers]}


def read_event(number: int, fields: dict[str, Any]) -> Event:
    """The event of a line. Fails where a line before it is missing or it is not an event."""
    assert fields.pop("seq") == number
    event = fields.pop("event")
    if event == "kept":
        lists = {name: tuple(fields[name]) for name in ("hard", "soft")}
        return Kept(**{**fields, **lists, "pair": Pair(**fields["pair"]), "as_of": date.fromisoformat(fields["as_of"]),
                       "answers": tuple(_read_answer(**answer) for answer in fields["answers"])})
    if event == "offered":
        return Offer(**{**fields, **{name: tuple(fields[name]) for name in ("overridden", "accepted")}})
    return Override(**fields) if event == "overridden" else Withdrawal(**fields)


def _write_answer(answer: Answer) -> dict[str, Any]:
    # A day is text in JSON, and so is a code: the type is written down to get the same value back.
    value = answer.value.isoformat() if isinstance(answer.value, date) else answer.value
    return {"fact": answer.fact, "type": type(answer.value).__name__, "value": value,
            "told_on": answer.told_on.isoformat()}


def _read_answer(fact: str, type: str, value: Any, told_on: str) -> Answer:
    return Answer(fact, date.fromisoformat(value) if type == "date" else value, date.fromisoformat(told_on))
