"""The audit log: only ever added to, one chain however many write, and nobody in it."""

from __future__ import annotations

import json
import multiprocessing
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import text

from engine.store import audit
from engine.store.audit import Broken, Head, Wanted
from engine.store.chain import Note, tie
from engine.store.connections import open_engine, transaction
from engine.store.database import Database
from engine.store.problems import StoreError

from .acts import PLANTED, SILENT, acts, open_again, ways_to_write
from .made import MONDAY, Store, later

THREADS, EACH = 6, 200
PROCESSES, OF_EACH = 4, 100
GUARDS = {
    "sqlite": ("DROP TRIGGER audit_not_updated", "DROP TRIGGER audit_not_deleted", "DROP TRIGGER audit_not_replaced"),
    "postgresql": ("DROP TRIGGER audit_not_changed ON audit",),
}


def write_lines(database: Database, lines: int, actor: str = "u1") -> None:
    """So many appends, each a transaction of its own."""
    for number in range(lines):
        with database.writing(later(number), actor) as writing:
            audit.append(writing, "flag.read", f"f{number}", {"place": number})


def tamper(database: Database, url: str, *statements: str) -> None:
    """What somebody with the keys to the server can do: drop the triggers, and write as they like."""
    engine = open_engine(url)
    with transaction(engine, writes=True) as connection:
        for statement in (*GUARDS[database.kind], *statements):
            connection.exec_driver_sql(statement)
    engine.dispose()


def verify(database: Database, anchor: Head | None = None) -> Broken | None:
    with database.reading() as reading:
        return audit.verify(reading, anchor)


def head(database: Database) -> Head:
    with database.reading() as reading:
        return audit.head(reading)


# --- one chain ------------------------------------------------------------------------------------


def test_six_threads_of_two_hundred_appends_make_one_chain_without_a_break(database: Database) -> None:
    threads = [threading.Thread(target=write_lines, args=(database, EACH, f"u{n}")) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert head(database).id == THREADS * EACH
    assert verify(database) is None


def write_lines_alone(url: str, actor: str) -> None:
    write_lines(open_again(url), OF_EACH, actor)


def test_four_processes_of_a_hundred_appends_make_one_chain_without_a_break(url: str) -> None:
    fork = multiprocessing.get_context("fork")      # each opens the store itself, after the fork
    processes = [fork.Process(target=write_lines_alone, args=(url, f"u{n}")) for n in range(PROCESSES)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    assert [process.exitcode for process in processes] == [0] * PROCESSES
    database = open_again(url)
    assert head(database).id == PROCESSES * OF_EACH
    assert verify(database) is None
    database.close()


def test_a_chain_tied_by_writers_that_do_not_queue_is_found_broken(database: Database, url: str) -> None:
    """The two tests above can fail: two lines tied to the same one before are a fork, and are named."""
    write_lines(database, 2)
    with database.reading() as reading:
        first = audit.find(reading, Wanted())[0][1]
    fork = tie(3, later(3), "u2", Note("flag.read", "f9", {}), first.hash)
    tamper(database, url, f"INSERT INTO audit VALUES (3, '2026-11-23 09:33:00+00', 'u2', 'flag.read', 'f9', '{{}}', "
                          f"'{fork.prev}', '{fork.hash}')")
    assert verify(database) == Broken(3, "it is not tied to the line before: one of the two was changed")


def test_an_append_that_is_given_up_leaves_no_gap(database: Database) -> None:
    write_lines(database, 2)
    with pytest.raises(InterruptedError):
        give_up(database, "u1", lambda writing: audit.append(writing, "flag.read", "f1"))
    write_lines(database, 1)
    assert head(database).id == 3
    assert verify(database) is None


# --- only added to --------------------------------------------------------------------------------


@pytest.mark.parametrize("statement", [
    "UPDATE audit SET actor = 'u9' WHERE id = 2", "DELETE FROM audit WHERE id = 2", "TRUNCATE audit",
    "INSERT OR REPLACE INTO audit SELECT id, at, 'u9', action, object, body, prev, hash FROM audit WHERE id = 2",
    "INSERT INTO audit SELECT * FROM audit WHERE id = 2 ON CONFLICT (id) DO UPDATE SET actor = 'u9'",
])
def test_a_line_is_never_changed_or_taken_out(database: Database, statement: str) -> None:
    if statement.startswith("TRUNCATE" if database.kind == "sqlite" else "INSERT OR REPLACE"):
        with pytest.raises(StoreError), database.writing(MONDAY, "u1") as writing:
            writing.value(text(statement))      # the other database does not know the word at all
        return
    write_lines(database, 3)
    with pytest.raises(StoreError, match="does not allow this change"), database.writing(MONDAY, "u1") as writing:
        writing.value(text(statement))
    assert head(database).id == 3
    assert verify(database) is None


def test_reading_cannot_write(database: Database) -> None:
    with pytest.raises(StoreError), database.reading() as reading:
        reading.value(text("INSERT INTO audit SELECT 1, '2026-11-23', 'u1', 'a', 'b', '{}', '', ''"))
    assert head(database).id == 0


# --- what a chain shows ---------------------------------------------------------------------------


@pytest.mark.parametrize(("done", "named", "said"), [
    ("UPDATE audit SET actor = 'u9' WHERE id = 10", 10, "it does not say what was written: it was changed"),
    ("UPDATE audit SET body = '{}' WHERE id = 10", 10, "it does not say what was written: it was changed"),
    ("UPDATE audit SET at = '2026-11-24 00:00:00' WHERE id = 10", 10, "it does not say what was written"),
    ("UPDATE audit SET hash = 'aaaa' WHERE id = 10", 10, "it does not say what was written: it was changed"),
    ("DELETE FROM audit WHERE id = 10", 10, "it is gone: line 11 follows line 9"),
    ("DELETE FROM audit WHERE id < 3", 1, "it is gone: line 3 follows line 0"),
])
def test_with_the_triggers_dropped_and_a_line_touched_verifying_names_the_line(
    database: Database, url: str, done: str, named: int, said: str
) -> None:
    write_lines(database, 12)
    tamper(database, url, done)
    broken = verify(database)
    assert broken is not None
    assert broken.id == named
    assert broken.because.startswith(said)


def test_a_line_that_was_made_unreadable_is_named_too(database: Database, url: str) -> None:
    write_lines(database, 12)
    moment = {"sqlite": "gone", "postgresql": "infinity"}[database.kind]
    tamper(database, url, f"UPDATE audit SET at = '{moment}' WHERE id = 10")
    assert verify(database) == Broken(10, "it cannot be read: it was changed")


def test_a_line_changed_together_with_its_hash_is_told_by_the_next_one(database: Database, url: str) -> None:
    write_lines(database, 12)
    with database.reading() as reading:
        line = audit.find(reading, Wanted(object="f9"))[0][0]
    other = tie(line.id, line.at, "u9", Note(line.action, line.object, json.loads(line.body)), line.prev)
    tamper(database, url, f"UPDATE audit SET actor = 'u9', hash = '{other.hash}' WHERE id = {line.id}")
    assert verify(database) == Broken(line.id + 1, "it is not tied to the line before: one of the two was changed")


def test_a_log_that_was_cut_short_or_written_anew_is_told_by_a_head_printed_earlier(
    database: Database, url: str
) -> None:
    write_lines(database, 12)
    printed = head(database)
    write_lines(database, 3)
    assert verify(database, printed) is None

    tamper(database, url, "DELETE FROM audit WHERE id > 9")
    assert verify(database) is None
    assert verify(database, printed) == Broken(
        10, "the log ends here, but line 12 was once its head: lines were cut off")

    write_lines(database, 6)
    assert verify(database, printed) == Broken(
        12, "it has another hash than was printed: the log was written anew up to here")


# --- searched -------------------------------------------------------------------------------------


def test_lines_are_found_by_who_what_whom_and_when_newest_first(database: Database) -> None:
    write_lines(database, 5, "u1")
    write_lines(database, 5, "u2")
    with database.reading() as reading:
        def numbers(wanted: Wanted, page: int = 1) -> list[int]:
            return [line.id for line in audit.find(reading, wanted, page, 4)[0]]

        assert numbers(Wanted()) == [10, 9, 8, 7]
        assert numbers(Wanted(), page=3) == [2, 1]
        assert numbers(Wanted(actor="u1")) == [5, 4, 3, 2]
        assert numbers(Wanted(object="f3")) == [9, 4]
        assert numbers(Wanted(actor="u2", since=later(1), until=later(3))) == [8, 7]
        assert audit.find(reading, Wanted(action="flag.read"), size=1)[1] == 10
        assert numbers(Wanted(action="login.refused")) == []


def test_a_moment_comes_back_to_the_microsecond_and_in_utc(database: Database) -> None:
    moment = MONDAY + timedelta(microseconds=123456)
    with database.writing(moment, "u1") as writing:
        audit.append(writing, "flag.read")
    with database.reading() as reading:
        line = audit.find(reading, Wanted())[0][0]
    assert line.at.isoformat() == "2026-11-23T09:30:00.123456+00:00"


def test_a_moment_without_its_zone_gives_helpful_error(database: Database) -> None:
    with pytest.raises(StoreError, match="a moment without its zone"), \
            database.writing(MONDAY.replace(tzinfo=None), "u1"):
        pass


# --- nobody in it ---------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [
    {"who": "Ada Example"}, {"who": "ada example"}, {"subject": "P000123"}, {"Ada": 1}, {"names": ["ok", "Ada"]},
    {"note": "a" * 81}, {"share": 0.5}, {"nested": {"a": 1}}, {"note": ""}])
def test_a_body_that_could_tell_of_somebody_is_refused_and_nothing_is_written(
    database: Database, body: dict[str, object]
) -> None:
    with pytest.raises(StoreError, match="is not a code, a number or a digest") as caught, \
            database.writing(MONDAY, "u1") as writing:
        audit.append(writing, "flag.read", "f1", body)
    assert "Ada" not in str(caught.value).replace("body.Ada", "")
    assert head(database).id == 0


def test_every_way_to_write_is_told_in_the_log_in_the_same_transaction(store: Store) -> None:
    """The log has grown after each act; and where an act is given up, neither it nor its lines are there."""
    done = set()
    actor = store.add_person()
    for name, act in acts(store):
        before = head(store.database).id
        with pytest.raises(InterruptedError):
            give_up(store.database, actor.id, act)
        assert head(store.database).id == before, name
        with store.database.writing(MONDAY, actor.id) as writing:
            act(writing)
        grown = head(store.database).id - before
        assert (grown == 0) == (name in SILENT), name
        done.add(name)

    assert done == ways_to_write()
    assert verify(store.database) is None


def give_up(database: Database, actor: str, act: Callable[..., object]) -> None:
    """Does something and thinks better of it before the end."""
    with database.writing(MONDAY, actor) as writing:
        act(writing)
        raise InterruptedError


def test_no_name_words_login_or_subject_reaches_the_log_whatever_is_written_down(store: Store) -> None:
    actor = store.add_person(PLANTED)
    for _name, act in acts(store):
        with store.database.writing(MONDAY, actor.id) as writing:
            act(writing)
    with store.database.reading() as reading:
        log = " ".join(" ".join(map(str, row.values())) for row in reading.all(text("SELECT * FROM audit"))).casefold()
        written = " ".join(" ".join(map(str, row.values())) for table in ("reviews", "actions", "users", "challenges")
                           for row in reading.all(text(f"SELECT * FROM {table}"))).casefold()
    subjects = {flag.subject.casefold() for flag in store.flags()}

    assert PLANTED.casefold() in written
    assert len(subjects) > 6
    for word in (*PLANTED.casefold().split(), "zebedee@quillfeather.test", *subjects):
        if len(word) > 2:
            assert word not in log
