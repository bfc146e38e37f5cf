"""A table and its outcomes -> a card of whole points that an officer can add up: a scikit-learn classifier.

    PointsCard(max_factors=12, monotone={"arrears_weeks": +1}).fit(X, y).to_yaml("models/cards/person_v1.yaml")

At most `max_factors` factors, each with bins on a readable scale and a line for what is not known; at most `max_cells`
lines that rows fall in; whole points up to `max_points` either way; a table from score to probability. The same rows in
another order give the same card. Of equals the earlier column wins.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

from engine.errors import Problem
from engine.licence import LICENCES, licence_for
from models.bins import Bins, cut
from models.calibration import Line, calibrate
from models.demands import check_demands, read_outcome
from models.holds import hold
from models.inputs import Column, FitError, frame_of, name_facts, read_columns
from models.merging import Draft, join_equal, merge_bins
from models.points import Points, Rules, give_points
from models.regression import shape
from models.rows import Floats, Rows, gather
from models.selection import choose_factors
from models.sheet import Bin, Factor, read_sheet, write_sheet

SHARE_DIGITS = 4


@dataclass(frozen=True)
class Contribution:
    """What one factor gives one case: the value seen, its points, and the points of the average case."""

    fact: str
    value: Any
    points: int
    typical: float

    @property
    def difference(self) -> float:
        """Points above the average case; below 0 where the factor speaks for the person."""
        return self.points - self.typical


class PointsCard(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A card of whole points for an outcome that happens or does not.

    max_factors, max_points, max_cells   limits: factors asked, points of one bin either way, lines some row falls in
                    (of each factor all but one: points only say how the others differ from it)
    monotone        {column: +1 or -1}: points never fall (rise) along the column, and what is not known never has
                    fewer points than the lowest bin of its scale
    groups          {column: group}: columns that say the same in several ways (90 days, a year); at most one is asked
    special_values  {column: [values]}: numbers that are no quantities (999 for "not asked"), each with its own bin
    missing_never_rewarded   names of columns where not known has at least the average points of those known
    random_state    decides which rows are held out together; nothing else is random

    Whole-number weights count as that many equal rows. Beside what every classifier has there are `points(X)`,
    `explain(row)`, `to_yaml` and `from_yaml`. No `decision_function`: the table's probability is the one answer.
    """

    def __init__(
        self, max_factors: int = 12, max_points: int = 10, max_cells: int = 40, *,
        monotone: Mapping[str, int] | None = None, groups: Mapping[str, str] | None = None,
        special_values: Mapping[str, Collection[float]] | None = None,
        missing_never_rewarded: Collection[str] | None = None, random_state: Any = 0,
    ) -> None:
        self.max_factors = max_factors
        self.max_points = max_points
        self.max_cells = max_cells
        self.monotone = monotone
        self.groups = groups
        self.special_values = special_values
        self.missing_never_rewarded = missing_never_rewarded
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags

    # --- fitting --------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learns the card: bins, factors, points, probabilities, in that order."""
        columns = self._take_inputs(X)
        self.classes_, outcome = read_outcome(y, len(columns[0].known))
        weight = _check_sample_weight(sample_weight, columns[0].values, dtype=np.float64, ensure_non_negative=True) \
            if sample_weight is not None else np.ones(len(outcome))
        columns, outcome, weight = _drop_weightless(columns, outcome, weight)
        with threadpool_limits(limits=1, user_api="blas"):      # more threads could add in another order
            self._learn(columns, outcome, weight)
        return self

    def _learn(self, columns: list[Column], outcome: Floats, weight: Floats) -> None:
        facts = name_facts(column.name for column in columns)
        special = self.special_values or {}
        bins = [cut(column, fact, weight, sorted(special.get(column.name, ())))
                for column, fact in zip(columns, facts, strict=True)]
        codes = np.column_stack([each.code(column) for each, column in zip(bins, columns, strict=True)])
        rows = gather(codes, outcome, weight, check_random_state(self.random_state))
        draft = merge_bins(self._choose(bins, rows), self.max_cells)
        rules = self._rules(draft)
        points = give_points(draft, draft.rows, rules)
        self._keep(*join_equal(draft, points.points))
        self.scores_ = _calibrate(draft, rules, points)
        self.fitted_ = {"rows": _count(weight.sum()), "events": _count((weight * outcome).sum())}

    def _choose(self, bins: list[Bins], rows: Rows) -> Draft:
        monotone = [(self.monotone or {}).get(each.name, 0) for each in bins]
        shares = Draft(tuple(bins), tuple(monotone), rows).shares()
        shapes = [shape(*each) for each in zip(bins, shares, monotone, strict=True)]
        groups = [(self.groups or {}).get(each.name) for each in bins]
        chosen = choose_factors(rows, bins, shapes, monotone, groups, self.max_factors)
        return Draft(tuple(bins), tuple(monotone), rows).keep(chosen)

    def _rules(self, draft: Draft) -> Rules:
        never = set(self.missing_never_rewarded or ())
        return Rules(self.max_points, draft.monotone, tuple(each.name in never for each in draft.bins))

    def _keep(self, draft: Draft, points: tuple[tuple[int, ...], ...]) -> None:
        """The factors in the order of their spread of points, the widest first."""
        factors = []
        for bins, share, given in zip(draft.bins, draft.shares(), points, strict=True):
            lines = [Bin(when, each, round(float(part), SHARE_DIGITS))
                     for when, each, part in zip(bins.conditions(), given, share, strict=True)]
            lines[:bins.ordered] = lines[:bins.ordered][::-1]      # the highest values first, as they are read
            factors.append(Factor(bins.fact, bins.name, bins.kind, tuple(lines), bins.range))
        self.factors_ = tuple(sorted(factors, key=lambda each: -_spread(each)))

    # --- using ----------------------------------------------------------------------------------

    def points(self, X: Any) -> np.ndarray[Any, np.dtype[np.int64]]:
        """The points of every row, factor by factor (row x factor); their sum is the score."""
        check_is_fitted(self, "factors_")
        frame = frame_of(X)
        validate_data(self, X, reset=False, skip_check_array=True)
        return self._count_points(frame.iloc[:, [self.inputs_.index(factor.column) for factor in self.factors_]])

    def predict_proba(self, X: Any) -> Floats:
        """The probability of each class, from the table of scores."""
        total = self.points(X).sum(axis=1)
        starts = np.array([line.first for line in self.scores_])
        place = np.clip(np.searchsorted(starts, total, side="right") - 1, 0, None)
        chance = np.array([line.probability for line in self.scores_])[place]
        return np.column_stack([1 - chance, chance])

    def predict(self, X: Any) -> Any:
        """The likelier class."""
        likely = self.predict_proba(X)[:, 1] > 0.5
        return self.classes_[likely.astype(int)]

    def explain(self, row: Any) -> list[Contribution]:
        """One case (a mapping, a Series or a frame of one row) factor by factor, furthest from average first."""
        check_is_fitted(self, "factors_")
        case = dict(row.iloc[0] if isinstance(row, pd.DataFrame) else row)
        lacking = [factor.column for factor in self.factors_ if factor.column not in case]
        if lacking:
            raise FitError([Problem(name, "not given", "a value, or None where it is not known") for name in lacking])
        seen = {name: None if pd.isna(case[name]) else case[name] for name in (each.column for each in self.factors_)}
        points = self._count_points(pd.DataFrame([seen], index=[0], dtype=object))[0]
        given = [Contribution(factor.fact, seen[factor.column], int(each), factor.typical)
                 for factor, each in zip(self.factors_, points, strict=True)]
        return sorted(given, key=lambda each: -abs(each.difference))

    def _count_points(self, asked: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.int64]]:
        columns = read_columns(asked, [factor.kind for factor in self.factors_])
        points = np.zeros((len(asked), len(self.factors_)), dtype=np.int64)
        for at, (factor, column) in enumerate(zip(self.factors_, columns, strict=True)):
            for each in factor.bins:
                points[hold(each.when, {factor.fact: column}), at] = each.points
        return points

    # --- keeping --------------------------------------------------------------------------------

    def to_yaml(self, path: str | Path | None = None, **words: Any) -> str:
        """The card as YAML, also written to `path`. `words` fill the header: card, title, subject, axis, outcome,
        status, licence, applies, needs, bands, answer; and `fitted`, a mapping of what else to say about the rows."""
        check_is_fitted(self, "factors_")
        said = {"card": "card", "status": "trial", "licence": self._licence(), **getattr(self, "header_", {}), **words}
        text = write_sheet(said, {**self.fitted_, **words.get("fitted", {})}, self.factors_, self.scores_,
                           self._describe())
        if path is not None:
            Path(path).write_text(text, encoding="utf-8")
        return text

    def _licence(self) -> str:
        """In order, unless there were too few rows even for that; how likely, only when somebody says so."""
        return min("rank", licence_for(self.fitted_["rows"], self.fitted_["events"]), key=LICENCES.index)

    def _describe(self) -> dict[str, Any]:
        """What predicting needs beyond the points: the classes, the inputs, and how each factor is read from them."""
        return {"classes": self.classes_.tolist(), "inputs": self.inputs_,
                "named": hasattr(self, "feature_names_in_"),
                "columns": {each.fact: {"column": each.column, "kind": each.kind} for each in self.factors_},
                "parameters": {key: _plain(value) for key, value in self.get_params().items()}}

    @classmethod
    def from_yaml(cls, source: str | Path) -> Self:
        """The card that `to_yaml` wrote, as a Path or as text: it predicts the same to the last bit."""
        text = source.read_text(encoding="utf-8") if isinstance(source, Path) else source
        header, fitted, factors, scores = read_sheet(text)
        card = cls(**fitted.pop("parameters"))
        card.header_, card.factors_, card.scores_ = header, factors, scores
        card.classes_ = np.array(fitted.pop("classes"))
        card.inputs_ = fitted.pop("inputs")
        card.n_features_in_ = len(card.inputs_)
        if fitted.pop("named"):
            card.feature_names_in_ = np.array(card.inputs_, dtype=object)
        del fitted["columns"]
        card.fitted_ = fitted
        return card

    # --- what is taken in -----------------------------------------------------------------------

    def _take_inputs(self, X: Any) -> list[Column]:
        validate_data(self, X, skip_check_array=True)
        columns = read_columns(frame_of(X))
        self.inputs_ = [column.name for column in columns]
        check_demands(self.get_params(), {column.name: column for column in columns})
        return columns


def _drop_weightless(columns: list[Column], outcome: Floats, weight: Floats) -> tuple[list[Column], Floats, Floats]:
    """Rows that weigh nothing are not there."""
    kept = weight > 0
    if len(np.unique(outcome[kept])) < 2:
        raise FitError(Problem("y", "only one class: it always happened, or never", "rows of two classes"))
    if kept.all():
        return columns, outcome, weight
    return [Column(c.name, c.kind, c.values[kept], c.known[kept]) for c in columns], outcome[kept], weight[kept]


def _calibrate(draft: Draft, rules: Rules, points: Points) -> tuple[Line, ...]:
    """The table of scores, from the totals each fold gets from points that were fitted on the other folds.

    Points only count against each other, so a fold's totals are first brought to the card's own level.
    """
    final, totals = points.total(draft.rows), []
    for fold in range(len(draft.rows.folds)):
        others = draft.rows.without(fold)
        total = give_points(draft, others, rules, points.scale).total(draft.rows)
        totals.append(total + np.average(final - total, weights=others.weight))
    return calibrate(np.concatenate(totals), np.tile(draft.rows.outcome, len(totals)),
                     np.concatenate(list(draft.rows.folds)),
                     sum(min(each) for each in points.points), sum(max(each) for each in points.points))


def _spread(factor: Factor) -> int:
    return max(each.points for each in factor.bins) - min(each.points for each in factor.bins)


def _count(rows: float) -> int | float:
    return int(rows) if float(rows).is_integer() else round(float(rows), 2)


def _plain(value: Any) -> Any:
    """A parameter as YAML can hold it."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(each) for each in value]
    if isinstance(value, np.random.RandomState):
        return None
    return value.item() if isinstance(value, np.generic) else value
