"""The filter in SQL lets through exactly what the policies allow, for anybody, whatever is in the store."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from api.web.rights import ROLES, Asker, Flag, Rights
from api.web.scope import LISTS, Scope, find_scope, write_where
from engine.store.chain import Note
from engine.store.database import Database
from engine.store.tables import challenges, flags, labels, publications
from tests.identity.made import NOW
from tests.identity.test_rights import CRIME, HOUSING, SIGNED, TODAY, Agreement, asker

RIGHTS = Rights()
AGENCIES = ("housing", "fire", "police", "probation", "education")
STATUSES = ("shown", "shown", "shown", "restricted", "routed", "already held")


def invent_flags(draw: random.Random, count: int) -> list[Flag]:
    return [Flag(f"f{n:04d}", draw.choice(LISTS), draw.choice(STATUSES),
                 frozenset(draw.sample(AGENCIES, draw.randint(0, 3))), draw.random() < 0.3) for n in range(count)]


def invent_asker(draw: random.Random) -> Asker:
    roles = draw.sample(ROLES, draw.choice((0, 1, 1, 2, 3, 4)))
    return Asker("u1", draw.choice(AGENCIES), frozenset(roles), draw.choice((CRIME, HOUSING, "safeguarding")),
                 frozenset({"Park"}))


def invent_agreement(draw: random.Random, number: int) -> Agreement:
    """Mostly one that holds: of agreements that never do, a comparison would prove nothing."""
    return Agreement(
        f"a{number}", tuple(draw.sample(AGENCIES, draw.randint(2, 5))),
        tuple(draw.sample((CRIME, HOUSING, "safeguarding"), draw.randint(2, 3))),
        tuple(draw.sample(LISTS, draw.randint(1, 3))),
        date(2026, 12, 1) if draw.random() < 0.15 else date(2026, 1, 1),
        date(2026, 11, 1) if draw.random() < 0.15 else date(2027, 1, 1), NOW if draw.random() < 0.15 else None)


def keep(store: Database, kept: Sequence[Flag]) -> None:
    with store.writing(NOW, "system") as writing:
        run = {"run": "r1", "number": 1, "as_of": TODAY, "at": NOW, "actor": "system", "flags": len(kept),
               "digest": "0" * 64}
        writing.change(Note("run.published", "r1", {}), insert(publications), [run])
        rows = [build_row(n, one) for n, one in enumerate(kept)]
        writing.change(Note("flags.proposed", "r1", {}), insert(flags), rows)
        marked = [{"flag": one.id, "kind": "agency", "value": agency} for one in kept for agency in one.agencies]
        # The same words as other labels, which must not count as an agency.
        marked += [{"flag": one.id, "kind": "theme", "value": agency} for one in kept for agency in AGENCIES]
        writing.change(Note("flags.labelled", "r1", {}), insert(labels), marked)
        said = [{"id": f"c{one.id}", "flag": one.id, "raised_by": "subject", "says": "It was not me.", "facts": (),
                 "records": (), "state": "open", "made_at": NOW, "made_by": "system", "outcome": "",
                 "changed_at": NOW, "changed_by": "system", "version": 1} for one in kept if one.contested]
        writing.change(Note("flag.contested", "r1", {}), insert(challenges), said)


def build_row(number: int, one: Flag) -> dict[str, Any]:
    return {"id": one.id, "run": "r1", "as_of": TODAY, "list": one.list, "subject": f"S{number}", "name": "Nobody",
            "folded": "nobody", "band": "discuss", "status": one.status, "change": "new", "axis": "harm", "ward": None,
            "position": number, "text": "{}", "digest": "0" * 64, "state": "proposed", "because": "", "lead": None,
            "successor": None, "changed_at": NOW, "changed_by": "system", "version": 1}


def find(store: Database, scope: Scope) -> set[str]:
    with store.reading() as reading:
        found = {row["id"] for row in reading.all(select(flags.c.id).where(write_where(scope)))}
        counted = reading.value(select(func.count()).select_from(flags).where(write_where(scope)))
    assert counted == len(found)
    return found


def compare(store: Database, seed: int, people: int, kept: Sequence[Flag], action: str) -> int:
    """How many flags were allowed in all: a comparison of nothing with nothing proves nothing."""
    draw, allowed = random.Random(seed), 0
    for _ in range(people):
        one = invent_asker(draw)
        agreements = [invent_agreement(draw, number) for number in range(draw.randint(0, 3))]
        decided = RIGHTS.decide(one, action, kept, TODAY, agreements)
        may = {flag.id for flag, said in zip(kept, decided, strict=True) if said.allowed}
        scope = find_scope(RIGHTS, one, TODAY, agreements, action)
        assert find(store, scope) == may, (one, agreements)
        assert {flag.id for flag in kept if scope.holds(flag)} == may
        allowed += len(may)
    return allowed


@pytest.mark.parametrize(("action", "least"), [("view_flag", 50), ("contest", 15)])
def test_the_filter_and_the_policies_agree_on_anybody(store: Database, action: str, least: int) -> None:
    kept = invent_flags(random.Random(1), 120)
    keep(store, kept)
    assert compare(store, 2, 20, kept, action) > least


@pytest.mark.more
def test_the_filter_and_the_policies_agree_on_many(store: Database) -> None:
    kept = invent_flags(random.Random(3), 300)
    keep(store, kept)
    assert compare(store, 4, 100, kept, "view_flag") > 2000


@pytest.mark.parametrize(("role", "lists", "seen"), [
    ("tasking_chair", LISTS, {"f0", "f1", "f2"}),
    ("agency_officer", LISTS, {"f1"}),
    ("governance", LISTS, {"f2"}),
    ("housing_manager", ("allocations",), set()),
    ("housing_officer", (), set()), ("councillor", (), set()), ("administrator", (), set()),
    ("monitoring_officer", (), {"f3"}),
])
def test_what_each_role_finds(store: Database, role: str, lists: tuple[str, ...], seen: set[str]) -> None:
    plain = Flag("f0", "people", "shown", frozenset({"fire"}))
    keep(store, [plain, replace(plain, id="f1", agencies=frozenset({"housing"})),
                 replace(plain, id="f2", contested=True), replace(plain, id="f3", status="restricted"),
                 replace(plain, id="f4", status="routed")])
    scope = find_scope(RIGHTS, asker(role), TODAY, [SIGNED])
    assert (scope.lists, find(store, scope)) == (lists, seen)


def test_without_an_agreement_nobody_finds_anything(store: Database) -> None:
    keep(store, invent_flags(random.Random(5), 50))
    scope = find_scope(RIGHTS, asker(*ROLES), TODAY)
    assert (scope.lists, find(store, scope)) == ((), set())
