"""Counts of one level's places and their past -> what each would be expected to have, how far off.

    expected  the level's own past rate (incidents a day per dwelling, over up to three years of
              windows of the same length) x this place's dwellings x the window's days weighted by
              month factor x how the rest of the level runs now against that past. The place's own
              present count is in none of it.
    ratio     (observed + a) / (expected + a): Gamma(a, a) has mean 1, and its spread is that of the
              level's places over the whole past, fitted by moments. Small expectations shrink to 1.
    ratio_low the 2.5 % quantile of that gamma once the place has been observed.
    exceed    P(X >= observed) for a place drawn from this level: negative binomial with the gamma's
              spread and the pooled dispersion (months vary more than Poisson) in its variance.

A dispersion d makes d incidents worth one: a = d / spread in `ratio`, and `ratio_low` is that of
Gamma(observed / d + 1 / spread, expected / d + 1 / spread). A place is compared with its level, not
with its own past: a street that is always busy stays far above what its dwellings explain. Days of
the week are not weighted, since windows are whole weeks or long. Everything is one pass over
columns; the order of rows changes no bit of the answer.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from engine.errors import Problem, RunError

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

# Under ten places, "what is usual at this level" would be two or three of them.
ENOUGH_PLACES = 10
# Fewer incidents than this in the whole past, and neither a rate nor a spread can be fitted.
ENOUGH_INCIDENTS = 10
# Measured on police.uk months: 1.4 to 1.6 times Poisson. Used until a level's own past can say.
USUAL_DISPERSION = 1.5
# Places of a level are never more alike than 10 % either way, however smooth a short past looks.
LEAST_SPREAD = 0.01
# A spread known from n places is widened by 3 / n. In simulated levels of 12 places, 1 to 2 % then
# have exceed < 0.01; 2 to 4 % without it.
DOUBT = 3.0
# A shopping street has no dwellings and many visitors: nobody's offset is under a quarter of the
# mean.
LEAST_OFFSET = 0.25
# Below this share of places with known dwellings, the level falls back on equal shares.
KNOWN_DWELLINGS = 0.9
# Incidents elsewhere before the level's present counts as much as its past in what is expected now.
STEADY = 20.0
LOW_QUANTILE = 0.025
HALF_LIFE_DAYS = 150.0
MONTHS = 12


@dataclass(frozen=True)
class MonthFactors:
    """How busy each calendar month is against the year: January first, and why so."""

    factors: tuple[float, ...]
    why: str


NO_SEASON = MonthFactors((1.0,) * MONTHS, "no season: fewer than 12 complete months known")


def recency_weight(days: ArrayLike, half_life: float = HALF_LIFE_DAYS) -> Floats:
    """The weight of an incident so many days old: 1 today, 0.5 after `half_life` days."""
    return np.asarray(0.5 ** (np.asarray(days, dtype=float) / half_life))


def fit_months(totals: pd.DataFrame) -> MonthFactors:
    """Month factors of a borough from its complete months; 1 until each calendar month is known.

    In: period (first of the month), observed (borough total); leave partial months out.
    Factors are daily rates against their own year, so that neither February nor a slow trend is a
    season, and shrink towards 1 by the part of their variation that counting alone would give.
    """
    period = pd.to_datetime(totals["period"]).dt.to_period("M")
    observed = totals["observed"].astype(float).groupby(period).sum().sort_index()
    observed = observed[observed > 0]
    months = pd.PeriodIndex(observed.index)
    if len(months.month.unique()) < MONTHS:
        return NO_SEASON
    rate = observed.to_numpy() / months.days_in_month.to_numpy()
    number = months.year.to_numpy() * MONTHS + months.month.to_numpy()
    years_ago = (number[-1] - number) // MONTHS
    raw = _fit_rows_and_columns(np.log(rate), years_ago, months.month.to_numpy() - 1)
    each = observed.groupby(months.month).sum().to_numpy()
    noise = USUAL_DISPERSION * float(np.mean(1 / each))
    kept = max(0.0, 1.0 - noise / max(float(np.var(raw)), 1e-12))
    factors = 1.0 + kept * (raw - 1.0)
    why = f"from {len(months)} complete months, {kept:.0%} of their variation kept as season"
    return MonthFactors(tuple(float(factor) for factor in factors), why)


def count_exposure(
    start: date, end: date, months: MonthFactors, gaps: Collection[date] = ()
) -> float:
    """Days of the half-open window [start, end), each weighted by its month's factor.

    `gaps` are firsts of partial months: their days count nothing, and their incidents must be left
    out of the counts too.
    """
    days = pd.date_range(start, end, inclusive="left")
    weights = np.asarray(months.factors)[days.month.to_numpy() - 1]
    missing = days.to_period("M").isin(pd.PeriodIndex(pd.to_datetime(sorted(gaps)), freq="M"))
    return float(weights[~missing].sum())


def compare(
    counts: pd.DataFrame, history: pd.DataFrame, exposures: Mapping[int, float] | None = None
) -> pd.DataFrame:
    """One row per place of one level, in the order given: expected, ratio, ratio_low, exceed.

    In: counts: place (key, every place of the level, also those with no incident), observed, and
    dwellings (may be missing). history: place, window (1 is the one just before, 2 before that,
    ...), observed; absent rows are zeros. exposures: window -> `count_exposure`, 0 the present;
    without it every window seen in history counts alike. Windows without exposure are left out.
    Out: place, observed, expected, ratio, ratio_low, exceed (NA where unknown), offset (where the
    size of the place came from) and why (what made the rest unknown, else "").
    """
    _check_places(counts)
    level = counts.sort_values("place", kind="stable")
    days = {0: 1.0} | dict.fromkeys(history["window"].unique().tolist(), 1.0)
    days = dict(exposures) if exposures is not None else days
    size, source = _size_places(level)
    past = _spread_windows(history, level["place"], days)
    out = level[["place", "observed"]].assign(
        expected=np.nan, ratio=np.nan, ratio_low=np.nan, exceed=np.nan, offset=source
    )
    out["why"] = _say_unknown(past, days)
    if not out["why"].iloc[:1].any() and len(out):
        observed = _read_numbers(level["observed"])
        measured = _measure(observed, size, past, days[0] / _sum_past(days))
        out = out.assign(**measured)
        out.loc[np.isnan(observed), "why"] = "the count of this place is not known"
    for column in ("expected", "ratio", "ratio_low", "exceed"):
        values = out[column].to_numpy(dtype=float)
        out[column] = pd.arrays.FloatingArray(np.nan_to_num(values), np.isnan(values))
    return out.loc[counts.index]


# --- The level


def _measure(observed: Floats, size: Floats, past: Floats, scale: float) -> dict[str, Floats]:
    """Expected, ratio, ratio_low and exceed; `scale` is the present's exposure over the past's."""
    before = past.sum(axis=1)
    ordinary = size / size.sum() * before.sum()
    dispersion = _fit_dispersion(past)
    spread = _fit_spread(before, ordinary, dispersion)
    expected = ordinary * scale
    expected = expected * _read_present(observed, expected)
    shape, rate = observed / dispersion + 1 / spread, expected / dispersion + 1 / spread
    return {
        "expected": expected,
        "ratio": shape / rate,
        "ratio_low": special.gammaincinv(shape, LOW_QUANTILE) / rate,
        "exceed": _exceed(observed, expected, dispersion, spread),
    }


def _read_present(observed: Floats, expected: Floats) -> Floats:
    """How the rest of the level runs now against its past: for each place, without that place."""
    others = np.nansum(observed) - np.nan_to_num(observed)
    expected_others = expected[~np.isnan(observed)].sum() - np.where(
        np.isnan(observed), 0.0, expected
    )
    return np.asarray((others + STEADY) / (expected_others + STEADY))


def _fit_dispersion(past: Floats) -> float:
    """Variance over Poisson of a place's windows, once place and window totals are allowed for.

    Given a place's total, its windows are a multinomial draw, so places are chosen by that total
    (one incident a window or more) without bending the answer; never under 1.
    """
    enough = past[past.sum(axis=1) >= past.shape[1]]
    enough = enough[:, enough.sum(axis=0) > 0]
    freedom = (enough.shape[0] - 1) * (enough.shape[1] - 1)
    if enough.shape[0] < ENOUGH_PLACES or freedom < ENOUGH_PLACES:
        return USUAL_DISPERSION
    fitted = np.outer(enough.sum(axis=1), enough.sum(axis=0)) / enough.sum()
    return max(1.0, float(((enough - fitted) ** 2 / fitted).sum() / freedom))


def _fit_spread(before: Floats, ordinary: Floats, dispersion: float) -> float:
    """Variance of the places' true ratios (mean 1), by moments, weighted by what was ordinary."""
    total = ordinary.sum()
    seen = float(((before - ordinary) ** 2 / ordinary).sum() / total)
    fitted = seen - dispersion * (len(before) - 1) / float(total)
    return max(LEAST_SPREAD, fitted) * (1 + DOUBT / len(before))


def _exceed(observed: Floats, expected: Floats, dispersion: float, spread: float) -> Floats:
    """P(X >= observed): X has this mean, and variance dispersion x mean + spread x mean squared."""
    beyond = np.ceil(observed) - 1
    extra = (dispersion - 1) * expected + spread * expected**2
    size = expected**2 / extra
    # The upper tail of a negative binomial as an incomplete beta; scipy.stats takes two seconds to import.
    return np.where(beyond < 0, 1.0, special.betainc(np.maximum(beyond, 0) + 1, size, expected / (size + expected)))


# --- Shapes and what is not known


def _check_places(counts: pd.DataFrame) -> None:
    repeated = int(counts["place"].duplicated().sum())
    if repeated or not counts.index.is_unique:
        raise RunError(
            Problem(
                "expected.compare: counts",
                f"{repeated} repeated places",
                "one row per place of one level, on a unique index",
                "count incidents by place before comparing, one level at a time",
            )
        )


def _size_places(level: pd.DataFrame) -> tuple[Floats, list[str]]:
    """Each place's size on the level's mean of 1, and in words where it came from."""
    if "dwellings" not in level:
        return np.ones(len(level)), ["equal shares: dwellings not known"] * len(level)
    dwellings = _read_numbers(level["dwellings"])
    unknown = np.isnan(dwellings)
    if not len(level) or (~unknown).mean() < KNOWN_DWELLINGS or not np.nansum(dwellings) > 0:
        words = f"equal shares: dwellings known at {(~unknown).sum()} of {len(level)} places"
        return np.ones(len(level)), [words] * len(level)
    size = np.where(unknown, np.nanmedian(dwellings), dwellings)
    source = np.where(unknown, "dwellings not known here: the level's median", "dwellings")
    return np.maximum(size / size.mean(), LEAST_OFFSET), source.tolist()


def _read_numbers(column: pd.Series[float]) -> Floats:
    """A column that may hold None or NA, as numbers with NaN: inside this module only."""
    return np.asarray(pd.to_numeric(column).astype("Float64").to_numpy(float, na_value=np.nan))


def _spread_windows(
    history: pd.DataFrame, places: pd.Series[str], days: Mapping[int, float]
) -> Floats:
    """Past counts, places down and windows across; places not of this level are left out."""
    windows = sorted(window for window, exposure in days.items() if window > 0 and exposure > 0)
    wide = history.pivot_table(index="place", columns="window", values="observed", aggfunc="sum")
    wide = wide.reindex(index=pd.Index(places), columns=windows)
    return np.asarray(wide.astype(float).fillna(0.0))


def _sum_past(days: Mapping[int, float]) -> float:
    return sum(exposure for window, exposure in sorted(days.items()) if window > 0)


def _say_unknown(past: Floats, days: Mapping[int, float]) -> str:
    """Why nothing can be expected at this level, or ""."""
    if len(past) < ENOUGH_PLACES:
        return f"fewer than {ENOUGH_PLACES} places at this level"
    if not days.get(0, 0.0) > 0:
        return "no complete part of the present window"
    if _sum_past(days) < days[0]:
        return "less than one whole window of history"
    if past.sum() < ENOUGH_INCIDENTS:
        return f"fewer than {ENOUGH_INCIDENTS} incidents in the history of this level"
    return ""


def _fit_rows_and_columns(values: Floats, row: Whole, column: Whole) -> Floats:
    """exp of the column effects of a two-way least-squares fit, scaled to a mean of 1."""
    rows, columns = int(row.max()) + 1, int(column.max()) + 1
    design = np.zeros((len(values), rows + columns))
    design[np.arange(len(values)), row] = 1.0
    design[np.arange(len(values)), rows + column] = 1.0
    effects = np.exp(np.linalg.lstsq(design, values, rcond=None)[0][rows:])
    return np.asarray(effects / effects.mean())
