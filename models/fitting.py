"""An outcome and a lake -> a fitted card as YAML and a report that says whether it deserves to be used.

    past dates -> training table -> leaks refused -> earlier rows to learn, later rows to test -> card -> assessment

Tested the way it would be used: learned before, used after, with the days between left out. What is written is a
trial; only people make it live.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from engine.errors import Problem, RunError
from engine.feature import Feature
from engine.known import Say
from engine.lake import Lake
from engine.pack import Pack
from models.assessment import About, Assessment, Evidence, assess
from models.calibration import Line
from models.capacity import Churn, Step, draw_curve, measure_churn
from models.card import PointsCard
from models.challengers import fit_challengers
from models.history import Training, build_history, monthly, split_forward
from models.leaks import find_overlap, find_telling, refuse
from models.outcomes import FOLDER, Outcome, read_outcomes
from models.report import write_report
from models.snapshots import Past

LOOK_BACK = 365
"""Days of records before the first date learned from: most counts look back a year."""

TESTED = 1 / 3
"""The share of dates kept for the test, the latest ones."""

REFITS = 10
"""Fits on resampled rows to see how much of a list is luck; more change the figure in its third digit."""

_LEARNING_SHARES = (0.25, 0.5, 0.75, 1.0)

_RISING = {"incidents", "involvements"}
_COUNTED = {"harm": ("asb_subject_365d", "da_suspect_365d"),
            "vulnerability": ("asb_victim_365d", "da_victim_365d", "hate_victim_365d"),
            "place": ("asb_365d",), "process": ("applicant_failed_tenancies_1095d",)}
"""What anybody would count without a card: last year's reports. A card that does not beat it is not needed."""

@dataclass(frozen=True)
class Fitted:
    """A card, what it was fitted and tested on, and both pages as text."""

    card: PointsCard
    learn: Training
    test: Training
    assessment: Assessment
    sheet: str
    report: str


def fit_card(
    past: Past, outcome: Outcome, dates: list[date], capacity: int, name: str, seed: int, note: str = "",
) -> Fitted:
    """Fits and tests a card for an outcome on some dates. Raises FitError for leaks, RunError for unusable dates."""
    training = build_history(past, outcome, dates)
    tests = dates[-max(1, round(len(dates) * TESTED)):]
    learn, test = (side.known for side in split_forward(training, tests))
    refuse(find_overlap(set(learn.rows["as_of"].dt.date), tests, outcome.horizon, outcome.settle),
           find_telling(_inputs(learn), _labels(learn)))
    past.say("fitting the card")
    card = make_card(past.pack, training, seed)
    card.fit(_inputs(learn), _labels(learn), learn.weights.to_numpy(float))
    past.say("comparing it with simpler and larger ones")
    assessment = assess(_gather_evidence(card, learn, test, capacity * len(tests), seed),
                        _describe(outcome, training, name, note))
    header = {"card": name, "title": outcome.title, "subject": outcome.subject, "axis": outcome.axis,
              "outcome": outcome.name, "status": "trial", "licence": assessment.licence.level,
              "applies": _cohort_of(outcome), "fitted": {
                  "from": dates[0], "to": max(learn.rows["as_of"].dt.date), "tested_to": tests[-1], "note": note}}
    return Fitted(card, learn, test, assessment, card.to_yaml(**header), write_report(assessment))


def make_card(pack: Pack, training: Training, seed: int) -> PointsCard:
    """The card before it has learned: what must never fall, and which features say the same and are asked once.

    More reports never lower the points, and time without one never raises them. A fact in several windows is one.
    """
    features = {name: pack.features[f"{training.outcome.subject}.{name}"] for name in training.features}
    monotone = {name: sign for name, feature in features.items() if (sign := _direction(feature))}
    return PointsCard(monotone=monotone, groups={name: feature.declared for name, feature in features.items()},
                      missing_never_rewarded=sorted(monotone), random_state=seed)


def choose_dates(past: Past, outcome: Outcome, every: int = 1) -> list[date]:
    """The first of every month (or every few) that has a year of records behind it and its outcome already told.

    Raises RunError where there are fewer than four.
    """
    last = past.until - timedelta(days=outcome.horizon + outcome.settle)
    firsts = [r.first_known for r in past.lake.ledger.read() if r.first_known is not None]
    begun = sorted(firsts)[len(firsts) // 2] if firsts else last
    dates = monthly(begun + timedelta(days=LOOK_BACK), last, every)
    if len(dates) < 4:
        raise RunError(Problem(str(past.lake.home), f"{len(dates)} dates to learn from and to test on", "4 or more",
                               "wait until there is more history, or name the dates"))
    return dates


def fit_and_keep(
    lake: Lake, pack: Pack, outcome: str, folder: Path, *, capacity: int | None, every: int,
    seed: int, note: str,
    say: Say,
) -> tuple[Path, Path, str]:
    """What `wardwise fit` does: fits, writes card and report into a folder, and gives both paths and the report."""
    outcomes = read_outcomes(pack)
    past = Past(lake, pack, outcomes, say=say)
    wanted = outcomes.find(outcome)
    called = f"{wanted.subject}_v1" if wanted.axis == wanted.subject else f"{wanted.subject}_{wanted.axis}_v1"
    places = pack.policy.capacity.get({"person": "people", "place": "places"}.get(wanted.subject, "allocations"))
    fitted = fit_card(past, wanted, choose_dates(past, wanted, every), capacity or places or 20, called, seed, note)
    folder.mkdir(parents=True, exist_ok=True)
    sheet, report = folder / f"{called}.yaml", folder / f"{called}.md"
    sheet.write_text(fitted.sheet, encoding="utf-8")
    report.write_text(fitted.report, encoding="utf-8")
    return sheet, report, fitted.report


# --- inside -------------------------------------------------------------------------------------


def _direction(feature: Feature) -> int:
    if feature.table not in _RISING:
        return 0
    return {"count": 1, "distinct": 1, "sum": 1, "days_since": -1}.get(feature.measure.verb, 0)


def _inputs(training: Training) -> pd.DataFrame:
    return training.rows[list(training.features)]


def _labels(training: Training) -> np.ndarray[Any, np.dtype[np.int64]]:
    labels: np.ndarray[Any, np.dtype[np.int64]] = training.rows["label"].to_numpy(np.int64)
    return labels


def _gather_evidence(card: PointsCard, learn: Training, test: Training, places: int, seed: int) -> Evidence:
    scores, chances = card.points(_inputs(test)).sum(axis=1), card.predict_proba(_inputs(test))[:, 1]
    lines = [_line_of(card, score) for score in scores]
    counted = [name for name in _COUNTED.get(test.outcome.axis, ()) if name in test.features]
    return Evidence(
        labels=_labels(test), score=scores, probability=chances, capacity=places,
        trained_rows=len(learn.rows), trained_events=int(_labels(learn).sum()),
        low=np.array([line.low for line in lines]), high=np.array([line.high for line in lines]),
        cut=float(np.sort(chances)[-min(places, len(scores))]),
        baselines={"count of 12 months": test.rows[counted].astype("Float64").fillna(0).sum(axis=1).to_numpy(float)}
        if counted else {},
        challengers=fit_challengers(_inputs(learn), _labels(learn), _inputs(test), seed),
        rules=test.rules, subjects=test.groups.to_numpy(), churn=_measure_churn(card, learn, test, places, seed),
        curve=_draw_curve(card, learn, test, seed), seed=seed)


def _line_of(card: PointsCard, score: int) -> Line:
    return next((line for line in card.scores_ if score <= line.last), card.scores_[-1])


def _learn_again(card: PointsCard, learn: Training, rows: np.ndarray[Any, Any]) -> PointsCard:
    """The same card learned again from some of the rows."""
    fresh = PointsCard(**card.get_params())
    labels, weights = _labels(learn)[rows], learn.weights.to_numpy(float)[rows]
    return fresh.fit(_inputs(learn).iloc[rows].reset_index(drop=True), labels, weights)


def _measure_churn(card: PointsCard, learn: Training, test: Training, places: int, seed: int) -> Churn:
    """How much of a list would be others, had other rows been learned from."""
    def refit(draw: int) -> Any:
        rows = np.random.default_rng([seed, draw]).integers(0, len(learn.rows), len(learn.rows))
        return _learn_again(card, learn, np.sort(rows)).points(_inputs(test)).sum(axis=1)

    return measure_churn(refit, places, range(REFITS))


def _draw_curve(card: PointsCard, learn: Training, test: Training, seed: int) -> tuple[Step, ...]:
    """What more history brought: the same card learned from a quarter, half, three quarters and all of the rows."""
    def fit(size: int, draw: int) -> Any:
        rows = np.random.default_rng([seed, draw]).permutation(len(learn.rows))[:size]
        return _learn_again(card, learn, np.sort(rows)).predict_proba(_inputs(test))[:, 1]

    sizes = [round(share * len(learn.rows)) for share in _LEARNING_SHARES]
    return draw_curve(fit, _labels(test), sizes, (0,))


def _describe(outcome: Outcome, training: Training, name: str, note: str) -> About:
    return About(
        card=name, title=outcome.title, subject=outcome.subject, axis=outcome.axis, outcome=outcome.why,
        purpose="To put those in front of officers early who are likeliest to need agencies to act together.",
        not_for=("deciding anything about anybody", "refusing a home, a service or help",
                 "any use after the date by which it has to be reviewed"),
        data=" ".join([*training.describe(), note]).strip(),
        interventions=outcome.interventions.why if outcome.interventions else "None are logged for this outcome.",
        answers=outcome.decided_by)


def _cohort_of(outcome: Outcome) -> Any:
    """Who a card may be used on, as the outcome declares who it was learned from."""
    declared = yaml.safe_load((FOLDER / "outcomes.yaml").read_text(encoding="utf-8"))
    return declared["outcomes"][outcome.name].get("cohort")
