"""The equality table and the cases of one list -> groups of cases, and a wall between the table and everything else.

The table (subject, then a column per characteristic) is read for audits alone. No rule and no card may read it, and
`check_apart` refuses an audit where an input carries the name of one of its columns.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engine.errors import Problem, WardwiseError

NOT_KNOWN = "not known"
MOST_GROUPS = 30        # a column of more values is a number or a name, not groups


class FairnessError(WardwiseError):
    """An audit that cannot be made as asked, or must not be."""


@dataclass(frozen=True)
class Group:
    """Some cases and whom they are compared with: the others whose value is known."""

    columns: tuple[str, ...]
    values: tuple[str, ...]
    members: NDArray[np.bool_]
    others: NDArray[np.bool_]

    @property
    def name(self) -> str:
        """The group in words: “sex: female”, “sex: female, age: under 25”."""
        return ", ".join(f"{column}: {value}" for column, value in zip(self.columns, self.values, strict=True))


def check_apart(equality: pd.DataFrame, inputs: Collection[str]) -> None:
    """Raises FairnessError where a rule or card input is named like a column of the equality table."""
    problems = [Problem(f"equality.{column}", f"the input `{name}` of a rule or card is named after it",
                        "no input from the equality table, in any form",
                        "take the input out, or rename the column if the two have nothing in common")
                for column in equality.columns[1:] for name in sorted(inputs) if _names(str(column), name)]
    if problems:
        raise FairnessError(problems)


def form_groups(equality: pd.DataFrame, subjects: Any) -> tuple[Group, ...]:
    """A group for every value of every column, then for every pair of values of two columns that has cases."""
    _check_table(equality, pd.Series(subjects))
    known = equality.set_index(equality.columns[0]).reindex(pd.Index(subjects)).astype("string").fillna(NOT_KNOWN)
    words = {str(column): known[column].to_numpy(dtype=object) for column in known.columns}
    return tuple(group for size in (1, 2) for columns in combinations(words, size)
                 for group in _form(columns, words))


def cross(equality: pd.DataFrame, subjects: Any) -> NDArray[np.intp]:
    """The number of each case's cell where all columns are crossed: the finest parts that groups are made of."""
    known = equality.set_index(equality.columns[0]).reindex(pd.Index(subjects)).astype("string").fillna(NOT_KNOWN)
    return np.asarray(known.groupby(list(known.columns), sort=True).ngroup(), dtype=np.intp)


def _form(columns: tuple[str, ...], words: dict[str, Any]) -> list[Group]:
    known = np.logical_and.reduce([words[column] != NOT_KNOWN for column in columns])
    found = sorted(set(zip(*(words[column] for column in columns), strict=True)))
    groups = []
    for values in found:
        members = np.logical_and.reduce([words[each] == value for each, value in zip(columns, values, strict=True)])
        groups.append(Group(columns, values, members, known & ~members))
    return groups


def _names(column: str, name: str) -> bool:
    """Whether the words of a column's name stand together in an input's name."""
    ours, theirs = (f"_{each.lower().replace(' ', '_').replace('.', '_')}_" for each in (column, name))
    return ours in theirs


def _check_table(equality: pd.DataFrame, subjects: pd.Series[Any]) -> None:
    problems = []
    if equality.shape[1] < 2:
        raise FairnessError(Problem("equality", f"{equality.shape[1]} columns", "the subject, then one or more groups"))
    if equality.iloc[:, 0].isna().any() or equality.iloc[:, 0].duplicated().any():
        problems.append(Problem(f"equality.{equality.columns[0]}", "a subject twice, or a row without one",
                                "one row per subject"))
    if subjects.isna().any() or subjects.duplicated().any():
        problems.append(Problem("subjects", "a case twice, or one without a subject", "one row per subject",
                                "audit the list of one date: a subject's rows at several dates are not independent"))
    problems += [Problem(f"equality.{column}", f"{equality[column].nunique()} different values",
                         f"{MOST_GROUPS} groups or fewer", "put them in bands")
                 for column in equality.columns[1:] if equality[column].nunique() > MOST_GROUPS]
    if problems:
        raise FairnessError(problems)
