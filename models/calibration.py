"""Scores of rows that did not help to make them -> a table from score to probability, with an interval for each line.

Each score's own share of events is drawn towards an S-shaped curve through all of them, then made to rise with the
score. The curve speaks where few rows are, the rows where there are many. Every total that can be reached has its line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv
from sklearn.isotonic import isotonic_regression

from models.rows import Floats
from models.sigmoid import bend, fit_sigmoid

CURVE_ROWS = 200.0      # how many rows of one score the curve is worth
LEAST_ROWS = 10.0       # a line of the table stands on at least so many rows, where there are so many
LEAST_PART = 0.02       # and, where there are not, on this part of all
SURE = 0.9              # how sure it is that the probability lies between low and high
DIGITS = 4
NEVER = 10.0**-DIGITS   # no table says that something never or always happens


@dataclass(frozen=True)
class Line:
    """The totals `first` to `last`: their probability, its interval, and the rows it was learned from."""

    first: int
    last: int
    probability: float
    low: float
    high: float
    rows: int


def calibrate(total: Floats, outcome: Floats, weight: Floats, lowest: int, highest: int) -> tuple[Line, ...]:
    """The table for totals from `lowest` to `highest`, from held-out totals, outcomes and weights."""
    start, rise = fit_sigmoid(total, outcome, weight)
    place = (np.clip(np.rint(total), lowest, highest) - lowest).astype(np.intp)
    size = highest - lowest + 1
    rows = np.bincount(place, weights=weight, minlength=size).astype(float)
    events = np.bincount(place, weights=weight * outcome, minlength=size).astype(float)
    blocks = _block(rows, min(LEAST_ROWS, LEAST_PART * float(rows.sum())))
    rows_in, events_in = (np.add.reduceat(each, blocks) for each in (rows, events))
    curve = bend(start + rise * np.arange(lowest, highest + 1, dtype=float))
    expected = np.add.reduceat(rows * curve, blocks) / np.maximum(rows_in, 1e-9)
    middle = np.where(rows_in > 0, expected, np.add.reduceat(curve, blocks) / np.diff([*blocks, size]))
    backed = rows_in + CURVE_ROWS
    rising = isotonic_regression((events_in + CURVE_ROWS * middle) / backed, sample_weight=backed)
    rising = np.round(np.clip(rising, NEVER, 1 - NEVER), DIGITS)
    first = np.flatnonzero(np.diff(rising, prepend=-1.0))
    rows_in, events_in = (np.add.reduceat(each, first) for each in (rows_in, events_in))
    starts = lowest + blocks[first]
    return _write(starts, [*(starts[1:] - 1), highest], rising[first], rows_in, events_in)


def _block(rows: Floats, least: float) -> NDArray[np.intp]:
    """Where each line starts: neighbouring scores together until there are rows enough, the last ones too."""
    starts, held = [0], 0.0
    for at, each in enumerate(rows):
        if held >= least and rows[at:].sum() >= least:
            starts.append(at)
            held = 0.0
        held += each
    return np.array(starts, dtype=np.intp)


def _write(
    starts: NDArray[np.intp], ends: Sequence[int], chance: Floats, rows: Floats, events: Floats
) -> tuple[Line, ...]:
    """The lines, with an interval from each line's own rows: the curve lends it the weight of one row, no more."""
    for_, against = events + chance, rows - events + 1 - chance
    low, high = (betaincinv(for_, against, part) for part in ((1 - SURE) / 2, (1 + SURE) / 2))
    low, high = np.maximum.accumulate(low), np.minimum.accumulate(high[::-1])[::-1]     # they rise with the score too
    low, high = np.minimum(low, chance), np.maximum(high, chance)
    chance, low, high = (np.round(each, DIGITS) for each in (chance, low, high))
    return tuple(Line(int(a), int(b), float(p), float(lo), float(hi), int(np.rint(n)))
                 for a, b, p, lo, hi, n in zip(starts, ends, chance, low, high, rows, strict=True))
