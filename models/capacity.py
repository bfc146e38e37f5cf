"""Outcomes, a ranking and the room there is -> what a list of that length holds, and how steady it is.

A score of whole points has ties, and the cut falls inside one. Everybody in that tie has the same chance of the places
left: `weigh_list` gives 1 to the rows surely on the list, 0 to the rest, and the tied ones their share. What depends on
who of them is taken is told as worst, best and expected, never by the order of the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import mean
from typing import Any

import numpy as np
import pandas as pd

from engine.errors import Problem
from models.intervals import Estimate, Floats, estimate_auc, score_share, take_quantiles
from models.metrics import AssessError, check_labels, check_scores, measure_ece

DRAWS = 500             # bootstrap samples for an interval: its ends then move by about a tenth of its width
PLATEAU = 0.005         # AUC that the last step of a learning curve must bring to be worth waiting for (the card goal)


@dataclass(frozen=True)
class Span:
    """A share that depends on who of the tied rows is taken."""

    worst: float
    expected: float
    best: float


@dataclass(frozen=True)
class AtCapacity:
    """A list of `places`: `sure` are above the cut; `tied` share its score and `left` places are theirs."""

    places: int
    cut: float
    sure: int
    tied: int
    left: int
    precision: Span
    recall: Span | None         # None where nothing happened to anybody
    interval: Estimate          # of the expected precision


@dataclass(frozen=True)
class Lift:
    """The card's list beside one of the same length by another ranking: events on each, and their ratio."""

    name: str
    places: int
    card: float
    other: float
    ratio: Estimate | None      # None where the other list holds no event
    overlap: float


@dataclass(frozen=True)
class RuleBaseline:
    """A rule as a list: how many it flags, how often rightly, and how often the card is right on as many.

    `unknown` are cases the rule could not tell; they are not flagged. `rule_only` counts events that the rule's list
    holds and the card's does not (ties by their share), `card_only` the other way round.
    """

    rule: str
    flagged: int
    unknown: int
    share: float
    precision: Estimate | None
    card: Estimate | None
    overlap: float
    rule_only: float
    card_only: float


@dataclass(frozen=True)
class Churn:
    """How alike two lists are (Jaccard), beside lists from refits on resampled history.

    `floor` has the middle Jaccard between two such refits and the span of 95 in 100. `entered` and `left` count places.
    """

    overlap: float | None
    floor: Estimate
    refits: int
    entered: float | None

    @property
    def beyond_noise(self) -> bool | None:
        """Whether the list moved more than refitting on the same history would move it; None without two lists."""
        return None if self.overlap is None else self.overlap < self.floor.low


@dataclass(frozen=True)
class Borderline:
    """Cases whose interval straddles the cut: which side they are on is not known."""

    cut: float
    rows: int
    share: Estimate


@dataclass(frozen=True)
class Step:
    """A learning curve at one number of training rows: means over the seeds, and the span of AUC."""

    rows: int
    auc: Estimate
    brier: float
    ece: float


def weigh_list(scores: Any, places: int) -> Floats:
    """Each row's chance of a place on a list of the highest scores."""
    scores = np.asarray(scores, dtype=float)
    places = min(places, len(scores))
    if places <= 0:
        return np.zeros(len(scores))
    cut = np.partition(scores, len(scores) - places)[len(scores) - places]
    above, tied = scores > cut, scores == cut
    chance: Floats = above + tied * ((places - above.sum()) / tied.sum())
    return chance


def measure_capacity(labels: Any, scores: Any, places: int) -> AtCapacity:
    """Precision and recall of a list of the highest scores, with worst, expected and best luck among ties."""
    labels = check_labels(labels)
    scores = check_scores(scores, len(labels), "scores")
    if places < 1:
        raise AssessError(Problem("capacity", f"{places} places", "1 or more"))
    places = min(places, len(labels))
    chance = weigh_list(scores, places)
    cut = float(scores[chance > 0].min())
    above, tied = scores > cut, scores == cut
    sure, hits, in_tie = int(above.sum()), float(labels[above].sum()), float(labels[tied].sum())
    left = places - sure
    found = (hits + max(0.0, left - (int(tied.sum()) - in_tie)), hits + in_tie * left / int(tied.sum()),
             hits + min(float(left), in_tie))
    events = float(labels.sum())
    interval = score_share(found[1], places)
    assert interval is not None
    return AtCapacity(places, cut, sure, int(tied.sum()), left, Span(*(each / places for each in found)),
                      Span(*(each / events for each in found)) if events else None, interval)


def overlap(ours: Any, theirs: Any) -> float:
    """Jaccard of two lists: who is on both over who is on either. Chances count as parts; two empty lists are alike."""
    ours, theirs = np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)
    either = float(np.maximum(ours, theirs).sum())
    return float(np.minimum(ours, theirs).sum()) / either if either else 1.0


def measure_lift(labels: Any, scores: Any, other: Any, name: str, places: int, seed: int) -> Lift:
    """How many times as many events the card's list holds as one by another ranking, with a bootstrap interval."""
    labels = check_labels(labels)
    ours, theirs = (check_scores(each, len(labels), name) for each in (scores, other))
    places = min(places, len(labels))
    lists = weigh_list(ours, places), weigh_list(theirs, places)
    card, beside = (float((labels * each).sum()) / places for each in lists)
    ratio = None
    if beside:
        order = np.lexsort((theirs, ours, labels))      # samples must not depend on the order of the rows
        ratio = take_quantiles(card / beside, _draw_ratios(labels[order], ours[order], theirs[order], places, seed))
    return Lift(name, places, card, beside, ratio, overlap(*lists))


def _draw_ratios(labels: Floats, ours: Floats, theirs: Floats, places: int, seed: int) -> list[float]:
    """Lifts of bootstrap samples; half an event is added to both lists, so that an empty one has a lift too."""
    random, drawn = np.random.default_rng(seed), []
    for _ in range(DRAWS):
        rows = random.integers(0, len(labels), len(labels))
        card, beside = (float((labels[rows] * weigh_list(each[rows], places)).sum()) for each in (ours, theirs))
        drawn.append((card + 0.5) / (beside + 0.5))
    return drawn


def compare_rule(labels: Any, scores: Any, fired: Any, rule: str) -> RuleBaseline:
    """One rule (true, false, not known) as a baseline, beside the card's list of the same length."""
    labels = check_labels(labels)
    fires = pd.Series(fired).astype("boolean")
    if len(fires) != len(labels):
        raise AssessError(Problem(f"rules.{rule}", f"{len(fires)} outcomes", f"one for each of {len(labels)} rows"))
    flagged = fires.fillna(False).to_numpy(dtype=float)
    places = int(flagged.sum())
    card = weigh_list(check_scores(scores, len(labels), "scores"), places)
    return RuleBaseline(
        rule, places, int(fires.isna().sum()), places / len(labels),
        score_share(float((labels * flagged).sum()), places), score_share(float((labels * card).sum()), places),
        overlap(flagged, card), float((labels * np.maximum(flagged - card, 0)).sum()),
        float((labels * np.maximum(card - flagged, 0)).sum()))


def compare_rules(labels: Any, scores: Any, rules: pd.DataFrame) -> tuple[RuleBaseline, ...]:
    """Every column of a table of rules as a baseline, in the order of the columns."""
    return tuple(compare_rule(labels, scores, rules[rule].to_numpy(), str(rule)) for rule in rules.columns)


def measure_churn(
    refit: Callable[[int], Any], places: int, seeds: Sequence[int], *, before: Any = None, now: Any = None
) -> Churn:
    """The overlap of the lists `before` and `now`, beside the overlaps of refits.

    `refit(seed)` fits on a bootstrap sample of the same history and scores the same rows as `before` and `now`.
    """
    if len(seeds) < 2:
        raise AssessError(Problem("seeds", f"{len(seeds)}", "2 or more, 10 for an interval worth reading"))
    lists = [weigh_list(refit(seed), places) for seed in seeds]
    pairs = [overlap(*pair) for pair in combinations(lists, 2)]
    floor = take_quantiles(float(np.median(pairs)), pairs)
    if before is None or now is None:
        return Churn(None, floor, len(lists), None)
    ours, theirs = weigh_list(now, places), weigh_list(before, places)
    return Churn(overlap(ours, theirs), floor, len(lists), float(np.maximum(ours - theirs, 0).sum()))


def measure_borderline(low: Any, high: Any, cut: float) -> Borderline:
    """How many cases have an interval from `low` to `high` that straddles the cut."""
    low, high = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
    straddling = int(((low < cut) & (high >= cut)).sum())
    share = score_share(straddling, len(low))
    if share is None:
        raise AssessError(Problem("low", "no rows", "an interval for each case"))
    return Borderline(cut, straddling, share)


def draw_curve(
    fit: Callable[[int, int], Any], labels: Any, sizes: Sequence[int], seeds: Sequence[int]
) -> tuple[Step, ...]:
    """The learning curve: `fit(rows, seed)` learns from so many rows and gives probabilities for one test, `labels`."""
    labels = check_labels(labels)
    return tuple(_take_step(labels, size, [check_scores(fit(size, seed), len(labels), "fit") for seed in seeds])
                 for size in sorted(sizes))


def _take_step(labels: Floats, rows: int, chances: Sequence[Floats]) -> Step:
    areas = [each.value for each in (estimate_auc(labels, chance) for chance in chances) if each is not None]
    if not areas:
        raise AssessError(Problem("labels", "all alike", "some with the outcome and some without"))
    return Step(rows, Estimate(mean(areas), min(areas), max(areas)),
                mean(float(((labels - chance) ** 2).mean()) for chance in chances),
                mean(measure_ece(labels, chance) for chance in chances))


def has_levelled(curve: Sequence[Step]) -> bool | None:
    """Whether the last step brought less than `PLATEAU`; None where there is no step to judge."""
    return None if len(curve) < 2 else curve[-1].auc.value - curve[-2].auc.value < PLATEAU
