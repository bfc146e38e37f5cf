"""What was taken in, one JSON line per file: the only thing that makes a batch of records exist.

A batch is written first and its line last, so a file that was stopped half-way left nothing behind
that anybody reads.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from engine.journal import Journal


@dataclass(frozen=True)
class Receipt:
    """What became of one file. rows_in = new + revised + unchanged + repeated + refused, always.

    `already_known`: the same bytes were read before, and nothing was done. `withdrawn`: rows the
    file leaves out of a partition it replaces. `batch`, `seen` and `quarantine` are files under the
    lake's home, blank where there was nothing to write.
    """

    sequence: int
    feed: str
    file: str
    digest: str
    contract: str
    received: date
    complete_to: date | None = None
    rows_in: int = 0
    new: int = 0
    revised: int = 0
    unchanged: int = 0
    repeated: int = 0
    refused: int = 0
    withdrawn: int = 0
    refused_whole: bool = False
    already_known: bool = False
    unknown_columns: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    first_known: date | None = None
    batch: str = ""
    batch_sha256: str = ""
    seen: str = ""
    seen_sha256: str = ""
    quarantine: str = ""

    def __post_init__(self) -> None:
        counted = self.new + self.revised + self.unchanged + self.repeated + self.refused
        assert self.rows_in == counted, f"{self.rows_in} rows came in, {counted} are accounted for"

    @property
    def used(self) -> int:
        """Rows that stand in the lake, however they got there."""
        return self.rows_in - self.refused


_DATES = ("received", "complete_to", "first_known")
_LISTS = ("unknown_columns", "notes")


class Ledger:
    """The receipts under one home, oldest first."""

    def __init__(self, home: Path) -> None:
        self.path = home / "ledger.jsonl"
        self._journal = Journal(self.path, "a receipt", lambda _number, fields: _from_line(fields))

    def read(self) -> list[Receipt]:
        """Every receipt. Raises RunError when a whole line is not one."""
        receipts, _mark = self._journal.read()
        return receipts

    def append(self, receipt: Receipt) -> None:
        """Adds the receipt and sees it onto the disk; leaves the ledger as it was if it cannot."""
        self._journal.append({name: value.isoformat() if isinstance(value, date) else value
                              for name, value in asdict(receipt).items()})

    def hold(self) -> AbstractContextManager[None]:
        """One file at a time: waits until no other process is taking one in."""
        return self._journal.hold()


def _from_line(fields: dict[str, Any]) -> Receipt:
    for name in _DATES:
        if fields.get(name) is not None:
            fields[name] = date.fromisoformat(fields[name])
    for name in _LISTS:
        fields[name] = tuple(fields[name])
    return Receipt(**fields)
