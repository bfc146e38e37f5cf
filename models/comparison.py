"""Two groups' counts -> how far they differ, and whether that shows they are alike, shows they differ, or neither.

“Not significant” is not a finding: two groups of twenty are never significantly different. To be alike is shown by two
one-sided tests against a margin that was stated beforehand. Every test of an audit is corrected for all of them (Holm).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import norm

from models.intervals import Estimate, Z

Verdict = Literal["shown to be alike", "shown to differ", "cannot tell"]
MARGIN = 0.05               # five in a hundred: the partnership's answer to “how unequal would you mind?”
MARGIN_PART = 0.25          # five points say nothing of a rate of two in a hundred: there, a quarter of the rate
LEVEL = 0.05


@dataclass(frozen=True)
class Tested:
    """A difference between two groups with its standard error, and its two tests before any correction."""

    difference: Estimate
    margin: float
    differ: float           # p of “no difference”
    alike: float            # p of “the margin or more apart”


def compare_shares(hits: int, of: int, other_hits: int, other_of: int, margin: float = MARGIN) -> Tested:
    """The difference of two shares, by Agresti and Caffo: a hit and a miss added to each, honest for small groups."""
    raw = hits / of - other_hits / other_of
    share, other = (hits + 1) / (of + 2), (other_hits + 1) / (other_of + 2)
    error = float(np.sqrt(share * (1 - share) / (of + 2) + other * (1 - other) / (other_of + 2)))
    total = (hits + other_hits) / (of + other_of)
    return _test(raw, share - other, error, set_margin(total, margin))


def compare_means(mean: float, variance: float, other: float, other_variance: float, margin: float) -> Tested:
    """The difference of two means, each with the variance of the mean."""
    return _test(mean - other, mean - other, float(np.sqrt(variance + other_variance)), margin)


def set_margin(rate: float, margin: float = MARGIN) -> float:
    """The margin for a rate: as stated, or a quarter of a rate (or of what it lacks to 1) where that is less."""
    return min(margin, MARGIN_PART * min(rate, 1 - rate))


def adjust(chances: Sequence[float]) -> list[float]:
    """Holm's correction: as many tests as there are, and still a false alarm in at most 5 of 100 audits."""
    order = np.argsort(chances, kind="stable")
    raised = np.maximum.accumulate(np.asarray(chances)[order] * (len(chances) - np.arange(len(chances))))
    adjusted = np.empty(len(chances))
    adjusted[order] = np.minimum(raised, 1.0)
    return [float(each) for each in adjusted]


def judge(differ: float, alike: float) -> Verdict:
    """The verdict of two corrected tests. A difference that is real and smaller than the margin counts as alike."""
    if alike < LEVEL:
        return "shown to be alike"
    return "shown to differ" if differ < LEVEL else "cannot tell"


def _test(raw: float, centre: float, error: float, margin: float) -> Tested:
    interval = Estimate(raw, min(raw, centre - Z * error), max(raw, centre + Z * error))
    if not error:
        return Tested(interval, margin, 1.0, 1.0)
    differ = 2 * float(norm.sf(abs(centre) / error))
    alike = max(float(norm.sf((centre + margin) / error)), float(norm.cdf((centre - margin) / error)))
    return Tested(interval, margin, differ, alike)
