"""Passwords: what is accepted as one, how it is kept, and how it is checked with the same work whoever is asked for.

No rule about capitals, digits or signs, and no end of their life: both make people choose worse ones (NCSC, "Password
policy: updating your approach"; NIST SP 800-63B, 3.1.1.2). Length, and a list of what is tried first, help.
"""

from __future__ import annotations

import threading
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from engine.errors import Problem, UsageError

SHORTEST = 12
"""Characters. NIST asks for 8 beside a second factor and for 15 without one, the NCSC for three random words, which is
some 15; a lock after five tries makes 12 enough."""

LONGEST = 256
"""Characters; NIST asks for 64 at least. Something of a megabyte is no password, and would be hashed."""

AT_ONCE = 4
"""Hashes worked out at the same time: each takes 64 MiB, and a flood of logins must not take the machine's memory."""

COMMON = frozenset((Path(__file__).parent / "common_passwords.txt").read_text().split())
"""What is tried first, of what is long enough, as `_fold` writes it. A deployment can pass a longer list."""

_RUNS = ("0123456789" * 3, "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm")
_WHERE = "the new password"


@dataclass(frozen=True)
class Cost:
    """What a hash costs: argon2id by RFC 9106's second choice, argon2-cffi's default. Tests take less."""

    time: int = 3
    memory: int = 65536
    lanes: int = 4


@dataclass(frozen=True)
class Checked:
    """Whether a password is right, and a new hash to keep where the old one was cheaper than hashes are now."""

    right: bool
    renewed: str | None = None


def _make_hasher(cost: Cost) -> PasswordHasher:
    return PasswordHasher(time_cost=cost.time, memory_cost=cost.memory, parallelism=cost.lanes)


@cache
def _hash_nobodys(cost: Cost) -> str:
    """Nobody's password, at this cost; worked out once, when the first site is made."""
    return _make_hasher(cost).hash("of nobody at all")


class Passwords:
    """Passwords as they are kept here. `common`: what else may not be one, as it would be typed."""

    def __init__(self, cost: Cost | None = None, common: frozenset[str] = frozenset()) -> None:
        cost = cost or Cost()
        self._hasher = _make_hasher(cost)
        self._common = COMMON | frozenset(map(_fold, common))
        self._turn = threading.BoundedSemaphore(AT_ONCE)
        self._nobodys = _hash_nobodys(cost)

    def hash(self, password: str) -> str:
        """A password as it is kept."""
        with self._turn:
            return self._hasher.hash(_normalise(password))

    def check(self, password: str, kept: str | None) -> Checked:
        """Whether this is the password kept. Where nothing is kept, another hash is worked out all the same: how long
        an answer takes must not tell which logins there are."""
        try:
            with self._turn:
                self._hasher.verify(kept or self._nobodys, _normalise(password[:LONGEST]))
        except (VerificationError, InvalidHashError):
            return Checked(False)
        if kept is None or len(password) > LONGEST:
            return Checked(False)
        return Checked(True, self.hash(password) if self._hasher.check_needs_rehash(kept) else None)

    def accept(self, password: str, login: str, name: str = "") -> None:
        """Raises UsageError, with everything that is wrong, where this cannot be somebody's password."""
        problems, folded = [], _fold(password)
        if len(password) < SHORTEST:
            problems.append(Problem(_WHERE, f"is shorter than {SHORTEST} characters", f"{SHORTEST} at least",
                                    "use three words that have nothing to do with each other"))
        if len(password) > LONGEST:
            problems.append(Problem(_WHERE, f"is longer than {LONGEST} characters", f"{LONGEST} at most", "shorten it"))
        if _is_about(folded, login) or _is_about(folded, name):
            problems.append(Problem(_WHERE, "is your login or name, or little more", "anything else",
                                    "use words that nobody links with you"))
        if folded in self._common or _is_pattern(folded):
            problems.append(Problem(_WHERE, "is one of those that are tried first", "anything less common",
                                    "use three words that have nothing to do with each other"))
        if "\0" in password or any("\ud800" <= one <= "\udfff" for one in password):
            problems.append(Problem(_WHERE, "has a character that cannot be typed everywhere", "letters, digits, signs "
                                    "and blanks", "type it instead of pasting it"))
        if problems:
            raise UsageError(problems)


def _normalise(password: str) -> bytes:
    """The same password from every keyboard: NIST SP 800-63B asks for it."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


def _fold(password: str) -> str:
    return "".join(one for one in unicodedata.normalize("NFKC", password).casefold() if one.isalnum())


def _is_about(folded: str, own: str) -> bool:
    """Whether little is left of it without the login, its part before the @, or a word of the name."""
    words = {_fold(own), _fold(own.partition("@")[0]), *map(_fold, own.split())}
    return any(len(word) >= 4 and word in folded and len(folded) - len(word) < SHORTEST - 4 for word in words)


def _is_pattern(folded: str) -> bool:
    """One piece again and again (`abcabcabcabc`), or keys in their order, either way round."""
    repeated = any(folded == (folded[:size] * len(folded))[:len(folded)] for size in range(1, min(5, len(folded))))
    return repeated or any(folded in run or folded[::-1] in run for run in _RUNS if folded)
