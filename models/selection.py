"""Every candidate factor -> the few worth asking for: forward by what held-out rows gain, then pruned.

A candidate's worth is how far its bins, learned on four folds from what the factors so far leave unexplained, explain
the fifth. More are taken than needed and the weakest given up again one at a time, because the best pair may hold
neither of the best singles. Of equals the earlier column stays.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.isotonic import isotonic_regression

from models.bins import Bins
from models.regression import PENALTY, Fit, Shape, chances, fit
from models.rows import Codes, Floats, Rows

SPARE = 1.5             # taken before pruning, for each factor wanted
LEAST_GAIN = 0.5        # nats over all rows: a factor that held-out rows do not miss is not asked for
CAUTION = 1.0           # rows' worth of doubt about each bin of a candidate


def choose_factors(
    rows: Rows, bins: Sequence[Bins], shapes: Sequence[Shape], monotone: Sequence[int],
    groups: Sequence[str | None], most: int,
) -> list[int]:
    """The numbers of the factors chosen, at most `most` and at most one of each group, in the order of columns."""
    chosen: list[int] = []
    found = fit(rows.choose([]), [])
    while len(chosen) < int(most * SPARE):
        taken = {groups[at] for at in chosen if groups[at] is not None}
        open_ = [at for at in range(len(bins)) if at not in chosen and groups[at] not in taken]
        left = _left(rows, chosen, found)
        gains = [_gain(rows.codes[at], bins[at], shapes[at], monotone[at], left) for at in open_]
        if not gains or max(gains) < LEAST_GAIN:
            break
        chosen.append(open_[int(np.argmax(gains))])
        found = _refit(rows, chosen, shapes, found)
    while len(chosen) > most:
        del chosen[int(np.argmin(_costs(found, [shapes[at] for at in chosen])))]
        found = _refit(rows, chosen, shapes, None)
    return sorted(chosen)


def _refit(rows: Rows, chosen: list[int], shapes: Sequence[Shape], before: Fit | None) -> Fit:
    """The factors fitted together, near enough to compare candidates with."""
    size = 1 + sum(shapes[at].build.shape[1] for at in chosen)
    start = None if before is None else np.append(before.steps, np.zeros(size - len(before.steps)))
    return fit(rows.choose(chosen), [shapes[at] for at in chosen], start, most=3)


def _left(rows: Rows, chosen: list[int], found: Fit) -> tuple[Floats, Floats]:
    """For each fold and row, how much more happened than expected, and how surely (weights of one fold)."""
    chance = chances(rows.choose(chosen), found)
    return rows.folds * (rows.outcome - chance), rows.folds * chance * (1 - chance)


def _gain(codes: Codes, bins: Bins, shape: Shape, monotone: int, left: tuple[Floats, Floats]) -> float:
    """The nats that held-out rows gain by one more factor, to second order."""
    excess, spread = (np.stack([np.bincount(codes, weights=fold, minlength=bins.size) for fold in each])
                      for each in left)
    others, sureness = excess.sum(axis=0) - excess, spread.sum(axis=0) - spread + CAUTION
    curve = sureness[:, :, None] * np.eye(bins.size) + 2 * PENALTY * shape.draw.T @ shape.draw
    levels = np.linalg.solve(curve, others[:, :, None])[:, :, 0]
    if monotone:
        for level, sure in zip(levels, sureness, strict=True):
            scale = slice(0, bins.ordered)
            level[scale] = isotonic_regression(level[scale], sample_weight=sure[scale], increasing=monotone > 0)
            level[-1] = max(level[-1], level[scale].min())
    return float(np.sum(levels * excess - 0.5 * levels**2 * spread))


def _costs(found: Fit, shapes: Sequence[Shape]) -> list[float]:
    """What giving up each factor would cost, to second order, the others moving into its place."""
    build = np.zeros((len(found.curve), len(found.steps)))
    build[0, 0] = 1
    row = column = 1
    places = []
    for each in shapes:
        size, width = each.build.shape
        build[row:row + size, column:column + width] = each.build
        places.append(slice(column, column + width))
        row, column = row + size, column + width
    curve = build.T @ found.curve @ build
    spread = np.linalg.inv(curve + 1e-9 * np.eye(len(curve)))
    return [0.5 * float(found.steps[place] @ np.linalg.solve(spread[place, place], found.steps[place]))
            for place in places]
