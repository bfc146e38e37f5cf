"""Reading and writing: the only two ways into the database.

A `Reading` sees one moment and can change nothing: the database itself refuses. A `Writing` is one transaction of one
person at one moment. It has no way to change a row without saying so in the audit log, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from secrets import token_hex
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, TextClause, insert, select
from sqlalchemy.sql.dml import UpdateBase

from engine.errors import Problem
from engine.store.chain import START, Line, Note, tie
from engine.store.connections import find_file, open_engine, transaction
from engine.store.problems import StoreError, Unready
from engine.store.tables import audit, sessions
from engine.store.versions import check_version, create, upgrade

__all__ = ["Database", "Reading", "Writing", "create", "upgrade"]

SYSTEM = "system"       # the actor where no person is: a run published by the timetable
_BATCH = 1000           # audit lines sent at once: a run has some hundreds
Draw = Callable[[], str]


def draw_token() -> str:
    """An id of 128 random bits, in lower-case hex, so that it may stand in a URL and in the audit log."""
    return token_hex(16)


class Reading:
    """What is kept, as of one moment."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self, query: Select[Any] | TextClause) -> Sequence[RowMapping]:
        """Every row a query finds."""
        return self._connection.execute(query).mappings().all()

    def first(self, query: Select[Any] | TextClause) -> RowMapping | None:
        """The first row a query finds, if any."""
        return self._connection.execute(query).mappings().first()

    def value(self, query: Select[Any] | TextClause) -> Any:
        """The first column of the first row, or None."""
        return self._connection.execute(query).scalar()

    def stream(self, query: Select[Any]) -> Iterator[RowMapping]:
        """The rows of a long query, a thousand at a time."""
        return iter(self._connection.execute(query.execution_options(yield_per=1000)).mappings())


class Writing(Reading):
    """One change: `actor` (a user's id, or `system`) at one moment `at`. `draw` gives the id of a new row."""

    def __init__(self, connection: Connection, at: datetime, actor: str, draw: Draw) -> None:
        super().__init__(connection)
        self.at, self.actor, self.draw = at, actor, draw

    def change(self, note: Note, statement: UpdateBase, rows: Sequence[dict[str, Any]] | None = None) -> int:
        """Changes rows and says so in the audit log. Gives how many rows an update or delete met.

        A statement that met no row changed nothing, and nothing is said.
        """
        changed = self._run(statement, rows)
        if changed:
            self.note(note)
        return changed

    def note(self, *notes: Note) -> None:
        """Adds lines to the audit log: for what is only looked at, or for several things told of one statement."""
        lines = list(self._tie(notes))
        for start in range(0, len(lines), _BATCH):
            self._connection.execute(insert(audit), [vars(line) for line in lines[start:start + _BATCH]])

    def change_all(self, notes: Sequence[Note], statement: UpdateBase, rows: Sequence[dict[str, Any]]) -> None:
        """Changes many rows with one statement, and says each of some things about it."""
        if rows:
            assert notes, "what changes is told in the audit log"
            self._run(statement, rows)
            self.note(*notes)

    def touch(self, statement: UpdateBase) -> None:
        """Notes when a session was last seen. The one change that is not told: it is of no record, on every request."""
        assert statement.table is sessions, "only a session may be touched"     # type: ignore[attr-defined]
        self._connection.execute(statement)

    def _run(self, statement: UpdateBase, rows: Sequence[dict[str, Any]] | None) -> int:
        assert statement.table is not audit, "the audit log is added to by `note`"      # type: ignore[attr-defined]
        if rows is None:
            return int(self._connection.execute(statement).rowcount)
        self._connection.execute(statement, list(rows))
        return len(rows)

    def _tie(self, notes: Sequence[Note]) -> Iterator[Line]:
        last = self.first(select(audit.c.id, audit.c.hash).order_by(audit.c.id.desc()).limit(1))
        id, prev = (last["id"], last["hash"]) if last else (0, START)
        for note in notes:
            line = tie(id + 1, self.at, self.actor, note, prev)
            yield line
            id, prev = line.id, line.hash


class Database:
    """A store at its URL, open for use. Raises Unready, saying what to run, where it is of another version.

    `draw` gives ids that nobody can guess; tests pass one that counts.
    """

    def __init__(self, url: str, draw: Draw = draw_token) -> None:
        self.draw = draw
        file = find_file(url)
        if file is not None and not file.exists():      # SQLite would make an empty one
            raise Unready(Problem("the store", "is not there yet", "a database", "`wardwise store upgrade`"))
        self._engine = open_engine(url)
        try:
            check_version(self._engine)
        except BaseException:
            self._engine.dispose()
            raise

    @property
    def kind(self) -> str:
        """sqlite or postgresql."""
        return self._engine.dialect.name

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """One moment of the database, to be looked at."""
        with transaction(self._engine, writes=False) as connection:
            yield Reading(connection)

    @contextmanager
    def writing(self, at: datetime, actor: str) -> Iterator[Writing]:
        """One change, whole or not at all. Waits for the writer before it; raises Unready where that takes too long.

        Never open one inside another: the inner would wait for the outer, in vain. What is slow (hashing a password,
        making a file) belongs before it: everybody else who writes is waiting.
        """
        if at.tzinfo is None:
            raise StoreError(Problem("the store", "was given a moment without its zone", "an aware time, in UTC",
                                     "pass datetime.now(UTC) at the door"))
        with transaction(self._engine, writes=True) as connection:
            yield Writing(connection, at, actor, self.draw)

    def check(self) -> None:
        """Asks the database whether it is still there and of this version. Raises Unready."""
        check_version(self._engine)

    def close(self) -> None:
        """Lets go of every connection."""
        self._engine.dispose()
