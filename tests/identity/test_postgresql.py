"""The same way in and the same filter on PostgreSQL."""

from __future__ import annotations

import random
import threading

from api.web.login import TRIES
from engine.store.database import Database
from tests.identity.made import PASSWORD, Place, Visitor, code_at, read
from tests.identity.test_scope import compare, invent_flags, keep


def test_signing_in_with_every_step(server_store: Database) -> None:
    place = Place(server_store)
    place.add("kit@council.example", "Kit", "governance", must_change=True)
    kit = place.visitor()
    page = read(kit.follow(kit.sign_in("kit@council.example")))
    kit.follow(kit.send("/sign-in/factor", code=code_at(place.now, page["key"])))
    kit.send("/sign-in/password", new="seven quiet otters", again="seven quiet otters")
    assert kit.name == "Kit"
    place.later(minutes=21)
    assert kit.name is None


def test_what_cannot_be_a_login_is_refused_like_any_other(server_store: Database) -> None:
    visitor = Place(server_store).visitor()
    assert [visitor.sign_in(login).status_code for login in ("pat\0", "x" * 5000, "", "%", "\u2603")] == [400] * 5


def test_many_guesses_at_once_lock_the_account(server_store: Database) -> None:
    place = Place(server_store)
    place.add("pat@council.example", "Pat Chair", "tasking_chair")
    visitors = [place.visitor(f"192.0.2.{number}") for number in range(12)]

    def guess(visitor: Visitor) -> None:
        visitor.sign_in(password="three wrong words")

    threads = [threading.Thread(target=guess, args=(visitor,)) for visitor in visitors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (place.user().failed, place.user().locked_until is not None) == (TRIES, True)
    assert visitors[0].sign_in(password=PASSWORD).status_code == 400


def test_the_filter_and_the_policies_agree(server_store: Database) -> None:
    kept = invent_flags(random.Random(1), 120)
    keep(server_store, kept)
    assert compare(server_store, 2, 20, kept, "view_flag") > 50
