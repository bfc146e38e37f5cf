"""Training rows and test rows -> what three ordinary models say of the test rows: the card's silent challengers.

They are never used on anybody. They say what the same inputs could give, so that a card far behind is
looked at.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from models.inputs import Column, frame_of, read_columns
from models.intervals import Floats

try:
    from interpret.glassbox import ExplainableBoostingClassifier
except ImportError:         # interpret-core is for the workshop only; the report says where it is missing
    ExplainableBoostingClassifier = None

LOGISTIC, EBM, BOOSTED = "logistic regression", "EBM", "HistGradientBoosting"
LEAST_SHOWN = 0.01      # a category that fewer than this part of the rows have shares its term with the other rare ones


@dataclass(frozen=True)
class Challenger:
    """A challenger's probabilities for the test rows, or None and the reason why there are none."""

    name: str
    probabilities: Floats | None
    why_not: str = ""


def fit_challengers(training: Any, outcome: Any, test: Any, seed: int) -> tuple[Challenger, ...]:
    """Logistic regression, EBM and HistGradientBoosting, fitted on the training rows with their usual settings."""
    every = read_columns(frame_of(training))
    tested = read_columns(frame_of(test), [each.kind for each in every])
    columns = [each for each in every if each.known.any()]      # of a column nobody filled in they learn nothing
    rows, asked = _table(columns), _table([t for t, e in zip(tested, every, strict=True) if e.known.any()])
    outcome = np.asarray(outcome, dtype=int)
    words = [each.name for each in columns if each.kind == "category"]
    numbers = [each.name for each in columns if each.kind != "category"]
    makers: dict[str, Callable[[], Any] | None] = {
        LOGISTIC: lambda: _make_logistic(numbers, words),
        EBM: (lambda: ExplainableBoostingClassifier(random_state=seed, n_jobs=1))
        if ExplainableBoostingClassifier is not None else None,
        BOOSTED: lambda: _make_boosted(numbers, words, seed),
    }
    with threadpool_limits(limits=1):       # more threads could add in another order
        return tuple(_run(name, make, rows, outcome, asked) for name, make in makers.items())


def _run(
    name: str, make: Callable[[], Any] | None, rows: pd.DataFrame, outcome: Any, asked: pd.DataFrame
) -> Challenger:
    if make is None:
        return Challenger(name, None, "interpret-core is not installed here")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Missing values detected")    # EBM's, about pictures nobody draws
        return Challenger(name, make().fit(rows, outcome).predict_proba(asked)[:, 1])


def _table(columns: list[Column]) -> pd.DataFrame:
    """Numbers with NaN and words with “not known”: what these models take, and nothing that leaves this module."""
    return pd.DataFrame({
        each.name: np.where(each.known, each.values, "not known").astype(str) if each.kind == "category"
        else np.where(each.known, each.values, np.nan) for each in columns})


def _make_logistic(numbers: list[str], words: list[str]) -> Any:
    filled = make_pipeline(SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
                           StandardScaler())
    known = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=LEAST_SHOWN)
    return make_pipeline(ColumnTransformer([("numbers", filled, numbers), ("words", known, words)]),
                         LogisticRegression(max_iter=2000))


def _make_boosted(numbers: list[str], words: list[str], seed: int) -> Any:
    # Unseen and rare words become one number; HistGradientBoosting takes at most 255 of them.
    coded = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, max_categories=200)
    return make_pipeline(
        ColumnTransformer([("words", coded, words), ("numbers", "passthrough", numbers)]),
        HistGradientBoostingClassifier(categorical_features=list(range(len(words))) or None, random_state=seed))
