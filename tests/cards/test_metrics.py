"""How well a card ranks, whether its probabilities come true, and what a list of a given length holds."""

from __future__ import annotations

from itertools import combinations, permutations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from models.capacity import (
    Step,
    compare_rule,
    draw_curve,
    has_levelled,
    measure_borderline,
    measure_capacity,
    measure_churn,
    measure_lift,
    overlap,
    weigh_list,
)
from models.challengers import EBM, fit_challengers
from models.intervals import Estimate, bound_ratio, bound_share, compare_auc, estimate_auc, estimate_mean, score_share
from models.metrics import (
    AssessError,
    estimate_brier,
    measure_bands,
    measure_calibration,
    measure_ece,
    measure_log_loss,
    measure_quality,
)

SMALL = st.integers(2, 9).flatmap(lambda rows: st.tuples(
    st.lists(st.integers(0, 1), min_size=rows, max_size=rows).filter(lambda labels: 0 < sum(labels) < len(labels)),
    st.lists(st.integers(-2, 2), min_size=rows, max_size=rows)))


def draw_world(seed: int, rows: int = 2000) -> tuple[Any, Any]:
    """Outcomes drawn as often as the probabilities say: a perfect card."""
    random = np.random.default_rng(seed)
    chance = random.beta(1, 6, rows)
    return (random.random(rows) < chance).astype(int), chance


# --- ranking --------------------------------------------------------------------------------------


@given(SMALL)
def test_auc_is_the_share_of_pairs_placed_rightly(world: Any) -> None:
    labels, scores = world
    pairs = [(scores[i] > scores[j]) + (scores[i] == scores[j]) / 2
             for i, happened in enumerate(labels) for j, other in enumerate(labels) if happened and not other]

    found = estimate_auc(labels, scores)

    assert found is not None
    assert found.value == pytest.approx(sum(pairs) / len(pairs))
    assert found.value == pytest.approx(roc_auc_score(labels, scores))
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_delongs_interval_holds_the_truth_about_95_times_of_100() -> None:
    truth, held = 0.7602499, 0          # of two normal distributions one standard deviation apart
    for seed in range(300):
        random = np.random.default_rng(seed)
        labels = np.repeat([0, 1], [90, 30])
        found = estimate_auc(labels, random.normal(size=120) + labels)
        assert found is not None
        held += found.low <= truth <= found.high
    assert 0.91 <= held / 300 <= 0.985


def test_the_rows_of_one_subject_do_not_make_it_surer() -> None:
    labels, chance = draw_world(1, 400)
    subjects = np.arange(400)
    once, thrice = estimate_auc(labels, chance, subjects), estimate_auc(
        np.tile(labels, 3), np.tile(chance, 3), np.tile(subjects, 3))
    naive = estimate_auc(np.tile(labels, 3), np.tile(chance, 3))
    assert once is not None and thrice is not None and naive is not None

    assert thrice.high - thrice.low == pytest.approx(once.high - once.low, rel=0.01)
    assert naive.high - naive.low < 0.7 * (thrice.high - thrice.low)


def test_a_perfect_ranking_of_few_is_not_sure() -> None:
    found = estimate_auc([0, 0, 0, 1, 1], [1, 2, 3, 4, 5])

    assert found == Estimate(1.0, pytest.approx(0.025**0.5), 1.0)


def test_with_one_outcome_only_nothing_is_ranked() -> None:
    assert estimate_auc([1, 1, 1], [1, 2, 3]) is None
    assert measure_quality([0, 0], [1, 2], [0.1, 0.2]).auc is None


def test_two_rankings_of_the_same_rows_are_compared_in_pairs() -> None:
    labels, chance = draw_world(2)
    noisy = chance + np.random.default_rng(3).normal(size=len(chance)) * 0.1
    gap, same = compare_auc(labels, noisy, chance), compare_auc(labels, chance, chance * 2)

    assert gap is not None and gap.low > 0
    assert gap.value == pytest.approx(roc_auc_score(labels, chance) - roc_auc_score(labels, noisy))
    assert same == Estimate(0.0, 0.0, 0.0)


# --- intervals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("hits", "of"), [(0, 10), (3, 10), (10, 10), (7, 200)])
def test_exact_bounds_leave_25_in_1000_on_either_side(hits: int, of: int) -> None:
    found = bound_share(hits, of)
    assert found is not None
    assert found.low == 0 if not hits else binom.sf(hits - 1, of, found.low) == pytest.approx(0.025)
    assert found.high == 1 if hits == of else binom.cdf(hits, of, found.high) == pytest.approx(0.025)


def test_wilson_by_hand_and_none_of_none_is_not_a_number() -> None:
    found = score_share(1, 10)
    assert found is not None
    assert (found.low, found.high) == (pytest.approx(0.0179, abs=1e-4), pytest.approx(0.4042, abs=1e-4))
    assert score_share(0, 0) is None and bound_share(0, 0) is None and bound_ratio(0, 0.0, 5) is None


# --- probabilities --------------------------------------------------------------------------------


@given(st.integers(0, 50))
@settings(max_examples=20, deadline=None)
def test_brier_and_log_loss_are_scikit_learns(seed: int) -> None:
    labels, chance = draw_world(seed, 60)
    brier = estimate_brier(labels, chance)
    assert brier is not None
    assert brier.value == pytest.approx(brier_score_loss(labels, chance))
    assert measure_log_loss(labels, chance) == pytest.approx(log_loss(labels, chance, labels=[0, 1]))


def test_ece_by_hand() -> None:
    # Half are told .2 and one of four had it; half are told .8 and two of four had it.
    assert measure_ece([1, 0, 0, 0, 1, 1, 0, 0], [0.2] * 4 + [0.8] * 4) == pytest.approx((0.05 + 0.3) / 2)


def test_a_perfect_card_is_within_its_noise_and_an_exaggerating_one_is_not() -> None:
    labels, chance = draw_world(5, 4000)
    perfect = measure_calibration(labels, chance, seed=0)
    odds = chance / (1 - chance)
    bold = measure_calibration(labels, odds**2 / (odds**2 + 0.3**2), seed=0)
    assert perfect.slope is not None and bold.slope is not None and perfect.in_the_large is not None

    assert perfect.ece <= perfect.ece_floor
    assert not perfect.slope.excludes(1) and not perfect.in_the_large.excludes(1)
    assert bold.ece > bold.ece_floor
    assert bold.slope.high < 0.7
    assert sum(band.rows for band in bold.bands) == 4000


def test_the_slope_is_that_of_a_logistic_regression() -> None:
    labels, chance = draw_world(6)
    said = np.log(chance / (1 - chance))[:, None]
    found = measure_calibration(labels, chance, seed=0).slope
    assert found is not None
    assert found.value == pytest.approx(LogisticRegression(C=1e9, tol=1e-10).fit(said, labels).coef_[0, 0], rel=1e-4)


def test_a_slope_that_has_no_end_is_none() -> None:
    assert measure_calibration([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9], seed=0).slope is None
    assert measure_calibration([0, 1, 0, 1], [0.5] * 4, seed=0).slope is None


def test_bands_between_given_edges() -> None:
    low, high = measure_bands([0, 1, 0, 1, 1], [0.1, 0.1, 0.1, 0.5, 0.9], edges=[0.3, 0.95])

    assert (low.rows, low.observed, low.expected) == (3, 1, pytest.approx(0.3))
    assert (high.rows, high.observed, high.ratio.value if high.ratio else 0) == (2, 2, pytest.approx(2 / 1.4))


@given(st.randoms(use_true_random=False))
@settings(max_examples=10, deadline=None)
def test_the_order_of_the_rows_changes_nothing(random: Any) -> None:
    labels, chance = draw_world(7, 300)
    chance = np.round(chance, 2)
    order = list(range(300))
    random.shuffle(order)
    one, other = (measure_calibration(y, p, seed=1) for y, p in ((labels, chance), (labels[order], chance[order])))

    assert [(band.rows, band.observed) for band in one.bands] == [(band.rows, band.observed) for band in other.bands]
    assert (one.ece, one.ece_floor) == (pytest.approx(other.ece), pytest.approx(other.ece_floor))
    lifts = [measure_lift(y, p, -p, "worst first", 30, seed=1)
             for y, p in ((labels, chance), (labels[order], chance[order]))]
    assert lifts[0] == lifts[1]


def test_an_unknown_outcome_or_too_few_scores_gives_helpful_error() -> None:
    with pytest.raises(AssessError, match="an outcome that is not known"):
        measure_quality([0, None, 1], [1, 2, 3])
    with pytest.raises(AssessError, match=r"2 values, 0 of them not numbers\n.*a number for each of 3 rows"):
        measure_quality([0, 0, 1], [1, 2])
    with pytest.raises(AssessError, match="outside 0 to 1"):
        measure_quality([0, 1], [1, 2], [0.5, 1.5])


# --- lists ----------------------------------------------------------------------------------------


@given(SMALL, st.integers(1, 10))
def test_worst_best_and_expected_are_those_of_every_way_to_fill_the_list(world: Any, places: int) -> None:
    labels, scores = world
    length = min(places, len(labels))
    ways = [sum(labels[row] for row in chosen) for chosen in combinations(range(len(labels)), length)
            if sorted((scores[row] for row in chosen), reverse=True) == sorted(scores, reverse=True)[:length]]

    found = measure_capacity(labels, scores, places)

    assert found.precision.worst == pytest.approx(min(ways) / length)
    assert found.precision.best == pytest.approx(max(ways) / length)
    assert found.precision.expected == pytest.approx(sum(ways) / len(ways) / length)
    assert found.recall is not None
    assert found.recall.expected == pytest.approx(sum(ways) / len(ways) / sum(labels))
    assert found.sure + found.left == length


@given(SMALL, st.integers(0, 10))
def test_a_list_has_as_many_chances_as_places_whatever_the_order_of_rows(world: Any, places: int) -> None:
    _, scores = world
    chances = weigh_list(scores, places)
    assert chances.sum() == pytest.approx(min(places, len(scores)))
    assert weigh_list(scores[::-1], places).tolist() == chances[::-1].tolist()


def test_overlap_is_jaccard() -> None:
    for one, other in permutations([{1, 2}, {2, 3, 4}, set(), {1, 2, 3}], 2):
        ours, theirs = ([row in each for row in range(5)] for each in (one, other))
        assert overlap(ours, theirs) == pytest.approx(len(one & other) / len(one | other))


def test_a_rule_is_a_baseline_of_its_own_length() -> None:
    found = compare_rule([1, 0, 1, 1, 0], [5, 4, 3, 2, 1], [False, True, None, True, False], "two_reports")

    assert (found.flagged, found.unknown, found.share) == (2, 1, 0.4)
    assert found.precision is not None and found.precision.value == 0.5
    assert found.card is not None and found.card.value == 0.5       # rows 0 and 1
    assert found.overlap == pytest.approx(1 / 3)
    assert (found.rule_only, found.card_only) == (1, 1)


def test_a_rule_that_never_fires_has_no_precision() -> None:
    found = compare_rule([1, 0], [1, 0], [False, None], "never")
    assert (found.precision, found.card, found.flagged) == (None, None, 0)


def test_lift_says_how_many_times_as_many_with_an_interval() -> None:
    labels, chance = draw_world(8)
    coin = np.random.default_rng(9).random(len(labels))
    better, same = (measure_lift(labels, chance, other, "other", 200, seed=0) for other in (coin, chance))
    assert better.ratio is not None and same.ratio is not None

    assert better.ratio.low > 1.3
    assert (same.ratio, same.overlap) == (Estimate(1.0, 1.0, 1.0), 1.0)


def test_churn_is_judged_against_refits_on_the_same_history() -> None:
    truth = np.arange(500.0)

    def refit(seed: int) -> Any:
        return truth + np.random.default_rng(seed).normal(size=500) * 40

    alike = measure_churn(refit, 50, range(12), before=refit(100), now=refit(101))
    other = measure_churn(refit, 50, range(12), before=refit(100), now=-truth)
    floor_only = measure_churn(refit, 50, range(12))

    assert alike.beyond_noise is False
    assert (other.beyond_noise, other.overlap, other.entered) == (True, 0.0, 50.0)
    assert (floor_only.beyond_noise, floor_only.floor) == (None, alike.floor)
    with pytest.raises(AssessError, match="2 or more"):
        measure_churn(refit, 50, [1])


def test_borderline_cases_have_an_interval_on_both_sides_of_the_cut() -> None:
    found = measure_borderline([0.1, 0.2, 0.3, 0.4], [0.2, 0.3, 0.4, 0.5], cut=0.3)
    assert (found.rows, found.share.value) == (1, 0.25)      # .2 to .3 only: .3 and above is on the list


def test_a_learning_curve_levels_when_more_rows_bring_nothing() -> None:
    labels, chance = draw_world(10)

    def fit(rows: int, seed: int) -> Any:
        return np.clip(chance + np.random.default_rng(seed).normal(size=len(chance)) * 20 / rows, 0, 1)

    curve = draw_curve(fit, labels, [8000, 100, 400], range(3))

    assert [step.rows for step in curve] == [100, 400, 8000]
    assert curve[0].auc.value < curve[1].auc.value < curve[2].auc.value
    assert has_levelled(curve) is False
    assert has_levelled([*curve, Step(16000, curve[-1].auc, 0, 0)]) is True
    assert has_levelled(curve[:1]) is None


def test_the_mean_of_one_row_has_no_interval() -> None:
    assert estimate_mean([0.3]) is None


# --- challengers ----------------------------------------------------------------------------------


def test_challengers_take_a_table_as_it_is_and_say_why_one_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    count = random.poisson(1, 600)
    table = pd.DataFrame({"reports": pd.array(count, dtype="Int64"),
                          "tenure": random.choice(["council", "private"], 600),
                          "supported": pd.array(random.random(600) < 0.5, dtype="boolean")})
    table.loc[:30, :] = None
    outcome = (random.random(600) < 0.1 + 0.15 * count).astype(int)

    found = {each.name: each for each in fit_challengers(table[:400], outcome[:400], table[400:], seed=0)}
    monkeypatch.setattr("models.challengers.ExplainableBoostingClassifier", None)
    without = {each.name: each for each in fit_challengers(table[:400], outcome[:400], table[400:], seed=0)}

    for name, each in found.items():
        assert each.probabilities is not None, name
        area = estimate_auc(outcome[400:], each.probabilities)
        assert area is not None and area.value > 0.6, name
    assert (without[EBM].probabilities, without[EBM].why_not) == (None, "interpret-core is not installed here")
