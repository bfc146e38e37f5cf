"""Lines that are only ever added, each seen onto the disk; and one text beside them, whole or not there.

A line torn by a full disk or a power cut has no line end: it is not a line, and the next one is written over it.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Generic, TypeVar

from engine.errors import Problem, RunError

Line = TypeVar("Line")
BLOCK = 8192


@dataclass(frozen=True)
class Mark:
    """How far a journal was read: so many lines, the byte the last of them ends at, and that last line."""

    lines: int = 0
    end: int = 0
    last: bytes = b""


START = Mark()


class Journal(Generic[Line]):
    """The lines of one file, oldest first. `what` names a line; `read_line` makes one of its number and its JSON."""

    def __init__(self, path: Path, what: str, read_line: Callable[[int, dict[str, Any]], Line]) -> None:
        self.path, self.what, self.read_line = path, what, read_line

    def read(self, after: Mark = START) -> tuple[list[Line], Mark]:
        """The lines added since a mark, and the mark for next time.

        Where the file is no longer the one the mark was set in (restored from a backup), every line: there are then
        as many as the new mark counts. Raises RunError when a whole line is not what it should be.
        """
        try:
            file = open(self.path, "rb")        # noqa: SIM115  closed below; a journal not begun has no lines
        except FileNotFoundError:
            return [], START
        with file:
            file.seek(after.end - len(after.last))
            if file.read(len(after.last)) != after.last:
                after = START
                file.seek(0)
            *lines, _torn = file.read().split(b"\n")
        if not lines:
            return [], after
        read = [self._read(number, line) for number, line in enumerate(lines, after.lines + 1)]
        end = after.end + sum(len(line) + 1 for line in lines)
        return read, Mark(after.lines + len(lines), end, lines[-1] + b"\n")

    def append(self, fields: Mapping[str, Any]) -> None:
        """Adds a line and sees it onto the disk; leaves the file as it was if it cannot. Only while it is held."""
        line = (json.dumps(fields, allow_nan=False) + "\n").encode()
        with open(self.path, "ab+", buffering=0) as file:
            end = _find_end(file)
            file.truncate(end)
            try:
                if file.write(line) < len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(file.fileno())
                if end == 0:        # the file is new: its name must last, too
                    _see(self.path.parent)
            except BaseException:
                file.truncate(end)
                raise

    def put(self, name: str, content: bytes) -> None:
        """Writes a file beside the journal, whole or not at all. Only while it is held."""
        draft, place = self.path.parent / f".draft-{name}", self.path.parent / name
        try:
            with open(draft, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(place)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        _see(place.parent)

    @contextmanager
    def hold(self) -> Iterator[None]:
        """One writer at a time: waits until no other thread or process holds it."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)     # personal data
        with open(self.path.with_suffix(".lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _read(self, number: int, line: bytes) -> Line:
        try:
            return self.read_line(number, json.loads(line))
        except (ValueError, TypeError, LookupError, AssertionError) as error:
            raise RunError(Problem(f"{self.path}:{number}", f"not {self.what}", f"{self.what} a line, as JSON",
                                   f"restore {self.path.name} from its backup")) from error


def _find_end(file: BinaryIO) -> int:
    """Where the last whole line ends, looked for from the end of the file."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - BLOCK)
        file.seek(start)
        found = file.read(end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def _see(folder: Path) -> None:
    """Sees the names in a folder onto the disk: a file moved there is there after a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
