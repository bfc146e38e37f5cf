"""What people decide: a manager overrides, a person offers, an offer is withdrawn; and what is reported of it."""

from __future__ import annotations

from typing import Any

from .conftest import ADA, DEE, EVE, FAR_AWAY, HARD, ROOMY, STEPPED, Office

WHY = {"rule": HARD, "reason": "The household saw the home and asked for it.",
       "mitigation": "The landlord fits a ramp before they move in."}


def screen_with_override(office: Office) -> str:
    id = str(office.screen(ADA, STEPPED)["id"])
    assert office.post(f"/screenings/{id}/overrides", WHY, "housing_manager").status_code == 201
    return id


def said(answer: Any) -> str:
    return " ".join(problem["found"] for problem in answer.json()["problems"])


def test_an_offer_with_a_hard_conflict_waits_for_a_manager(office: Office) -> None:
    id = office.screen(ADA, STEPPED)["id"]
    kept = office.kept()
    refused = office.post(f"/screenings/{id}/offer", {"applicant_view": "accepts"})
    assert refused.status_code == 409
    assert "has a hard conflict that nobody has overridden" in said(refused)
    assert office.kept() == kept


def test_an_override_needs_a_managers_right(office: Office) -> None:
    id = office.screen(ADA, STEPPED)["id"]
    assert office.post(f"/screenings/{id}/overrides", WHY).status_code == 403
    assert office.get("/overrides", "analyst").json() == {"overrides": []}


def test_an_override_needs_words(office: Office) -> None:
    id = office.screen(ADA, STEPPED)["id"]
    for missing in ({"reason": "ok"}, {"mitigation": "1234567890 1234567890"}, {"reason": " " * 20}):
        assert office.post(f"/screenings/{id}/overrides", {**WHY, **missing}, "housing_manager").status_code == 422
    assert office.get("/overrides", "analyst").json() == {"overrides": []}


def test_after_an_override_the_offer_is_recorded_and_reported_with_its_reason(office: Office) -> None:
    id = screen_with_override(office)
    offer = office.post(f"/screenings/{id}/offer", {})
    assert offer.status_code == 201
    assert offer.json()["overridden"] == [HARD]
    (reported,) = office.get("/overrides", "analyst").json()["overrides"]
    assert reported["by"] == reported["role"] == "housing_manager"
    assert (reported["reason"], reported["mitigation"]) == (WHY["reason"], WHY["mitigation"])


def test_a_soft_conflict_is_for_the_applicant_to_accept(office: Office) -> None:
    id = office.screen(ADA, ROOMY, FAR_AWAY)["id"]
    assert "was not asked about" in said(office.post(f"/screenings/{id}/offer", {}))
    assert "does not accept" in said(office.post(f"/screenings/{id}/offer", {"applicant_view": "declines"}))
    assert office.post(f"/screenings/{id}/offer", {"applicant_view": "accepts"}).status_code == 201


def test_a_home_with_an_offer_standing_is_not_screened_offered_or_shown_to_others(office: Office) -> None:
    waiting = office.screen(EVE, ROOMY)["id"]
    offered = office.screen(DEE, ROOMY)["id"]
    offer = office.post(f"/screenings/{offered}/offer", {}).json()["id"]
    asked = office.post("/screenings", {"applicant": ADA, "uprn": ROOMY})
    assert asked.status_code == 409
    assert f"the home has been offered already ({offer})" in said(asked)
    assert "is of a home already offered" in said(office.post(f"/screenings/{waiting}/offer", {}))
    assert ROOMY not in [match["uprn"] for match in office.screen(ADA, STEPPED, matches=True)["matches"]]


def test_a_withdrawn_offer_frees_the_home_and_stays_on_record(office: Office) -> None:
    offered = office.screen(DEE, ROOMY)["id"]
    offer = office.post(f"/screenings/{offered}/offer", {}).json()["id"]
    gone = office.post(f"/offers/{offer}/withdrawal", {"reason": "Dee chose another home."})
    assert gone.status_code == 201
    assert gone.json()["withdrawn"]["reason"] == "Dee chose another home."
    office.screen(ADA, ROOMY)
    assert office.post(f"/offers/{offer}/withdrawal", {"reason": "Dee chose another home."}).status_code == 409


def test_an_offer_belongs_to_the_latest_screening(office: Office) -> None:
    first = office.screen(DEE, ROOMY)["id"]
    office.screen(DEE, ROOMY)
    assert "is not the latest screening" in said(office.post(f"/screenings/{first}/offer", {}))


def test_a_screening_made_again_is_what_was_kept(office: Office) -> None:
    id = office.screen(ADA, STEPPED, FAR_AWAY)["id"]
    again = office.get(f"/screenings/{id}/replay", "analyst").json()
    assert again["identical"]
    assert again["kept"] == again["made_again"] == office.get(f"/screenings/{id}").json()["digest"]
