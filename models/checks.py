"""A training table -> every way in which it could tell its outcome looked for: refused together, or said to be absent.

What is looked for, and why, is told in `leaks`; here is which table and which names each check is asked with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from engine.feature import Feature
from engine.pack import Pack
from models.challengers import make_scorer
from models.history import Training
from models.leaks import (
    MOST_GAP,
    REFUSED_GAP,
    find_late,
    find_overlap,
    find_recorders,
    find_telling,
    judge_gap,
    measure_splits,
    refuse,
)


@dataclass(frozen=True)
class Checked:
    """What was looked for and not found, and what somebody has to look at, both in sentences."""

    absent: tuple[str, ...]
    review: tuple[str, ...]


def check_leaks(pack: Pack, training: Training, learned: Sequence[date], tests: Sequence[date], seed: int) -> Checked:
    """Asks for every leak. Raises LeakError with everything that was found.

    learned, tests   the dates learned from and tested on
    """
    known, outcome = training.known, training.outcome
    inputs, labels = known.rows[list(known.features)], known.rows["label"].to_numpy(int)
    agencies = {contract.agency for contract in pack.contracts.values()}
    newest = find_newest(pack, training)
    splits = measure_splits(make_scorer(inputs, labels, seed), labels, known.rows["as_of"], seed, known.groups)
    gap = judge_gap(*splits, MOST_GAP)
    refuse(
        find_late(newest, training.rows["as_of"]), find_telling(inputs, labels),
        find_overlap(learned, tests, outcome.horizon, outcome.settle),
        find_recorders(inputs, labels, declared={*agencies, *pack.contracts}),
        judge_gap(*splits, REFUSED_GAP))
    absent = [
        f"A record known on the date or later: none behind the {newest.shape[1]} inputs that are measured on records.",
        f"An input that gives the outcome away alone: none of {inputs.shape[1]}.",
        f"An outcome learned from that reaches into the test: none; {(min(tests) - max(learned)).days} days lie "
        f"between, and {outcome.horizon + outcome.settle} are needed.",
        f"An input that says who recorded the event: none, by its name or by {len(agencies)} agencies and "
        f"{len(pack.contracts)} feeds.",
    ]
    if not gap:
        absent.append("A random split that ranks much better than a forward one: none.")
    return Checked(tuple(absent), tuple(f"{each.found}: ask whether the world changed, or values were written later"
                                        for each in gap))


def find_newest(pack: Pack, training: Training) -> pd.DataFrame:
    """Row x feature, the day the newest record of the feature's table was known at the row's date."""
    days = training.log.set_index(pd.to_datetime(training.log["as_of"]))["newest"]
    tables = {name: _table_of(pack, pack.features[f"{training.outcome.subject}.{name}"]) for name in training.features}
    dated = {name: days.map(lambda told, table=table: told.get(table)).pipe(pd.to_datetime)
             for name, table in tables.items() if table is not None}
    at = pd.to_datetime(training.rows["as_of"])
    return pd.DataFrame({name: at.map(each) for name, each in dated.items()}, index=training.rows.index)


def _table_of(pack: Pack, feature: Feature) -> str | None:
    """The table a feature, or the one it carries, is measured on."""
    from_ = pack.features.get(feature.carried_from) if feature.carried_from else None
    return _table_of(pack, from_) if from_ is not None else feature.table
