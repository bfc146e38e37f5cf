"""What the person of a request may see and do, as the policies say: limits for queries, and a last look at each row.

A limit goes into the query, so that lists, counts, searches and exports are of what may be seen and of nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache

from fastapi import Request
from starlette.exceptions import HTTPException

from api.web.identity import NotSignedIn, Person, find_session
from api.web.keeping import find_database, read_now
from api.web.menu import Item, make_menu
from api.web.rights import Asker, Flag, Register, Rights, Thing
from api.web.scope import Scope, find_scope, write_where
from engine.store import agreements, challenges
from engine.store.agreements import Agreement
from engine.store.database import Reading
from engine.store.flags import Filters, FlagRow, Order, Page, StoredFlag, find, read

_REACH = "wardwise_reach"

_REMEMBERED = 256
"""Scopes and menus kept, the last used: more people than use one site on one day."""


@dataclass(frozen=True)
class Reach:
    """One person on one day, under the agreements of that day."""

    person: Person
    asker: Asker
    today: date
    signed: tuple[Agreement, ...]
    scope: Scope
    menu: tuple[Item, ...]
    rights: Rights = field(repr=False)
    sample: int = 0     # one flag in so many is judged by this person before they see ours; 0: none

    @property
    def id(self) -> str:
        """The person's account."""
        return self.person.id

    @property
    def lists(self) -> tuple[str, ...]:
        """The lists they may open."""
        return self.scope.lists

    def may_do(self, action: str, thing: Thing) -> bool:
        """Whether this person may do something with something that is no flag."""
        return self.rights.may(self.asker, action, thing, self.today, self.signed).allowed

    def keep(self, action: str, things: Sequence[Thing]) -> list[bool]:
        """The same of many things at once."""
        return [said.allowed for said in self.rights.decide(self.asker, action, things, self.today, self.signed)]

    def limit(self, filters: Filters) -> Filters:
        """The filters, cut down to what may be seen."""
        asked = self.lists if filters.lists is None else filters.lists
        return replace(filters, lists=tuple(one for one in asked if one in self.lists), within=write_where(self.scope))

    def find(self, reading: Reading, filters: Filters, order: Order, page: int, size: int) -> Page:
        """One page of what fits and may be seen, each row asked of the policies once more before it is shown."""
        found = find(reading, self.limit(filters), order, page, size)
        allowed = self.may(reading, "view_flag", found.rows)
        return replace(found, rows=tuple(row for row, may in zip(found.rows, allowed, strict=True) if may))

    def read(self, reading: Reading, id: str, action: str = "view_flag") -> StoredFlag:
        """A flag this person may see. 404 for any other, as for none: that it is there is not told either.

        403 where they may see it and may not do this with it.
        """
        stored = read(reading, id)
        if not all(self.may(reading, "view_flag", [stored.row])):
            raise HTTPException(404)
        if not all(self.may(reading, action, [stored.row])):
            raise HTTPException(403)
        return stored

    def may_some(self, action: str) -> bool:
        """Whether there can be a flag that this person may do this with."""
        return bool(find_scope(self.rights, self.asker, self.today, self.signed, action).kinds)

    def may(self, reading: Reading, action: str, rows: Sequence[FlagRow]) -> list[bool]:
        """Whether this person may do something with each of some flags."""
        contested = challenges.find_contested(reading, [row.id for row in rows])
        things = [Flag(row.id, row.list, row.status, frozenset(row.agencies), row.id in contested) for row in rows]
        return [said.allowed for said in self.rights.decide(self.asker, action, things, self.today, self.signed)]


def find_reach(request: Request) -> Reach:
    """What whoever asks may see and do. Raises NotSignedIn."""
    if hasattr(request.state, _REACH):
        known: Reach = getattr(request.state, _REACH)
        return known
    session = find_session(request)
    asker = session.asker if session else None
    if session is None or session.person is None or asker is None:
        raise NotSignedIn(request.url.path if request.method == "GET" else "/")
    rights: Rights = request.app.state.rights
    today = read_now(request).date()
    with find_database(request).reading() as reading:
        signed = agreements.find_holding(reading, today, asker.agency, asker.purpose)
    reach = Reach(session.person, asker, today, signed, *_work_out(rights, asker, today, signed), rights,
                  request.app.state.sample)
    setattr(request.state, _REACH, reach)
    return reach


@lru_cache(_REMEMBERED)
def _work_out(
    rights: Rights, asker: Asker, today: date, signed: tuple[Agreement, ...]
) -> tuple[Scope, tuple[Item, ...]]:
    """Both follow from these four and nothing else: an agreement that was changed is another one."""
    scope = find_scope(rights, asker, today, signed)
    return scope, make_menu(rights, asker, today, signed, scope.lists)


def known_menu(request: Request) -> tuple[Item, ...]:
    """The menu of whoever asks, where that was worked out already: a page about trouble asks nothing more."""
    return getattr(request.state, _REACH).menu if hasattr(request.state, _REACH) else ()


def need(action: str, register: str) -> Callable[[Request], Reach]:
    """Lets in whoever may do this with a register. Raises NotSignedIn; 403 for anybody else."""
    def let_in(request: Request) -> Reach:
        reach = find_reach(request)
        if not reach.may_do(action, Register(register)):
            raise HTTPException(403)
        return reach

    return let_in


def reader(request: Request) -> Reach:
    """Somebody who may open a list. Raises NotSignedIn; 403 for a role without any, or without an agreement."""
    reach = find_reach(request)
    if not reach.lists:
        raise HTTPException(403)
    return reach
