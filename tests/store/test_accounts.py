"""Accounts and sessions, as data."""

from __future__ import annotations

import pytest

from engine.store import accounts
from engine.store.database import Database
from engine.store.problems import Missing, Stale, StoreError

from .made import MONDAY, later

COOKIE, OTHER, CSRF = "a" * 64, "b" * 64, "c" * 64


@pytest.fixture
def una(database: Database) -> accounts.User:
    with database.writing(MONDAY, "system") as writing:
        return accounts.add_user(writing, " Una@Council.Test ", "Una Chair", "community_safety", ["tasking"],
                                 password_hash="$argon2id$1", oidc=("https://idp.test", "s-1"))


def test_an_account_is_found_by_its_id_its_login_in_any_case_and_its_identity_provider(
    database: Database, una: accounts.User
) -> None:
    with database.reading() as reading:
        assert accounts.read_user(reading, una.id) == una
        assert accounts.find_user(reading, "UNA@council.test ") == una
        assert accounts.find_oidc_user(reading, "https://idp.test", "s-1") == una
        assert accounts.find_oidc_user(reading, "https://other.test", "s-1") is None
        assert accounts.find_user(reading, "ola@council.test") is None
        assert accounts.find_users(reading) == (una,)


def test_a_login_that_is_taken_gives_helpful_error_that_does_not_repeat_it(
    database: Database, una: accounts.User
) -> None:
    with pytest.raises(StoreError, match="does not allow this change") as caught, \
            database.writing(MONDAY, "system") as writing:
        accounts.add_user(writing, "una@COUNCIL.test", "Una Other", "police", ["agency_officer"])
    assert "una" not in str(caught.value).casefold()
    assert caught.value.__cause__ is None


def test_no_secret_shows_where_an_account_or_session_is_printed(database: Database, una: accounts.User) -> None:
    with database.writing(MONDAY, una.id) as writing:
        session = accounts.begin_session(writing, COOKIE, CSRF, "local", user=una.id, data='{"state": "abc"}')
    assert "argon2" not in repr(una)
    assert not {COOKIE, CSRF, "abc"} & set(repr(session).replace("'", " ").split())


def test_of_two_administrators_changing_one_account_the_second_is_told(database: Database, una: accounts.User) -> None:
    with database.writing(later(1), "admin1") as writing:
        changed = accounts.change_user(writing, una.id, una.version, roles=("tasking", "analyst"), disabled=later(1))
    assert (changed.roles, changed.disabled, changed.version) == (("tasking", "analyst"), later(1), 2)
    with pytest.raises(Stale, match="by user admin1"), database.writing(later(2), "admin2") as writing:
        accounts.change_user(writing, una.id, una.version, name="Una Chairman")


def test_failures_are_counted_until_a_login_succeeds(database: Database, una: accounts.User) -> None:
    with database.writing(MONDAY, "system") as writing:
        assert [accounts.count_failure(writing, una.id) for _ in range(3)] == [1, 2, 3]
        assert accounts.count_failure(writing, una.id, later(15)) == 4
        assert accounts.read_user(writing, una.id).locked_until == later(15)
        accounts.clear_failures(writing, una.id)
        unlocked = accounts.read_user(writing, una.id)
        assert (unlocked.failed, unlocked.locked_until) == (0, None)


def test_a_code_works_once_and_never_an_earlier_one(database: Database, una: accounts.User) -> None:
    with database.writing(MONDAY, una.id) as writing:
        accounts.set_totp(writing, una.id, "encrypted")
        assert [accounts.use_totp(writing, una.id, step) for step in (7, 7, 6, 8)] == [True, False, False, True]
        accounts.set_totp(writing, una.id, None)
        assert accounts.read_user(writing, una.id).totp_secret is None


def test_a_session_is_begun_seen_and_ended_once(database: Database, una: accounts.User) -> None:
    with database.writing(MONDAY, una.id) as writing:
        accounts.begin_session(writing, COOKIE, CSRF, "local", user=una.id)
    with database.writing(later(5), una.id) as writing:
        accounts.see_session(writing, COOKIE)
        assert accounts.end_session(writing, COOKIE) is True
        assert accounts.end_session(writing, COOKIE) is False
        accounts.see_session(writing, OTHER)
    with database.reading() as reading:
        session = accounts.read_session(reading, COOKIE)
        assert session is not None
        assert (session.seen, session.ended) == (later(5), later(5))
        assert accounts.read_session(reading, OTHER) is None


def test_a_new_password_ends_the_other_sessions_and_old_ones_are_forgotten(
    database: Database, una: accounts.User
) -> None:
    with database.writing(MONDAY, una.id) as writing:
        for cookie in (COOKIE, OTHER):
            accounts.begin_session(writing, cookie, CSRF, "local", user=una.id)
        accounts.set_password(writing, una.id, "$argon2id$2")
        assert accounts.end_sessions_of(writing, una.id, "new_password", but=COOKIE) == 1
        assert accounts.forget_sessions(writing, MONDAY) == 0
        assert accounts.forget_sessions(writing, later(1)) == 2


def test_setting_a_password_of_nobody_gives_helpful_error(database: Database) -> None:
    with pytest.raises(Missing, match="the user: nothing is kept under this id"), \
            database.writing(MONDAY, "system") as writing:
        accounts.set_password(writing, "nobody", "$argon2id$1")
