"""Many writers, and writers that die: nothing lost, nothing twice, nothing half-written."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from collections import Counter
from datetime import date

import pytest
from sqlalchemy import event, func, select, text

from engine.store import actions, audit, flags, reviews
from engine.store.connections import open_engine, transaction
from engine.store.database import Database
from engine.store.problems import Stale, Unready
from engine.store.tables import reviews as reviews_table

from .acts import open_again
from .made import BECAUSE, MONDAY, Store, later

DUE = date(2027, 1, 8)


def decide_often(url: str, user: str, flag_ids: list[str], times: int, told_stale: object) -> None:
    """One officer: decides one flag after another, over all of them again and again, with what was last seen."""
    database = open_again(url)
    stale = 0
    for number in range(times):
        while True:
            with database.reading() as reading:
                seen = flags.read_row(reading, flag_ids[number % len(flag_ids)])
            try:
                with database.writing(later(number), user) as writing:
                    version = seen.version if seen.state != "proposed" else reviews.take_up(
                        writing, seen.id, seen.version).version
                    reviews.decide(writing, seen.id, version, ("confirmed", "declined")[number % 2], "other",
                                   f"{BECAUSE} {user} {number}")
                break
            except Stale:       # somebody was quicker: read, and decide again
                stale += 1
    told_stale.put(stale)       # type: ignore[attr-defined]
    database.close()


def crowd(store: Store, writers: int, times: int) -> tuple[list[str], int]:
    """So many officers, each a process, decide the same flags so often. Their ids, and how often one came second."""
    store.publish()
    users = [store.add_person(f"Officer{number} Busy").id for number in range(writers)]
    ids = [flag.id for flag in store.flags()]
    store.database.close()
    fork = multiprocessing.get_context("fork")
    told_stale = fork.Queue()
    processes = [fork.Process(target=decide_often, args=(store.url, user, ids, times, told_stale)) for user in users]
    for process in processes:
        process.start()
    stale = sum(told_stale.get(timeout=900) for _ in processes)
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * writers
    return users, stale


def check_nothing_lost(store: Store, users: list[str], times: int) -> None:
    """Each word of each officer is there once; versions, numbers and the log all tell of the same changes."""
    with store.database.reading() as reading:
        kept = reading.all(select(reviews_table))
        assert Counter(row["rationale"] for row in kept) == Counter(
            f"{BECAUSE} {user} {number}" for user in users for number in range(times))
        for flag in flags.find(reading, flags.Filters(), size=100).rows:
            of_it = reviews.of_flag(reading, flag.id)
            assert [review.number for review in of_it] == list(range(1, len(of_it) + 1))
            assert flag.version == 2 + len(of_it)      # published, taken up once, and each decision
            assert flag.state == of_it[-1].decision
        assert audit.find(reading, audit.Wanted(action="flag.decided"))[1] == len(kept)
        assert audit.verify(reading) is None


def test_eight_writers_of_twenty_five_reviews_lose_nothing(store: Store) -> None:
    users, _stale = crowd(store, 8, 25)
    check_nothing_lost(store, users, 25)


@pytest.mark.more
@pytest.mark.parametrize("kind", ["postgresql"])
def test_eight_writers_of_five_hundred_reviews_lose_nothing_on_postgresql(store: Store) -> None:
    users, stale = crowd(store, 8, 500)
    check_nothing_lost(store, users, 500)
    assert stale > 0        # they did meet


# --- killed ---------------------------------------------------------------------------------------


def decide_and_die(url: str, flag_id: str, user: str, after: int) -> int:
    """Takes a flag up, decides it and agrees an action, all in one, in a process that kills itself after so many
    statements. How it ended."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    signal.alarm(60)
    try:
        database = open_again(url)
        done = 0

        def count(*_: object) -> None:
            nonlocal done
            done += 1
            if done == after:
                os.kill(os.getpid(), signal.SIGKILL)

        with database.writing(MONDAY, user) as writing:
            event.listen(writing._connection, "after_cursor_execute", count)
            seen = reviews.take_up(writing, flag_id, flags.read_row(writing, flag_id).version)
            review = reviews.decide(writing, flag_id, seen.version, "confirmed", "other", BECAUSE)
            actions.agree(writing, flag_id, "Visit together with the police.", "police", "A. Worker", DUE, review.id)
    except BaseException:
        os._exit(1)
    os._exit(0)


def everything(database: Database) -> dict[str, list[dict[str, object]]]:
    with database.reading() as reading:
        return {table: [dict(row) for row in reading.all(text(f"SELECT * FROM {table} ORDER BY 1"))]
                for table in ("flags", "reviews", "actions", "audit")}


def kill_and_look(store: Store, steps: list[int]) -> None:
    store.publish()
    officer, flag = store.add_person(), store.flag()
    before = everything(store.database)
    for step in steps:
        store.database.close()
        assert decide_and_die(store.url, flag.id, officer.id, step) == -signal.SIGKILL, step
        assert everything(store.database) == before, step

    assert decide_and_die(store.url, flag.id, officer.id, 10_000) == 0       # the same, left alone
    after = everything(store.database)
    assert [len(after[table]) - len(before[table]) for table in ("reviews", "actions")] == [1, 1]
    with store.database.reading() as reading:
        assert audit.verify(reading) is None


def test_a_writer_killed_in_mid_write_leaves_nothing_half_written(store: Store) -> None:
    """After taking the flag up, after the decision, and before the end."""
    kill_and_look(store, [6, 14, 22])


@pytest.mark.more
def test_a_writer_killed_ten_times_in_mid_write_leaves_nothing_half_written(store: Store) -> None:
    kill_and_look(store, list(range(5, 25, 2)))


# --- waiting --------------------------------------------------------------------------------------


def test_a_writer_that_waits_too_long_is_told_and_readers_never_wait(
    store: Store, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.store.connections.WAIT", 0.3 if store.database.kind == "sqlite" else 1)
    impatient = open_again(url)
    engine = open_engine(url)
    with transaction(engine, writes=True):
        with pytest.raises(Unready, match="is busy: another change has held it"), \
                impatient.writing(MONDAY, "u1") as writing:
            audit.append(writing, "flag.read")
        with impatient.reading() as reading:
            assert reading.value(select(func.count()).select_from(reviews_table)) == 0
    engine.dispose()
    with impatient.writing(MONDAY, "u1") as writing:
        audit.append(writing, "flag.read")
    impatient.close()


def test_what_a_killed_writer_held_is_free_at_once(store: Store) -> None:
    store.publish()
    officer, flag = store.add_person(), store.flag()
    store.database.close()
    decide_and_die(store.url, flag.id, officer.id, 14)
    assert store.decide(store.take_up(flag, officer), officer).number == 1
    with store.database.reading() as reading:
        assert json.loads(audit.find(reading, audit.Wanted(action="flag.decided"))[0][0].body)["number"] == 1
