"""The desk of now, kept in memory: the same one until a day ends, an extract is taken in, a run is made
or a record is disputed.

Making a desk takes seconds, and an applicant is in the room. So the desk that stands serves on until its successor is
ready; every screening says which day it is of.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

from api.guard import tell
from api.setting import Setting
from engine.desk import Desk
from engine.desks import Desks
from engine.errors import WardwiseError
from engine.known import Say

Mark = tuple[date, *tuple[tuple[int, int, int], ...]]


class Today:
    """The desk of a home, renewed beside the requests it serves. `day` is asked which day it is."""

    def __init__(self, setting: Setting, day: Callable[[], date], say: Say = lambda _: None) -> None:
        self.setting, self.day, self.say = setting, day, say
        self._turn = threading.Lock()
        self._renewing = threading.Lock()
        self._desk: Desk | None = None
        self._mark: Mark | None = None

    def open(self) -> Desk:
        """The desk. The first time it is waited for. Raises WardwiseError."""
        mark = self._look()
        desk = self._desk
        if desk is None:
            with self._turn:
                return self._desk or self._renew(mark)
        if mark != self._mark and self._renewing.acquire(blocking=False):
            threading.Thread(target=self._renew_beside, args=(mark,), daemon=True).start()
        return desk

    def _renew(self, mark: Mark) -> Desk:
        setting = self.setting
        desk = Desks(setting.home).open(setting.lake, setting.pack, mark[0], self.say)
        self._desk, self._mark = desk, mark
        # A desk is a million small objects that stay. Walking all of them now and then would stop every request for a
        # fifth of a second, so the garbage collector is told to leave alone what stands now.
        gc.unfreeze()
        gc.freeze()
        return desk

    def _renew_beside(self, mark: Mark) -> None:
        try:
            self._renew(mark)
        except (WardwiseError, OSError) as error:
            # The old desk is still true of its own day. The next change, or the next day, tries again.
            self._mark = mark
            tell(f"the desk of {mark[0]} could not be made ({type(error).__name__}); the one that stands serves on")
        finally:
            self._renewing.release()

    def _look(self) -> Mark:
        """What a desk is made from, told by when it was last written: cheap enough for every request."""
        home = self.setting.home
        return (self.day(), _stamp(home / "ledger.jsonl"), _stamp(home / "runs" / "made"),
                _stamp(home / "disputes.jsonl"))


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        stat = path.stat()
    except FileNotFoundError:
        return 0, 0, 0
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def read_clock() -> datetime:
    """Now, to the second."""
    return datetime.now(UTC).replace(microsecond=0)
