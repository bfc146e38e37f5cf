"""Columns -> bins: which values count alike, and how each bin is written as a condition.

Numbers are cut between values so that each bin holds a fair share of rows; special values stand in bins of their own;
the commonest categories are named and all others, seen or not, share one bin; what is not known is always the last.
A bin is where `code` puts a value and also what `conditions` writes: tests hold the two equal.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR, Decimal
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.inputs import Column, Kind, Word

MOST_BINS = 20          # of one column before merging; with fewer rows fewer, so that as the rows grow
FEWEST_BINS = 8         # both the number of bins and the rows in each do:
BINS_PER_ROOT = 0.6     # so many for one of the rows' cube root. With 1.0 a refit cut elsewhere, and lists changed more
LEAST_SHARE = 0.005     # a bin of fewer rows than one in 200 learns noise
LEAST_ROWS = 5
LARGEST = 2.0**53       # conditions hold no larger number, because not every engine keeps it exactly

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*$")


@dataclass(frozen=True)
class Bins:
    """How one factor's values fall into bins, by number: ordered ones (or named ones), special ones, unknown last.

    number    below cuts[0], [cuts[0], cuts[1]), ..., then one bin for each of `specials`
    boolean   false, true
    category  one for each of `named`, then every other word

    `range` is the least and the greatest number met, special values aside.
    """

    name: str
    fact: str
    kind: Kind
    cuts: tuple[float, ...] = ()
    specials: tuple[float, ...] = ()
    named: tuple[tuple[Word, ...], ...] = ()
    range: tuple[float, float] | None = None

    @property
    def ordered(self) -> int:
        """How many of the first bins lie on a scale."""
        return {"number": len(self.cuts) + 1, "boolean": 2, "category": 0}[self.kind]

    @property
    def size(self) -> int:
        """How many bins there are, the unknown one included."""
        return (len(self.named) + 1 if self.kind == "category" else self.ordered + len(self.specials)) + 1

    @property
    def joinable(self) -> int:
        """How many of the first bins may be joined: those on the scale, or those that are named."""
        return len(self.named) if self.kind == "category" else self.ordered

    def code(self, column: Column) -> NDArray[np.uint8]:
        """The number of the bin each value falls in."""
        if self.kind == "category":
            place = {word: at for at, words in enumerate(self.named) for word in words}
            codes = np.array([place.get(word, len(self.named)) for word in column.values], dtype=np.uint8)
        elif self.kind == "boolean":
            codes = (column.values == 1).astype(np.uint8)
        else:
            codes = np.searchsorted(np.array(self.cuts), column.values, side="right").astype(np.uint8)
            for at, special in enumerate(self.specials):
                codes[column.values == special] = self.ordered + at
        codes[~column.known] = self.size - 1
        return codes

    def join(self, one: int, other: int) -> tuple[Bins, NDArray[np.intp]]:
        """The bins with two of them made one, and for each old bin the number of its new one."""
        one, other = sorted((one, other))
        places = np.arange(self.size)
        places[other] = one
        places[other + 1:] -= 1
        if self.kind == "category":
            words = tuple(sorted(self.named[one] + self.named[other], key=repr))
            named = (*self.named[:one], words, *self.named[one + 1:other], *self.named[other + 1:])
            return replace(self, named=named), places
        return replace(self, cuts=self.cuts[:one] + self.cuts[one + 1:]), places

    def conditions(self) -> list[Any]:
        """Each bin as a condition in YAML; for any value exactly one of them is true."""
        missing = f"{self.fact} is missing"
        if self.kind == "boolean":
            return [f"{self.fact} is false", f"{self.fact} is true", missing]
        if self.kind == "category":
            named = [_among(self.fact, words) for words in self.named]
            return [*named, {"not": {"any": [*named, missing]}}, missing]
        return [*self._ranges(), *(f"{self.fact} == {write_number(each)}" for each in self.specials), missing]

    def _ranges(self) -> list[Any]:
        edges = [None, *self.cuts, None]
        ranges = []
        for low, high in pairwise(edges):
            clauses = [f"{self.fact} >= {write_number(low)}"] if low is not None else []
            clauses += [f"{self.fact} < {write_number(high)}"] if high is not None else []
            inside = [each for each in self.specials
                      if (low is None or each >= low) and (high is None or each < high)]
            if inside:
                clauses.append(f"{self.fact} not in [{', '.join(write_number(each) for each in inside)}]")
            ranges.append({"all": clauses} if len(clauses) > 1 else (clauses or [f"{self.fact} is known"])[0])
        return ranges


def cut(
    column: Column, fact: str, weight: NDArray[np.float64], specials: Sequence[float] = ()
) -> Bins:
    """The first, fine bins of a column; rows weigh `weight`."""
    total = float(weight.sum())
    least = max(LEAST_SHARE * total, LEAST_ROWS)
    most = int(np.clip(BINS_PER_ROOT * np.cbrt(total), FEWEST_BINS, MOST_BINS))
    if column.kind == "category":
        return Bins(column.name, fact, "category", named=_name(column, weight, least, most))
    if column.kind == "boolean":
        return Bins(column.name, fact, "boolean")
    on_scale = column.known & ~np.isin(column.values, specials)
    met = column.values[on_scale]
    ends = (float(met.min()), float(met.max())) if len(met) else None
    return Bins(column.name, fact, "number", _cut_numbers(met, weight[on_scale], least, most), tuple(sorted(specials)),
                range=ends)


def writable(word: Word) -> bool:
    """Whether a condition can say this word at all: one line, and not both kinds of quotation mark."""
    return not isinstance(word, str) or (word.isprintable() and not ("'" in word and '"' in word))


def write_number(number: float) -> str:
    """A number as conditions write it: no exponent, no needless .0."""
    return format(Decimal(repr(int(number) if float(number).is_integer() else float(number))), "f")


# --- numbers ------------------------------------------------------------------------------------


def _cut_numbers(
    values: NDArray[np.float64], weight: NDArray[np.float64], least: float, most: int
) -> tuple[float, ...]:
    """Cuts that give each bin its share of what is left; a value common enough gets a bin to itself."""
    if len(values) == 0:
        return ()
    order = np.lexsort((weight, values))        # by weight too, so that sums do not depend on the order of rows
    distinct, first = np.unique(values[order], return_index=True)
    each = np.add.reduceat(weight[order], first)
    until = np.cumsum(each)
    cuts: list[float] = []
    start, before, left = 0, 0.0, most
    while left > 1 and until[-1] - before >= 2 * least:
        fair = max((until[-1] - before) / left, least)
        last = int(np.searchsorted(until, before + fair))
        if last > start and each[last] >= fair and until[last - 1] - before >= least:
            last -= 1                           # the next value is common: it does not share
        if last + 1 >= len(distinct) or until[-1] - until[last] < least:
            break
        cuts.append(_simplest(float(distinct[last]), float(distinct[last + 1])))
        start, before, left = last + 1, float(until[last]), left - 1
    return tuple(edge for edge in cuts if abs(edge) <= LARGEST)


def _simplest(low: float, high: float) -> float:
    """The number with fewest digits that is above `low` and not above `high`."""
    exact = Decimal(high)
    for places in range(exact.adjusted(), exact.adjusted() - 18, -1):
        tried = float(exact.quantize(Decimal(1).scaleb(places), ROUND_FLOOR)) if exact else 0.0
        if low < tried <= high:
            return tried
    return high


# --- words --------------------------------------------------------------------------------------


def _name(
    column: Column, weight: NDArray[np.float64], least: float, most: int
) -> tuple[tuple[Word, ...], ...]:
    """The categories common enough for a bin each, in alphabetical order."""
    words, places = np.unique(np.array([repr(word) for word in column.values[column.known]]), return_inverse=True)
    if len(words) == 0:
        return ()
    known = {repr(word): word for word in column.values[column.known]}
    order = np.lexsort((weight[column.known], places))
    shares = np.bincount(places[order], weights=weight[column.known][order])
    common = [at for at in np.lexsort((words, -shares)) if shares[at] >= least and writable(known[words[at]])]
    return tuple((known[words[at]],) for at in sorted(common[:most]))


def _among(fact: str, words: Sequence[Word]) -> Any:
    """A clause that is true for these words."""
    if all("," not in str(word) for word in words):
        return f"{fact} in [{', '.join(_write(word) for word in words)}]"
    clauses = [f"{fact} == {_write(word)}" for word in words]
    return {"any": clauses} if len(clauses) > 1 else clauses[0]


def _write(word: Word) -> str:
    if not isinstance(word, str):
        return write_number(word)
    if _WORD.match(word):
        return word
    return f'"{word}"' if "'" in word else f"'{word}'"
