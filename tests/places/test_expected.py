"""What a place would be expected to have, and how sure we are that it has more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from engine.errors import RunError
from engine.expected import compare, count_exposure, fit_months, recency_weight

MEASURES = ["expected", "ratio", "ratio_low", "exceed"]


def make_level(
    observed: list[int], past: list[list[int]], dwellings: Sequence[float | None] | None = None
) -> tuple[Any, Any]:
    """Places s00, s01 ... with their count now, and one list of counts per past window."""
    places = [f"s{number:04d}" for number in range(len(observed))]
    counts = pd.DataFrame({"place": places, "observed": observed})
    if dwellings is not None:
        counts["dwellings"] = dwellings
    history = pd.DataFrame(
        [
            (place, window, number)
            for window, numbers in enumerate(past, start=1)
            for place, number in zip(places, numbers, strict=True)
            if number
        ],
        columns=["place", "window", "observed"],
    )
    return counts, history


def invent_world(
    rng: np.random.Generator, places: int, mean: float, spread: float, dispersion: float
) -> tuple[Any, Any, Any]:
    """Twelve past windows and now; true ratios gamma with this spread, counts over-dispersed."""
    dwellings = rng.integers(10, 80, places)
    true = rng.gamma(1 / spread, spread, places) if spread else np.ones(places)
    rate = np.outer(mean * dwellings / dwellings.mean() * true, np.ones(13))
    if dispersion > 1:
        rate = rng.gamma(rate / (dispersion - 1), dispersion - 1)
    drawn = rng.poisson(rate)
    counts, history = make_level(
        drawn[:, 0].tolist(), drawn[:, 1:].T.tolist(), dwellings.astype(float).tolist()
    )
    return counts, history, true


def test_ten_equal_streets_one_with_thirty_by_hand() -> None:
    counts, history = make_level([30] + [10] * 9, [[10] * 10])
    out: Any = compare(counts, history)
    # one past window: dispersion 1.5; all alike: spread 0.01, widened by 3/10 to 0.013
    a = 1 / 0.013
    assert out.loc[0, "expected"] == pytest.approx(10)
    assert out.loc[0, "ratio"] == pytest.approx((30 / 1.5 + a) / (10 / 1.5 + a))
    low = stats.gamma.ppf(0.025, 20 + a) / (10 / 1.5 + a)
    assert out.loc[0, "ratio_low"] == pytest.approx(low)
    variance = 1.5 * 10 + 0.013 * 100
    size = 100 / (variance - 10)
    assert out.loc[0, "exceed"] == pytest.approx(stats.nbinom.sf(29, size, size / (size + 10)))
    # the others run in a level that has (20 + 110) incidents for (20 + 90) expected
    assert out.loc[1:, "expected"].tolist() == pytest.approx([10 * 130 / 110] * 9)
    assert set(out["offset"]) == {"equal shares: dwellings not known"}


def test_twice_the_dwellings_expects_twice_the_incidents() -> None:
    counts, history = make_level([10] * 10, [[10] * 10] * 3, [200.0] + [100.0] * 9)
    out: Any = compare(counts, history)
    # 200 of 1,100 dwellings, in a level whose others have 90 where 9/11 of 100 were expected
    assert out.loc[0, "expected"] == pytest.approx(100 * 2 / 11 * (90 + 20) / (900 / 11 + 20))
    assert out.loc[0, "offset"] == "dwellings"


def test_a_street_without_dwellings_is_never_expected_to_have_nothing() -> None:
    counts, history = make_level([3] * 10, [[3] * 10] * 3, [0.0] + [100.0] * 9)
    out: Any = compare(counts, history)
    assert out.loc[0, "expected"] > 0.5


def test_one_unknown_size_takes_the_median_and_many_mean_equal_shares() -> None:
    counts, history = make_level([3] * 20, [[3] * 20] * 3, [None] + [50.0] * 19)
    one: Any = compare(counts, history)
    assert one.loc[0, "offset"] == "dwellings not known here: the level's median"
    assert one.loc[0, "expected"] == pytest.approx(one.loc[1, "expected"])
    counts["dwellings"] = [None] * 10 + [50.0, 500.0] * 5
    many: Any = compare(counts, history)
    assert set(many["offset"]) == {"equal shares: dwellings known at 10 of 20 places"}
    assert many["expected"].nunique() == 1


def test_a_rise_everywhere_is_not_a_hotspot_anywhere() -> None:
    counts, history = make_level([40] * 50, [[10] * 50] * 12)
    out: Any = compare(counts, history)
    assert (out["ratio"] < 1.05).all()
    assert (out["exceed"] > 0.3).all()


@pytest.mark.parametrize(
    ("counts_and_history", "exposures", "why"),
    [
        (make_level([5] * 9, [[5] * 9] * 3), None, "fewer than 10 places at this level"),
        (make_level([5] * 10, []), None, "less than one whole window of history"),
        (
            make_level([5] * 10, [[5] * 10]),
            {0: 90.0, 1: 60.0},
            "less than one whole window of history",
        ),
        (
            make_level([5] * 10, [[5] * 10]),
            {0: 0.0, 1: 90.0},
            "no complete part of the present window",
        ),
        (
            make_level([5] * 10, [[0] * 9 + [5]]),
            None,
            "fewer than 10 incidents in the history of this level",
        ),
    ],
)
def test_too_little_to_go_on_is_unknown_and_says_why(
    counts_and_history: tuple[pd.DataFrame, pd.DataFrame],
    exposures: dict[int, float] | None,
    why: str,
) -> None:
    out: Any = compare(*counts_and_history, exposures)
    assert out[MEASURES].isna().all(axis=None)
    assert set(out["why"]) == {why}


def test_an_unknown_count_has_an_expectation_and_nothing_else() -> None:
    counts, history = make_level([10] * 12, [[10] * 12] * 3)
    counts["observed"] = counts["observed"].astype("Int64")
    counts.loc[0, "observed"] = pd.NA
    out: Any = compare(counts, history)
    assert out.loc[0, "expected"] == pytest.approx(10)
    assert out.loc[0, ["ratio", "ratio_low", "exceed"]].isna().all()
    assert out.loc[0, "why"] == "the count of this place is not known"
    assert out.loc[1:, MEASURES].notna().all(axis=None)


def test_a_repeated_place_gives_helpful_error() -> None:
    counts, history = make_level([1] * 10, [[1] * 10])
    counts.loc[1, "place"] = counts.loc[0, "place"]
    with pytest.raises(RunError, match="1 repeated places"):
        compare(counts, history)


def test_half_the_present_window_missing_halves_what_is_expected() -> None:
    counts, history = make_level([5] * 40, [[10] * 40] * 12)
    days = dict.fromkeys(range(1, 13), 60.0)
    whole: Any = compare(counts, history, {0: 60.0} | days)
    half: Any = compare(counts, history, {0: 30.0} | days)
    assert half.loc[0, "expected"] == pytest.approx(5)
    assert half.loc[0, "ratio"] == pytest.approx(1, abs=0.01)
    # told that the window is whole, the level's own fall is allowed for instead
    assert whole.loc[0, "expected"] == pytest.approx(5, rel=0.06)


@pytest.mark.parametrize("dispersion", [1.0, 1.5])
@pytest.mark.parametrize("spread", [0.0, 0.5])
@pytest.mark.parametrize(("places", "mean"), [(1500, 0.5), (1500, 4.0), (300, 20.0)])
def test_a_world_without_hotspots_raises_no_more_than_chance(
    places: int, mean: float, spread: float, dispersion: float
) -> None:
    counts, history, true = invent_world(
        np.random.default_rng(21), places, mean, spread, dispersion
    )
    out: Any = compare(counts, history)
    assert (out["exceed"] < 0.01).sum() <= 0.01 * places + 2 * (0.01 * places) ** 0.5
    sure = np.asarray(out["ratio_low"] > 1.5)
    assert (sure & (true <= 1.5)).mean() <= 0.0025
    if not spread:
        assert not sure.any()


def test_planted_hotspots_are_found_and_the_rest_left_alone() -> None:
    counts, history, _ = invent_world(np.random.default_rng(5), 1000, 5, 0.0, 1.5)
    counts.loc[:19, "observed"] = counts.loc[:19, "observed"] * 5 + 10
    out: Any = compare(counts, history)
    assert (out.loc[:19, "exceed"] < 0.01).mean() >= 0.9
    assert (out.loc[20:, "exceed"] < 0.01).mean() <= 0.01
    assert out.sort_values("exceed").index[:15].isin(range(20)).all()


def test_a_lasting_hotspot_stays_far_above_its_level() -> None:
    now, past = [80] + [8] * 99, [[80] + [8] * 99] * 12
    out: Any = compare(*make_level(now, past))
    assert out.loc[0, "ratio_low"] > 1.5


def test_the_order_of_rows_changes_no_bit() -> None:
    counts, history, _ = invent_world(np.random.default_rng(9), 200, 3, 0.5, 1.5)
    first: Any = compare(counts, history)
    mixed = counts.sample(frac=1, random_state=2)
    second: Any = compare(mixed, history.sample(frac=1, random_state=4))
    assert second.index.tolist() == mixed.index.tolist()
    pd.testing.assert_frame_equal(first, second.sort_index(), check_exact=True)


@settings(max_examples=60, deadline=None)
@given(
    observed=st.lists(st.integers(0, 40), min_size=10, max_size=25),
    past=st.lists(st.integers(0, 60), min_size=25, max_size=25),
    more=st.integers(1, 50),
    dispersed=st.booleans(),
)
def test_more_incidents_never_lower_the_ratio_or_raise_the_chance(
    observed: list[int], past: list[int], more: int, dispersed: bool
) -> None:
    windows = [past[: len(observed)], past[-len(observed) :]][: 2 if dispersed else 1]
    counts, history = make_level(observed, windows)
    before: Any = compare(counts, history)
    counts.loc[0, "observed"] += more
    after: Any = compare(counts, history)
    if before["ratio"].isna().all():
        assert after["ratio"].isna().all()
        return
    assert after.loc[0, "expected"] == before.loc[0, "expected"]
    assert after.loc[0, "ratio"] >= before.loc[0, "ratio"]
    assert after.loc[0, "ratio_low"] >= before.loc[0, "ratio_low"]
    assert after.loc[0, "exceed"] <= before.loc[0, "exceed"]
    for column in MEASURES:
        assert np.isfinite(after[column].astype(float)).all()


def test_an_incident_weighs_half_after_150_days() -> None:
    assert recency_weight([0, 150, 300]).tolist() == [1, 0.5, 0.25]
    assert recency_weight(30, half_life=30) == 0.5


def test_a_july_twice_as_busy_by_hand() -> None:
    period = pd.date_range("2023-01-01", "2025-12-01", freq="MS")
    busy = np.where(period.month == 7, 2000, 1000)
    months = fit_months(pd.DataFrame({"period": period, "observed": busy * period.days_in_month}))
    assert months.factors[6] == pytest.approx(24 / 13, rel=0.001)
    assert months.factors[1] == pytest.approx(12 / 13, rel=0.001)
    assert sum(months.factors) == pytest.approx(12)
    assert months.why.startswith("from 36 complete months")


def test_a_steady_rise_is_not_a_season() -> None:
    period = pd.date_range("2023-01-01", "2025-12-01", freq="MS")
    rising = 30000 * 1.1 ** ((period.year - 2023).to_numpy()) * period.days_in_month
    months = fit_months(pd.DataFrame({"period": period, "observed": rising}))
    assert months.factors == pytest.approx([1.0] * 12, abs=0.001)


def test_counting_noise_is_not_a_season() -> None:
    period = pd.date_range("2023-01-01", "2025-12-01", freq="MS")
    noise = np.random.default_rng(2).poisson(20, 36)
    months = fit_months(pd.DataFrame({"period": period, "observed": noise}))
    assert max(abs(factor - 1) for factor in months.factors) < 0.1


def test_eleven_complete_months_have_no_season_and_say_so() -> None:
    period = pd.date_range("2025-01-01", periods=11, freq="MS")
    months = fit_months(pd.DataFrame({"period": period, "observed": range(100, 1200, 100)}))
    assert months.factors == (1.0,) * 12
    assert "fewer than 12" in months.why
    assert fit_months(pd.DataFrame({"period": [], "observed": []})).factors == (1.0,) * 12


def test_days_of_partial_months_do_not_count() -> None:
    months = fit_months(pd.DataFrame({"period": [], "observed": []}))
    start, end = date(2024, 9, 15), date(2024, 11, 14)
    assert count_exposure(start, end, months) == 60
    assert count_exposure(start, end, months, [date(2024, 10, 1)]) == 29
