"""Coded rows -> distinct rows with weights, in an order of their own, and each one's share in every fold.

Rows that fall in the same bins with the same outcome are one row with their weights added. So neither the order of the
rows nor whether a row is repeated or weighs double can change a card, and what is fitted on is smaller.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
FOLDS = 5
MANY = 0.01     # of all rows


@dataclass(frozen=True)
class Rows:
    """Distinct rows: codes (factor x row), outcome 0 or 1, weight, and weight in each fold (fold x row)."""

    codes: Codes
    outcome: Floats
    weight: Floats
    folds: Floats

    def choose(self, factors: Sequence[int]) -> Rows:
        """The same rows with some of the factors."""
        return replace(self, codes=self.codes[list(factors)])

    def recode(self, factor: int, places: Codes) -> Rows:
        """The same rows with one factor's bins renumbered."""
        codes = self.codes.copy()
        codes[factor] = places[codes[factor]]
        return replace(self, codes=codes)

    def without(self, fold: int) -> Rows:
        """The rows outside one fold."""
        return replace(self, weight=self.weight - self.folds[fold])


def gather(codes: NDArray[np.uint8], outcome: Floats, weight: Floats, random: np.random.RandomState) -> Rows:
    """The distinct rows of codes (row x factor). `random` decides which share a fold, by content and not by place."""
    patterns = np.ascontiguousarray(np.column_stack([codes, outcome.astype(np.uint8)]))
    _, first, inverse = np.unique(patterns.view(f"V{patterns.shape[1]}").ravel(), return_index=True,
                                  return_inverse=True)
    order = np.lexsort((weight, inverse))       # weights are added in one order, whatever the order of the rows
    total = np.bincount(inverse[order], weights=weight[order]).astype(float)
    distinct = patterns[first]
    happened = distinct[:, -1].astype(float)
    folds = _deal(distinct[:, :-1], happened, total, random)
    return Rows(np.ascontiguousarray(distinct[:, :-1].T).astype(np.intp), happened, total, folds)


def _deal(codes: NDArray[np.uint8], outcome: Floats, weight: Floats, random: np.random.RandomState) -> Floats:
    """Each row's weight in every fold. Rows with the same codes are held out together, so that a row given twice does
    not vouch for itself; only codes shared by many rows are dealt one row at a time, by chance."""
    folds = max(2, min(FOLDS, int(min(weight[outcome == 1].sum(), weight[outcome == 0].sum()))))
    starts = np.append(True, np.any(codes[1:] != codes[:-1], axis=1))     # the rows are sorted by their codes
    alike = np.cumsum(starts) - 1
    total, events = (np.bincount(alike, weights=each) for each in (weight, weight * outcome))
    turn = np.empty(len(total), dtype=np.intp)
    turn[np.lexsort((random.permutation(len(total)), events > 0))] = np.arange(len(total)) % folds
    dealt = np.where(turn[alike] == np.arange(folds)[:, None], weight, 0.0)
    many = total[alike] > MANY * weight.sum()
    for row in np.flatnonzero(many):
        by_chance = random.multinomial(max(int(weight[row]), 1), np.full(folds, 1 / folds))
        dealt[:, row] = weight[row] * by_chance / by_chance.sum()
    return dealt
