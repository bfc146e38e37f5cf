"""What a path may answer -> its part of the OpenAPI description, errors and examples included."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.problems import KINDS, PROBLEM_JSON, STANDING, Kind, ProblemDetail, describe
from api.tokens import Right

_ALWAYS: tuple[Kind, ...] = ("too_large", "defect", "unavailable")
_DONE = {"200": "Done; nothing new was kept", "201": "Done and kept"}
_SENT: tuple[Kind, ...] = ("malformed", "wrong_media_type", "invalid")
_TOKEN: tuple[Kind, ...] = ("unauthorized", "forbidden")
_TEXT = """Screens an applicant for a home before the offer is made. It says what speaks against the home, what was not
checked and what to ask. It never refuses anybody and never decides: a person offers the home, and that is recorded.

Every request except `/health` carries a token: `Authorization: Bearer ww_...`. Whoever runs Wardwise gives one with
`wardwise token add`. `x-right` names the right a path needs.

Every error is `application/problem+json` (RFC 9457): each problem says where it is, what was found, what is allowed
and how to mend it. What was sent is never repeated in it."""


TAGS: Mapping[str, str] = {
    "screening": "Before the offer: what speaks against it, what to ask, who else and where else.",
    "deciding": "What people decided: overrides by managers, offers made and withdrawn.",
    "reporting": "What was overridden, and whether a screening can be made again.",
    "service": "Whether it answers.",
}
_TAG_OF: Mapping[Any, str] = {"screen": "screening", "read": "screening", "override": "deciding", "offer": "deciding",
                              "report": "reporting", None: "service"}


def declare(right: Right | None, answer: type, status: int, *others: int) -> dict[str, Any]:
    """What a path answers: `answer` with `status`, and with these others; and every problem it may answer with."""
    kinds = [kind for kind, (code, _) in KINDS.items() if code in others]
    wanted = [*kinds, *_ALWAYS, *(_TOKEN if right else ())]
    responses: dict[int | str, dict[str, Any]] = {200: {"model": answer, "description": "As answered the first time"}
                                                  } if status != 200 and 200 in others else {}
    for code in sorted({KINDS[kind][0] for kind in wanted}):
        responses[code] = _problem(code)
    security: list[dict[str, list[str]]] = [{"token": []}] if right else []
    return {"response_model": answer, "status_code": status, "responses": responses,
            "openapi_extra": {"x-right": right, "security": security}}


def describe_service(service: FastAPI) -> dict[str, Any]:
    """The whole description: what FastAPI reads off the paths, with problems, examples and tags added."""
    document = get_openapi(
        title=service.title, version=service.version, description=_TEXT, routes=service.routes,
        license_info={"name": "MIT", "identifier": "MIT"}, summary=service.summary,
        tags=[{"name": name, "description": text} for name, text in TAGS.items()])
    schemas = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    problem = ProblemDetail.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs"))
    schemas["ProblemDetail"] = problem
    document["components"]["securitySchemes"] = {"token": {
        "type": "http", "scheme": "bearer", "description": "From `wardwise token add`, shown once."}}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            _describe_operation(f"{method.upper()} {path}", operation)
    return document


@cache
def read_examples() -> Mapping[str, Any]:
    """Requests and answers of an invented borough, by method and path."""
    examples: Mapping[str, Any] = json.loads((Path(__file__).parent / "examples.json").read_text(encoding="utf-8"))
    return examples


# --- inside ---------------------------------------------------------------------------------------


def _describe_operation(name: str, operation: dict[str, Any]) -> None:
    operation["tags"] = [_TAG_OF[operation.get("x-right")]]
    example = read_examples().get(name, {})
    responses = operation["responses"]
    if "requestBody" in operation:
        operation["requestBody"]["content"]["application/json"]["example"] = example.get("request")
        for kind in _SENT:
            responses[str(KINDS[kind][0])] = _problem(KINDS[kind][0])
    elif "422" in responses:      # FastAPI's own, where a path or a header can be wrong
        responses["422"] = _problem(422)
    for done, words in _DONE.items():
        if done in responses:
            responses[done]["description"] = words
            responses[done]["content"]["application/json"]["example"] = example.get("answer")
    if "201" in responses and "made_by" in str(example.get("answer")):
        responses["201"]["headers"] = {"Location": {"description": "Where it is shown.", "schema": {"type": "string"}}}
    if "401" in responses:
        responses["401"]["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}, "description": "Bearer"}}
    operation["responses"] = dict(sorted(responses.items()))


def _problem(status: int) -> dict[str, Any]:
    """The problems of a status."""
    kinds = [kind for kind, (code, _) in KINDS.items() if code == status]
    examples = {kind: {"value": describe(kind, [STANDING[kind]]).model_dump(exclude_none=True)} for kind in kinds}
    return {"description": "; or: ".join(KINDS[kind][1] for kind in kinds), "content": {PROBLEM_JSON: {
        "schema": {"$ref": "#/components/schemas/ProblemDetail"}, "examples": examples}}}
