"""Rules, a card's list and what happened -> by which of the two routes cases were put forward, and how often rightly.

    put forward by a rule x on the card's list -> four cells of cases, each with its share of events

It says what a card would add and what it would leave out, which no single figure does. Cells of under 10 cases are
hidden, and so is what they could be worked out from.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from engine.errors import Problem
from models.capacity import RuleBaseline, weigh_list
from models.intervals import Estimate, score_share
from models.metrics import AssessError, check_labels, check_scores
from models.suppression import LEAST, choose_shown, find_exposed


@dataclass(frozen=True)
class Route:
    """One cell: how many cases (of a tie their share, so not always whole) and how often it happened to them.

    `share` is None where the cell is hidden.
    """

    by_rules: bool
    by_card: bool
    rows: float
    share: Estimate | None

    @property
    def shown(self) -> bool:
        """Whether the cell may be read."""
        return self.share is not None


@dataclass(frozen=True)
class Routes:
    """The four cells: both, rules alone, card alone, neither. `unknown`: cases no rule put forward, but some rule could
    not tell; they count as not put forward, as they would in a week."""

    both: Route
    rules_alone: Route
    card_alone: Route
    neither: Route
    unknown: int

    @property
    def cells(self) -> tuple[Route, ...]:
        """All four, in the order in which they are read."""
        return self.both, self.rules_alone, self.card_alone, self.neither


def cross_routes(labels: Any, scores: Any, put_forward: Any, places: int) -> Routes:
    """Crosses what rules put forward (true, false, not known) with the card's list of so many places.

    Raises AssessError where the rows do not match.
    """
    labels = check_labels(labels)
    fires = pd.Series(put_forward).astype("boolean").reset_index(drop=True)
    if len(fires) != len(labels):
        raise AssessError(Problem("put_forward", f"{len(fires)} rows", f"one for each of {len(labels)} labels"))
    ruled = fires.fillna(False).to_numpy(dtype=float)
    listed = weigh_list(check_scores(scores, len(labels), "scores"), places)
    weights = [ruled * listed, ruled * (1 - listed), (1 - ruled) * listed, (1 - ruled) * (1 - listed)]
    rows = np.array([each.sum() for each in weights])
    shown = _choose_cells(rows)
    cells = [Route(rule, card, float(count), score_share(float((labels * each).sum()), float(count)) if may else None)
             for (rule, card), count, each, may in zip(
                 ((True, True), (True, False), (False, True), (False, False)), rows, weights, shown, strict=True)]
    both, rules_alone, card_alone, neither = cells
    return Routes(both, rules_alone, card_alone, neither, int(fires.isna().sum()))


def find_retirable(rules: Sequence[RuleBaseline], grounded: Collection[str]) -> list[str]:
    """The rules that these figures speak against: the card is shown to be right more often on as many cases, and finds
    all but less than one of the events they find.

    Never one of those `grounded` in a statute or a partner's word, and none that put forward under 10 cases.
    """
    return [each.rule for each in rules if each.rule not in grounded and each.flagged >= LEAST
            and each.precision is not None and each.card is not None
            and each.precision.high < each.card.low and each.rule_only < 1]


def _choose_cells(rows: Any) -> Any:
    """Which cells may be shown beside what the page tells anyway: all cases, and the length of the list."""
    both, rules, card, neither = np.eye(4)
    sums = np.array([both, rules, card, neither, both + rules, card + neither, both + card, rules + neither,
                     both + rules + card + neither])
    told = np.array([True] * 4 + [False] * 2 + [True] * 3)      # how many the rules put forward in all is not told
    known = np.array([False] * 6 + [True] * 3)
    counts = sums @ rows
    shown = choose_shown(sums, counts, told, known)
    for cell in np.argsort(-rows, kind="stable"):       # of a table so small it hides more than it must
        again = shown | (np.arange(len(sums)) == cell)
        if counts[cell] >= LEAST and not find_exposed(sums, again, counts < LEAST).any():
            shown = again
    return shown[:4]
