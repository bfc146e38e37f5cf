"""What can go wrong with a request -> `application/problem+json` (RFC 9457) that says what to do, and quotes nothing.

A request may hold a person's name where a date belongs. So what was sent is never said back: only where it stood,
what kind of thing was wrong, what is allowed and how to mend it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Literal

from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict

from engine.errors import Fault, Problem

PROBLEM_JSON = "application/problem+json"

Kind = Literal["malformed", "unauthorized", "forbidden", "not_found", "wrong_method", "conflict", "too_large",
               "wrong_media_type", "invalid", "disagreement", "defect", "unavailable"]

KINDS: Mapping[Kind, tuple[int, str]] = MappingProxyType({
    "malformed": (400, "The request is not JSON"),
    "unauthorized": (401, "No token that is in force"),
    "forbidden": (403, "Not with the rights of this token"),
    "not_found": (404, "Nothing of that name"),
    "wrong_method": (405, "Not with this method"),
    "conflict": (409, "What is recorded stands against it"),
    "too_large": (413, "The request is too large"),
    "wrong_media_type": (415, "The request is not sent as JSON"),
    "invalid": (422, "The request cannot be used as it is"),
    "disagreement": (500, "This screening cannot be trusted"),
    "defect": (500, "A defect in Wardwise"),
    "unavailable": (503, "Nothing can be screened now"),
})
"""What kind of problem -> its status and its title. The kind is the last word of the problem's `type`."""

FAULTS: Mapping[Fault, Kind] = MappingProxyType({
    "not_found": "not_found", "conflict": "conflict", "invalid": "invalid", "forbidden": "forbidden"})


STANDING: Mapping[Kind, Problem] = MappingProxyType({
    "malformed": Problem("body", "not JSON", "a JSON object", "check brackets, commas, quotes and that it is UTF-8"),
    "unauthorized": Problem("Authorization", "no token, or not one that is in force", "Bearer and a token",
                            "send `Authorization: Bearer TOKEN`; `wardwise token list` shows which are in force"),
    "forbidden": Problem("Authorization", "this token's role has no right to this", "",
                         "ask somebody whose role has it"),
    "not_found": Problem("path", "there is nothing here", "the paths of /api/v1/openapi.json", "correct the path"),
    "wrong_method": Problem("method", "not a method of this path", "the methods in the header Allow",
                            "use one of them"),
    "too_large": Problem("body", "more than 65,536 bytes", "at most 65,536 bytes", "send what was asked for only"),
    "wrong_media_type": Problem("Content-Type", "not sent as JSON", "application/json",
                                "send `Content-Type: application/json`"),
    "disagreement": Problem("this screening", "what was worked out twice came out differently", "",
                            "do not rely on it. Give the number of the incident to whoever runs Wardwise"),
    "defect": Problem("Wardwise", "a defect", "",
                      "give the number of the incident to whoever runs Wardwise; it quotes no record"),
    "unavailable": Problem("Wardwise", "what it works on cannot be read or written now", "",
                           "give the number of the incident to whoever runs Wardwise, and ask again later"),
    "conflict": Problem("S000001", "is not the latest screening of this applicant and home", "S000002",
                        "read S000002, and record the offer with it"),
    "invalid": Problem("body.answers[0].told_on", "not a day", "a day written like 2026-11-23",
                       "write the day in full"),
})
"""What is said where nothing more can be; of a conflict and of what is invalid, what may be said."""


class ProblemPart(BaseModel):
    """One thing wrong."""

    model_config = ConfigDict(frozen=True)

    where: str
    found: str
    allowed: str
    fix: str


class ProblemDetail(BaseModel):
    """What went wrong: every problem found, each with where, what is allowed and how to mend it."""

    model_config = ConfigDict(frozen=True)

    type: str
    title: str
    status: int
    detail: str
    instance: str | None = None
    problems: tuple[ProblemPart, ...] = ()


def describe(kind: Kind, problems: Iterable[Problem], incident: str | None = None) -> ProblemDetail:
    """Problems as the body of an answer; `incident` is the line the operator finds it by."""
    status, title = KINDS[kind]
    parts = tuple(ProblemPart(where=p.where, found=p.found, allowed=p.allowed, fix=p.fix) for p in problems)
    return ProblemDetail(
        type=f"urn:wardwise:problem:{kind}", title=title, status=status, problems=parts,
        detail="; ".join(f"{part.where}: {part.found}" for part in parts) or title,
        instance=f"urn:wardwise:incident:{incident}" if incident else None)


def answer_problem(
    kind: Kind, problems: Problem | Iterable[Problem], incident: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Problems as an answer."""
    listed = (problems,) if isinstance(problems, Problem) else tuple(problems)
    detail = describe(kind, listed, incident)
    return Response(detail.model_dump_json(exclude_none=True), detail.status, headers, PROBLEM_JSON)


def refuse(kind: Kind, headers: Mapping[str, str] | None = None) -> Response:
    """The problem of a kind, in its standing words."""
    more = {"WWW-Authenticate": 'Bearer realm="wardwise"'} if kind == "unauthorized" else {}
    return answer_problem(kind, STANDING[kind], headers={**more, **(headers or {})})
