"""Questions to agencies and actions agreed: who asks, who answers, who sees what, and who was quicker."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.screens import FrontDesk
from api.setting import RULES, Setting
from api.today import Today
from api.web.app import make_site
from api.web.asking import Fact, say_value
from api.web.keeping import Office
from engine.store import actions, agreements, audit, questions
from engine.store.accounts import find_user
from engine.store.database import Database
from engine.store.flags import Filters, find
from tests.web.conftest import DEMO, NOW, Visitor
from tests.web.made import FORMULA, SCRIPT

Visit = Callable[..., Visitor]
DUE = {"due": "1/12/2026"}
ASKS = "Does the person at 3 Elm Close have a worker of yours?"
NAMED = "social_care"     # named on P000002, and not on P000003


def flag_of(store: Database, subject: str) -> str:
    with store.reading() as reading:
        return find(reading, Filters(search=subject), "newest").rows[0].id


def ask(visitor: Visitor, flag: str, **other: str) -> str:
    """Asks social care, whose officer is in the demonstration, and gives the page that follows."""
    page = f"/flags/{flag}/ask"
    return visitor.send(page, page, **{"agency": NAMED, "asks": ASKS, **DUE, **other}).text


def agree(visitor: Visitor, flag: str, **other: str) -> str:
    page = f"/flags/{flag}/agree"
    return visitor.send(page, page, **{"what": "Visit together with the police.", "agency": NAMED, "owner": "A. Worker",
                                       **DUE, **other}).text


def first(text: str, kind: str) -> str:
    return re.findall(rf'href="(/{kind}/[0-9a-f]{{32}})"', text)[0]


def only_question(store: Database) -> questions.Question:
    with store.reading() as reading:
        return questions.find(reading, None, ("asked", "answered", "withheld", "withdrawn"))[-1]


@pytest.fixture
def ruled(store: Database, tmp_path: Path) -> Visit:
    """Another visitor at a site that has rules behind it, and so knows what type a fact is of."""
    setting = Setting(tmp_path, RULES)
    desk = FrontDesk(tmp_path, Today(setting, NOW.date, lambda _: None).open, lambda: NOW)
    site = make_site(store, DEMO, lambda: NOW, office=Office(setting, desk))
    return lambda role: Visitor(TestClient(site)).sign_in(role)


# --- asked and answered ---------------------------------------------------------------------------


def test_an_agency_is_asked_answers_in_words_and_the_flag_says_so(visit: Visit, store: Database) -> None:
    chair, officer, flag = visit("tasking_chair"), visit("agency_officer"), flag_of(store, "P000002")
    assert "The question is sent" in ask(chair, flag)
    listed = officer.get("/worklist").text
    assert "Asked of Social Care" in listed
    assert ASKS in listed
    page = first(listed, "questions")
    said = officer.send(page, f"{page}/answer", version="1", reply="Yes, since March.", sure="yes").text
    assert "The answer is kept" in said
    text = chair.get(f"/flags/{flag}").text
    assert text.index("What was not known, and who could say") < text.index("Yes, since March.")
    assert "Answered: Alex Officer, Social Care, 24 November 2026 at 2:05pm" in text
    with store.reading() as reading:
        assert audit.verify(reading) is None


def test_we_may_not_say_is_an_answer_and_needs_no_reason(visit: Visit, store: Database) -> None:
    chair, officer, flag = visit("tasking_chair"), visit("agency_officer"), flag_of(store, "P000002")
    ask(chair, flag)
    page = first(officer.get("/worklist").text, "questions")
    assert "That is an answer" in officer.send(page, f"{page}/withhold", version="1", sure="yes").text
    assert "May not say: Alex Officer, Social Care" in chair.get(f"/flags/{flag}").text


def test_a_question_starts_from_what_the_flag_says_was_not_known(visit: Visit, store: Database) -> None:
    chair, flag = visit("tasking_chair"), flag_of(store, "P000002")
    link = re.findall(r'href="(/flags/[^"]+/ask\?about=1)"', chair.get(f"/flags/{flag}").text)[0]
    text = chair.get(link).text
    assert "Can you tell us: Support needs?" in text
    assert '<option value="social_care" selected>' in text
    assert 'name="due" type="text" value="1/12/2026"' in text       # a week after 24 November


def test_an_agency_not_named_reads_the_words_of_a_question_and_not_whom_it_is_about(
    visit: Visit, store: Database
) -> None:
    chair, officer, flag = visit("tasking_chair"), visit("agency_officer"), flag_of(store, "P000003")
    refused = ask(chair, flag)
    assert "Social Care cannot open this flag" in refused
    assert ASKS in refused
    ask(chair, flag, knowing="yes")
    listed = officer.get("/worklist").text
    page = first(listed, "questions")
    for text in (listed, officer.get(page).text):
        assert ASKS in text
        assert "1 December 2026" in text
        assert "People" in text
        assert "P000003" not in text
        assert flag not in text
    assert officer.get(f"/flags/{flag}").status_code == 404


def test_asking_is_kept_as_telling_the_agency_of_the_flag(visit: Visit, store: Database) -> None:
    flag = flag_of(store, "P000002")
    ask(visit("tasking_chair"), flag)
    with store.reading() as reading:
        told, _ = agreements.find_disclosures(reading, flag)
        assert [(one.agency, one.what) for one in told] == [(NAMED, "question")]
        assert told[0].agreement is not None


def test_nobody_is_asked_whom_no_agreement_lets_read_it(visit: Visit, store: Database) -> None:
    chair, flag = visit("tasking_chair"), flag_of(store, "P000002")
    with store.writing(NOW, "system") as writing:
        held = agreements.find_holding(writing, NOW.date())[0]
        agreements.withdraw(writing, held.id, held.version)
        agreements.make(writing, agreements.Terms(
            "Two of us", "ISA 2", "DPIA 2", ("community_safety", "police"), ("prevent_crime_and_disorder",),
            ("people",), date(2026, 1, 1), date(2027, 1, 1)))
    assert "No agreement in force lets Social Care see this list" in ask(chair, flag)


@pytest.mark.parametrize(("missing", "said"), [
    ({"agency": ""}, "Choose the agency you ask"), ({"agency": "nobody"}, "Choose the agency you ask"),
    ({"asks": " ? "}, "Say what you ask"), ({"asks": "long " * 900}, "4,000 characters or fewer"),
    ({"due": "31/2/2026"}, "Give the day as day/month/year"),
    ({"due": "1/12/2020"}, "Give today or a later day"),
    ({"fact": "anything"}, "Choose one of these facts, or none"),
])
def test_what_is_wrong_with_a_question_is_said_and_what_was_typed_is_kept(
    visit: Visit, store: Database, missing: dict[str, str], said: str
) -> None:
    text = ask(visit("tasking_chair"), flag_of(store, "P000002"), **missing)
    assert said in text
    assert "<title>Error: Ask an agency" in text
    assert missing.get("asks", ASKS).strip() in text


def test_a_value_is_given_by_the_type_of_its_fact_and_said_to_be_a_word_and_no_record(
    ruled: Visit, store: Database
) -> None:
    chair, officer, flag = ruled("tasking_chair"), ruled("agency_officer"), flag_of(store, "P000002")
    with store.writing(NOW, find_id(store, "tasking_chair")) as writing:
        page = f"/questions/{questions.ask(writing, flag, NAMED, ASKS, 'needs_count', date(2026, 12, 1)).id}"
    assert "Current support needs on record" in officer.get(page).text
    wrong = officer.send(page, f"{page}/answer", version="1", value="some", sure="yes")
    assert (wrong.status_code, "Give a whole number, such as 3" in wrong.text) == (400, True)
    officer.send(page, f"{page}/answer", version="1", value="2", reply="Both of long standing.", sure="yes")
    text = chair.get(f"/flags/{flag}").text
    assert "Current support needs on record: <strong>2</strong>, says Social Care" in text
    assert "Both of long standing." in text
    assert "It changes no points and no band" in text


def find_id(store: Database, role: str) -> str:
    with store.reading() as reading:
        user = find_user(reading, f"demo-{role}")
        assert user is not None
        return user.id


@pytest.mark.parametrize(("fact", "value", "right"), [
    (Fact("n", "N", "integer"), "3", True), (Fact("n", "N", "integer"), "3.5", False),
    (Fact("n", "N", "integer"), "-3", False), (Fact("n", "N", "decimal"), "3.5", True),
    (Fact("n", "N", "decimal"), "3.5.1", False), (Fact("n", "N", "boolean"), "yes", True),
    (Fact("n", "N", "boolean"), "perhaps", False), (Fact("n", "N", "code", ("low", "high")), "high", True),
    (Fact("n", "N", "code", ("low", "high")), "higher", False), (Fact("n", "N", "date"), "in spring", True),
    (Fact("n", "N", "integer"), "", True), (None, "3", True)])
def test_a_value_is_held_to_the_type_of_its_fact(fact: Fact | None, value: str, right: bool) -> None:
    assert (say_value(fact, value) == "") is right


def test_an_answer_is_given_once_and_only_meant(visit: Visit, store: Database) -> None:
    ask(visit("tasking_chair"), flag_of(store, "P000002"))
    officer, other = visit("agency_officer"), visit("agency_officer")
    page = first(officer.get("/worklist").text, "questions")
    unsure = officer.send(page, f"{page}/answer", version="1", reply="Yes, since March.")
    assert (unsure.status_code, only_question(store).state) == (400, "asked")
    assert "Tick that it may be kept" in unsure.text
    assert "Yes, since March." in unsure.text
    token = other.token(page)
    officer.send(page, f"{page}/withhold", version="1", sure="yes")
    late = other.client.post(f"{page}/answer", headers={"Sec-Fetch-Site": "same-origin"}, data={
        "form_token": token, "version": "1", "reply": "Yes, since March.", "sure": "yes"})
    assert late.status_code == 409
    assert "Alex Officer changed this on 24 November 2026 at 2:05pm. It is now: may not say" in late.text
    assert only_question(store).state == "withheld"


def test_a_question_is_taken_back_by_those_who_ask_and_not_by_those_asked(visit: Visit, store: Database) -> None:
    chair, officer = visit("tasking_chair"), visit("agency_officer")
    ask(chair, flag_of(store, "P000002"))
    page = f"/questions/{only_question(store).id}"
    assert officer.send(page, f"{page}/withdraw", version="1", sure="yes").status_code == 403
    assert "is taken back" in chair.send(page, f"{page}/withdraw", version="1", sure="yes").text
    assert chair.send("/worklist", f"{page}/answer", version="2", reply="Yes.", sure="yes").status_code == 403


# --- agreed and done ------------------------------------------------------------------------------


def test_an_action_is_agreed_put_off_and_done_by_its_agency(visit: Visit, store: Database) -> None:
    chair, officer, flag = visit("tasking_chair"), visit("agency_officer"), flag_of(store, "P000002")
    assert "The action is agreed" in agree(chair, flag)
    page = first(officer.get("/worklist").text, "actions")
    assert "It has another day" in officer.send(page, f"{page}/put-off", version="1", due="20/1/2027").text
    assert "Due later" in officer.get("/worklist").text
    assert "Tick that it is done" in officer.send(page, f"{page}/done", version="2").text
    assert "It is done." in officer.send(page, f"{page}/done", version="2", outcome="They were in.", sure="yes").text
    assert "Done or answered lately" in chair.get("/worklist").text
    assert "They were in." in chair.get(f"/flags/{flag}").text


def test_an_action_is_cancelled_with_a_reason(visit: Visit, store: Database) -> None:
    chair = visit("tasking_chair")
    agree(chair, flag_of(store, "P000002"))
    page = first(chair.get("/worklist").text, "actions")
    assert "Say why, so that" in chair.send(page, f"{page}/cancel", version="1", sure="yes").text
    assert "It will not be done." in chair.send(page, f"{page}/cancel", version="1", sure="yes",
                                                reason="They moved to another borough.").text


def test_of_two_people_closing_one_action_the_slower_loses_nothing_typed(visit: Visit, store: Database) -> None:
    chair, member = visit("tasking_chair"), visit("tasking_member")
    agree(chair, flag_of(store, "P000002"))
    page = first(chair.get("/worklist").text, "actions")
    chair.send(page, f"{page}/put-off", version="1", due="20/1/2027")
    late = member.send(page, f"{page}/done", version="1", outcome="We were there on Monday.", sure="yes")
    assert late.status_code == 409
    assert "Priya Chair changed this" in late.text
    assert "We were there on Monday." in late.text
    with store.reading() as reading:
        assert [one.state for one in actions.find(reading)] == ["open"]


@pytest.mark.parametrize(("missing", "said"), [
    ({"what": ""}, "Say what is to be done"), ({"agency": "nobody"}, "Choose the agency that does it"),
    ({"owner": " "}, "Say who answers for it"), ({"owner": "A" * 201}, "Give a shorter name"),
    ({"due": "1/12/2020"}, "Give today or a later day")])
def test_what_is_wrong_with_an_action_is_said(
    visit: Visit, store: Database, missing: dict[str, str], said: str
) -> None:
    text = agree(visit("tasking_chair"), flag_of(store, "P000002"), **missing)
    assert said in text
    assert "<title>Error: Agree an action" in text


# --- the list, and who sees it --------------------------------------------------------------------


def fill(store: Database, flag: str) -> None:
    """One action of each agency and age, and a question to each of two agencies."""
    with store.writing(NOW - timedelta(days=30), find_id(store, "tasking_chair")) as writing:
        for what, agency, due in (("Long overdue visit.", "housing", date(2026, 11, 1)),
                                  ("Overdue letter to them.", NAMED, date(2026, 11, 20)),
                                  ("Visit due next week.", NAMED, date(2026, 12, 1)),
                                  ("Repair due in spring.", "housing", date(2027, 3, 1))):
            actions.agree(writing, flag, what, agency, "A. Worker", due)
        questions.ask(writing, flag, "police", "Was anybody arrested there?", None, date(2026, 12, 2))
        questions.ask(writing, flag, NAMED, ASKS, None, date(2026, 12, 3))


def test_what_is_overdue_is_chased_first_then_what_is_due(visit: Visit, store: Database) -> None:
    chair = visit("tasking_chair")
    fill(store, flag_of(store, "P000002"))
    text = chair.get("/worklist").text
    said = ["Long overdue visit.", "Overdue letter to them.", "Due within 14 days</h2>", "Visit due next week.",
            "Due later</h2>", "Repair due in spring.", "Asked of other agencies</h2>", "Was anybody arrested there?"]
    places = [text.index(one) for one in said]
    assert places == sorted(places)
    assert text.count('<strong class="ww-overdue">') == 2


def test_the_list_is_filtered_by_agency_state_and_own(visit: Visit, store: Database) -> None:
    chair, member = visit("tasking_chair"), visit("tasking_member")
    fill(store, flag_of(store, "P000002"))
    housing = chair.get("/worklist?agency=housing").text
    assert "Repair due in spring." in housing
    assert "Overdue letter" not in housing
    assert "Repair due" not in chair.get("/worklist?state=asked").text
    assert "Was anybody arrested there?" in member.get("/worklist?mine=yes").text      # she is of the police
    assert "Repair due" not in member.get("/worklist?mine=yes").text
    assert "Nothing fits these filters" in chair.get("/worklist?state=withdrawn").text
    assert chair.get("/worklist?state=anything").status_code == 422


def test_an_agency_officer_finds_what_is_their_agencys_and_no_count_of_the_rest(visit: Visit, store: Database) -> None:
    officer = visit("agency_officer")
    fill(store, flag_of(store, "P000002"))
    text = officer.get("/worklist").text
    assert ASKS in text
    assert "Overdue letter" in text
    assert "Housing" not in text
    assert "Was anybody arrested" not in text
    assert re.findall(r"<b>(\d+)</b>", text) == ["1", "1", "1", "0", "0", "0"]
    assert officer.get("/worklist?agency=housing").text.count("Repair due") == 0


@pytest.mark.parametrize("role", ["housing_officer", "housing_manager", "analyst", "governance", "councillor",
                                  "administrator", "monitoring_officer"])
def test_nobody_else_opens_any_of_it(visit: Visit, store: Database, role: str) -> None:
    visitor, flag = visit(role), flag_of(store, "P000002")
    fill(store, flag)
    with store.reading() as reading:
        action, question = actions.find(reading)[0], questions.find(reading)[0]
    assert visitor.get("/worklist").status_code == 403
    assert visitor.get("/worklist.csv").status_code == 403
    for path in (f"/actions/{action.id}", f"/questions/{question.id}"):
        assert visitor.get(path).status_code == 404
    for path in (f"/flags/{flag}/ask", f"/flags/{flag}/agree"):
        assert visitor.get(path).status_code in (403, 404)


def test_another_agencys_action_and_question_are_as_if_they_were_not_there(visit: Visit, store: Database) -> None:
    officer = visit("agency_officer")
    fill(store, flag_of(store, "P000002"))
    with store.reading() as reading:
        action, question = actions.find(reading, agency="housing")[0], questions.find(reading, "police")[0]
    for path in (f"/actions/{action.id}", f"/questions/{question.id}", "/actions/nothing"):
        assert officer.get(path).status_code == 404
    sent = officer.send("/worklist", f"/actions/{action.id}/done", version="1", sure="yes")
    assert sent.status_code == 404


def test_what_is_for_the_monitoring_officer_alone_is_on_nobodys_list(visit: Visit, store: Database) -> None:
    chair, officer = visit("tasking_chair"), visit("agency_officer")
    with store.reading() as reading:
        held = find(reading, Filters(search="P000005")).rows[0]
    assert held.status == "restricted"
    fill(store, held.id)
    for visitor in (chair, officer):
        assert re.findall(r"<b>(\d+)</b>", visitor.get("/worklist").text) == ["0"] * 6


def test_the_list_leaves_as_csv_that_no_spreadsheet_runs_and_is_kept_as_a_disclosure(
    visit: Visit, store: Database
) -> None:
    chair, flag = visit("tasking_chair"), flag_of(store, "P000002")
    agree(chair, flag, what=f"{FORMULA} and a visit")
    answer = chair.get("/worklist.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [row["about"] for row in rows] == ["P000002"]
    assert rows[0]["what"].startswith("'=")
    assert "P000002" not in answer.headers["content-disposition"]
    with store.reading() as reading:
        kept, _ = agreements.find_disclosures(reading, flag)
        assert [(one.what, one.rows) for one in kept] == [("worklist_csv", 1)]
    assert visit("agency_officer").get("/worklist.csv").status_code == 403


def test_hostile_words_are_shown_as_words_and_stand_in_no_log(visit: Visit, store: Database) -> None:
    chair, officer, flag = visit("tasking_chair"), visit("agency_officer"), flag_of(store, "P000002")
    ask(chair, flag, asks=f"Is this yours? {SCRIPT}")
    agree(chair, flag, what=f"Visit them {SCRIPT}", owner=SCRIPT)
    page = first(officer.get("/worklist").text, "questions")
    officer.send(page, f"{page}/answer", version="1", reply=f"Yes {SCRIPT}", sure="yes")
    for text in (officer.get(page).text, chair.get("/worklist").text, chair.get(f"/flags/{flag}").text):
        assert "&lt;script&gt;" in text
        assert SCRIPT not in text
    with store.reading() as reading:
        assert audit.verify(reading) is None
        lines, total = audit.find(reading, audit.Wanted(), size=500)
    assert len(lines) == total
    assert not any("script" in str(line) for line in lines)


def test_an_empty_list_says_where_actions_come_from(visit: Visit) -> None:
    assert "Actions are agreed and questions are asked on the page of a flag" in visit("tasking_chair").get(
        "/worklist").text
