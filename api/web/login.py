"""A login and what was typed -> who it is, or nothing: with the same work and the same answer whatever was wrong.

Failures are counted in the account, so that they count in every process. A right password does not clear them before
the second factor was right too: otherwise whoever knows a password could go on trying codes.
"""

from __future__ import annotations

import ipaddress
import threading
from datetime import datetime, timedelta
from zlib import crc32

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.requests import Request

from api.web.passwords import Passwords
from api.web.totp import Seal, find_step, needs_code
from engine.errors import Problem, UsageError
from engine.store import accounts
from engine.store.chain import Note
from engine.store.database import SYSTEM, Database, Writing

TRIES = 5
"""Failures in a row before an account is locked. The NCSC advises five to ten; with a list of common passwords shut
out, five guesses find almost none."""

LOCKED = timedelta(minutes=15)
"""How long: 480 guesses a day at most, against some 10^12 passwords; and a person who mistyped is back before the next
item of the agenda. Longer would let anybody shut a colleague out."""

FAILURES = RateLimitItemPerMinute(30, 5)
"""Failed logins from one address in five minutes. It stops somebody who tries one password with many logins, whom no
lock sees. A council's officers share an address: of 300 who arrive at nine, one in ten mistypes."""

VISITS = RateLimitItemPerMinute(300, 5)
"""Sessions begun by nobody from one address in five minutes: each is two rows in the store."""

SAME = Problem("the new password", "is the one you have", "another one", "think of three other words")

_STRIPES = 64


class Throttle:
    """How often an address failed, and how often it began. In memory, and so in each process by itself."""

    def __init__(self, failures: RateLimitItemPerMinute = FAILURES, visits: RateLimitItemPerMinute = VISITS) -> None:
        self._limiter, self._failures, self._visits = MovingWindowRateLimiter(MemoryStorage()), failures, visits

    def may_try(self, address: str) -> bool:
        """Whether another login may be tried from there."""
        return self._limiter.test(self._failures, "failure", address)

    def count_failure(self, address: str) -> None:
        """One more login failed from there."""
        self._limiter.hit(self._failures, "failure", address)

    def may_begin(self, address: str) -> bool:
        """Whether one more session may begin from there; it is counted."""
        return self._limiter.hit(self._visits, "visit", address)


class LocalLogin:
    """The accounts kept here, and how their owners prove who they are."""

    def __init__(self, store: Database, passwords: Passwords, seal: Seal) -> None:
        self._store, self._passwords, self._seal = store, passwords, seal
        self._turns = [threading.Lock() for _ in range(_STRIPES)]

    def check_password(self, login: str, password: str, at: datetime) -> accounts.User | None:
        """The account, where it is open and the password is right. A failure is counted and may lock it."""
        # One guess at a login at a time: a hundred at once would all be made before the fifth failure is counted.
        with self._turns[crc32(login.strip().casefold().encode("utf-8", "surrogatepass")) % _STRIPES]:
            with self._store.reading() as reading:
                user = accounts.find_user(reading, login) if _is_keepable(login) else None
            may = user is not None and is_open(user, at)
            checked = self._passwords.check(password, user.password_hash if user is not None and may else None)
            if user is None or not checked.right:
                with self._store.writing(at, SYSTEM) as writing:
                    _refuse(writing, user, at)
                return None
            if checked.renewed:
                with self._store.writing(at, user.id) as writing:
                    accounts.set_password(writing, user.id, checked.renewed, must_change=user.must_change)
                    return accounts.read_user(writing, user.id)
        return user

    def check_code(self, id: str, code: str, at: datetime) -> accounts.User | None:
        """The account, where it is open and the code of its second factor is right and was not used before."""
        with self._store.writing(at, SYSTEM) as writing:
            user = accounts.read_user(writing, id)
            if is_open(user, at) and user.totp_secret:
                step = find_step(self._seal.open(user.totp_secret), code, at, user.totp_step)
                if step is not None and accounts.use_totp(writing, id, step):
                    return user
            _refuse(writing, user, at)
        return None

    def keep_factor(self, id: str, sealed: str, code: str, at: datetime) -> bool:
        """Keeps a new second factor, once a code shows that the telephone has it."""
        step = find_step(self._seal.open(sealed), code, at, None)
        if step is None:
            return False
        with self._store.writing(at, id) as writing:
            accounts.set_totp(writing, id, sealed)
            accounts.use_totp(writing, id, step)
        return True

    def keep_password(self, user: accounts.User, password: str, at: datetime, but: str = "") -> None:
        """Keeps a password that its owner chose, and ends their sessions, but one. Raises UsageError."""
        self._passwords.accept(password, user.login, user.name)
        if self._passwords.check(password, user.password_hash).right:
            raise UsageError(SAME)
        kept = self._passwords.hash(password)
        with self._store.writing(at, user.id) as writing:
            accounts.set_password(writing, user.id, kept)
            accounts.end_sessions_of(writing, user.id, "password_changed", but)

    def welcome(self, id: str, at: datetime, *, by_password: bool) -> accounts.User | None:
        """Forgets failures once every step was right. None where the account was shut meanwhile.

        A lock is for passwords: whoever comes another way is not kept out by somebody who guesses at theirs.
        """
        with self._store.writing(at, id) as writing:
            user = accounts.read_user(writing, id)
            if user.disabled is not None or (by_password and not is_open(user, at)):
                return None
            accounts.clear_failures(writing, id)
        return user

    def read(self, id: str) -> accounts.User:
        """An account. Raises Missing."""
        with self._store.reading() as reading:
            return accounts.read_user(reading, id)


def find_step_needed(user: accounts.User, proved: bool) -> str:
    """What is still asked after the password: code, factor (a telephone to be set up), password; empty: nothing."""
    if not proved and user.totp_secret:
        return "code"
    if not proved and needs_code(user.roles):
        return "factor"
    return "password" if user.must_change else ""


def is_open(user: accounts.User, at: datetime) -> bool:
    """Whether somebody may sign in to it: neither disabled nor locked."""
    return user.disabled is None and (user.locked_until is None or user.locked_until <= at)


def find_address(request: Request, proxies: frozenset[str]) -> str:
    """Where a request comes from, as far as it counts: of IPv6 the /64, because one machine has all of it.

    Only our own proxies are believed when they say whom they ask for, and of what they pass on only their own word.
    """
    address = request.client.host if request.client else ""
    if address in proxies:
        address = request.headers.get("x-forwarded-for", address).rpartition(",")[2].strip()
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    return str(ipaddress.ip_network((known, 64), strict=False)) if known.version == 6 else address


def _refuse(writing: Writing, user: accounts.User | None, at: datetime) -> None:
    """Counts a failure. An unknown login and a locked account make a row too: it takes the same time."""
    now = accounts.read_user(writing, user.id) if user is not None else None
    if now is None or not is_open(now, at):
        writing.note(Note("login.refused", now.id if now else "", {"locked": False}))
        return
    if now.locked_until is not None:        # a lock that is over: counting starts again
        accounts.clear_failures(writing, now.id)
    before = 0 if now.locked_until is not None else now.failed
    accounts.count_failure(writing, now.id, at + LOCKED if before + 1 >= TRIES else None)


def _is_keepable(login: str) -> bool:
    """PostgreSQL cannot even be asked for a text with NUL or half of a pair."""
    return 0 < len(login) <= 200 and "\0" not in login and not any("\ud800" <= one <= "\udfff" for one in login)
