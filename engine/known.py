"""The lake as of a date -> everything that was known then: dated, linked, located, and which silences mean something.

The first two words of the sentence, load -> link, for the weekly run and for a live screening alike.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

import ibis.expr.types as ir
import pandas as pd

from engine.completeness import gazetteer_break, incomplete
from engine.disputes import mark_tables
from engine.errors import Problem, RunError
from engine.history import Freshness
from engine.keyed import World
from engine.lake import Lake
from engine.linkage import Linked
from engine.pack import Pack
from engine.world import Workbench, assemble

Say = Callable[[str], None]


@contextmanager
def hold_collection() -> Iterator[None]:
    """Holds the garbage collector back: Ibis builds millions of small objects, and walking them took two fifths of
    the run. Nothing is kept from being freed for longer than one run."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@dataclass(frozen=True)
class Known:
    """What was known on a date. `partial`: months only partly there; `inputs`: the batches read, with sha256."""

    world: World
    linked: Linked
    feeds: Mapping[str, ir.Table]
    fresh: tuple[Freshness, ...]
    partial: pd.DataFrame
    inputs: tuple[tuple[str, str], ...]


def read_known(      # noqa: PLR0913  everything that decides what was known is passed
    lake: Lake, pack: Pack, registry: pd.DataFrame, as_of: date, bench: Workbench, *, area: str | None = None,
    only: Collection[str] | None = None, freshness: Sequence[Freshness] | None = None, say: Say = lambda _: None,
    disputes: Collection[str] = (),
) -> Known:
    """Everything known on a date. `only` and `freshness` make an old day again: its batches, what was fresh then.

    `disputes`: the records in dispute on that date (see `disputes`), besides those their agencies dispute themselves.
    Raises RunError when nothing was known by then.
    """
    say("reading what was known")
    inputs = tuple(pair for pair in lake.inputs(as_of) if only is None or pair[0] in set(only))
    feeds = {name: bench.hold(f"feed_{name}", rows)
             for name, rows in mark_tables(lake.tables(as_of, bench.connection, [name for name, _ in inputs]),
                                           disputes).items()}
    fresh = tuple(freshness if freshness is not None else lake.freshness(as_of, feeds))
    if not any(f.records for f in fresh):
        raise RunError(Problem(f"as of {as_of}", "no partner had told us anything yet",
                               "a date after the first record", "ingest an extract, or choose a later date"))
    say("linking people and places")
    partial = find_partial_months(feeds, as_of)
    assembled = assemble(feeds, pack, registry, frozenset(f.feed for f in fresh if f.fresh),
                         gaps_of(partial), find_redrawn(feeds), as_of, bench, area)
    return Known(assembled.world, assembled.linked, feeds, fresh, partial, inputs)


def say_silence(feed: Freshness) -> str:
    """How late a feed is, in words."""
    if feed.last_spoke is None:
        return "nothing has ever been received"
    return f"last heard of {feed.age_days} days ago, on {feed.last_spoke}; usual within {feed.fresh_within}"


def find_partial_months(feeds: Mapping[str, ir.Table], as_of: date) -> pd.DataFrame:
    """Months of the counted feeds that are only partly there: columns feed, period, area, observed, usual, why.

    The month of `as_of` is left out: it is not over.
    """
    found = []
    for feed, period, area in (("police_uk", "month", None), ("area_counts", "month", "borough"),
                               ("police_incidents", "known", None), ("council_asb", "known", None)):
        rows = feeds[feed]
        keys = {"period": rows[period].cast("date").truncate("M").cast("date")}
        if area:
            keys["area"] = rows[area]
        observed = rows["count"].sum() if "count" in rows.columns else rows.count()
        monthly = rows.group_by(**keys).agg(observed=observed).execute()
        monthly = monthly[pd.to_datetime(monthly["period"]) < pd.Timestamp(as_of.replace(day=1))]
        if monthly.empty:
            continue
        if "area" not in monthly:
            monthly["area"] = None
        judged = incomplete(monthly[["period", "area", "observed"]])
        found.append(judged[judged["partial"]].assign(feed=feed))
    columns = ["feed", "period", "area", "observed", "usual", "share", "why"]
    if not found:
        return pd.DataFrame(columns=columns)
    return pd.concat(found, ignore_index=True)[columns]


def find_redrawn(feeds: Mapping[str, ir.Table]) -> dict[str, date]:
    """The first month of the present map points of police.uk, where its list of points was ever redrawn."""
    rows = feeds["police_uk"]
    named = rows.filter(rows.longitude.notnull()).mutate(
        place=rows.longitude.round(6).cast("string") + "," + rows.latitude.round(6).cast("string"))
    counted = named.group_by("place", period=named.month.cast("date")).agg(observed=named.count())
    monthly = counted.order_by(["period", "place"]).execute()
    if monthly.empty:
        return {}
    breaks = gazetteer_break(monthly)
    broken = breaks[breaks["broken"]]
    return {"police_uk": pd.Timestamp(broken["period"].max()).date()} if len(broken) else {}


def gaps_of(partial: pd.DataFrame) -> dict[str, frozenset[date]]:
    """The partial months of each feed as a whole (not of one area of it)."""
    whole = partial[partial["area"].isna()] if len(partial) else partial
    return {str(feed): frozenset(pd.to_datetime(rows["period"]).dt.date)
            for feed, rows in whole.groupby("feed")}
