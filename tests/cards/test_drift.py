"""A card that still holds raises an alarm as seldom as promised; one that no longer holds is found."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from engine.drift import SURE, ScoreDrift, compare_bands, compare_scores, stability_index

SEEDS = range(200)
CHANCES = np.array([0.02, 0.06, 0.15, 0.3, 0.55])
SHARES = np.array([0.5, 0.25, 0.15, 0.07, 0.03])
BANDS = np.array(["none", "none", "watch", "discuss", "convene"])


def see_cases(seed: int, cases: int = 2_000, odds: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cases with a band, the chance the card gave them, and what happened; `odds` times as likely as it said."""
    random = np.random.default_rng(seed)
    row = random.choice(5, size=cases, p=SHARES)
    true = odds * CHANCES / (1 - CHANCES + odds * CHANCES)
    return BANDS[row], CHANCES[row], (random.random(cases) < true[row]).astype(int)


def test_observed_stands_against_expected_band_by_band() -> None:
    found = compare_bands(["watch", "watch", "none", "none"], [0.5, 0.3, 0.1, 0.1], [1, 0, 0, 0])
    assert [(f.band, f.cases, f.observed, round(f.expected, 9)) for f in found] == [
        ("none", 2, 0, 0.2), ("watch", 2, 1, 0.8)]
    assert found[1].ratio == pytest.approx(1.25)
    assert not any(f.drifted for f in found), "four cases prove nothing"


def test_the_interval_is_the_exact_one_for_a_share() -> None:
    happened = [1] * 13 + [0] * 187
    found, = compare_bands(["watch"] * 200, [0.1] * 200, happened)
    exact = binomtest(13, 200).proportion_ci(SURE, method="exact")
    assert (found.low, found.high) == pytest.approx((exact.low / 0.1, exact.high / 0.1))


@pytest.mark.parametrize("happened", [[0] * 50, [1] * 50])
def test_nothing_and_everything_have_intervals_too(happened: list[int]) -> None:
    found, = compare_bands(["watch"] * 50, [0.5] * 50, happened)
    assert found.drifted
    assert found.low <= found.ratio <= found.high


def test_where_nothing_has_changed_at_most_one_look_in_twenty_raises_an_alarm() -> None:
    alarms = sum(any(band.drifted for band in compare_bands(*see_cases(seed))) for seed in SEEDS)
    assert 0 < alarms <= most_alarms(), f"{alarms} of {len(SEEDS)}"


def test_a_base_rate_that_fell_is_found_although_the_totals_look_the_same() -> None:
    """As on a public set, where the index said stable while every model was off by five in a hundred."""
    found = sum(any(band.drifted for band in compare_bands(*see_cases(seed, odds=0.6))) for seed in SEEDS)
    assert found >= 0.9 * len(SEEDS), f"{found} of {len(SEEDS)}"


# --- totals -------------------------------------------------------------------------------------------


def deal_totals(seed: int, cases: int, shares: np.ndarray) -> np.ndarray:
    return np.random.default_rng(seed).multinomial(cases, shares)


def look(seed: int, cases: int, shares: np.ndarray, then: np.ndarray = SHARES) -> ScoreDrift:
    """So many totals of now, dealt by `shares`, against 12,000 the card was learned from."""
    return compare_scores(deal_totals(seed, 12_000, then), deal_totals(1_000 + seed, cases, shares), seed)


@pytest.mark.parametrize("cases", [150, 5_000])
def test_totals_dealt_as_before_raise_an_alarm_as_often_as_promised_whatever_their_number(cases: int) -> None:
    alarms = sum(look(seed, cases, SHARES).drifted for seed in SEEDS)
    assert 2 <= alarms <= most_alarms(), f"{alarms} of {len(SEEDS)}"


def test_totals_that_moved_are_found() -> None:
    moved = np.array([0.42, 0.27, 0.18, 0.09, 0.04])
    found = sum(look(seed, 2_000, moved).drifted for seed in SEEDS)
    assert found >= 0.95 * len(SEEDS), f"{found} of {len(SEEDS)}"


def test_a_fixed_edge_would_cry_wolf_with_few_cases() -> None:
    """Forty cases over ten rows: the customary 0.1 is passed by chance alone, and what chance reaches is told."""
    even = np.full(10, 0.1)
    looks = [look(seed, 40, even, even) for seed in range(50)]
    assert sum(each.index > 0.1 for each in looks) > 25
    assert all(each.by_chance > 0.1 for each in looks)
    assert sum(each.drifted for each in looks) <= binom.ppf(0.999, 50, 1 - SURE)


def test_the_same_seed_gives_the_same_answer_and_the_index_is_the_known_one() -> None:
    then, now = np.array([60, 30, 10]), np.array([50, 30, 20])
    assert compare_scores(then, now, 7) == compare_scores(then, now, 7)
    before, after = (then + 0.5) / 101.5, (now + 0.5) / 101.5
    assert float(stability_index(then, now)) == pytest.approx(float(((after - before) * np.log(after / before)).sum()))
    assert compare_scores(then, then, 7).index == 0
    assert compare_scores(then, then, 7).p == 1


def most_alarms() -> float:
    """As many false alarms as one series of looks in a thousand would show if each were one in twenty."""
    return float(binom.ppf(0.999, len(SEEDS), 1 - SURE))
