"""A store with people in it and two weeks of a small office's lists, on whichever database a test is run."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from engine.runs import Runs
from engine.store import accounts, flags, publishing, reviews
from engine.store.accounts import User
from engine.store.database import Database
from engine.store.flags import Filters, FlagRow
from engine.store.publishing import Published
from engine.store.reviews import Review

MONDAY = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
BECAUSE = "The agencies have to meet about this one."


def later(minutes: int) -> datetime:
    """So long after Monday morning."""
    return MONDAY + timedelta(minutes=minutes)


def counted(prefix: str = "t") -> Callable[[], str]:
    """Ids in the order they are drawn, so that a failing test can be read."""
    numbers = itertools.count(1)
    return lambda: f"{prefix}{next(numbers):06d}"


@dataclass(frozen=True)
class Weeks:
    """The runs of a small office: a first list, and the one of two weeks later."""

    runs: Runs
    first: str
    second: str


@dataclass(frozen=True)
class Store:
    """A new store: its URL, open, and with what it takes to put flags in it."""

    url: str
    database: Database
    weeks: Weeks

    def add_person(self, name: str = "Una Chair", *roles: str) -> User:
        """An account of somebody in community safety, unless it is there already."""
        with self.database.writing(MONDAY, "system") as writing:
            login = f"{name.split()[0]}@example.test".casefold()
            return accounts.find_user(writing, login) or accounts.add_user(
                writing, login, name, "community_safety", roles or ("tasking",))

    def publish(self, run: str | None = None) -> Published:
        """Puts a run before people: the first one, unless told otherwise."""
        with self.database.writing(MONDAY, "system") as writing:
            return publishing.publish_run(writing, self.weeks.runs, run or self.weeks.first)

    def flags(self, **filters: tuple[str, ...]) -> list[FlagRow]:
        """The flags that fit."""
        with self.database.reading() as reading:
            return list(flags.find(reading, Filters(**filters), size=1000).rows)      # type: ignore[arg-type]

    def flag(self, number: int = 0) -> FlagRow:
        """One flag of the first list."""
        return self.flags(lists=("people",), runs=(self.weeks.first,))[number]

    def take_up(self, flag: FlagRow, user: User, at: datetime = MONDAY) -> FlagRow:
        with self.database.writing(at, user.id) as writing:
            return reviews.take_up(writing, flag.id, flag.version)

    def decide(self, flag: FlagRow, user: User, decision: str = "confirmed", reason: str = "other",
               rationale: str = BECAUSE, at: datetime = MONDAY) -> Review:
        with self.database.writing(at, user.id) as writing:
            return reviews.decide(writing, flag.id, flag.version, decision, reason, rationale)
