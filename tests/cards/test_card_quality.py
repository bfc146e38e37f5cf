"""A card of at most twelve factors in whole points gives up little, beside models nobody can add up.

On public sets that come with scikit-learn and on made-up ones; beside a logistic regression on binned inputs and
interpret-core's EBM. How long a fit takes is recorded in the report (`--junit-xml`) and never asserted.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, make_classification
from sklearn.linear_model import LogisticRegressionCV
from sklearn.metrics import brier_score_loss, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import OneHotEncoder

from models.card import PointsCard

from .rows import make_rows

Table = tuple[pd.DataFrame, np.ndarray]
FEW_ROWS = 0.006        # of Brier: the promise of 0.001 is for 1,000 rows and more, and the public sets hold fewer


def breast_cancer() -> Table:
    frame, happened = load_breast_cancer(return_X_y=True, as_frame=True)
    return frame, happened.to_numpy()


def diabetes() -> Table:
    frame, progress = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    return frame, (progress.to_numpy() > 140).astype(int)


def clusters(count: int = 20_000) -> Table:
    inputs, happened = make_classification(count, 30, n_informative=10, n_redundant=6, n_clusters_per_class=1,
                                           class_sep=0.6, flip_y=0.2, weights=[0.8], random_state=1)
    return pd.DataFrame(inputs).add_prefix("x"), happened


def curves() -> Table:
    random = np.random.default_rng(0)
    inputs = random.normal(size=(20_000, 15))
    odds = (np.sin(1.5 * inputs[:, 0]) + 0.8 * inputs[:, 1] + (inputs[:, 2] > 1) - 0.5 * inputs[:, 3]**2
            + 0.4 * inputs[:, 4] + 0.3 * inputs[:, 5] - 0.5)
    return pd.DataFrame(inputs).add_prefix("x"), (random.random(20_000) < 1 / (1 + np.exp(-odds))).astype(int)


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame as models take it that know neither pd.NA nor truths."""
    return pd.DataFrame({name: values.astype(object).where(values.notna(), np.nan).astype(
        float if pd.api.types.is_numeric_dtype(values.dtype) else str) for name, values in frame.items()})


class LogisticOnBins:
    """The usual way: deciles, one column for each bin and for what is missing, the penalty by cross-validation."""

    def fit(self, frame: pd.DataFrame, happened: np.ndarray) -> LogisticOnBins:
        self.edges = {name: np.unique(np.nanquantile(values, np.linspace(0, 1, 11)[1:-1]))
                      for name, values in plain(frame).select_dtypes("number").items()}
        self.encoder = OneHotEncoder(handle_unknown="ignore").fit(self.bin(frame))
        self.model = LogisticRegressionCV(Cs=[0.01, 0.03, 0.1, 0.3, 1], cv=4, scoring="neg_log_loss", max_iter=500,
                                          use_legacy_attributes=False, l1_ratios=(0,))
        self.model.fit(self.encoder.transform(self.bin(frame)), happened)
        return self

    def bin(self, frame: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({name: np.where(values.isna(), -1, np.searchsorted(self.edges[name], values, side="right"))
                             if name in self.edges else values for name, values in plain(frame).items()})

    def predict_proba(self, frame: pd.DataFrame) -> np.ndarray:
        return self.model.predict_proba(self.encoder.transform(self.bin(frame)))


def judge(make: Callable[[], Any], table: Table, splits: int = 3) -> tuple[float, float]:
    """AUC and Brier on held-out halves, the mean of several splits."""
    figures = []
    for seed in range(splits):
        learn, test, learned, held = train_test_split(*table, test_size=0.4, random_state=seed, stratify=table[1])
        chance = make().fit(learn, learned).predict_proba(test)[:, 1]
        figures.append((roc_auc_score(held, chance), brier_score_loss(held, chance)))
    auc, brier = np.mean(figures, axis=0)
    return float(auc), float(brier)


@pytest.mark.parametrize(("name", "make", "splits", "brier_lost"), [
    ("diabetes", diabetes, 3, FEW_ROWS), ("reports and tenures", lambda: make_rows(8_000), 3, 0.001),
    pytest.param("breast cancer", breast_cancer, 6, FEW_ROWS, marks=pytest.mark.more),
    pytest.param("clusters", clusters, 1, 0.001, marks=pytest.mark.more),
    pytest.param("curves", curves, 1, 0.001, marks=pytest.mark.more)])
def test_it_is_as_good_as_a_logistic_regression_on_binned_inputs(
    name: str, make: Callable[[], Table], splits: int, brier_lost: float,
) -> None:
    table = make()
    auc, brier = judge(PointsCard, table, splits)
    auc_beside, brier_beside = judge(LogisticOnBins, table, splits)
    assert auc >= auc_beside - 0.005
    assert brier <= brier_beside + brier_lost


@pytest.mark.parametrize("make", [
    pytest.param(diabetes, id="diabetes"),
    pytest.param(breast_cancer, id="breast cancer", marks=pytest.mark.more),
    pytest.param(lambda: make_rows(8_000), id="reports and tenures", marks=pytest.mark.more)])
def test_it_comes_close_to_a_boosting_machine(make: Callable[[], Table]) -> None:
    glassbox = pytest.importorskip("interpret.glassbox", reason="interpret-core is in the dev group only")
    frame, happened = make()
    table = plain(frame), happened
    auc, _ = judge(PointsCard, table, 2)
    boosting = functools.partial(glassbox.ExplainableBoostingClassifier, interactions=0, n_jobs=1, random_state=0)
    ceiling, _ = judge(boosting, table, 2)
    assert auc >= ceiling - 0.01


def test_with_2500_rows_its_probabilities_come_true() -> None:
    """The expected calibration error over ten bins of equal size, on rows enough that chance adds little."""
    fresh, happened = make_rows(40_000, seed=99)
    errors = [calibration_error(PointsCard().fit(*make_rows(2_500, seed)).predict_proba(fresh)[:, 1], happened)
              for seed in range(4)]
    assert np.mean(errors) < 0.02


def calibration_error(chance: np.ndarray, happened: np.ndarray) -> float:
    parts = np.array_split(np.argsort(chance, kind="stable"), 10)
    return sum(abs(chance[part].mean() - happened[part].mean()) * len(part) for part in parts) / len(chance)


def test_what_comes_true_lies_within_the_interval_of_its_line_nearly_always() -> None:
    """Nine in ten is what an interval promises; lines share the rows they were learned on, so eight are asked for."""
    fresh, happened = make_rows(60_000, seed=98)
    held = []
    for seed in range(6):
        card = PointsCard().fit(*make_rows(3_000, seed))
        total = card.points(fresh).sum(axis=1)
        for line in card.scores_:
            here = happened[(total >= line.first) & (total <= line.last)]
            if len(here) >= 300:
                held.append(line.low <= here.mean() <= line.high)
    assert len(held) > 50
    assert np.mean(held) >= 0.8


def test_a_line_of_few_rows_says_how_little_it_knows() -> None:
    lines = PointsCard().fit(*make_rows(3_000)).scores_
    few, many = (max(lines, key=lambda line: sign * line.rows) for sign in (-1, 1))
    assert few.high - few.low > many.high - many.low
    assert all(0 < line.low <= line.probability <= line.high < 1 or line.low == 0 for line in lines)


def test_two_refits_share_three_quarters_of_the_list_of_the_top_tenth() -> None:
    table, (fresh, _) = make_rows(8_000), make_rows(20_000, seed=97)
    assert jaccard(by_points, table, fresh) >= 0.75


@pytest.mark.more
@pytest.mark.parametrize(("make", "least"), [(lambda: make_rows(8_000), 0.75), (lambda: make_rows(2_500), 0.66)])
def test_the_list_of_the_top_tenth_is_more_stable_than_that_of_a_logistic_regression(
    make: Callable[[], Table], least: float,
) -> None:
    """With 2,500 rows three quarters are not reached; the logistic regression shares hardly more than half."""
    fresh, _ = make_rows(20_000, seed=97)
    assert jaccard(by_points, make(), fresh) >= max(least, 0.05 + jaccard(by_logistic, make(), fresh))


def by_points(frame: pd.DataFrame, happened: np.ndarray, fresh: pd.DataFrame) -> np.ndarray:
    return PointsCard().fit(frame, happened).points(fresh).sum(axis=1)


def by_logistic(frame: pd.DataFrame, happened: np.ndarray, fresh: pd.DataFrame) -> np.ndarray:
    return LogisticOnBins().fit(frame, happened).predict_proba(fresh)[:, 1]


def jaccard(score: Callable[..., np.ndarray], table: Table, fresh: pd.DataFrame, refits: int = 10) -> float:
    """How much of the list two refits on bootstrapped rows share, on average. Whoever ties is taken in an order drawn
    anew for every list: so a tie makes no two lists alike that the points do not."""
    lists, random = [], np.random.default_rng(0)
    for seed in range(refits):
        at = np.random.default_rng(seed).integers(0, len(table[1]), len(table[1]))
        total = score(table[0].iloc[at], table[1][at], fresh)
        order = np.lexsort((random.permutation(len(fresh)), -total))
        lists.append(set(order[:len(fresh) // 10].tolist()))
    return float(np.mean([len(a & b) / len(a | b) for at, a in enumerate(lists) for b in lists[:at]]))


def test_twenty_thousand_rows_of_thirty_columns(record_property: Callable[[str, object], None]) -> None:
    frame, happened = clusters()
    start = perf_counter()
    card = PointsCard().fit(frame, happened)
    record_property("seconds to fit 20,000 x 30", round(perf_counter() - start, 2))
    assert len(card.factors_) <= 12
