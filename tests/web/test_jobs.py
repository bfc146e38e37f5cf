"""Long work: asked for, watched, fetched by whoever asked, and never half there."""

from __future__ import annotations

import stat
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.web.app import make_site
from api.web.jobs import KEPT, MEDIA_TYPES, WRONG, Jobs, Learned, Made, Say, Work
from engine.errors import Problem, RunError
from engine.store import accounts
from engine.store import jobs as stored
from engine.store.database import Database
from engine.store.jobs import Job
from engine.store.problems import StoreError
from tests.web.conftest import DEMO, NOW, Visitor
from tests.web.made import SCRIPT

PDF = Made("agenda-2026-11-24.pdf", b"%PDF-1.7 nobody", MEDIA_TYPES[".pdf"])


class Clock:
    """A clock that a test puts forward."""

    now = NOW

    def __call__(self) -> datetime:
        return self.now


class Office:
    """A site whose jobs are kept in a folder, and a way to ask for work as a made-up person."""

    def __init__(self, store: Database, folder: Path) -> None:
        self.store, self.folder, self.clock = store, folder, Clock()
        self.told: list[str] = []
        self.site: FastAPI = make_site(store, DEMO, self.clock, say=self.told.append)
        self.jobs = self.site.state.jobs = Jobs(store, self.clock, self.told.append, folder, grace=0.2)

    def id_of(self, role: str) -> str:
        with self.store.reading() as reading:
            user = accounts.find_user(reading, f"demo-{role}")
        assert user is not None
        return user.id

    def ask(self, work: Work, role: str = "tasking_chair", kind: str = "agenda_pdf", **more: Any) -> str:
        return self.jobs.begin(self.id_of(role), self.clock(), kind, {"meeting": "a" * 32}, work, **more)

    def read(self, id: str) -> Job:
        with self.store.reading() as reading:
            return stored.read(reading, id)

    def wait(self, id: str) -> Job:
        """Until it is over."""
        for _ in range(500):
            if (job := self.read(id)).state not in stored.OPEN:
                return job
            threading.Event().wait(0.01)
        raise AssertionError("it is not over")

    def visit(self, role: str) -> Visitor:
        return Visitor(TestClient(self.site)).sign_in(role)


@pytest.fixture
def office(store: Database, tmp_path: Path) -> Iterator[Office]:
    opened = Office(store, tmp_path / "papers")
    yield opened
    opened.jobs.close()


class Slow:
    """Work that goes on until it is let go, and says each step it is told to."""

    def __init__(self, made: Made | str = PDF) -> None:
        self.made, self.begun, self.let_go = made, threading.Event(), threading.Event()
        self.say: Say = print

    def __call__(self, say: Say) -> Made | Learned | str:
        self.say = say
        say("laying the pages out")
        self.begun.set()
        self.let_go.wait(10)
        say("closing the file")
        return self.made


def quick(made: Made | Learned | str = PDF) -> Callable[[Say], Made | Learned | str]:
    return lambda _say: made


# --- watching ---------------------------------------------------------------------------------------------


def test_progress_is_shown_until_it_is_ready(office: Office) -> None:
    slow = Slow()
    id, chair = office.ask(slow), office.visit("tasking_chair")
    assert slow.begun.wait(5)
    page = chair.get(f"/jobs/{id}").text
    assert "Laying the pages out." in page
    assert 'role="status"' in page
    assert "Look again" in page         # the way on without scripts
    part = chair.get(f"/jobs/{id}/progress").text
    assert "<h1" not in part
    assert "running-1" in part
    assert chair.get(f"/jobs/{id}/progress?seen=running-1").status_code == 204      # nothing new to be read out
    slow.let_go.set()
    office.wait(id)
    page = chair.get(f"/jobs/{id}/progress?seen=running-1").text
    assert "hx-get" not in page         # it is over, so it is not asked for again
    assert f"/jobs/{id}/file" in page
    assert "Kept until 25 November 2026 at 2:05pm" in page


def test_whoever_was_signed_out_meanwhile_is_led_to_sign_in(office: Office) -> None:
    id = office.ask(quick())
    answer = Visitor(TestClient(office.site)).get(f"/jobs/{id}/progress")
    assert (answer.status_code, answer.headers["HX-Refresh"], answer.text) == (200, "true", "")


@pytest.mark.parametrize(("made", "said"), [("Nothing had to be made.", "Nothing had to be made."),
                                            (Learned("Two are new.", {"run": "2026-11-23"}), "Two are new."),
                                            (f"{SCRIPT}", "&lt;script&gt;")])
def test_work_without_a_file_ends_in_a_sentence(office: Office, made: Learned | str, said: str) -> None:
    id = office.ask(quick(made))
    job = office.wait(id)
    page = office.visit("tasking_chair").get(f"/jobs/{id}").text
    assert said in page
    assert f"/jobs/{id}/file" not in page
    assert job.about == {"meeting": "a" * 32, **(made.about if isinstance(made, Learned) else {})}


def test_everything_asked_for_is_listed_for_whoever_asked(office: Office) -> None:
    chair = office.visit("tasking_chair")
    assert "Nothing yet" in chair.get("/jobs").text
    office.wait(id := office.ask(quick()))
    assert f'href="/jobs/{id}/file"' in chair.get("/jobs").text
    assert "Nothing yet" in office.visit("analyst").get("/jobs").text


# --- whose it is -----------------------------------------------------------------------------------------


def test_nobody_else_finds_it(office: Office) -> None:
    id = office.ask(quick())
    office.wait(id)
    for role in ("tasking_member", "administrator", "analyst"):
        for path in (f"/jobs/{id}", f"/jobs/{id}/progress", f"/jobs/{id}/file"):
            assert office.visit(role).get(path).status_code == 404
    assert office.visit("tasking_chair").get(f"/jobs/{'0' * 32}/file").status_code == 404


def test_the_file_is_what_was_made_and_is_kept_by_nobody_on_the_way(office: Office) -> None:
    id = office.ask(quick())
    job = office.wait(id)
    answer = office.visit("tasking_chair").get(f"/jobs/{id}/file")
    assert answer.content == PDF.content
    assert answer.headers["Content-Disposition"] == 'attachment; filename="agenda-2026-11-24.pdf"'
    assert (answer.headers["Content-Type"], answer.headers["Cache-Control"]) == ("application/pdf", "no-store")
    assert job.file_digest == sha256(PDF.content).hexdigest()
    kept = office.folder / id
    assert [stat.S_IMODE(path.stat().st_mode) for path in (office.folder, kept)] == [0o700, 0o600]
    assert [path.name for path in office.folder.iterdir()] == [id]


def test_a_file_that_was_changed_is_not_handed_out(office: Office) -> None:
    office.wait(id := office.ask(quick()))
    (office.folder / id).write_bytes(b"something else")
    assert office.visit("tasking_chair").get(f"/jobs/{id}/file").status_code == 500


def test_a_file_is_deleted_after_a_day(office: Office) -> None:
    office.wait(id := office.ask(quick()))
    office.clock.now = NOW + KEPT - timedelta(minutes=1)
    office.jobs.sweep()
    assert office.visit("tasking_chair").get(f"/jobs/{id}/file").status_code == 200
    office.clock.now = NOW + KEPT
    assert office.visit("tasking_chair").get(f"/jobs/{id}/file").status_code == 404
    assert "is deleted" in office.visit("tasking_chair").get(f"/jobs/{id}").text
    office.jobs.sweep()
    assert list(office.folder.iterdir()) == []


# --- what goes wrong -------------------------------------------------------------------------------------


def fail(error: Exception) -> Work:
    def work(_say: Say) -> str:
        raise error
    return work


def test_a_problem_is_told_in_words_to_whoever_asked(office: Office) -> None:
    problem = Problem("/srv/wardwise/runs", "no run has been made here yet", "a run", "make one first")
    job = office.wait(office.ask(fail(RunError(problem))))
    assert (job.state, job.said) == ("failed", "No run has been made here yet. Make one first.")
    assert office.told == []


def test_a_defect_is_told_to_the_operator_by_its_place_alone(office: Office) -> None:
    job = office.wait(office.ask(fail(ValueError("Zebedee Quillfeather"))))
    assert (job.state, job.said) == ("failed", WRONG)
    assert len(office.told) == 1
    assert office.told[0].startswith("long work could not be done: ValueError at test_jobs.py:")


@pytest.mark.parametrize("made", [Made("agenda.exe", b"", "application/pdf"), Made("agenda.pdf", b"", "text/html"),
                                  Made('a"; x.pdf', b"", "application/pdf"), Made("../a.pdf", b"", "application/pdf")])
def test_only_files_of_a_known_kind_and_a_plain_name_are_kept(office: Office, made: Made) -> None:
    assert office.wait(office.ask(quick(made))).state == "failed"
    assert not office.folder.exists()


def test_what_goes_wrong_stops_nothing_else(office: Office) -> None:
    office.ask(fail(KeyError("x")))
    assert office.wait(office.ask(quick())).state == "done"


def test_three_at_once_are_enough_for_one_person(office: Office) -> None:
    slow = Slow()
    for _ in range(3):
        office.ask(slow)
    with pytest.raises(StoreError, match="3 things you asked for are not ready yet"):
        office.ask(slow)
    office.ask(slow, role="tasking_member")
    slow.let_go.set()


def test_of_some_work_there_is_one_at_a_time_whoever_asks(office: Office) -> None:
    slow = Slow("")
    office.ask(slow, role="analyst", kind="run", alone=True)
    with pytest.raises(StoreError, match="the same is being made already"):
        office.ask(slow, kind="run", alone=True)
    slow.let_go.set()


# --- stopping --------------------------------------------------------------------------------------------


def test_what_is_nearly_ready_is_waited_for(office: Office) -> None:
    slow = Slow()
    id, waiting = office.ask(slow), office.ask(quick())
    assert slow.begun.wait(5)
    threading.Timer(0.05, slow.let_go.set).start()
    office.jobs.close()
    assert (office.read(id).state, office.read(waiting).state) == ("done", "stopped")
    assert [path.name for path in office.folder.iterdir()] == [id]


def test_what_takes_too_long_is_given_up_at_its_next_step_and_nothing_half_made_is_kept(office: Office) -> None:
    slow = Slow()
    id = office.ask(slow)
    assert slow.begun.wait(5)
    threading.Timer(0.5, slow.let_go.set).start()
    office.jobs.close()
    assert office.read(id).state == "stopped"
    assert not office.folder.exists()
    page = office.visit("tasking_chair").get(f"/jobs/{id}").text
    assert "The server was stopped before it was ready" in page
    with pytest.raises(StoreError, match="Wardwise is being stopped"):
        office.ask(quick())


def test_a_server_that_starts_gives_up_what_another_left_and_deletes_what_nobody_knows(office: Office) -> None:
    with office.store.writing(NOW, office.id_of("tasking_chair")) as writing:
        left = stored.ask(writing, "agenda_pdf", {}).id
        stored.begin(writing, left)
    office.wait(id := office.ask(quick()))
    (office.folder / f"{left}.draft").write_bytes(b"half")
    (office.folder / ("9" * 32)).write_bytes(b"of a store that was restored")
    office.jobs.open()
    assert office.read(left).state == "stopped"
    assert [path.name for path in office.folder.iterdir()] == [id]
