"""The register of rules and the page of one rule: open to every role, with no small count for those outside."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.screens import FrontDesk
from api.setting import RULES, Setting
from api.today import Today
from api.web.app import make_site
from api.web.keeping import Office
from api.web.rights import ROLES
from api.web.rules import find_review, find_state
from engine.pack import read_pack
from engine.store import reviews
from engine.store.accounts import find_user
from engine.store.database import Database
from engine.store.flags import Filters, find
from engine.store.tables import DECIDED_STATES
from tests.web.conftest import DEMO, NOW, Visitor
from tests.web.made import SECOND

Visit = Callable[..., Visitor]
THRESHOLD = "/rules/person/case-review-threshold"


def open_site(store: Database, home: Path) -> Visit:
    """The site over the store made by hand, and the rules as they are installed; nothing was taken in."""
    setting = Setting(home, RULES)
    office = Office(setting, FrontDesk(home, Today(setting, NOW.date, lambda _: None).open, lambda: NOW))
    site = make_site(store, DEMO, lambda: NOW, office=office)
    return lambda role="": Visitor(TestClient(site)).sign_in(role) if role else Visitor(TestClient(site))


@pytest.fixture
def enter(store: Database, tmp_path: Path) -> Visit:
    return open_site(store, tmp_path / "home")


def decide(
    store: Database, subject: str, decision: str, code: str, why: str = "The agencies met about it.",
    role: str = "tasking_chair", **work: Any,
) -> None:
    """Somebody of a role takes up this week's flag of a subject, and decides it."""
    with store.writing(NOW, find_id(store, role)) as writing:
        row = next(one for one in find(writing, Filters(search=subject)).rows if one.as_of == SECOND)
        taken = row if row.state in DECIDED_STATES else reviews.take_up(writing, row.id, row.version)
        reviews.decide(writing, row.id, taken.version, decision, code, why, **work)


def find_id(store: Database, role: str) -> str:
    with store.reading() as reading:
        user = find_user(reading, f"demo-{role}")
    assert user is not None
    return user.id


def volumes(visitor: Visitor, query: str = "") -> dict[str, str]:
    return {row["rule"]: row["flags of 2026-11-23"] for row in read_csv(visitor, query)}


def read_csv(visitor: Visitor, query: str = "") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(visitor.get(f"/rules.csv{query}").text.removeprefix("\ufeff"))))


@pytest.mark.parametrize("role", ROLES)
def test_every_role_reads_the_register_and_a_rule(enter: Visit, role: str) -> None:
    visitor = enter(role)
    page, rule = visitor.get("/rules"), visitor.get(THRESHOLD)
    assert (page.status_code, rule.status_code) == (200, 200)
    assert "I-01: Victim has met the ASB Case Review threshold" in page.text
    assert ("Confirmed" in page.text) is (role in ("tasking_chair", "analyst", "governance"))
    assert ("What people decided" in rule.text) is (role in ("tasking_chair", "analyst", "governance"))


def test_nobody_reads_it_unasked(enter: Visit) -> None:
    assert "/sign-in" in str(enter().get("/rules").url)


@pytest.mark.parametrize("role", ["tasking_chair", "analyst"])
def test_whoever_sees_every_flag_sees_every_count(enter: Visit, role: str) -> None:
    found = volumes(enter(role))
    assert found["person/case-review-threshold"] == "3"
    assert found["person/hate-victim"] == "0"


@pytest.mark.parametrize("role", ["councillor", "housing_officer", "administrator", "agency_officer", "governance"])
def test_a_small_count_is_shown_to_nobody_outside_nor_its_place(enter: Visit, role: str) -> None:
    visitor = enter(role)
    assert volumes(visitor)["person/case-review-threshold"] == "not shown"
    assert [row["rule"] for row in read_csv(visitor, "?order=volume&list=people")] == [
        row["rule"] for row in read_csv(visitor, "?list=people")]
    page = visitor.get(THRESHOLD).text
    assert "not shown" in page
    assert {int(width) for width in re.findall(r'<rect[^>]* width="(\d+)"', page)} == {0}


@pytest.mark.parametrize(("query", "expected"), [
    ("?list=places", lambda row: row["rule"].startswith("place/")),
    ("?axis=harm", lambda row: row["axis"] == "Harm caused"),
    ("?state=trial", lambda row: row["state"] == "On trial"),
    ("?theme=victims", lambda row: row["theme"] == "Victims"),
    ("?review=overdue", lambda row: row["review"] == "overdue"),
])
def test_what_a_filter_lets_through(enter: Visit, query: str, expected: Callable[[dict[str, str]], bool]) -> None:
    visitor = enter("analyst")
    everything = read_csv(visitor)
    assert [row["rule"] for row in read_csv(visitor, query)] == [row["rule"] for row in everything if expected(row)]
    assert len(everything) == len(read_pack(RULES).rules)


def test_the_register_in_another_order(enter: Visit) -> None:
    visitor = enter("analyst")
    assert read_csv(visitor, "?order=volume&list=people")[0]["rule"] == "person/case-review-threshold"
    days = [row["review by"] for row in read_csv(visitor, "?order=review")]
    assert days == sorted(days)


def test_nothing_fits_and_nothing_is_understood(enter: Visit) -> None:
    visitor = enter("councillor")
    assert "No rule fits" in visitor.get("/rules?theme=nothing-of-the-kind").text
    assert visitor.get("/rules?axis=everything").status_code == 422


@pytest.mark.parametrize("path", ["/rules/person/none", "/rules/gods/case-review-threshold", "/rules/person"])
def test_a_rule_there_is_not(enter: Visit, path: str) -> None:
    assert enter("analyst").get(path).status_code == 404


def test_a_rule_is_told_whole_and_in_words(enter: Visit) -> None:
    page = enter("housing_officer").get(THRESHOLD).text
    for said in ("ASBCPA 2014 s104", "The threshold is published", "CSP ASB thematic lead", "31 October 2027",
                 "It cannot tell", "Three related reports in six months meet the threshold", "Support first",
                 "Council anti-social behaviour reports", "PF-03: Tenancy kept for a year", "X-01: "):
        assert said in page
    assert "asb_victim_related_183d" not in page
    assert "X-03" not in page       # what silences harm caused says nothing about harm suffered


def test_every_rule_has_a_page_without_a_code_in_it(enter: Visit) -> None:
    visitor, pack = enter("analyst"), read_pack(RULES)
    for rule in pack.rules:
        answer = visitor.get(f"/rules/{rule}")
        assert answer.status_code == 200, rule
        words = re.sub(r"<[^>]*>|&#?\w+;", " ", answer.text.partition("<main")[2].partition("</main")[0])
        assert not re.findall(r"\b[a-z]+_[a-z_0-9]+\b", words), rule


def test_a_rule_is_overdue_from_the_day_after(enter: Visit) -> None:
    rule = read_pack(RULES).rules["person/case-review-threshold"]
    days = [date(2027, 8, 1), date(2027, 10, 1), date(2027, 10, 31), date(2027, 11, 1)]
    assert [find_state(rule, day) for day in days] == ["live", "live", "live", "lapsed"]
    assert [find_review(rule, day) for day in days] == ["", "soon", "soon", "overdue"]


def test_what_came_of_a_rule_is_for_those_who_watch_reviewing(enter: Visit, store: Database) -> None:
    assert "Nobody has decided anything yet." in enter("tasking_chair").get(THRESHOLD).text
    decide(store, "P000002", "declined", "already_in_hand", "Housing has this in hand already.")
    for role, sees in (("analyst", True), ("councillor", False)):
        text = enter(role).get(THRESHOLD).text
        assert ("Already in hand" in text) is sees
        assert ("0 of 1 (0%)" in text) is sees
        assert "Housing has this in hand" not in text
