"""A condition in plain English, from the same tree that is evaluated, so that words cannot disagree with logic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Protocol

from engine.condition import (
    All,
    Any_,
    AtLeast,
    Compare,
    Condition,
    Exists,
    Known,
    Not,
    Outcome,
)
from engine.feature import FAR


class Named(Protocol):
    """What a fact is called and counted in."""

    @property
    def title(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def window(self) -> int | None: ...


_WORDS = {">=": "at least", ">": "more than", "<=": "at most", "<": "under", "==": "is", "!=": "is not"}
_AGENCIES = {
    "housing": "Housing", "community_safety": "Community Safety", "police": "Police",
    "environmental_health": "Environmental Health", "licensing": "Licensing", "social_care": "Social Care",
    "fire": "Fire and Rescue", "health": "Health", "probation": "Probation", "education": "Education",
    "voluntary": "Voluntary sector", "gazetteer": "Address gazetteer",
}
_TABLES = {
    "keep_apart_places": "a place of somebody to be kept apart from",
    "order_zones": "an area that a court order closes to the household",
    "orders": "a court order", "place_plans": "a plan for a place", "residents": "somebody who lives there",
}
_KINDS = {
    "da": "domestic abuse", "asb": "anti-social behaviour", "hate": "hate", "witness": "evidence given against them",
    "feud": "a feud", "exploitation": "exploitation", "cuckoo": "taking over a home", "hba": "honour-based abuse",
}


def say(condition: Condition, names: Mapping[str, Named], rules: Mapping[str, Any] | None = None) -> str:
    """The condition as a phrase. `names` gives each fact's title, unit and window; `rules` titles by id."""
    match condition:
        case Compare():
            return _say_compare(condition, names.get(condition.name))
        case Known(name):
            return f"{_title(name, names.get(name))} is known"
        case Outcome(rule):
            title = rules[rule].title if rules and rule in rules else rule
            return f"the rule “{title}” holds"
        case Exists():
            return _say_exists(condition)
        case All(parts):
            return _join([_inside(part, names, rules) for part in parts], "and")
        case Any_(parts):
            return _join([_inside(part, names, rules) for part in parts], "or")
        case Not(Known(name)):
            return f"{_title(name, names.get(name))} is not known"
        case Not(part):
            return f"it is not so that {say(part, names, rules)}"
        case AtLeast(points, parts):
            each = [f"{say(part, names, rules)}" + (f" ({p} points)" if p > 1 else "") for p, part in parts]
            return f"at least {points} of: " + "; ".join(each)


def name_table(table: str) -> str:
    """A row of a table, as people call it."""
    return _TABLES.get(table, f"some record of {table.replace('_', ' ')}")


def _say_exists(block: Exists) -> str:
    """A record, what is asked of it, when it became known and how far away it may be; never more than the rule asks."""
    rows = block.where.parts if isinstance(block.where, Any_) else (block.where,)
    return "".join([
        name_table(block.table), ", or".join(map(_say_row, rows)),
        f" in the last {block.within} days" if block.within else "", f" within {block.near} m" if block.near else ""])


def _say_row(where: Condition) -> str:
    parts = where.parts if isinstance(where, All) else (where,)
    far = [part for part in parts if isinstance(part, Compare) and part.name == "metres" and part.operator in _WORDS]
    kinds = [part for part in parts if isinstance(part, Compare) and part.name == "kind" and part.operator == "=="]
    other = tuple(part for part in parts if part not in far and part not in kinds)
    return "".join([
        *(f" ({_KINDS.get(str(kind.value), show(kind.value))})" for kind in kinds),
        f" where {say(All(other), {}) if len(other) > 1 else say(other[0], {})}" if other else "",
        " and".join(f" {_say_metres(clause)}" for clause in far)])


def _say_metres(clause: Compare) -> str:
    if clause.operator == "<=" and clause.value == 0:       # the distance to the edge of an area, from inside it
        return "reaches as far as here"
    return f"is {(_WORDS | {'==': 'exactly', '!=': 'not'})[clause.operator]} {clause.value:,} metres away"


def _inside(part: Condition, names: Mapping[str, Named], rules: Mapping[str, Any] | None) -> str:
    """A part of a longer phrase: in brackets when it has parts of its own, or and/or could be read either way."""
    phrase = say(part, names, rules)
    return f"({phrase})" if isinstance(part, All | Any_ | AtLeast) and len(part.parts) > 1 else phrase


def show(value: Any, unit: str = "") -> str:
    """A value as an officer reads it; a missing one is “not known”."""
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value == FAR:
        return "none recorded"
    if isinstance(value, date):
        return f"{value.day} {value:%B %Y}"
    if unit == SHARE and isinstance(value, int | float):
        return f"{value:.0%}"
    if isinstance(value, float):
        text = f"{value:.2f}".rstrip("0").rstrip(".") if abs(value) >= 0.01 or value == 0 else f"{value:.1g}"
        text = text if abs(value) >= _TINY or value == 0 else f"under {_TINY:f}".rstrip("0")
    else:
        text = str(value).replace("_", " ") if isinstance(value, str) else str(value)
    return f"{text} {_one(unit) if value == 1 else unit}".strip()


_TINY = 0.0001      # below this a chance is said to be under it; nobody can weigh 3e-60
SHARE = "share"     # the unit of shares, which are said in per cent
_PLURALS = {"people": "person", "households": "household", "children": "child", "properties": "property"}


def _one(unit: str) -> str:
    """A unit for one of it: incidents -> incident."""
    first, _, rest = unit.partition(" ")
    single = _PLURALS.get(first, first)
    if single == first and first.endswith("s") and first not in ("times", "less"):
        single = first[:-3] + "y" if first.endswith("ies") else first[:-1]
    return f"{single} {rest}".strip()


def name_agency(agency: str) -> str:
    """An agency as people call it."""
    return _AGENCIES.get(agency, agency.replace("_", " "))


def join_words(words: Sequence[str], last: str = "and") -> str:
    """`a, b and c`."""
    words = list(words)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}" if words else ""


def _title(name: str, named: Named | None) -> str:
    if named is None:
        return name.replace("_", " ")
    title = named.title[0].lower() + named.title[1:] if named.title[1:2].islower() else named.title
    return f"{title} in {named.window} days" if named.window else title


def _say_compare(clause: Compare, named: Named | None) -> str:
    title = _title(clause.name, named)
    if isinstance(clause.value, bool):
        holds = clause.value == (clause.operator == "==")
        return title if holds else f"not: {title}"
    if isinstance(clause.value, tuple):
        choices = join_words([show(value) for value in clause.value], "or")
        return f"{title} is {'not ' if clause.operator == 'not in' else ''}{choices}"
    unit = named.unit if named else ""
    return f"{title}: {_WORDS[clause.operator]} {show(clause.value, unit)}"


def _join(phrases: Sequence[str], word: str) -> str:
    return phrases[0] if len(phrases) == 1 else f", {word} ".join(phrases)
