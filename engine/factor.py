"""One factor of a card: its bins, and the proof that every value falls in exactly one of them.

Clauses compare one fact with written-down values, so nothing can change between two neighbouring ones. Trying every
value that is written down, one between each two, one beyond each end and the missing value therefore tries them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from engine.condition import All, Any_, Compare, Condition, Known, Not, names_in, walk
from engine.errors import Problem
from engine.evaluate import Case, evaluate

SHARES_OFF = 0.01
"""How far the shares of a factor may be from one: each is rounded to four digits, and there are a dozen or two."""


@dataclass(frozen=True)
class Bin:
    """One line of a factor: when it counts, its points, and the share of the cases learned from that fell in it."""

    when: Condition
    points: int
    share: float


@dataclass(frozen=True)
class Factor:
    """One fact a card asks, with its bins, the missing one last; `range`: the least and most value it was fitted on."""

    fact: str
    bins: tuple[Bin, ...]
    range: tuple[float, float] | None
    where: str

    @property
    def least(self) -> int:
        """The fewest points it gives."""
        return min(each.points for each in self.bins)

    @property
    def most(self) -> int:
        """The most points it gives."""
        return max(each.points for each in self.bins)

    @property
    def spread(self) -> int:
        """How much it can move a total."""
        return self.most - self.least

    @property
    def typical(self) -> float:
        """The points of the average case."""
        return sum(each.points * each.share for each in self.bins) / sum(each.share for each in self.bins)


def check_factor(factor: Factor) -> list[Problem]:
    """What is wrong with the bins of a factor: odd questions, gaps, overlaps, no place for what is not known."""
    problems = _check_questions(factor)
    values = _probe(factor) if not problems else None
    if values is None:
        return problems or [Problem(factor.where, f"`{factor.fact}` is compared with values of several kinds",
                                    "numbers, words, dates or true and false, and only one of these")]
    problems += _check_places(factor, values)
    if factor.range and factor.range[0] > factor.range[1]:
        problems.append(Problem(factor.where, f"range {list(factor.range)}", "[least, most]"))
    total = sum(each.share for each in factor.bins)
    if abs(total - 1) > SHARES_OFF:
        problems.append(Problem(factor.where, f"the shares of `{factor.fact}` add up to {total:.4f}", "1",
                                "the share of each bin among the cases the card was learned from"))
    return problems


# --- inside -------------------------------------------------------------------------------------


def _check_questions(factor: Factor) -> list[Problem]:
    """Bins ask their own fact, in clauses; words have no order."""
    nodes = [node for each in factor.bins for node in walk(each.when)]
    odd = {type(node).__name__ for node in nodes if not isinstance(node, Compare | Known | All | Any_ | Not)}
    others = {name for each in factor.bins for name in names_in(each.when)} - {factor.fact}
    found = []
    if odd:
        found.append(Problem(factor.where, f"a bin of `{factor.fact}` holds {', '.join(sorted(odd))}",
                             "clauses under all, any and not", "a card reads facts, never what a rule made of them"))
    if others:
        found.append(Problem(factor.where, f"a bin of `{factor.fact}` reads {', '.join(sorted(others))}",
                             f"clauses on {factor.fact} alone"))
    if any(isinstance(n, Compare) and isinstance(n.value, str) and n.operator in (">", ">=", "<", "<=") for n in nodes):
        found.append(Problem(factor.where, f"`{factor.fact}` is compared with a word by size", "==, != or in"))
    return found


def _probe(factor: Factor) -> list[Any] | None:
    """Known values that stand for all there are; None where values of several kinds are mixed."""
    written: list[Any] = [value for each in factor.bins for node in walk(each.when) if isinstance(node, Compare)
                          for value in (node.value if isinstance(node.value, tuple) else (node.value,))]
    kinds = {_kind(value) for value in written}
    if len(kinds) > 1:
        return None
    match next(iter(kinds), "none"):
        case "boolean":
            return [True, False]
        case "word":
            return [*sorted(set(written)), "".join(sorted(set(written))) + "?"]      # a word none of them is
        case "date":
            return _around(sorted(set(written)), timedelta(days=1), lambda a, b: a + (b - a) // 2)
        case "number":
            return _around(sorted(set(written)), 1, lambda a, b: a + (b - a) / 2)
    return [0]


def _kind(value: object) -> str:
    return {bool: "boolean", str: "word", date: "date"}.get(type(value), "number")


def _around(points: Sequence[Any], step: Any, middle: Any) -> list[Any]:
    between = [middle(low, high) for low, high in pairwise(points)]
    return sorted({*points, *between, points[0] - step, points[-1] + step})


def _check_places(factor: Factor, values: Sequence[Any]) -> list[Problem]:
    places = {value: _places(factor, value) for value in values}
    found = []
    gaps = [value for value, at in places.items() if not at]
    if gaps:
        found.append(Problem(factor.where, f"no bin of `{factor.fact}` holds {_list(gaps)}", "one bin for every value",
                             "write neighbouring bins as `< 3` and `>= 3`; words need a bin for all others"))
    twice = [value for value, at in places.items() if len(at) > 1]
    if twice:
        found.append(Problem(factor.where, f"more than one bin of `{factor.fact}` holds {_list(twice)}",
                             "one bin for every value", "bins may not overlap"))
    last = len(factor.bins) - 1
    if _places(factor, None) != [last] or any(last in at for at in places.values()):
        found.append(Problem(factor.where, f"the last bin of `{factor.fact}` is not for what is missing",
                             f"`{factor.fact} is missing` as the last bin, and nowhere else",
                             "what is not known has points of its own"))
    return found


def _places(factor: Factor, value: Any) -> list[int]:
    """The numbers of the bins that hold a value."""
    case = Case({factor.fact: value})
    return [n for n, each in enumerate(factor.bins) if evaluate(each.when, case).state is True]


def _list(values: Sequence[Any]) -> str:
    return ", ".join(map(str, values))
