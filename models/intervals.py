"""Counts, means and rankings -> an estimate with the interval it lies in, 95 times of 100.

Nothing here is random. What cannot be estimated (none of none) is None, never a number that looks like one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, expit, logit
from scipy.stats import rankdata

Floats = NDArray[np.float64]
Z = 1.959963984540054       # the normal quantile that leaves 2.5 in 100 on either side
TAIL = 0.025


@dataclass(frozen=True)
class Estimate:
    """A value and its 95 % interval."""

    value: float
    low: float
    high: float

    def excludes(self, value: float) -> bool:
        """Whether the interval lies wholly on one side of `value`."""
        return self.low > value or self.high < value


def score_share(hits: float, of: float) -> Estimate | None:
    """A share with Wilson's interval. `hits` may be a fraction, as the expected hits among ties are."""
    if of <= 0:
        return None
    share = hits / of
    middle = (share + Z**2 / (2 * of)) / (1 + Z**2 / of)
    half = Z / (1 + Z**2 / of) * float(np.sqrt(share * (1 - share) / of + Z**2 / (4 * of**2)))
    return Estimate(share, min(share, max(0.0, middle - half)), max(share, min(1.0, middle + half)))


def bound_share(hits: int, of: int) -> Estimate | None:
    """A share with the exact interval of Clopper and Pearson: never too narrow, whatever the numbers."""
    if of <= 0:
        return None
    low = float(betaincinv(hits, of - hits + 1, TAIL)) if hits else 0.0
    high = float(betaincinv(hits + 1, of - hits, 1 - TAIL)) if hits < of else 1.0
    return Estimate(hits / of, low, high)


def bound_ratio(observed: int, expected: float, rows: int) -> Estimate | None:
    """Observed over expected events among `rows`, with the exact interval of the observed share."""
    share = bound_share(observed, rows)
    if share is None or expected <= 0:
        return None
    return Estimate(observed / expected, share.low * rows / expected, share.high * rows / expected)


def estimate_mean(values: Any, subjects: Any = None) -> Estimate | None:
    """A mean with a normal interval; the rows of one subject count as one, as they are not independent."""
    values = np.asarray(values, dtype=float)
    if len(values) < 2:
        return None
    mean = float(values.mean())
    half = Z * float(np.sqrt(_spread_of_sums((values - mean) / len(values), subjects)))
    return Estimate(mean, mean - half, mean + half)


def estimate_auc(labels: Any, scores: Any, subjects: Any = None) -> Estimate | None:
    """The chance that a row with the outcome outranks one without, ties by half, with DeLong's interval.

    On the logit scale, so that it stays within 0 and 1. A perfect ranking has no spread to measure: its bound is
    where so many independent pairs would all come out right 25 times in 1,000.
    """
    labels = np.asarray(labels, dtype=float)
    parts = _place(labels, scores)
    if parts is None:
        return None
    area, share = parts
    if area in (0.0, 1.0):
        pairs = min(labels.sum(), len(labels) - labels.sum())
        bound = float(TAIL ** (1 / pairs))
        return Estimate(area, bound, 1.0) if area else Estimate(area, 0.0, 1 - bound)
    half = Z * float(np.sqrt(_variance(labels, share, subjects))) / (area * (1 - area))
    return Estimate(area, float(expit(logit(area) - half)), float(expit(logit(area) + half)))


def compare_auc(labels: Any, scores: Any, others: Any, subjects: Any = None) -> Estimate | None:
    """How much more AUC `others` has than `scores` on the same rows (DeLong, paired)."""
    labels = np.asarray(labels, dtype=float)
    ours, theirs = _place(labels, scores), _place(labels, others)
    if ours is None or theirs is None:
        return None
    gap = theirs[0] - ours[0]
    half = Z * float(np.sqrt(_variance(labels, theirs[1] - ours[1], subjects)))
    return Estimate(gap, gap - half, gap + half)


def take_quantiles(value: float, drawn: Sequence[float] | Floats) -> Estimate:
    """A value with the interval of what was drawn for it."""
    low, high = np.quantile(np.asarray(drawn, dtype=float), [TAIL, 1 - TAIL])
    return Estimate(float(value), float(low), float(high))


# --- the variance of a ranking --------------------------------------------------------------------


def _place(labels: Floats, scores: Any) -> tuple[float, Floats] | None:
    """The AUC, and for each row the share of the other class that it is rightly placed against."""
    scores, happened = np.asarray(scores, dtype=float), labels == 1
    events, others = int(happened.sum()), int((~happened).sum())
    if not events or not others:
        return None
    rank = rankdata(scores)
    share = np.empty(len(scores))
    share[happened] = (rank[happened] - rankdata(scores[happened])) / others
    share[~happened] = 1 - (rank[~happened] - rankdata(scores[~happened])) / events
    return float(share[happened].mean()), share


def _variance(labels: Floats, share: Floats, subjects: Any) -> float:
    happened = labels == 1
    if subjects is None:
        return sum(float(np.var(each, ddof=1)) / len(each) if len(each) > 1 else 0.25       # one event says nothing
                   for each in (share[happened], share[~happened]))
    pull = np.empty(len(share))
    for each in (happened, ~happened):
        pull[each] = (share[each] - share[each].mean()) / each.sum()
    return _spread_of_sums(pull, subjects)


def _spread_of_sums(pull: Floats, subjects: Any) -> float:
    """The variance of a sum of pulls that balance, the pulls of one subject added first."""
    if subjects is not None:
        _, code = np.unique(np.asarray(subjects), return_inverse=True)
        pull = np.asarray(np.bincount(code, weights=pull), dtype=np.float64)
    return float((pull**2).sum()) * len(pull) / max(1, len(pull) - 1)
