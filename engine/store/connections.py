"""A database's URL -> an engine whose connections behave the same on SQLite and PostgreSQL.

One writer at a time on both: SQLite by `BEGIN IMMEDIATE`, PostgreSQL by an advisory lock taken first of all. A chain of
hashes has one end, so writers must queue somewhere; queueing at the start means that nobody can deadlock, and that what
a writer reads is what it changes. Readers never wait, see one moment of the database, and cannot write.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from engine.errors import Problem
from engine.store.problems import StoreError, Unready

WAIT = 30               # seconds a writer waits for the one before it: a whole run is published in far less
IDLE = 60               # seconds after which PostgreSQL ends a writer that stopped talking and holds the others up
POOL, OVERFLOW = 10, 40     # connections kept open, and more under load: half of PostgreSQL's hundred
WRITERS = 0x57415244    # "WARD": the number of the advisory lock
_WRITES = "wardwise_writes"


def open_engine(url: str, *, foreign_keys: bool = True) -> Engine:
    """An engine on a database; nothing is connected to yet. Raises StoreError for a URL of another kind.

    `foreign_keys` is off only while SQLite's tables are copied by a migration.
    """
    parsed = _read_url(url)
    # A statement's parameters are people's names and passwords' hashes: they are kept out of errors and logs.
    engine = create_engine(parsed, hide_parameters=True, pool_size=POOL, max_overflow=OVERFLOW, pool_pre_ping=True)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite if foreign_keys else _set_up_sqlite_to_migrate)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "connect", _set_up_postgresql)
        event.listen(engine, "begin", _begin_postgresql)
    return engine


def find_file(url: str) -> Path | None:
    """The file of a SQLite database; None for PostgreSQL."""
    parsed = _read_url(url)
    return Path(parsed.database or "") if parsed.get_backend_name() == "sqlite" else None


@contextmanager
def transaction(engine: Engine, *, writes: bool) -> Iterator[Connection]:
    """One transaction: whole or not at all. What the database refuses is raised as a StoreError without its values."""
    try:
        with engine.connect().execution_options(**{_WRITES: writes}) as connection, connection.begin():
            yield connection
    except DBAPIError as error:
        raise _say(error) from None     # its text may quote a value: "Key (login)=(...) already exists"
    except PoolTimeout:
        raise Unready(Problem("the store", "has too many requests under way",
                              f"{POOL + OVERFLOW} at once", "wait, and do it again"), "conflict") from None


# --- SQLite ----------------------------------------------------------------------------------------------


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None       # the driver must not begin transactions of its own: see _begin_sqlite
    for pragma in (f"busy_timeout={int(WAIT * 1000)}", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _set_up_sqlite_to_migrate(connection: Any, record: Any) -> None:
    _set_up_sqlite(connection, record)
    connection.execute("PRAGMA foreign_keys=OFF")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql(f"PRAGMA query_only={'OFF' if writes else 'ON'}")
    # A deferred transaction reads first and locks later: two of them read the same last hash, and the chain forks.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


# --- PostgreSQL ------------------------------------------------------------------------------------------


def _set_up_postgresql(connection: Any, _record: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = '{WAIT}s'")
        cursor.execute(f"SET idle_in_transaction_session_timeout = '{IDLE}s'")
        cursor.execute("SET TIME ZONE 'UTC'")
    connection.commit()


def _begin_postgresql(connection: Connection) -> None:
    if connection.get_execution_options().get(_WRITES, False):
        # Read committed, so that what is read after the lock includes what the writer before committed.
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITERS})")
    else:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


# --- what is refused -------------------------------------------------------------------------------------


def _read_url(url: str) -> URL:
    allowed = "sqlite:///FOLDER/store.db or postgresql://USER@SERVER/NAME"
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreError(Problem("the store", "its address is not a database URL", allowed, "correct it")) from None
    if parsed.get_backend_name() == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        raise StoreError(Problem("the store", "is of a kind that Wardwise does not keep its store in", allowed,
                                 "name a file, or a PostgreSQL server"))
    return parsed.set(drivername="sqlite+pysqlite")


def _say(error: DBAPIError) -> StoreError:
    code = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "sqlite_errorname", None) or "no code"
    if str(code).startswith(("SQLITE_BUSY", "SQLITE_LOCKED", "55P03")):
        return Unready(Problem("the store", f"is busy: another change has held it for {WAIT} seconds ({code})",
                               "one change at a time", "do it again in a minute"), "conflict")
    if str(code).startswith(("SQLITE_CONSTRAINT", "23", "P0001")):
        return StoreError(Problem("the store", f"does not allow this change ({code})",
                                  "one row of each id, tied to rows that are there; the audit log is only added to",
                                  "nothing was written; read what is there now, and do it again"), "conflict")
    if str(code).startswith("22"):
        return StoreError(Problem("the store", f"cannot keep a value of this shape ({code})", "", "shorten or mend it"))
    return Unready(Problem("the store", f"cannot be used: {type(error.orig).__name__} ({code})",
                           "a database that answers and may be written",
                           "see that its server runs, its disk has room, and the account may use it; "
                           "what was written before stands"))
