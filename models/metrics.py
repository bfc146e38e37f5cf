"""Outcomes and what a card said of them -> how well it ranks and whether its probabilities can be believed.

One row per case of a test that the card was not fitted on: label 0 or 1, probability between 0 and 1. Bands hold rows
of equal probability together, so the same rows in another order give the same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit

from engine.errors import Problem
from models.inputs import FitError
from models.intervals import Estimate, Floats, Z, bound_ratio, bound_share, estimate_auc, estimate_mean

BANDS = 10              # ten bands of about equal size: the usual number, and enough rows in each from about 1,000
NEAREST = 1e-12         # a probability of 0 or 1 that was wrong would cost infinitely much: it costs this much
DRAWS = 200
STEPS = 50


class AssessError(FitError):
    """What was handed in cannot be assessed: lengths that differ, labels that are not 0 or 1, nothing to rank."""


@dataclass(frozen=True)
class Band:
    """Rows with probabilities from `first` to `last`: events observed, events expected, and their ratio."""

    first: float
    last: float
    rows: int
    observed: int
    expected: float
    share: Estimate
    ratio: Estimate | None


@dataclass(frozen=True)
class Calibration:
    """Whether what is said happens as often as said.

    in_the_large   observed over expected events of all rows: 1 where neither too many nor too few were announced
    slope          1 where high and low are as far apart as they should be; below 1 they are exaggerated.
                   None where all probabilities are alike or the outcome can be told from them without error
    ece            mean distance between said and seen over the bands, in shares
    ece_floor      what a perfect card would show on so many rows at most (95 in 100): less than this is noise
    """

    bands: tuple[Band, ...]
    in_the_large: Estimate | None
    slope: Estimate | None
    ece: float
    ece_floor: float


@dataclass(frozen=True)
class Quality:
    """One ranking or card in figures; `brier`, `log_loss` and `ece` are None for what gives no probability."""

    auc: Estimate | None
    brier: Estimate | None
    log_loss: float | None
    ece: float | None


def measure_quality(labels: Any, scores: Any, probabilities: Any = None, subjects: Any = None) -> Quality:
    """AUC of the scores; Brier, log loss and ECE of the probabilities, if there are any."""
    labels, scores = check_labels(labels), check_scores(scores, len(labels), "scores")
    auc = estimate_auc(labels, scores, subjects)
    if probabilities is None:
        return Quality(auc, None, None, None)
    chance = check_probabilities(probabilities, len(labels))
    return Quality(auc, estimate_brier(labels, chance, subjects), measure_log_loss(labels, chance),
                   measure_ece(labels, chance))


def estimate_brier(labels: Any, probabilities: Any, subjects: Any = None) -> Estimate | None:
    """The mean squared distance between the probability and what happened."""
    errors = (np.asarray(labels, dtype=float) - np.asarray(probabilities, dtype=float)) ** 2
    return estimate_mean(errors, subjects)


def measure_log_loss(labels: Any, probabilities: Any) -> float:
    """The mean surprise, in nats."""
    labels = np.asarray(labels, dtype=float)
    chance = np.clip(np.asarray(probabilities, dtype=float), NEAREST, 1 - NEAREST)
    return float(-(labels * np.log(chance) + (1 - labels) * np.log1p(-chance)).mean())


def measure_ece(labels: Any, probabilities: Any, bands: int = BANDS) -> float:
    """The expected calibration error: |said - seen| of each band, weighted by its rows."""
    labels, chance = np.asarray(labels, dtype=float), np.asarray(probabilities, dtype=float)
    return _sum_gaps(_deal(chance, bands), labels - chance)


def measure_calibration(labels: Any, probabilities: Any, seed: int, bands: int = BANDS) -> Calibration:
    """Calibration by band, in the large, its slope, and its error beside what chance alone would show."""
    labels = check_labels(labels)
    chance = check_probabilities(probabilities, len(labels))
    place = _deal(chance, bands)
    return Calibration(
        tuple(_read_band(labels[place == each], chance[place == each]) for each in range(place.max() + 1)),
        bound_ratio(int(labels.sum()), float(chance.sum()), len(labels)), _fit_slope(labels, chance),
        _sum_gaps(place, labels - chance), _draw_floor(place, chance, seed))


def measure_bands(labels: Any, probabilities: Any, edges: Sequence[float]) -> tuple[Band, ...]:
    """Calibration between edges given, such as those of watch, discuss and convene; bands without rows are left out."""
    labels = check_labels(labels)
    chance = check_probabilities(probabilities, len(labels))
    place = np.searchsorted(np.asarray(sorted(edges), dtype=float), chance, side="right")
    return tuple(_read_band(labels[place == each], chance[place == each]) for each in np.unique(place))


# --- bands ----------------------------------------------------------------------------------------


def _deal(chance: Floats, bands: int) -> NDArray[np.intp]:
    """Each row's band: about as many rows in each, and rows of one probability always in the same."""
    _, inverse, count = np.unique(chance, return_inverse=True, return_counts=True)
    middle = (np.cumsum(count) - count / 2) / len(chance)
    _, band = np.unique(np.minimum((middle * bands).astype(np.intp), bands - 1), return_inverse=True)
    return np.asarray(band[inverse], dtype=np.intp)


def _sum_gaps(place: NDArray[np.intp], gaps: Floats) -> float:
    return float(np.abs(np.bincount(place, weights=gaps)).sum() / len(gaps))


def _draw_floor(place: NDArray[np.intp], chance: Floats, seed: int) -> float:
    """The ECE that 95 of 100 perfect cards stay under: outcomes drawn as often as the probabilities say."""
    random = np.random.default_rng(seed)
    order = np.argsort(chance, kind="stable")       # the draws must not depend on the order of the rows
    place, chance = place[order], chance[order]
    drawn = [_sum_gaps(place, (random.random(len(chance)) < chance) - chance) for _ in range(DRAWS)]
    return float(np.quantile(drawn, 0.95))


def _read_band(labels: Floats, chance: Floats) -> Band:
    observed, rows = int(labels.sum()), len(labels)
    share = bound_share(observed, rows)
    assert share is not None
    return Band(float(chance.min()), float(chance.max()), rows, observed, float(chance.sum()), share,
                bound_ratio(observed, float(chance.sum()), rows))


def _fit_slope(labels: Floats, chance: Floats) -> Estimate | None:
    """The slope of a logistic regression of the outcome on the logit of its probability."""
    said = logit(np.clip(chance, 1e-6, 1 - 1e-6))
    if np.ptp(said) < 1e-9 or labels.min() == labels.max():
        return None
    if said[labels == 1].min() >= said[labels == 0].max() or said[labels == 1].max() <= said[labels == 0].min():
        return None                                 # told apart without error: the slope has no end
    table, beta = np.column_stack([np.ones(len(said)), said]), np.array([0.0, 1.0])
    for _ in range(STEPS):
        likely = expit(table @ beta)
        curve = table.T @ (table * (likely * (1 - likely))[:, None])
        if np.linalg.cond(curve) > 1e14:
            return None
        step = np.linalg.solve(curve, table.T @ (labels - likely))
        beta = beta + step
        if np.abs(step).max() < 1e-10:
            half = Z * float(np.sqrt(np.linalg.inv(curve)[1, 1]))
            return Estimate(float(beta[1]), float(beta[1]) - half, float(beta[1]) + half)
    return None


# --- what is taken in -----------------------------------------------------------------------------


def check_labels(labels: Any) -> Floats:
    """Labels as numbers. Raises where one is not 0 or 1, or there are none."""
    if pd.isna(pd.Series(labels)).any():
        raise AssessError(Problem("labels", "an outcome that is not known", "0 or 1 in every row",
                                  "leave out the rows whose window has not closed"))
    found = np.asarray(labels, dtype=float)
    if found.ndim != 1 or not len(found) or not np.isin(found, (0, 1)).all():
        raise AssessError(Problem("labels", f"an array of shape {found.shape}, not all 0 or 1",
                                  "one row per case, 0 or 1"))
    return found


def check_scores(scores: Any, rows: int, name: str) -> Floats:
    """Scores as numbers. Raises where one is not known or there are too few."""
    found = np.asarray(pd.Series(scores).astype("Float64").to_numpy(dtype=float, na_value=np.nan), dtype=np.float64)
    unknown = int((~np.isfinite(found)).sum())
    if found.shape != (rows,) or unknown:
        raise AssessError(Problem(name, f"{len(found)} values, {unknown} of them not numbers",
                                  f"a number for each of {rows} rows"))
    return found


def check_probabilities(probabilities: Any, rows: int, name: str = "probability") -> Floats:
    """Probabilities as numbers. Raises where one is outside 0 to 1."""
    found = check_scores(probabilities, rows, name)
    if ((found < 0) | (found > 1)).any():
        raise AssessError(Problem(name, "a probability outside 0 to 1", "0 to 1"))
    return found
