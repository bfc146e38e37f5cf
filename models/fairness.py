"""One list, what became of it, and a separate equality table -> an audit of how the list treats groups.

Each group, and each pair of characteristics, is compared with the others whose value is known: how often put forward,
how often rightly, how often missed, whether the probabilities come true. Each verdict is “shown to be alike”, “shown to
differ” or “cannot tell”. With an outcome that nobody's reporting decides, unequal recording is told from unequal risk.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from models.attribution import Share, attribute
from models.comparison import MARGIN, Tested, Verdict, adjust, compare_means, compare_shares, judge, set_margin
from models.equality import FairnessError, Group, check_apart, form_groups
from models.intervals import Estimate, bound_ratio, score_share
from models.suppression import LEAST
from models.tallies import Cases, Tally, check_cases, count_groups

__all__ = ["Audit", "Cases", "FairnessError", "audit"]

Measure = Literal["selection", "precision", "missed", "calibration", "recorded", "risk", "missed_true"]
SHARES: dict[Measure, tuple[str, str]] = {      # what is counted, of how many
    "selection": ("selected", "cases"), "precision": ("hits", "selected"), "missed": ("missed", "events"),
    "recorded": ("recorded", "true"), "risk": ("true", "cases"), "missed_true": ("missed_true", "true"),
}


@dataclass(frozen=True)
class Finding:
    """One measure of one group: its value, its difference to the others, and the verdict.

    value, difference   None where a count is too small to be shown, or could be worked out; for calibration the value
                        is observed over expected events, the difference that of (observed - expected) a case
    margin              up to which the two count as alike
    """

    measure: Measure
    value: Estimate | None
    difference: Estimate | None
    margin: float | None
    verdict: Verdict
    because: tuple[Share, ...] = ()


@dataclass(frozen=True)
class GroupFindings:
    """A group with the counts that may be shown (None: hidden) and its findings."""

    name: str
    columns: tuple[str, ...]
    values: tuple[str, ...]
    counts: dict[str, int | None]
    findings: tuple[Finding, ...]

    def find(self, measure: Measure) -> Finding:
        """The finding on one measure."""
        return next(each for each in self.findings if each.measure == measure)


@dataclass(frozen=True)
class Audit:
    """The findings on every group; `tests` is how many the verdicts were corrected for, `margin` the one stated.

    selected    None where so few were put forward, or so few were not, that the number would point at people
    """

    cases: int
    selected: int | None
    groups: tuple[GroupFindings, ...]
    tests: int
    margin: float
    with_truth: bool

    def find(self, name: str) -> GroupFindings:
        """The group of that name, such as “sex: female”."""
        return next(each for each in self.groups if each.name == name)

    def select(self, verdict: Verdict) -> Iterator[tuple[GroupFindings, Finding]]:
        """Every finding of one verdict with its group."""
        return ((group, each) for group in self.groups for each in group.findings if each.verdict == verdict)


@dataclass(frozen=True)
class _Compared:
    """One measure of one group before correction; without `tested` there were too few to test."""

    tally: Tally
    measure: Measure
    value: Estimate | None
    tested: Tested | None
    seen: bool


def audit(
    cases: Cases, equality: pd.DataFrame, *, inputs: Collection[str], margin: float = MARGIN, least: int = LEAST
) -> Audit:
    """The audit of one list. `inputs` are the names of all the card's factors and the pack's features.

    Raises FairnessError where an input is named after a column of the equality table, or where rows do not fit.
    """
    check_apart(equality, inputs)
    labels, selected, chance = check_cases(cases)
    groups = form_groups(equality, cases.subjects)
    tallies = count_groups(cases, equality, groups, least)
    compared = [each for tally in tallies for each in _compare(tally, labels, chance, margin, least)]
    tests = _correct(compared)
    put = int(selected.sum())
    return Audit(len(labels), put if min(put, len(labels) - put) >= least else None,
                 tuple(_read_group(tally, compared, tests, cases) for tally in tallies),
                 len(tests), margin, cases.truth is not None)


# --- comparing ------------------------------------------------------------------------------------


def _compare(tally: Tally, labels: Any, chance: Any, margin: float, least: int) -> Iterator[_Compared]:
    for measure, (counted, of) in SHARES.items():
        if of not in tally.counts or counted not in tally.counts:
            continue
        ours, theirs = ((each[counted], each[of]) for each in (tally.counts, tally.others))
        tested = compare_shares(*ours, *theirs, margin) if min(ours[1], theirs[1]) >= least else None
        yield _Compared(tally, measure, score_share(*ours) if tally.has(counted, of) else None, tested,
                        tally.has_both(counted, of))
    if chance is not None:
        yield _compare_calibration(tally, labels, chance, margin, least)


def _compare_calibration(tally: Tally, labels: Any, chance: Any, margin: float, least: int) -> _Compared:
    group, tested = tally.group, None
    if min(tally.counts["cases"], tally.others["cases"]) >= least:
        base = float(labels[group.members | group.others].mean())
        tested = compare_means(*_residual(labels, chance, group.members), *_residual(labels, chance, group.others),
                               set_margin(base, margin))
    value = (bound_ratio(tally.counts["events"], float(chance[group.members].sum()), tally.counts["cases"])
             if tally.has("events", "cases") else None)
    return _Compared(tally, "calibration", value, tested, tally.has_both("events", "cases"))


def _residual(labels: Any, chance: Any, members: Any) -> tuple[float, float]:
    """The mean of observed - expected, and its variance: what is seen or what the probabilities imply, if that is more.

    Where a small group has no event at all, what is seen would have next to no variance.
    """
    gaps, said = labels[members] - chance[members], chance[members]
    return float(gaps.mean()), max(float(gaps.var(ddof=1)), float((said * (1 - said)).mean())) / len(gaps)


def _correct(compared: list[_Compared]) -> dict[Any, tuple[float, float]]:
    """Corrected p-values of every test. Two halves of a whole are one test, whichever half is asked about."""
    tests: dict[Any, Tested] = {}
    for each in compared:
        if each.tested is not None:
            tests.setdefault(_name_test(each.measure, each.tally.group), each.tested)
    differ = adjust([each.differ for each in tests.values()])
    alike = adjust([each.alike for each in tests.values()])
    return dict(zip(tests, zip(differ, alike, strict=True), strict=True))


def _name_test(measure: Measure, group: Group) -> Any:
    return measure, frozenset({group.members.tobytes(), group.others.tobytes()})


# --- reading --------------------------------------------------------------------------------------


def _read_group(tally: Tally, compared: list[_Compared], tests: dict[Any, Any], cases: Cases) -> GroupFindings:
    group = tally.group
    return GroupFindings(
        group.name, group.columns, group.values,
        {kind: tally.counts[kind] if kind in tally.shown else None
         for kind in ("cases", "selected", "events", "hits", "missed")},
        tuple(_read_finding(each, tests, cases) for each in compared if each.tally is tally))


def _read_finding(compared: _Compared, tests: dict[Any, Any], cases: Cases) -> Finding:
    tested, measure = compared.tested, compared.measure
    if tested is None:
        return Finding(measure, compared.value, None, None, "cannot tell")
    verdict = judge(*tests[_name_test(measure, compared.tally.group)])
    because: tuple[Share, ...] = ()
    if verdict == "shown to differ" and compared.seen and cases.points is not None:
        because = _attribute(measure, compared.tally.group, cases)
    difference = tested.difference if compared.seen else None
    return Finding(measure, compared.value, difference, tested.margin, verdict, because)


def _attribute(measure: Measure, group: Group, cases: Cases) -> tuple[Share, ...]:
    """Where the points come from that make the gap; for the measures that points decide."""
    assert cases.points is not None
    among = {"selection": np.ones(len(group.members), dtype=bool), "missed": np.asarray(cases.labels) == 1,
             "missed_true": None if cases.truth is None else np.asarray(cases.truth) == 1}.get(measure)
    if among is None:
        return ()
    places = int(np.asarray(cases.selected).sum())
    return attribute(cases.points, group.members & among, group.others & among, places)
