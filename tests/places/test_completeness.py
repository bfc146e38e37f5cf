"""Which months of a feed are only partly there, and where its list of places was redrawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from engine.completeness import gazetteer_break, incomplete

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the shared open data is not here")


def read_rows(name: str, **columns: str) -> pd.DataFrame:
    """One row per record (or count) of an open file, with period, area and observed."""
    rows = pd.read_csv(DATA / name, low_memory=False).rename(columns=columns)
    rows["period"] = pd.to_datetime(rows["month"] + "-01")
    return rows.assign(area=rows.get("area"), observed=rows.get("observed", 1))


def add_up(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.groupby(["period", "area"], dropna=False)["observed"].sum().reset_index()


def series(observed: list[float], start: str = "2023-01-01") -> pd.DataFrame:
    periods = pd.date_range(start, periods=len(observed), freq="MS")
    return pd.DataFrame({"period": periods, "area": None, "observed": observed})


def find_partial(counts: pd.DataFrame, area: str | None = None) -> list[str]:
    out: Any = incomplete(counts)
    mine = out["area"].isna() if area is None else out["area"] == area
    months = out.loc[mine & out["partial"], "period"]
    return [f"{month:%Y-%m}" for month in months]


def make_season(rng: np.random.Generator, months: int, mean: float, noise: float) -> np.ndarray:
    """Months with a season of 15 %, a slow decline and their own noise beyond Poisson."""
    when = np.arange(months)
    wave = 1 + 0.15 * np.cos(2 * np.pi * (when + rng.integers(12)) / 12)
    return rng.poisson(mean * wave * np.exp(-0.01 * when + rng.normal(0, noise, months)))


MERSEYSIDE = "lsoa_month_merseyside_2023-05_2026-03.csv.gz"
MERSEYSIDE_COLUMNS = {"borough": "area", "crime_count": "observed"}


@needs_data
@pytest.mark.parametrize("with_fringe", [True, False])
def test_merseyside_has_exactly_its_four_partial_months(with_fringe: bool) -> None:
    rows = read_rows(MERSEYSIDE, **MERSEYSIDE_COLUMNS)
    rows = rows if with_fringe else rows[rows["area"] != "West Lancashire"]
    assert find_partial(add_up(rows)) == ["2023-05", "2024-09", "2024-10", "2025-11"]


@needs_data
def test_a_district_can_be_missing_from_a_month_that_is_usable_as_a_whole() -> None:
    counts = add_up(read_rows(MERSEYSIDE, **MERSEYSIDE_COLUMNS))
    assert find_partial(counts, "St. Helens") == ["2023-06", "2024-09", "2025-03"]
    assert find_partial(counts, "Wirral") == ["2023-11", "2024-09", "2024-11", "2026-01"]
    assert find_partial(counts, "Knowsley") == ["2023-05", "2024-10", "2025-11"]
    out: Any = incomplete(counts)
    march = out[(out["period"] == "2025-03-01") & out["area"].isna()].iloc[0]
    assert not march["partial"]
    assert "usable as a whole, but partly missing in St. Helens" in march["why"]


@needs_data
def test_the_partial_month_is_already_known_when_it_is_the_latest_one() -> None:
    counts = add_up(read_rows(MERSEYSIDE, **MERSEYSIDE_COLUMNS))
    for month in ("2024-09", "2024-10", "2025-11"):
        assert month in find_partial(counts[counts["period"] <= f"{month}-01"])
    for month in ("2025-03", "2025-06", "2025-07", "2026-01"):
        assert month not in find_partial(counts[counts["period"] <= f"{month}-01"])


@needs_data
@pytest.mark.parametrize(
    "name",
    [
        "asb_lancashire_2022.csv.gz",
        "police_chesterfield_2018-10_2019-02.csv.gz",
        "police_derbyshire_2018-10_2019-02.csv.gz",
        "police_city_of_london_2024-01_2025-12.csv.gz",
        "police_central_london_west_2011-01_2013-12.csv.gz",
    ],
)
def test_seasons_and_slow_declines_of_complete_feeds_are_not_gaps(name: str) -> None:
    rows = read_rows(name)
    assert find_partial(add_up(rows)) == []
    if "crime_type" in rows:
        asb = rows["crime_type"].str.lower().str.startswith("anti")
        assert find_partial(add_up(rows[asb])) == []


@needs_data
def test_half_the_rows_of_any_lancashire_month_missing_is_always_seen() -> None:
    counts = add_up(read_rows("asb_lancashire_2022.csv.gz"))
    for month in counts.index:
        halved = counts.copy()
        halved.loc[month, "observed"] //= 2
        assert find_partial(halved) == [f"{counts.loc[month, 'period']:%Y-%m}"]


def test_a_month_with_no_rows_at_all_is_a_gap() -> None:
    counts = series([500.0] * 12).drop(index=5)
    assert find_partial(counts) == ["2023-06"]
    june = incomplete(counts).iloc[5]
    assert (june["observed"], june["share"]) == (0, 0)
    assert june["usual"] == pytest.approx(500)
    assert june["why"] == "0% of the usual 500: a gap, not a fall"


def test_a_step_down_that_stays_is_a_new_level_from_its_third_month() -> None:
    high, low = [1000.0] * 12, [500.0] * 6
    assert find_partial(series(high + low[:1])) == ["2024-01"]
    assert find_partial(series(high + low[:2])) == ["2024-01", "2024-02"]
    assert find_partial(series(high + low[:3])) == []
    assert find_partial(series(high + low)) == []


def test_two_missing_months_in_a_row_are_both_found() -> None:
    assert find_partial(series([1000.0] * 8 + [450.0, 500.0] + [1000.0] * 8)) == [
        "2023-09",
        "2023-10",
    ]


def test_a_dip_that_comes_every_year_is_a_season() -> None:
    year = [1000.0] * 7 + [400.0] + [1000.0] * 4
    assert find_partial(series(year * 3)) == []
    once = year + [1000.0] * 12 + [1000.0] * 12
    assert find_partial(series(once)) == ["2023-08"]


def test_too_few_months_cannot_tell() -> None:
    out: Any = incomplete(series([900.0, 100.0, 950.0]))
    assert not out["partial"].any()
    assert out["usual"].isna().all() and out["share"].isna().all()
    assert out["why"].str.startswith("cannot tell").all()


def test_a_small_area_is_not_judged() -> None:
    counts = pd.concat(
        [series([60.0] * 11 + [0.0]).assign(area="small"), series([900.0] * 12).assign(area="big")]
    )
    out: Any = incomplete(counts)
    assert not out.loc[out["area"] == "small", "partial"].any()
    assert out.loc[out["area"] == "small", "usual"].isna().all()
    assert find_partial(counts) == []


def test_no_rows_give_no_months() -> None:
    assert incomplete(series([])).empty


def test_the_order_of_rows_does_not_matter() -> None:
    rng = np.random.default_rng(7)
    counts = pd.concat(
        series(list(make_season(rng, 24, 900, 0.05))).assign(area=area) for area in "abc"
    )
    shuffled = counts.sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(incomplete(counts), incomplete(shuffled))


def test_fewer_than_one_ordinary_month_in_a_hundred_is_called_partial() -> None:
    rng = np.random.default_rng(11)
    months = flagged = latest = 0
    for mean in (120, 1000, 10000):
        for noise in (0.0, 0.05, 0.1):
            for length in (12, 30):
                for _ in range(6):
                    counts = series(list(make_season(rng, length, mean, noise)))
                    found = incomplete(counts)["partial"]
                    months, flagged = months + length, flagged + int(found.sum())
                    latest += int(found.iloc[-1])
    assert flagged / months < 0.01
    assert latest <= 3  # of 108: the newest month has one side only


def test_thirty_percent_missing_is_found_in_large_stable_feeds_and_always_by_district() -> None:
    rng = np.random.default_rng(13)
    thinned = by_district = 0
    for _ in range(40):
        parts = [make_season(rng, 24, 2000, 0.04) for _ in range(6)]
        month = int(rng.integers(2, 22))
        thin = [part.copy() for part in parts]
        for part in thin:
            part[month] = rng.binomial(part[month], 0.7)
        whole = series(list(np.sum(thin, axis=0)))
        thinned += whole["period"][month].strftime("%Y-%m") in find_partial(whole)
        gone = [part.copy() for part in parts]
        gone[0][month], gone[1][month] = 0, gone[1][month] // 5
        areas = pd.concat(
            series(list(part)).assign(area=f"district {number}") for number, part in enumerate(gone)
        )
        by_district += whole["period"][month].strftime("%Y-%m") in find_partial(areas)
    assert thinned >= 24
    assert by_district == 40


@needs_data
def test_central_london_places_restart_in_december_2011() -> None:
    rows = read_rows("police_central_london_west_2011-01_2013-12.csv.gz")
    rows = rows[rows["crime_type"] == "anti-social-behaviour"]
    place = rows["longitude"].astype(str) + " " + rows["latitude"].astype(str)
    out: Any = gazetteer_break(rows.assign(place=place)).set_index("period")
    assert out.index[out["broken"]].strftime("%Y-%m").tolist() == ["2011-12"]
    broken = out.loc["2011-12-01"]
    assert broken["share"] == pytest.approx(0.28, abs=0.005)
    assert broken["usual"] == pytest.approx(0.93, abs=0.005)
    assert "not comparable" in broken["why"]
    assert out.loc["2011-11-01", "era"] == 0 and out.loc["2011-12-01":, "era"].eq(1).all()


@needs_data
def test_city_of_london_places_never_restart() -> None:
    rows = read_rows("police_city_of_london_2024-01_2025-12.csv.gz").dropna(subset=["longitude"])
    place = rows["longitude"].astype(str) + " " + rows["latitude"].astype(str)
    assert not gazetteer_break(rows.assign(place=place))["broken"].any()


def test_a_redrawn_list_is_one_break_and_the_share_needs_six_months_before_it() -> None:
    months = pd.date_range("2023-01-01", periods=20, freq="MS")
    rows = pd.DataFrame(
        [
            (month, f"{'new' if number >= 12 else 'old'} {place}", 5)
            for number, month in enumerate(months)
            for place in range(20)
        ],
        columns=["period", "place", "observed"],
    )
    out: Any = gazetteer_break(rows.sample(frac=1, random_state=1))
    assert out["share"].isna().tolist() == [True] * 6 + [False] * 14
    assert out["broken"].tolist() == [number == 12 for number in range(20)]
    assert out["era"].tolist() == [0] * 12 + [1] * 8
    assert out.loc[12, "share"] == 0


def test_few_incidents_at_scattered_places_are_not_a_redrawn_list() -> None:
    months = pd.date_range("2023-01-01", periods=12, freq="MS")
    rows = pd.DataFrame(
        [(month, f"{place + (50 if number == 9 else 0)}", 1)
         for number, month in enumerate(months) for place in range(10)],
        columns=["period", "place", "observed"],
    )  # fmt: skip
    assert not gazetteer_break(rows)["broken"].any()
    assert gazetteer_break(rows.iloc[:0]).empty
