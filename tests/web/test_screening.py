"""An officer screens an offer with the applicant in the room: found, screened, answered, compared, said, overridden."""

from __future__ import annotations

import csv
import io
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pandas as pd
import pytest
from starlette.testclient import TestClient

from api.screens import FrontDesk
from api.setting import RULES, Setting
from api.web.app import make_site
from api.web.keeping import Office
from api.web.screened_page import compare
from api.web.site_words import LEVEL_TITLES, REQUEST_NAMES, VIEW_NAMES
from engine.desk import Desk
from engine.screening import LEVELS, Pair
from engine.store import opinions
from engine.store.database import Database
from engine.store.tables import REQUEST_STATES
from tests.web.conftest import DEMO, NOW, Borough, Visitor, open_borough
from tests.web.made import FORMULA, SCRIPT

REASON = "The other party has moved away, as the police say."
INSTEAD = "The police confirm it before the keys are given."
TAG = re.compile(r"<[^>]+>")


@dataclass(frozen=True)
class Desked:
    """The desk of the day, which takes seconds to make and never changes, and the shortlists of the weekly run."""

    home: Path
    desk: Desk
    shortlists: pd.DataFrame


@pytest.fixture(scope="module")
def desked(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Desked:
    home = tmp_path_factory.mktemp("desked") / "home"
    shutil.copytree(prepared, home)
    opened = open_borough(home)
    opened.database.close()
    runs = opened.office.setting.runs
    shortlists = pd.read_parquet(runs.folder / str(runs.latest()) / "shortlists.parquet")
    return Desked(home, opened.office.front.open_desk(), shortlists.sort_values("application"))


@pytest.fixture
def office(desked: Desked, tmp_path: Path) -> Iterator[Borough]:
    """The site over a store and a journal of its own, with the desk of the day."""
    shutil.copy(desked.home / "store.db", tmp_path / "store.db")
    database = Database(f"sqlite:///{tmp_path / 'store.db'}")
    office = Office(Setting(tmp_path, RULES), FrontDesk(tmp_path, lambda: desked.desk, lambda: NOW))
    yield Borough(tmp_path, database, office, make_site(database, DEMO, lambda: NOW, office=office))
    database.close()


@pytest.fixture
def weighed(desked: Desked) -> Pair:
    """An open proposal with something to weigh and something to ask, and nothing to settle first."""
    return find_pair(desked.shortlists, "hard == 0 and soft > 0 and cannot_tell > 0")


@pytest.fixture
def blocked(desked: Desked) -> Pair:
    """An open proposal with one hard conflict."""
    return find_pair(desked.shortlists, "hard == 1")


def find_pair(shortlists: pd.DataFrame, wanted: str) -> Pair:
    row = shortlists[shortlists["proposal"].notna()].query(wanted).iloc[0]
    return Pair(row["application"], None, row["uprn"])


def screen(visitor: Visitor, pair: Pair, **more: str) -> str:
    """Finds and screens the two, as an officer would; the address of the screening."""
    found = visitor.send("/screenings/new", "/screenings/find", applicant=pair.application, home=pair.uprn)
    answer = post(visitor, found.text, "/screenings", application=pair.application, uprn=pair.uprn,
                  once=field(found.text, "once"), **more)
    assert answer.status_code == 303, read(answer)
    return answer.headers["location"].split("?")[0]


def post(visitor: Visitor, page: str, path: str, **fields: str) -> httpx.Response:
    """Sends a form of a page that was read already."""
    return visitor.client.post(path, data={"form_token": field(page, "form_token"), **fields},
                               headers={"Sec-Fetch-Site": "same-origin"}, follow_redirects=False)


def field(page: str, name: str) -> str:
    return re.findall(rf'name="{name}" value="([^"]*)"', page)[-1]


def read(answer: httpx.Response) -> str:
    """What a page says, without its marks."""
    body = answer.text[answer.text.index("<main"):] if "<main" in answer.text else answer.text
    return " ".join(TAG.sub(" ", body).split())


def follow(visitor: Visitor, answer: httpx.Response) -> str:
    assert answer.status_code == 303, read(answer)
    return visitor.get(answer.headers["location"]).text


def heading(page: str) -> str:
    return re.findall(r"<h1[^>]*>([^<]+)</h1>", page)[0]


# --- finding the two ------------------------------------------------------------------------------


def test_the_two_are_found_by_reference_and_address_and_neither_is_in_a_link(office: Borough, weighed: Pair) -> None:
    officer = office.visit("housing_officer")
    address = office.office.front.address(weighed.uprn)
    found = officer.send("/screenings/new", "/screenings/find", applicant=f" {weighed.application.lower()} ",
                         home=address.upper())
    said = read(found)
    assert found.status_code == 200
    assert weighed.application in said and address in said and f"UPRN {weighed.uprn}" in said
    assert "Registered" in said and "bedroom" in said
    place = screen(officer, weighed)
    assert re.fullmatch(r"/screenings/[0-9a-f]{32}", place)
    assert f"for application {weighed.application}" in read(officer.get(place))


def test_a_person_number_finds_the_application(office: Borough) -> None:
    officer = office.visit("housing_officer")
    desk = office.office.front.open_desk()
    entry = next(row for row in desk.applications.values() if row["live"] and row["applicant"])
    found = officer.send("/screenings/new", "/screenings/find", applicant=entry["applicant"], home=min(desk.homes))
    assert found.status_code == 200
    assert entry["application"] in found.text


@pytest.mark.parametrize(("applicant", "home", "says"), [
    ("", "", "Type at least 4 characters"),
    ("APP", "Court", "Type at least 4 characters"),
    ("ZZZZ9", "Nowhere Lane", "No application on the housing register has this reference"),
    ("APP0", "Nowhere Lane", "fit this. Type more of it"),
    (SCRIPT, FORMULA, "No landlord’s home has this UPRN or address"),
])
def test_nobody_or_too_many_found_is_said_and_shows_no_other_applicant(
    office: Borough, applicant: str, home: str, says: str,
) -> None:
    page = office.visit("housing_officer").send("/screenings/new", "/screenings/find", applicant=applicant, home=home)
    assert page.status_code == 400
    assert says in page.text
    assert not re.search(r"APP\d{8}", page.text)
    assert SCRIPT not in page.text


def test_what_cannot_be_screened_says_why_and_what_to_do(office: Borough) -> None:
    desk = office.office.front.open_desk()
    closed = next(row for row in desk.applications.values() if not row["live"])
    let = next(row for row in desk.homes.values() if row["let"])
    officer = office.visit("housing_officer")
    found = officer.send("/screenings/new", "/screenings/find", applicant=closed["application"], home=let["uprn"])
    refused = post(officer, found.text, "/screenings", applicant=closed["application"], home=let["uprn"],
                   application=closed["application"], uprn=let["uprn"])
    assert refused.status_code == 409
    assert "Somebody lives there: the home is already let." in refused.text
    assert "Renew or reopen it with the applicant" in refused.text


def test_a_form_sent_twice_screens_once(office: Borough, weighed: Pair) -> None:
    officer = office.visit("housing_officer")
    found = officer.send("/screenings/new", "/screenings/find", applicant=weighed.application, home=weighed.uprn)
    fields = {"application": weighed.application, "uprn": weighed.uprn, "once": field(found.text, "once"),
              "view": "would_offer"}
    first, second = (post(officer, found.text, "/screenings", **fields).headers["location"] for _ in range(2))
    assert first == second
    assert len(office.office.front.kept.names()) == 1
    assert officer.get(first).text.count("said before the screening was read") == 1


# --- the journey ----------------------------------------------------------------------------------


def test_an_officer_asks_and_the_screening_changes(office: Borough, weighed: Pair) -> None:
    officer = office.visit("housing_officer")
    place = screen(officer, weighed)
    page = officer.get(place).text
    assert "It is not a refusal and not a decision" in page
    asked = list(dict.fromkeys(re.findall(r'name="(answer_[a-z0-9_]+)"', page)))
    yes = dict.fromkeys(asked, "yes")
    sent = {"once": field(page, "once"), **yes}
    answer = post(officer, page, f"{place}/answers", **sent)
    after = follow(officer, answer)
    assert "What changed" in after and "Told: " in after and re.search("Settled, and not so:|Found now:", after)
    assert post(officer, page, f"{place}/answers", **sent).headers["location"] == answer.headers["location"]
    assert "There is a later screening" in officer.get(place).text
    assert f'href="{place}"' in after
    # An answer taken back is forgotten, and the screening is as it was.
    newer = answer.headers["location"].split("?")[0]
    back = post(officer, after, f"{newer}/answers", once=field(after, "once"), **dict.fromkeys(asked, ""))
    again = follow(officer, back)
    assert heading(again) == heading(page)
    assert "What was told" not in again


def test_answers_that_are_none_are_told_at_their_question_and_kept_on_the_page(office: Borough, weighed: Pair) -> None:
    officer = office.visit("housing_officer")
    place = screen(officer, weighed)
    page = officer.get(place).text
    nothing = post(officer, page, f"{place}/answers")
    assert nothing.status_code == 400 and "Answer at least one question" in nothing.text
    name = re.findall(r'name="(answer_[a-z0-9_]+)"', page)[0]
    wrong = post(officer, page, f"{place}/answers", **{name: SCRIPT})
    assert wrong.status_code == 400
    assert f'href="#{name}"' in wrong.text and "Allowed: yes or no" in wrong.text
    assert SCRIPT not in wrong.text
    unasked = post(officer, page, f"{place}/answers", answer_of_nothing="yes", **{name: ""})
    assert unasked.status_code == 400
    assert len(office.office.front.kept.names()) == 1


def test_numbers_and_words_are_answered_too_and_what_was_typed_stays(office: Borough, desked: Desked) -> None:
    row = desked.shortlists.query("proposal.isna() and cannot_tell >= 4", engine="python").iloc[0]
    officer = office.visit("housing_officer")
    place = screen(officer, Pair(row["application"], None, row["uprn"]))
    page = officer.get(place).text
    assert 'name="answer_travel_minutes"' in page and 'value="supported"' in page
    wrong = post(officer, page, f"{place}/answers", answer_travel_minutes="half an hour", answer_stay_type="supported")
    assert wrong.status_code == 400
    assert "Allowed: a whole number" in wrong.text and 'value="half an hour"' in wrong.text
    assert re.search(r'value="supported" checked', wrong.text)
    told = follow(officer, post(officer, page, f"{place}/answers", answer_travel_minutes="25",
                                answer_stay_type="supported"))
    assert "25 minutes" in told and re.search(r'name="answer_travel_minutes"[^>]*value="25"', told)


def test_other_homes_are_compared_and_one_of_them_is_screened(office: Borough, weighed: Pair) -> None:
    officer = office.visit("housing_officer")
    place = screen(officer, weighed)
    first = officer.get(place).text
    name = re.findall(r'name="(answer_applicant_[a-z0-9_]+)"', first)[0]
    place = post(officer, first, f"{place}/answers", **{name: "no"}).headers["location"].split("?")[0]
    page = officer.get(f"{place}/homes").text
    names = re.findall(r'<th scope="row"[^>]*>([^<]+)</th>', page)
    assert names[0].endswith("(this one)") and len(names) > 2
    moved = post(officer, page, f"{place}/homes", place="2", once=field(page, "once"))
    other = follow(officer, moved)
    assert f"{names[2]}, for application {weighed.application}" in other
    assert "What was told" in other         # what the applicant said goes with them
    assert post(officer, page, f"{place}/homes", place="99").status_code == 404


def test_a_view_is_kept_beside_the_screening_before_and_after(office: Borough, weighed: Pair) -> None:
    officer = office.visit("housing_officer")
    place = screen(officer, weighed, view="unsure_before")
    missing = officer.send(f"{place}/view", f"{place}/view", says=SCRIPT)
    assert missing.status_code == 400 and "Choose what you think" in missing.text
    assert SCRIPT not in missing.text and "&lt;script&gt;" in missing.text
    unsaid = officer.send(f"{place}/view", f"{place}/view", view="not_sure")
    assert unsaid.status_code == 400 and "Say why" in unsaid.text
    officer.send(f"{place}/view", f"{place}/view", view="would_offer_anyway", says=f"They know the street. {SCRIPT}")
    page = officer.get(place)
    assert SCRIPT not in page.text
    said = read(page)
    assert "I do not know yet (said before the screening was read)" in said
    assert "I would offer this home in spite of it They know the street." in said and "Lee Officer" in said


def test_asked_granted_offered_and_withdrawn(office: Borough, blocked: Pair) -> None:
    officer, manager = office.visit("housing_officer"), office.visit("housing_manager")
    place = screen(officer, blocked)
    page = officer.get(place).text
    ask = re.findall(rf'href="({place}/override/\d)"', page)[0]
    assert "has to be settled first" in officer.get(f"{place}/offer").text
    forced = officer.send(place, f"{place}/offer", applicant_view="accepts", made="yes")
    assert forced.status_code == 409 and "has a hard conflict that nobody has overridden" in forced.text

    empty = officer.send(ask, ask)
    assert empty.status_code == 400 and "Say why in a sentence" in empty.text
    officer.send(ask, ask, reason=f"{REASON} {SCRIPT}", mitigation=INSTEAD)
    again = officer.send(ask, ask, reason=REASON, mitigation=INSTEAD)
    assert again.status_code == 409 and "waits for a manager" in again.text
    assert office.office.front.overrides() == []         # to ask sets nothing aside

    request = re.findall(r'href="(/overrides/[0-9a-f]{32})"', manager.get("/screenings").text)[0]
    asked = manager.get(request)
    assert REASON in asked.text and SCRIPT not in asked.text
    assert officer.get(request).status_code == 403
    assert manager.send(request, request, decision="grant", version="1").status_code == 400
    manager.send(request, request, decision="grant", version="1", reason=f"{FORMULA} the police told me so.",
                 mitigation=INSTEAD)
    assert len(office.office.front.overrides()) == 1
    assert 'name="version"' not in manager.get(request).text     # an answered request has no form

    page = officer.get(place).text
    assert "Set aside by Jo Manager" in page and "Override: granted." in page
    fields = {"made": "yes"} | ({"applicant_view": "accepts"} if "applicant_view" in officer.get(
        f"{place}/offer").text else {})
    assert officer.send(f"{place}/offer", f"{place}/offer").status_code == 400
    officer.send(f"{place}/offer", f"{place}/offer", **fields)
    officer.send(place, f"{place}/offer", **fields)     # sent twice
    assert len(office.office.front.kept.offers()) == 1
    assert "The offer was recorded." in officer.get(place).text

    unsure = officer.send(f"{place}/withdraw", f"{place}/withdraw", reason="They chose another home.")
    assert unsure.status_code == 400 and "Confirm that" in unsure.text
    short = officer.send(f"{place}/withdraw", f"{place}/withdraw", reason="no", sure="yes")
    assert short.status_code == 400 and "Say why in a sentence" in short.text
    gone = officer.send(f"{place}/withdraw", f"{place}/withdraw", reason="They chose another home.", sure="yes")
    assert "The offer no longer stands." in gone.text
    assert not office.office.front.kept.offers()[0].standing
    assert officer.get(f"{place}/withdraw").status_code == 404

    row = next(csv.DictReader(io.StringIO(manager.get("/overrides.csv").text.lstrip("\ufeff"))))
    assert (row["set aside by"], row["reason"][0]) == ("Jo Manager", "'")


def test_of_two_managers_the_second_is_told_and_the_officer_may_withdraw(office: Borough, blocked: Pair) -> None:
    officer, manager = office.visit("housing_officer"), office.visit("housing_manager")
    place = screen(officer, blocked)
    ask = re.findall(rf'href="({place}/override/\d)"', officer.get(place).text)[0]
    officer.send(ask, ask, reason=REASON, mitigation=INSTEAD)
    request = re.findall(r'href="(/overrides/[0-9a-f]{32})"', manager.get("/screenings").text)[0]
    page = manager.get(request).text
    assert manager.send(request, f"{request}/withdraw", version="1").status_code == 403
    officer.send(place, f"{request}/withdraw", version="1")
    late = post(manager, page, request, decision="grant", version="1", reason=REASON, mitigation=INSTEAD)
    assert late.status_code == 409
    assert "Lee Officer changed this request" in late.text and "withdrawn" in late.text
    assert office.office.front.overrides() == []


def test_a_manager_sets_a_conflict_aside_unasked_and_it_is_reported(office: Borough, blocked: Pair) -> None:
    manager, analyst = office.visit("housing_manager"), office.visit("analyst")
    assert "No manager has set a hard conflict aside" in manager.get("/overrides").text
    place = screen(manager, blocked)
    aside = re.findall(rf'href="({place}/override/\d)"', manager.get(place).text)[0]
    manager.send(aside, aside, reason=f"{REASON} {SCRIPT}", mitigation=INSTEAD)
    report = analyst.get("/overrides")
    assert REASON in report.text and "Jo Manager" in report.text and SCRIPT not in report.text
    assert place not in report.text and place in manager.get("/overrides").text
    assert manager.get(f"{place}/override/99").status_code == 404


def test_what_was_superseded_is_acted_on_no_more(office: Borough, blocked: Pair) -> None:
    officer = office.visit("housing_officer")
    old = screen(officer, blocked)
    ask = re.findall(rf'href="({old}/override/\d)"', officer.get(old).text)[0]
    page = officer.get(old).text
    new = screen(officer, blocked)
    assert old != new
    assert f'href="{new}"' in officer.get(old).text
    for path in (f"{old}/again", f"{old}/offer", ask):
        refused = post(officer, page, path, once="x", reason=REASON, mitigation=INSTEAD, made="yes",
                       applicant_view="accepts")
        assert refused.status_code == 409, path
        assert "not the latest screening" in refused.text


def test_a_screening_altered_on_disk_is_an_incident_and_not_shown(office: Borough, weighed: Pair) -> None:
    officer = office.visit("housing_officer")
    place = screen(officer, weighed)
    path = office.home / "screenings" / "S000001.json"
    path.write_text(path.read_text().replace("soft", "info", 1))
    page = officer.get(place)
    assert page.status_code == 500
    assert "Do not rely on it." in page.text and "number of the incident" in page.text
    assert "Traceback" not in page.text and str(office.home) not in page.text


def test_a_screening_from_an_earlier_day_says_so_and_is_made_again(office: Borough, weighed: Pair) -> None:
    place = screen(office.visit("housing_officer"), weighed)
    tomorrow = make_site(office.database, DEMO, lambda: NOW + timedelta(days=1), office=office.office)
    officer = Visitor(TestClient(tomorrow)).sign_in("housing_officer")
    page = officer.get(place).text
    assert "From an earlier day" in page
    after = follow(officer, post(officer, page, f"{place}/again", once=field(page, "once")))
    assert "Nothing in the result changed." in after
    assert "From an earlier day" not in officer.get(place).text      # there is a later one, which says more


def test_what_changed_tells_each_rule_once() -> None:
    def said(found: str, unknown: str, **more: object) -> dict[str, object]:
        rules = {"a": "Axe", "b": "Bee", "c": "Cat", "d": "Dog"}
        return {"result": "mitigate", "told": [], "conflicts": [{"rule": r, "title": rules[r]} for r in found],
                "unchecked": [{"rule": r, "title": rules[r]} for r in unknown], **more}

    told = [{"fact": "f", "title": "Alone", "value": "yes"}]
    change = compare(said("ad", "bc"), said("b", "d", result="lint", told=told))
    assert change == {"result": "mitigate", "gone": ["Axe"], "new": ["Bee"], "settled": ["Cat"], "opened": ["Dog"],
                      "told": ["Alone: yes"]}


# --- who may --------------------------------------------------------------------------------------


OTHERS = ("tasking_chair", "tasking_member", "agency_officer", "analyst", "governance", "councillor",
          "administrator", "monitoring_officer")


def test_housing_alone_screens_and_reads_each_others_screenings(office: Borough, weighed: Pair) -> None:
    officer, manager = office.visit("housing_officer"), office.visit("housing_manager")
    place = screen(officer, weighed)
    assert manager.get(place).status_code == 200
    assert place in officer.get("/screenings").text and place not in manager.get("/screenings").text
    paths = ("/screenings", "/screenings/new", place, f"{place}/homes", f"{place}/view", f"{place}/offer",
             f"{place}/withdraw", f"{place}/override/1", f"/screenings/{'0' * 32}", f"/overrides/{'0' * 32}")
    for role in OTHERS:
        visitor = office.visit(role)
        assert {path: visitor.get(path).status_code for path in paths} == dict.fromkeys(paths, 403), role
        assert visitor.get("/overrides").status_code == (200 if role == "analyst" else 403)
    assert officer.get("/overrides").status_code == officer.get("/overrides.csv").status_code == 403
    for nothing in (f"/screenings/{'0' * 32}", "/screenings/S000001"):
        assert officer.get(nothing).status_code == 404


def test_no_office_no_screening(visit: Callable[..., Visitor]) -> None:
    assert visit("housing_officer").get("/screenings").status_code == 503


def test_every_view_level_and_state_has_words() -> None:
    assert set(VIEW_NAMES) == {*opinions.BEFORE, *opinions.AFTER}
    assert tuple(LEVEL_TITLES) == LEVELS
    assert tuple(REQUEST_NAMES) == REQUEST_STATES
