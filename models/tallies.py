"""The cases of one list and their groups -> counts for each group, with those that must not be shown marked.

A count that may be shown is 10 or more, and nothing under 10 can be worked out from it and the others shown. What is
left over counts too: where 95 of 100 were put forward, the 5 who were not would be seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engine.errors import Problem
from models.equality import FairnessError, Group, cross
from models.metrics import check_labels, check_probabilities
from models.suppression import LEAST, choose_shown

# An outcome of a case is three bits: put forward, event recorded, event true (0 throughout where the truth is unknown).
OUTCOMES = np.arange(8)
SELECTED, EVENT, TRUE = ((OUTCOMES >> bit & 1).astype(bool) for bit in range(3))
TOLD = {
    "cases": SELECTED | ~SELECTED, "selected": SELECTED, "events": EVENT, "hits": SELECTED & EVENT,
    "missed": ~SELECTED & EVENT, "true": TRUE, "recorded": TRUE & EVENT, "missed_true": TRUE & ~SELECTED,
}
LEFT = {
    "not selected": ~SELECTED, "no event": ~EVENT, "false alarms": SELECTED & ~EVENT, "quiet": ~SELECTED & ~EVENT,
    "not true": ~TRUE, "not recorded": TRUE & ~EVENT, "found true": TRUE & SELECTED,
}
KINDS = (*TOLD, *LEFT)
TOTAL, WHOLE, CROSSED = 2, 1, 0     # a figure on women is worth more than one on women under 25: it is hidden later
OF_TRUTH = {"true", "recorded", "missed_true", "not true", "not recorded", "found true"}


@dataclass(frozen=True)
class Cases:
    """One list: a row per subject.

    selected        whether the subject was put forward
    probabilities   what the card said; without it (rules say none) nobody asks whether it came true
    points          a column per factor, the points it gave; without it gaps are not attributed
    truth           an outcome that nobody's reporting decides (a hospital's count, a survey; in an invented world the
                    truth): without it unequal recording cannot be told from unequal risk
    """

    subjects: Any
    labels: Any
    selected: Any
    probabilities: Any = None
    points: pd.DataFrame | None = None
    truth: Any = None


@dataclass(frozen=True)
class Tally:
    """One group's counts by kind, and which of them may be shown; the same for those it is compared with."""

    group: Group
    counts: dict[str, int]
    others: dict[str, int]
    shown: frozenset[str]
    others_shown: frozenset[str]

    def has(self, *kinds: str) -> bool:
        """Whether these counts may be shown, of the group."""
        return self.shown.issuperset(kinds)

    def has_both(self, *kinds: str) -> bool:
        """Whether these counts may be shown, of the group and of the others."""
        return self.shown.issuperset(kinds) and self.others_shown.issuperset(kinds)


def count_groups(cases: Cases, equality: pd.DataFrame, groups: Sequence[Group], least: int = LEAST) -> list[Tally]:
    """A tally for each group. Two groups with the same cases have the same counts, shown or hidden."""
    cell = cross(equality, cases.subjects)
    outcome = _code(cases)
    width = int(cell.max()) + 1
    parts = np.bincount(cell * len(OUTCOMES) + outcome, minlength=width * len(OUTCOMES))
    kinds = [kind for kind in KINDS if cases.truth is not None or kind not in OF_TRUTH]
    masks = [np.ones(len(cell), dtype=bool), *(each.members for each in groups), *(each.others for each in groups)]
    sums = np.concatenate([_sum(mask, cell, width, kinds) for mask in masks])
    wanted = np.tile([kind in TOLD for kind in kinds], len(masks))
    filled = sums.any(axis=1)           # the others of a group that is everybody: nobody, and no count to protect
    counts = sums @ parts
    keep = np.repeat([TOTAL, *(_weigh(each) for each in groups), *(_weigh(each) for each in groups)], len(kinds))
    shown = np.zeros(len(sums), dtype=bool)
    joined = _join_small(groups, sums, counts, len(kinds), least)
    shown[filled] = choose_shown(
        np.vstack([sums[filled], joined]), np.r_[counts[filled], joined @ parts],
        np.r_[wanted[filled], np.zeros(len(joined), dtype=bool)],
        np.r_[keep[filled], np.zeros(len(joined), dtype=int)], least)[:filled.sum()]
    table, may = counts.reshape(len(masks), -1), shown.reshape(len(masks), -1)
    names = np.array(kinds)
    return [Tally(group, dict(zip(kinds, map(int, table[ours]), strict=True)),
                  dict(zip(kinds, map(int, table[theirs]), strict=True)),
                  frozenset(map(str, names[may[ours]])), frozenset(map(str, names[may[theirs]])))
            for group, ours, theirs in zip(groups, range(1, len(groups) + 1), range(len(groups) + 1, len(masks)),
                                           strict=True)]


def check_cases(cases: Cases) -> tuple[Any, Any, Any]:
    """Labels, selected and probabilities (if any) as numbers. Raises FairnessError with all problems."""
    labels = check_labels(cases.labels)
    problems = [Problem(name, f"{len(values)} rows", f"one for each of {len(labels)} labels")
                for name, values in (("subjects", cases.subjects), ("selected", cases.selected),
                                     ("points", cases.points), ("truth", cases.truth))
                if values is not None and len(values) != len(labels)]
    if problems:
        raise FairnessError(problems)
    chance = None if cases.probabilities is None else check_probabilities(cases.probabilities, len(labels))
    return labels, check_labels(cases.selected), chance


def _join_small(
    groups: Sequence[Group], sums: NDArray[np.int64], counts: NDArray[np.int64], kinds: int, least: int
) -> NDArray[np.int64]:
    """For each kind, the small counts of one column together: where all of a column but they were shown, and they came
    to 0, each would be seen to be 0."""
    joined = []
    for columns in dict.fromkeys(group.columns for group in groups):
        blocks = np.array([at + 1 for at, group in enumerate(groups) if group.columns == columns])
        rows = blocks[:, None] * kinds + np.arange(kinds)
        joined.append((sums[rows] * (counts[rows] < least)[:, :, None]).sum(axis=0))
    return np.concatenate(joined)


def _weigh(group: Group) -> int:
    return WHOLE if len(group.columns) == 1 else CROSSED


def _code(cases: Cases) -> NDArray[np.intp]:
    labels, selected, _ = check_cases(cases)
    truth = np.zeros(len(labels)) if cases.truth is None else check_labels(cases.truth)
    return np.asarray(selected + 2 * labels + 4 * truth, dtype=np.intp)


def _sum(mask: NDArray[np.bool_], cell: NDArray[np.intp], width: int, kinds: Sequence[str]) -> NDArray[np.int64]:
    """For each kind, which parts (cell x outcome) belong to the count of the cases in the mask."""
    within = np.zeros(width, dtype=bool)
    within[cell[mask]] = True
    held = {**TOLD, **LEFT}
    return np.stack([np.outer(within, held[kind]).ravel() for kind in kinds]).astype(np.int64)
