"""A condition -> nested lines in plain English, for a reader who has never seen a rule.

`prose` says a whole condition in one sentence. Here each clause stands on a line of its own, in the same words, under
“all of these” or “any one of these”, so that and/or cannot be read either way however deep it goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from engine.condition import All, Any_, AtLeast, Compare, Condition, Known, Not
from engine.prose import Named, say


@dataclass(frozen=True)
class Look:
    """One line of what is looked at, and the lines it is made of."""

    text: str
    parts: tuple[Look, ...] = ()


def break_down(condition: Condition, names: Mapping[str, Named], rules: Mapping[str, Any]) -> Look:
    """A condition as nested lines, each clause in the words of `prose.say`."""
    def lines(parts: Iterable[Condition]) -> tuple[Look, ...]:
        return tuple(break_down(part, names, rules) for part in parts)

    match condition:
        case All((only,)) | Any_((only,)):      # a list of one is no list
            return break_down(only, names, rules)
        case All(parts):
            return Look("All of these:", lines(parts))
        case Any_(parts):
            return Look("Any one of these:", lines(parts))
        case AtLeast(points, weighted):
            return Look(f"Together at least {points} points from these:", tuple(
                replace(look, text=f"({each} point{'' if each == 1 else 's'}) {look.text}")
                for (each, _), look in zip(weighted, lines(part for _, part in weighted), strict=True)))
        case Not(All() | Any_() | AtLeast() as part):
            return Look("This does not hold:", lines([part]))
        case _:
            return Look(_say_clause(condition, names, rules))


def say_first(text: str) -> str:
    """A phrase with a capital, as the first of its line."""
    return text[:1].upper() + text[1:]


# --- inside -------------------------------------------------------------------------------------


def _say_clause(clause: Condition, names: Mapping[str, Named], rules: Mapping[str, Any]) -> str:
    """A clause alone on its line. A bare “not” is easily overread there, so “no” and “not known” are spelt out."""
    match clause:
        case Compare(name, operator, bool() as value) if name in names and value != (operator == "=="):
            return f"Recorded as “no”: {_lower(names[name].title)}"
        case Known(name) if name in names:
            return f"Known: {_lower(names[name].title)}"
        case Not(Known(name)) if name in names:
            return f"Not known: {_lower(names[name].title)}"
        case _:
            return say_first(say(clause, names, rules).replace(": is ", " is ", 1))


def _lower(title: str) -> str:
    return title[:1].lower() + title[1:] if title[1:2].islower() or title[1:2] == " " else title
