"""A condition over columns in memory -> for each row whether it is true: the engine's meaning, in numpy.

The third way beside `engine.evaluate` (one case) and `engine.columns` (a database); the tests hold all three equal.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engine.condition import All, Any_, Compare, Condition, Known, Not
from models.inputs import Column

Truths = NDArray[np.bool_]

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    ">=": operator.ge, ">": operator.gt, "<=": operator.le, "<": operator.lt, "==": operator.eq, "!=": operator.ne,
}


def hold(condition: Condition, columns: Mapping[str, Column]) -> Truths:
    """Where a condition is true; unknown is not true."""
    return _split(condition, columns)[0]


def _split(condition: Condition, columns: Mapping[str, Column]) -> tuple[Truths, Truths]:
    """Where it is true and where it is false; where neither, it is unknown."""
    match condition:
        case Compare(name):
            column = columns[name]
            met = _compare(column, condition)
            return met & column.known, ~met & column.known
        case Known(name):
            return columns[name].known, ~columns[name].known
        case Not(part):
            true, false = _split(part, columns)
            return false, true
        case All(parts) | Any_(parts):
            trues, falses = zip(*(_split(part, columns) for part in parts), strict=True)
            every, some = (np.logical_and, np.logical_or) if isinstance(condition, All) else \
                          (np.logical_or, np.logical_and)
            return functools.reduce(every, trues), functools.reduce(some, falses)
    raise TypeError(f"a card asks nothing like {type(condition).__name__}")


def _compare(column: Column, clause: Compare) -> Truths:
    if isinstance(clause.value, tuple):
        met = pd.Series(column.values).isin(list(clause.value)).to_numpy()
        return ~met if clause.operator == "not in" else met
    return np.asarray(_COMPARE[clause.operator](column.values, clause.value), dtype=bool)
