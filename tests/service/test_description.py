"""The OpenAPI description is true, complete, and shows how each request and each answer really looks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from pydantic import TypeAdapter

from api.describe import read_examples
from api.messages import AnswersAdded, OfferAsked, OverrideAsked, ScreeningAsked, ShortlistAsked, WithdrawalAsked
from api.problems import KINDS, PROBLEM_JSON

from .conftest import Office

REQUESTS = {
    "POST /api/v1/screenings": ScreeningAsked, "POST /api/v1/screenings/{screening}/answers": AnswersAdded,
    "POST /api/v1/shortlists": ShortlistAsked, "POST /api/v1/screenings/{screening}/overrides": OverrideAsked,
    "POST /api/v1/screenings/{screening}/offer": OfferAsked, "POST /api/v1/offers/{offer}/withdrawal": WithdrawalAsked}


@pytest.fixture
def document(office: Office) -> dict[str, Any]:
    return office.service.openapi()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def refuse(document: dict[str, Any], schema: dict[str, Any], value: Any) -> list[str]:
    """What is wrong with a value, by a schema of the document."""
    whole = {**schema, "components": document["components"]}
    return [error.message for error in jsonschema_rs.validator_for(whole).iter_errors(value)]


def test_every_request_and_every_answer_has_an_example_of_its_own_form(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        bodies = [operation["requestBody"]] if "requestBody" in operation else []
        bodies += [response for code, response in operation["responses"].items() if code < "300"]
        for body in bodies:
            content = body["content"]["application/json"]
            assert content["example"], name
            assert refuse(document, content["schema"], content["example"]) == [], name


def test_every_example_of_a_request_is_one_that_is_read(document: dict[str, Any]) -> None:
    named = {name for name, operation in operations(document) if "requestBody" in operation}
    assert named == set(REQUESTS)
    for name, model in REQUESTS.items():
        TypeAdapter(model).validate_python(read_examples()[name]["request"])


def test_every_error_is_a_problem_with_an_example(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for code, response in operation["responses"].items():
            if code >= "400":
                assert list(response["content"]) == [PROBLEM_JSON], (name, code)
                for example in response["content"][PROBLEM_JSON]["examples"].values():
                    assert refuse(document, response["content"][PROBLEM_JSON]["schema"], example["value"]) == []


def test_every_kind_of_problem_is_declared_somewhere_but_the_wrong_method(document: dict[str, Any]) -> None:
    declared = {code for _, operation in operations(document) for code in operation["responses"]}
    assert {str(status) for status, _ in KINDS.values()} - declared == {"405"}


def test_every_path_but_health_needs_a_token_and_names_its_right(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        assert (operation.get("x-right") is None) == (name == "GET /api/v1/health") == (not operation["security"])
        assert operation["description"]
        assert operation["tags"]


def test_no_path_and_no_query_holds_who_or_where(document: dict[str, Any]) -> None:
    parameters = {(one["in"], one["name"]) for _, operation in operations(document)
                  for one in operation.get("parameters", ())}
    assert parameters == {("path", "screening"), ("path", "offer"), ("header", "Idempotency-Key")}


def test_answers_are_of_the_form_described(document: dict[str, Any], office: Office) -> None:
    screened = office.screen("HR-1", "100000001", matches=True)
    schema = document["components"]["schemas"]
    assert refuse(document, schema["ScreeningKept"], screened) == []
    assert refuse(document, schema["Askables"], office.get("/questions").json()) == []
    assert refuse(document, schema["ProblemDetail"], office.get("/nowhere").json()) == []
