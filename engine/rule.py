"""A rule as people sign it, and what surrounds rules: exclusions, protective factors, policy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from engine.condition import Condition
from engine.schema import Subject

Axis = Literal["harm", "vulnerability", "place", "process"]
AXES: tuple[Axis, ...] = ("vulnerability", "harm", "place", "process")
Band = Literal["convene", "discuss", "watch"]
BANDS: tuple[Band, ...] = ("convene", "discuss", "watch")
RESPONSES = ("support", "agree", "enforce")
"""The order responses are always shown in (domain reference R20): support before enforcement."""


@dataclass(frozen=True)
class Response:
    """One thing the agencies might do, and whether it supports, agrees or enforces."""

    step: Literal["support", "agree", "enforce"]
    text: str


@dataclass(frozen=True)
class Rule:
    """One rule: when it fires, how much it weighs, who signs for it and what it suggests."""

    id: str
    title: str
    reference: str
    subject: Subject
    axis: Axis
    theme: str
    why: str
    when: Condition
    points: int
    floor: Literal["statutory", "partner", "none"]
    fades_with: str | None
    convene: tuple[str, ...]
    respond: tuple[Response, ...]
    because: str
    authority: str
    evidence: Literal["published", "design"]
    owner: str
    review_by: date
    status: Literal["trial", "live", "retired"]
    result: str | None
    level: Literal["hard", "soft", "info"] | None
    factor: str | None
    where_declared: str

    def expired(self, as_of: date) -> bool:
        """Whether the date by which it had to be approved again has passed."""
        return self.review_by < as_of


@dataclass(frozen=True)
class Exclusion:
    """What keeps a subject, or one axis of it, off the open list, and where it goes instead."""

    id: str
    title: str
    subject: Subject | None
    when: Condition | None
    effect: str
    route: str
    why: str


@dataclass(frozen=True)
class Protection:
    """A fact that speaks for the subject and takes a share off the points of its axes."""

    id: str
    title: str
    subject: Subject
    axes: tuple[Axis, ...]
    when: Condition
    reduce: float
    themes: tuple[str, ...]
    why: str


@dataclass(frozen=True)
class OrderFactor:
    """A location factor the law has an officer look at before a home is offered, and the facts that show it was.

    `applies` says when it binds; None is always.
    """

    key: str
    title: str
    source: str
    why: str
    applies: Condition | None
    facts: tuple[str, ...]
    where_declared: str = ""


@dataclass(frozen=True)
class Scheme:
    """How the published scheme orders applicants: by band, then date registered, then application.

    A screening never changes that order. `shortlist` applicants and `matches` other homes are screened beside an offer.
    """

    bands: tuple[str, ...]
    shortlist: int
    matches: int


@dataclass(frozen=True)
class Policy:
    """The partnership's own numbers, each dated and signed in rules/policy.yaml."""

    bands: dict[str, float]
    theme_cap: float
    half_life_days: dict[str, float]
    protective_cap: float
    capacity: dict[str, int | None]
    cool_down_days: int
    scheme: Scheme
    other: dict[str, Any]
    small_cell: int = 5         # counts of people below it are not shown outside the partnership
