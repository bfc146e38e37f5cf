"""Somebody says that a flag is wrong: its records count for nothing at once, and whoever was told hears of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient

from api.demo import save_run
from api.screens import FrontDesk
from api.setting import RULES, Setting
from api.today import Today
from api.web.app import make_site
from api.web.keeping import Office
from engine.disputes import Disputes
from engine.store import challenges
from engine.store.agreements import disclose
from engine.store.database import SYSTEM, Database
from engine.store.flags import Filters, find, read
from engine.store.publishing import publish_run
from tests.web.conftest import DEMO, NOW, OWN, Borough, Visitor
from tests.web.made import FORMULA, SCRIPT

SAYS = "Two of these reports are about my neighbour, not about me."
FOUND = "The council's own file names the neighbour."


@dataclass(frozen=True)
class Desk:
    """The site over the made-up lists, with a home for disputes behind it."""

    database: Database
    disputes: Disputes
    visit: Callable[[str], Visitor]

    def flag(self, subject: str, run: str = "2026-11-23") -> str:
        with self.database.reading() as reading:
            found = find(reading, Filters(search=subject), size=100).rows
        return next(row.id for row in found if row.run.startswith(run))

    def contest(self, subject: str = "P000001", role: str = "tasking_chair", **fields: object) -> str:
        """Contests, ticking the first record unless told otherwise, and gives the address of what it led to."""
        flag = f"/flags/{self.flag(subject)}"
        sent = {"raised_by": "advocate", "says": SAYS, "records": ["0"], **fields}
        answer = self.visit(role).send(f"{flag}/contest", f"{flag}/contest", **sent)    # type: ignore[arg-type]
        assert answer.status_code == 200, answer.text
        return str(answer.url.path)

    def challenge(self) -> challenges.Challenge:
        with self.database.reading() as reading:
            return challenges.find(reading, ("open", "upheld", "not_upheld", "withdrawn"))[-1]

    def tell(self, subject: str, agency: str) -> str:
        flags = [self.flag(subject)]
        with self.database.writing(NOW, SYSTEM) as writing:
            return disclose(writing, agency, "people_csv", "prevent_crime_and_disorder", flags).id

    def settle(self, visitor: Visitor, state: str = "upheld", **other: str) -> httpx.Response:
        page = f"/challenges/{self.challenge().id}"
        fields = {"state": state, "outcome": FOUND, "sure": "yes", "version": visitor.version(page), **other}
        return visitor.send(page, f"{page}/settle", **fields)


@pytest.fixture
def desk(store: Database, tmp_path: Path) -> Desk:
    home = tmp_path / "home"
    setting = Setting(home, RULES)
    front = FrontDesk(home, Today(setting, NOW.date, lambda _: None).open, lambda: NOW)
    site = make_site(store, DEMO, lambda: NOW, office=Office(setting, front))
    return Desk(store, Disputes(home), lambda role: Visitor(TestClient(site)).sign_in(role))


# --- contesting -------------------------------------------------------------------------------------------


def test_what_is_contested_is_in_dispute_at_once_and_the_page_says_what_happens_next(desk: Desk) -> None:
    page = desk.visit("tasking_chair").get(desk.contest()).text
    assert desk.disputes.on(NOW.date()) == set(desk.challenge().records) == {"council_asb:A1"}
    assert "22 December 2026" in page       # within a month
    assert "1 record counts for nothing from today" in page


def test_everybody_who_sees_the_flag_sees_that_it_was_contested_and_not_what_was_said(desk: Desk) -> None:
    desk.contest("P000002")
    for role in ("tasking_member", "agency_officer", "analyst", "governance"):
        page = desk.visit(role).get(f"/flags/{desk.flag('P000002')}").text
        assert "Contested" in page
        assert "somebody who speaks for them said that something is wrong" in page
        assert SAYS not in page
    assert "Contested" not in desk.visit("tasking_chair").get(f"/flags/{desk.flag('P000003')}").text


def test_a_fact_ticked_alone_takes_all_its_records_with_it_and_with_some_of_them_only_those(desk: Desk) -> None:
    desk.contest(facts=["0"], records=[])
    assert desk.challenge().records == ("council_asb:A1", "council_asb:A2")
    desk.contest("P000002", facts=["0"], records=["1"])
    with desk.database.reading() as reading:
        last = challenges.of_flag(reading, desk.flag("P000002"))[0]
    assert (last.facts, last.records) == (("asb_victim_183d",), ("council_asb:A2",))


def test_a_fact_without_a_record_can_be_contested_and_goes_on_counting(desk: Desk) -> None:
    page = desk.visit("tasking_chair").get(desk.contest(facts=["1"], records=[])).text
    assert "A support plan" in page
    assert "still count until the agency that holds them" in page
    assert desk.disputes.on(NOW.date()) == frozenset()


@pytest.mark.parametrize(("fields", "said"), [
    ({"raised_by": ""}, "Choose who says that something is wrong"), ({"raised_by": "somebody"}, "Choose who says"),
    ({"says": "wrong"}, "Say what is wrong"), ({"says": "x" * 4001}, "4,000 characters or fewer"),
    ({"records": ["40"]}, "Choose from the records of this flag"),
    ({"facts": ["asb_victim_183d"]}, "Choose from the facts of this flag"),
    ({"says": "a character \x00 nobody can keep"}, "Type it again")])
def test_a_mistake_is_said_and_what_was_typed_stays(desk: Desk, fields: dict[str, object], said: str) -> None:
    flag = f"/flags/{desk.flag('P000001')}"
    sent = {"raised_by": "subject", "says": SAYS, "records": ["0"], **fields}
    answer = desk.visit("tasking_chair").send(f"{flag}/contest", f"{flag}/contest", **sent)     # type: ignore[arg-type]
    assert answer.status_code == 400
    assert said in answer.text
    assert "There is a problem" in answer.text
    assert "says" in fields or SAYS in answer.text
    assert desk.disputes.lines() == []


@pytest.mark.parametrize(("role", "subject", "status"), [
    ("tasking_member", "P000001", 200), ("agency_officer", "P000002", 200), ("agency_officer", "P000003", 404),
    ("analyst", "P000001", 403), ("governance", "P000001", 404), *(
        pytest.param(role, "P000001", 404, marks=pytest.mark.more)
        for role in ("councillor", "administrator", "housing_officer", "housing_manager"))])
def test_only_who_may_see_a_flag_and_contest_it_finds_the_form(
    desk: Desk, role: str, subject: str, status: int
) -> None:
    page, visitor = f"/flags/{desk.flag(subject)}/contest", desk.visit(role)
    assert visitor.get(page).status_code == status
    assert visitor.send("/", page, raised_by="subject", says=SAYS).status_code == status
    with desk.database.reading() as reading:
        assert len(challenges.find(reading)) == (status == 200)


def test_the_confirmation_belongs_to_its_flag(desk: Desk) -> None:
    challenge = desk.contest().rpartition("/")[2]
    other = desk.flag("P000002")
    assert desk.visit("tasking_chair").get(f"/flags/{other}/contested/{challenge}").status_code == 404


def test_without_a_home_behind_the_site_nothing_is_kept_that_could_not_be_marked(
    visit: Callable[..., Visitor], store: Database
) -> None:
    visitor = visit("tasking_chair")
    flag = visitor.flags("/people")[0]
    assert visitor.send(f"{flag}/contest", f"{flag}/contest", raised_by="subject", says=SAYS).status_code == 503
    with store.reading() as reading:
        assert challenges.find(reading) == ()


def test_a_mark_that_cannot_be_written_takes_the_challenge_back(desk: Desk) -> None:
    desk.disputes.path.parent.mkdir(parents=True, exist_ok=True)
    desk.disputes.path.mkdir()
    flag = f"/flags/{desk.flag('P000001')}"
    visitor = desk.visit("tasking_chair")
    token = visitor.token(f"{flag}/contest")
    visitor.client = TestClient(visitor.client.app, raise_server_exceptions=False, cookies=visitor.client.cookies)
    answer = visitor.client.post(f"{flag}/contest", headers=OWN, data={
        "form_token": token, "raised_by": "subject", "says": SAYS, "records": ["0"]})
    assert answer.status_code == 500
    with desk.database.reading() as reading:
        assert challenges.find(reading) == ()


@pytest.mark.parametrize("said", [f"{SCRIPT} this is not true", f"{FORMULA} this is not true at all"])
def test_hostile_words_are_shown_as_words(desk: Desk, said: str) -> None:
    desk.contest(says=said)
    page = desk.visit("governance").get(f"/challenges/{desk.challenge().id}").text
    assert said.replace("<", "&lt;").replace(">", "&gt;").replace("'", "&#39;") in page
    assert SCRIPT not in page


# --- looking into it --------------------------------------------------------------------------------------


def test_governance_finds_open_challenges_with_their_days_and_can_open_their_flags(desk: Desk) -> None:
    desk.contest()
    governance = desk.visit("governance")
    assert "Who says so" in governance.get("/challenges").text
    assert f"/challenges/{desk.challenge().id}" in governance.get("/challenges").text
    assert "Nothing fits." in governance.get("/challenges?which=upheld").text
    assert "Nothing fits." in governance.get("/challenges?raised_by=subject").text
    page = governance.get(f"/challenges/{desk.challenge().id}").text
    assert all(said in page for said in (SAYS, "council_asb:A1", "1 record counts for nothing now", "Priya Chair"))
    assert governance.get(f"/flags/{desk.challenge().flag}").status_code == 200


@pytest.mark.parametrize("role", ["tasking_chair", "agency_officer", "analyst", *(
    pytest.param(role, marks=pytest.mark.more) for role in ("housing_manager", "councillor", "administrator"))])
def test_nobody_else_finds_challenges(desk: Desk, role: str) -> None:
    desk.contest("P000002")
    visitor = desk.visit(role)
    assert visitor.get("/challenges").status_code == 403
    assert visitor.get(f"/challenges/{desk.challenge().id}").status_code == 403


def test_a_challenge_to_what_only_the_monitoring_officer_sees_is_told_to_nobody(desk: Desk) -> None:
    flag = desk.flag("P000005", "2026-11-16")
    with desk.database.writing(NOW, SYSTEM) as writing:
        hidden = challenges.raise_challenge(writing, flag, "subject", SAYS)
    assert desk.visit("monitoring_officer").get(f"/challenges/{hidden.id}").status_code == 200
    governance = desk.visit("governance")
    assert "0 challenges." in governance.get("/challenges").text
    assert "(1)" not in governance.get("/challenges").text
    assert governance.get(f"/challenges/{hidden.id}").status_code == 404


@pytest.mark.parametrize(("state", "left"), [("upheld", {"council_asb:A1"}), ("not_upheld", set()),
                                             ("withdrawn", set())])
def test_what_is_not_upheld_counts_again_at_once(desk: Desk, state: str, left: set[str]) -> None:
    desk.contest()
    answer = desk.settle(desk.visit("governance"), state)
    assert "What you found is saved" in answer.text
    assert FOUND.replace("'", "&#39;") in answer.text
    assert desk.disputes.on(NOW.date()) == left


@pytest.mark.parametrize(("fields", "said"), [
    ({"state": ""}, "Choose what you found"), ({"state": "open"}, "Choose what you found"),
    ({"outcome": "no"}, "Say what you found"), ({"sure": ""}, "Say that you are sure")])
def test_settling_asks_for_what_is_missing(desk: Desk, fields: dict[str, str], said: str) -> None:
    desk.contest()
    answer = desk.settle(desk.visit("governance"), **{"state": "upheld", **fields})
    assert answer.status_code == 400
    assert said in answer.text
    assert desk.challenge().state == "open"


def test_of_two_who_settle_the_second_is_told_and_keeps_what_they_wrote(desk: Desk) -> None:
    desk.contest()
    first, second = desk.visit("governance"), desk.visit("governance")
    page = f"/challenges/{desk.challenge().id}"
    version, token = second.version(page), second.token(page)
    desk.settle(first, "not_upheld")
    answer = second.client.post(f"{page}/settle", headers=OWN, data={
        "form_token": token, "version": version, "state": "upheld", "outcome": "I found another thing.", "sure": "yes"})
    assert answer.status_code == 409
    assert "Somebody was quicker" in answer.text
    assert "Kit Governance changed this challenge" in answer.text
    assert "I found another thing." in answer.text
    assert desk.challenge().state == "not_upheld"


def test_records_put_right_by_their_agency_count_again(desk: Desk) -> None:
    desk.contest()
    governance = desk.visit("governance")
    desk.settle(governance)
    page = f"/challenges/{desk.challenge().id}"
    version = governance.version(page)
    refused = governance.send(page, f"{page}/believe", version=version)
    assert "Say that the agency has put its records right" in refused.text
    assert desk.disputes.on(NOW.date())
    done = governance.send(page, f"{page}/believe", version=version, sure="yes")
    assert "The records are believed again" in done.text
    assert desk.disputes.on(NOW.date()) == frozenset()
    assert governance.send(page, f"{page}/believe", version=version, sure="yes").status_code == 409


# --- recalls ----------------------------------------------------------------------------------------------


def test_who_was_told_is_recalled_only_once_upheld_and_reads_it_under_recalls(desk: Desk) -> None:
    disclosure = desk.tell("P000001", "police")
    desk.tell("P000003", "police")      # of somebody else
    desk.contest()
    governance, page = desk.visit("governance"), f"/challenges/{desk.challenge().id}"
    assert governance.send(page, f"{page}/recall").status_code == 409
    assert governance.get(f"{page}/notices/police").status_code == 404
    desk.settle(governance)
    assert "marked as sent" in governance.send(page, f"{page}/recall").text
    notice = governance.get(f"{page}/notices/police").text
    assert disclosure in notice
    assert not re.search(r"P000001|council_asb|harassment|neighbour", notice)
    officer = desk.visit("tasking_member")      # of the police
    mine = officer.get("/recalls").text
    assert mine.count("We have read it") == 1
    assert "P000001" not in mine
    done = officer.send("/recalls", f"/recalls/{desk.challenge().id}/{disclosure}/acknowledge")
    assert "your agency has read it" in done.text
    assert "We have read it" not in done.text
    assert "Read 24 November 2026" in governance.get(page).text


def test_another_agency_neither_sees_a_recall_nor_acknowledges_it(desk: Desk) -> None:
    disclosure = desk.tell("P000001", "police")
    desk.contest()
    governance, page = desk.visit("governance"), f"/challenges/{desk.challenge().id}"
    desk.settle(governance)
    governance.send(page, f"{page}/recall")
    officer = desk.visit("agency_officer")      # of social care
    assert "Nothing was recalled from your agency" in officer.get("/recalls").text
    sent = officer.send("/people", f"/recalls/{desk.challenge().id}/{disclosure}/acknowledge")
    assert sent.status_code == 404
    assert governance.get(f"{page}/notices/housing").status_code == 404


@pytest.mark.parametrize("role", ["councillor", *(pytest.param(role, marks=pytest.mark.more)
                                                  for role in ("administrator", "housing_officer"))])
def test_who_may_open_no_list_has_no_recalls(desk: Desk, role: str) -> None:
    assert desk.visit(role).get("/recalls").status_code == 403


def test_governance_is_told_whom_to_ask_for_a_run(desk: Desk) -> None:
    desk.contest()
    page = desk.visit("governance").get(f"/challenges/{desk.challenge().id}").text
    assert "Ask an analyst to make the lists again" in page
    assert "/runs/new" not in page


# --- the whole way ----------------------------------------------------------------------------------------


def find_contestable(borough: Borough) -> tuple[str, list[str]]:
    """A person's flag, and the places of its facts that have records."""
    with borough.database.reading() as reading:
        for row in find(reading, Filters(lists=("people",)), size=100).rows:
            facts = json.loads(read(reading, row.id).text)["facts"]
            if places := [str(place) for place, fact in enumerate(facts) if fact["records"]]:
                return row.id, places
    raise AssertionError("no such flag")


@pytest.mark.more
def test_from_contest_to_rerun_to_recall(borough: Borough) -> None:
    officer, governance = borough.visit("tasking_member"), borough.visit("governance")
    id, facts = find_contestable(borough)
    officer.get("/people.csv")
    sent = officer.send(f"/flags/{id}/contest", f"/flags/{id}/contest", raised_by="officer", says=SAYS,
                        facts=facts)      # type: ignore[arg-type]
    assert sent.status_code == 200
    challenge = sent.url.path.rpartition("/")[2]
    page = f"/challenges/{challenge}"
    assert "were not made again yet" in governance.get(page).text

    run = save_run(borough.office.setting, NOW.date(), None)
    assert "not before people yet" in governance.get(page).text
    with borough.database.writing(NOW, SYSTEM) as writing:
        publish_run(writing, borough.office.setting.runs, run)
    told = governance.get(page).text
    assert f"The lists of {NOW.day} November 2026 were made without these records" in told
    with borough.database.reading() as reading:
        row, before = read(reading, id).row, json.loads(read(reading, id).text)
    if row.state == "left":
        assert "cannot tell now" in row.because
    else:
        with borough.database.reading() as reading:
            after = json.loads(read(reading, str(row.successor)).text)
        now = {one["rule"] for one in after["reasons"]}
        gone = {one["rule"] for one in before["reasons"]} - now
        assert gone
        assert gone <= {one["rule"] for one in after["questions"]}      # cannot tell: not no
        assert "cannot tell now" in told
    stored, again = borough.office.setting.runs.replay(before["subject"] + f"@{before['as_of']}",
                                                       borough.office.setting.lake)
    assert stored == again

    version = governance.version(page)
    assert "What you found is saved" in governance.send(
        page, f"{page}/settle", state="upheld", outcome=FOUND, sure="yes", version=version).text
    assert "marked as sent" in governance.send(page, f"{page}/recall").text
    with borough.database.reading() as reading:
        recalled = challenges.find_recalls(reading, challenge)
    one = recalled[0].disclosure
    assert "your agency has read it" in officer.send("/recalls", f"/recalls/{challenge}/{one.id}/acknowledge").text
