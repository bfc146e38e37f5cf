"""A rule -> the sets of unknown facts that, with some answers, change whether it holds; none can spare a fact.

A rule that cannot tell may come to hold. A rule that holds because something `is missing` may stop holding: once that
is answered it does not hold, or cannot tell. A part that is true on known facts holds it up whatever is answered.

Exact where one fact stands in several clauses, as long as a rule has no more ways to change than `MOST_WAYS`: no
set is given for `x > 3` beside `x < 2`, nor for a code with values it does not have. Reads the tree of steps, and
knows nobody's values: what is kept between calls depends on which facts are unknown, and on the rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import pairwise
from math import floor
from typing import Any

from engine.condition import All, Any_, AtLeast, Compare, Condition, Exists, Known, Not, Outcome, walk
from engine.evaluate import Case, Step, evaluate
from engine.feature import Feature, Type
from engine.screening import Value

MOST_WAYS = 128
"""Ways kept of one part of a rule. A wider part keeps those with the fewest facts, and every fact may matter."""

Facts = frozenset[str]
Left = bool | Condition
Unknown = str | Condition       # a fact by name; a block of late records or a rule that nobody judges by itself


@dataclass(frozen=True)
class Fact:
    """An unknown fact that a rule reads: what may be answered, and whether there is anybody to answer."""

    name: str
    type: Type
    values: tuple[str, ...]
    askable: bool


@dataclass(frozen=True)
class Settling:
    """The sets of answers that could change whether a rule holds, smallest first, and every fact that could matter.

    Only facts that somebody can be asked for. Of a rule that cannot tell, `facts` also has those of sets that need
    something else besides, or that settle it as not holding; both are empty where nothing could make it hold.
    """

    sets: tuple[Facts, ...]
    facts: Facts


def find_settling(step: Step, steps: Mapping[str, Step], features: Mapping[str, Feature]) -> Settling:
    """What could change a rule that cannot tell or holds; `steps` has the trees of the rules it follows from."""
    left = _reduce(step, steps)
    if isinstance(left, bool):
        return Settling((), frozenset())
    names = sorted({node.name for node in walk(left) if isinstance(node, Compare | Known)})
    facts = tuple(Fact(f.name, f.type, f.values, bool(f.ask) and f.ask_of is not None)
                  for f in (features[name] for name in names))
    return _find_ending(left, facts) if step.state else _find_settling(left, facts)


# --- what is left to settle of a rule -----------------------------------------------------------


def _reduce(step: Step, steps: Mapping[str, Step]) -> Left:
    """The condition without what is settled, and with other rules written out: only unknown clauses stay in it."""
    match step.condition:
        case Known():
            return step.condition if step.state is False else True      # once answered, it would be known
        case Outcome(rule) if rule in steps:
            return _reduce(steps[rule], steps)                          # a pack has no circles (see `pack`)
        case Not():
            part = _reduce(step.steps[0], steps)
            return not part if isinstance(part, bool) else Not(part)
        case All() | Any_():
            return _reduce_parts(step.condition, [_reduce(part, steps) for part in step.steps])
        case AtLeast():
            return _reduce_points(step.condition, [_reduce(part, steps) for part in step.steps])
        case _:
            return step.condition if step.state is None else step.state


def _reduce_parts(condition: All | Any_, parts: Sequence[Left]) -> Left:
    decides = isinstance(condition, Any_)       # one part that came out so decides the whole
    if any(part is decides for part in parts):
        return decides
    left = tuple(part for part in parts if not isinstance(part, bool))
    if len(left) < 2:
        return left[0] if left else not decides
    return type(condition)(left)


def _reduce_points(condition: AtLeast, parts: Sequence[Left]) -> Left:
    weighed = [(points, part) for (points, _), part in zip(condition.parts, parts, strict=True)]
    missing = condition.points - sum(points for points, part in weighed if part is True)
    left = tuple((points, part) for points, part in weighed if not isinstance(part, bool))
    if missing <= 0 or missing > sum(points for points, _ in left):
        return missing <= 0
    return AtLeast(missing, left)


# --- the sets that change it --------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _find_settling(left: Condition, facts: tuple[Fact, ...]) -> Settling:
    """Of a rule that cannot tell: the sets that make it hold, and what could matter to that."""
    board = _Board(left, facts, sure=True)
    holding, failing = board.find_sets(left, True), board.find_sets(left, False)
    matter = frozenset[Unknown]().union(*holding, *failing) if holding else frozenset()
    return _sum_up(holding, matter, facts, board.cut)


@lru_cache(maxsize=4096)
def _find_ending(left: Condition, facts: tuple[Fact, ...]) -> Settling:
    """Of a rule that holds: the sets after which it may hold no longer; all else leaves it holding."""
    board = _Board(left, facts, sure=False)
    ending = [keys for keys in board.find_sets(left, False) if keys <= _askable(facts)]
    return _sum_up(ending, frozenset().union(*ending), facts, board.cut)


def _sum_up(
    changing: Iterable[frozenset[Unknown]], matter: frozenset[Unknown], facts: Sequence[Fact], cut: bool
) -> Settling:
    askable = _askable(facts)
    sets = [frozenset(map(str, keys)) for keys in changing if keys <= askable]
    return Settling(tuple(sorted(sets, key=lambda names: (len(names), sorted(names)))),
                    askable if cut else askable & matter)


def _askable(facts: Iterable[Fact]) -> Facts:
    return frozenset(fact.name for fact in facts if fact.askable)


class _Board:
    """Every unknown as a row of squares: one for "not asked", then one for each value that makes a difference.

    A way to settle a part of the rule is a whole number: a bit for each square it closes. Two ways together close
    what either closes, and are impossible when that closes a row. So no fact meets two clauses by two values.

    A `sure` board finds how a part comes out as wanted for certain; any other, how it no longer comes out the
    opposite for certain, which an unknown part does not.
    """

    def __init__(self, left: Condition, facts: Sequence[Fact], sure: bool) -> None:
        self.cut = False                    # whether a part was too wide to keep all its ways
        self._sure = sure
        self._rows: list[int] = []
        self._unasked: dict[Unknown, int] = {}
        self._closed: dict[tuple[Condition, bool], int] = {}
        leaves = dict.fromkeys(node for node in walk(left) if not isinstance(node, All | Any_ | Not | AtLeast))
        for fact in facts:
            clauses = [leaf for leaf in leaves if isinstance(leaf, Compare | Known) and leaf.name == fact.name]
            values = _values_of(fact, [clause for clause in clauses if isinstance(clause, Compare)])
            self._add(fact.name, [(clause, [_meets(clause, value) for value in values]) for clause in clauses])
        for leaf in leaves:
            if isinstance(leaf, Exists | Outcome):
                self._add(leaf, [(leaf, [True, False])])

    def _add(self, key: Unknown, clauses: Sequence[tuple[Condition, Sequence[bool]]]) -> None:
        unasked = 1 << sum(self._rows).bit_length()
        values = [unasked << n for n in range(1, len(clauses[0][1]) + 1)]
        row = unasked + sum(values)
        self._rows.append(row)
        self._unasked[key] = unasked
        for clause, met in clauses:
            holds = sum(square for square, meets in zip(values, met, strict=True) if meets)
            fails = unasked if isinstance(clause, Known) else row - unasked - holds
            self._closed[clause, True] = row - holds if self._sure else fails
            self._closed[clause, False] = row - fails if self._sure else holds

    def find_sets(self, part: Condition, wanted: bool) -> list[frozenset[Unknown]]:
        """The sets of unknowns after which a part could come out as `wanted`, without any to spare."""
        sets = {frozenset(key for key, square in self._unasked.items() if way & square)
                for way in self._find_ways(part, wanted)}
        return [one for one in sets if not any(other < one for other in sets)]

    def _find_ways(self, part: Condition, wanted: bool) -> list[int]:
        match part:
            case Not(inner):
                return self._find_ways(inner, not wanted)
            case All(parts) | Any_(parts):
                each = [self._find_ways(inner, wanted) for inner in parts]
                every = isinstance(part, All) == wanted
                return self._join(each) if every else self._keep(way for ways in each for way in ways)
            case AtLeast():
                return self._find_points(part, wanted)
            case _:
                return self._keep([self._closed[part, wanted]])

    def _join(self, each: Iterable[Sequence[int]]) -> list[int]:
        joined = [0]
        for ways in each:
            joined = self._keep(one | other for one in joined for other in ways)
        return joined

    def _find_points(self, part: AtLeast, wanted: bool) -> list[int]:
        needed = part.points if wanted else sum(points for points, _ in part.parts) - part.points + 1
        carried = {0: [0]}                  # points carried, at most `needed` -> the ways to carry them
        for points, inner in part.parts:
            ways = self._find_ways(inner, wanted)
            for so_far, before in sorted(carried.items(), reverse=True):
                reached = min(needed, so_far + points)
                carried[reached] = self._keep([*carried.get(reached, ()), *self._join([before, ways])])
        return carried.get(needed, [])

    def _keep(self, ways: Iterable[int]) -> list[int]:
        """Those that are possible and close no more than another does, with the fewest facts first."""
        kept: list[int] = []
        for way in sorted(set(ways), key=self._order):
            if any(way & row == row for row in self._rows) or any(way & other == other for other in kept):
                continue
            if len(kept) == MOST_WAYS:
                self.cut = True
                break
            kept.append(way)
        return kept

    def _order(self, way: int) -> tuple[int, int, int]:
        return sum(1 for square in self._unasked.values() if way & square), way.bit_count(), way


def _meets(clause: Compare | Known, value: Value) -> bool:
    return evaluate(clause, Case({clause.name: value})).state is True


def _values_of(fact: Fact, clauses: Sequence[Compare]) -> tuple[Value, ...]:
    """A value for each way the clauses on a fact come out together: every threshold, and what is beside and between."""
    said = [clause.value if isinstance(clause.value, tuple) else (clause.value,) for clause in clauses]
    thresholds: list[Any] = sorted({value for values in said for value in values})
    match fact.type:
        case "boolean":
            return (True, False)
        case "code":
            return fact.values or (*thresholds, "".join(thresholds) + "*")      # none declared: also any other word
        case "integer":
            return _around([floor(value) for value in thresholds or [0]], int)
        case "date":
            first, last = date.min.toordinal(), date.max.toordinal()
            days = [day.toordinal() for day in thresholds or [date(2000, 1, 1)]]
            return _around(days, lambda day: date.fromordinal(min(max(day, first), last)))
    thresholds = thresholds or [0]
    between = [(low + high) / 2 for low, high in pairwise(thresholds)]
    return tuple(dict.fromkeys([thresholds[0] - 1, *thresholds, *between, thresholds[-1] + 1]))


def _around(numbers: Sequence[int], read: Callable[[int], Value]) -> tuple[Value, ...]:
    return tuple(dict.fromkeys(read(number + beside) for number in numbers for beside in (-1, 0, 1)))
