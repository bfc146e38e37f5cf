"""A draft -> whole points for every bin: fitted, scaled and rounded so that as little as possible is lost.

The factor that matters most spans all points there are, from the lowest to the highest: with half as many the same
people tie or part by chance at every refit. The commonest known bin of a factor has 0 points where that leaves room
for the others, and else as near to 0 as they allow. Fitted levels are rounded and then improved one point, or one step
of a scale, at a time against the curvature of the loss. What is declared holds for every bin, also for those no row
fell in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from models.bins import Bins
from models.merging import Draft
from models.regression import Fit, fit
from models.rows import Floats, Rows


@dataclass(frozen=True)
class Rules:
    """What points must keep to: at most `most` either way, scales, and factors where not known is never rewarded."""

    most: int
    monotone: tuple[int, ...]
    never_rewarded: tuple[bool, ...]


@dataclass(frozen=True)
class Points:
    """Whole points for each bin of each factor, and the scale they were rounded at: points for one of log odds."""

    points: tuple[tuple[int, ...], ...]
    scale: float

    def total(self, rows: Rows) -> Floats:
        """The score of every row."""
        return np.sum([np.array(each, dtype=float)[codes]
                       for each, codes in zip(self.points, rows.codes, strict=True)], axis=0) \
            if self.points else np.zeros(rows.codes.shape[1])


def give_points(draft: Draft, rows: Rows, rules: Rules, scale: float | None = None) -> Points:
    """The points of every bin, fitted on `rows`; at a given scale, or at the finest that cuts nothing off."""
    if not draft.bins:
        return Points((), 1.0)
    found = fit(rows, draft.shapes())
    search = Search(draft.bins, draft.shares(), found, rules)
    widest = max(float(np.ptp(each)) for each in search.levels)
    if widest == 0.0:
        return Points(tuple((0,) * bins.size for bins in draft.bins), 1.0)
    scale = scale or 2 * rules.most / widest
    return Points(search.round(scale), scale)


# --- rounding -----------------------------------------------------------------------------------


class Search:
    """The whole numbers near fitted levels: knows the loss to second order and what is allowed."""

    def __init__(self, bins: Sequence[Bins], shares: Sequence[Floats], found: Fit, rules: Rules) -> None:
        self.bins, self.shares, self.rules = bins, shares, rules
        self.bases = [int(np.argmax(share[:-1])) for share in shares]
        self.levels = [level - level[base] for level, base in zip(found.levels, self.bases, strict=True)]
        self.edges = np.cumsum([0, *(each.size for each in bins)])
        inner, cross = found.curve[1:, 1:], found.curve[0, 1:]
        self.curve = inner - np.outer(cross, cross) / found.curve[0, 0]     # the intercept always follows
        self.slope = found.slope[1:] - cross * found.slope[0] / found.curve[0, 0]
        self.moves = self._moves()
        self.bending = np.einsum("ij,jk,ik->i", self.moves, self.curve, self.moves)

    def round(self, scale: float) -> tuple[tuple[int, ...], ...]:
        """Points at one scale: rounded, made to keep the rules, then improved until no move helps."""
        aim = np.concatenate([self._place(each * scale) for each in self.levels])
        points = np.concatenate([self._settle(at, np.rint(part)) for at, part in enumerate(self._split(aim))])
        for _ in range(10 * len(points)):
            slope = self.slope / scale + self.curve @ (points - aim) / scale**2
            gains = self.moves @ slope + 0.5 * self.bending / scale**2
            better = next((move for move in np.argsort(gains, kind="stable") if gains[move] < -1e-9
                           and self._allowed(points + self.moves[move])), None) if gains.min() < -1e-9 else None
            if better is None:
                break
            points = points + self.moves[better]
        parts = [self._raise_unknown(at, part) for at, part in enumerate(self._split(points))]
        return tuple(tuple(int(each) for each in part) for part in parts)

    def _place(self, aim: Floats) -> Floats:
        """Levels in points, moved as one, and no further than needed, to lie within the limits."""
        most, low, high = self.rules.most, np.rint(aim.min()), np.rint(aim.max())
        if high - low > 2 * most:               # only at a scale that was given
            return np.asarray(aim - np.rint((high + low) / 2))
        return np.asarray(aim - max(high - most, 0) - min(low + most, 0))

    def _split(self, whole: Floats) -> list[Floats]:
        return [whole[here:end] for here, end in pairwise(self.edges)]

    def _moves(self) -> Floats:
        """One point more or less for a bin, or for all bins above or below a step of a scale; never for the base."""
        moves = []
        for start, bins, base in zip(self.edges, self.bins, self.bases, strict=False):
            single = [[at] for at in range(bins.size) if at != base]
            above = [list(range(at, bins.ordered)) for at in range(base + 1, bins.ordered - 1)]
            below = [list(range(at + 1)) for at in range(1, min(base, bins.ordered))]
            for cells in (*single, *above, *below):
                move = np.zeros(self.edges[-1])
                move[[start + cell for cell in cells]] = 1
                moves += [move, -move]
        return np.array(moves)

    def _settle(self, at: int, part: Floats) -> Floats:
        """Rounded points within the limits and in their declared order."""
        part = np.clip(part, -self.rules.most, self.rules.most)
        if sign := self.rules.monotone[at]:
            scale = part[:self.bins[at].ordered]
            scale[:] = sign * np.maximum.accumulate(sign * scale)
            part[-1] = max(part[-1], scale.min())
        return part

    def _allowed(self, points: Floats) -> bool:
        if np.abs(points).max() > self.rules.most:
            return False
        for bins, sign, part in zip(self.bins, self.rules.monotone, self._split(points), strict=True):
            scale = part[:bins.ordered]
            if sign and (np.any(sign * np.diff(scale) < 0) or part[-1] < scale.min()):
                return False
        return True

    def _raise_unknown(self, at: int, part: Floats) -> Floats:
        """Where not known is never rewarded, it has at least the average points of the known."""
        if self.rules.never_rewarded[at]:
            known = self.shares[at][:-1]
            average = float(part[:-1] @ known / known.sum()) if known.sum() > 0 else 0.0
            part[-1] = max(part[-1], np.ceil(round(average, 9)))
        return part
