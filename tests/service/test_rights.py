"""Who may do what: every path, for every role, and for whoever has no token that works."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from api.service import OPENAPI
from api.tokens import Role, Tokens

from .conftest import ADA, DAY, HARD, NEAR, ROOMY, STEPPED, Office

WORDS = "The household saw it and asked for it."
OFFICERS, MANAGERS = {"housing_officer", "housing_manager"}, {"housing_manager"}
REPORTS = {"housing_manager", "analyst"}

# path, what is sent, who may; `{s}` is a screening, `{o}` an offer that stands
TABLE: list[tuple[str, str, Any, set[str]]] = [
    ("POST", "/screenings", {"applicant": ADA, "uprn": STEPPED}, OFFICERS),
    ("GET", "/screenings/{s}", None, OFFICERS),
    ("POST", "/screenings/{s}/answers", {"answers": [NEAR]}, OFFICERS),
    ("POST", "/shortlists", {"uprn": STEPPED}, OFFICERS),
    ("GET", "/questions", None, OFFICERS),
    ("POST", "/screenings/{s}/overrides", {"rule": HARD, "reason": WORDS, "mitigation": WORDS}, MANAGERS),
    ("POST", "/screenings/{s}/offer", {}, OFFICERS),
    ("POST", "/offers/{o}/withdrawal", {"reason": WORDS}, OFFICERS),
    ("GET", "/overrides", None, REPORTS),
    ("GET", "/screenings/{s}/replay", None, REPORTS),
]
ROLES: list[Role] = ["housing_officer", "housing_manager", "analyst"]
by_path = pytest.mark.parametrize(("method", "path", "sent", "may"), TABLE, ids=[f"{m} {p}" for m, p, _, _ in TABLE])


def test_every_path_is_in_the_table(office: Office) -> None:
    described = office.service.openapi()["paths"]
    listed = {(method, f"/api/v1{path.format(s='{screening}', o='{offer}')}") for method, path, _, _ in TABLE}
    listed.add(("GET", "/api/v1/health"))
    assert {(method.upper(), path) for path, methods in described.items() for method in methods} == listed


@pytest.fixture
def filled(office: Office) -> Office:
    """An office with a screening S000001 and an offer OF000001 that stands."""
    office.screen(ADA, STEPPED)
    assert office.post(f"/screenings/{office.screen('HR-4', ROOMY)['id']}/offer", {}).status_code == 201
    return office


def send(office: Office, method: str, path: str, sent: Any, role: Role | None, **more: Any) -> int:
    request = {"json": sent} if sent is not None else {}
    return office.ask(method, path.format(s="S000001", o="OF000001"), role, **request, **more).status_code


@by_path
def test_a_role_may_do_what_it_needs_and_no_more(
    filled: Office, method: str, path: str, sent: Any, may: set[str]
) -> None:
    refused = {role for role in ROLES if role not in may}
    kept = filled.kept()
    for role in refused:
        assert send(filled, method, path, sent, role) == 403
    assert filled.kept() == kept
    for role in ROLES:
        if role in may:
            assert send(filled, method, path, sent, role) not in (401, 403)


@by_path
def test_nobody_gets_in_without_a_token_that_works(
    filled: Office, method: str, path: str, sent: Any, may: set[str]
) -> None:
    tokens = Tokens(filled.home)
    yesterday = DAY - timedelta(days=1)
    expired = tokens.add("expired", "housing_manager", yesterday, yesterday)
    revoked = tokens.add("revoked", "housing_manager", DAY)
    tokens.revoke("revoked", DAY)
    right = filled.tokens["housing_manager"]
    kept = filled.kept()
    for header in ("", "Bearer", "Bearer ", f"Bearer {right}x", f"Bearer {right[:-1]}", f"Basic {right}", right,
                   f"Bearer {expired}", f"Bearer {revoked}", "Bearer \u00e9\u00ff"):
        assert send(filled, method, path, sent, None, headers={"Authorization": header.encode("latin-1")}) == 401
    assert send(filled, method, path, sent, None) == 401
    assert filled.kept() == kept


def test_two_tokens_at_once_are_none(filled: Office) -> None:
    right = f"Bearer {filled.tokens['housing_manager']}"
    answer = filled.ask("GET", "/questions", None, headers=[("Authorization", right), ("Authorization", right)])
    assert answer.status_code == 401


def test_who_is_refused_is_told_how_to_show_a_token(filled: Office) -> None:
    answer = filled.get("/questions", None)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert "Authorization: Bearer TOKEN" in answer.json()["problems"][0]["fix"]


def test_a_token_revoked_while_the_service_runs_stops_working_at_once(filled: Office) -> None:
    assert filled.get("/questions").status_code == 200
    Tokens(filled.home).revoke("housing_officer", DAY)
    assert filled.get("/questions").status_code == 401


def test_health_and_the_description_are_open_and_say_nothing_of_anybody(filled: Office) -> None:
    health = filled.get("/health", None)
    assert health.json() == {"status": "up", "as_of": str(date(2026, 11, 23))}
    description = filled.ask("GET", OPENAPI.removeprefix("/api/v1"), None)
    assert description.status_code == 200
    assert "Example Street" not in description.text
