"""The facts of a date -> the list a card, or the rules, would have put forward: who, with what points, and what chance.

Counted by the engine's own code. Of equals for the last places, a digest of the name decides: it favours nobody.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engine.card import Card
from engine.columns import express
from engine.errors import Problem
from engine.history import connect
from engine.lists import live_rules
from engine.pack import Pack
from engine.rule import BANDS, Axis, Rule
from engine.schema import Subject
from engine.scores import rank, score
from engine.tally import express_points, find_lost
from models.equality import FairnessError
from models.snapshots import Facts


@dataclass(frozen=True)
class Listed:
    """Everybody who could have been put forward, by subject: in what order, with what points, and what was said.

    order           ascending; those without a number are never put forward
    points          a column for each factor or rule
    probabilities   none where the list gives no chance
    """

    order: pd.Series
    points: pd.DataFrame
    probabilities: pd.Series | None

    def choose(self, subjects: pd.Index, places: int) -> NDArray[np.int64]:
        """1 for each of some subjects that is among the first of all subjects given, as many as there are places."""
        among = self.order.reindex(subjects)
        lot = [sha256(str(name).encode()).hexdigest() for name in subjects]
        first = pd.DataFrame({"order": among.to_numpy(float), "lot": lot}, index=subjects).dropna()
        chosen = first.sort_values(["order", "lot"]).index[:places]
        return np.asarray(subjects.isin(chosen), dtype=np.int64)


def list_by_card(card: Card, pack: Pack, facts: Facts) -> Listed:
    """Those a card may be asked about, by their points. Raises FairnessError where it kept silent on that day."""
    subject = _subject_of(card)
    lost = find_lost_facts(pack, subject, facts.log["late"])
    missing = find_lost(card, lost)
    if card.licence == "silent" or missing:
        why = f"no telling {', '.join(missing)} on {facts.as_of}" if missing else "it has no licence to speak"
        raise FairnessError(Problem(card.name, f"the card keeps silent: {why}", "a card that puts somebody forward"))
    connection = connect()
    try:
        counted = _count(card, connection.read_parquet(facts.tables[subject]), lost).to_pandas()
    finally:
        connection.disconnect()
    counted = counted[counted.pop("applies").astype(bool)].set_index("subject")
    points = counted.rename(columns=lambda name: name.removeprefix("points ")).astype(int)
    total = points.sum(axis=1)
    chance = total.map({each: card.row_of(each).probability for each in total.unique()})
    return Listed(-total, points, chance)


def list_by_rules(pack: Pack, facts: Facts, subject: Subject, axis: Axis) -> Listed:
    """Those for whom a live rule of an axis fired, by band and points; what protects them is left aside."""
    rules = [rule for rule in live_rules(pack, subject, facts.as_of) if rule.axis == axis]
    if not rules:
        raise FairnessError(Problem("rules", f"no live rule about a {subject} on the axis {axis} on {facts.as_of}",
                                    "an axis with live rules", "audit a card instead"))
    table = facts.read(subject).set_index("subject")
    fired = table[[f"rule:{rule.id}" for rule in rules]].fillna(False).to_numpy(bool)
    order, points = pd.Series(np.nan, table.index), np.zeros(fired.shape)
    at = {rule.id: place for place, rule in enumerate(rules)}
    for place in np.flatnonzero(fired.any(axis=1)).tolist():
        [found] = score([rule for rule, on in zip(rules, fired[place], strict=True) if on],
                        _fading(table, place, rules), (), pack.policy)
        for part in found.parts:
            points[place, at[part.rule]] = part.faded
        order.iat[place] = rank(found.band) * _MOST - found.points
    given = pd.DataFrame(points, table.index, list(at))
    return Listed(order, given[[rule for rule in at if given[rule].any()]], None)


def find_lost_facts(pack: Pack, subject: Subject, late: Collection[str]) -> frozenset[str]:
    """The facts of a kind of subject whose feeds, or those of the fact they carry, were late."""
    lost = set()
    for name, feature in pack.features_of(subject).items():
        source = feature
        while source.carried_from is not None:
            source = pack.features[source.carried_from]
        if set(source.feeds) & set(late):
            lost.add(name)
    return frozenset(lost)


# --- inside -------------------------------------------------------------------------------------

_MOST = 1e6
"""More than any points: a band comes before every number of points."""
assert len(BANDS) < _MOST


def _subject_of(card: Card) -> Subject:
    assert card.subject is not None, "checked when the card was let in"
    return card.subject


def _count(card: Card, table: ir.Table, lost: Collection[str]) -> ir.Table:
    def column(fact: str) -> ir.Value:
        return ibis.null(table[fact].type()) if fact in lost else table[fact]

    applies: Any = ibis.literal(True) if card.applies is None else express(card.applies, column).fill_null(False)
    points = {f"points {fact}": each for fact, each in express_points(card, column).items()}
    return table.select(subject=table.subject, applies=applies, **points)


def _fading(table: pd.DataFrame, place: int, rules: Collection[Rule]) -> dict[str, Any]:
    """The days each rule fades with, None where nobody knows."""
    asked = {rule.fades_with for rule in rules if rule.fades_with} & set(table.columns)
    seen: dict[str, Any] = {name: table[name].iat[place] for name in asked}
    return {name: None if pd.isna(value) else value for name, value in seen.items()}
