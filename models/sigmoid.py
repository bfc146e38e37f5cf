"""Scores and outcomes -> the S-shaped curve through them: two numbers, start and rise."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from models.rows import Floats

STEPS = 50
DOUBT = 0.1     # a penalty on the rise, so that a few rows that separate perfectly are not taken for certainty


def bend(total: Floats) -> Floats:
    """Log odds as probabilities."""
    return np.asarray(expit(np.clip(total, -30, 30)))


def fit_sigmoid(total: Floats, outcome: Floats, weight: Floats) -> tuple[float, float]:
    """The start and rise, never negative, of the log odds over the score."""
    scores, place = np.unique(total, return_inverse=True)
    rows = np.bincount(place, weights=weight)
    events = np.bincount(place, weights=weight * outcome)
    middle = float(rows @ scores / rows.sum())
    width = float(np.sqrt(rows @ (scores - middle)**2 / rows.sum())) or 1.0
    across = (scores - middle) / width
    base = float(np.clip(events.sum() / rows.sum(), 1e-6, 1 - 1e-6))
    start, rise = float(np.log(base / (1 - base))), 0.0
    for _ in range(STEPS):
        chance = bend(start + rise * across)
        spread = rows * chance * (1 - chance)
        excess = rows * chance - events
        slope = np.array([excess.sum(), excess @ across + DOUBT * rise])
        curve = np.array([[spread.sum() + 1e-9, spread @ across], [spread @ across, spread @ across**2 + DOUBT]])
        change = np.clip(np.linalg.solve(curve, slope), -2.0, 2.0)
        start, rise = start - float(change[0]), rise - float(change[1])
        if np.abs(change).max() < 1e-9:
            break
    rise = max(rise, 0.0) / width
    return start - rise * middle, rise
