"""Place counts -> how they stand against expectation: the four columns `compare: true` adds to a count.

Counts the same reports in earlier windows of the same length, up to three years back, leaves out the months a
feed is only partly there, and hands each level to `expected`. Single addresses are left out: a household is not
a rate. What cannot be compared (too short a past, a gap in the present) is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir
import pandas as pd

from engine.columns import express
from engine.expected import NO_SEASON, MonthFactors, compare, count_exposure, fit_months
from engine.feature import COMPARED, Feature
from engine.keyed import World, key_rows

HISTORY_DAYS = 1095
"""Domain reference 1.12: expectations come from the borough's previous three years."""


def compare_places(
    world: World, wide: ir.Table, features: Sequence[Feature], read: Collection[str],
    put: Callable[[str, pd.DataFrame], ir.Table],
) -> ir.Table:
    """The measured places with `<count>_expected`, `_ratio`, `_ratio_low` and `_exceed` for each compared count.

    Counts none of whose comparisons is in `read` get unknown, unasked.
    """
    compared: dict[str, pd.DataFrame] = {}
    unknown: set[str] = set()
    read = set(read)
    for feature in (f for f in features if f.compare):
        names = {suffix: f"{feature.name}_{suffix}" for suffix in COMPARED}
        frame = _compare(world, wide, feature) if read & set(names.values()) else None
        if frame is None:
            unknown |= set(names.values())
        else:
            compared[feature.name] = frame.rename(columns=names)[["place", *names.values()]].set_index("place")
    columns = {name: ibis.null("float64") for name in sorted(unknown)}
    if not compared:
        return wide.mutate(**columns)
    frame = pd.concat(compared.values(), axis=1).astype("Float64").rename_axis("place").reset_index()
    stats = put("compared", frame)
    return wide.left_join(stats, wide.subject == stats.place).drop("place").mutate(**columns)


def _compare(world: World, wide: ir.Table, feature: Feature) -> pd.DataFrame | None:
    assert feature.window is not None
    assert feature.table is not None
    start = world.as_of - timedelta(days=feature.window)
    if not world.believes(feature) or world.gaps_in(feature.feeds, start, world.as_of):
        return None
    counts = wide.filter(wide.level != "uprn").select(
        place="subject", level="level", dwellings="dwellings", observed=feature.name).execute()
    history = _count_windows(world, feature)
    begun = _first_day(world, feature)
    if begun is None or counts.empty:
        return None
    months = _fit_season(world, feature)
    parts, speaking = [], dict[date, dict[int, float]]()
    for name, level in counts.groupby("level", sort=True):
        # Map points are redrawn now and then; what came before is about other places and is not compared with.
        since = max(begun, world.redrawn.get(feature.table, begun)) if name == "point" else begun
        if since not in speaking:
            speaking[since] = _exposures(world, feature, since, months)
        exposures = speaking[since]
        past = history[history["place"].isin(level["place"]) & history["window"].isin(exposures)]
        parts.append(compare(level.drop(columns="level"), past, exposures))
    return pd.concat(parts, ignore_index=True)


def _rows(world: World, feature: Feature) -> ir.Table:
    assert feature.table is not None
    rows = key_rows(world, "place", feature.table)
    return rows.filter(express(feature.where, rows.__getitem__)) if feature.where is not None else rows


def _count_windows(world: World, feature: Feature) -> pd.DataFrame:
    """Per place and earlier window (1 = the one just before): the count as the feature counts."""
    assert feature.window is not None
    rows = _rows(world, feature)
    gone = ibis.literal(world.as_of).delta(rows.known, unit="day")
    rows = rows.mutate(window=((gone - 1) / feature.window).floor().cast("int64"))
    windows = HISTORY_DAYS // feature.window
    rows = rows.filter((rows.window >= 1) & (rows.window <= windows))
    gaps = world.gaps_in(feature.feeds, date.min, world.as_of)
    if gaps:
        rows = rows.filter(~rows.known.truncate("M").cast("date").isin(sorted(gaps)))
    if feature.cap_reporter is not None:
        each = rows.group_by(["subject", "window", "reporter"]).agg(n=rows.incident.nunique())
        capped = each.reporter.isnull().ifelse(each.n, ibis.least(each.n, feature.cap_reporter))
        counted = each.group_by(["subject", "window"]).agg(observed=capped.sum())
    elif feature.measure.column is not None:
        counted = rows.group_by(["subject", "window"]).agg(observed=rows[feature.measure.column].nunique())
    else:
        counted = rows.group_by(["subject", "window"]).agg(observed=rows.count())
    frame: pd.DataFrame = counted.order_by(["subject", "window"]).execute()
    return frame.rename(columns={"subject": "place"})


def _first_day(world: World, feature: Feature) -> date | None:
    """The first day the feeds speak of; a feed known by whole months speaks from the first of its first month."""
    assert feature.table is not None
    table = world.tables[feature.table]
    first = table.known.min().execute()
    if pd.isna(first):
        return None
    day: date = pd.Timestamp(first).date()
    by_month = "month" in table.columns and table.month.type().is_date()
    return day.replace(day=1) if by_month else day


def _fit_season(world: World, feature: Feature) -> MonthFactors:
    assert feature.table is not None
    table = world.tables[feature.table]
    rows = table.filter(express(feature.where, table.__getitem__)) if feature.where is not None else table
    monthly = rows.group_by(period=rows.known.truncate("M").cast("date")).agg(observed=rows.count())
    totals = monthly.order_by("period").execute()
    this_month = pd.Timestamp(world.as_of.replace(day=1))
    gaps = pd.to_datetime(sorted(world.gaps_in(feature.feeds, date.min, world.as_of)))
    periods = pd.to_datetime(totals["period"])
    whole = (periods < this_month) & ~periods.isin(gaps) & (periods > periods.min())
    return fit_months(totals[whole]) if whole.any() else NO_SEASON


def _exposures(
    world: World, feature: Feature, begun: date, months: MonthFactors
) -> dict[int, float]:
    assert feature.window is not None
    gaps = world.gaps_in(feature.feeds, date.min, world.as_of)
    exposures = {}
    for window in range(HISTORY_DAYS // feature.window + 1):
        end = world.as_of - timedelta(days=window * feature.window)
        start = max(begun, end - timedelta(days=feature.window))
        if start < end:
            exposures[window] = count_exposure(start, end, months, gaps)
    return exposures
