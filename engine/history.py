"""The lake's batches -> each feed as it was known before a date, and when each feed last spoke.

A record is a chain of versions in the order their files were received. Its first version counts
from the day the partner knew it; each later one from the day it was issued (`amended`, else
received), never before the one it follows. The view of a date is the last version that counted
before it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pandas as pd
from ibis.backends.duckdb import Backend

from engine.contract import Contract
from engine.ledger import Receipt

IBIS = {"date": "date", "datetime": "timestamp(6)", "month": "date", "integer": "int64",
        "boolean": "boolean"} | dict.fromkeys(
    ("decimal", "easting", "northing", "longitude", "latitude"), "float64")     # all else is text
_KEYS = {"identity": "string", "content": "string", "partition": "string", "issued": "date",
         "received": "date", "sequence": "int64", "key": "int64", "known": "date"}


@dataclass(frozen=True)
class Freshness:
    """When a feed last spoke, and whether what it does not say may be read as "did not happen"."""

    feed: str
    title: str
    agency: str
    last_spoke: date | None
    age_days: int | None
    fresh_within: int | None        # None: the feed does not go stale
    fresh: bool
    records: int


def connect(threads: int | None = None) -> Backend:
    """A DuckDB in memory that fetches nothing from outside and knows one time zone."""
    con: Backend = ibis.duckdb.connect()
    con.raw_sql("SET TimeZone = 'UTC'")
    for setting in ("autoinstall_known_extensions", "autoload_known_extensions",
                    "enable_progress_bar"):
        con.raw_sql(f"SET {setting} = false")
    if threads is not None:
        con.raw_sql(f"SET threads = {int(threads)}")
    return con


def view(contract: Contract, home: Path, receipts: Sequence[Receipt], as_of: date, con: Backend,
         only: Collection[str] | None = None) -> ir.Table:
    """The feed as it was known before `as_of`: one row per record, in the contract's columns."""
    own = [r for r in receipts if r.feed == contract.feed and (only is None or r.batch in only
                                                              or r.seen in only)]
    batches = [str(home / r.batch) for r in own if r.batch]
    if not batches:
        return _shape(_empty(contract), contract, as_of)
    stored = _typed(con.read_parquet(batches, union_by_name=True), contract)
    if contract.replaces:
        return _shape(_latest_partitions(stored, as_of), contract, as_of)
    if len(batches) == 1 and not any(r.revised or r.seen for r in own):
        # One file that holds each record once: there are no versions to choose between.
        only_version = stored.filter(stored.known < as_of)
        return _shape(only_version.mutate(revised=only_version.known), contract, as_of)
    seen = [str(home / r.seen) for r in own if r.seen]
    said = stored.select(*_KEYS)
    if seen and is_out_of_order(own):
        again = con.read_parquet(seen, union_by_name=True).mutate(partition=ibis.literal(""))
        said = said.union(again.select(
            **{name: again[name].cast(kind) for name, kind in _KEYS.items()}))
    return _shape(_latest_versions(stored, said, as_of), contract, as_of)


def is_out_of_order(receipts: Sequence[Receipt]) -> bool:
    """Whether some file was read after one that was received later.

    Only then does it matter which records the files between repeated unchanged: a late file may
    contradict what the next one confirmed.
    """
    days = [r.received for r in receipts if not r.already_known]
    return days != sorted(days)


def measure_freshness(contracts: Mapping[str, Contract], receipts: Sequence[Receipt],
                      tables: Mapping[str, ir.Table], as_of: date) -> list[Freshness]:
    """One per feed: it last spoke with its latest record, or its word that all is sent."""
    return [_measure(contract, receipts, tables[contract.feed], as_of)
            for contract in contracts.values()]


def find_orphans(
    contracts: Mapping[str, Contract], tables: Mapping[str, ir.Table]
) -> pd.DataFrame:
    """Records that refer to nothing, by record and column. Empty feeds are not looked in."""
    found = [pd.DataFrame(columns=["record", "feed", "column", "found"])]
    for contract in contracts.values():
        for column in contract.columns.values():
            if column.refers_to is None:
                continue
            feed, target = column.refers_to
            child, parent = tables[contract.feed], tables[feed]
            if parent.count().execute() == 0:
                continue
            named = child.filter(child[column.name].notnull())
            orphans = named.anti_join(parent, named[column.name] == parent[target])
            found.append(orphans.select(
                "record", "feed", column=ibis.literal(column.name), found=orphans[column.name]
            ).order_by("record").execute())
    return pd.concat([frame for frame in found if len(frame)] or found, ignore_index=True)


# --- versions ------------------------------------------------------------------------------------

def _latest_versions(stored: ir.Table, said: ir.Table, as_of: date) -> ir.Table:
    order = [said.received, said.sequence, said.issued.asc(nulls_first=True)]
    chain = ibis.window(group_by=said.identity, order_by=order)
    same = ibis.window(group_by=[said.identity, said.content])
    said = said.mutate(
        before=said.content.lag().over(chain), place=ibis.row_number().over(chain),
        first_known=said.known.first().over(chain), key=said.key.min().over(same))
    steps = said.filter(said.before.isnull() | (said.before != said.content))
    issued = steps.issued.fill_null(steps.received)
    dated = _date_versions(steps, steps.first_known, issued, "identity")
    latest = _last_before(dated, "identity", as_of)
    chosen = latest.select("key", first_known="first_known", counted_from="counted_from")
    joined = stored.inner_join(chosen, "key")
    return joined.mutate(known=joined.first_known, revised=joined.counted_from)


def _latest_partitions(stored: ir.Table, as_of: date) -> ir.Table:
    """A later file replaces the whole partition; what it leaves out is gone from that day."""
    heads = stored.group_by("partition", "received", "sequence").agg(first_known=stored.known.min())
    heads = heads.mutate(issued=ibis.null("date"))
    chain = ibis.window(group_by=heads.partition, order_by=[heads.received, heads.sequence])
    heads = heads.mutate(place=ibis.row_number().over(chain))
    dated = _date_versions(heads, heads.first_known, heads.received, "partition")
    latest = _last_before(dated, "partition", as_of)
    chosen = latest.select("partition", "sequence", counted_from="counted_from")
    joined = stored.inner_join(chosen, ["partition", "sequence"])
    return joined.filter(joined.known < as_of).mutate(revised=joined.counted_from)


def _date_versions(steps: ir.Table, known: ir.Value, issued: ir.Value, group: str) -> ir.Table:
    """Adds `counted_from`: known for the first version, issued for the others, never going back."""
    steps = steps.mutate(own=(steps.place == 0).ifelse(known, issued))
    so_far = ibis.cumulative_window(group_by=steps[group], order_by=steps.place)
    return steps.mutate(counted_from=steps.own.max().over(so_far))


def _last_before(dated: ir.Table, group: str, as_of: date) -> ir.Table:
    visible = dated.filter(dated.counted_from < as_of)
    back = ibis.window(group_by=visible[group], order_by=ibis.desc(visible.place))
    ranked = visible.mutate(rank=ibis.row_number().over(back))
    return ranked.filter(ranked["rank"] == 0)


# --- shapes --------------------------------------------------------------------------------------

def _typed(stored: ir.Table, contract: Contract) -> ir.Table:
    """Batches written under an older contract lack the newer columns: unknown, then."""
    kinds = {name: IBIS.get(column.type, "string") for name, column in contract.columns.items()}
    return stored.select(
        **{name: stored[name].cast(kind) for name, kind in _KEYS.items()},
        **{name: stored[name].cast(kind) if name in stored.columns else ibis.null(kind)
           for name, kind in kinds.items()})


def _empty(contract: Contract) -> ir.Table:
    kinds = {name: IBIS.get(column.type, "string") for name, column in contract.columns.items()}
    schema = ibis.schema(_KEYS | {"revised": "date"} | kinds)
    return ibis.memtable(schema.to_pyarrow().empty_table(), schema=schema)


def _shape(rows: ir.Table, contract: Contract, as_of: date) -> ir.Table:
    shaped = rows.select(
        record=ibis.literal(f"{contract.feed}:") + rows.identity, feed=ibis.literal(contract.feed),
        known=rows.known, revised=rows.revised, **{name: rows[name] for name in contract.columns})
    if span := contract.span:
        begun = (shaped[span.start].cast("date") <= as_of).fill_null(True)
        lasting = (shaped[span.end].cast("date") > as_of).fill_null(True)
        shaped = shaped.mutate(current=begun & lasting)
    return shaped


def _measure(
    contract: Contract, receipts: Sequence[Receipt], rows: ir.Table, as_of: date
) -> Freshness:
    counted = rows.aggregate(records=rows.count(), latest=rows.known.max()).execute()
    latest = counted["latest"][0]
    spoken = [r.complete_to for r in receipts
              if r.feed == contract.feed and r.complete_to and r.complete_to <= as_of
              and not r.refused_whole]
    if not pd.isna(latest):
        spoken.append(pd.Timestamp(latest).date())
    last = max(spoken, default=None)
    age = None if last is None else (as_of - last).days
    fresh = age is not None and (contract.fresh_within is None or age <= contract.fresh_within)
    return Freshness(contract.feed, contract.title, contract.agency, last, age,
                     contract.fresh_within, fresh, int(counted["records"][0]))
