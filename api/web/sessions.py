"""Who is asking, in which session: an opaque cookie, of which the store keeps the SHA-256 and everything else.

A session is there before anybody signed in, because the form to sign in needs a token too, and it is another one after
every step: what somebody planted beforehand opens nothing, and what was seen in between is worth nothing.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from types import MappingProxyType
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from api.web.identity import Person
from api.web.rights import Asker, find_purpose
from api.web.security import EXPIRED
from engine.store import accounts
from engine.store.database import SYSTEM, Database, Reading

IDLE = timedelta(minutes=20)
"""Without a request: an unlocked screen in an open-plan office. OWASP: 15-30 minutes; twice the time a flag is read."""

LONGEST = timedelta(hours=10)
"""Whatever is done: a working day with its breaks, and never overnight (OWASP: 4-8 hours for an office's application;
a tasking meeting must not be thrown out at five)."""

UNSIGNED = timedelta(hours=1)
"""Of the form to sign in, left open."""

UNDER_WAY = timedelta(minutes=10)
"""Of a login between its steps: time to find a telephone."""

SEEN_EVERY = timedelta(minutes=1)
"""A session's last use is written down this often: reading must not wait for writers."""

KEPT = timedelta(days=1)
"""Ended and forgotten sessions are deleted after this; the audit log tells that they were."""

DEMO = "demo"
"""How made-up people sign in: without proving anything."""

_BYTES = 32
_NOTHING: Mapping[str, Any] = MappingProxyType({})
_STATE = "wardwise_session"


@dataclass(frozen=True)
class Session:
    """One visit. `form`: the token every form of it carries; `pending`: what a login under way needs."""

    key: str = field(repr=False)
    form: str = field(repr=False)
    person: Person | None = None
    method: str = "none"
    purpose: str | None = None
    wards: frozenset[str] = frozenset()
    pending: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def asker(self) -> Asker | None:
        """The person signed in, as the policies know them."""
        if self.person is None:
            return None
        return Asker(self.person.id, self.person.agency, self.person.roles,
                     find_purpose(self.person.roles, self.purpose), self.wards)


def read_clock() -> datetime:
    """Now."""
    return datetime.now(UTC)


def draw_token() -> str:
    """A secret of 256 bits."""
    return secrets.token_urlsafe(_BYTES)


class Sessions:
    """The sessions of a store. `encrypted`: whether browsers reach the site over TLS; `demo`: whether sessions of
    made-up people, who prove nothing, are good."""

    def __init__(
        self, store: Database, encrypted: bool, clock: Callable[[], datetime] = read_clock,
        draw: Callable[[], str] = draw_token, demo: bool = False,
    ) -> None:
        self._demo = demo
        self._store, self._clock, self._draw, self._encrypted = store, clock, draw, encrypted
        # A browser takes `__Host-` only over TLS, from this host itself, for every path.
        self.cookie = "__Host-wardwise" if encrypted else "wardwise"

    def find(self, request: Request) -> Session | None:
        """The session of a request, if it is still good; noted as used, at most once a minute."""
        if hasattr(request.state, _STATE):
            known: Session | None = getattr(request.state, _STATE)
            return known
        token, at = request.cookies.get(self.cookie), self._clock()
        found = self._read(_digest(token), at) if token else None
        setattr(request.state, _STATE, found)
        return found

    def open(
        self, response: Response, request: Request, person: Person | None = None, *, method: str = "none",
        purpose: str | None = None, pending: Mapping[str, Any] = _NOTHING,
    ) -> Session:
        """A new session in place of the request's own, and its cookie."""
        old, at = self.find(request), self._clock()
        token, form = self._draw(), self._draw()
        with self._store.writing(at, person.id if person else SYSTEM) as writing:
            if old is not None:
                accounts.end_session(writing, old.key, "rotated")
            accounts.begin_session(writing, _digest(token), form, method, user=person.id if person else None,
                                   purpose=purpose, data=json.dumps(dict(pending)) if pending else None)
            wards = frozenset(accounts.read_user(writing, person.id).wards) if person else frozenset[str]()
        self._set_cookie(response, token)
        session = Session(_digest(token), form, person, method, purpose, wards, pending)
        setattr(request.state, _STATE, session)
        return session

    def end(self, request: Request, because: str = "signed_out") -> None:
        """Ends the session of a request."""
        if (session := self.find(request)) is not None:
            self._end(session.key, session.person.id if session.person else SYSTEM, because)
            setattr(request.state, _STATE, None)

    def end_all(self, user: str, by: str, because: str, but: str = "") -> int:
        """Ends every session of a user but one: after a new password or role, or when disabled. Gives how many."""
        with self._store.writing(self._clock(), by) as writing:
            return accounts.end_sessions_of(writing, user, because, but)

    def take(self, request: Request) -> Mapping[str, Any]:
        """What a login under way needs, once: its session ends here, and a second request finds nothing."""
        session = self.find(request)
        if session is None or session.person is not None or not self._end(session.key, SYSTEM, "used"):
            return _NOTHING
        setattr(request.state, _STATE, None)
        return session.pending

    def sweep(self) -> int:
        """Deletes sessions last seen long ago. Gives how many."""
        at = self._clock()
        with self._store.writing(at, SYSTEM) as writing:
            return accounts.forget_sessions(writing, at - LONGEST - KEPT)

    def drop_cookie(self, response: Response) -> None:
        """Tells the browser to forget its session."""
        response.delete_cookie(self.cookie, path="/", secure=self._encrypted, httponly=True, samesite="lax")

    def _read(self, key: str, at: datetime) -> Session | None:
        with self._store.reading() as reading:
            row = accounts.read_session(reading, key)
            if row is None or row.ended is not None or (row.method == DEMO and not self._demo):
                return None
            session, over = _build(reading, row), find_end(row, at)
        if over or (row.user is not None and session is None):
            self._end(key, row.user or SYSTEM, over or "disabled")
            return None
        if at - row.seen >= SEEN_EVERY:
            with self._store.writing(at, row.user or SYSTEM) as writing:
                accounts.see_session(writing, key)
        return session

    def _end(self, key: str, actor: str, because: str) -> bool:
        with self._store.writing(self._clock(), actor) as writing:
            return accounts.end_session(writing, key, because)

    def _set_cookie(self, response: Response, token: str) -> None:
        response.set_cookie(self.cookie, token, httponly=True, samesite="lax", secure=self._encrypted, path="/")


def find_end(row: accounts.Session, at: datetime) -> str:
    """Why a session is over at a moment: idle, too_long; empty while it is not."""
    if row.user is None:
        return "too_long" if at - row.created >= (UNDER_WAY if row.data else UNSIGNED) else ""
    if at - row.created >= LONGEST:
        return "too_long"
    return "idle" if at - row.seen >= IDLE else ""


def name_person(user: accounts.User) -> Person:
    """An account as the pages know it: with the roles it has now."""
    return Person(user.id, user.name, user.agency, frozenset(user.roles))


def check_token(session: Session | None, sent: str) -> Session:
    """The session, where a form carries its token. Raises HTTPException."""
    if session is None or not hmac.compare_digest(sent.encode("utf-8", "surrogatepass"), session.form.encode()):
        raise HTTPException(EXPIRED)
    return session


def _build(reading: Reading, row: accounts.Session) -> Session | None:
    """The session as the site knows it; None where its person was disabled. Roles are those of now."""
    if row.user is None:
        return Session(row.id, row.csrf, None, row.method, row.purpose, frozenset(), json.loads(row.data or "{}"))
    user = accounts.read_user(reading, row.user)
    if user.disabled is not None:
        return None
    return Session(row.id, row.csrf, name_person(user), row.method, row.purpose, frozenset(user.wards))


def _digest(token: str) -> str:
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
