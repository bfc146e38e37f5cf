"""Distinct rows and the shape each factor may take -> the log odds of every bin: penalised logistic regression.

A factor's bins are levels; neighbours on a scale are drawn together, bins off the scale (special, unknown, never seen)
to the average of the known. Monotone means every step up the scale is at least 0. Newton's method: the rows enter only
through counts of pairs of bins, added in one order, so that the result is the same whatever the number of threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from models.bins import Bins
from models.rows import Codes, Floats, Rows

PENALTY = 32.0          # on the square of a step in log odds. Half gave less stable lists, double lost quality, and
                        # choosing it by cross-validation gave both: bins that were chosen look better than they are
NEWTON_STEPS = 30
CONVERGED = 1e-6        # nats over all rows
STEEPEST = 15.0         # log odds: an outcome that always or never happens is not taken for certain


@dataclass(frozen=True)
class Shape:
    """What one factor's levels may be: `levels` = build @ steps, steps >= low; the penalty is |draw @ levels|^2."""

    build: Floats
    draw: Floats
    low: Floats


@dataclass(frozen=True)
class Fit:
    """A fitted model: the steps (intercept first), each factor's levels, and the curvature of the loss in the levels.

    `slope` and `curve` are the gradient and Hessian of the penalised loss over [intercept, all levels].
    """

    steps: Floats
    levels: tuple[Floats, ...]
    slope: Floats
    curve: Floats


def shape(bins: Bins, share: Floats, monotone: int) -> Shape:
    """The shape of a factor: `share` of rows in each bin; `monotone` +1 rising, -1 falling, 0 free."""
    known = bins.size - 1
    middle = share[:known] / share[:known].sum() if share[:known].sum() > 0 else np.full(known, 1 / known)
    if bins.kind == "category":
        build = np.delete(np.eye(bins.size), int(np.argmax(share[:known])), axis=1)
        return Shape(build, np.eye(bins.size) - np.append(middle, 0.0), np.full(known, -np.inf))
    climb = np.tri(bins.ordered, bins.ordered - 1, -1)
    build = np.zeros((bins.size, bins.size - 1))
    build[:bins.ordered, :bins.ordered - 1] = climb[::-1, ::-1] if monotone < 0 else climb
    build[bins.ordered:, bins.ordered - 1:] = np.eye(bins.size - bins.ordered)
    draw = np.zeros((bins.size - 1, bins.size))
    draw[:bins.ordered - 1, :bins.ordered] = np.diff(np.eye(bins.ordered), axis=0)
    draw[bins.ordered - 1:, bins.ordered:] = np.eye(bins.size - bins.ordered)
    on_scale = share[:bins.ordered]
    draw[bins.ordered - 1:, :bins.ordered] -= (on_scale / on_scale.sum() if on_scale.sum() > 0
                                               else np.full(bins.ordered, 1 / bins.ordered))
    low = np.full(bins.size - 1, -np.inf)
    if monotone:
        low[:bins.ordered - 1] = 0.0
        low[-1] = 0.0                           # the unknown is never better than the lowest of the scale
    return Shape(build, draw, low)


def fit(
    rows: Rows, shapes: Sequence[Shape], start: Floats | None = None, most: int = NEWTON_STEPS
) -> Fit:
    """The penalised fit of all factors together, at most `most` Newton steps from `start`."""
    build, draw, low = _assemble(shapes)
    drawn = 2 * PENALTY * draw.T @ draw
    sizes = [len(each.build) for each in shapes]
    edges = np.cumsum([1, *sizes])
    steps = start if start is not None else np.append(_base(rows), np.zeros(build.shape[1] - 1))
    loss = _loss(rows, build @ steps, edges) + 0.5 * _square(drawn, build @ steps)
    for _ in range(most):
        slope, curve = _expand(rows, build @ steps, edges)
        slope, curve = slope + drawn @ (build @ steps), curve + drawn
        inner = build.T @ curve @ build
        aim = _solve(inner, inner @ steps - build.T @ slope, low)
        steps, gained, loss = _step(rows, steps, aim, loss, build, drawn, edges)
        if gained < CONVERGED:
            break
    levels = build @ steps
    slope, curve = _expand(rows, levels, edges)
    each = tuple(levels[here:end] for here, end in pairwise(edges))
    return Fit(steps, each, slope + drawn @ levels, curve + drawn)


def chances(rows: Rows, found: Fit) -> Floats:
    """The fitted probability of every row."""
    levels = np.concatenate([found.steps[:1], *found.levels])
    return np.asarray(expit(_total(rows, levels, np.cumsum([1, *map(len, found.levels)]))))


def log_loss(outcome: Floats, chance: Floats, weight: Floats) -> float:
    """Nats over all rows."""
    chance = np.clip(chance, 1e-12, 1 - 1e-12)
    return -float(np.sum(weight * (outcome * np.log(chance) + (1 - outcome) * np.log1p(-chance))))


# --- the objective ------------------------------------------------------------------------------


def _assemble(shapes: Sequence[Shape]) -> tuple[Floats, Floats, Floats]:
    """All factors' shapes as one, with the intercept first, free and without penalty."""
    return (_blocks([np.eye(1), *(each.build for each in shapes)]),
            _blocks([np.zeros((1, 1)), *(each.draw for each in shapes)]),
            np.concatenate([[-np.inf], *(each.low for each in shapes)]))


def _blocks(parts: Sequence[Floats]) -> Floats:
    whole = np.zeros((sum(len(p) for p in parts), sum(p.shape[1] for p in parts)))
    row = column = 0
    for part in parts:
        whole[row:row + len(part), column:column + part.shape[1]] = part
        row, column = row + len(part), column + part.shape[1]
    return whole


def _base(rows: Rows) -> float:
    happened = float(np.sum(rows.weight * rows.outcome)) / float(rows.weight.sum())
    return float(np.clip(logit(happened), -STEEPEST, STEEPEST))


def _total(rows: Rows, levels: Floats, edges: Codes) -> Floats:
    total = np.full(rows.codes.shape[1], levels[0])
    for codes, edge in zip(rows.codes, edges, strict=False):
        total += levels[edge + codes]
    return np.asarray(np.clip(total, -2 * STEEPEST, 2 * STEEPEST))


def _loss(rows: Rows, levels: Floats, edges: Codes) -> float:
    total = _total(rows, levels, edges)
    return float(np.sum(rows.weight * (np.logaddexp(0, total) - rows.outcome * total)))


def _square(matrix: Floats, vector: Floats) -> float:
    return float(vector @ matrix @ vector)


def _expand(rows: Rows, levels: Floats, edges: Codes) -> tuple[Floats, Floats]:
    """Gradient and Hessian of the loss over [intercept, all levels], from counts of bins and pairs of bins."""
    chance = expit(_total(rows, levels, edges))
    excess, spread = rows.weight * (chance - rows.outcome), rows.weight * chance * (1 - chance)
    slope, curve = np.zeros(len(levels)), np.zeros((len(levels), len(levels)))
    slope[0], curve[0, 0] = excess.sum(), spread.sum()
    for at, codes in enumerate(rows.codes):
        here, size = slice(edges[at], edges[at + 1]), edges[at + 1] - edges[at]
        slope[here] = np.bincount(codes, weights=excess, minlength=size)
        alone = np.bincount(codes, weights=spread, minlength=size)
        curve[here, here] = np.diag(alone)
        curve[0, here] = curve[here, 0] = alone
        for other in range(at):
            width = edges[other + 1] - edges[other]
            pairs = np.bincount(codes * width + rows.codes[other], weights=spread, minlength=size * width)
            there = slice(edges[other], edges[other + 1])
            curve[here, there] = pairs.reshape(size, width)
            curve[there, here] = curve[here, there].T
    return slope, curve


# --- one Newton step ----------------------------------------------------------------------------


def _solve(curve: Floats, aim: Floats, low: Floats) -> Floats:
    """The least of the quadratic ½ s'Cs - a's over s >= low, by guessing which bounds hold until the guess stands."""
    curve = curve + 1e-9 * np.eye(len(curve)) * max(1.0, float(np.trace(curve)) / len(curve))
    held = np.zeros(len(aim), dtype=bool)
    steps = aim
    for _ in range(50):
        steps = np.where(held, low, 0.0)
        free = ~held
        if free.any():
            others = curve[np.ix_(free, held)] @ steps[held]
            steps[free] = np.linalg.solve(curve[np.ix_(free, free)], aim[free] - others)
        again = np.where(held, curve @ steps - aim > 0, steps < low)
        if np.array_equal(again, held):
            break
        held = again
    return np.maximum(steps, low)


def _step(
    rows: Rows, steps: Floats, aim: Floats, loss: float, build: Floats, drawn: Floats, edges: NDArray[np.intp]
) -> tuple[Floats, float, float]:
    """As far towards `aim` as the loss falls; the steps there, what was gained, and the loss there."""
    share = 1.0
    for _ in range(20):
        tried = steps + share * (aim - steps)
        new = _loss(rows, build @ tried, edges) + 0.5 * _square(drawn, build @ tried)
        if new <= loss:
            return tried, loss - new, new
        share /= 2
    return steps, 0.0, loss
