"""Who may ask the service what: a token given to a name in a role, kept as its SHA-256 and never as itself.

Every token given or revoked is a line in `tokens.jsonl` of the home; none is ever taken out, because the name stands
beside what was done with it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from engine.errors import Problem, UsageError
from engine.journal import START, Journal

Role = Literal["housing_officer", "housing_manager", "analyst"]
Right = Literal["screen", "read", "offer", "override", "report"]

RIGHTS: Mapping[Role, frozenset[Right]] = MappingProxyType({
    "housing_officer": frozenset({"screen", "read", "offer"}),
    "housing_manager": frozenset({"screen", "read", "offer", "override", "report"}),
    "analyst": frozenset({"report"}),
})
"""The least each role needs. Who reports on overrides sees no applicant; who screens overrides nothing."""

LASTS = timedelta(days=365)
_MARK = "ww_"           # so that a token found in a file can be recognised as one
_BYTES = 32
_NAME = 60


@dataclass(frozen=True)
class Token:
    """A token as it is kept: `expires` is the last day it works."""

    name: str
    role: Role
    created: date
    expires: date
    digest: str
    revoked: date | None = None

    def works(self, on: date) -> bool:
        """Whether it opens anything on that day."""
        return self.revoked is None and on <= self.expires

    def may(self, right: Right) -> bool:
        """Whether its role has this right."""
        return right in RIGHTS[self.role]


class Tokens:
    """The tokens of one home. Several processes may add and revoke at once; a revoked one stops at the next request."""

    def __init__(self, home: Path) -> None:
        self._journal = Journal(home / "tokens.jsonl", "a token given or revoked", lambda _number, fields: fields)
        self._read, self._by_name = START, dict[str, Token]()
        self._turn = threading.Lock()

    def add(self, name: str, role: Role, created: date, expires: date | None = None) -> str:
        """Gives a token to a name and returns it, once. Raises UsageError."""
        last, name = expires or created + LASTS, name.strip()
        _check(name, created, last)
        secret = _MARK + secrets.token_urlsafe(_BYTES)
        with self._journal.hold():
            if name in self._current():
                raise UsageError(Problem(name, "a token was already given in this name", "a name not used before",
                                         "choose another, such as the name with a year: what was done with the old "
                                         "token keeps its name"))
            self._journal.path.touch(mode=0o600)
            self._journal.append({"event": "given", "name": name, "role": role, "created": created.isoformat(),
                                  "expires": last.isoformat(), "digest": _digest(secret)})
        return secret

    def revoke(self, name: str, on: date) -> Token:
        """Ends a token now. Raises UsageError when there is none of this name, or it was ended before."""
        with self._journal.hold():
            token = self._current().get(name)
            if token is None:
                raise UsageError(Problem(name, "no token was given in this name", ", ".join(self._current()) or "none "
                                         "was given yet", "`wardwise token list` shows them"))
            if token.revoked:
                raise UsageError(Problem(name, f"this token was revoked on {token.revoked}", "a token in force",
                                         "nothing needs doing: it no longer works"))
            self._journal.append({"event": "revoked", "name": name, "on": on.isoformat()})
        return replace(token, revoked=on)

    def names(self) -> tuple[Token, ...]:
        """Every token ever given, oldest first."""
        return tuple(self._current().values())

    def find(self, secret: str, on: date) -> Token | None:
        """The token this is, if it works on that day. Takes as long for a wrong one as for a right one."""
        digest, found = _digest(secret), None
        for token in self._current().values():
            if hmac.compare_digest(token.digest, digest):
                found = token
        return found if found and found.works(on) else None

    def _current(self) -> dict[str, Token]:
        with self._turn:
            lines, mark = self._journal.read(self._read)
            known = {} if mark.lines == len(lines) else dict(self._by_name)
            for line in lines:
                known[line["name"]] = _follow(known, line)
            if lines or mark == START:
                self._read, self._by_name = mark, known
            return self._by_name


def _follow(known: Mapping[str, Token], line: Mapping[str, Any]) -> Token:
    """A token after one more line about it."""
    if line["event"] == "revoked":
        return replace(known[line["name"]], revoked=date.fromisoformat(line["on"]))
    return Token(line["name"], line["role"], date.fromisoformat(line["created"]),
                 date.fromisoformat(line["expires"]), line["digest"])


def _digest(secret: str) -> str:
    """Nobody finds 32 random bytes by trying, so a plain SHA-256 is enough here, as it is not for passwords."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def _check(name: str, created: date, expires: date) -> None:
    problems = []
    if not 0 < len(name) <= _NAME or not name.isprintable():
        problems.append(Problem("NAME", "blank, too long or not printable", f"1 to {_NAME} letters, figures, blanks "
                                "and signs", "name the person or the system that will hold the token"))
    if expires < created:
        problems.append(Problem("--expires", f"{expires} is before {created}", "a day not yet past",
                                "say until when it is needed"))
    if problems:
        raise UsageError(problems)
