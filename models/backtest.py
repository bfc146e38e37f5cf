"""A fitted card, what it learned from and later rows -> the evidence of how it would have done, beside its rivals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from engine.errors import Problem, RunError
from engine.known import Say
from engine.pack import Pack
from engine.rule import Rule
from models.assessment import Evidence
from models.calibration import Line
from models.capacity import Churn, Step, draw_curve, measure_churn
from models.card import PointsCard
from models.challengers import fit_challengers
from models.history import Training

REFITS = 10
"""Fits on resampled rows to see how much of a list is luck; more change the figure in its third digit."""

LEARNING_SHARES = (0.25, 0.5, 0.75, 1.0)

COUNTED = {"harm": ("asb_subject_365d", "da_suspect_365d"),
           "vulnerability": ("asb_victim_365d", "da_victim_365d", "hate_victim_365d"),
           "place": ("asb_365d",), "process": ("applicant_failed_tenancies_1095d",)}
"""What anybody would count without a card: last year's reports. A card that does not beat it is not needed."""

Oracle = Mapping[Any, float]


def inputs_of(training: Training) -> pd.DataFrame:
    """The columns a card learns from."""
    return training.rows[list(training.features)]


def labels_of(training: Training) -> np.ndarray[Any, np.dtype[np.int64]]:
    """What happened, 0 or 1; every label is known."""
    labels: np.ndarray[Any, np.dtype[np.int64]] = training.rows["label"].to_numpy(np.int64)
    return labels


def gather_evidence(
    pack: Pack, card: PointsCard, learn: Training, test: Training, capacity: int, seed: int,
    oracle: Oracle | None = None, say: Say = lambda _: None,
) -> Evidence:
    """How a card does on later rows, with a list of `capacity` places at each of their dates.

    oracle   the true chance by subject, or by subject and date; who is not in it gets the average of those who are
    """
    chance = None if oracle is None else _ask(oracle, test.rows)
    lists = int(test.rows["as_of"].nunique())
    places = capacity * lists
    scores, chances = card.points(inputs_of(test)).sum(axis=1), card.predict_proba(inputs_of(test))[:, 1]
    lines = [_line_of(card, score) for score in scores]
    rules = {str(name): pack.rules[str(name)] for name in test.rules
             if pack.rules[str(name)].axis == test.outcome.axis}
    say("fitting three freer models")
    challengers = fit_challengers(inputs_of(learn), labels_of(learn), inputs_of(test), seed)
    say(f"learning it {REFITS} times again, to see how steady its list is")
    churn = _measure_churn(card, learn, test, places, seed)
    say("learning it from less history")
    curve = _draw_curve(card, learn, test, seed)
    return Evidence(
        labels=labels_of(test), score=scores, probability=chances, capacity=places, lists=lists,
        trained_rows=len(learn.rows), trained_events=int(labels_of(learn).sum()),
        low=np.array([line.low for line in lines]), high=np.array([line.high for line in lines]),
        cut=float(np.sort(chances)[-min(places, len(scores))]),
        oracle=chance, baselines=_count(test), challengers=challengers,
        rules=test.rules[list(rules)] if rules else None, put_forward=_put_forward(test.rules, rules),
        grounded={name for name, rule in rules.items() if rule.floor != "none"},
        subjects=test.groups.to_numpy(), churn=churn, curve=curve, seed=seed)


# --- inside ---------------------------------------------------------------------------------------


def _line_of(card: PointsCard, score: int) -> Line:
    return next((line for line in card.scores_ if score <= line.last), card.scores_[-1])


def _count(test: Training) -> dict[str, Any]:
    """Last year's reports of each case, where they are among the inputs."""
    counted = [name for name in COUNTED.get(test.outcome.axis, ()) if name in test.features]
    if not counted:
        return {}
    return {"count of 12 months": test.rows[counted].astype("Float64").fillna(0).sum(axis=1).to_numpy(float)}


def _put_forward(outcomes: pd.DataFrame, rules: Mapping[str, Rule]) -> pd.Series | None:
    """Whether any live rule fired: true, or not known where none did and one could not tell, or false."""
    live = [name for name, rule in rules.items() if rule.status == "live"]
    if not live:
        return None
    fired, unknown = outcomes[live].fillna(False).any(axis=1), outcomes[live].isna().any(axis=1)
    return fired.astype("boolean").mask(~fired & unknown)


def _ask(oracle: Oracle, rows: pd.DataFrame) -> Any:
    """The true chance of every row. Raises RunError where the oracle knows none of them."""
    dated = any(isinstance(key, tuple) for key in list(oracle.keys())[:1])
    keys = list(zip(rows["subject"], rows["as_of"].dt.date, strict=True)) if dated else rows["subject"].tolist()
    chances = np.array([oracle.get(key, np.nan) for key in keys], dtype=float)
    if np.isnan(chances).all():
        raise RunError(Problem("oracle", f"none of the {len(rows):,} rows tested", "a chance by subject",
                               "name subjects as the training table names them, or (subject, date)"))
    return np.where(np.isnan(chances), np.nanmean(chances), chances)


def _learn_again(card: PointsCard, learn: Training, rows: np.ndarray[Any, Any]) -> PointsCard:
    """The same card learned again from some of the rows."""
    fresh = PointsCard(**card.get_params())
    labels, weights = labels_of(learn)[rows], learn.weights.to_numpy(float)[rows]
    return fresh.fit(inputs_of(learn).iloc[rows].reset_index(drop=True), labels, weights)


def _measure_churn(card: PointsCard, learn: Training, test: Training, places: int, seed: int) -> Churn:
    """How much of a list would be others, had other rows been learned from; and without the newest date."""
    def refit(draw: int) -> Any:
        rows = np.random.default_rng([seed, draw]).integers(0, len(learn.rows), len(learn.rows))
        return score(_learn_again(card, learn, np.sort(rows)))

    def score(fitted: PointsCard) -> Any:
        return fitted.points(inputs_of(test)).sum(axis=1)

    days = learn.rows["as_of"]
    earlier = np.flatnonzero((days < days.max()).to_numpy())
    if len(set(labels_of(learn)[earlier])) < 2:
        return measure_churn(refit, places, range(REFITS))
    return measure_churn(refit, places, range(REFITS), before=score(_learn_again(card, learn, earlier)),
                         now=score(card))


def _draw_curve(card: PointsCard, learn: Training, test: Training, seed: int) -> tuple[Step, ...]:
    """What more history brought: the same card learned from a quarter, half, three quarters and all of the rows."""
    def fit(size: int, draw: int) -> Any:
        rows = np.random.default_rng([seed, draw]).permutation(len(learn.rows))[:size]
        return _learn_again(card, learn, np.sort(rows)).predict_proba(inputs_of(test))[:, 1]

    sizes = [round(share * len(learn.rows)) for share in LEARNING_SHARES]
    return draw_curve(fit, labels_of(test), sizes, (0,))
