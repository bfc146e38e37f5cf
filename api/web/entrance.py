"""What every page of signing in shares: the store, the session, how pages are shown, and the way on from step to step.

After every step the session is another one. What a login under way needs stands in the session, never in the page.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from pyotp import random_base32

from api.web.login import LOCKED, TRIES, LocalLogin, Throttle, find_address, find_step_needed
from api.web.login_settings import LoginSettings
from api.web.sessions import Sessions, draw_token, name_person, read_clock
from api.web.totp import Seal
from engine.store import accounts
from engine.store.database import Database

Show = Callable[[Request, str, Mapping[str, Any], int], Response]
"""Request, template, values, status -> a page."""

_LOCK = (f"After {TRIES} wrong tries in a row an account is locked for {LOCKED.seconds // 60} minutes, whoever made "
         "them.")
WRONG = f"The login or the password is not right, or the account is locked. {_LOCK}"
WRONG_CODE = f"This code is not right, was used before, or the account is locked. Wait for the next one. {_LOCK}"
TOO_MANY = ("Too many tries from your network", (
    "Too many logins from this network went wrong, or were begun, within five minutes. It need not have been you.",
    "Wait five minutes, then try again."))
NOT_STARTED = ("You could not be signed in", (
    "This way of signing in was not started in this browser, took too long, or was used before. It works once.",
    "Go to the page to sign in, and start again there. Do not go back, and keep no bookmark of what comes in between."))
AWAY = ("Your council's accounts cannot be reached", (
    "Wardwise asks the council's own accounts who you are, and got no answer it can use. Nothing is wrong with your "
    "password.", "Try again in a few minutes. If it lasts, tell whoever looks after your council account."))
UNKNOWN = ("There is no account for you here", (
    "The council knows you, and Wardwise does not: an account here is given to a person, never to an e-mail address.",
    "Ask an administrator of Wardwise for one, and give them this line; it says nothing about you elsewhere:"))
BAD_STEP = "This code is not right. Wait for the next one."
NOT_CHOSEN = "Choose who you want to be"
UNLIKE = "Type the new password the same both times"

_OWN_PATH = re.compile(r"/(?:[a-z0-9-]+(?:/[A-Za-z0-9_-]+){0,3})?")


def _be_silent(_line: str) -> None:
    """Tells nobody."""


@dataclass(frozen=True)
class Entrance:
    """The way in to one site. `tell` says one line to the operator, without anybody in it; `draw_key` draws the secret
    of a second factor."""

    store: Database
    settings: LoginSettings
    show: Show
    sessions: Sessions
    local: LocalLogin
    seal: Seal = field(repr=False)
    throttle: Throttle = field(default_factory=Throttle)
    clock: Callable[[], datetime] = read_clock
    draw: Callable[[], str] = draw_token
    draw_key: Callable[[], str] = random_base32
    tell: Callable[[str], None] = _be_silent

    def go_on(self, request: Request, user: accounts.User, proved: bool, wanted: str) -> Response:
        """The next step, or the site. `proved`: the second factor was right, or set up, just now."""
        step = find_step_needed(user, proved)
        if not step:
            return self.let_in(request, user, "local", wanted)
        answer = RedirectResponse("/sign-in/step", 303)
        pending = {"user": user.id, "step": step, "next": own_path(wanted), "kept": mark_password(user)}
        if step == "factor":
            pending["sealed"] = self.seal.close(self.draw_key())
        self.sessions.open(answer, request, method="local", pending=pending)
        return answer

    def let_in(self, request: Request, user: accounts.User, method: str, wanted: str) -> Response:
        """Into the site, unless the account was shut meanwhile."""
        welcomed = self.local.welcome(user.id, self.clock(), by_password=method == "local")
        if welcomed is None:
            return RedirectResponse("/sign-in", 303)
        answer = RedirectResponse(own_path(wanted), 303)
        self.sessions.open(answer, request, name_person(welcomed), method=method)
        return answer

    def say(self, request: Request, said: tuple[str, tuple[str, ...]], status: int) -> Response:
        """A page that says why not, and what to do."""
        return self.show(request, "trouble.html", {"heading": said[0], "paragraphs": said[1]}, status)

    def find_address(self, request: Request) -> str:
        """Where a request comes from, as far as it counts."""
        return find_address(request, self.settings.proxies)

    def may_begin(self, request: Request) -> bool:
        """Whether one more session may begin from there; it is counted."""
        return self.throttle.may_begin(self.find_address(request))


def own_path(path: str) -> str:
    """Where somebody may be sent after signing in: a plain path of this site, and never another host (`//...`)."""
    return path if _OWN_PATH.fullmatch(path) else "/"


def mark_password(user: accounts.User) -> str:
    """A digest that changes with the password: a login under way ends where it was reset."""
    return sha256((user.password_hash or "").encode()).hexdigest()[:16]
