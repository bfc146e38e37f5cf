"""What may be a password, and how much work a wrong one makes."""

from __future__ import annotations

import argon2
import pytest

from api.web.passwords import COMMON, LONGEST, SHORTEST, Cost, Passwords
from engine.errors import UsageError
from tests.identity.made import CHEAP, PASSWORD


def faults(password: str) -> list[str]:
    try:
        CHEAP.accept(password, "sam.officer@council.example", "Sam Officer")
    except UsageError as error:
        return [problem.found for problem in error.problems]
    return []


@pytest.mark.parametrize(("password", "found"), [
    ("plum lantern ferry", []),
    ("älter als der Fluss", []),
    ("twelve chars", []),
    ("Correct Horse Battery Staple", ["is one of those that are tried first"]),
    ("Password-1234", ["is one of those that are tried first"]),
    ("abcabcabcabc", ["is one of those that are tried first"]),
    ("098765432109", ["is one of those that are tried first"]),
    ("sam.officer123", ["is your login or name, or little more"]),
    ("Officer2026!", ["is your login or name, or little more"]),
    ("sam.officer@council.example", ["is your login or name, or little more"]),
    ("ferry", ["is shorter than 12 characters"]),
    ("", ["is shorter than 12 characters"]),
    ("aaaaaa", ["is shorter than 12 characters", "is one of those that are tried first"]),
    ("x y" * 100, ["is longer than 256 characters", "is one of those that are tried first"]),
    ("plum lantern\0ferry", ["has a character that cannot be typed everywhere"]),
])
def test_what_may_be_a_password(password: str, found: list[str]) -> None:
    assert faults(password) == found


def test_what_is_wrong_is_said_without_the_password() -> None:
    with pytest.raises(UsageError) as raised:
        CHEAP.accept("hunter2", "sam", "Sam")
    assert str(raised.value) == ("the new password: is shorter than 12 characters\n    allowed: 12 at least\n"
                                 "    to mend: use three words that have nothing to do with each other")


def test_every_common_password_is_long_enough_to_be_tried() -> None:
    assert all(len(word) >= SHORTEST and word == word.lower() for word in COMMON)
    assert len(COMMON) > 80


def test_a_password_is_kept_as_argon2id_at_the_usual_cost() -> None:
    usual = argon2.PasswordHasher()
    assert (Cost().time, Cost().memory, Cost().lanes) == (usual.time_cost, usual.memory_cost, usual.parallelism)
    assert Passwords().hash(PASSWORD).startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_the_same_password_from_another_keyboard_is_right() -> None:
    assert CHEAP.check("cafe\u0301 am see zu", CHEAP.hash("caf\u00e9 am see zu")).right


@pytest.mark.parametrize(("typed", "kept", "right"), [
    (PASSWORD, CHEAP.hash(PASSWORD), True),
    ("plum lantern", CHEAP.hash(PASSWORD), False),
    (PASSWORD.upper(), CHEAP.hash(PASSWORD), False),
    (PASSWORD, None, False),
    ("of nobody at all", None, False),      # what is compared with where there is no account
    (PASSWORD, "no hash", False),
    ("p" * LONGEST + "x", CHEAP.hash("p" * LONGEST), False),
    ("\ud800", CHEAP.hash(PASSWORD), False),
], ids=["the password", "part of it", "in capitals", "no password kept", "no account", "no hash", "too long",
        "no text"])
def test_checking(typed: str, kept: str | None, right: bool) -> None:
    assert CHEAP.check(typed, kept).right is right


def test_a_hash_that_was_cheap_is_made_again() -> None:
    checked = Passwords(Cost(2, 8, 1)).check(PASSWORD, CHEAP.hash(PASSWORD))
    assert checked.renewed is not None
    assert checked.renewed.startswith("$argon2id$v=19$m=8,t=2,p=1$")
    assert CHEAP.check(PASSWORD, CHEAP.hash(PASSWORD)).renewed is None
