"""The site over two weeks' lists made by hand: asked directly, and served to a real browser."""

from __future__ import annotations

import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from limits import RateLimitItemPerMinute
from starlette.testclient import TestClient

from api.demo import prepare
from api.screens import FrontDesk
from api.setting import RULES, Setting
from api.storing import name_store
from api.today import Today
from api.web.app import make_site
from api.web.keeping import Office, prepare_demo
from api.web.login import Throttle
from api.web.login_settings import DEMO_SECRET, LoginSettings
from engine.store.database import Database
from tests.web.made import fill_store

DEMO = LoginSettings("http://127.0.0.1", DEMO_SECRET, demo=True)
REAL = LoginSettings("https://wardwise.example", "Wq7-xK2.mB9_tR4fLz8vN1cHs6Yd3pGj")
NOW = datetime(2026, 11, 24, 14, 5, tzinfo=UTC)
OWN = {"Sec-Fetch-Site": "same-origin"}
FLAGS = ("--no-sandbox", "--headless", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync")


class Visitor:
    """Somebody at the site, by requests a browser would send."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    def sign_in(self, role: str) -> Visitor:
        self.send("/sign-in", "/sign-in", role=role)
        return self

    def get(self, path: str) -> httpx.Response:
        return self.client.get(path)

    def send(self, page: str, path: str, **fields: str) -> httpx.Response:
        """Sends a form as it stands on a page."""
        return self.client.post(path, data={"form_token": self.token(page), **fields}, headers=OWN)

    def token(self, page: str) -> str:
        return re.findall(r'name="form_token" value="([^"]+)"', self.get(page).text)[-1]

    def flags(self, path: str) -> list[str]:
        return re.findall(r'<a class="govuk-link" href="(/flags/[^"]+)"', self.get(path).text)

    def version(self, page: str) -> str:
        return re.findall(r'name="version" value="(\d+)"', self.get(page).text)[0]


@dataclass(frozen=True)
class Borough:
    """An invented borough, and the site over it. `visit(role)` is another visitor, signed in."""

    home: Path
    database: Database
    office: Office
    site: FastAPI

    def visit(self, role: str = "") -> Visitor:
        visitor = Visitor(TestClient(self.site))
        return visitor.sign_in(role) if role else visitor


def open_borough(home: Path) -> Borough:
    """The site over a home that `prepare` made."""
    setting, database = Setting(home, RULES), Database(name_store(home, None))
    office = Office(setting, FrontDesk(home, Today(setting, NOW.date, lambda _: None).open, lambda: NOW))
    return Borough(home, database, office, make_site(database, DEMO, lambda: NOW, office=office))


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("store") / "store.db"
    database = fill_store(f"sqlite:///{path}")
    prepare_demo(database, NOW)         # the same people for every test: what they may see is then worked out once
    database.close()
    return path


@pytest.fixture
def store(filled: Path, tmp_path: Path) -> Iterator[Database]:
    """A copy of the store, for one test to change."""
    shutil.copy(filled, tmp_path / "store.db")
    database = Database(f"sqlite:///{tmp_path / 'store.db'}")
    yield database
    database.close()


@pytest.fixture
def visit(store: Database) -> Callable[..., Visitor]:
    """Another visitor at the same site."""
    site = make_site(store, DEMO, lambda: NOW)

    def come(role: str = "") -> Visitor:
        visitor = Visitor(TestClient(site))
        return visitor.sign_in(role) if role else visitor

    return come


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a small invented borough, its run, and the run's flags in the home's store. To be copied."""
    home = tmp_path_factory.mktemp("borough") / "home"
    prepare(Setting(home, RULES), name_store(home, None), residents=4_000, met=False)
    return home


@pytest.fixture
def borough(prepared: Path, tmp_path: Path) -> Iterator[Borough]:
    """A copy of that home for one test to change, and the site over it."""
    home = tmp_path / "home"
    shutil.copytree(prepared, home)
    opened = open_borough(home)
    yield opened
    opened.database.close()


@pytest.fixture(scope="session")
def served(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the site, served on a free port."""
    path = tmp_path_factory.mktemp("served") / "store.db"
    shutil.copy(filled, path)
    database = Database(f"sqlite:///{path}")
    site = make_site(database, DEMO, lambda: NOW, throttle=Throttle(visits=RateLimitItemPerMinute(10_000)))
    server = uvicorn.Server(uvicorn.Config(site, port=0, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()
    database.close()
