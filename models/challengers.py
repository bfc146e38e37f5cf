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

MOST_ROWS = 60_000
"""Rows a challenger learns from, drawn by the seed. On an invented borough 13,000 instead of 27,000 rows cost the EBM
.004 AUC and the logistic regression .023; over 60,000 the EBM takes more than a minute."""
EBM_BAGS, EBM_ROUNDS = 8, 5_000
"""The EBM learns without pairs of columns, as a card does. With bags and rounds of its own choice it was better by .001
AUC there; with pairs of 80 columns a whole fit took more than ten minutes of one core."""
LEAST_OTHERS = 20       # rows with another value than the commonest; of fewer nothing is learned that holds
QUICK_ROUNDS = 40       # of boosting: enough to notice a column that tells the time

LOGISTIC, EBM, BOOSTED = "logistic regression", "EBM", "HistGradientBoosting"
LEAST_SHOWN = 0.01      # a category that fewer than this part of the rows have shares its term with the other rare ones


@dataclass(frozen=True)
class Challenger:
    """A challenger's probabilities for the test rows, or None and the reason why there are none; `how` it learned."""

    name: str
    probabilities: Floats | None
    why_not: str = ""
    how: str = ""


def fit_challengers(training: Any, outcome: Any, test: Any, seed: int) -> tuple[Challenger, ...]:
    """Logistic regression, EBM and HistGradientBoosting, fitted on the training rows, at most `MOST_ROWS` of them.

    Columns that are the same in nearly every row are left out: nothing is learned of them.
    """
    frame, asked = frame_of(training), frame_of(test)
    kept = _draw(len(frame), seed)
    every = read_columns(frame)
    tested = read_columns(asked, [each.kind for each in every])
    rows, later, numbers, words = _lay_out([_take(each, kept) for each in every], tested)
    if not (numbers or words):
        return tuple(Challenger(name, None, "no column differs from row to row") for name in (LOGISTIC, EBM, BOOSTED))
    makers: dict[str, Callable[[], Any] | None] = {
        LOGISTIC: lambda: _make_logistic(numbers, words),
        EBM: (lambda: ExplainableBoostingClassifier(
            random_state=seed, n_jobs=1, interactions=0, outer_bags=EBM_BAGS, max_rounds=EBM_ROUNDS))
        if ExplainableBoostingClassifier is not None else None,
        BOOSTED: lambda: _make_boosted(numbers, words, seed),
    }
    happened, how = np.asarray(outcome, dtype=int)[kept], _say_how(len(kept), len(frame))
    with threadpool_limits(limits=1):       # more threads could add in another order
        return tuple(_run(name, make, rows, happened, later, how) for name, make in makers.items())


def make_scorer(inputs: Any, outcome: Any, seed: int) -> Callable[[Any, Any], Any]:
    """A quick learner for checks: `score(training, test)` learns the rows at some places and ranks those at others."""
    columns, happened = read_columns(frame_of(inputs)), np.asarray(outcome, dtype=int)

    def score(training: Any, test: Any) -> Any:
        kept = np.asarray(training)[_draw(len(training), seed)]
        rows, later, numbers, words = _lay_out([_take(each, kept) for each in columns],
                                               [_take(each, test) for each in columns])
        with threadpool_limits(limits=1):
            found = _fit(_make_boosted(numbers, words, seed, QUICK_ROUNDS), rows, happened[kept])
            return found.predict_proba(later)[:, 1]

    return score


def _run(
    name: str, make: Callable[[], Any] | None, rows: pd.DataFrame, outcome: Any, asked: pd.DataFrame, how: str
) -> Challenger:
    if make is None:
        return Challenger(name, None, "interpret-core is not installed here")
    return Challenger(name, _fit(make(), rows, outcome).predict_proba(asked)[:, 1], how=how)


def _fit(model: Any, rows: pd.DataFrame, outcome: Any) -> Any:
    """The model, fitted. What libraries warn of (gaps, bags without a value) changes nothing a reader could act on."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(rows, outcome)


def _draw(rows: int, seed: int) -> Any:
    """The places of the rows learned from, in order."""
    if rows <= MOST_ROWS:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, MOST_ROWS, replace=False))


def _lay_out(
    learned: list[Column], asked: list[Column]
) -> tuple[pd.DataFrame, pd.DataFrame, list[str], list[str]]:
    """Both tables without the columns that are alike in every row learned from; which are numbers, which are words."""
    pairs = [(ours, theirs) for ours, theirs in zip(learned, asked, strict=True) if _varies(ours)]
    words = [each.name for each, _ in pairs if each.kind == "category"]
    return (_table([ours for ours, _ in pairs]), _table([theirs for _, theirs in pairs]),
            [each.name for each, _ in pairs if each.kind != "category"], words)


def _take(column: Column, places: Any) -> Column:
    return Column(column.name, column.kind, column.values[places], column.known[places])


def _varies(column: Column) -> bool:
    """Whether enough known values differ: boosting sets rows aside, and fails where all the others are alike."""
    _, counts = np.unique(column.values[column.known].astype(str), return_counts=True)
    return len(counts) > 1 and int(counts.sum() - counts.max()) >= LEAST_OTHERS


def _say_how(used: int, rows: int) -> str:
    return "" if used == rows else f"learned from {used:,} of the {rows:,} rows, drawn by lot"


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


def _make_boosted(numbers: list[str], words: list[str], seed: int, rounds: int = 100) -> Any:
    # Unseen and rare words become one number; HistGradientBoosting takes at most 255 of them.
    coded = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, max_categories=200)
    return make_pipeline(
        ColumnTransformer([("words", coded, words), ("numbers", "passthrough", numbers)]),
        HistGradientBoostingClassifier(
            max_iter=rounds, categorical_features=list(range(len(words))) or None, random_state=seed))
