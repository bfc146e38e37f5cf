"""A points card is a well-behaved classifier, keeps what was declared, and is the same for the same rows."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from engine.card import read_card
from models.card import PointsCard
from models.inputs import FitError
from models.rows import gather
from models.sheet import Factor

from .rows import NOT_ASKED, make_rows

RISING = {"reports_365d": 1, "arrears_weeks": 1}


@pytest.fixture(scope="module")
def rows() -> tuple[pd.DataFrame, np.ndarray]:
    return make_rows(3_000)


@pytest.fixture(scope="module")
def card(rows: tuple[pd.DataFrame, np.ndarray]) -> PointsCard:
    return PointsCard(special_values={"visits": [NOT_ASKED]}).fit(*rows)


def factor_of(card: PointsCard, column: str) -> Factor:
    return next(factor for factor in card.factors_ if factor.column == column)


def points_of(factor: Factor) -> list[int]:
    return [each.points for each in factor.bins]


# --- scikit-learn -------------------------------------------------------------------------------


@parametrize_with_checks([PointsCard()])
def test_scikit_learn_finds_no_fault(estimator: PointsCard, check: object) -> None:
    """All of scikit-learn's checks, and none is expected to fail."""
    check(estimator)        # type: ignore[operator]


def test_it_can_be_cross_validated_on_a_frame_as_it_is(rows: tuple[pd.DataFrame, np.ndarray]) -> None:
    assert cross_val_score(PointsCard(), *rows, scoring="roc_auc", cv=3).min() > 0.7


@pytest.mark.parametrize("names", [("no", "yes"), (False, True), (3, 7)])
def test_the_second_class_in_order_is_the_event(rows: tuple[pd.DataFrame, np.ndarray], names: tuple[object]) -> None:
    frame, happened = rows
    card = PointsCard().fit(frame, np.array(names)[happened])
    assert card.classes_.tolist() == list(names)
    assert set(card.predict(frame)) == set(names)
    assert roc_auc_score(happened, card.predict_proba(frame)[:, 1]) > 0.7


# --- what an officer reads ----------------------------------------------------------------------


def test_a_card_asks_few_things_in_whole_points_on_few_lines(rows: tuple[pd.DataFrame, np.ndarray]) -> None:
    card = PointsCard(max_factors=3, max_points=5, max_cells=9).fit(*rows)
    lines = [each for factor in card.factors_ for each in factor.bins]
    assert len(card.factors_) == 3
    assert all(type(each.points) is int and abs(each.points) <= 5 for each in lines)
    assert sum(each.share > 0 for each in lines) - len(card.factors_) <= 9, "but one of each"


def test_what_has_nothing_to_do_with_the_outcome_is_not_asked(card: PointsCard) -> None:
    asked = {factor.fact for factor in card.factors_}
    assert asked >= {"reports_365d", "arrears_weeks", "tenure", "isolated", "visits"}
    assert "noise" not in asked


def test_the_widest_factor_spans_all_points_there_are(rows: tuple[pd.DataFrame, np.ndarray]) -> None:
    """Half the span would let people tie, or part, by chance: the lists would change more at every refit."""
    for most in (5, 10):
        points = points_of(PointsCard(max_points=most).fit(*rows).factors_[0])
        assert 2 * most - 1 <= max(points) - min(points) <= 2 * most


def test_the_commonest_answer_has_no_points_where_there_is_room(card: PointsCard) -> None:
    for factor in card.factors_:
        commonest = max(factor.bins[:-1], key=lambda line: line.share)
        assert commonest.points == 0 or max(map(abs, points_of(factor))) == card.max_points


def test_the_widest_factor_comes_first(card: PointsCard) -> None:
    spreads = [max(points_of(factor)) - min(points_of(factor)) for factor in card.factors_]
    assert spreads == sorted(spreads, reverse=True)


def test_every_factor_ends_with_what_is_not_known(card: PointsCard) -> None:
    assert {factor.bins[-1].source for factor in card.factors_} == {f"{f.fact} is missing" for f in card.factors_}


def test_a_special_value_has_a_line_of_its_own_and_is_no_quantity(card: PointsCard) -> None:
    visits = factor_of(card, "visits")
    assert [each.source for each in visits.bins].count(f"visits == {NOT_ASKED}") == 1
    assert visits.range is not None and visits.range[1] < NOT_ASKED


def test_of_a_group_at_most_one_is_asked(rows: tuple[pd.DataFrame, np.ndarray]) -> None:
    frame, happened = rows
    frame = frame.assign(reports_90d=frame["reports_365d"].fillna(0) // 2, reports_183d=frame["reports_365d"] // 3)
    group = dict.fromkeys(("reports_90d", "reports_183d", "reports_365d"), "reports")
    asked = [{f.column for f in PointsCard(groups=groups).fit(frame, happened).factors_} for groups in (None, group)]
    assert len(asked[0] & set(group)) > 1, "without groups it would ask twice"
    assert len(asked[1] & set(group)) == 1


def test_points_explain_the_score_against_the_average_case(
    card: PointsCard, rows: tuple[pd.DataFrame, np.ndarray],
) -> None:
    frame, _ = rows
    average = sum(factor.typical for factor in card.factors_)
    assert card.points(frame).sum(axis=1).mean() == pytest.approx(average, abs=0.01)
    for at in range(20):
        given_ = card.explain(frame.iloc[at])
        assert sum(each.points for each in given_) == card.points(frame.iloc[[at]]).sum()
        differences = [abs(each.difference) for each in given_]
        assert differences == sorted(differences, reverse=True)


def test_a_case_that_lacks_a_column_is_not_explained_as_if_it_were_unknown(card: PointsCard) -> None:
    with pytest.raises(FitError, match=r"tenure: not given\n.*None where it is not known"):
        card.explain({factor.column: None for factor in card.factors_ if factor.column != "tenure"})


# --- declared -----------------------------------------------------------------------------------


@st.composite
def declared(draw: st.DrawFn) -> tuple[pd.DataFrame, np.ndarray, int]:
    """A column that may well run against what is declared of it, with gaps and often with nothing missing at all."""
    random = np.random.default_rng(draw(st.integers(0, 10**6)))
    count, sign = draw(st.integers(60, 800)), draw(st.sampled_from([1, -1]))
    kind = draw(st.sampled_from(["counts", "measure", "gap", "truth"]))
    value = {"counts": random.poisson(1.5, count), "measure": random.normal(size=count),
             "gap": random.choice([0, 1, 50, 51], count), "truth": random.random(count) < 0.4}[kind].astype(float)
    missing = random.random(count) < draw(st.sampled_from([0.0, 0.2, 0.6]))
    other = random.normal(size=count)
    odds = draw(st.sampled_from([-1.5, 0.0, 1.5])) * value + draw(st.sampled_from([-3.0, 0.0, 3.0])) * missing + other
    happened = random.random(count) < 1 / (1 + np.exp(-odds))
    happened[:2] = [False, True]
    return pd.DataFrame({"value": np.where(missing, np.nan, value), "other": other}), happened, sign


@settings(derandomize=True, max_examples=60, deadline=None)
@given(declared())
def test_points_never_run_against_what_is_declared(made: tuple[pd.DataFrame, np.ndarray, int]) -> None:
    frame, happened, sign = made
    card = PointsCard(monotone={"value": sign}).fit(frame, happened)
    asked = pd.DataFrame({"value": np.linspace(-5, 60, 1_301), "other": 0.0})
    assert np.all(sign * np.diff(card.points(asked).sum(axis=1)) >= 0)
    assert np.all(sign * np.diff(card.predict_proba(asked)[:, 1]) >= 0)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(declared())
def test_hiding_never_makes_anybody_look_safer_than_the_safest(made: tuple[pd.DataFrame, np.ndarray, int]) -> None:
    frame, happened, sign = made
    card = PointsCard(monotone={"value": sign}).fit(frame, happened)
    for factor in card.factors_:
        if factor.column == "value":
            assert points_of(factor)[-1] >= min(points_of(factor)[:-1])


@settings(derandomize=True, max_examples=40, deadline=None)
@given(declared())
def test_where_missing_is_never_rewarded_it_has_at_least_the_average(
    made: tuple[pd.DataFrame, np.ndarray, int],
) -> None:
    frame, happened, _ = made
    card = PointsCard(missing_never_rewarded=["value"]).fit(frame, happened)
    known = frame[frame["value"].notna()]
    for at, factor in enumerate(card.factors_):
        if factor.column == "value":
            assert points_of(factor)[-1] >= card.points(known)[:, at].mean() - 1e-9


def test_undeclared_points_do_run_the_other_way() -> None:
    """The properties above could not fail if nothing in the made-up rows ran against them."""
    value = np.tile([0.0, 1.0, 2.0, np.nan], 200)
    frame = pd.DataFrame({"value": value})
    happened = np.tile([1, 1, 0, 0, 1, 0, 0, 0], 100)
    free = points_of(PointsCard().fit(frame, happened).factors_[0])
    assert free[0] < free[1] < free[2] and free[-1] < max(free)


# --- nothing but the rows -----------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_rows_changes_not_one_letter(
    card: PointsCard, rows: tuple[pd.DataFrame, np.ndarray], seed: int,
) -> None:
    frame, happened = rows
    order = np.random.default_rng(seed).permutation(len(frame))
    again = clone(card).fit(frame.iloc[order].reset_index(drop=True), happened[order])
    assert again.to_yaml() == card.to_yaml()


def test_odd_weights_change_nothing_with_the_order_of_rows_either(rows: tuple[pd.DataFrame, np.ndarray]) -> None:
    frame, happened = rows
    weight = np.random.default_rng(1).exponential(size=len(frame))
    order = np.random.default_rng(2).permutation(len(frame))
    one = PointsCard().fit(frame, happened, weight)
    other = PointsCard().fit(frame.iloc[order], happened[order], weight[order])
    assert one.to_yaml() == other.to_yaml()


def test_weights_are_added_in_one_order_to_the_last_bit() -> None:
    random = np.random.default_rng(5)
    codes, happened = random.integers(0, 3, (2_000, 2)).astype(np.uint8), random.random(2_000) < 0.3
    weight, order = random.exponential(size=2_000), random.permutation(2_000)
    one = gather(codes, happened * 1.0, weight, np.random.RandomState(0))
    other = gather(codes[order], happened[order] * 1.0, weight[order], np.random.RandomState(0))
    assert len(one.weight) == 18, "many rows are alike"
    assert one.weight.tobytes() == other.weight.tobytes() and one.folds.tobytes() == other.folds.tobytes()


def test_a_weight_is_a_repetition(rows: tuple[pd.DataFrame, np.ndarray]) -> None:
    frame, happened = rows
    weight = np.random.default_rng(3).integers(0, 4, len(frame))
    at = np.repeat(np.arange(len(frame)), weight)
    weighted = PointsCard().fit(frame, happened, weight)
    assert weighted.to_yaml() == PointsCard().fit(frame.iloc[at], happened[at]).to_yaml()
    assert weighted.to_yaml() != PointsCard().fit(frame, happened).to_yaml()


@pytest.mark.parametrize("threads", ["1", "2"])
def test_one_thread_or_two_give_the_same_card(card: PointsCard, threads: str) -> None:
    program = ("from tests.cards.rows import *; from models.card import PointsCard; "
               "print(PointsCard(special_values={'visits': [NOT_ASKED]}).fit(*make_rows(3_000)).to_yaml(), end='')")
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True,
                         cwd=Path(__file__).parents[2],
                         env={**os.environ, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads})
    assert run.stdout == card.to_yaml()


# --- mistakes -----------------------------------------------------------------------------------

MISTAKES = {
    "a name that is no column": ({"monotone": {"tenur": 1}}, r"monotone.tenur: no such column"),
    "an order of words": ({"monotone": {"tenure": 1}}, r"monotone.tenure: 1 for a category(.|\n)*have no order"),
    "a direction that is none": ({"monotone": {"noise": 2}}, r"monotone.noise: 2 for a number"),
    "a special word": ({"special_values": {"tenure": ["no"]}}, r"special_values.tenure: \['no'\] for a category"),
    "no factors": ({"max_factors": 0}, r"max_factors: 0(.|\n)*1 or more"),
    "half a point": ({"max_points": 1.5}, r"max_points: 1.5(.|\n)*whole number"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_demand_that_cannot_be_met_gives_a_helpful_error(
    rows: tuple[pd.DataFrame, np.ndarray], mistake: str,
) -> None:
    demand, words = MISTAKES[mistake]
    with pytest.raises(FitError, match=words):
        PointsCard(**demand).fit(*rows)


def test_every_mistake_is_told_at_once(rows: tuple[pd.DataFrame, np.ndarray]) -> None:
    with pytest.raises(FitError) as caught:
        PointsCard(max_factors=0, groups={"nothing": "a"}, monotone={"tenure": 1}).fit(*rows)
    assert len(caught.value.problems) == 3


@pytest.mark.parametrize(("values", "words"), [
    (pd.to_datetime(["2026-01-01", "2026-01-02"] * 20), "turn dates into days since"),
    (["a", 1] * 20, "not one kind of value"),
    ([np.inf, 1.0] * 20, "infinity"),
])
def test_a_column_that_cannot_be_asked_gives_a_helpful_error(values: object, words: str) -> None:
    with pytest.raises(FitError, match=words):
        PointsCard().fit(pd.DataFrame({"odd": values}), [0, 1] * 20)


def test_a_column_of_another_kind_than_it_was_fitted_on_is_refused(
    card: PointsCard, rows: tuple[pd.DataFrame, np.ndarray],
) -> None:
    with pytest.raises(FitError, match=r"arrears_weeks: a column of the kind category(.|\n)*fitted on: number"):
        card.predict(rows[0].assign(arrears_weeks="many"))


# --- YAML ---------------------------------------------------------------------------------------


def test_a_card_comes_back_from_its_yaml_exactly(
    card: PointsCard, rows: tuple[pd.DataFrame, np.ndarray], tmp_path: Path,
) -> None:
    text = card.to_yaml(tmp_path / "card.yaml", card="harm_v1", title="Further harm: yes, or no?", outcome="harm_90d",
                        fitted={"note": "invented, seed 1"}, bands={"watch": 0.1})
    for again in (PointsCard.from_yaml(text), PointsCard.from_yaml(tmp_path / "card.yaml")):
        assert again.to_yaml() == text
        assert np.array_equal(again.predict_proba(rows[0]), card.predict_proba(rows[0]))
        assert np.array_equal(again.predict(rows[0]), card.predict(rows[0]))
        assert again.get_params() == card.get_params()


def test_a_card_fitted_on_an_array_comes_back_too() -> None:
    random = np.random.default_rng(1)
    inputs = random.normal(size=(800, 4))
    happened = np.where(random.random(800) < 1 / (1 + np.exp(-inputs[:, 0])), "yes", "no")
    card = PointsCard(random_state=3).fit(inputs, happened)
    again = PointsCard.from_yaml(card.to_yaml())
    assert np.array_equal(again.predict(inputs), card.predict(inputs))
    assert again.to_yaml() == card.to_yaml()


def test_what_is_no_card_gives_a_helpful_error() -> None:
    with pytest.raises(FitError, match="not a card that was fitted here"):
        PointsCard.from_yaml("card: one\n")


def test_the_engine_reads_what_is_written(card: PointsCard, tmp_path: Path) -> None:
    card.to_yaml(tmp_path / "card.yaml", card="harm_v1", title="Further harm")
    read = read_card(tmp_path / "card.yaml")
    assert [each.fact for each in read.factors] == [each.fact for each in card.factors_]
    assert [[b.points for b in each.bins] for each in read.factors] == [points_of(each) for each in card.factors_]
    assert [(row.first, row.last, row.probability) for row in read.scores] == [
        (line.first, line.last, line.probability) for line in card.scores_]


def test_too_few_rows_to_put_people_in_order_make_a_silent_card() -> None:
    assert "licence: silent" in PointsCard().fit(*make_rows(200)).to_yaml()
    assert "licence: rank" in PointsCard().fit(*make_rows(3_000)).to_yaml()
