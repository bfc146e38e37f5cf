"""Screenings made by hand: what is said of one pair, as short as a test needs it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from engine.flag import Node
from engine.screening import Conflict, Level, Screening

AS_OF = date(2026, 11, 23)
A_TREE = Node(text="asked", state=True, value="seen", threshold=None, agencies=("police",), first=None, last=None,
              metres=None, steps=())


def a_conflict(rule: str, level: Level = "hard", title: str = "") -> Conflict:
    """A conflict of a rule, called after it: allocation/near-abuser is "Near abuser"."""
    title = title or rule.rpartition("/")[2].replace("-", " ").capitalize()
    return Conflict(
        rule=rule, reference="A-99", title=title, result="avoid_this_property", level=level, factor="safety",
        because="because", why="why", authority="authority", confirm=("police",), respond=(),
        tree=A_TREE, enough=("asked",), would_change=())


def a_screening(
    conflicts: Sequence[tuple[str, Level]] = (), application: str = "HR-1", uprn: str = "100", **given: Any
) -> Screening:
    """A screening of a pair, with conflicts by rule and level; any other field can be given by its name."""
    fields: dict[str, Any] = {
        "as_of": AS_OF, "applicant": None, "proposal": None,
        "result": "avoid_this_property" if conflicts else "nothing_found", "headline": "In short",
        "conflicts": tuple(a_conflict(rule, level) for rule, level in conflicts), "unchecked": (), "factors": (),
        "questions": (), "told": (), "late_feeds": (), "does_not": "It refuses nobody.", "contest": "Ask.",
        "digests": {"pack": "p" * 64, "features": "f" * 64, "snapshot": "s" * 64}}
    return Screening(**{**fields, **given, "application": application, "uprn": uprn})
