"""Changing a row that somebody else may be changing: the second of two is told who was first, when, and to what."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table, update

from engine.store.chain import Note
from engine.store.database import Reading, Writing
from engine.store.problems import Missing, Stale


def change_row(writing: Writing, table: Table, what: str, id: str, version: int, note: Note, **values: Any) -> None:
    """Changes a row that still has this version. Raises Stale where it has another, Missing where there is no row."""
    statement = (update(table).where(table.c.id == id, table.c.version == version)
                 .values(version=version + 1, changed_at=writing.at, changed_by=writing.actor, **values))
    if writing.change(note, statement) == 0:
        raise say_stale(writing, table, what, id)


def check_version(reading: Reading, table: Table, what: str, id: str, version: int) -> None:
    """Raises Stale or Missing before anything is looked at that may have changed."""
    if reading.value(table.select().with_only_columns(table.c.version).where(table.c.id == id)) != version:
        raise say_stale(reading, table, what, id)


def say_stale(reading: Reading, table: Table, what: str, id: str) -> Stale | Missing:
    """Who changed a row last. Of a flag that another took the place of, the one to go on with."""
    row = reading.first(table.select().where(table.c.id == id))
    if row is None:
        return Missing(what)
    now = id
    while (successor := reading.value(table.select().with_only_columns(table.c.successor).where(table.c.id == now))
           if "successor" in table.c else None):
        now = str(successor)
    return Stale(what, row["changed_by"], row["changed_at"], str(row.get("state", "other values")), row["version"], now)
