"""Partners' files -> an append-only lake of dated records, and what was known of them on any date.

    home/ledger.jsonl                   a receipt per file; a batch it does not name is not there
    home/lake/<feed>/<batch>.parquet    records that were new or changed (.seen.parquet: said again)
    home/quarantine/<feed>/<batch>.parquet   refused rows, each with what to do about it

Nothing is ever overwritten: a correction is a later version, and asking as of an earlier date still
gives the earlier one. Taking a file in either happens whole or not at all.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.backends.duckdb import Backend

from engine import history, quarantine
from engine.arrival import Arrival, Counts, Past
from engine.border import Refusal, check_chunk, typed_schema
from engine.contract import Contract
from engine.errors import ExtractError, Problem
from engine.history import Freshness
from engine.ledger import Ledger, Receipt
from engine.reader import read_extract

Progress = Callable[[int], None]


class Lake:
    """Everything partners have sent, under one folder."""

    def __init__(self, home: Path, contracts: Mapping[str, Contract]) -> None:
        self.home, self.contracts, self.ledger = home, contracts, Ledger(home)

    def ingest(self, feed: str, path: Path, received: date, complete_to: date | None = None,
               progress: Progress | None = None) -> Receipt:
        """Takes one file in and says what became of every row.

        `received`: the day the partner sent it. `complete_to`: the last day it covers completely,
        where the partner says so. The same bytes again change nothing, whatever the dates, except
        that a later `complete_to` is noted. Raises ExtractError when the file cannot be read as
        this feed or there is no room to keep it; nothing of it is kept then.
        """
        contract = self._find_contract(feed, path)
        if complete_to is not None and complete_to > received:
            raise ExtractError(Problem(path.name, f"complete to {complete_to}, received {received}",
                                       "a day not after it was received",
                                       "correct one of the dates"))
        with _room(self.home), self.ledger.hold():
            receipts = self.ledger.read()
            draft = Receipt(len(receipts) + 1, feed, path.name, _digest(path), contract.digest,
                            received, complete_to)
            known = [r for r in receipts if (r.feed, r.digest, r.contract)
                     == (draft.feed, draft.digest, draft.contract) and not r.already_known]
            if known:
                return self._note_again(draft, known[-1], receipts)
            with _scratch(self.home) as scratch:
                return _Ingest(self, contract, draft, receipts, scratch).run(path, progress)

    def tables(self, as_of: date, con: Backend, only: Collection[str] | None = None
               ) -> dict[str, ir.Table]:
        """Every feed as it was known before that day, one row per record; empty where nothing was.

        `record` is "feed:identity"; `known` is when its first version was known, `revised` when the
        version shown was; then the contract's columns, and `current` where it has a span. `only`
        limits the view to these batches (see `inputs`), so that an old run can be made again.
        """
        receipts = self.ledger.read()
        return {feed: history.view(contract, self.home, receipts, as_of, con, only)
                for feed, contract in self.contracts.items()}

    def freshness(
        self, as_of: date, tables: Mapping[str, ir.Table] | None = None
    ) -> list[Freshness]:
        """When each feed last spoke before that day, and whether its silence means anything yet."""
        if tables is None:
            tables = self.tables(as_of, history.connect())
        return history.measure_freshness(self.contracts, self.ledger.read(), tables, as_of)

    def inputs(self, as_of: date) -> list[tuple[str, str]]:
        """The batch files the view of that day reads, under the home, each with its sha256."""
        return [pair for r in self.ledger.read() if r.batch or r.seen
                for pair in ((r.batch, r.batch_sha256), (r.seen, r.seen_sha256))
                if pair[0] and r.first_known is not None and r.first_known < as_of]

    def quarantined(self) -> pd.DataFrame:
        """The refusals still open, one row per fault: file, row, column, found, allowed, fix."""
        return quarantine.read_open(self.contracts, self.home, self.ledger.read())

    def counts_by_feed(self) -> pd.DataFrame:
        """One row per feed: files, rows_in, used, quarantined; rows_in = used + quarantined."""
        columns = ["feed", "files", "rows_in", "used", "quarantined"]
        rows = [(r.feed, 1, r.rows_in, r.used, r.refused) for r in self.ledger.read()
                if not r.already_known]
        counted = pd.DataFrame(rows, columns=columns).groupby("feed").sum()
        return counted.reindex(list(self.contracts), fill_value=0).astype("int64").rename_axis(
            "feed").reset_index()

    def check_references(self, tables: Mapping[str, ir.Table]) -> pd.DataFrame:
        """Records that refer to nothing: record, feed, column, found. Listed, used for nothing."""
        return history.find_orphans(self.contracts, tables)

    def _find_contract(self, feed: str, path: Path) -> Contract:
        if feed not in self.contracts:
            raise ExtractError(Problem(path.name, f"there is no feed `{feed}`",
                                       ", ".join(self.contracts), "name one of these feeds"))
        if not path.is_file():
            raise ExtractError(Problem(str(path), "there is no such file",
                                       "a file that can be read", "correct the path"))
        return self.contracts[feed]

    def _note_again(self, draft: Receipt, first: Receipt, receipts: list[Receipt]) -> Receipt:
        """A feed whose file has not changed has still spoken, if it now vouches for later days."""
        spoke = max((r.complete_to for r in receipts if r.feed == draft.feed and r.complete_to),
                    default=None)
        again = replace(first, sequence=draft.sequence, file=draft.file, received=draft.received,
                        complete_to=draft.complete_to, already_known=True, new=0, revised=0,
                        unchanged=first.used - first.repeated, withdrawn=0,
                        batch="", batch_sha256="", seen="", seen_sha256="", quarantine="")
        if draft.complete_to and (spoke is None or draft.complete_to > spoke):
            self.ledger.append(again)
        return again


class _Ingest:
    """One file on its way in: staged in scratch, moved into place, then named in the ledger."""

    def __init__(self, lake: Lake, contract: Contract, draft: Receipt, receipts: list[Receipt],
                 scratch: Path) -> None:
        self.lake, self.contract, self.draft, self.scratch = lake, contract, draft, scratch
        self.earlier = [r for r in receipts if r.feed == contract.feed]
        self.name = f"{draft.sequence:06d}-{draft.digest[:12]}"
        self.rows, self.refusals = scratch / "rows.parquet", scratch / "refusals.parquet"

    def run(self, path: Path, progress: Progress | None) -> Receipt:
        receipt = self._stage(path, progress)
        arrival = Arrival(self.contract, receipt.received, receipt.sequence, self.scratch)
        try:
            counts = arrival.judge(self.rows, self._past())
            receipt, files = self._write(receipt, counts, arrival)
        finally:
            arrival.close()
        for staged, place in files.items():
            (self.lake.home / place).parent.mkdir(parents=True, exist_ok=True)
            os.replace(staged, self.lake.home / place)
        self.lake.ledger.append(receipt)
        return receipt

    def _stage(self, path: Path, progress: Progress | None) -> Receipt:
        """Reads and checks the file chunk by chunk; counts rows that came in and were refused."""
        rows_in = refused = 0
        unknown, notes = dict[str, None](), dict[str, None]()
        with (pq.ParquetWriter(self.rows, typed_schema(self.contract)) as rows,
              pq.ParquetWriter(self.refusals, quarantine.SCHEMA) as refusals):
            for chunk in read_extract(path, self.contract):
                checked = check_chunk(chunk, self.contract, self.draft.received)
                rows.write_table(checked.rows)
                refusals.write_table(_to_table(checked.refusals))
                rows_in += checked.rows.num_rows + checked.refused
                refused += checked.refused
                unknown |= dict.fromkeys(chunk.header.unknown)
                notes |= dict.fromkeys([chunk.note] if chunk.note else [])
                if progress:
                    progress(rows_in)
        if not rows_in and self.draft.complete_to is None:
            raise ExtractError(Problem(
                path.name, "a header and no rows", "rows, or a day the file is complete to",
                "if nothing happened, say up to which day; otherwise export it again"))
        return replace(self.draft, rows_in=rows_in, refused=refused, new=rows_in - refused,
                       unknown_columns=tuple(unknown), notes=tuple(notes))

    def _past(self) -> Past:
        late = any(r.received > self.draft.received for r in self.earlier)
        home = self.lake.home
        return Past([home / r.batch for r in self.earlier if r.batch],
                    [home / r.seen for r in self.earlier if r.seen]
                    if late or history.is_out_of_order(self.earlier) else [])

    def _write(self, receipt: Receipt, counts: Counts, arrival: Arrival
               ) -> tuple[Receipt, dict[Path, str]]:
        """The files to move into place, each with its place, and the receipt that names them."""
        refused = receipt.refused + counts.conflicts
        whole = receipt.rows_in > 0 and refused > self.contract.refuse_above * receipt.rows_in
        files: dict[Path, str] = {}
        if refused:
            parts = [self.refusals, self.scratch / "conflicts.parquet"]
            arrival.write_conflicts(parts[1])
            if whole:
                parts.append(self.scratch / "others.parquet")
                arrival.write_others(parts[2])
            place = f"quarantine/{self.contract.feed}/{self.name}.parquet"
            files[self._join_refusals(parts)] = place
        receipt = replace(receipt, quarantine=next(iter(files.values()), ""))
        if whole:
            return replace(receipt, new=0, refused=receipt.rows_in, refused_whole=True), files
        receipt = replace(receipt, new=counts.new, revised=counts.revised,
                          unchanged=counts.unchanged, repeated=counts.repeated, refused=refused,
                          withdrawn=counts.withdrawn, first_known=counts.first_known)
        place = f"lake/{self.contract.feed}/{self.name}"
        if counts.new or counts.revised or (self.contract.replaces and counts.unchanged):
            arrival.write_batch(batch := self.scratch / "batch.parquet")
            receipt = replace(receipt, batch=f"{place}.parquet", batch_sha256=_digest(batch))
            files[batch] = receipt.batch
        if counts.unchanged and not self.contract.replaces:
            arrival.write_seen(seen := self.scratch / "seen.parquet")
            receipt = replace(receipt, seen=f"{place}.seen.parquet", seen_sha256=_digest(seen))
            files[seen] = receipt.seen
        return receipt, files

    def _join_refusals(self, parts: list[Path]) -> Path:
        joined = self.scratch / "quarantine.parquet"
        quarantine.join_parts(parts, joined, self.contract.feed, self.draft, self.name)
        return joined


def _to_table(refusals: list[Refusal]) -> pa.Table:
    return pa.Table.from_pylist([vars(refusal) for refusal in refusals], schema=quarantine.SCHEMA)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _scratch(home: Path) -> Iterator[Path]:
    """A folder for work in progress, empty before and gone after, whatever happened."""
    folder = home / "scratch"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _room(home: Path) -> Iterator[None]:
    """Says what to do when the disk is full or may not be written; the last good state stands."""
    try:
        yield
    except (OSError, duckdb.IOException, duckdb.OutOfMemoryException) as error:
        why = getattr(error, "strerror", None) or error.__class__.__name__
        raise ExtractError(Problem(
            str(home), f"the lake cannot be written: {why}",
            "a folder with room, that may be written",
            "make room or correct the permissions, and send the file again: none of it was kept"
        )) from error
