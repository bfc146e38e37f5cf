"""Counts that overlap -> which of them may be shown, so that no small one is seen or can be worked out.

Every count is a sum of parts (the people of one group with one outcome). A hidden count can be worked out where it is a
sum and difference of counts that are shown; then the smallest of those is hidden too, until none can be.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

LEAST = 10          # a count under 10 can point at people: the partnership's rule for anything published
EXACT = 1e-9        # below this part of the largest, a direction is rounding and not a count
NEAR = 1e-6


def choose_shown(sums: Any, counts: Any, wanted: Any, keep: Any, least: int = LEAST) -> NDArray[np.bool_]:
    """Which counts to show.

    sums     count x part, 1 where the part belongs to the count
    wanted   counts that would be shown; the others are never shown, yet are protected when they are small
    keep     counts that are hidden last, such as totals, which are known from elsewhere
    """
    rows, first, which = np.unique(np.asarray(sums, dtype=float), axis=0, return_index=True, return_inverse=True)
    count, small = np.asarray(counts)[first], np.asarray(counts)[first] < least
    held = np.zeros(len(rows), dtype=bool)      # one count under several names is shown under all of them or none
    np.logical_or.at(held, which, np.asarray(keep, dtype=bool))
    asked = np.zeros(len(rows), dtype=bool)
    np.logical_or.at(asked, which, np.asarray(wanted, dtype=bool))
    shown = asked & ~small
    with threadpool_limits(limits=1, user_api="blas"):      # tables this small only lose by being shared out
        while (exposed := find_exposed(rows, shown, small)).any():
            shown[_choose_next(rows, count, shown, held, int(np.argmax(exposed)))] = False
    may: NDArray[np.bool_] = shown[which] & np.asarray(wanted, dtype=bool)
    return may


def find_exposed(sums: Any, shown: Any, small: Any) -> NDArray[np.bool_]:
    """Which small counts are sums and differences of the counts shown."""
    table = np.asarray(sums, dtype=float)
    exposed = np.zeros(len(table), dtype=bool)
    rows = np.flatnonzero(small)
    if not len(rows) or not np.any(shown):
        return exposed
    sizes, directions = np.linalg.eigh(table[shown].T @ table[shown])
    span = directions[:, sizes > EXACT * sizes.max()]
    exposed[rows] = np.abs(table[rows] - table[rows] @ span @ span.T).max(axis=1) < NEAR
    return exposed


def _choose_next(
    table: NDArray[np.float64], counts: Any, shown: NDArray[np.bool_], keep: NDArray[np.bool_], exposed: int
) -> int:
    """The smallest count that the exposed one is worked out from; a total only where nothing else is left."""
    rows = np.flatnonzero(shown)
    part = table[rows] @ np.linalg.pinv(table[rows].T @ table[rows], rcond=EXACT, hermitian=True) @ table[exposed]
    used = rows[np.abs(part) > NEAR]
    return int(min(used, key=lambda row: (keep[row], counts[row], row)))
