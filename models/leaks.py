"""A training table -> the ways in which its inputs tell the outcome instead of foreseeing it: each one a refusal.

Every `find_` gives problems, none where the table is clean; `refuse` raises them together. A leak is not a bad model,
it looks like a superb one: one column that is written after the outcome lifts an AUC of .73 to .80 and helps nobody.
No problem holds a person's value: only columns, levels that 30 rows or more share, dates of the splits, and counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import chi2_contingency

from engine.errors import Problem
from models.inputs import Column, FitError, frame_of, read_columns
from models.intervals import Estimate, estimate_auc
from models.metrics import check_labels

MOST_AUC = 0.95         # one honest column does not rank this well: whole models of this kind reach .75 to .93
MOST_PURITY = 0.97      # one level whose rows nearly all end the same way
LEAST_ROWS = 30         # fewer rows of a level are pure by luck
NEARLY_ALL = 0.8        # where four of five end that way anyhow, a pure level says nothing
MOST_GAP = 0.05         # AUC that a forward split may lose against a random one: time passes, and people change
REFUSED_GAP = 0.15      # a changing invented world lost .10, columns written with the outcome in mind .30
TELLS_RECORDER = 0.8    # Cramér's V from which a column is another name for the recorder
SURE = 0.001            # p from which an outcome depends on the recorder; strict, as every column is asked

RECORDERS = (
    "recorded_by", "recorder", "reported_by", "entered_by", "created_by", "updated_by", "logged_by", "officer",
    "collar", "badge", "caseworker", "case_worker", "call_taker", "operator", "username", "user_id", "author", "origin",
    "reporting_agency", "source_agency", "source_system",
)
"""Words in a column's name that say who recorded the event. `origin` too: discovered events follow patrols."""


class LeakError(FitError):
    """A training table that tells the outcome. Nothing is fitted on it."""


def refuse(*found: Iterable[Problem]) -> None:
    """Raises LeakError with every problem found."""
    if problems := [problem for each in found for problem in each]:
        raise LeakError(problems)


def find_late(known: pd.DataFrame, as_of: Any) -> list[Problem]:
    """Features known after the as-of date.

    known   row x feature, the day the newest record behind the value was known; nothing where there is no record
    as_of   the row's date; windows are half-open, so what was known on that very day is late
    """
    dates = pd.to_datetime(pd.Series(as_of)).to_numpy()
    if len(dates) != len(known):
        return [Problem("known", f"{len(known)} rows", f"one for each of {len(dates)} as-of dates")]
    late = {str(name): int((pd.to_datetime(known[name]).to_numpy() >= dates).sum()) for name in known.columns}
    return [Problem(name, f"known on the as-of date or later in {rows:,} of {len(dates):,} rows",
                    "what was known before the as-of date", "measure it as of the date, or leave it out")
            for name, rows in late.items() if rows]


def find_telling(features: Any, labels: Any) -> list[Problem]:
    """Single columns that nearly give the outcome away: by ranking, or by a level whose rows all end alike."""
    happened = check_labels(labels)
    problems = []
    for column in read_columns(frame_of(features)):
        problems += [*_judge_order(column, happened), *_judge_levels(column, happened)]
    return problems


def find_overlap(training: Iterable[date], test: Iterable[date], horizon: int, settle: int = 0) -> list[Problem]:
    """Training rows whose label was not settled before a test date: their window runs into what is being foretold."""
    first = min(test, default=None)
    dates = sorted(set(training))
    if first is None or not dates:
        return [Problem("split", "no training dates, or no test dates", "some of both")]
    late = [each for each in dates if each + timedelta(days=horizon + settle) > first]
    if not late:
        return []
    wait = timedelta(days=horizon + settle)
    return [Problem("split", f"{len(late)} training dates from {late[0]} to {late[-1]} have a label settled only "
                             f"{wait.days} days later, after the first test date, {first}",
                    f"training dates up to {first - wait}",
                    "leave those dates out, or test later")]


def find_forward_gap(
    score: Callable[[NDArray[np.intp], NDArray[np.intp]], Any], labels: Any, as_of: Any, seed: int,
    subjects: Any = None,
) -> list[Problem]:
    """Whether a random split ranks much better than a forward one: then something in the rows gives their time away.

    `score(training, test)` fits on the rows at the first places and gives scores for those at the others. The latest
    dates, a third of the rows or so, are the forward test; the random test is as large. The rows are in an order that
    must not depend on chance; with `subjects` they are put in one, and the random test takes all rows of a subject or
    none: or a learner that knows its people again would look like one that knows the time.
    """
    if len(set(pd.Series(as_of))) < 2:
        return [Problem("as_of", "one date for all rows", "several dates, to split by time")]
    return judge_gap(*measure_splits(score, labels, as_of, seed, subjects), MOST_GAP)


def measure_splits(
    score: Callable[[NDArray[np.intp], NDArray[np.intp]], Any], labels: Any, as_of: Any, seed: int,
    subjects: Any = None,
) -> tuple[Estimate | None, Estimate | None]:
    """The AUC of a forward split and of a random one, as `find_forward_gap` makes them; None where there is none."""
    happened, dates = check_labels(labels), pd.to_datetime(pd.Series(as_of)).to_numpy()
    order = np.arange(len(dates)) if subjects is None else np.lexsort((np.asarray(subjects).astype(str), dates))
    later = dates[order] > np.quantile(dates.astype("int64"), 2 / 3, method="lower").astype(dates.dtype)
    if not later.any():
        return None, None
    shuffled = _draw_rows(later, None if subjects is None else np.asarray(subjects).astype(str)[order], seed)
    forward, random = (estimate_auc(happened[order[test]], score(order[~test], order[test]))
                       for test in (later, shuffled))
    return forward, random


def judge_gap(forward: Estimate | None, random: Estimate | None, most: float) -> list[Problem]:
    """A problem where the random split is better by more than `most`, and by more than luck."""
    if forward is None or random is None or random.value - forward.value <= most or random.low <= forward.high:
        return []
    return [Problem("split", f"AUC {random.value:.3f} where test rows are drawn at random, {forward.value:.3f} where "
                             "they come later", f"a gap of {most} or less",
                    "look for columns that follow the calendar, or values written later; else the world has changed")]


def _draw_rows(later: NDArray[np.bool_], subjects: Any, seed: int) -> NDArray[np.bool_]:
    """As many rows as are later, drawn at random; with subjects, all the rows of one or none."""
    random = np.random.default_rng(seed)
    if subjects is None:
        return random.permutation(later)
    _, code = np.unique(subjects, return_inverse=True)
    turn = random.permutation(code.max() + 1)
    taken = np.bincount(turn[code]).cumsum() <= later.sum()
    taken[0] = True     # somebody, however many rows they have
    drawn: NDArray[np.bool_] = taken[turn[code]]
    return drawn


def find_recorders(
    features: Any, labels: Any, *, recorder: Any = None, declared: Collection[str] = ()
) -> list[Problem]:
    """Columns that say who recorded the event: by name, by their levels, or by telling the recorder apart.

    recorder    who recorded each row, kept beside the features, where that is known
    declared    names of recorders, agencies or systems, as they would stand in a column
    """
    columns = read_columns(frame_of(features))
    words = {str(each).casefold() for each in declared}
    problems = [Problem(column.name, why, "what happened, not who wrote it down", "leave it out")
                for column in columns if (why := _name_recorder(column, words))]
    if recorder is None or not _depends(pd.Series(recorder).astype("string").fillna(""), check_labels(labels)):
        return problems
    named = {each.where for each in problems}
    told = pd.Series(recorder).astype("string").fillna("").to_numpy(dtype=object)
    return problems + [
        Problem(column.name, "tells who recorded the row, and the outcome depends on who did",
                f"Cramér's V under {TELLS_RECORDER} with the recorder",
                "leave it out, or ask why they record differently")
        for column in columns
        if column.name not in named and _measure_association(_levels(column), told) > TELLS_RECORDER]


def find_rewritten(changed: pd.DataFrame, outcome_on: Any) -> list[Problem]:
    """Inputs that were changed after the outcome: whoever changed them knew it.

    changed      row x feature, the day the value used was last changed; nothing where it never was
    outcome_on   the day of the row's outcome, nothing where there was none
    """
    outcome = pd.to_datetime(pd.Series(outcome_on)).to_numpy()
    if len(outcome) != len(changed):
        return [Problem("changed", f"{len(changed)} rows", f"one for each of {len(outcome)} outcomes")]
    later = {str(name): int((pd.to_datetime(changed[name]).to_numpy() >= outcome).sum()) for name in changed.columns}
    events = int((~np.isnat(outcome)).sum())
    return [Problem(name, f"changed on the day of the outcome or later in {rows:,} of {events:,} rows with an outcome",
                    "the value as it stood before", "take it from the snapshot of the as-of date")
            for name, rows in later.items() if rows]


# --- one column ---------------------------------------------------------------------------------


def _judge_order(column: Column, happened: NDArray[np.float64]) -> list[Problem]:
    """The AUC of the column alone, whichever way it points; categories rank by their share of events."""
    if column.kind == "category":
        levels = _levels(column)
        rare = pd.Series(levels).map(pd.Series(levels).value_counts()).to_numpy() < LEAST_ROWS
        levels = np.where(rare, "\0rare", levels)       # a level of one row would know its own outcome
        scores = pd.Series(happened).groupby(levels).transform("mean").to_numpy(dtype=float)
        known = np.ones(len(levels), dtype=bool)
    else:
        scores, known = column.values, column.known
    area = estimate_auc(happened[known], scores[known])
    if area is None or known.sum() < LEAST_ROWS or max(area.value, 1 - area.value) <= MOST_AUC:
        return []
    if max(area.low, 1 - area.high) <= MOST_AUC - MOST_GAP:     # so few events that luck explains it
        return []
    return [Problem(column.name, f"alone it ranks the outcome with AUC {max(area.value, 1 - area.value):.3f}",
                    f"{MOST_AUC} or less", "find out when it is written; leave it out until that is known")]


def _judge_levels(column: Column, happened: NDArray[np.float64]) -> list[Problem]:
    """Levels, not known among them, of which nearly all rows end in the way that is not the usual one."""
    levels = pd.Series(happened).groupby(_levels(column)).agg(["size", "mean"])
    usual = float(happened.mean())
    problems = []
    for level, rows, share in levels[levels["size"] >= LEAST_ROWS].itertuples():
        event = share > 0.5
        if max(share, 1 - share) > MOST_PURITY and (usual if event else 1 - usual) <= NEARLY_ALL \
                and not _on_slope(column, level, happened == event):
            problems.append(Problem(
                column.name, f"where it is {level}, {100 * share:.1f} % of {rows:,} rows have the outcome "
                             f"({100 * usual:.1f} % of all)", f"{MOST_PURITY} of a level alike, or less",
                "find out when it is written; leave it out until that is known"))
    return problems


def _on_slope(column: Column, level: str, alike: NDArray[np.bool_]) -> bool:
    """Whether most rows next to this number end the same way: seven reports after six, no code that stands alone."""
    if column.kind != "number" or level == "not known":
        return False
    value = float(level)
    others = np.flatnonzero(column.known & (column.values != value))
    near = others[np.argsort(np.abs(column.values[others] - value), kind="stable")[:LEAST_ROWS]]
    return len(near) == LEAST_ROWS and bool(alike[near].mean() > 0.5)


def _levels(column: Column) -> NDArray[Any]:
    """The column's values as words, one of them “not known”."""
    words = pd.Series(column.values).astype(str).to_numpy(dtype=object)
    return np.where(column.known, words, "not known")


def _name_recorder(column: Column, declared: set[str]) -> str:
    """Why the column is taken to say who recorded the event; nothing where it is not."""
    name = "_" + re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", column.name).lower()) + "_"
    said = next((word for word in RECORDERS if f"_{word}_" in name), None)
    if said:
        return f"its name says who recorded the event (`{said}`)"
    if column.kind != "category" or not declared:
        return ""
    levels = {str(each).casefold() for each in column.values[column.known]}
    held = len(levels & declared)
    return f"{held} of its {len(levels)} levels are declared recorders" if held * 2 > len(levels) else ""


def _depends(who: pd.Series[Any], happened: NDArray[np.float64]) -> bool:
    """Whether the outcome is shown to depend on who recorded the row."""
    table = pd.crosstab(who.to_numpy(dtype=object), happened).to_numpy()
    return min(table.shape) > 1 and bool(chi2_contingency(table).pvalue < SURE)


def _measure_association(levels: NDArray[Any], who: NDArray[Any]) -> float:
    """Cramér's V of two columns of words, less what so many levels show by chance (Bergsma)."""
    table = pd.crosstab(levels, who).to_numpy()
    rows, columns = table.shape
    total = int(table.sum())
    if min(rows, columns) < 2 or total < LEAST_ROWS:
        return 0.0
    chance = (rows - 1) * (columns - 1) / (total - 1)
    strength = max(0.0, float(chi2_contingency(table, correction=False).statistic) / total - chance)
    smaller = min(rows - (rows - 1) ** 2 / (total - 1), columns - (columns - 1) ** 2 / (total - 1)) - 1
    return float(np.sqrt(strength / smaller)) if smaller > 0 else 0.0
