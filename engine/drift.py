"""What a card said and what became of it -> whether it still holds: arrays in, plain values out.

Two questions. Did as many things happen in each band as the card said, within an exact interval? Are the totals of now
dealt like those it was learned from? Only the first sees a world that has changed; the second sees other people, or a
feed that is lost.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv

Counts = NDArray[np.int64]

SURE = 0.95
"""Of 20 looks at a card that has not changed, one may raise a false alarm, however many bands it has."""
DEALS = 1_999
"""How often the totals are dealt again: with the real ones a round 2,000."""


@dataclass(frozen=True)
class BandDrift:
    """One band: of `cases`, how many things happened and were expected, and the interval of observed / expected."""

    band: str
    cases: int
    observed: int
    expected: float
    low: float
    high: float

    @property
    def ratio(self) -> float:
        """1 where the card said the truth; NaN where it expected nothing at all."""
        return self.observed / self.expected if self.expected else float("nan")

    @property
    def drifted(self) -> bool:
        """Whether what the card said lies outside what was seen could have come from."""
        return not self.low <= 1 <= self.high


@dataclass(frozen=True)
class ScoreDrift:
    """How differently totals are dealt: the population stability index, what chance alone reaches, and how often."""

    index: float
    by_chance: float
    p: float

    @property
    def drifted(self) -> bool:
        """Whether chance alone would give as much less often than one time in 20. Not a fixed 0.1 or 0.25: those cry
        wolf with few cases and sleep with many."""
        return self.p <= 1 - SURE


def compare_bands(band: ArrayLike, probability: ArrayLike, happened: ArrayLike) -> tuple[BandDrift, ...]:
    """Observed against expected in each band, by name: one entry a case in each array, `happened` 0 or 1.

    The interval is Clopper and Pearson's, widened so that all bands together are sure. It is never too narrow: events
    whose chances differ vary less than events that all have the mean chance.
    """
    bands, chances = np.asarray(band).astype(str), np.asarray(probability, dtype=float)
    events = np.asarray(happened, dtype=np.int64)
    names = np.unique(bands)
    sure = 1 - (1 - SURE) / max(len(names), 1)
    return tuple(_compare_band(str(name), chances[bands == name], events[bands == name], sure) for name in names)


def compare_scores(then: ArrayLike, now: ArrayLike, seed: int = 0) -> ScoreDrift:
    """Totals when the card was learned against totals now: cases counted by row of its table, in the same order.

    The p value is exact: under no change both are hands dealt from one pack, so the pack is dealt again and again.
    """
    before, after = np.asarray(then, dtype=np.int64), np.asarray(now, dtype=np.int64)
    index = float(stability_index(before, after))
    pack = before + after
    random = np.random.default_rng(seed)
    hands = random.multivariate_hypergeometric(pack, int(after.sum()), size=DEALS, method="marginals")
    by_chance = stability_index(pack - hands, hands)
    as_much = int((by_chance >= index - 1e-12).sum())
    return ScoreDrift(index, float(np.quantile(by_chance, SURE)), (1 + as_much) / (1 + DEALS))


def stability_index(then: Counts, now: Counts) -> NDArray[np.float64]:
    """PSI along the last axis. Every row counts half a case more, so that an empty one has a logarithm."""
    before, after = (_share(each) for each in (then, now))
    return np.asarray(((after - before) * np.log(after / before)).sum(axis=-1))


# --- inside ---------------------------------------------------------------------------------------


def _compare_band(name: str, chances: NDArray[np.float64], events: Counts, sure: float) -> BandDrift:
    cases, observed, expected = len(events), int(events.sum()), float(np.sort(chances).sum())
    tail = (1 - sure) / 2
    low = float(betaincinv(observed, cases - observed + 1, tail)) if observed else 0.0
    high = float(betaincinv(observed + 1, cases - observed, 1 - tail)) if observed < cases else 1.0
    each = expected / cases
    return BandDrift(name, cases, observed, expected, low / each if each else 0.0, high / each if each else np.inf)


def _share(counts: Counts) -> NDArray[np.float64]:
    filled = counts + 0.5
    return np.asarray(filled / filled.sum(axis=-1, keepdims=True))
