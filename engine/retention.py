"""What is kept past its time: each feed says for how many days its records may be kept, and this counts the others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import ibis

from engine.lake import Lake


@dataclass(frozen=True)
class Kept:
    """The records of one feed: how many, since when, and how many are older than `retain_days` allows."""

    feed: str
    title: str
    agency: str
    retain_days: int
    records: int
    oldest: date | None
    past: int


def count_kept(lake: Lake, as_of: date) -> tuple[Kept, ...]:
    """Every feed with what is kept of it on a day, those with most past their time first.

    A record's age is counted from the day it became known, as its feed's contract declares `retain_days`.
    """
    con = ibis.duckdb.connect()
    try:
        tables = lake.tables(as_of, con)
        found = [_count(lake, name, tables.get(name), as_of) for name in lake.contracts]
    finally:
        con.disconnect()
    return tuple(sorted(found, key=lambda one: (-one.past, -one.records, one.feed)))


def _count(lake: Lake, name: str, table: ibis.Table | None, as_of: date) -> Kept:
    contract = lake.contracts[name]
    before = as_of - timedelta(days=contract.retain_days)
    records, oldest, past = 0, None, 0
    if table is not None:
        row = table.aggregate(records=table.count(), oldest=table.known.min(),
                              past=table.count(where=table.known < before)).to_pyarrow().to_pylist()[0]
        records, past = int(row["records"]), int(row["past"])
        oldest = row["oldest"].date() if hasattr(row["oldest"], "date") else row["oldest"]
    return Kept(name, contract.title, contract.agency, contract.retain_days, records, oldest, past)
