"""Refused rows -> the list someone can work from: what is still wrong, where, and how to mend it.

This is the one place that keeps what was found in a refused cell. A refusal closes when its record
has since been accepted from a later file; one whose record cannot be told closes when a later file
of the same name has been taken in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from engine.contract import Contract
from engine.ledger import Receipt

SCHEMA = pa.schema([("file", pa.string()), ("row", pa.int64()), ("column", pa.string()),
                    ("found", pa.string()), ("allowed", pa.string()), ("fix", pa.string()),
                    ("identity", pa.string())])
COLUMNS = ["feed", *SCHEMA.names, "received", "batch"]


def join_parts(parts: Sequence[Path], path: Path, feed: str, receipt: Receipt, batch: str) -> None:
    """Writes the refusals of one file as one Parquet file, with the feed, the day and the batch."""
    schema = pa.schema([("feed", pa.string()), *SCHEMA,
                        ("received", pa.date32()), ("batch", pa.string())])
    with pq.ParquetWriter(path, schema) as writer:
        for part in parts:
            for rows in pq.ParquetFile(part).iter_batches():
                columns = [pa.array([feed] * len(rows)), *rows.cast(SCHEMA).columns,
                           pa.array([receipt.received] * len(rows), pa.date32()),
                           pa.array([batch] * len(rows))]
                writer.write_batch(pa.record_batch(columns, schema=schema))


def read_open(
    contracts: Mapping[str, Contract], home: Path, receipts: Sequence[Receipt]
) -> pd.DataFrame:
    """The refusals still open, one row per fault, by feed, file, row and column."""
    with duckdb.connect() as con:
        frames = [frame for feed in contracts
                  if len(frame := _read_feed(con, contracts[feed], home, receipts))]
    if not frames:
        return pd.DataFrame(columns=COLUMNS)
    return pd.concat(frames, ignore_index=True)


def _read_feed(con: duckdb.DuckDBPyConnection, contract: Contract, home: Path,
               receipts: Sequence[Receipt]) -> pd.DataFrame:
    own = [r for r in receipts if r.feed == contract.feed and not r.already_known]
    latest = {r.digest: r.sequence for r in own}        # read again under a newer contract
    refused = [r for r in own if r.quarantine and latest[r.digest] == r.sequence]
    if not refused:
        return pd.DataFrame(columns=COLUMNS)
    key = "partition" if contract.replaces else "identity"
    taken = [str(home / place) for r in own for place in (r.batch, r.seen) if place]
    accepted = (f'SELECT "{key}" AS identity, max(sequence) AS sequence '
                "FROM read_parquet($taken, union_by_name = true) GROUP BY ALL"
                if taken else "SELECT NULL AS identity, NULL AS sequence WHERE len($taken) > 0")
    query = f"""
        WITH accepted AS ({accepted}),
        later AS (SELECT unnest($names) AS name, unnest($sequences) AS sequence),
        refused AS (SELECT *, split_part(batch, '-', 1)::BIGINT AS sequence
                    FROM read_parquet($refused))
        SELECT {", ".join(f'"{name}"' for name in COLUMNS)} FROM refused
        WHERE NOT EXISTS (SELECT 1 FROM accepted WHERE accepted.identity = refused.identity
                          AND refused.identity <> '' AND accepted.sequence > refused.sequence)
          AND NOT EXISTS (SELECT 1 FROM later WHERE refused.identity = ''
                          AND split_part(refused.file, '/', 1) = later.name
                          AND later.sequence > refused.sequence)
        ORDER BY file, row, "column", sequence"""
    whole = [r for r in own if not r.refused_whole]
    return con.execute(query, {
        "taken": taken or [""], "refused": [str(home / r.quarantine) for r in refused],
        "names": [r.file for r in whole], "sequences": [r.sequence for r in whole]}).df()
