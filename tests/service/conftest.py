"""A housing office made by hand: five homes, five applications, and the service over them, asked in process."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from fastapi import FastAPI

from api.intake import Delivery, take_in
from api.screens import FrontDesk, OpenDesk
from api.service import make_service
from api.setting import RULES, Setting
from api.today import Today
from api.tokens import RIGHTS, Role, Tokens

DAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)

# Ada uses a wheelchair; Bob's entry has run out; nobody is recorded in the empty household; Dee and Eve wait like Ada.
ADA, BOB, EMPTY, DEE, EVE = "HR-1", "HR-2", "HR-3", "HR-4", "HR-5"
# Stepped, level and wheelchair-accessible homes; one that is let; one nobody has put on the map.
STEPPED, ROOMY, ACCESSIBLE, LET, NOWHERE = "100000001", "100000002", "100000003", "100000004", "100000005"

HARD = "allocation/access-mismatch"
FAR_AWAY = {"fact": "travel_minutes", "value": 90, "told_on": "2026-11-23"}      # a soft conflict, if told
NEAR = {"fact": "travel_minutes", "value": 20, "told_on": "2026-11-23"}


def _person(ref: str, name: str) -> dict[str, str]:
    return {"person_ref": f"C{ref}", "person_forename": name, "person_surname": "Example",
            "person_dob": f"1980-02-0{ref[-1]}"} if name else dict.fromkeys(
                ("person_ref", "person_forename", "person_surname", "person_dob"), "")


_FEEDS: dict[str, list[dict[str, str]]] = {
    "housing_register": [
        {"application_ref": ref, "household_ref": f"H{ref}", "registered": "2024-03-01", "expires": expires,
         "band": band, "status": "live", "wheelchair": wheelchair, "recorded": "2024-03-02", **_person(ref, name)}
        for ref, name, expires, band, wheelchair in (
            (ADA, "Ada", "2027-12-31", "B", "Yes"), (BOB, "Bob", "2025-12-31", "A", "No"),
            (EMPTY, "", "2027-12-31", "C", "No"), (DEE, "Dee", "2027-12-31", "A", "No"),
            (EVE, "Eve", "2027-12-31", "C", "No"))],
    "household_members": [
        {"member_ref": f"M{ref}", "household_ref": f"H{ref}", "relation": "lead", "joined": "2020-01-01",
         "recorded": "2020-01-02", **_person(ref, name)}
        for ref, name in ((ADA, "Ada"), (BOB, "Bob"), (DEE, "Dee"), (EVE, "Eve"))],
    "properties": [
        {"uprn": uprn, "kind": "house", "tenure": "council", "landlord": "Example Council", "floor": "0", "beds": "2",
         "access": access, "void_since": "" if uprn == LET else "2026-10-01", "recorded": "2024-01-01"}
        for uprn, access in ((STEPPED, "none"), (ROOMY, "wheelchair"), (ACCESSIBLE, "wheelchair"), (LET, "none"),
                             (NOWHERE, "wheelchair"))],
    "addresses": [
        {"uprn": uprn, "address": f"{number} Example Street", "usrn": "21600001", "lsoa": "E01011229",
         "ward": "E05012345", "easting": "" if uprn == NOWHERE else f"43{number}100.0",
         "northing": "" if uprn == NOWHERE else "371100.0", "dwelling": "Yes", "recorded": "2020-01-01"}
        for number, uprn in enumerate((STEPPED, ROOMY, ACCESSIBLE, LET, NOWHERE), 1)],
    "housing_tenancies": [
        {"tenancy_ref": "T1", "household_ref": "H9", "started": "2025-01-01", "tenure": "council", "uprn": LET,
         "recorded": "2025-01-02", **_person("HR-9", "Fay")}],
}


@dataclass(frozen=True)
class Office:
    """A home, the service over it, and a token for each role."""

    home: Path
    service: FastAPI
    tokens: dict[Role, str]

    async def send(self, method: str, path: str, role: Role | None, **request: Any) -> httpx.Response:
        """One request, as somebody of a role."""
        shown = {"Authorization": f"Bearer {self.tokens[role]}"} if role else {}
        request["headers"] = [*httpx.Headers(shown).raw, *httpx.Headers(request.get("headers")).raw]
        transport = httpx.ASGITransport(self.service)
        async with httpx.AsyncClient(transport=transport, base_url="http://here/api/v1") as client:
            return await client.request(method, path, **request)

    def ask(self, method: str, path: str, role: Role | None = "housing_officer", **request: Any) -> httpx.Response:
        """The same, and waits for the answer."""
        return anyio.run(lambda: self.send(method, path, role, **request))

    def get(self, path: str, role: Role | None = "housing_officer", **request: Any) -> httpx.Response:
        return self.ask("GET", path, role, **request)

    def post(self, path: str, sent: Any, role: Role | None = "housing_officer", **request: Any) -> httpx.Response:
        return self.ask("POST", path, role, json=sent, **request)

    def screen(self, applicant: str, uprn: str, *answers: dict[str, Any], **more: Any) -> dict[str, Any]:
        """A screening, which is expected to work."""
        answer = self.post("/screenings", {"applicant": applicant, "uprn": uprn, "answers": list(answers), **more})
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def kept(self) -> dict[str, bytes]:
        """Every file of what was screened and decided: a refused request changes none of it."""
        folder = self.home / "screenings"
        return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*"))
                if path.is_file() and path.suffix != ".lock"}


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home where everything has been taken in and the desk of the day is made."""
    home, extracts = tmp_path_factory.mktemp("furnished"), tmp_path_factory.mktemp("extracts")
    setting = Setting(home, RULES)
    deliveries = []
    for feed, rows in _FEEDS.items():
        with (extracts / f"{feed}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        deliveries.append(Delivery(extracts / f"{feed}.csv", feed, date(2026, 11, 22), date(2026, 11, 22)))
    intake = take_in(setting.lake, deliveries, lambda *_: None, [])
    assert not intake.problems
    assert sum(receipt.refused for receipt in intake.receipts) == 0
    Today(setting, lambda: DAY).open()
    return home


@pytest.fixture(scope="session")
def today(furnished: Path) -> Today:
    """The desk of the day, in memory once for all tests: it never changes."""
    return Today(Setting(furnished, RULES), lambda: DAY)


@pytest.fixture
def office(furnished: Path, today: Today, tmp_path: Path) -> Office:
    """The office on a morning when nothing has been screened yet."""
    home = tmp_path / "home"
    shutil.copytree(furnished, home)
    return open_office(home, today.open)


def open_office(home: Path, open_desk: OpenDesk, now: Callable[[], datetime] = lambda: NOW) -> Office:
    """The service over a home, with a token for each role."""
    tokens = Tokens(home)
    given: dict[Role, str] = {role: tokens.add(role, role, DAY) for role in RIGHTS}
    return Office(home, make_service(FrontDesk(home, open_desk, now), tokens, home), given)
