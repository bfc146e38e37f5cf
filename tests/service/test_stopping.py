"""The site as it really runs, started and stopped: what it refuses to start without, and what stands when it stops."""

from __future__ import annotations

import csv
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from api.intake import Delivery, take_in
from api.setting import RULES, Setting
from api.storing import name_store
from engine.store import accounts, jobs
from engine.store.database import SYSTEM, Database, create
from engine.store.jobs import Job

from .served import ROOT, find_port

LONG_AGO = date(2020, 6, 1)       # whatever the clock of this machine says, this was taken in before
REAL = {"WARDWISE_ADDRESS": "https://wardwise.example", "WARDWISE_SECRET": "Wq7-xK2.mB9_tR4fLz8vN1cHs6Yd3pGj",
        "WARDWISE_DPIA": "DPIA 14", "WARDWISE_DPIA_REVIEW_BY": "2099-12-31",
        "WARDWISE_EIA": "EIA 3", "WARDWISE_EIA_REVIEW_BY": "2099-12-31"}
TOKEN, FORM = "a token of this test", "f" * 43


@dataclass
class Home:
    """A home with a few addresses, and a store in which an analyst is signed in."""

    folder: Path
    analyst: str

    @property
    def runs(self) -> list[str]:
        return Setting(self.folder, RULES).runs.names()

    def read(self, id: str) -> Job:
        database = Database(name_store(self.folder, None))
        with database.reading() as reading:
            job = jobs.read(reading, id)
        database.close()
        return job


@pytest.fixture
def home(tmp_path: Path) -> Home:
    folder, extract = tmp_path / "home", tmp_path / "addresses.csv"
    setting = Setting(folder, RULES)
    with extract.open("w", newline="", encoding="utf-8") as file:
        rows = [{"uprn": f"10000000{number}", "address": f"{number} Example Street", "usrn": "21600001",
                 "lsoa": "E01011229", "ward": "E05012345", "easting": f"43{number}100.0", "northing": "371100.0",
                 "dwelling": "Yes", "recorded": "2020-01-01"} for number in range(1, 6)]
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    assert not take_in(setting.lake, [Delivery(extract, "addresses", LONG_AGO, LONG_AGO)], lambda *_: None, []).problems
    create(name_store(folder, None))
    database = Database(name_store(folder, None))
    with database.writing(datetime.now(UTC), SYSTEM) as writing:
        analyst = accounts.add_user(writing, "ann@council.test", "Ann", "community_safety", ["analyst"]).id
        accounts.begin_session(writing, sha256(TOKEN.encode()).hexdigest(), FORM, "local", user=analyst)
    database.close()
    return Home(folder, analyst)


def start(home: Home, port: int, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "api.cli", "serve", "--port", str(port), "--home", str(home.folder)], cwd=ROOT,
        text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **environment})


@dataclass
class Site:
    """The site in a process of its own, and the analyst at it."""

    process: subprocess.Popen[str]
    client: httpx.Client

    def begin_run(self) -> str:
        """Asks for the lists of today; the id of the work."""
        today = datetime.now(UTC).date()
        answer = self.client.post("/runs/new", data={"form_token": FORM, "as_of": f"{today:%d/%m/%Y}"})
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"].removeprefix("/jobs/")

    def wait_for_step(self, id: str) -> None:
        """Until it is being worked on and has said so."""
        for _ in range(600):
            if re.search(r"seen=running-[1-9]", self.client.get(f"/jobs/{id}/progress").text):
                return
            time.sleep(0.02)
        raise AssertionError("it has not begun")

    def end(self, sent: signal.Signals) -> str:
        """Sends a signal; what was told until the end."""
        self.process.send_signal(sent)
        return self.process.communicate(timeout=60)[1]


@pytest.fixture
def site(home: Home) -> Iterator[Site]:
    yield from open_site(home)


def open_site(home: Home) -> Iterator[Site]:
    port = find_port()
    process = start(home, port, **REAL)
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, headers={
        "Cookie": f"__Host-wardwise={TOKEN}", "Sec-Fetch-Site": "same-origin"})
    try:
        for _ in range(600):
            try:
                client.get("/health/live")
                break
            except httpx.TransportError:
                assert process.poll() is None, process.communicate()
                time.sleep(0.1)
        yield Site(process, client)
    finally:
        client.close()
        if process.poll() is None:
            process.kill()
            process.wait()


def test_it_does_not_start_for_real_people_without_what_it_stands_on(home: Home) -> None:
    told = start(home, find_port(), WARDWISE_ADDRESS=REAL["WARDWISE_ADDRESS"]).communicate(timeout=60)[1]
    assert "5 problems" in told
    for name in ("WARDWISE_SECRET", "WARDWISE_DPIA", "WARDWISE_DPIA_REVIEW_BY", "WARDWISE_EIA",
                 "WARDWISE_EIA_REVIEW_BY"):
        assert f"{name}: is not set" in told


def test_a_run_under_way_is_finished_before_it_stops(home: Home, site: Site) -> None:
    assert site.client.get("/health/ready").text == "ready"
    id = site.begin_run()
    site.wait_for_step(id)
    told = site.end(signal.SIGTERM)
    assert site.process.returncode == 0
    assert "Stopped." in told
    assert "Traceback" not in told
    job = home.read(id)
    assert (job.state, [job.about["run"]]) == ("done", home.runs)
    assert not list((home.folder / "runs").glob(".draft-*"))


@pytest.mark.more
def test_a_run_that_was_killed_leaves_nothing_and_the_next_start_says_that_it_was_stopped(
    home: Home, site: Site
) -> None:
    id = site.begin_run()
    site.wait_for_step(id)
    site.end(signal.SIGKILL)
    assert (home.read(id).state, home.runs) == ("running", [])
    for again in open_site(home):
        assert "The server was stopped before it was ready" in again.client.get(f"/jobs/{id}").text
        again.wait_for_step(again.begin_run())       # nothing of the first one stands in the way
        again.end(signal.SIGINT)
        assert again.process.returncode == 130
    assert len(home.runs) == 1
