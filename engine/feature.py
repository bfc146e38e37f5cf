"""One measured fact about a subject as of a date: what is declared, and the names it answers to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from engine.condition import Condition
from engine.schema import Kind, Subject

Type = Literal["integer", "decimal", "boolean", "code", "date"]
Kind_ = Literal[
    "count", "distinct", "sum", "max", "min", "latest", "any", "days_since", "days_until",
    "change", "ratio", "share", "top_share", "nearest", "carry", "calendar", "built_in",
]
MEASURES: tuple[str, ...] = get_args(Kind_)
WITH_COLUMN = {"distinct", "sum", "max", "min", "latest", "days_since", "days_until",
               "change", "ratio", "top_share"}
WITHOUT_TABLE = {"carry", "calendar", "built_in"}
Absence = Literal["zero", "unknown", "none", "not_applicable"]
AskOf = Literal["applicant", "officer", "agency"]

FAR = 9_999_999
"""Metres to a place that does not exist: further than any threshold, so a distance that does not apply is
never near. Shown to people as "none recorded"."""

COMPARED = {
    "expected": ("what would be expected here", ""),
    "ratio": ("against what would be expected", "times expected"),
    "ratio_low": ("against what would be expected, at the least", "times expected"),
    "exceed": ("chance of as many by luck", ""),
}
"""What `compare: true` adds to a windowed place count: suffix -> (words, unit). See `expected`."""

_KIND: dict[str, Kind] = {"integer": "number", "decimal": "number", "boolean": "boolean",
                          "code": "text", "date": "date"}


@dataclass(frozen=True)
class Measure:
    """How rows become a value: the verb, and the column it works on where it needs one."""

    verb: Kind_
    column: str | None = None


@dataclass(frozen=True)
class Feature:
    """A fact with one name: a declaration with one of its windows.

    `name` is what rules say; `declared` the entry in the file. `window` in days, half-open before the
    as-of date, on the date the partnership knew the record; None = whole history or current state.
    `ask` is the question that settles it, to be said aloud, and `ask_of` whose word is wanted: a fact without
    the two is never taken from an answer. `about` is whom or what it tells of: the applicant, the household, the home.
    """

    name: str
    declared: str
    subject: Subject
    title: str
    type: Type
    unit: str
    measure: Measure
    table: str | None
    where: Condition | None
    of_which: Condition | None
    window: int | None
    near: int | None
    feeds: tuple[str, ...]
    absence: Absence
    agency: tuple[str, ...]
    sensitivity: str
    purpose: str
    changeable: bool
    carried_from: str | None = None      # "person.needs_count"
    via: str | None = None
    compare: bool = False
    cap_reporter: int | None = None
    values: tuple[str, ...] = field(default=())
    where_declared: str = ""
    statistic: str | None = None         # one of COMPARED: worked out from the count of the same name
    ask: str = ""
    ask_of: AskOf | None = None
    changes_to: str = ""                 # what somebody could do about it, where it is changeable
    about: str = ""

    @property
    def kind(self) -> Kind:
        """What its values are compared with: a number, a word, a truth or a date."""
        return _KIND[self.type]

    @property
    def confidential(self) -> bool:
        """Whether its very value would tell where somebody is: distances to people or zones kept apart."""
        return self.measure.verb == "nearest" and self.sensitivity in ("special", "criminal", "personal")
