"""A store with two weeks' lists, and what a made-up person may print from it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from api.papers.cover import Cover
from api.web.identity import Person
from api.web.keeping import prepare_demo
from api.web.reach import Reach
from api.web.rights import Asker, Rights
from api.web.scope import find_scope
from engine.store.accounts import find_user
from engine.store.agreements import find_holding
from engine.store.database import Database
from engine.store.flags import Filters, FlagRow, find
from tests.papers.made import PRINTED
from tests.web.made import fill_store

Print = Callable[..., Cover]


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("papers") / "store.db"
    opened = fill_store(f"sqlite:///{path}")
    prepare_demo(opened, PRINTED)
    opened.close()
    return path


@pytest.fixture
def store(filled: Path, tmp_path: Path) -> Iterator[Database]:
    """A copy of the store, for one test to change."""
    shutil.copy(filled, tmp_path / "store.db")
    opened = Database(f"sqlite:///{tmp_path / 'store.db'}")
    yield opened
    opened.close()


@pytest.fixture
def cover(store: Database) -> Print:
    """The cover of a paper for a made-up person."""
    def make(role: str = "tasking_chair", at: datetime = PRINTED) -> Cover:
        rights, today = Rights(), at.date()
        with store.reading() as reading:
            user = find_user(reading, f"demo-{role}")
            assert user is not None
            asker = Asker(user.id, user.agency, frozenset(user.roles), "prevent_crime_and_disorder")
            signed = find_holding(reading, today, asker.agency, asker.purpose)
        person = Person(user.id, user.name, user.agency, frozenset(user.roles))
        scope = find_scope(rights, asker, today, signed)
        return Cover("Example Council", Reach(person, asker, today, signed, scope, (), rights), at)

    return make


@pytest.fixture
def rows(store: Database) -> dict[str, FlagRow]:
    """The flags of the second week by subject."""
    with store.reading() as reading:
        found = find(reading, Filters(), "newest", 1, 100).rows
    return {row.subject: row for row in reversed(found)}
