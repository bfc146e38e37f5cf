"""A small site that has nothing but its way in, over a new store, with a clock that tests turn."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.store.database import Database, create
from tests.identity.made import Place
from tests.store.conftest import _fresh, empty_postgresql, server  # noqa: F401   a real PostgreSQL


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("store") / "store.db"
    create(f"sqlite:///{path}")
    return path


@pytest.fixture
def store(empty: Path, tmp_path: Path) -> Iterator[Database]:
    """A new store, on SQLite."""
    shutil.copy(empty, tmp_path / "store.db")
    opened = Database(f"sqlite:///{tmp_path / 'store.db'}")
    yield opened
    opened.close()


@pytest.fixture
def place(store: Database) -> Place:
    """A site with TLS, and Pat Chair, whose password is `plum lantern ferry`."""
    made = Place(store)
    made.add("pat@council.example", "Pat Chair", "tasking_chair")
    return made


@pytest.fixture
def server_store(request: pytest.FixtureRequest) -> Iterator[Database]:
    """A new store, on PostgreSQL."""
    for url in _fresh(request.getfixturevalue("server"), request.getfixturevalue("empty_postgresql")):
        opened = Database(url)
        yield opened
        opened.close()
