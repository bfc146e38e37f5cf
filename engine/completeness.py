"""Monthly counts of a feed -> which months are only partly there, and where its place list broke.

A partial month is a collection gap: rows never arrived, so "crime fell 50 %" would be false. A
month is called partial when its count drops abruptly, further than that series ever moves by
itself, and comes back:

    usual    the lower of (a) the middle of the two sides, each the nearest complete month, held
             within a fifth of the median of the nearest three; and (b) the median of the nearest
             twelve complete months; times what the same calendar month does in other years, where
             known. Both sides together follow a slow decline; either alone would read it as a gap.
    partial  share = observed / usual is under `DEEP`, and by over `WIDE` spreads of the series, and
             the month is also low (half as deep) against the lower of its two sides, so that a step
             down that stays is a new level. At the end of the record two low months are still a
             gap, a third makes them a level.
    whole    a feed's month is also partial when its partial areas together miss a fifth of it.

Months found partial leave the comparison, the clearest first, until no more are found. This module
knows counts and months only: no clock, no geography, no reason why rows are missing.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

# A fifth missing is where a comparison of two months starts to mislead whatever the noise; ordinary
# months of large real feeds (Lancashire, central London, Derbyshire) stay above 0.85 of their
# usual.
DEEP = 0.80
# Spreads a month must fall: 3.5 rather than 3, since spreads come from a dozen months and have long
# tails. Simulated series then lose well under 1 % of their months to false alarms.
WIDE = 3.5
# Months vary about 1.5 times more than Poisson (variance), and being compared with the mean of two
# neighbours adds half as much again.
BEYOND_POISSON = 1.5
COMPARED_WITH_TWO = 1.5
# What a large complete feed moves by (log scale: 0.03 to 0.12 in the same files), worth six months.
TYPICAL_SPREAD = 0.09
TYPICAL_MONTHS = 6
# Fewer incidents a month than this in an area, and even half of them missing looks like a quiet
# month.
ENOUGH_IN_AREA = 100
# Fewer other months than this and nothing is usual yet.
ENOUGH_MONTHS = 4
NEAREST, YEAR = 3, 12
# Above this share of partial months there is no usual left to compare with.
MOST_PARTIAL = 1 / 3
# Zero has no logarithm; half an incident stands in for it.
HALF = 0.5
NAMED_AREAS = 5

# A place list is redrawn when a month falls on known places at under half the usual rate (central
# London 2011-12: 28 % against 93 %), by more than chance (three binomial spreads, 30 such
# incidents).
REDRAWN = 0.5
BEYOND_CHANCE = 3.0
ENOUGH_AT_PLACES = 30
SEEN_WITHIN = 6
ENOUGH_SHARES = 3


def incomplete(counts: pd.DataFrame) -> pd.DataFrame:
    """One row per month and area, and per month for the whole feed (area None): is it partial?

    In: period (first of the month), area (text, or None for the whole feed), observed (count). Rows
    absent between the first and last month are zeros. Without rows for the whole feed, it is the
    sum of the areas; give rows of one feed only, since feeds are gated one by one.
    Out: period, area, observed, usual (a cautious, low reading) and share = observed / usual, both
    NA where nothing is usual yet or the area is too small, partial, why.
    """
    months, whole, series = _spread_months(counts)
    areas = {area: _judge(series[area], ENOUGH_IN_AREA) for area in sorted(series)}
    frames = [frame.assign(period=months, area=area) for area, frame in areas.items()]
    frames.append(_judge_whole(whole, areas).assign(period=months, area=None))
    out = pd.concat(frames, ignore_index=True)
    out["area"] = out["area"].astype(object).where(out["area"].notna(), None)
    out = out.sort_values(["period", "area"], na_position="first", kind="stable", ignore_index=True)
    return out[["period", "area", "observed", "usual", "share", "partial", "why"]]


def gazetteer_break(places_by_month: pd.DataFrame) -> pd.DataFrame:
    """One row per month: how much of it fell on places seen in the six months before.

    In: period (first of the month), place (key; None is left out), observed (count).
    Out: period, observed, seen (incidents at places of the previous six months), share, usual
    (median share of the other months), broken, era, why. Place histories are comparable within one
    `era` only. The first six months have no share; low months within six of a break belong to it.
    """
    rows = places_by_month.dropna(subset=["place"])
    rows = rows.groupby(["place", "period"])["observed"].sum().reset_index()
    rows = rows[rows["observed"] > 0].sort_values(["place", "period"])
    month = _number_months(rows["period"])
    since = month - month.groupby(rows["place"]).shift()
    rows["seen"] = rows["observed"].where(since <= SEEN_WITHIN, 0)
    months = rows.groupby("period")[["observed", "seen"]].sum().sort_index().reset_index()
    order = np.asarray(_number_months(months["period"]), dtype=np.int64)
    known = order - order[:1] >= SEEN_WITHIN
    shares = np.where(known, months["seen"] / months["observed"], np.nan)
    return _find_breaks(months, order, shares)


# --- One series


def _judge(observed: Floats, enough: int, known: Flags | None = None) -> pd.DataFrame:
    """Usual, share, partial and why for one series of months in order; `known` are gaps already."""
    usual, gap = _find_gaps(observed, enough, known)
    frame = pd.DataFrame({"observed": observed})
    frame["usual"] = _hide_unknown(usual)
    frame["share"] = frame["observed"] / frame["usual"]
    frame["partial"] = gap
    frame["why"] = [_say(*row) for row in zip(observed, usual, gap, strict=True)]
    return frame


def _say(observed: float, usual: float, is_gap: bool) -> str:
    if np.isnan(usual):
        return "cannot tell: too few complete months or incidents to know what is usual"
    if is_gap:
        return f"{observed / usual:.0%} of the usual {usual:,.0f}: a gap, not a fall"
    return ""


def _find_gaps(observed: Floats, enough: int, known: Flags | None) -> tuple[Floats, Flags]:
    """The usual count of every month, NaN where unknown, and which months are gaps."""
    gap: Flags = np.zeros(len(observed), dtype=bool) if known is None else known.copy()
    if observed.max(initial=0.0) < max(enough, HALF):
        return np.full(len(observed), np.nan), gap  # hundreds of small areas need no search
    while True:
        before, after, year = _read_around(observed, gap)
        sides = np.exp(_mean_known(np.log(before), np.log(after)))
        usual = np.fmin(sides, year) * _recall_season(observed, np.fmin(sides, year))
        usual[usual < max(enough, HALF)] = np.nan
        low = np.log(np.maximum(observed, HALF) / usual)
        lower_side = np.log(np.maximum(observed, HALF) / np.fmin(before, after))
        limit = np.minimum(np.log(DEEP), -WIDE * _measure_spread(observed, sides, usual, gap))
        under = ~gap & (low < limit) & (lower_side < limit / 2)
        if not under.any() or gap.sum() + 1 > len(observed) * MOST_PARTIAL:
            return usual, gap
        gap[np.argmin(np.where(under, low - limit, np.inf))] = True


def _read_around(observed: Floats, gap: Flags) -> tuple[Floats, Floats, Floats]:
    """For every month the level just before, just after, and of its year; NaN where none."""
    before, after, year = (np.full(len(observed), np.nan) for _ in range(3))
    complete = np.flatnonzero(~gap)
    for month in range(len(observed)):
        others = complete[complete != month]
        if len(others) < ENOUGH_MONTHS:
            continue
        before[month] = _read_side(observed[others[others < month][::-1][:NEAREST]])
        after[month] = _read_side(observed[others[others > month][:NEAREST]])
        nearest = np.argsort(np.abs(others - month), kind="stable")[:YEAR]
        year[month] = max(float(np.median(observed[others[nearest]])), HALF)
    return before, after, year


def _read_side(nearest_first: Floats) -> float:
    """The nearest month, held near the median so that one odd month cannot set the level."""
    if not len(nearest_first):
        return np.nan
    middle = max(float(np.median(nearest_first)), HALF)
    return float(np.clip(nearest_first[0], DEEP * middle, middle / DEEP))


def _mean_known(one: Floats, other: Floats) -> Floats:
    """The mean of two readings, or the one that is known."""
    both = (one + other) / 2
    return np.where(np.isnan(one), other, np.where(np.isnan(other), one, both))


def _recall_season(observed: Floats, usual: Floats) -> Floats:
    """The highest share this calendar month reached in other years: a yearly dip is a season.

    At least two other years: Wirral lost half of November in 2023 and in 2024, and both were gaps.
    """
    share = observed / usual
    season = np.ones(len(share))
    for month in range(len(share)):
        same = np.arange(month % 12, len(share), 12)
        others = share[same[same != month]]
        others = others[~np.isnan(others)]
        if len(others) >= 2:
            season[month] = min(1.0, max(float(others.max()), 0.01))
    return season


def _measure_spread(observed: Floats, sides: Floats, usual: Floats, gap: Flags) -> Floats:
    """How far this series strays from its neighbours by itself (log scale), per month."""
    away = np.abs(np.log(np.maximum(observed, HALF) / sides))[~gap]
    away = away[~np.isnan(away)]
    own = (1.4826 * float(np.median(away))) ** 2 if len(away) else 0.0  # 1.4826: median to spread
    weight = len(away) + TYPICAL_MONTHS
    pooled = (len(away) * own + TYPICAL_MONTHS * TYPICAL_SPREAD**2) / weight
    least = BEYOND_POISSON * COMPARED_WITH_TWO / usual
    return np.asarray(np.sqrt(np.fmax(pooled, least)))


# --- The whole feed


def _judge_whole(observed: Floats, areas: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The whole feed's months; partial too where partial areas together miss a fifth of it."""
    missing = np.zeros(len(observed))
    named: list[list[str]] = [[] for _ in range(len(observed))]
    for area, frame in areas.items():
        lost = (frame["usual"] - frame["observed"]).where(frame["partial"], 0.0)
        missing += np.asarray(lost, dtype=float)
        for month in np.flatnonzero(frame["partial"]):
            named[month].append(area)
    lacks = missing / np.maximum(observed + missing, HALF)
    whole = _judge(observed, 0, known=lacks >= 1 - DEEP)
    whole["why"] = [
        _say_whole(*row) for row in zip(whole["why"], whole["partial"], named, lacks, strict=True)
    ]
    return whole


def _say_whole(why: str, is_gap: bool, areas: list[str], lacks: float) -> str:
    if not areas:
        return why
    more = f" and {len(areas) - NAMED_AREAS} more" if len(areas) > NAMED_AREAS else ""
    where = f"partly missing in {', '.join(areas[:NAMED_AREAS])}{more} ({lacks:.0%} of the feed)"
    return f"{why}; {where}" if is_gap else f"usable as a whole, but {where}"


# --- Place lists


def _find_breaks(months: pd.DataFrame, order: NDArray[np.int64], shares: Floats) -> pd.DataFrame:
    """The first month of every run of low shares is a break; a new era begins with it."""
    known = ~np.isnan(shares)
    usual = np.array([_median_of_others(shares, month) for month in range(len(shares))])
    low = known & (months["observed"].to_numpy() * usual >= ENOUGH_AT_PLACES)
    chance = BEYOND_CHANCE * np.sqrt(usual * (1 - usual) / months["observed"].to_numpy())
    low &= (shares < REDRAWN * usual) & (shares < usual - chance)
    broken, last = np.zeros(len(shares), dtype=bool), -np.inf
    for month in np.flatnonzero(low):
        broken[month] = order[month] - last > SEEN_WITHIN
        last = order[month] if broken[month] else last
    out = months.assign(share=_hide_unknown(shares), usual=_hide_unknown(usual))
    out["broken"], out["era"] = broken, np.cumsum(broken)
    out["why"] = [_say_break(*row) for row in zip(shares, usual, broken, strict=True)]
    return out


def _median_of_others(shares: Floats, month: int) -> float:
    others = np.delete(shares, month)
    others = others[~np.isnan(others)]
    return float(np.median(others)) if len(others) >= ENOUGH_SHARES else np.nan


def _say_break(share: float, usual: float, is_broken: bool) -> str:
    if np.isnan(share) or np.isnan(usual):
        return "cannot tell: under six months before, or too few months to know the usual share"
    if not is_broken:
        return ""
    return (
        f"{share:.0%} at places of the six months before, usually {usual:.0%}: "
        "the place list was redrawn; place histories are not comparable across this month"
    )


# --- Shapes


def _spread_months(counts: pd.DataFrame) -> tuple[pd.DatetimeIndex, Floats, dict[str, Floats]]:
    """All months from first to last, the whole feed's series over them, and each area's."""
    period = pd.to_datetime(counts["period"]).dt.to_period("M")
    rows = counts.assign(period=period, observed=counts["observed"].astype(float))
    months = pd.PeriodIndex(period.unique(), freq="M")
    if len(months):
        months = pd.period_range(months.min(), months.max(), freq="M")

    def fill(part: pd.DataFrame) -> Floats:
        return np.asarray(part.groupby("period")["observed"].sum().reindex(months).fillna(0.0))

    areas = {str(area): fill(part) for area, part in rows.groupby("area")}
    is_whole = counts["area"].isna()
    whole = fill(rows[is_whole] if is_whole.any() else rows)
    return months.to_timestamp(), whole, areas


def _number_months(period: pd.Series[pd.Timestamp]) -> pd.Series[int]:
    """Months counted on one scale, so that a difference is a number of months."""
    when = pd.to_datetime(period)
    return when.dt.year * 12 + when.dt.month


def _hide_unknown(values: Floats) -> pd.Series[float]:
    """Nullable numbers: what is not known is NA, never NaN."""
    return pd.Series(pd.arrays.FloatingArray(np.nan_to_num(values), np.isnan(values)))
