"""The points of every case and two groups -> which factors make the gap between them.

A card is a sum, so the mean difference in points splits into its factors without remainder. What that does to a list
with a cut is found by giving everybody the average points of one factor and drawing the list again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.capacity import weigh_list
from models.intervals import Floats


@dataclass(frozen=True)
class Share:
    """One factor's part in a gap between a group and the others, on the card's own list of as many places.

    points      how many more points the group has from this factor, on average
    gap         how much more often the group is put forward by the card
    without     the same with everybody given this factor's average
    """

    factor: str
    points: float
    gap: float
    without: float

    @property
    def explained(self) -> float:
        """The part of the gap that goes when the factor goes."""
        return self.gap - self.without


def attribute(
    points: pd.DataFrame, members: NDArray[np.bool_], others: NDArray[np.bool_], places: int
) -> tuple[Share, ...]:
    """Every factor's part in the gap, the one that explains most first. The parts of points add up to the whole."""
    table = points.to_numpy(dtype=float)
    score = table.sum(axis=1)
    gap = _gap(score, members, others, places)
    shares = [Share(str(factor), float(each[members].mean() - each[others].mean()), gap,
                    _gap(np.round(score - each + each.mean(), 9), members, others, places))
              for factor, each in zip(points.columns, table.T, strict=True)]     # rounded: equal sums must stay ties
    return tuple(sorted(shares, key=lambda each: (-each.explained * np.sign(gap), each.factor)))


def _gap(score: Floats, members: NDArray[np.bool_], others: NDArray[np.bool_], places: int) -> float:
    listed = weigh_list(score, places)
    return float(listed[members].mean() - listed[others].mean())
