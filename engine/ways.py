"""A condition -> the ways it can come true: each a few facts that must all hold, with nothing left to negate.

An engine that only knows "holds" cannot say "not": absence of a fact is not its opposite. So `not` is pushed down
to the facts, where `not x >= 3` becomes `x < 3`, and what is not known makes neither of the two true. The same is
done for what is false for certain, by asking for the opposite.

    All / Any_      the ways of the parts, combined / side by side
    Outcome         Held("person/other-rule"), or Held("not person/other-rule")
    Exists          Record: one related record meeting the clauses; NoRecord: every one surely fails to
    AtLeast         each smallest set of parts that carries the points; its opposite is the same over opposites
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice, product
from math import isfinite, prod

from engine.condition import All, Any_, AtLeast, Compare, Condition, Exists, Known, Not, Outcome, Value
from engine.errors import Problem, RuleError
from engine.schema import Kind

MOST_WAYS = 12
"""Ways a combination may have before its widest part becomes a fact of its own."""

MOST_SETS = 40
"""Smallest sets of `at_least` parts, and ways of one record, that are written out at all: they fit one ruleset."""

FEW_SETS = 6
"""Smallest sets up to which `at_least` about the subject is written out; more are counted."""

LARGEST = 2**63
"""Whole numbers from here on do not fit what durable-rules computes with."""

LONGEST = 10_000
"""Characters of one text."""

_HALF = re.compile("[\ud800-\udfff]")      # half a character, which no file can hold

Number = int | float


@dataclass(frozen=True)
class Clause:
    """One fact of the subject, or one column of a record: `operator` also `known` or `missing`."""

    name: str
    operator: str
    value: Number | str | None = None
    kind: Kind | None = None


@dataclass(frozen=True)
class Held:
    """Something already found to hold: a rule's outcome, `not` a rule's outcome, or a part with a name."""

    name: str


@dataclass(frozen=True)
class Record:
    """Some record of the block meets every clause."""

    block: Exists
    clauses: tuple[Clause, ...]


@dataclass(frozen=True)
class NoRecord:
    """The block's feed is not late and every one of its records surely fails."""

    block: Exists


Literal_ = Clause | Held | Record | NoRecord
Way = tuple[Literal_, ...]
NamePart = Callable[[Condition, bool], Held]


def find_ways(condition: Condition, wanted: bool, name_part: NamePart) -> tuple[Way, ...]:
    """The ways a condition is surely true (or, with `wanted` False, surely false), each with at most one Record.

    `name_part` gives a name to an inner condition too wide to write out; whoever asks must then find its ways too.
    Raises RuleError for a comparison that has no meaning here.
    """
    return _ways(condition, wanted, name_part)


def find_record_ways(where: Condition, wanted: bool) -> tuple[tuple[Clause, ...], ...]:
    """The same for the condition on one related record, which knows only its own columns."""
    ways = _ways(where, wanted, None)
    return tuple(tuple(clause for clause in way if isinstance(clause, Clause)) for way in ways)


def find_points(condition: AtLeast, wanted: bool) -> int:
    """The points to reach: for the opposite, the points that what is surely false must take away."""
    return condition.points if wanted else sum(p for p, _ in condition.parts) - condition.points + 1


def encode(value: object, kind: Kind) -> Number | str:
    """A value as durable-rules can compare it: truths 0 and 1, dates as day numbers, whole decimals as integers.

    Raises ValueError, without the value, when it is not of its kind or not a number that can be written.
    """
    match kind, value:
        case "boolean", bool():
            return int(value)
        case "date", date() if not isinstance(value, datetime):
            return value.toordinal()
        case "text", str() if not _HALF.search(value) and len(value) <= LONGEST:
            return value
        case "number", int() | float() if not isinstance(value, bool):
            if isinstance(value, float) and not isfinite(value):
                raise ValueError("a number that is not finite")
            if not -LARGEST < value < LARGEST:
                raise ValueError("a number too large to compare exactly")
            # 2.0 as 2: two whole numbers are compared exactly, a whole one with a decimal only to 2^53
            return int(value) if value == int(value) else value
        case "text", str():
            raise ValueError("text that cannot be handed over")
    raise ValueError(f"not a {kind}: {type(value).__name__}")


# --- inside -------------------------------------------------------------------------------------


def _ways(condition: Condition, wanted: bool, name_part: NamePart | None) -> tuple[Way, ...]:
    match condition:
        case Compare():
            return _compare(condition, wanted)
        case Known(name):
            return ((Clause(name, "known" if wanted else "missing"),),)
        case Not(part):
            return _ways(part, not wanted, name_part)
        case Outcome(rule):
            return ((Held(rule if wanted else f"not {rule}"),),) if name_part else ()
        case Exists():
            return _exists(condition, wanted) if name_part else ()
        case AtLeast():
            return _at_least(condition, wanted, name_part)
        case All(parts) | Any_(parts):
            if isinstance(condition, All) == wanted:
                return _combine(parts, wanted, name_part)
            return _unique(way for part in parts for way in _ways(part, wanted, name_part))


_OPPOSITE = {">=": "<", ">": "<=", "<=": ">", "<": ">=", "==": "!=", "!=": "==", "in": "not in", "not in": "in"}


def _compare(clause: Compare, wanted: bool) -> tuple[Way, ...]:
    operator = clause.operator if wanted else _OPPOSITE[clause.operator]
    values: Sequence[Value] = clause.value if isinstance(clause.value, tuple) else (clause.value,)
    kinds = {_kind_of(value) for value in values}
    if len(kinds) != 1:
        raise RuleError(Problem(clause.name, "compared with values of different kinds", "values of one kind"))
    kind = kinds.pop()
    if kind == "text" and operator in (">=", ">", "<=", "<"):
        raise RuleError(Problem(clause.name, f"text compared by {clause.operator}", "== != in, not in"))
    try:
        encoded = [encode(value, kind) for value in values]
    except ValueError as error:
        raise RuleError(Problem(clause.name, f"compared with {error}", "a value that can be compared")) from None
    match operator:
        case "in":
            return _unique((Clause(clause.name, "==", value, kind),) for value in encoded)
        case "not in":
            return _unique([tuple(Clause(clause.name, "!=", value, kind) for value in encoded)])
    return ((Clause(clause.name, operator, encoded[0], kind),),)


def _kind_of(value: Value) -> Kind:
    match value:
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "text"
    return "date"


def _exists(block: Exists, wanted: bool) -> tuple[Way, ...]:
    if not wanted:
        return ((NoRecord(block),),)
    return tuple((Record(block, clauses),) for clauses in find_record_ways(block.where, True))


def _at_least(condition: AtLeast, wanted: bool, name_part: NamePart | None) -> tuple[Way, ...]:
    weights = [points for points, _ in condition.parts]
    sets = _smallest_sets(weights, find_points(condition, wanted))
    few = list(islice(sets, MOST_SETS + 1))
    if name_part and len(few) > FEW_SETS:
        return ((name_part(condition, wanted),),)
    if len(few) > MOST_SETS:
        raise RuleError(Problem("at_least", "too many sets of parts carry the points, on one related record",
                                f"at most {MOST_SETS}", "say it of the subject, or with fewer parts"))
    return _unique(way for chosen in few
                   for way in _combine([condition.parts[n][1] for n in chosen], wanted, name_part))


def _smallest_sets(weights: Sequence[int], points: int) -> Iterator[tuple[int, ...]]:
    """The sets of parts that carry the points, none of them with a part it could do without."""
    heaviest = sorted(range(len(weights)), key=lambda n: -weights[n])

    def choose(start: int, missing: int) -> Iterator[tuple[int, ...]]:
        # Heaviest first: the part that reaches the points is the lightest, so none before it can be spared.
        if missing <= 0:
            yield ()
        elif sum(weights[n] for n in heaviest[start:]) >= missing:
            yield from ((heaviest[start], *rest) for rest in choose(start + 1, missing - weights[heaviest[start]]))
            yield from choose(start + 1, missing)

    return choose(0, points)


def _combine(
    parts: Sequence[Condition], wanted: bool, name_part: NamePart | None
) -> tuple[Way, ...]:
    groups = [_ways(part, wanted, name_part) for part in parts]
    if name_part:
        # Two records of one way would multiply, and could not be the same record: only the first stays.
        having = [n for n, ways in enumerate(groups) if any(isinstance(x, Record) for way in ways for x in way)]
        for n in having[1:]:
            groups[n] = ((name_part(parts[n], wanted),),)
        while prod(map(len, groups)) > MOST_WAYS:
            widest = max(range(len(groups)), key=lambda n: len(groups[n]))
            groups[widest] = ((name_part(parts[widest], wanted),),)
    elif prod(map(len, groups)) > MOST_SETS:
        raise RuleError(Problem("exists", "too many ways to meet the condition on one related record",
                                f"at most {MOST_SETS}", "split the block in two with `any`"))
    return _unique(tuple(literal for way in choice for literal in way) for choice in product(*groups))


def _unique(ways: Iterator[Way] | Sequence[Way]) -> tuple[Way, ...]:
    return tuple(dict.fromkeys(tuple(dict.fromkeys(way)) for way in ways))
