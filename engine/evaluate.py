"""The meaning of a condition: one case in, a tree of steps out. Deliberately plain; it judges `columns`.

Three values: True, False, and None for unknown (Kleene). Every child is evaluated, whatever the others
say, so that the tree answers "why", "why not" and "what would settle it" alike.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

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

State = bool | None


@dataclass(frozen=True)
class Case:
    """What is known of one subject.

    `values` by feature name, None or absent = unknown; `outcomes` by rule id; `related` rows for each
    `exists` block, None = the table's feed is late, so absence proves nothing.
    """

    values: Mapping[str, Any]
    outcomes: Mapping[str, State] = field(default_factory=dict)
    related: Mapping[Exists, Sequence[Mapping[str, Any]] | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """One node as it came out: its state, the value seen where it reads one, and the steps inside it."""

    condition: Condition
    state: State
    value: Any = None
    steps: tuple[Step, ...] = ()
    matched: int | None = None      # exists: how many related records met it


def evaluate(condition: Condition, case: Case) -> Step:
    """The full tree of steps of a condition on a case."""
    match condition:
        case Compare():
            value = case.values.get(condition.name)
            return Step(condition, _compare(condition, value), value)
        case Known(name):
            value = case.values.get(name)
            return Step(condition, value is not None, value)
        case Outcome(rule):
            return Step(condition, case.outcomes.get(rule))
        case Exists():
            return _exists(condition, case)
        case All(parts):
            steps = tuple(evaluate(part, case) for part in parts)
            return Step(condition, all_of([step.state for step in steps]), steps=steps)
        case Any_(parts):
            steps = tuple(evaluate(part, case) for part in parts)
            return Step(condition, any_of([step.state for step in steps]), steps=steps)
        case Not(part):
            step = evaluate(part, case)
            return Step(condition, negate(step.state), steps=(step,))
        case AtLeast():
            return _at_least(condition, case)


def all_of(states: Sequence[State]) -> State:
    """False if one is false, True if all are true, else unknown."""
    if any(state is False for state in states):
        return False
    return None if any(state is None for state in states) else True


def any_of(states: Sequence[State]) -> State:
    """True if one is true, False if all are false, else unknown."""
    if any(state is True for state in states):
        return True
    return None if any(state is None for state in states) else False


def negate(state: State) -> State:
    """The opposite; unknown stays unknown."""
    return None if state is None else not state


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge, ">": operator.gt, "<=": operator.le, "<": operator.lt,
    "==": operator.eq, "!=": operator.ne,
    "in": lambda value, allowed: value in allowed,
    "not in": lambda value, allowed: value not in allowed,
}


def _compare(clause: Compare, value: Any) -> State:
    return None if value is None else _COMPARE[clause.operator](value, clause.value)


def _at_least(condition: AtLeast, case: Case) -> Step:
    steps = tuple(evaluate(part, case) for _, part in condition.parts)
    points = [points for points, _ in condition.parts]
    certain = sum(p for p, step in zip(points, steps, strict=True) if step.state is True)
    possible = sum(p for p, step in zip(points, steps, strict=True) if step.state is None)
    state: State = None
    if certain >= condition.points:
        state = True
    elif certain + possible < condition.points:
        state = False
    return Step(condition, state, value=certain, steps=steps)


def meets(condition: Exists, row: Mapping[str, Any]) -> State:
    """Whether a related record is one that is asked for; a disputed one that would be cannot be told (X-09)."""
    state = evaluate(condition.where, Case(row)).state
    return None if state and row.get("disputed") else state


def _exists(condition: Exists, case: Case) -> Step:
    rows = case.related.get(condition)
    if rows is None:
        return Step(condition, None)
    states = [meets(condition, row) for row in rows]
    return Step(condition, any_of([*states, False]), matched=sum(s is True for s in states))
