"""What a caller demands of a card, and the outcome it is to learn -> the same, checked; or every mistake at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d

from engine.errors import Problem
from models.bins import LARGEST
from models.inputs import Column, FitError
from models.rows import Floats

BY_NAME = ("monotone", "groups", "special_values", "missing_never_rewarded")
LIMITS = ("max_factors", "max_points", "max_cells")


def check_demands(demands: Mapping[str, Any], columns: Mapping[str, Column]) -> None:
    """Raises every demand that names no column, has no meaning for its kind, or is no whole number."""
    problems = [Problem(f"{word}.{name}", "no such column", "a column of X")
                for word in BY_NAME for name in demands[word] or () if name not in columns]
    problems += [Problem(word, f"{demands[word]!r}", "a whole number, 1 or more") for word in LIMITS
                 if not isinstance(demands[word], int | np.integer) or demands[word] < 1]
    for name, sign in (demands["monotone"] or {}).items():
        if name in columns and (sign not in (-1, 0, 1) or (sign and columns[name].kind == "category")):
            problems.append(Problem(f"monotone.{name}", f"{sign!r} for a {columns[name].kind}",
                                    "+1 or -1, for numbers and booleans", "categories have no order"))
    for name, values in (demands["special_values"] or {}).items():
        if name in columns and (columns[name].kind != "number" or any(abs(value) > LARGEST for value in values)):
            problems.append(Problem(f"special_values.{name}", f"{list(values)} for a {columns[name].kind}",
                                    "numbers, for a column of numbers", "a category has a bin of its own already"))
    if problems:
        raise FitError(problems)


def read_outcome(y: Any, rows: int) -> tuple[NDArray[Any], Floats]:
    """The two classes in order, and for each row whether it is the second, as 0 or 1."""
    if y is None:
        raise FitError(Problem("y", "requires y to be passed, but the target y is None", "an outcome for each row"))
    y = column_or_1d(np.array(y.tolist()) if isinstance(y, pd.Series) else y, warn=True)
    check_classification_targets(y)
    if len(y) != rows:
        raise FitError(Problem("y", f"{len(y)} outcomes for {rows} rows", "an outcome for each row"))
    classes, outcome = np.unique(y, return_inverse=True)
    if len(classes) > 2:
        raise FitError(Problem("y", "Only binary classification is supported. The type of the target is "
                                    f"{type_of_target(y)}.", "two classes: it happened or it did not"))
    return classes, outcome.astype(np.float64)
