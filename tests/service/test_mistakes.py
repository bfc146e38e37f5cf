"""What is asked wrongly is answered by a problem that says what to do, repeats nothing, and leaves nothing behind."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from .conftest import ACCESSIBLE, ADA, BOB, EMPTY, LET, NEAR, NOWHERE, ROOMY, STEPPED, Office

SECRET = "Ada Example, born 3 February 1980"
ASKED = {"applicant": ADA, "uprn": STEPPED}
JSON = {"Content-Type": "application/json"}


def check_problem(answer: httpx.Response, status: int, kind: str) -> list[dict[str, str]]:
    """The problems of an answer that is what RFC 9457 asks for, in full sentences, and quotes nothing."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert (told["status"], told["type"]) == (status, f"urn:wardwise:problem:{kind}")
    assert told["title"]
    assert told["problems"]
    assert all(problem["where"] and problem["found"] and problem["fix"] for problem in told["problems"])
    assert SECRET not in answer.text
    return list(told["problems"])


def answer_of(
    fact: Any = "travel_minutes", value: Any = 20, told_on: Any = "2026-11-23", **more: Any
) -> dict[str, Any]:
    return {**ASKED, "answers": [{"fact": fact, "value": value, "told_on": told_on, **more}]}


@pytest.mark.parametrize(("asked", "status", "kind", "found"), [
    ({"applicant": "HR-99", "uprn": STEPPED}, 404, "not_found", "nobody of this name is on the housing register"),
    ({"applicant": "P999999", "uprn": STEPPED}, 404, "not_found", "nobody of this name is on the housing register"),
    ({"applicant": ADA, "uprn": "999"}, 404, "not_found", "no such home"),
    ({"applicant": BOB, "uprn": STEPPED}, 409, "conflict", "the register entry expired on 2025-12-31"),
    ({"applicant": ADA, "uprn": LET}, 409, "conflict", "the home is already let"),
    ({"applicant": EMPTY, "uprn": STEPPED}, 422, "invalid", "nobody is recorded in this household"),
    ({"applicant": ADA, "uprn": NOWHERE}, 422, "invalid", "nobody has said where this home is"),
    ({}, 422, "invalid", "missing"),
    ([], 422, "invalid", "not an object with named fields"),
    (None, 422, "invalid", "not an object with named fields"),
    ({**ASKED, SECRET: 1}, 422, "invalid", "a field that is not known here"),
    ({**ASKED, "applicant": f" {SECRET}"}, 422, "invalid", "not of the form expected"),
    ({**ASKED, "applicant": "x" * 41}, 422, "invalid", "not of the form expected"),
    ({**ASKED, "applicant": 7}, 422, "invalid", "not a text"),
    ({**ASKED, "applicant": "\ud800"}, 422, "invalid", "not a text that can be written down"),
    ({**ASKED, "uprn": "1234567890123"}, 422, "invalid", "not of the form expected"),
    ({**ASKED, "uprn": "\u0661"}, 422, "invalid", "not of the form expected"),
    ({**ASKED, "uprn": 100000001}, 422, "invalid", "not a text"),
    ({**ASKED, "matches": "yes"}, 422, "invalid", "neither true nor false"),
    ({**ASKED, "matches": 1}, 422, "invalid", "neither true nor false"),
    ({**ASKED, "answers": {}}, 422, "invalid", "not a list"),
    ({**ASKED, "answers": [NEAR, NEAR]}, 422, "invalid", "the same fact is answered twice"),
    ({**ASKED, "answers": [{**NEAR, "fact": f"fact_{n}"} for n in range(61)]}, 422, "invalid", "too many"),
    (answer_of(fact="conduct_score"), 422, "invalid", "a fact that nobody can be asked for"),
    (answer_of(fact=SECRET), 422, "invalid", "not of the form expected"),
    (answer_of(value=SECRET), 422, "invalid", "not an answer to this question"),
    (answer_of(value=True), 422, "invalid", "not an answer to this question"),
    (answer_of(value=1.5), 422, "invalid", "not an answer to this question"),
    (answer_of(value=10**10), 422, "invalid", "not a value that can be told"),
    (answer_of(value=None), 422, "invalid", "not a value that can be told"),
    (answer_of(value={"name": SECRET}), 422, "invalid", "not a value that can be told"),
    (answer_of(value="x" * 101), 422, "invalid", "not a value that can be told"),
    (answer_of(told_on="2026-11-24"), 422, "invalid", "told on a day that has not come"),
    (answer_of(told_on="2026-02-30"), 422, "invalid", "not a day of the calendar"),
    (answer_of(told_on=SECRET), 422, "invalid", "not a day"),
    (answer_of(told_on=1795392000), 422, "invalid", "not a day"),
    (answer_of(told_by=SECRET), 422, "invalid", "a field that is not known here"),
])
def test_a_request_that_cannot_be_screened_says_why_and_what_to_do(
    office: Office, asked: Any, status: int, kind: str, found: str
) -> None:
    office.screen(ADA, ROOMY)
    kept = office.kept()
    answer = office.ask("POST", "/screenings", content=json.dumps(asked), headers=JSON)
    assert found in " ".join(problem["found"] for problem in check_problem(answer, status, kind))
    assert office.kept() == kept


def test_everything_wrong_is_told_at_once(office: Office) -> None:
    wrong = {"applicant": 1, "uprn": "x", "answers": [{"fact": "travel_minutes", "value": [], "told_on": "soon"}, {}]}
    problems = check_problem(office.post("/screenings", wrong), 422, "invalid")
    assert [problem["where"] for problem in problems] == [
        "body.applicant", "body.uprn", "body.answers[0].value", "body.answers[0].told_on", "body.answers[1].fact",
        "body.answers[1].value", "body.answers[1].told_on"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 5000])
def test_a_number_that_is_none_is_refused(office: Office, number: str) -> None:
    text = json.dumps(answer_of()).replace("20,", f"{number},")
    answer = office.ask("POST", "/screenings", content=text, headers=JSON)
    assert answer.status_code in (400, 422)
    check_problem(answer, answer.status_code, "malformed" if answer.status_code == 400 else "invalid")


@pytest.mark.parametrize("text", ["{", '{"applicant": }', "[" * 30_000, b"\xff\xfe\x00", "\x00", "{'a': 1}"])
def test_what_is_not_json_is_refused(office: Office, text: str) -> None:
    check_problem(office.ask("POST", "/screenings", content=text, headers=JSON), 400, "malformed")


@pytest.mark.parametrize("sent_as", ["text/plain", "application/xml", "application/json; charset=latin-1",
                                     "multipart/form-data; boundary=x", "application/problem+json", ""])
def test_what_is_not_sent_as_json_is_refused(office: Office, sent_as: str) -> None:
    answer = office.ask("POST", "/screenings", content=json.dumps(ASKED), headers={"Content-Type": sent_as})
    check_problem(answer, 415, "wrong_media_type")


@pytest.mark.parametrize("key", ["", "x" * 65, "two words", "caf\u00e9"])
def test_a_key_of_another_form_is_refused(office: Office, key: str) -> None:
    answer = office.post("/screenings", ASKED, headers={"Idempotency-Key": key.encode("latin-1")})
    (problem,) = check_problem(answer, 422, "invalid")
    assert problem["where"] == "header.Idempotency-Key"


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_of_ten_megabytes_is_refused_whether_or_not_its_length_is_told(office: Office, chunked: bool) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(160):
            yield b"x" * 65_536

    kept = office.kept() if (office.home / "screenings").exists() else {}
    body: Any = pieces() if chunked else b"x" * 10_485_760
    (problem,) = check_problem(office.ask("POST", "/screenings", content=body, headers=JSON), 413, "too_large")
    assert problem["allowed"] == "at most 65,536 bytes"
    assert office.kept() == kept


def test_a_body_just_short_enough_is_read(office: Office) -> None:
    text = json.dumps(ASKED).ljust(65_536)
    assert office.ask("POST", "/screenings", content=text, headers=JSON).status_code == 201
    assert office.ask("POST", "/screenings", content=text + " ", headers=JSON).status_code == 413


def test_a_path_or_method_that_does_not_exist_is_a_problem_too(office: Office) -> None:
    check_problem(office.get("/applicants"), 404, "not_found")
    check_problem(office.get("/../../etc/passwd"), 404, "not_found")
    check_problem(office.get("/screenings/"), 404, "not_found")
    answer = office.ask("DELETE", "/screenings/S000001")
    check_problem(answer, 405, "wrong_method")
    assert answer.headers["Allow"] == "GET"


@pytest.mark.parametrize(("method", "path", "status"), [
    ("GET", "/screenings/S000099", 404), ("GET", "/screenings/..%2Flog", 404), ("GET", "/screenings/Ada", 422),
    ("POST", "/screenings/S000099/answers", 404), ("POST", "/screenings/S000099/offer", 404),
    ("POST", "/offers/OF000099/withdrawal", 404), ("POST", "/offers/Ada/withdrawal", 422)])
def test_what_was_never_kept_is_not_found(office: Office, method: str, path: str, status: int) -> None:
    sent = {"answers": {"answers": [NEAR]}, "withdrawal": {"reason": "It was recorded in error."}}
    request = {"json": sent.get(path.rpartition("/")[2], {})} if method == "POST" else {}
    check_problem(office.ask(method, path, **request), status, "not_found" if status == 404 else "invalid")


def test_an_answer_after_the_home_was_offered_to_somebody_else_is_refused(office: Office) -> None:
    first = office.screen(ADA, ACCESSIBLE)["id"]
    office.post(f"/screenings/{office.screen('HR-4', ACCESSIBLE)['id']}/offer", {})
    kept = office.kept()
    answer = office.post(f"/screenings/{first}/answers", {"answers": [NEAR]})
    (problem,) = check_problem(answer, 409, "conflict")
    assert "withdraw that offer first" in problem["fix"]
    assert office.kept() == kept


def test_no_answer_is_kept_by_a_cache_or_opened_to_other_sites(office: Office) -> None:
    for answer in (office.get("/questions"), office.get("/nowhere"), office.get("/questions", None),
                   office.ask("POST", "/screenings", content=b"x" * 70_000),
                   office.ask("OPTIONS", "/screenings", headers={"Origin": "https://elsewhere.example"})):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]
