"""How reviewing goes: what the shares and alarms say, and who is named to whom."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import update

from api.web.reviewing import read_limits
from api.web.rights import ROLES
from engine.pack import read_pack
from engine.store import reviews
from engine.store.chain import Note
from engine.store.database import Database
from engine.store.flags import Filters, find
from engine.store.judgements import Limits
from engine.store.tables import flags
from tests.web.conftest import NOW
from tests.web.made import OFFERS, SECOND
from tests.web.test_rules import Visit, decide, enter, find_id

__all__ = ["enter"]
ALLOWED = ("tasking_chair", "analyst", "governance")


@pytest.mark.parametrize("role", ROLES)
def test_who_may_see_it(enter: Visit, role: str) -> None:
    assert enter(role).get("/reviewing").status_code == (200 if role in ALLOWED else 403)


def test_nothing_is_decided_yet(enter: Visit) -> None:
    page = enter("analyst").get("/reviewing").text
    assert "Nobody has decided anything yet." in page
    assert "alarm" not in page


def test_it_works_where_the_site_has_no_rules_behind_it(visit: Visit, store: Database) -> None:
    visitor = visit("analyst")
    decide(store, "P000002", "confirmed", "getting_worse")
    assert "person/case-review-threshold (no longer among the rules)" in visitor.get("/reviewing").text


def test_the_partnerships_own_numbers_are_read() -> None:
    assert read_limits(read_pack(Path("rules")).policy) == Limits(0.30, 3, 0.10)
    assert read_limits(None) == Limits()


@pytest.mark.parametrize(("role", "name"), [
    ("governance", "Priya Chair"), ("analyst", "Reviewer 1"), ("tasking_chair", "Reviewer 1 (you)")])
def test_reviewers_are_named_to_those_who_read_the_audit_log_alone(
    enter: Visit, store: Database, role: str, name: str
) -> None:
    enter()
    decide(store, "P000002", "declined", "already_in_hand", "Housing has Zebedee in hand.", seconds=75,
           opened=["council_asb:A1"])
    page = enter(role).get("/reviewing").text
    main = page.partition("<main")[2]
    assert f">{name}</th>" in main
    assert ("Priya Chair" in main) is (role == "governance")
    for said in ("0 of 1 (0%)", "75 seconds", "1 of 1 (100%)", "Already in hand: 1", "Too few to tell",
                 "I-01 Victim has met the ASB Case Review threshold"):
        assert said in main
    for hidden in ("Zebedee", "P000002", find_id(store, "tasking_chair")):
        assert hidden not in page


def decide_offers(store: Database, confirmed: int, seconds: int) -> None:
    """The chair decides every offer, as quickly as this."""
    for number in range(OFFERS):
        decide(store, f"PR{number:06d}", *(("confirmed", "other") if number < confirmed else
                                           ("declined", "rule_does_not_fit")), seconds=seconds)


def test_a_rule_hardly_ever_confirmed_is_to_be_stopped_by_people(enter: Visit, store: Database) -> None:
    enter()
    decide_offers(store, 1, 90)
    page = enter("analyst").get("/reviewing").text
    assert "Stop or review this rule: I-01" in page
    assert "Confirmed 1 of 30 (3%) over 2 cycles, which is below 10%. Its owner (CSP ASB thematic lead)" in page
    assert "can be read" not in page


def test_whoever_hurries_is_told_of_with_what_to_do(enter: Visit, store: Database) -> None:
    enter()
    decide_offers(store, 15, 20)
    page = enter("governance").get("/reviewing").text
    assert "Priya Chair decides faster than a flag can be read" in page
    assert "shorten it rather than the reading" in page
    assert "Stop or review this rule: " not in page


def test_groups_far_apart_are_told_of(enter: Visit, store: Database) -> None:
    enter()
    with store.writing(NOW, "system") as writing:
        for ward, odd in (("North", 0), ("South", 1)):
            writing.change(Note("test", "", {}), update(flags).where(
                flags.c.list == "allocations", flags.c.position % 2 == odd).values(ward=ward))
    with store.reading() as reading:
        wards = {row.subject: row.ward for row in find(reading, Filters(lists=("allocations",)), size=OFFERS).rows}
    for subject, ward in wards.items():
        decide(store, subject, *(("confirmed", "other") if ward == "North" else ("declined", "other")), seconds=90)
    page = enter("analyst").get("/reviewing").text
    assert "Ward: South is confirmed less surely than North" in page
    assert "Their intervals do not touch" in page


def test_what_is_held_for_other_eyes_moves_no_number(enter: Visit, store: Database) -> None:
    visitor = enter("analyst")
    before = visitor.get("/reviewing").text.partition("<main")[2].partition("</main")[0]
    decide_held(store)
    assert visitor.get("/reviewing").text.partition("<main")[2].partition("</main")[0] == before


def decide_held(store: Database) -> None:
    with store.writing(NOW, find_id(store, "monitoring_officer")) as writing:
        row = next(one for one in find(writing, Filters(search="P000003")).rows if one.as_of == SECOND)
        writing.change(Note("test", "", {}), update(flags).where(flags.c.id == row.id).values(status="restricted"))
        taken = reviews.take_up(writing, row.id, row.version)
        reviews.decide(writing, row.id, taken.version, "declined", "other", "The officer has dealt with it.")


def test_the_first_judgement_is_compared_with_ours(enter: Visit, store: Database) -> None:
    enter()
    with store.writing(NOW, find_id(store, "tasking_member")) as writing:
        for row in find(writing, Filters(lists=("people",), runs=(f"{SECOND}-{'0' * 8}",))).rows:
            reviews.judge_first(writing, row.id, "convene")
    decide(store, "P000002", "confirmed", "other", role="tasking_member")
    page = enter("tasking_chair").get("/reviewing").text
    assert "2 of 3 (67%) were the same. Too few to tell more." in page
