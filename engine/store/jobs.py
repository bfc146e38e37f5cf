"""Long work that somebody asked for: waiting, running, and how it ended. What it makes is kept by the door.

States: waiting, running, done, failed, stopped. Each change asks for the state before it, so that work that was
stopped cannot be said to be done afterwards.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import RowMapping, delete, func, insert, select, update

from engine.errors import Problem
from engine.store.chain import Note
from engine.store.database import Reading, Writing
from engine.store.problems import Missing, StoreError
from engine.store.tables import jobs

MOST = 3        # waiting or running of one person: two papers and a run; more would only hold everybody else up
OPEN = ("waiting", "running")
SHOWN = 50      # of one person's, newest first: a week of meetings
_WHAT = "the work asked for"
_NOTHING: Mapping[str, str | int] = MappingProxyType({})


@dataclass(frozen=True)
class Job:
    """Something asked for. `about`: ids and codes it is of; `said`: how it ended, in a sentence for whoever asked."""

    id: str
    kind: str
    about: Mapping[str, str | int]
    asked_by: str
    asked_at: datetime
    state: str
    started_at: datetime | None
    ended_at: datetime | None
    said: str
    file_name: str | None
    file_digest: str | None


def ask(writing: Writing, kind: str, about: Mapping[str, str | int], *, alone: bool = False) -> Job:
    """Keeps that the actor asked for something. `alone`: of this kind there is one at a time, whoever asks.

    Raises StoreError where the actor waits for enough already, or somebody else for the same.
    """
    mine = select(func.count()).select_from(jobs).where(jobs.c.state.in_(OPEN))
    if writing.value(mine.where(jobs.c.asked_by == writing.actor)) >= MOST:
        raise StoreError(Problem(_WHAT, f"{MOST} things you asked for are not ready yet", f"{MOST} at once",
                                 "wait until one of them is ready, and ask again"), "conflict")
    if alone and writing.value(mine.where(jobs.c.kind == kind)):
        raise StoreError(Problem(_WHAT, "the same is being made already", "one at a time",
                                 "wait until it is ready"), "conflict")
    job = Job(writing.draw(), kind, about, writing.actor, writing.at, "waiting", None, None, "", None, None)
    writing.change(Note("job.asked", job.id, {"kind": kind}), insert(jobs), [{**vars(job), "about": _write(about)}])
    return job


def begin(writing: Writing, id: str) -> Job:
    """It is being worked on from now on. Raises StoreError, Missing."""
    return _change(writing, id, ("waiting",), "running", {}, started_at=writing.at)


def finish(
    writing: Writing, id: str, said: str, file_name: str | None = None, file_digest: str | None = None,
    learned: Mapping[str, str | int] = _NOTHING,
) -> Job:
    """It is done. `learned` is added to what it is about. Raises StoreError where it was stopped, Missing."""
    about = _write({**read(writing, id).about, **learned})
    return _change(writing, id, ("running",), "done", {"digest": file_digest}, ended_at=writing.at, said=said,
                   file_name=file_name, file_digest=file_digest, about=about)


def fail(writing: Writing, id: str, said: str) -> Job:
    """It could not be done, or not even begun. Raises StoreError where it was stopped, Missing."""
    return _change(writing, id, OPEN, "failed", {}, ended_at=writing.at, said=said)


def stop_all(writing: Writing) -> int:
    """Nobody works on anything any more: the server stops, or has just begun. Gives how many were given up."""
    return writing.change(Note("jobs.stopped", "", {}), update(jobs).where(jobs.c.state.in_(OPEN))
                          .values(state="stopped", ended_at=writing.at))


def forget(writing: Writing, before: datetime) -> int:
    """Deletes what ended before a moment; the audit log still tells that it was. Gives how many."""
    return writing.change(Note("jobs.forgotten", "", {}), delete(jobs).where(jobs.c.ended_at < before))


def read(reading: Reading, id: str) -> Job:
    """One. Raises Missing."""
    if (row := reading.first(select(jobs).where(jobs.c.id == id))) is None:
        raise Missing(_WHAT)
    return _build(row)


def of_user(reading: Reading, user: str) -> tuple[Job, ...]:
    """The last that somebody asked for, newest first."""
    query = select(jobs).where(jobs.c.asked_by == user).order_by(jobs.c.asked_at.desc(), jobs.c.id).limit(SHOWN)
    return tuple(map(_build, reading.all(query)))


def find_kept(reading: Reading, since: datetime) -> frozenset[str]:
    """The ids of those that may have a file: still under way, or done since a moment."""
    query = select(jobs.c.id).where(jobs.c.state.in_(OPEN) | ((jobs.c.state == "done") & (jobs.c.ended_at > since)))
    return frozenset(row["id"] for row in reading.all(query))


def _change(
    writing: Writing, id: str, before: tuple[str, ...], after: str, told: Mapping[str, Any], **values: Any
) -> Job:
    statement = update(jobs).where(jobs.c.id == id, jobs.c.state.in_(before)).values(state=after, **values)
    if writing.change(Note(f"job.{after}", id, told), statement) == 0:
        raise StoreError(Problem(_WHAT, f"is {read(writing, id).state} already", " or ".join(before),
                                 "ask for it again"), "conflict")
    return read(writing, id)


def _write(about: Mapping[str, str | int]) -> str:
    return json.dumps(dict(about), sort_keys=True)


def _build(row: RowMapping) -> Job:
    return Job(**{**row, "about": json.loads(row["about"])})
