"""An analyst makes new lists from the site, looks at what changed, and puts them before people."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.screens import FrontDesk
from api.setting import RULES, Setting
from api.today import Today
from api.web.app import make_site
from api.web.keeping import Office
from api.web.making import Change, compare
from engine.store import accounts, jobs
from engine.store.database import Database
from engine.store.flags import find_publications
from tests.web.conftest import DEMO, NOW, Borough, Visitor

MADE = "2026-11-24-0000000a"
TODAY = {"as_of": "24/11/2026"}


class Place:
    """A site over the store made by hand, in a home where runs stand as they are written down here."""

    def __init__(self, store: Database, home: Path) -> None:
        self.store, self.setting = store, Setting(home, RULES)
        today = Today(self.setting, NOW.date)
        self.site = make_site(store, DEMO, lambda: NOW,
                              office=Office(self.setting, FrontDesk(home, today.open, lambda: NOW)))

    def visit(self, role: str) -> Visitor:
        return Visitor(TestClient(self.site)).sign_in(role)

    def put(self, name: str, entries: dict[str, list[str]], held: dict[str, list[str]] | None = None) -> None:
        """A run as far as it is looked at here: its entries, by list."""
        folder = self.setting.runs.folder / name
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_text(json.dumps({"area": None, "as_of": name[:10], "inputs": []}))
        found = [{"list": list_name, "subject": one, "status": status}
                 for status, some in (("shown", entries), ("restricted", held or {}))
                 for list_name, subjects in some.items() for one in subjects]
        (folder / "list.json").write_text(json.dumps({"entries": found, "left": []}))

    def finish(self, run: str = MADE, kind: str = "run") -> str:
        """A run that somebody asked for and that is made: the id of what they asked for."""
        with self.store.reading() as reading:
            user = accounts.find_user(reading, "demo-analyst")
        assert user is not None
        with self.store.writing(NOW, user.id) as writing:
            id = jobs.ask(writing, kind, {}).id
            jobs.begin(writing, id)
            jobs.finish(writing, id, "The lists are made.", learned={"run": run})
        return id


@pytest.fixture
def place(store: Database, tmp_path: Path) -> Iterator[Place]:
    opened = Place(store, tmp_path / "home")
    yield opened
    opened.site.state.jobs.close()


def numbers(page: str) -> list[list[int]]:
    """New, stay and leave, of each list."""
    rows = re.findall(r'<th class="govuk-table__header" scope="row">[^<]+</th>(.*?)</tr>', page, re.DOTALL)
    return [[int(number) for number in re.findall(r">(\d+)</td>", row)] for row in rows]


# --- asking for a run -----------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["governance", "tasking_chair", "administrator", "councillor", "housing_officer"])
def test_only_an_analyst_makes_lists(place: Place, role: str) -> None:
    someone, id = place.visit(role), place.finish()
    assert someone.get("/runs/new").status_code == 403
    assert someone.get(f"/runs/new/{id}").status_code == 403
    page = "/jobs" if role in ("governance", "administrator", "councillor", "housing_officer") else "/people"
    assert someone.send(page, "/runs/new", **TODAY).status_code == 403
    assert someone.send(page, f"/runs/new/{id}/publish", sure="yes").status_code == 403


def test_today_is_offered(place: Place) -> None:
    page = place.visit("analyst").get("/runs/new").text
    for name, value in TODAY.items():
        assert re.search(rf'name="{name}"[^>]*value="{value}"', page)
    assert "People work with the lists of 23 November 2026" in page


@pytest.mark.parametrize(("day", "said"), [
    ("31/11/2026", "Give the day as day/month/year"), ("", "Give the day as day/month/year"),
    ("<b>/1/2026", "Give the day as day/month/year"), ("1/1/99999999", "Give the day as day/month/year"),
    ("25/11/2026", "Choose today or an earlier day"), ("22/11/2026", "Choose 23 November 2026 or later"),
    ("24/11/2026", "No extract had been taken in by that day")])
def test_a_day_nothing_can_be_made_of_is_refused_in_words(
    place: Place, day: str, said: str
) -> None:
    answer = place.visit("analyst").send("/runs/new", "/runs/new", as_of=day)
    assert answer.status_code == 400
    assert said in answer.text
    assert "<b>" not in re.sub(r"<b>\s*\d", "", answer.text)
    assert not place.setting.runs.names()


def test_a_site_over_a_store_alone_says_that_it_makes_none(visit: Callable[..., Visitor]) -> None:
    assert visit("analyst").get("/runs/new").status_code == 503


# --- looking at it ----------------------------------------------------------------------------------------


def test_lists_are_compared_by_who_is_on_them() -> None:
    old = [("people", "P1"), ("people", "P2"), ("places", "P1")]
    new = [("people", "P2"), ("people", "P3"), ("people", "P4"), ("allocations", "A1")]
    assert compare(new, old) == [Change("People", 2, 1, 1), Change("Places", 0, 0, 1),
                                 Change("Offers of a home", 1, 0, 0)]


def test_what_changed_is_counted_and_whoever_is_held_back_is_in_no_number(place: Place) -> None:
    place.put("2026-11-23-00000000", {"people": ["P1", "P2"]}, {"people": ["P8"]})
    place.put(MADE, {"people": ["P2", "P3"], "places": ["street:1"]}, {"people": ["P1", "P9"]})
    page = place.visit("analyst").get(f"/runs/new/{place.finish()}").text
    assert numbers(page) == [[1, 1, 1], [1, 0, 0], [0, 0, 0]]
    assert "Against the lists of 23 November 2026, which people work with" in page
    assert "P9" not in page


def test_lists_whose_last_run_is_not_in_this_home_are_shown_without_a_comparison(place: Place) -> None:
    place.put(MADE, {})
    page = place.visit("analyst").get(f"/runs/new/{place.finish()}").text
    assert "They cannot be compared with the lists people work with. There is no such run." in page


@pytest.mark.parametrize("kind", ["agenda_pdf", "nothing"])
def test_only_work_that_made_a_run_has_this_page(place: Place, kind: str) -> None:
    id = place.finish(kind=kind) if kind != "nothing" else "0" * 32
    assert place.visit("analyst").get(f"/runs/new/{id}").status_code == 404


# --- putting it before people ---------------------------------------------------------------------------


def test_nothing_is_put_before_people_without_looking(place: Place) -> None:
    place.put("2026-11-23-00000000", {})
    place.put(MADE, {})
    analyst, page = place.visit("analyst"), f"/runs/new/{place.finish()}"
    answer = analyst.send(page, f"{page}/publish")
    assert answer.status_code == 400
    assert "Say that you looked at what changed" in answer.text
    with place.store.reading() as reading:
        assert len(find_publications(reading)) == 2


def test_what_was_looked_at_is_put_before_people_once(place: Place) -> None:
    place.put("2026-11-23-00000000", {"people": ["P000001"]})
    place.put(MADE, {})
    analyst, page = place.visit("analyst"), f"/runs/new/{place.finish()}"
    for _ in range(2):
        assert analyst.send("/runs/new", f"{page}/publish", sure="yes").url.path == page
    assert "They have been put before people" in analyst.get(page).text
    assert numbers(analyst.get(page).text)[0] == [0, 0, 1]
    with place.store.reading() as reading:
        assert find_publications(reading)[0].run == MADE
        assert len(find_publications(reading)) == 3


def test_lists_that_somebody_else_was_faster_than_are_refused_in_words(place: Place) -> None:
    old = "2026-11-20-0000000b"
    place.put("2026-11-23-00000000", {})
    place.put(old, {})
    analyst, page = place.visit("analyst"), f"/runs/new/{place.finish(old)}"
    assert "People work with later lists already" in analyst.get(page).text
    answer = analyst.send("/runs/new", f"{page}/publish", sure="yes")
    assert answer.status_code == 409
    assert "This run is of an earlier day than the lists people work with" in answer.text


# --- all of it, in an invented borough ---------------------------------------------------------------------


@pytest.mark.more
def test_an_analyst_makes_lists_and_puts_them_before_people(borough: Borough) -> None:
    analyst = borough.visit("analyst")
    answer = analyst.send("/runs/new", "/runs/new", **TODAY)
    job = str(answer.url.path)
    assert job.startswith("/jobs/")
    again = borough.visit("analyst").send("/runs/new", "/runs/new", **TODAY)        # while the first is being made
    assert again.status_code == 409
    assert "The same is being made already" in again.text
    seen = wait(analyst, job)
    page = analyst.get(job).text
    assert "The lists of 24 November 2026 are made" in page
    assert {"Measuring people", "Judging and explaining people", "Saving"} & seen
    made = re.findall(r'href="(/runs/new/[0-9a-f]+)"', page)[0]
    assert sum(sum(row) for row in numbers(analyst.get(made).text)) > 0
    assert borough.visit("tasking_chair").get("/people").text.count("24 November 2026") == 0
    analyst.send(made, f"{made}/publish", sure="yes")
    assert "They have been put before people" in analyst.get(made).text
    assert "The list of 24 November 2026" in borough.visit("tasking_chair").get("/people").text
    assert len(borough.office.setting.runs.names()) == 2
    borough.site.state.jobs.close()


def wait(visitor: Visitor, job: str) -> set[str]:
    """Until it is over; every step that was shown meanwhile."""
    seen: set[str] = set()
    for _ in range(3000):
        page = visitor.get(f"{job}/progress").text
        if "hx-get" not in page:
            return seen
        seen |= set(re.findall(r'<p class="govuk-body">([^<.]+)\. You may leave', page))
        threading.Event().wait(0.05)
    raise AssertionError("it is not over")
