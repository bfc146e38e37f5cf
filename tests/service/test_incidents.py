"""What must never happen: it is answered loudly, kept for the operator, and names no person anywhere."""

from __future__ import annotations

import copy
import json
from dataclasses import replace

import pytest

from api.today import Today
from engine.desk import Desk
from engine.errors import Problem, RunError
from engine.reasoning import compile_pack

from .conftest import ADA, HARD, ROOMY, STEPPED, Office, open_office


@pytest.fixture
def divided(furnished: object, today: Today, office: Office) -> Office:
    """An office whose reasoner was made from other rules than its evaluator."""
    desk = copy.copy(today.open())
    other = {rule.id: rule for rule in desk.rules}
    other[HARD] = replace(other[HARD], when=other["allocation/support-school-or-care-severed"].when)
    desk.reasoner = compile_pack(tuple(other.values()))
    return replace(open_office(office.home / "other", lambda: desk), home=office.home / "other")


def test_a_disagreement_fails_the_screening_loudly_and_is_recorded(
    divided: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = divided.post("/screenings", {"applicant": ADA, "uprn": STEPPED})
    told = answer.json()
    assert (answer.status_code, told["type"]) == (500, "urn:wardwise:problem:disagreement")
    assert told["title"] == "This screening cannot be trusted"
    (line,) = divided.kept()["incidents.jsonl"].decode().splitlines()
    incident = json.loads(line)
    assert incident["rules"] == [HARD]
    assert incident["desk"].startswith("2026-11-23-")
    assert told["instance"] == f"urn:wardwise:incident:{incident['id']}"
    said = capsys.readouterr().err
    assert HARD in said
    assert incident["id"] in said
    assert ADA not in line + said + answer.text


def test_a_disagreement_keeps_no_screening(divided: Office) -> None:
    divided.post("/screenings", {"applicant": ADA, "uprn": STEPPED})
    assert list(divided.kept()) == ["incidents.jsonl"]


def test_a_disagreement_about_one_home_fails_a_whole_shortlist(divided: Office) -> None:
    assert divided.post("/shortlists", {"uprn": STEPPED}).status_code == 500


def fail_with(error: Exception) -> Desk:
    raise error


@pytest.mark.parametrize(("error", "status", "kind"), [
    (KeyError("Ada Example"), 500, "defect"),
    (RunError(Problem("Ada Example", "no desk can be made")), 503, "unavailable"),
    (OSError(28, "No space left on device", "/home/Ada Example"), 503, "unavailable"),
])
def test_a_defect_is_told_by_its_kind_and_place_and_never_by_what_it_held(
    office: Office, capsys: pytest.CaptureFixture[str], error: Exception, status: int, kind: str
) -> None:
    broken = replace(open_office(office.home / "other", lambda: fail_with(error)), home=office.home / "other")
    answer = broken.get("/questions")
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:wardwise:problem:{kind}")
    kept = broken.kept()["incidents.jsonl"].decode()
    assert type(error).__name__ in kept
    assert "Ada" not in answer.text + kept + capsys.readouterr().err


def test_a_screening_altered_on_disk_is_not_shown(office: Office) -> None:
    id = office.screen(ADA, ROOMY)["id"]
    path = office.home / "screenings" / f"{id}.json"
    path.write_text(path.read_text().replace("nothing_found", "mitigate"))
    for answer in (office.get(f"/screenings/{id}"), office.get(f"/screenings/{id}/replay", "analyst")):
        assert answer.json()["type"] == "urn:wardwise:problem:disagreement"


def test_a_screening_that_cannot_be_written_down_is_not_answered(office: Office) -> None:
    office.screen(ADA, ROOMY)
    log = office.home / "screenings" / "log.jsonl"
    kept = log.read_text()
    log.unlink()
    log.mkdir()
    assert office.post("/screenings", {"applicant": ADA, "uprn": STEPPED}).status_code == 503
    log.rmdir()
    log.write_text(kept)
    assert office.screen(ADA, STEPPED)["id"] == "S000002"
