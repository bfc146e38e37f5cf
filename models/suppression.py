"""Counts that overlap -> which of them may be shown, so that no small one is seen or can be worked out.

Every count is a sum of parts (the people of one group with one outcome). A hidden count can be worked out where it is a
sum and difference of counts that are shown. So counts are shown one after another, those worth most first, and one that
would give a small count away beside those shown before it is left out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

LEAST = 10          # a count under 10 can point at people: the partnership's rule for anything published
EXACT = 1e-9        # below this part of the largest, a direction is rounding and not a count
NEAR = 1e-6         # what is left of a count of whole parts is nothing, or far more than this


def choose_shown(sums: Any, counts: Any, wanted: Any, keep: Any, least: int = LEAST) -> NDArray[np.bool_]:
    """Which counts to show. Whatever is left out could not be shown as well.

    sums     count x part, 1 where the part belongs to the count
    wanted   counts that would be shown; the others are never shown, yet are protected when they are small
    keep     what a count is worth: totals, which are known from elsewhere, more than those of groups, and those more
             than the counts of groups crossed with groups; of equals the larger is shown first
    """
    rows, first, which = np.unique(np.asarray(sums, dtype=float), axis=0, return_index=True, return_inverse=True)
    count, small = np.asarray(counts)[first], np.asarray(counts)[first] < least
    worth = np.zeros(len(rows), dtype=int)      # one count under several names is shown under all of them or none
    np.maximum.at(worth, which, np.asarray(keep, dtype=int))
    asked = np.zeros(len(rows), dtype=bool)
    np.logical_or.at(asked, which, np.asarray(wanted, dtype=bool))
    order = np.lexsort((np.arange(len(rows)), -count, -worth))
    with threadpool_limits(limits=1, user_api="blas"):      # tables this small only lose by being shared out
        shown = _show(rows, order[asked[order] & ~small[order]], rows[small & rows.any(axis=1)])
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


def _show(
    table: NDArray[np.float64], order: NDArray[np.intp], hidden: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Which rows can be shown in this order without a hidden one becoming a sum and difference of those shown.

    `hidden` is kept as what is left of each hidden row beside all that is shown: nothing left means worked out.
    """
    shown = np.zeros(len(table), dtype=bool)
    known = np.zeros((0, table.shape[1]))       # directions at right angles that span what is shown
    for row in order:
        fresh = table[row]
        for _ in range(2):                      # twice, so that rounding does not add up over hundreds of rows
            fresh = fresh - (known @ fresh) @ known
        length = float(np.sqrt(fresh @ fresh))
        if length < NEAR:                       # it could be worked out anyway, and nothing small with it
            shown[row] = True
            continue
        fresh = fresh / length
        left = hidden - np.outer(hidden @ fresh, fresh)
        if not (np.abs(left).max(axis=1, initial=0) < NEAR).any():
            shown[row], hidden, known = True, left, np.vstack([known, fresh])
    return shown
