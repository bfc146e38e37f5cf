"""Long work that somebody asked for: its states, and how much of it there may be."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.store import audit, jobs
from engine.store.accounts import User
from engine.store.problems import Missing, StoreError

from .made import MONDAY, Store, later

ABOUT = {"meeting": "a" * 32, "number": 3}
DIGEST = "0123abcd" * 8


@pytest.fixture
def una(store: Store) -> User:
    return store.add_person()


def ask(store: Store, user: User, kind: str = "agenda_pdf", **more: bool) -> str:
    with store.database.writing(MONDAY, user.id) as writing:
        return jobs.ask(writing, kind, ABOUT, **more).id


def test_it_waits_runs_and_is_done(store: Store, una: User) -> None:
    id = ask(store, una)
    with store.database.writing(later(1), una.id) as writing:
        assert jobs.read(writing, id).state == "waiting"
        assert jobs.begin(writing, id).state == "running"
    with store.database.writing(later(2), una.id) as writing:
        done = jobs.finish(writing, id, "It is ready.", "agenda.pdf", DIGEST, {"run": "2026-11-23"})
    assert (done.state, done.said, done.file_name, done.file_digest) == ("done", "It is ready.", "agenda.pdf", DIGEST)
    assert (done.asked_at, done.started_at, done.ended_at) == (MONDAY, later(1), later(2))
    assert done.about == {**ABOUT, "run": "2026-11-23"}


@pytest.mark.parametrize("steps", [["finish"], ["begin", "begin"], ["begin", "finish", "fail"], ["fail", "begin"],
                                   ["stop", "begin"], ["begin", "stop", "finish"], ["begin", "stop", "fail"]])
def test_the_last_of_these_steps_is_refused(store: Store, una: User, steps: list[str]) -> None:
    id = ask(store, una)
    with store.database.writing(later(1), una.id) as writing:
        does = {"begin": lambda: jobs.begin(writing, id), "finish": lambda: jobs.finish(writing, id, "Ready."),
                "fail": lambda: jobs.fail(writing, id, "No."), "stop": lambda: jobs.stop_all(writing)}
        for step in steps[:-1]:
            does[step]()
        before = jobs.read(writing, id)
        with pytest.raises(StoreError, match=r"is (waiting|running|done|failed|stopped) already") as caught:
            does[steps[-1]]()
        assert caught.value.fault == "conflict"
        assert jobs.read(writing, id) == before


def test_only_what_is_under_way_is_stopped(store: Store, una: User) -> None:
    done, running, waiting = (ask(store, una) for _ in range(3))
    with store.database.writing(later(1), una.id) as writing:
        jobs.begin(writing, done)
        jobs.finish(writing, done, "It is ready.")
        jobs.begin(writing, running)
        assert jobs.stop_all(writing) == 2
        assert [jobs.read(writing, id).state for id in (done, running, waiting)] == ["done", "stopped", "stopped"]
        assert jobs.stop_all(writing) == 0


def test_three_of_one_person_wait_and_no_more(store: Store, una: User) -> None:
    first, *_others = (ask(store, una) for _ in range(jobs.MOST))
    with pytest.raises(StoreError, match="3 things you asked for are not ready yet"):
        ask(store, una)
    ask(store, store.add_person("Ola Other"))
    with store.database.writing(later(1), una.id) as writing:
        jobs.begin(writing, first)
        jobs.finish(writing, first, "It is ready.")
    ask(store, una)


def test_what_is_made_alone_is_made_once_at_a_time(store: Store, una: User) -> None:
    ola = store.add_person("Ola Other")
    run = ask(store, una, "run", alone=True)
    with pytest.raises(StoreError, match="the same is being made already"):
        ask(store, ola, "run", alone=True)
    ask(store, ola)
    with store.database.writing(later(1), una.id) as writing:
        jobs.fail(writing, run, "No.")
    ask(store, ola, "run", alone=True)


def test_somebodys_own_are_listed_newest_first(store: Store, una: User) -> None:
    ids = []
    for minute in range(3):
        with store.database.writing(later(minute), una.id) as writing:
            ids.append(jobs.ask(writing, "agenda_pdf", {}).id)
    ask(store, store.add_person("Ola Other"))
    with store.database.reading() as reading:
        assert [job.id for job in jobs.of_user(reading, una.id)] == ids[::-1]


def test_what_ended_long_ago_is_forgotten_and_still_in_the_log(store: Store, una: User) -> None:
    old, new = ask(store, una), ask(store, una)
    with store.database.writing(later(1), una.id) as writing:
        jobs.begin(writing, old)
        jobs.finish(writing, old, "It is ready.")
        assert jobs.find_kept(writing, MONDAY) == {old, new}
        assert jobs.find_kept(writing, later(1)) == {new}
        assert jobs.forget(writing, later(1)) == 0
        assert jobs.forget(writing, later(1) + timedelta(seconds=1)) == 1
        with pytest.raises(Missing):
            jobs.read(writing, old)
        assert jobs.read(writing, new).state == "waiting"
    with store.database.reading() as reading:
        lines, _ = audit.find(reading, audit.Wanted(object=old))
    assert {(line.action, line.body) for line in lines} == {
        ("job.asked", '{"kind":"agenda_pdf"}'), ("job.running", "{}"), ("job.done", '{"digest":null}')}
