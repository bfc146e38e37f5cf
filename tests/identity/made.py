"""A site that is only its way in: pages are their template's name and values, as JSON, so that a test reads them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from pyotp import TOTP
from sqlalchemy import select
from starlette.testclient import TestClient

from api.web.login_routes import make_login_routes
from api.web.login_settings import LoginSettings
from api.web.passwords import Cost, Passwords
from api.web.sessions import Sessions
from engine.store import accounts
from engine.store.accounts import User
from engine.store.database import Database
from engine.store.tables import audit, sessions

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
PASSWORD, OTHER = "plum lantern ferry", "seven quiet otters"
SECRET = "k7Jq2vXw9TzR4mNb8LcY3hFd6PgS1aEu"
ADDRESS = "https://wardwise.council.example"
CHEAP = Passwords(Cost(1, 8, 1))


class Place:
    """The site and its store. `now` is what its clock says."""

    def __init__(
        self, store: Database, settings: LoginSettings | None = None, now: datetime = NOW, **parts: Any
    ) -> None:
        self.store, self.now, self.told = store, now, list[str]()
        self.settings = settings or LoginSettings(ADDRESS, SECRET)
        numbers = itertools.count(1)

        def draw() -> str:
            return f"token-{next(numbers)}"

        self.sessions = Sessions(store, self.settings.encrypted, lambda: self.now, draw, self.settings.demo)
        self.passwords = parts.pop("passwords", CHEAP)
        self.site = FastAPI()
        self.site.include_router(make_login_routes(
            store, self.settings, show, self.sessions, self.passwords, clock=lambda: self.now, draw=draw,
            tell=self.told.append, **parts))
        self.site.add_api_route("/", self.show_start)

    def show_start(self, request: Request) -> Response:
        session = self.sessions.find(request)
        person = session.person if session else None
        return JSONResponse({"person": person.name if person else None,
                             "roles": sorted(person.roles) if person else []})

    def add(self, login: str, name: str, *roles: str, password: str | None = PASSWORD, **more: Any) -> User:
        kept = self.passwords.hash(password) if password else None
        with self.store.writing(self.now, "system") as writing:
            return accounts.add_user(writing, login, name, "community_safety", roles, password_hash=kept, **more)

    def user(self, login: str = "pat@council.example") -> User:
        with self.store.reading() as reading:
            found = accounts.find_user(reading, login)
        assert found is not None
        return found

    def later(self, **by: float) -> None:
        self.now += timedelta(**by)

    def visitor(self, address: str = "192.0.2.7") -> Visitor:
        client = TestClient(self.site, base_url=self.settings.address, follow_redirects=False, client=(address, 50000))
        return Visitor(client)

    def said(self, *actions: str) -> list[tuple[str, str]]:
        """The lines of the audit log about some actions: action and object."""
        with self.store.reading() as reading:
            rows = reading.all(select(audit.c.action, audit.c.object).order_by(audit.c.id))
        return [(row["action"], row["object"]) for row in rows if row["action"] in actions]

    def sessions_kept(self) -> Sequence[Mapping[str, Any]]:
        with self.store.reading() as reading:
            return reading.all(select(sessions))


class Visitor:
    """Somebody with a browser."""

    def __init__(self, client: TestClient) -> None:
        self.client, self.token = client, ""

    def get(self, path: str) -> httpx.Response:
        return self._note(self.client.get(path))

    def send(self, path: str, **fields: str) -> httpx.Response:
        """Sends a form with the token of the page seen last."""
        return self._note(self.client.post(path, data={"form_token": self.token, **fields}))

    def sign_in(self, login: str = "pat@council.example", password: str = PASSWORD, **more: str) -> httpx.Response:
        self.get("/sign-in")
        return self.send("/sign-in", login=login, password=password, **more)

    def follow(self, answer: httpx.Response) -> httpx.Response:
        return self.get(answer.headers["location"])

    @property
    def name(self) -> str | None:
        """Who the site takes them for."""
        return self.client.get("/").json()["person"]

    @property
    def cookie(self) -> str:
        return next((value for name, value in self.client.cookies.items() if name.endswith("wardwise")), "")

    def _note(self, answer: httpx.Response) -> httpx.Response:
        if answer.headers.get("content-type", "").startswith("application/json"):
            self.token = answer.json().get("form_token", self.token)
        return answer


def show(_request: Request, template: str, values: Mapping[str, Any], status: int) -> Response:
    return JSONResponse({"template": template, **values}, status)


def code_at(moment: datetime, key: str, steps: int = 0) -> str:
    """The code a telephone shows at a moment, or some steps of half a minute later."""
    return TOTP(key.replace(" ", "")).at(moment, counter_offset=steps)


def read(answer: httpx.Response) -> Any:
    return json.loads(answer.text)
