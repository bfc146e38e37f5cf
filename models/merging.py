"""Fine bins of the chosen factors -> as few as say the same: neighbours whose points hardly differ are joined.

Neighbours are those beside each other on a scale, or named categories beside each other by risk. Joined first are
those whose difference the rows support least, until the budget is kept and every line that is left earns its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from models.bins import Bins
from models.regression import Fit, Shape, fit, shape
from models.rows import Floats, Rows

WORTH = 0.1             # nats: two bins that differ by less say the same. Not Akaike's 1.0: the penalty has drawn
                        # neighbours together already, and joining what chance made alike moved people at every refit
HASTE = 0.25            # the share of surplus cells joined before fitting again


@dataclass(frozen=True)
class Draft:
    """A card before it has points: its factors' bins, whether each must rise or fall, and the rows in those bins."""

    bins: tuple[Bins, ...]
    monotone: tuple[int, ...]
    rows: Rows

    def shapes(self) -> list[Shape]:
        """The shape of each factor."""
        return [shape(*each) for each in zip(self.bins, self.shares(), self.monotone, strict=True)]

    def shares(self) -> list[Floats]:
        """The share of rows in each bin of each factor."""
        total = float(self.rows.weight.sum())
        return [np.bincount(codes, weights=self.rows.weight, minlength=bins.size) / total
                for bins, codes in zip(self.bins, self.rows.codes, strict=True)]

    def cells(self) -> int:
        """The lines of the points table that some row falls in, but for one of each factor."""
        return sum(int(np.count_nonzero(share)) - 1 for share in self.shares())

    def join(self, factor: int, one: int, other: int) -> Draft:
        """The draft with two bins of one factor made one."""
        bins, places = self.bins[factor].join(one, other)
        return Draft((*self.bins[:factor], bins, *self.bins[factor + 1:]), self.monotone,
                     self.rows.recode(factor, places))

    def keep(self, factors: Sequence[int]) -> Draft:
        """The draft with some of its factors."""
        return Draft(tuple(self.bins[at] for at in factors), tuple(self.monotone[at] for at in factors),
                     self.rows.choose(factors))


def merge_bins(draft: Draft, most_cells: int) -> Draft:
    """The draft with at most `most_cells` cells where joining can reach that, and no factor that says nothing."""
    while True:
        found = fit(draft.rows, draft.shapes())
        offers = sorted(_offers(draft, found))
        surplus = draft.cells() - most_cells
        idle = sum(cost < WORTH for cost, *_ in offers)
        if not offers or (surplus <= 0 and idle == 0):
            return _keep_telling(draft)
        draft = _join_some(draft, offers[:1 + int(HASTE * max(surplus, idle))])


def join_equal(draft: Draft, points: Sequence[Sequence[int]]) -> tuple[Draft, tuple[tuple[int, ...], ...]]:
    """The draft and its points with neighbours of equal points made one line, and no factor that gives none."""
    given = [list(each) for each in points]
    for factor in range(len(given)):
        while pair := _find_equal(draft.bins[factor], given[factor]):
            draft = draft.join(factor, *pair)
            del given[factor][max(pair)]
    kept = [at for at, each in enumerate(given) if any(each)]
    return draft.keep(kept), tuple(tuple(given[at]) for at in kept)


def _find_equal(bins: Bins, points: Sequence[int]) -> tuple[int, int] | None:
    """Two bins that can be joined and have the same points: neighbours on a scale, or any named categories."""
    if bins.kind == "boolean":
        return None
    reach = bins.joinable if bins.kind == "category" else 2
    return next(((one, other) for one in range(bins.joinable) for other in range(one + 1, bins.joinable)
                 if other - one < reach and points[one] == points[other]), None)


def _join_some(draft: Draft, offers: Sequence[tuple[float, int, int, int]]) -> Draft:
    """The joins offered, at most one of each factor, so that none changes what another meant."""
    touched: set[int] = set()
    for _, factor, one, other in offers:
        if factor not in touched:
            touched.add(factor)
            draft = draft.join(factor, one, other)
    return draft


def _offers(draft: Draft, found: Fit) -> list[tuple[float, int, int, int]]:
    """Every pair of neighbours: what joining them would cost in nats, and who they are."""
    curve = found.curve + 1e-6 * np.eye(len(found.curve))       # levels alone are known only up to a constant
    spread = np.linalg.inv(curve)
    offers, start = [], 1
    for factor, (bins, levels) in enumerate(zip(draft.bins, found.levels, strict=True)):
        line = np.arange(bins.joinable)
        if bins.kind == "category":
            line = np.argsort(levels[:bins.joinable], kind="stable")
        if bins.kind != "boolean":
            for one, other in pairwise(line):
                a, b = start + one, start + other
                doubt = spread[a, a] + spread[b, b] - 2 * spread[a, b]
                offers.append((float((levels[one] - levels[other])**2 / (2 * doubt)), factor, int(one), int(other)))
        start += bins.size
    return offers


def _keep_telling(draft: Draft) -> Draft:
    """The draft without factors in which every row falls in one bin."""
    shares = draft.shares()
    return draft.keep([at for at, share in enumerate(shares) if np.count_nonzero(share) > 1])
