"""What was taken in, one JSON line per file: the only thing that makes a batch of records exist.

A batch is written first and its line last, so a file that was stopped half-way left nothing behind
that anybody reads. A line torn by a full disk or a power cut has no line end: it is not a line, and
the next one is written over it.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from engine.errors import Problem, RunError


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
        self.home, self.path = home, home / "ledger.jsonl"

    def read(self) -> list[Receipt]:
        """Every receipt. Raises RunError when a whole line is not one."""
        if not self.path.exists():
            return []
        receipts = []
        *lines, _torn = self.path.read_text(encoding="utf-8").split("\n")
        for number, line in enumerate(lines, 1):
            try:
                receipts.append(_from_line(json.loads(line)))
            except (ValueError, TypeError, AssertionError) as error:
                raise RunError(Problem(f"{self.path}:{number}", "not a receipt",
                                       "one JSON receipt a line",
                                       "restore the ledger from its backup")) from error
        return receipts

    def append(self, receipt: Receipt) -> None:
        """Adds the receipt and sees it onto the disk; leaves the ledger as it was if it cannot."""
        self.home.mkdir(parents=True, exist_ok=True)
        line = _to_line(receipt)
        with open(self.path, "ab+", buffering=0) as file:
            end = _find_end(file)
            file.truncate(end)
            try:
                if file.write(line) < len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(file.fileno())
            except BaseException:
                file.truncate(end)
                raise

    @contextmanager
    def hold(self) -> Iterator[None]:
        """One file at a time: waits until no other process is taking one in."""
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)     # personal data
        with open(self.home / "ledger.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _find_end(file: Any) -> int:
    """Where the last whole line ends."""
    file.seek(0)
    return int(file.read().rfind(b"\n")) + 1


def _to_line(receipt: Receipt) -> bytes:
    fields = {name: value.isoformat() if isinstance(value, date) else value
              for name, value in asdict(receipt).items()}
    return (json.dumps(fields, ensure_ascii=False) + "\n").encode()


def _from_line(fields: dict[str, Any]) -> Receipt:
    for name in _DATES:
        if fields.get(name) is not None:
            fields[name] = date.fromisoformat(fields[name])
    for name in _LISTS:
        fields[name] = tuple(fields[name])
    return Receipt(**fields)
