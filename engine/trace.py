"""The evaluator's steps -> nodes and words an officer may read; what must be held back is held back here, for all."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

from engine.condition import All, Any_, AtLeast, Compare, Condition, Exists, Known, Not
from engine.evaluate import Step
from engine.feature import Feature
from engine.flag import Node
from engine.pack import Pack
from engine.prose import SHARE, join_words, name_agency, say, show
from engine.recount import Counted

HELD_BACK = "held back"
TOO_NEAR = "a place of somebody to be kept apart from is nearer than the rule allows"


def write_node(
    step: Step, features: Mapping[str, Feature], counted: Mapping[str, Counted], pack: Pack,
    withheld: Collection[str] = (),
) -> Node:
    """The step and all inside it, in words. Of the facts in `withheld` only who holds them is said."""
    name = step.condition.name if isinstance(step.condition, Compare | Known) else None
    feature = features.get(name) if name else None
    if feature and name in withheld:
        return Node(say_withheld(feature), step.state, HELD_BACK, None, tuple(map(name_agency, feature.agency)),
                    None, None, None, ())
    if _keeps_apart(step.condition):    # which part of it holds would say who is feared, and why
        return Node(TOO_NEAR, step.state, None, None, (), None, None, None, ())
    rows = counted[name].rows if name and feature and name in counted and not feature.confidential else ()
    known = sorted(r["known"] for r in rows)
    metres = [r["metres"] for r in rows if r.get("metres") is not None]
    return Node(
        text=_text(step.condition, features, pack), state=step.state,
        value=show_fact(step.value, feature) if feature else None,
        threshold=show(step.condition.value, feature.unit)
        if feature and isinstance(step.condition, Compare) and not isinstance(step.condition.value, tuple | bool)
        else None,
        agencies=tuple(name_agency(a) for a in feature.agency) if feature else (),
        first=known[0] if known else None, last=known[-1] if known else None,
        metres=math.floor(min(metres) + 0.5) if metres else None,
        steps=tuple(write_node(child, features, counted, pack, withheld) for child in step.steps))


def _text(condition: Condition, features: Mapping[str, Feature], pack: Pack) -> str:
    match condition:
        case All():
            return "all of"
        case Any_():
            return "any of"
        case Not():
            return "not"
        case AtLeast(points):
            return f"at least {points} points from"
    return say(condition, features, pack.rules)


def _keeps_apart(condition: Condition) -> bool:
    """Whether it looks for places of people to be kept apart from, of whichever kind."""
    if isinstance(condition, Any_):
        return all(map(_keeps_apart, condition.parts))
    return isinstance(condition, Exists) and condition.table == "keep_apart_places"


def say_withheld(feature: Feature) -> str:
    """A fact the reader may not see, by who holds it."""
    return f"something that only {join_words([name_agency(a) for a in feature.agency])} may say"


def say_leaf(leaf: Step, features: Mapping[str, Feature], pack: Pack) -> str:
    """What a leaf says, as it came out."""
    text = TOO_NEAR if _keeps_apart(leaf.condition) else say(leaf.condition, features, pack.rules)
    return text if leaf.state is True else f"not so: {text}"


def show_fact(value: Any, feature: Feature, bare: bool = False) -> str:
    """A value as an officer may see it; `bare`: without its unit, for a sentence that says it.

    Distances to people kept apart are never shown: three of them, from three homes, would give the address away.
    """
    if feature.confidential and value is not None:
        return HELD_BACK
    return show(value, feature.unit if not bare or feature.unit == SHARE else "")


def show_leaf(leaf: Step, features: Mapping[str, Feature]) -> str:
    """The value a leaf saw."""
    name = leaf.condition.name if isinstance(leaf.condition, Compare | Known) else ""
    return show_fact(leaf.value, features[name]) if name in features else show(leaf.value)


def end_sentence(text: str) -> str:
    """The text on one line, with a full stop."""
    text = " ".join(text.split())
    return text if text.endswith((".", "!", "?")) else text + "."


def same(one: Any, other: Any) -> bool:
    """Whether two ways of working a value out gave the same; fractions may differ in the last digits."""
    if isinstance(one, float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    return bool(one == other)
