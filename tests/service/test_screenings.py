"""What a housing officer is answered: what speaks against a home, what to ask, and the same again when asked again."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from .conftest import ACCESSIBLE, ADA, DEE, EMPTY, EVE, FAR_AWAY, HARD, NEAR, ROOMY, STEPPED, Office

FAR = "allocation/support-school-or-care-severed"


def titles(screened: dict[str, Any]) -> list[str]:
    return [conflict["rule"] for conflict in screened["screening"]["conflicts"]]


def test_a_stepped_home_is_to_be_avoided_for_a_wheelchair_user(office: Office) -> None:
    screened = office.screen(ADA, STEPPED)
    assert screened["screening"]["result"] == "avoid_this_property"
    assert titles(screened) == [HARD]
    assert screened["made_by"] == "housing_officer"
    assert screened["made_at"] == "2026-11-23T14:30:00+00:00"


def test_an_applicant_may_be_named_by_a_persons_id(office: Office) -> None:
    person = office.screen(ADA, ROOMY)["screening"]["applicant"]
    assert person.startswith("P")
    assert office.screen(person, ROOMY)["screening"]["application"] == ADA


def test_what_was_told_counts_at_once_and_is_marked_with_its_day(office: Office) -> None:
    (told,) = office.screen(ADA, ROOMY, FAR_AWAY)["screening"]["told"]
    assert (told["fact"], told["value"], told["told_on"]) == ("travel_minutes", "90 minutes", "2026-11-23")
    assert titles(office.screen(ADA, ROOMY, NEAR)) == []


def test_an_answer_makes_a_new_screening_and_leaves_the_first_as_it_was(office: Office) -> None:
    first = office.screen(ADA, ROOMY)
    second = office.post(f"/screenings/{first['id']}/answers", {"answers": [FAR_AWAY]})
    assert second.status_code == 201
    assert second.json()["id"] != first["id"]
    assert titles(second.json()) == [FAR]
    assert office.get(f"/screenings/{first['id']}").json() == first


def test_answers_add_up_and_the_latest_word_on_a_fact_counts(office: Office) -> None:
    stay = {"fact": "stay_type", "value": "general_needs", "told_on": "2026-11-23"}
    first = office.screen(ADA, ROOMY, FAR_AWAY)
    second = office.post(f"/screenings/{first['id']}/answers", {"answers": [stay]}).json()
    third = office.post(f"/screenings/{second['id']}/answers", {"answers": [NEAR]}).json()
    assert [told["fact"] for told in second["screening"]["told"]] == ["stay_type", "travel_minutes"]
    assert FAR in titles(second)
    assert FAR not in titles(third)


def test_a_screening_is_shown_byte_for_byte_as_it_was_kept(office: Office) -> None:
    screened = office.screen(ADA, STEPPED)
    answer = office.get(f"/screenings/{screened['id']}")
    kept = office.kept()[f"{screened['id']}.json"]
    assert kept.decode() in answer.text
    assert hashlib.sha256(kept).hexdigest() == answer.json()["digest"]


def test_other_homes_are_shown_when_asked_for_without_hard_conflicts(office: Office) -> None:
    assert office.screen(ADA, STEPPED)["matches"] is None
    matches = office.screen(ADA, STEPPED, matches=True)["matches"]
    assert [(match["uprn"], match["hard"]) for match in matches] == [(ROOMY, 0), (ACCESSIBLE, 0)]


def test_a_shortlist_stands_in_the_schemes_order_whatever_is_found(office: Office) -> None:
    listed = office.post("/shortlists", {"uprn": STEPPED}).json()["applicants"]
    assert [(one["application"], one["hard"]) for one in listed] == [(DEE, 0), (ADA, 1), (EMPTY, 0), (EVE, 0)]


def test_every_question_asked_can_be_answered_as_it_is_described(office: Office) -> None:
    described = {fact["name"]: fact for fact in office.get("/questions").json()["facts"]}
    asked = office.screen(ADA, STEPPED)["screening"]["questions"]
    assert {question["fact"] for question in asked} <= set(described)
    assert all(fact["question"] and (fact["type"] != "code" or fact["values"]) for fact in described.values())
    for question in asked:
        value = {"boolean": True, "integer": 1, "decimal": 1.5, "date": "2026-11-01"}.get(
            question["type"], (question["values"] or [""])[0])
        office.screen(ADA, STEPPED, {"fact": question["fact"], "value": value, "told_on": "2026-11-23"})


# --- the same request twice ------------------------------------------------------------------------


def test_the_same_request_with_its_key_is_screened_once(office: Office) -> None:
    asked, key = {"applicant": ADA, "uprn": STEPPED, "matches": True}, {"Idempotency-Key": "k-1"}
    first = office.post("/screenings", asked, headers=key)
    kept = office.kept()
    again = office.ask("POST", "/screenings", headers={**key, "Content-Type": "application/json"},
                       content=json.dumps(dict(reversed(asked.items())), indent=4))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.text == again.text
    assert office.kept() == kept


def test_without_a_key_the_same_request_is_another_screening(office: Office) -> None:
    assert office.screen(ADA, STEPPED)["id"] != office.screen(ADA, STEPPED)["id"]


def test_a_key_belongs_to_who_sent_it(office: Office) -> None:
    asked, key = {"applicant": ADA, "uprn": STEPPED}, {"Idempotency-Key": "k-1"}
    officer = office.post("/screenings", asked, headers=key)
    manager = office.post("/screenings", asked, "housing_manager", headers=key)
    assert (officer.status_code, manager.status_code) == (201, 201)
    assert officer.json()["id"] != manager.json()["id"]


@pytest.mark.parametrize("other", [
    {"applicant": ADA, "uprn": ROOMY}, {"applicant": DEE, "uprn": STEPPED},
    {"applicant": ADA, "uprn": STEPPED, "matches": True}, {"applicant": ADA, "uprn": STEPPED, "answers": [NEAR]}])
def test_a_key_used_for_another_request_is_refused(office: Office, other: dict[str, Any]) -> None:
    key = {"Idempotency-Key": "k-1"}
    office.post("/screenings", {"applicant": ADA, "uprn": STEPPED}, headers=key)
    kept = office.kept()
    refused = office.post("/screenings", other, headers=key)
    assert refused.status_code == 409
    assert refused.json()["problems"][0]["fix"] == "send this request with a new key"
    assert office.kept() == kept


def test_a_key_holds_for_answers_too_and_not_across_paths(office: Office) -> None:
    first, key = office.screen(ADA, ROOMY), {"Idempotency-Key": "k-2"}
    path = f"/screenings/{first['id']}/answers"
    told = {"answers": [NEAR]}
    added, again = (office.post(path, told, headers=key) for _ in range(2))
    assert (added.status_code, again.status_code) == (201, 200)
    assert added.text == again.text
    other = office.post(f"/screenings/{added.json()['id']}/answers", told, headers=key)
    assert other.status_code == 409
