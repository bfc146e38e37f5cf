"""A card and the facts of a case -> its points added up, or why the card keeps silent; and the same in columns.

One case is counted by the evaluator, with every step kept; everybody at once by the same conditions as columns. Where a
card cannot speak it says so, and gives no number that would be taken for one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

import ibis
import ibis.expr.types as ir
import pandas as pd

from engine.card import Card, ScoreRow
from engine.columns import express
from engine.errors import Problem, RunError
from engine.evaluate import Case, Step, evaluate
from engine.factor import Bin, Factor
from engine.rule import BANDS, Band

Column = Callable[[str], ir.Value]
Abstention = Literal["not_for", "silent", "feed_missing", "thin_history", "outside_range", "rank_only", "borderline"]
WITHOUT_NUMBER: frozenset[Abstention] = frozenset(
    {"not_for", "silent", "feed_missing", "thin_history", "outside_range"})

TOO_MUCH_LOST = 2
"""Points that facts nobody can believe could have moved a total by, from which it says nothing. One point is the
rounding of every factor; with eight counts lost mean risk was read as 35 % where it was 58 %, without a sign."""


@dataclass(frozen=True)
class Given:
    """What one factor gives a case: the value seen, the bin it fell in, and how every bin came out."""

    factor: Factor
    value: Any
    bin: Bin
    steps: tuple[Step, ...]

    @property
    def points(self) -> int:
        """Its points."""
        return self.bin.points


@dataclass(frozen=True)
class Tally:
    """A card's answer on one case. `about`: the facts a silence is about; `row`: of the table, where it may be read."""

    points: tuple[Given, ...]
    total: int
    abstains: Abstention | None
    about: tuple[str, ...]
    row: ScoreRow | None

    @property
    def score(self) -> int | None:
        """The total, where it may be shown."""
        return None if self.abstains in WITHOUT_NUMBER else self.total


@dataclass(frozen=True)
class Answer:
    """A card's answer on a subject, kept with what it was asked: `lost` facts, and whether it may lift a band."""

    card: Card
    counted: Tally
    lost: frozenset[str]
    in_force: bool

    @property
    def band(self) -> Band | None:
        """The band it lifts a subject to; a card on trial lifts nobody. No card lowers a band."""
        return band_of(self.card, self.counted) if self.in_force else None

    def again(self, values: Mapping[str, Any]) -> Answer:
        """The answer had the facts been these."""
        return replace(self, counted=tally(self.card, values, self.lost))


def answer(card: Card, values: Mapping[str, Any], lost: Collection[str], as_of: date) -> Answer:
    """What a card says of one subject on a day."""
    return Answer(card, tally(card, values, lost), frozenset(lost), card.in_force(as_of))


def tally(card: Card, values: Mapping[str, Any], lost: Collection[str] = ()) -> Tally:
    """The points of one case. `values` by fact, None or absent = not known; `lost`: facts whose feeds are late."""
    seen = {fact: None if fact in lost else _known(values.get(fact)) for fact in card.reads}
    points = tuple(_give(factor, seen[factor.fact]) for factor in card.factors)
    total = sum(each.points for each in points)
    abstains, about = _abstain(card, seen, lost, total)
    speaks = card.licence == "probability" and abstains in (None, "borderline")
    return Tally(points, total, abstains, about, card.row_of(total) if speaks else None)


def express_points(card: Card, column: Column) -> dict[str, ir.IntegerValue]:
    """The points of every factor over columns, by fact. `column` gives the expression of a fact."""
    return {factor.fact: _express(factor, column) for factor in card.factors}


def express_score(card: Card, column: Column) -> ir.IntegerValue:
    """The total over columns; every row has one."""
    return sum(express_points(card, column).values(), start=ibis.literal(0, "int64"))


def add_scores(table: ir.Table, cards: Collection[Card], lost: Collection[str] = ()) -> ir.Table:
    """The table with a column `card:<name>` for each card: the total, NULL where it is silent for all or not meant.

    `lost`: facts whose feeds are late. Other silences need a case looked at by itself: see `tally`.
    """
    scores: dict[str, ir.Value] = {}

    def column(fact: str) -> ir.Value:
        return ibis.null(table[fact].type()) if fact in lost else table[fact]

    for card in cards:
        score: Any = express_score(card, column)
        if card.applies is not None:
            score = express(card.applies, column).fill_null(False).ifelse(score, ibis.null("int64"))
        silent = card.licence == "silent" or find_lost(card, lost)
        scores[f"card:{card.name}"] = ibis.null("int64") if silent else score
    return table.mutate(**scores) if scores else table


def find_lost(card: Card, lost: Collection[str]) -> tuple[str, ...]:
    """The facts a card cannot do without and that nobody can believe now; () where it loses next to nothing."""
    gone = [factor for factor in card.factors if factor.fact in lost]
    if sum(factor.spread for factor in gone) < TOO_MUCH_LOST:
        return ()
    return tuple(factor.fact for factor in gone)


def band_of(card: Card, counted: Tally) -> Band | None:
    """The band a card's answer would be in: the highest whose edge even the low end of the interval reaches.

    So a borderline case stays in the lower of its two bands.
    """
    if counted.row is None:
        return None
    return next((band for band in BANDS if band in card.bands and counted.row.low >= card.bands[band]), None)


# --- inside -------------------------------------------------------------------------------------


def _known(value: Any) -> Any:
    """The value; None for what pandas and numpy write for a missing one."""
    return None if value is None or pd.isna(value) else value


def _give(factor: Factor, value: Any) -> Given:
    steps = tuple(evaluate(each.when, Case({factor.fact: value})) for each in factor.bins)
    held = [each for each, step in zip(factor.bins, steps, strict=True) if step.state is True]
    if not held:
        raise RunError(Problem(factor.where, f"no bin of `{factor.fact}` holds a value that was measured",
                               "one bin for every value", "read the card with read_card, which tries them"))
    return Given(factor, value, held[0], steps)


def _abstain(
    card: Card, seen: Mapping[str, Any], lost: Collection[str], total: int
) -> tuple[Abstention | None, tuple[str, ...]]:
    """Why the card does not give its number, the weightiest reason first, and the facts it is about."""
    if card.applies is not None and evaluate(card.applies, Case(seen)).state is not True:
        return "not_for", ()
    if card.licence == "silent":
        return "silent", ()
    missing = find_lost(card, lost) or tuple(need.fact for need in card.needs if need.fact in lost)
    if missing:
        return "feed_missing", missing
    thin = tuple(n.fact for n in card.needs if seen[n.fact] is None or seen[n.fact] < n.least)
    if thin:
        return "thin_history", thin
    outside = tuple(f.fact for f in card.factors if f.range and seen[f.fact] is not None
                    and not f.range[0] <= seen[f.fact] <= f.range[1])
    if outside:
        return "outside_range", outside
    if card.licence == "rank":
        return "rank_only", ()
    row = card.row_of(total)
    return ("borderline" if any(row.low < edge <= row.high for edge in card.bands.values()) else None), ()


def _express(factor: Factor, column: Column) -> Any:
    fact = _clean(column(factor.fact))
    lines = [(express(each.when, lambda _: fact).fill_null(False), ibis.literal(each.points, "int64"))
             for each in factor.bins]
    return ibis.cases(*lines, else_=ibis.null("int64"))


def _clean(value: Any) -> Any:
    """NaN is a number to a database and larger than all others; here it is what is missing."""
    return value.isnan().ifelse(ibis.null(value.type()), value) if value.type().is_floating() else value
