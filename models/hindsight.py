"""Records that came later -> what a past day would have known of them: no days ahead of it, no silence misread.

A lake that was filled week by week needs little of this. One filled from an archive does: its rows say how things
ended, and its feeds look as if they had been silent for years.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

import ibis
import ibis.expr.types as ir

from engine.contract import Contract
from engine.history import Freshness
from engine.keyed import World
from engine.lake import Lake
from models.outcomes import Hindsight


def judge_silence(lake: Lake, measured: Sequence[Freshness], as_of: date) -> list[Freshness]:
    """Freshness on a past day, also of feeds whose first file came only later, with their past in it.

    Such a feed sent nothing that day because nobody had asked yet. Its silence is judged by how far that first archive
    says it is complete, as it would have been had the same records come week by week. Later files change nothing.
    """
    receipts = [r for r in lake.ledger.read() if not r.refused_whole]
    judged = []
    for feed in measured:
        first = min((r.received for r in receipts if r.feed == feed.feed), default=date.max)
        told = max((r.complete_to for r in receipts if r.feed == feed.feed and r.received == first and r.complete_to),
                   default=None)
        if first > as_of and told is not None:
            spoke = max(filter(None, (min(told, as_of), feed.last_spoke)))
            age = (as_of - spoke).days
            feed = replace(feed, last_spoke=spoke, age_days=age,
                           fresh=feed.fresh_within is None or age <= feed.fresh_within)
        judged.append(feed)
    return judged


def spoken(lake: Lake, as_of: date) -> list[tuple[str, date, date | None]]:
    """Every word of a feed that bears on whether its silence meant anything on a day."""
    receipts = [r for r in lake.ledger.read() if not r.refused_whole]
    first = {feed: min(r.received for r in receipts if r.feed == feed) for feed in {r.feed for r in receipts}}
    return sorted({(r.feed, r.received, r.complete_to) for r in receipts if r.complete_to
                   and (r.received == first[r.feed] or r.complete_to <= as_of)})


def is_archive(lake: Lake, feed: str, as_of: date) -> bool:
    """Whether the rows of a feed known by a day came only later, so that they may say more than was known then."""
    received = [r.received for r in lake.ledger.read() if r.feed == feed and not r.refused_whole]
    return bool(received) and min(received) > as_of


def forget(world: World, contracts: Mapping[str, Contract], hindsight: Mapping[str, Hindsight], as_of: date) -> World:
    """The world without the days on or after a date that could not have been written down before them.

    Only what the contract lets lie in the future may: a day that a notice runs out, not the day somebody was last seen.
    """
    tables = dict(world.tables)
    for name, rows in world.tables.items():
        blanked = _blank(rows, contracts.get(name), hindsight.get(name), as_of)
        if blanked:
            tables[name] = rows.mutate(**blanked)
    return replace(world, tables=tables)


def _blank(
    rows: ir.Table, contract: Contract | None, hindsight: Hindsight | None, as_of: date
) -> dict[str, ir.Value]:
    dated = {} if contract is None else {
        name: name for name, column in contract.columns.items()
        if column.type in ("date", "datetime") and not column.may_be_future and not column.birth}
    dated |= dict(hindsight.dated) if hindsight is not None else {}
    return {name: (rows[day].cast("date") >= ibis.literal(as_of)).fill_null(False).ifelse(
        ibis.null(rows[name].type()), rows[name]) for name, day in dated.items() if name in rows.columns}
