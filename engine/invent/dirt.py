"""Clean tables -> what really arrives: rows that must be refused, and records issued again."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from engine.invent.arrays import Generator
from engine.invent.columns import FEEDS
from engine.invent.extracts import Correction, Table
from engine.invent.spelling import ISO, find_reference

BAD_SHARE = 0.002               # of rows, in feeds long enough to have any
LONG_ENOUGH = 500
CORRECTED = {"council_asb": "report_ref", "police_incidents": "incident_ref",
             "support_needs": "need_ref"}
CORRECTED_SHARE = 0.004


def spoil(feed: str, text: dict[str, pa.Array], key: str, spare: int,
          rng: Generator) -> dict[str, pa.Array]:
    """The table with a few unreadable rows among the others, each under a number of its own."""
    count = len(next(iter(text.values())))
    bad = round(count * BAD_SHARE)
    ways = _list_ways(feed)
    if count < LONG_ENOUGH or not ways or bad == 0:
        return text
    source = np.sort(rng.choice(count, bad, replace=False))
    rows = {name: column.take(pa.array(source)).to_pylist() for name, column in text.items()}
    form = find_reference(feed, key)
    for place in range(bad):
        column, wrong = ways[place % len(ways)]
        rows[column][place] = wrong
        if form:
            rows[key][place] = f"{form.letters}{(spare + 7_919 * place) % 10**8:08d}"
    order = np.argsort(np.r_[np.arange(count), source + 0.5], kind="stable")
    return {name: pa.concat_arrays([column, pa.array(rows[name], pa.string())]).take(
        pa.array(order)) for name, column in text.items()}


def _list_ways(feed: str) -> list[tuple[str, str]]:
    """Column and unreadable value, for the mistakes this feed can hold."""
    columns, iso = FEEDS[feed], feed in ISO
    ways = []
    for name, kind in columns.items():
        if kind in ("date", "datetime") and name in ("occurred", "visited", "started", "as_at",
                                                     "noted", "approached", "registered"):
            ways.append((name, "2025-02-31" if iso else "31/02/2025"))
        if name == "arrears":
            ways.append((name, "-112.40"))
        if name in ("severity", "clutter", "suspensions", "level"):
            ways.append((name, "two"))
        if name == "uprn" and feed != "properties":
            ways.append((name, "9.99901E+11"))
    if "occurred" in columns and "recorded" in columns:
        ways.append(("recorded", "2019-01-07" if iso else "07/01/2019"))
    return ways


def draw_corrections(feed: str, table: Table, until: int, rng: Generator) -> list[Correction]:
    """Some of a feed's records, issued again with a changed value before the last day."""
    key = CORRECTED[feed]
    open_rows = np.flatnonzero(~table.story & (table.columns["recorded"] < until - 12))
    count = round(len(open_rows) * CORRECTED_SHARE)
    rows = rng.choice(open_rows, count, replace=False) if count else open_rows[:0]
    changes: list[Correction] = []
    for row in np.sort(rows).tolist():
        change: dict[str, object] = {"severity": 1 + row % 5} if row % 3 else {"disputed": 1}
        change = {"status": "met"} if feed == "support_needs" else change
        amended = min(int(table.columns["recorded"][row]) + 3 + row % 40, until - 2)
        changes.append(Correction(int(table.columns[key][row]), amended, change, {}))
    return changes
