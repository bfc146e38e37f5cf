"""Who looks after accounts, agreements and the audit log: what they can do, and what nobody can do to themselves."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import text

from engine.store import audit
from engine.store.accounts import find_user, find_users, read_user
from engine.store.agreements import disclose
from engine.store.database import Database
from engine.store.flags import history
from tests.web.conftest import NOW, Borough, Visitor
from tests.web.made import SCRIPT

Visit = Callable[..., Visitor]
PAT = {"login": "pat@council.example", "name": "Pat Chair", "agency": "community_safety", "role": "tasking_chair"}
SIGNED = {"title": "Sharing agreement 2027", "reference": "ISA-7", "dpia_reference": "DPIA-3", "agencies": "police",
          "purposes": "prevent_crime_and_disorder", "lists": "people", "valid_from": "2026-11-24",
          "valid_until": "2027-11-23"}


def account_of(store: Database, role: str) -> str:
    with store.reading() as reading:
        found = find_user(reading, f"demo-{role}")
    assert found is not None
    return f"/accounts/{found.id}"


def version(visitor: Visitor, page: str) -> str:
    return visitor.version(page)


# --- accounts ------------------------------------------------------------------------------------------


def test_an_account_is_made_and_its_first_password_is_shown_once(visit: Visit, store: Database) -> None:
    visitor = visit("administrator")
    answer = visitor.send("/accounts/new", "/accounts/new", **PAT)
    [password] = re.findall(r"<output[^>]*>([^<]+)</output>", answer.text)
    assert len(password) == 20
    assert "It is not shown again" in answer.text
    assert password not in visitor.get("/accounts").text
    with store.reading() as reading:
        pat = find_user(reading, "PAT@council.example")
        assert pat is not None
        assert (pat.name, pat.roles, pat.must_change) == ("Pat Chair", ("tasking_chair",), True)


@pytest.mark.parametrize(("change", "said"), [
    ({"login": " "}, "Write what they sign in with"),
    ({"name": "7"}, "Write their name"),
    ({"agency": "nobody"}, "Choose the agency"),
    ({"role": ""}, "Choose roles from these"),
    ({"role": "emperor"}, "Choose roles from these"),
    ({"wards": "Park"}, "Only a ward councillor has wards"),
    ({"login": "demo-analyst"}, "Somebody has this login already"),
])
def test_what_is_missing_is_said_beside_its_field_and_nothing_typed_is_lost(
    visit: Visit, change: dict[str, str], said: str
) -> None:
    answer = visit("administrator").send("/accounts/new", "/accounts/new", **(PAT | change))
    assert answer.status_code == 400
    assert answer.text.count(said) == 2         # in the summary and beside the field
    assert "name" in change or 'value="Pat Chair"' in answer.text


def test_new_roles_end_the_sessions_that_began_without_them(visit: Visit, store: Database) -> None:
    analyst, administrator = visit("analyst"), visit("administrator")
    page = account_of(store, "analyst")
    administrator.send(page, page, version=version(administrator, page), name="Robin Councillor",
                       agency="community_safety", role="councillor", wards="Park\n Mill \n")
    with store.reading() as reading:
        changed = read_user(reading, page.rpartition("/")[2])
    assert (changed.name, changed.roles, changed.wards) == ("Robin Councillor", ("councillor",), ("Park", "Mill"))
    assert analyst.get("/rules").url.path == "/sign-in"


def test_who_was_slower_is_told_by_whom_and_loses_nothing_typed(visit: Visit, store: Database) -> None:
    administrator, page = visit("administrator"), account_of(store, "analyst")
    seen = version(administrator, page)
    sent = {"name": "Robin One", "agency": "police", "role": "analyst"}
    administrator.send(page, page, version=seen, **sent)
    answer = administrator.send(page, page, version=seen, **(sent | {"name": "Robin Two"}))
    assert answer.status_code == 409
    assert "Chris Administrator changed this account" in answer.text
    assert 'value="Robin Two"' in answer.text


def test_an_account_is_shut_after_a_second_thought_and_opened_again(visit: Visit, store: Database) -> None:
    chair, administrator, page = visit("tasking_chair"), visit("administrator"), account_of(store, "tasking_chair")
    answer = administrator.send(page, f"{page}/shut", version=version(administrator, page))
    assert (answer.status_code, "Tick the box" in answer.text) == (400, True)
    assert chair.get("/people").url.path == "/people"
    administrator.send(page, f"{page}/shut", version=version(administrator, page), sure="yes")
    assert chair.get("/people").url.path == "/sign-in"
    assert "Shut since" in administrator.get(page).text
    administrator.send(page, f"{page}/shut", version=version(administrator, page))
    assert "Shut since" not in administrator.get(page).text


def test_a_new_first_password_ends_every_session(visit: Visit, store: Database) -> None:
    chair, administrator, page = visit("tasking_chair"), visit("administrator"), account_of(store, "tasking_chair")
    answer = administrator.send(page, f"{page}/password")
    assert re.search(r"<output[^>]*>[\w-]{20}</output>", answer.text)
    assert chair.get("/people").url.path == "/sign-in"


def test_nobody_changes_their_own_account(visit: Visit, store: Database) -> None:
    administrator, page = visit("administrator"), account_of(store, "administrator")
    assert "Nobody changes their own account" in administrator.get(page).text
    for path in ("", "/shut", "/password", "/unlock"):
        answer = administrator.send("/accounts/new", page + path, version="1", name="A", agency="police",
                                    role="analyst", sure="yes")
        assert answer.status_code == 403
    with store.reading() as reading:
        assert {one.version for one in find_users(reading)} == {1}


# --- agreements ----------------------------------------------------------------------------------------


def test_an_agreement_is_entered_and_from_then_on_lets_its_agencies_see_its_lists(
    visit: Visit, store: Database
) -> None:
    administrator, member = visit("administrator"), visit("tasking_member")     # of the police
    [page] = re.findall(r'href="(/agreements/[0-9a-f]+)"', administrator.get("/agreements").text)
    administrator.send(page, f"{page}/withdraw", version=version(administrator, page), sure="yes")
    assert member.get("/people").status_code == 403
    assert "every list is empty for everybody" in administrator.get("/agreements").text
    assert administrator.send("/agreements/new", "/agreements/new", **SIGNED).status_code == 200
    assert member.get("/people").status_code == 200
    assert member.get("/places").status_code == 403
    assert visit("tasking_chair").get("/people").status_code == 403             # of an agency that did not sign


@pytest.mark.parametrize(("change", "said"), [
    ({"title": ""}, "Write what the agreement is called"), ({"reference": ""}, "Write its reference"),
    ({"dpia_reference": ""}, "Write the reference of its data protection"), ({"agencies": ""}, "not one of the words"),
    ({"valid_from": "soon"}, "Give the day as day/month/year"),
    ({"valid_until": "2026-11-23"}, "It cannot end before it begins"),
])
def test_what_an_agreement_lacks_is_said(visit: Visit, change: dict[str, str], said: str) -> None:
    answer = visit("administrator").send("/agreements/new", "/agreements/new", **(SIGNED | change))
    assert (answer.status_code, said in answer.text) == (400, True)


def test_an_agreement_ends_only_after_a_second_thought(visit: Visit) -> None:
    administrator = visit("administrator")
    [page] = re.findall(r'href="(/agreements/[0-9a-f]+)"', administrator.get("/agreements").text)
    answer = administrator.send(page, f"{page}/withdraw", version=version(administrator, page))
    assert (answer.status_code, "Tick the box" in answer.text) == (400, True)
    assert "In force" in administrator.get(page).text


def test_governance_reads_agreements_and_changes_none(visit: Visit) -> None:
    governance = visit("governance")
    assert governance.get("/agreements").status_code == 200
    assert "Enter an agreement" not in governance.get("/agreements").text
    assert governance.get("/agreements/new").status_code == 403


def test_words_that_try_to_be_more_are_shown_as_words(visit: Visit) -> None:
    administrator = visit("administrator")
    administrator.send("/agreements/new", "/agreements/new", **(SIGNED | {"title": SCRIPT}))
    assert SCRIPT not in administrator.get("/agreements").text
    assert "&lt;script&gt;" in administrator.get("/agreements").text


# --- the log -------------------------------------------------------------------------------------------


def test_the_log_says_who_did_what_and_names_nobody_who_was_put_forward(visit: Visit) -> None:
    chair = visit("tasking_chair")
    page = chair.flags("/people")[0]
    chair.send(page, f"{page}/take-up", version=chair.version(page))
    answer = visit("governance").get("/audit?what=flag.taken_up")
    assert "1 line." in answer.text
    assert "Priya Chair" in answer.text
    assert "Flag: taken up" in answer.text
    assert not re.search(r"P0000\d\d", answer.text)


def test_a_search_that_fits_nothing_says_so_and_a_page_beyond_the_last_is_not_there(visit: Visit) -> None:
    governance = visit("governance")
    assert "Nothing fits" in governance.get("/audit?what=flag.eaten").text
    assert "Nothing fits" in governance.get("/audit?until=2020-01-01").text
    assert governance.get("/audit?page=999").status_code == 404
    wrong = governance.get("/audit?since=yesterday")
    assert (wrong.status_code, "Give the day as day/month/year" in wrong.text) == (400, True)
    assert governance.get("/audit.csv?since=yesterday").status_code == 422


def test_an_administrator_verifies_the_log_and_does_not_read_it(visit: Visit) -> None:
    administrator = visit("administrator")
    assert "Verify the whole log" in administrator.get("/audit").text
    assert "Lines of the log" not in administrator.get("/audit").text
    assert administrator.get("/audit.csv").status_code == 403


def test_the_log_leaves_as_csv_and_that_is_itself_a_line(visit: Visit, store: Database) -> None:
    answer = visit("governance").get("/audit.csv")
    with store.reading() as reading:
        last = audit.find(reading, audit.Wanted(action="audit.exported"))[0][0]
    assert f'"of":{len(answer.text.splitlines()) - 1}' in last.body


def test_a_head_that_was_printed_is_checked_for_its_form(visit: Visit) -> None:
    answer = visit("administrator").send("/audit", "/audit/verify", anchor="12:zz")
    assert (answer.status_code, "Write the head as it was printed" in answer.text) == (400, True)


def test_verifying_says_that_the_log_is_whole_or_from_which_line_on_it_is_not(store: Database) -> None:
    from api.web.auditing import say_verified

    with store.reading() as reading:
        head = audit.head(reading)
    assert say_verified(store, head).startswith(f"The log is whole: {head.id:,} lines")
    with store.writing(NOW, "system") as writing:
        writing._connection.execute(text("UPDATE texts SET text = '{}' WHERE flag IN (SELECT id FROM flags "
                                         "WHERE subject = 'P000001')"))
    assert "flags are no longer what was put before people: of the runs 2026-11-23" in say_verified(store, None)
    with store.writing(NOW, "system") as writing:
        writing._connection.execute(text("DROP TRIGGER audit_not_updated"))
        writing._connection.execute(text("UPDATE audit SET action = 'nothing' WHERE id = 3"))
    assert say_verified(store, None).startswith("The log cannot be believed from line 3 on: it does not say")


# --- what left, and what is kept ------------------------------------------------------------------------


def test_what_left_is_found_by_its_agency_and_by_the_file_in_hand(visit: Visit, store: Database) -> None:
    with store.writing(NOW - timedelta(days=1), "system") as writing:
        flag = history(writing, "people", "P000001")[-1].id
        told = disclose(writing, "police", "agenda_pdf", "prevent_crime_and_disorder", [flag], file_digest="ab" * 32)
        disclose(writing, "fire", "list_csv", "prevent_crime_and_disorder", [flag])
    governance = visit("governance")
    assert "2 disclosures." in governance.get("/disclosures").text
    assert "1 disclosure." in governance.get("/disclosures?agency=fire").text
    found = governance.get(f"/disclosures?digest={'AB' * 32}").text
    assert f"/disclosures/{told.id}" in found
    assert "Nothing fits." in governance.get(f"/disclosures?digest={'cd' * 32}").text
    page = governance.get(f"/disclosures/{told.id}").text
    assert "1 that you may not see by name" in page
    assert "P000001" not in page


def test_nothing_left_yet_is_said(visit: Visit) -> None:
    assert "Nothing has left this system yet." in visit("governance").get("/disclosures").text


def test_what_is_kept_past_its_time_is_counted_for_each_feed(borough: Borough) -> None:
    page = borough.visit("governance").get("/retention").text
    assert "records are older than their feed allows" in page
    row = re.search(r"Council anti-social behaviour reports</th>(.*?)</tr>", page, re.S)
    assert row is not None
    assert "2,190" in row[1]
    assert ">0<" in row[1]


@pytest.mark.parametrize("role", ["tasking_chair", "housing_officer", "agency_officer", "analyst", "councillor"])
def test_others_open_none_of_it(visit: Visit, role: str) -> None:
    visitor = visit(role)
    assert {visitor.get(path).status_code for path in (
        "/audit", "/audit.csv", "/disclosures", "/retention", "/accounts", "/accounts/new", "/agreements",
        "/agreements/new")} == {403}
