"""One screening: an applicant and a home before the offer, what speaks against, what to ask; as text that never alters.

A screening never refuses anybody. Its result is one of five words, or that nothing was found together with what was
not checked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, cast

from engine.flag import Node
from engine.rule import Response, Rule

Result = Literal["avoid_this_property", "check_with_agency", "complete_needs", "lint", "mitigate", "nothing_found"]
RESULTS: tuple[Result, ...] = (
    "avoid_this_property", "check_with_agency", "complete_needs", "lint", "mitigate", "nothing_found")
"""The five words of the allocations pack and "nothing found"; where several hold, the first is said first."""

Level = Literal["hard", "soft", "info"]
LEVELS: tuple[Level, ...] = ("hard", "soft", "info")
Source = Literal["applicant", "officer", "agency"]
Value = bool | int | float | str | date
Status = Literal["checked", "not_checked", "not_applicable"]


@dataclass(frozen=True)
class Pair:
    """Who and which home: an application on the register and a property; `proposal` where one is open for the two."""

    application: str
    applicant: str | None
    uprn: str
    proposal: str | None = None

    @property
    def subject(self) -> str:
        """The id of the allocation: its proposal, or the two together."""
        return self.proposal or f"{self.application}:{self.uprn}"


@dataclass(frozen=True)
class Answer:
    """A fact somebody told the officer. Whose word it is stands with the fact's declaration, not with who typed it."""

    fact: str
    value: Value
    told_on: date


@dataclass(frozen=True)
class Told:
    """An answer as it was taken in: `note` says when it disagrees with what is recorded, and what became of it."""

    fact: str
    title: str
    value: str
    told_on: date
    by: Source
    note: str


@dataclass(frozen=True)
class Conflict:
    """A rule that holds for this pair, with its tree of clauses; nearer and further than stated is never said."""

    rule: str
    reference: str
    title: str
    result: Result
    level: Level
    factor: str
    because: str
    why: str
    authority: str
    confirm: tuple[str, ...]            # agencies that can confirm it
    respond: tuple[Response, ...]
    tree: Node
    enough: tuple[str, ...]             # the fewest facts that alone make it hold
    would_change: tuple[str, ...]       # what somebody could do about it


@dataclass(frozen=True)
class Unchecked:
    """A rule that cannot tell, with the facts that keep it from telling and who could settle them."""

    rule: str
    title: str
    level: Level
    facts: tuple[str, ...]
    agencies: tuple[str, ...]


@dataclass(frozen=True)
class Factor:
    """One location factor of the Homelessness (Suitability of Accommodation) (England) Order 2012, art 2."""

    factor: str
    title: str
    source: str
    status: Status
    because: str
    facts: tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """A fact not known that could change the result, in words to be said aloud.

    `of`: whose word is wanted. `weight`: how much the answer could change, larger is more. `now`: one of the fewest
    that could change the result; the others may come to matter once these are answered.
    """

    fact: str
    ask: str
    of: Source
    agencies: tuple[str, ...]
    type: Literal["integer", "decimal", "boolean", "code", "date"]
    values: tuple[str, ...]
    weight: int
    could_change: tuple[str, ...]       # titles of rules
    now: bool


@dataclass(frozen=True)
class Match:
    """Another home for the applicant, or another applicant for the home, screened the same way."""

    application: str
    uprn: str
    name: str                           # the home's address, or where in the scheme's order the applicant stands
    beds: int | None
    ready_from: date | None
    result: Result
    hard: int
    soft: int
    cannot_tell: int


@dataclass(frozen=True)
class Screening:
    """Everything said about one pair on one day."""

    as_of: date
    application: str
    applicant: str | None
    uprn: str
    proposal: str | None
    result: Result
    headline: str
    conflicts: tuple[Conflict, ...]     # hard first
    unchecked: tuple[Unchecked, ...]
    factors: tuple[Factor, ...]
    questions: tuple[Question, ...]     # those to ask now first, heaviest first
    told: tuple[Told, ...]
    late_feeds: tuple[str, ...]
    does_not: str
    contest: str
    digests: Mapping[str, str]          # pack, features, snapshot

    @property
    def hard(self) -> tuple[str, ...]:
        """The rules that a manager must override before an offer can be recorded as made."""
        return tuple(c.rule for c in self.conflicts if c.level == "hard")

    @property
    def soft(self) -> tuple[str, ...]:
        """The rules the applicant's informed view may accept."""
        return tuple(c.rule for c in self.conflicts if c.level == "soft")


@dataclass(frozen=True)
class Sum:
    """What the outcomes of a pair come to: the first word, and how many conflicts and open checks."""

    result: Result
    hard: int
    soft: int
    cannot_tell: int


def sum_up(states: Mapping[str, bool | None], rules: Sequence[Rule]) -> Sum:
    """The sum of some live allocation rules' outcomes; hard ones speak before soft ones."""
    fired = sorted((r for r in rules if states[r.id] is True), key=rank_of)
    return Sum(cast(Result, fired[0].result) if fired else "nothing_found", sum(r.level == "hard" for r in fired),
               sum(r.level == "soft" for r in fired), sum(states[r.id] is None for r in rules))


def rank_of(rule: Rule) -> tuple[int, int, str]:
    """Where a conflict is said: hard first, then in the order of the five words."""
    return LEVELS.index(cast(Level, rule.level)), RESULTS.index(cast(Result, rule.result)), rule.id
