"""A tree of steps -> why it came out so: the fewest facts that force it, what is unknown, what is nearly so."""

from __future__ import annotations

from collections.abc import Sequence

from engine.condition import All, Any_, AtLeast, Not
from engine.evaluate import Step


def find_minimal(step: Step) -> tuple[Step, ...]:
    """The smallest set of leaves that alone forces a step's state (True or False); () when unknown.

    Exact while each leaf stands once in the tree: `all` needs every part, `any` the cheapest one.
    """
    if step.state is None:
        return ()
    return _force(step, step.state)


def _force(step: Step, state: bool) -> tuple[Step, ...]:
    match step.condition:
        case Not():
            return _force(step.steps[0], not state)
        case All() | Any_():
            every = isinstance(step.condition, All) == state
            able = [s for s in step.steps if s.state is state]
            sets = [_force(s, state) for s in able]
            if every:
                return tuple(leaf for leaves in sets for leaf in leaves)
            return min(sets, key=len) if sets else ()
        case AtLeast(points, parts):
            return _force_points(step, state, points, [p for p, _ in parts])
        case _:
            return (step,)


def _force_points(step: Step, state: bool, points: int, weights: Sequence[int]) -> tuple[Step, ...]:
    """The fewest leaves whose parts carry the points (or, for False, leave too few to reach them)."""
    needed = points if state else sum(weights) - points + 1
    fewest: dict[int, tuple[Step, ...]] = {0: ()}      # points carried (at most `needed`) -> the fewest leaves
    for weight, part in zip(weights, step.steps, strict=True):
        if part.state is not state:
            continue
        leaves = _force(part, state)
        for carried, chosen in sorted(fewest.items(), reverse=True):
            reached = min(needed, carried + weight)
            if reached not in fewest or len(chosen) + len(leaves) < len(fewest[reached]):
                fewest[reached] = (*chosen, *leaves)
    return fewest.get(max(needed, 0), ())


def find_unknown(step: Step) -> tuple[Step, ...]:
    """The unknown leaves that keep a step from being settled; () when it is settled."""
    if step.state is not None:
        return ()
    if not step.steps:
        return (step,)
    return tuple(leaf for part in step.steps if part.state is None for leaf in find_unknown(part))


def find_near_miss(step: Step) -> Step | None:
    """The one leaf that keeps a step from firing, where exactly one does; analysts only."""
    if step.state is not False:
        return None
    unmet = _unmet(step)
    return unmet[0] if len(unmet) == 1 else None


def _unmet(step: Step) -> tuple[Step, ...]:
    """The fewest leaves that would have to change for the step to hold."""
    if step.state is True:
        return ()
    match step.condition:
        case All():
            return tuple(leaf for part in step.steps for leaf in _unmet(part))
        case Any_():
            return min((_unmet(part) for part in step.steps), key=len)
        case _:
            return (step,)
