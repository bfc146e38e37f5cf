"""Long work outside the request: one thing after another, what it says while it works, and the file it makes.

A worker thread of the site's own process. What it says while it works is in memory alone; that it was asked for and how
it ended is in the store. A file is kept in a private folder under an opaque name, and for a day only.
"""

from __future__ import annotations

import queue
import re
import shutil
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp
from types import MappingProxyType

from fastapi import Request

from api.web.refusals import say_refusal
from api.web.security import find_place
from engine.errors import Problem, WardwiseError
from engine.store import jobs
from engine.store.database import SYSTEM, Database
from engine.store.jobs import Job
from engine.store.problems import StoreError

KEPT = timedelta(hours=24)
"""How long a file is kept: it is made before a meeting, and can be made again."""

REMEMBERED = timedelta(days=90)
"""How long it is kept that something was asked for; the audit log keeps it for good."""

GRACE = 30.0
"""Seconds that what is being worked on is waited for when the server stops: a paper is ready by then. A run of a whole
borough may not be, and is given up at its next step."""

LAST_STEP = 5.0
"""Seconds more for it to notice that it was given up, and to clear away what it was writing."""

MEDIA_TYPES: Mapping[str, str] = MappingProxyType({
    ".pdf": "application/pdf", ".csv": "text/csv; charset=utf-8", ".txt": "text/plain; charset=utf-8",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".zip": "application/zip"})
"""The kinds of file that are made here, by the end of their names."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")

WRONG = ("Sorry, something went wrong. It is not your mistake. Whoever runs Wardwise here has been told; "
         "ask again later.")

Say = Callable[[str], None]
"""Tells which step is being worked on: words for whoever waits, about nobody."""


@dataclass(frozen=True)
class Made:
    """A file. `name`: what it is called when downloaded, about nobody; `media_type`: that of MEDIA_TYPES."""

    name: str
    content: bytes = field(repr=False)
    media_type: str


@dataclass(frozen=True)
class Learned:
    """What became of work that makes no file: a sentence, and ids or codes to go on with."""

    said: str
    about: Mapping[str, str | int]


Work = Callable[[Say], Made | Learned | str]


class GivenUp(BaseException):
    """Raised by `say` when the server stops and what is being worked on took too long. Not an Exception, so that
    nothing takes it for trouble of its own."""


@dataclass
class Step:
    """What is being said of something under way, and the how-manieth word that is."""

    said: str = ""
    number: int = 0


class Jobs:
    """The long work of one site. `folder`: where files are kept; a temporary one if there is none.

    Nothing is begun by making this: `open` clears away what an earlier server left, and the worker begins with the
    first thing asked for.
    """

    def __init__(
        self, database: Database, clock: Callable[[], datetime], tell: Callable[[str], None],
        folder: Path | None = None, grace: float = GRACE,
    ) -> None:
        self._database, self._clock, self._tell, self._grace = database, clock, tell, grace
        self._place, self._own = folder, folder is None
        self._waiting: queue.SimpleQueue[tuple[str, str, Work] | None] = queue.SimpleQueue()
        self._steps: dict[str, Step] = {}
        self._turn = threading.Lock()
        self._worker: threading.Thread | None = None
        self._stopping, self._given_up = threading.Event(), threading.Event()

    @property
    def stopping(self) -> bool:
        """Whether the server is being stopped."""
        return self._stopping.is_set()

    def begin(
        self, asker_id: str, at: datetime, kind: str, about: Mapping[str, str | int], work: Work, *,
        alone: bool = False,
    ) -> str:
        """Keeps that somebody asked for something and puts it in the queue; gives its id.

        `alone`: of this kind there is one at a time. Raises StoreError, to be shown in words (`say_refusal`), where
        they wait for enough already or the server is being stopped.
        """
        with self._turn:
            if self.stopping:
                raise StoreError(Problem("the work asked for", "Wardwise is being stopped", "a server that goes on",
                                         "ask again in a few minutes"), "conflict")
            with self._database.writing(at, asker_id) as writing:
                job = jobs.ask(writing, kind, about, alone=alone)
            self._steps[job.id] = Step()
            self._waiting.put((job.id, asker_id, work))
            if self._worker is None:
                self._worker = threading.Thread(target=self._work_on, name="wardwise-jobs", daemon=True)
                self._worker.start()
        return job.id

    def step(self, id: str) -> Step:
        """What is being worked on; nothing where it has not begun or is over."""
        return self._steps.get(id, Step())

    def read_file(self, job: Job, at: datetime) -> bytes | None:
        """The file of something done, byte for byte what was made; None where it is no longer kept."""
        if job.state != "done" or job.ended_at is None or at - job.ended_at >= KEPT:
            return None
        try:
            content = (self._folder() / job.id).read_bytes()
        except FileNotFoundError:
            return None
        if sha256(content).hexdigest() != job.file_digest:
            raise OSError("a file that was made is no longer what was made")
        return content

    def open(self) -> None:
        """When the server starts: what an earlier one was working on is stopped, and old files are deleted."""
        with self._database.writing(self._clock(), SYSTEM) as writing:
            jobs.stop_all(writing)
        self.sweep()

    def sweep(self) -> None:
        """Deletes files older than a day, and what was asked for long ago."""
        at = self._clock()
        with self._database.writing(at, SYSTEM) as writing:
            jobs.forget(writing, at - REMEMBERED)
            kept = jobs.find_kept(writing, at - KEPT)
        for path in self._folder().iterdir() if self._place else ():
            if path.name not in kept and path.stem not in self._steps:      # a draft has the name of what is running
                path.unlink(missing_ok=True)

    def stop(self) -> None:
        """Nothing more is taken on. `close` waits for what is being worked on."""
        self._stopping.set()

    def close(self) -> None:
        """Waits for what is being worked on, as long as declared, and keeps that the rest was stopped."""
        with self._turn:
            self.stop()
            worker = self._worker
            self._waiting.put(None)
        if worker is not None:
            worker.join(self._grace)
            self._given_up.set()
            worker.join(LAST_STEP)
        with self._database.writing(self._clock(), SYSTEM) as writing:
            jobs.stop_all(writing)
        if self._own and self._place is not None:
            shutil.rmtree(self._place, ignore_errors=True)

    # --- inside ---------------------------------------------------------------------------------

    def _work_on(self) -> None:
        while (asked := self._waiting.get()) is not None and not self.stopping:
            self._work_out(*asked)

    def _work_out(self, id: str, asker: str, work: Work) -> None:
        try:
            with self._database.writing(self._clock(), asker) as writing:
                jobs.begin(writing, id)
            self._end(id, asker, work(lambda said: self._note(id, said)))
        except GivenUp:
            pass        # `close` says so of all that is left
        except WardwiseError as error:
            self._fail(id, asker, say_refusal(error))
        except Exception as error:
            self._tell(f"long work could not be done: {type(error).__name__} at {find_place(error)}")
            self._fail(id, asker, WRONG)
        finally:
            self._steps.pop(id, None)

    def _note(self, id: str, said: str) -> None:
        if self._given_up.is_set():
            raise GivenUp
        self._steps[id] = Step(said, self._steps[id].number + 1)

    def _end(self, id: str, asker: str, made: Made | Learned | str) -> None:
        said, learned, name, digest = "It is ready.", Learned("", {}), None, None
        match made:
            case Made():
                name, digest = made.name, self._keep(id, made)
            case Learned():
                said, learned = made.said, made
            case str():
                said = made
        with self._database.writing(self._clock(), asker) as writing:
            jobs.finish(writing, id, said, name, digest, learned.about)

    def _keep(self, id: str, made: Made) -> str:
        if MEDIA_TYPES.get(Path(made.name).suffix) != made.media_type or not _NAME.fullmatch(made.name):
            raise ValueError("a file of a name or kind that is not made here")
        draft = self._folder() / f"{id}.draft"
        draft.touch(mode=0o600)
        draft.write_bytes(made.content)
        draft.rename(draft.with_suffix(""))
        return sha256(made.content).hexdigest()

    def _fail(self, id: str, asker: str, said: str) -> None:
        with suppress(StoreError), self._database.writing(self._clock(), asker) as writing:
            jobs.fail(writing, id, said)        # where it cannot even be said, the next start says it was stopped

    def _folder(self) -> Path:
        if self._place is None:
            self._place = Path(mkdtemp(prefix="wardwise-"))
        self._place.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self._place


def find_jobs(request: Request) -> Jobs:
    """The long work of the site that was asked."""
    found: Jobs = request.app.state.jobs
    return found
