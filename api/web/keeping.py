"""The store as the site uses it: the database of an application, the moment of a change, what a user is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import HTTPException, Request

from api.screens import FrontDesk
from api.setting import Setting
from engine.contract import AGENCIES
from engine.lists import LISTS
from engine.store.accounts import add_user, find_user, read_user
from engine.store.agreements import Terms, find_holding, make
from engine.store.database import SYSTEM, Database, Reading
from engine.store.problems import Missing


@dataclass(frozen=True)
class Office:
    """What a site stands on besides its store: the home with its runs and the rules, and the desk for offers."""

    setting: Setting
    front: FrontDesk


def find_office(request: Request) -> Office:
    """The home and desk of the site that was asked; 503 where it was set up over a store alone."""
    office: Office | None = request.app.state.office
    if office is None:
        raise HTTPException(503)
    return office


def find_database(request: Request) -> Database:
    """The store of the site that was asked."""
    database: Database = request.app.state.database
    return database


def read_now(request: Request) -> datetime:
    """The moment of a request, by the clock of the site."""
    clock: Callable[[], datetime] = request.app.state.clock
    return clock()


def name_user(reading: Reading, user: str) -> str:
    """What a user is called; the timetable has no name, and nobody is shown an id."""
    if user == SYSTEM:
        return "the weekly run"
    try:
        return read_user(reading, user).name
    except Missing:
        return "somebody whose account is gone"


DEMO: Mapping[str, tuple[str, str]] = {
    "tasking_chair": ("Priya Chair", "community_safety"), "tasking_member": ("Sam Member", "police"),
    "housing_officer": ("Lee Officer", "housing"), "housing_manager": ("Jo Manager", "housing"),
    "agency_officer": ("Alex Officer", "social_care"), "analyst": ("Robin Analyst", "community_safety"),
    "governance": ("Kit Governance", "community_safety"), "councillor": ("Cllr Morgan", "community_safety"),
    "administrator": ("Chris Administrator", "community_safety"),
    "monitoring_officer": ("Dana Monitoring", "community_safety"),
}
"""One made-up person for each role that has a page, with their agency; nobody here exists."""


DEMO_WARDS = ("Ashfold",)      # of the made-up councillor


def prepare_demo(database: Database, at: datetime) -> None:
    """The made-up person of each role, without a password, and an agreement between their agencies, where missing."""
    today = at.date()
    with database.reading() as reading:
        missing = [role for role in DEMO if find_user(reading, f"demo-{role}") is None]
        signed = find_holding(reading, today)
    with database.writing(at, SYSTEM) as writing:
        for role in missing:
            add_user(writing, f"demo-{role}", *DEMO[role], [role], wards=DEMO_WARDS if role == "councillor" else ())
        if not signed:
            make(writing, Terms("Made-up sharing agreement of the demonstration", "DEMO-1", "DEMO-DPIA-1",
                                tuple(AGENCIES), ("prevent_crime_and_disorder", "housing_and_homelessness"),
                                tuple(LISTS.values()), today, today + timedelta(days=365)))
