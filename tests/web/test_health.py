"""Whether the site lives and is ready: asked by machines, every few seconds, without signing in."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.screens import FrontDesk
from api.setting import RULES, Setting
from api.today import Today
from api.web.app import make_site
from api.web.keeping import Office
from engine.store.audit import head
from engine.store.database import Database
from engine.store.versions import downgrade
from tests.web.conftest import DEMO, NOW, Borough, Visitor


def ask(database: Database, path: str = "/health/ready", office: Office | None = None) -> tuple[int, str]:
    answer = TestClient(make_site(database, DEMO, lambda: NOW, office=office)).get(path)
    return answer.status_code, answer.text


@pytest.mark.parametrize(("path", "said"), [("/health/live", "live"), ("/health/ready", "ready")])
def test_nobody_signs_in_and_nothing_is_written_or_kept(
    visit: Callable[..., Visitor], store: Database, path: str, said: str
) -> None:
    stranger = visit()
    with store.reading() as reading:
        before = head(reading)
    answer = stranger.get(path)
    assert (answer.status_code, answer.text, answer.headers["Cache-Control"]) == (200, said, "no-store")
    assert "set-cookie" not in answer.headers
    with store.reading() as reading:
        assert head(reading) == before


def test_it_is_asked_as_often_as_anybody_likes(visit: Callable[..., Visitor]) -> None:
    stranger = visit()
    assert {stranger.get("/health/live").status_code for _ in range(200)} == {200}


def test_a_store_of_another_version_is_not_ready_and_the_process_still_lives(tmp_path: Path, filled: Path) -> None:
    file = Path(shutil.copy(filled, tmp_path / "store.db"))
    database = Database(f"sqlite:///{file}")
    site = TestClient(make_site(database, DEMO, lambda: NOW))
    downgrade(f"sqlite:///{file}", "0001")
    assert (site.get("/health/ready").status_code, site.get("/health/ready").text) == (503, "not ready: store")
    assert site.get("/health/live").status_code == 200
    database.close()


def test_a_desk_that_cannot_be_opened_is_not_ready(store: Database, tmp_path: Path) -> None:
    home = tmp_path / "empty"       # nothing was ever taken in here, so there is no desk to screen an offer at
    today = Today(Setting(home, RULES), lambda: date(2026, 11, 24))
    office = Office(Setting(home, RULES), FrontDesk(home, today.open, lambda: NOW))
    assert ask(store, office=office) == (503, "not ready: desk")
    assert ask(store, "/health/live", office) == (200, "live")


def test_a_site_that_is_being_stopped_is_not_ready(store: Database) -> None:
    site = make_site(store, DEMO, lambda: NOW)
    site.state.jobs.stop()
    assert TestClient(site).get("/health/ready").text == "not ready: stopping"


@pytest.mark.more
def test_a_whole_borough_is_ready(borough: Borough) -> None:
    assert borough.visit().get("/health/ready").text == "ready"
