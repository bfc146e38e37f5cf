"""What a card said of a test and what happened -> an assessment: its figures, its rivals' and what it may be used for.

The test is one the card was not fitted on, later in time. A licence says what may be shown of a card: nothing, an
order, or a probability. It never rises because a card is useful: only because there is enough to know it by.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from engine.errors import Problem
from models.capacity import (
    AtCapacity,
    Borderline,
    Churn,
    Lift,
    RuleBaseline,
    Step,
    compare_rules,
    measure_borderline,
    measure_capacity,
    measure_lift,
)
from models.challengers import Challenger
from models.intervals import Estimate, compare_auc, estimate_mean
from models.metrics import (
    AssessError,
    Calibration,
    Quality,
    check_labels,
    check_probabilities,
    check_scores,
    measure_calibration,
    measure_quality,
)

Level = Literal["silent", "rank", "probability"]
Role = Literal["card", "oracle", "baseline", "challenger"]
LEVELS: tuple[Level, ...] = ("silent", "rank", "probability")

# Measured on 20,000 parole cases (fixed test of 6,000): below 1,000 training rows the calibration error is .04 to .07;
# .02 and a levelling AUC come at about 2,500. Below 500 even the order is not to be relied on.
SILENT_BELOW_ROWS = 500
RANK_BELOW_ROWS = 2_500
RANK_BELOW_EVENTS = 250
MOST_ECE = 0.02
# What a card may give away for being read by an officer; more, and somebody must ask why.
MOST_AUC_BEHIND = 0.02
MOST_BRIER_BEHIND = 0.004


@dataclass(frozen=True)
class About:
    """What the model card says in words, written by those who answer for it."""

    card: str
    title: str
    subject: str = "person"
    axis: str | None = None
    outcome: str = ""
    purpose: str = ""
    not_for: tuple[str, ...] = ()
    data: str = ""
    interventions: str = ""
    answers: str = ""


@dataclass(frozen=True)
class Evidence:
    """Everything an assessment is made from; arrays have one row per case of the test, in one order.

    score, low, high    whole points, and the interval of the probability (low and high from the card's table)
    cut                 the probability from which a case is put forward; without it nothing is borderline
    oracle              the true chance, where the world was invented; else None
    baselines           other rankings by name, such as the count of 12 months
    rules               a column per rule: true, false, or not known
    subjects            whose row it is, where one subject has rows at several dates
    trained_rows, trained_events   what the card was fitted on
    """

    labels: Any
    score: Any
    probability: Any
    capacity: int
    trained_rows: int
    trained_events: int
    low: Any = None
    high: Any = None
    cut: float | None = None
    oracle: Any = None
    baselines: Mapping[str, Any] = field(default_factory=dict)
    challengers: tuple[Challenger, ...] = ()
    rules: pd.DataFrame | None = None
    subjects: Any = None
    churn: Churn | None = None
    curve: tuple[Step, ...] = ()
    seed: int = 0


@dataclass(frozen=True)
class Rival:
    """One line of the quality table."""

    name: str
    role: Role
    quality: Quality | None     # None where it could not be fitted, and `why_not` says why
    capacity: AtCapacity | None
    why_not: str = ""


@dataclass(frozen=True)
class Behind:
    """How far the card is behind a challenger on the same rows: above 0 the challenger is better."""

    name: str
    auc: Estimate | None
    brier: Estimate | None

    @property
    def too_far(self) -> bool:
        """Whether the gap is larger than a readable card may cost."""
        return ((self.auc is not None and self.auc.value > MOST_AUC_BEHIND)
                or (self.brier is not None and self.brier.value > MOST_BRIER_BEHIND))


@dataclass(frozen=True)
class Licence:
    """What may be shown of the card, why no more, and what must be looked at before it is used."""

    level: Level
    why: tuple[str, ...]
    review: tuple[str, ...]


@dataclass(frozen=True)
class Assessment:
    """Everything the report says, in figures."""

    about: About
    rows: int
    subjects: int | None
    events: int
    trained_rows: int
    trained_events: int
    rivals: tuple[Rival, ...]
    behind: tuple[Behind, ...]
    calibration: Calibration
    capacity: AtCapacity
    lifts: tuple[Lift, ...]
    rules: tuple[RuleBaseline, ...]
    churn: Churn | None
    borderline: Borderline | None
    curve: tuple[Step, ...]
    licence: Licence

    @property
    def card(self) -> Quality:
        """The card's own figures."""
        quality = self.rivals[0].quality
        assert quality is not None
        return quality


def assess(evidence: Evidence, about: About) -> Assessment:
    """The card on its test, beside its rivals, with what it may be used for. Raises AssessError with all problems."""
    labels = _check(evidence)
    rivals = _measure_rivals(evidence, labels)
    behind = tuple(_measure_gap(evidence, labels, each) for each in evidence.challengers
                   if each.probabilities is not None)
    calibration = measure_calibration(labels, evidence.probability, evidence.seed)
    lifts = tuple(measure_lift(labels, evidence.score, ranking, name, evidence.capacity, evidence.seed)
                  for name, ranking in evidence.baselines.items())
    rules = () if evidence.rules is None else compare_rules(labels, evidence.score, evidence.rules)
    own = rivals[0].quality
    assert own is not None
    return Assessment(
        about, len(labels), None if evidence.subjects is None else int(pd.Series(evidence.subjects).nunique()),
        int(labels.sum()), evidence.trained_rows, evidence.trained_events, rivals, behind, calibration,
        measure_capacity(labels, evidence.score, evidence.capacity), lifts, rules, evidence.churn,
        _find_borderline(evidence), evidence.curve,
        decide_licence(evidence.trained_rows, evidence.trained_events, own, calibration, behind, lifts))


def decide_licence(
    rows: int, events: int, card: Quality, calibration: Calibration,
    behind: tuple[Behind, ...] = (), lifts: tuple[Lift, ...] = (),
) -> Licence:
    """The lowest level that any condition allows, each condition in words, and what calls for a model review."""
    found = [*_judge_history(rows, events), *_judge_test(card, calibration)]
    level: Level = min((each for each, _ in found), key=LEVELS.index, default="probability")
    why = tuple(words for each, words in found if each == level)
    return Licence(level, why or (f"fitted on {rows:,} rows with {events:,} events; calibrated on its test",),
                   (*(words for each in behind if (words := _say_behind(each))), *_judge_lifts(lifts)))


# --- the licence ----------------------------------------------------------------------------------


def _judge_history(rows: int, events: int) -> list[tuple[Level, str]]:
    found: list[tuple[Level, str]] = []
    if rows < SILENT_BELOW_ROWS:
        found.append(("silent", f"fitted on {rows:,} rows; {SILENT_BELOW_ROWS:,} are needed for an order"))
    if rows < RANK_BELOW_ROWS:
        found.append(("rank", f"fitted on {rows:,} rows; {RANK_BELOW_ROWS:,} are needed for a probability"))
    if events < RANK_BELOW_EVENTS:
        found.append(("rank", f"fitted on {events:,} events; {RANK_BELOW_EVENTS:,} are needed for a probability"))
    return found


def _judge_test(card: Quality, calibration: Calibration) -> list[tuple[Level, str]]:
    found: list[tuple[Level, str]] = []
    if card.auc is None:
        found.append(("silent", "the test has events only, or none: nothing is known of its order"))
    elif card.auc.low <= 0.5:
        found.append(("silent", "on its test it is not shown to rank better than chance: "
                                f"AUC {card.auc.value:.3f}, at least {card.auc.low:.3f}"))
    if calibration.ece > max(MOST_ECE, calibration.ece_floor):
        found.append(("rank", f"its probabilities are {calibration.ece:.3f} off on average; {MOST_ECE} is allowed, and "
                              f"chance alone explains up to {calibration.ece_floor:.3f}"))
    return found


def _say_behind(behind: Behind) -> str:
    if not behind.too_far:
        return ""
    gaps = [f"{gap.value:.4f} {name} (allowed: {most})" for gap, name, most in
            ((behind.auc, "AUC", MOST_AUC_BEHIND), (behind.brier, "Brier", MOST_BRIER_BEHIND))
            if gap is not None and gap.value > most]
    return f"{behind.name} is better by {' and '.join(gaps)}: open a model review"


def _judge_lifts(lifts: tuple[Lift, ...]) -> list[str]:
    return [f"its list holds no more events than the list by {each.name}, which needs no card: open a model review"
            for each in lifts if each.card <= each.other]


# --- the parts ------------------------------------------------------------------------------------


def _measure_rivals(evidence: Evidence, labels: Any) -> tuple[Rival, ...]:
    """The card first, then the oracle, then the baselines, then the challengers."""
    rivals = [_rival("this card", "card", evidence, labels, evidence.score, evidence.probability)]
    if evidence.oracle is not None:
        rivals.append(_rival("oracle", "oracle", evidence, labels, evidence.oracle, evidence.oracle))
    rivals += [_rival(name, "baseline", evidence, labels, ranking, None)
               for name, ranking in evidence.baselines.items()]
    rivals += [Rival(each.name, "challenger", None, None, each.why_not) if each.probabilities is None
               else _rival(each.name, "challenger", evidence, labels, each.probabilities, each.probabilities)
               for each in evidence.challengers]
    return tuple(rivals)


def _rival(name: str, role: Role, evidence: Evidence, labels: Any, scores: Any, probabilities: Any) -> Rival:
    return Rival(name, role, measure_quality(labels, scores, probabilities, evidence.subjects),
                 measure_capacity(labels, scores, evidence.capacity))


def _measure_gap(evidence: Evidence, labels: Any, challenger: Challenger) -> Behind:
    ours, theirs = np.asarray(evidence.probability, dtype=float), np.asarray(challenger.probabilities, dtype=float)
    return Behind(challenger.name, compare_auc(labels, evidence.score, theirs, evidence.subjects),
                  estimate_mean((labels - ours) ** 2 - (labels - theirs) ** 2, evidence.subjects))


def _find_borderline(evidence: Evidence) -> Borderline | None:
    if evidence.cut is None or evidence.low is None or evidence.high is None:
        return None
    return measure_borderline(evidence.low, evidence.high, evidence.cut)


def _check(evidence: Evidence) -> Any:
    """The labels as numbers, after every array has been looked at. Raises all problems at once."""
    labels = check_labels(evidence.labels)
    orders = {"score": evidence.score, **evidence.baselines}
    chances = {"probability": evidence.probability, "oracle": evidence.oracle, "low": evidence.low,
               "high": evidence.high, **{each.name: each.probabilities for each in evidence.challengers}}
    problems = [*_collect(check_scores, orders, len(labels)), *_collect(check_probabilities, chances, len(labels))]
    for name, table in (("rules", evidence.rules), ("subjects", evidence.subjects)):
        if table is not None and len(table) != len(labels):
            problems.append(Problem(name, f"{len(table)} rows", f"one for each of {len(labels)} labels"))
    if problems:
        raise AssessError(problems)
    return labels


def _collect(check: Callable[[Any, int, str], Any], arrays: Mapping[str, Any], rows: int) -> list[Problem]:
    problems: list[Problem] = []
    for name, values in arrays.items():
        try:
            if values is not None:
                check(values, rows, name)
        except AssessError as error:
            problems += error.problems
    return problems
