"""The three lists: what is on them, what a filter lets through, and what nobody is told by them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable

import pytest

from api.web.site_words import DECISION_NAMES, REASON_NAMES, STATE_ABOUT, STATE_COLOURS, STATE_NAMES
from engine.store.database import Database
from engine.store.flags import history
from engine.store.reviews import REASONS
from engine.store.tables import DECISIONS, STATES
from tests.web.conftest import Visitor
from tests.web.made import OFFERS

Visit = Callable[..., Visitor]


def titles(visitor: Visitor, path: str) -> list[str]:
    return re.findall(r'<a class="govuk-link" href="/flags/[^"]+">([^<]+)</a>', visitor.get(path).text)


def counts(visitor: Visitor, path: str) -> dict[str, int]:
    found = re.findall(r"<b>(\d+)</b> ([A-Za-z ]+)</a>", visitor.get(path).text)
    return {text: int(number) for number, text in found}


@pytest.mark.parametrize(("query", "expected"), [
    ("", ["P000001", "P000002", "P000003"]),
    ("?band=discuss", ["P000003"]),
    ("?axis=harm", ["P000001"]),
    ("?theme=youth", ["P000001"]),
    ("?agency=social_care", ["P000002"]),
    ("?change=worse", ["P000002"]),
    ("?state=confirmed", []),
    ("?mine=yes", []),
    ("?change=stale&axis=harm&agency=police", ["P000001"]),
    ("?theme=nothing-of-the-kind", []),
])
def test_what_a_filter_lets_through(visit: Visit, query: str, expected: list[str]) -> None:
    assert titles(visit("tasking_chair"), f"/people{query}") == expected


def test_the_counts_say_what_changed_and_keep_the_other_filters(visit: Visit) -> None:
    visitor = visit("tasking_chair")
    assert counts(visitor, "/people") == {"On the list": 3, "New": 0, "Worse": 1, "Better": 1, "As before": 0,
                                          "Stale": 1, "Left": 1}
    assert counts(visitor, "/people?band=discuss")["On the list"] == 1
    assert "/people?band=discuss&amp;change=stale" in visitor.get("/people?band=discuss").text


def test_only_mine_is_what_i_took_up(visit: Visit) -> None:
    visitor = visit("tasking_chair")
    page = visitor.flags("/people")[1]
    visitor.send(page, f"{page}/take-up", version=visitor.version(page))
    assert titles(visitor, "/people?mine=yes") == ["P000002"]
    assert "Taken up by Priya Chair" in visitor.get("/people?mine=yes").text


def test_who_left_is_named_with_the_reason(visit: Visit) -> None:
    visitor = visit("tasking_chair")
    assert titles(visitor, "/people?change=left") == ["P000004"]
    assert "no longer so: Needs not met" in visitor.get("/people?change=left").text


def test_whoever_is_held_back_this_week_is_held_back_in_last_weeks_list_too(visit: Visit, store: Database) -> None:
    with store.reading() as reading:
        held = [row.id for row in history(reading, "people", "P000005")]
    assert visit("tasking_chair").get(f"/flags/{held[0]}").status_code == 404
    assert visit("monitoring_officer").get(f"/flags/{held[0]}").status_code == 200


def test_a_long_list_has_pages_and_says_where_you_are(visit: Visit) -> None:
    visitor = visit("tasking_chair")
    assert len(titles(visitor, "/allocations")) == 25
    second = visitor.get("/allocations?page=2")
    assert len(titles(visitor, "/allocations?page=2")) == OFFERS - 25
    assert "(page 2 of 2)" in second.text
    assert "Page 2 of 2." in second.text
    assert 'href="/allocations"' in second.text


def test_an_empty_list_says_why_it_may_be_empty(visit: Visit) -> None:
    assert "Nothing fits these filters" in visit("tasking_chair").get("/people?state=declined").text
    assert "not yet good" in visit("agency_officer").get("/allocations").text


def test_an_agency_sees_what_it_is_to_come_to_and_nothing_else_counts(visit: Visit) -> None:
    officer, chair = visit("agency_officer"), visit("tasking_chair")
    assert titles(officer, "/people") == ["P000002"]
    assert counts(officer, "/people")["On the list"] == 1
    assert titles(officer, "/people?agency=police") == ["P000002"]      # it brings the police in too
    assert titles(chair, "/people?agency=police") != ["P000002"]
    others = chair.flags("/people")[0]
    assert officer.get(others).status_code == 404
    assert "Nothing found" in officer.send("/find", "/find", words="P000001").text
    assert officer.get("/people.csv").status_code == 403      # what an agency may see, it may not take away


def test_finding_somebody_puts_nothing_into_an_address(visit: Visit) -> None:
    visitor = visit("tasking_chair")
    answer = visitor.send("/find", "/find", words=" p000002 ")
    assert "1 flag found" in answer.text
    assert answer.url.query == b""
    assert "Type at least 3 characters" in visitor.send("/find", "/find", words="P").text


def test_a_spreadsheet_gets_text_where_a_formula_was_stored(visit: Visit) -> None:
    visitor = visit("tasking_chair")
    answer = visitor.get("/places.csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="places-2026-11-23.csv"'
    assert answer.text.startswith("\ufeff")
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert rows[0]["reasons"].startswith("'=HYPERLINK(1)")
    people = list(csv.DictReader(io.StringIO(visitor.get("/people.csv?axis=harm").text.removeprefix("\ufeff"))))
    assert [(row["number"], row["Harm suffered (vulnerability)"], row["Harm caused"]) for row in people] == [
        ("P000001", "5.5", "7.0")]


def test_every_state_decision_and_reason_of_the_store_has_words() -> None:
    assert set(STATE_NAMES) == set(STATE_ABOUT) == set(STATE_COLOURS) == set(STATES)
    assert set(DECISION_NAMES) == set(DECISIONS) == set(REASONS)
    assert set(REASON_NAMES) == {code for codes in REASONS.values() for code in codes}
