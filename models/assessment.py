"""What a card said of a test and what happened -> an assessment: its figures, its rivals' and what it may be used for.

The test is one the card was not fitted on, later in time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
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
from models.intervals import compare_auc, estimate_mean
from models.licence import Behind, Licence, decide_licence
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
from models.routes import Routes, cross_routes, find_retirable

Role = Literal["card", "oracle", "baseline", "challenger"]


@dataclass(frozen=True)
class About:
    """What the model card says in words, written by those who answer for it; `checked`: leaks looked for, not found."""

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
    checked: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """Everything an assessment is made from; arrays have one row per case of the test, in one order.

    score, low, high    whole points, and the interval of the probability (low and high from the card's table)
    cut                 the probability from which a case is put forward; without it nothing is borderline
    oracle              the true chance, where the world was invented; else None
    baselines           other rankings by name, such as the count of 12 months
    rules               a column per rule: true, false, or not known
    put_forward         whether any live rule put the case forward: true, false, or not known
    grounded            rules that stand on a statute or a partner's word, whatever the figures say
    review              what else somebody has to look at before the card is used
    lists               how many lists the capacity is for: a test at 4 dates has 4 meetings' places
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
    put_forward: Any = None
    grounded: Collection[str] = ()
    lists: int = 1
    subjects: Any = None
    churn: Churn | None = None
    curve: tuple[Step, ...] = ()
    review: tuple[str, ...] = ()
    seed: int = 0


@dataclass(frozen=True)
class Rival:
    """One line of the quality table."""

    name: str
    role: Role
    quality: Quality | None     # None where it could not be fitted, and `why_not` says why
    capacity: AtCapacity | None
    why_not: str = ""
    how: str = ""


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
    retirable: tuple[str, ...]
    routes: Routes | None
    lists: int
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
        measure_capacity(labels, evidence.score, evidence.capacity), lifts, rules,
        tuple(find_retirable(rules, evidence.grounded)), _cross(evidence, labels), evidence.lists, evidence.churn,
        _find_borderline(evidence), evidence.curve,
        decide_licence(evidence.trained_rows, evidence.trained_events, own, calibration, behind, lifts,
                       evidence.review))


# --- the parts ------------------------------------------------------------------------------------


def _measure_rivals(evidence: Evidence, labels: Any) -> tuple[Rival, ...]:
    """The card first, then the oracle, then the baselines, then the challengers."""
    rivals = [_rival("this card", "card", evidence, labels, evidence.score, evidence.probability)]
    if evidence.oracle is not None:
        rivals.append(_rival("oracle", "oracle", evidence, labels, evidence.oracle, evidence.oracle))
    rivals += [_rival(name, "baseline", evidence, labels, ranking, None)
               for name, ranking in evidence.baselines.items()]
    rivals += [Rival(each.name, "challenger", None, None, each.why_not) if each.probabilities is None
               else replace(_rival(each.name, "challenger", evidence, labels, each.probabilities, each.probabilities),
                            how=each.how)
               for each in evidence.challengers]
    return tuple(rivals)


def _rival(name: str, role: Role, evidence: Evidence, labels: Any, scores: Any, probabilities: Any) -> Rival:
    return Rival(name, role, measure_quality(labels, scores, probabilities, evidence.subjects),
                 measure_capacity(labels, scores, evidence.capacity))


def _measure_gap(evidence: Evidence, labels: Any, challenger: Challenger) -> Behind:
    ours, theirs = np.asarray(evidence.probability, dtype=float), np.asarray(challenger.probabilities, dtype=float)
    return Behind(challenger.name, compare_auc(labels, evidence.score, theirs, evidence.subjects),
                  estimate_mean((labels - ours) ** 2 - (labels - theirs) ** 2, evidence.subjects))


def _cross(evidence: Evidence, labels: Any) -> Routes | None:
    if evidence.put_forward is None:
        return None
    return cross_routes(labels, evidence.score, evidence.put_forward, evidence.capacity)


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
    for name, table in (("rules", evidence.rules), ("put_forward", evidence.put_forward),
                        ("subjects", evidence.subjects)):
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
