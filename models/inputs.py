"""Whatever a caller hands in -> columns of numbers, truths or words, each with what is known of it.

A DataFrame is taken as it is: numbers, booleans, text, categories, and pd.NA, NaN or None where nothing is known.
A plain array's columns are called x0, x1, ... Nothing is filled in, scaled or guessed here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils.validation import check_array

from engine.errors import Problem, WardwiseError

Kind = Literal["number", "boolean", "category"]
Word = str | int | float


class FitError(WardwiseError, ValueError):
    """A card cannot be fitted or used with what was given. A ValueError too, as scikit-learn promises its callers."""


@dataclass(frozen=True)
class Column:
    """One column: `values` are floats (booleans as 0 and 1) or words; where not `known` they mean nothing."""

    name: str
    kind: Kind
    values: NDArray[Any]
    known: NDArray[np.bool_]


def frame_of(inputs: Any) -> pd.DataFrame:
    """The inputs as a DataFrame; an array is checked as scikit-learn checks one, missing values allowed."""
    if not isinstance(inputs, pd.DataFrame):
        array = check_array(inputs, dtype=None, ensure_all_finite=False, ensure_min_samples=0)
        return pd.DataFrame(array, columns=[f"x{at}" for at in range(array.shape[1])])
    if inputs.shape[1] == 0:
        raise FitError(Problem("inputs", f"0 feature(s) (shape={inputs.shape}) while a minimum of 1 is required."))
    return inputs


def read_columns(frame: pd.DataFrame, kinds: Sequence[Kind | None] | None = None) -> list[Column]:
    """Every column of a frame, as the kinds expected or as the kind its values show. Raises all problems at once."""
    problems: list[Problem] = []
    columns = []
    for at, name in enumerate(frame.columns):
        try:
            columns.append(_read(str(name), frame.iloc[:, at], kinds[at] if kinds else None))
        except FitError as error:
            problems += error.problems
    if problems:
        raise FitError(problems)
    return columns


def name_facts(names: Iterable[str]) -> list[str]:
    """Each column's name as a condition can write it: small letters, digits and _, no two alike."""
    facts: list[str] = []
    for name in names:
        fact = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
        fact = fact if fact[:1].isalpha() else f"x_{fact}".rstrip("_")
        taken, number = fact, 2
        while taken in facts:
            taken, number = f"{fact}_{number}", number + 1
        facts.append(taken)
    return facts


# --- one column ---------------------------------------------------------------------------------


def _read(name: str, series: pd.Series[Any], expected: Kind | None) -> Column:
    known = series.notna().to_numpy(dtype=bool)
    kind, words = _recognise(name, series, known)
    if not known.any():
        kind = expected or kind
    if expected is not None and kind != expected:
        if {kind, expected} == {"number", "category"} and all(not isinstance(word, str) for word in words or ()):
            kind = expected                     # codes such as 51 are words where they were learned as words
        elif {kind, expected} == {"number", "boolean"}:
            kind = expected                     # 0 and 1 are what many tables hold for no and yes
        else:
            raise FitError(Problem(name, f"a column of the kind {kind}", f"the kind it was fitted on: {expected}"))
    if kind == "category":
        words = words if words is not None else series.tolist()
        values = np.array([_plain(word) if is_known else None
                           for word, is_known in zip(words, known, strict=True)], dtype=object)
        return Column(name, kind, values, known)
    values = np.zeros(len(series))
    values[known] = np.asarray(series[known].tolist() if words is not None else series.to_numpy()[known], dtype=float)
    if np.isinf(values).any():
        raise FitError(Problem(name, "Input contains infinity", "numbers with an end, or nothing where unknown"))
    return Column(name, kind, values, known)


def _recognise(name: str, series: pd.Series[Any], known: NDArray[np.bool_]) -> tuple[Kind, list[Any] | None]:
    """The kind of a column; and its values as a list where its type did not already say the kind."""
    kind = series.dtype
    if isinstance(kind, pd.CategoricalDtype):
        words = series.astype(object).tolist()
        truths = pd.api.types.is_bool_dtype(kind.categories.dtype) and len(kind.categories) > 0
        return ("boolean" if truths else "category"), words
    if pd.api.types.is_bool_dtype(kind):
        return "boolean", None
    if pd.api.types.is_complex_dtype(kind):
        raise FitError(Problem(name, "Complex data not supported", "numbers, booleans, text or categories"))
    if pd.api.types.is_numeric_dtype(kind):
        return "number", None
    words = series.tolist()
    kinds = list(dict.fromkeys(_kind_of(word) for word, is_known in zip(words, known, strict=True) if is_known))
    if not kinds:
        return "number", words
    if len(kinds) == 1 and kinds[0] is not None:
        return kinds[0], words
    raise FitError(Problem(name, f"a column of {kind} that is not one kind of value",
                           "numbers, booleans, text or categories", "turn dates into days since"))


def _kind_of(word: object) -> Kind | None:
    if isinstance(word, bool | np.bool_):
        return "boolean"
    if isinstance(word, Real):
        return "number"
    return "category" if isinstance(word, str) else None


def _plain(word: Any) -> Word:
    """A category as a condition writes it: text, or a number without a needless .0."""
    if isinstance(word, str):
        return str(word)
    number = float(word)
    return int(number) if math.isfinite(number) and number.is_integer() else number
