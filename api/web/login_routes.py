"""The pages of signing in and out, step by step: password, code, a new telephone, a new password; or the provider.

Made by `make_login_routes` and mounted by whoever puts the site together. Pages are shown through a function that is
passed in:

| Template | Values besides `form_token` |
|---|---|
| `sign_in.html` | `wanted` (path to go to), `wrong`, `people` (demonstration), `takes_passwords`, `provider` (title) |
| `sign_in_code.html` | `wrong` |
| `sign_in_factor.html` | `wrong`, `key` (to type), `address` (`otpauth://`) |
| `sign_in_password.html` | `wrong` (a list), `shortest`, `asks_old` (whether the present one is asked for) |
| `trouble.html` | `heading`, `paragraphs` |
| `away.html` | none |
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from api.web.entrance import (
    BAD_STEP,
    NOT_CHOSEN,
    TOO_MANY,
    UNLIKE,
    WRONG,
    WRONG_CODE,
    Entrance,
    Show,
    mark_password,
    own_path,
)
from api.web.login import LocalLogin, is_open
from api.web.login_settings import LoginSettings
from api.web.oidc import Oidc, Wire
from api.web.oidc_routes import CouncilPages
from api.web.passwords import SHORTEST, Passwords
from api.web.sessions import DEMO, Session, Sessions, check_token
from api.web.site_words import ROLE_NAMES
from api.web.totp import Seal, write_address, write_key
from engine.errors import UsageError
from engine.store import accounts
from engine.store.database import Database

BACK = "/sign-in/back"
MADE_UP = "demo-"
"""How the logins of a demonstration's people begin (`keeping.add_demo_people`)."""

Typed = Annotated[str, Form()]


class LoginPages:
    """The pages for accounts kept here."""

    def __init__(self, at: Entrance) -> None:
        self._at = at

    # --- the first page ---------------------------------------------------------------------------

    def show_sign_in(self, request: Request, next: str = "/") -> Response:
        """The form, with a session of its own so that it can carry a token."""
        session = self._at.sessions.find(request)
        if session is not None and session.person is not None:
            return RedirectResponse(own_path(next), 303)
        carrier = Response()
        if session is None:
            if not self._at.may_begin(request):
                return self._at.say(request, TOO_MANY, 429)
            session = self._at.sessions.open(carrier, request)
        return _carry(carrier, self._show_form(request, session, next))

    def sign_in(
        self, request: Request, form_token: Typed = "", login: Typed = "", password: Typed = "", role: Typed = "",
        next: Typed = "/",
    ) -> Response:
        """Somebody's login and password; in a demonstration, a made-up person."""
        session, at = check_token(self._at.sessions.find(request), form_token), self._at.clock()
        if role and self._at.settings.demo:
            return self._sign_in_as(request, session, role, next)
        if not self._at.settings.takes_passwords:
            raise HTTPException(404)
        address = self._at.find_address(request)
        if not self._at.throttle.may_try(address):
            return self._at.say(request, TOO_MANY, 429)
        user = self._at.local.check_password(login, password, at)
        if user is None:
            self._at.throttle.count_failure(address)
            return self._show_form(request, session, next, WRONG, 400)
        return self._at.go_on(request, user, False, next)

    def _sign_in_as(self, request: Request, session: Session, role: str, wanted: str) -> Response:
        with self._at.store.reading() as reading:
            user = accounts.find_user(reading, MADE_UP + role)
        if user is None or not _is_made_up(user):
            return self._show_form(request, session, wanted, NOT_CHOSEN, 400)
        return self._at.let_in(request, user, DEMO, wanted)

    def _show_form(
        self, request: Request, session: Session, wanted: str, wrong: str = "", status: int = 200
    ) -> Response:
        provider = self._at.settings.provider
        return self._at.show(request, "sign_in.html", {
            "wanted": own_path(wanted), "wrong": wrong, "form_token": session.form, "people": self._list_people(),
            "takes_passwords": self._at.settings.takes_passwords and not self._at.settings.demo,
            "provider": provider.title if provider else ""}, status)

    def _list_people(self) -> list[dict[str, Any]]:
        if not self._at.settings.demo:
            return []
        with self._at.store.reading() as reading:
            found = [user for user in accounts.find_users(reading) if _is_made_up(user)]
        return [{"value": user.login.removeprefix(MADE_UP), "hint": {"text": user.name},
                 "text": ", ".join(ROLE_NAMES.get(role, role) for role in user.roles)} for user in found]

    # --- between the password and the site --------------------------------------------------------

    def show_step(self, request: Request) -> Response:
        """The step that a login under way has come to."""
        found = self._find_pending(request)
        return self._show_step(request, *found) if found else _start_again()

    def check_code(self, request: Request, form_token: Typed = "", code: Typed = "") -> Response:
        """The code of a second factor."""
        if (found := self._find_pending(request, form_token, "code")) is None:
            return _start_again()
        session, user = found
        address = self._at.find_address(request)
        if not self._at.throttle.may_try(address):
            return self._at.say(request, TOO_MANY, 429)
        if self._at.local.check_code(user.id, code, self._at.clock()) is None:
            self._at.throttle.count_failure(address)
            return self._show_step(request, session, user, WRONG_CODE, 400)
        return self._at.go_on(request, user, True, session.pending["next"])

    def keep_factor(self, request: Request, form_token: Typed = "", code: Typed = "") -> Response:
        """A code from the telephone that was just set up."""
        if (found := self._find_pending(request, form_token, "factor")) is None:
            return _start_again()
        session, user = found
        if not self._at.local.keep_factor(user.id, session.pending["sealed"], code, self._at.clock()):
            return self._show_step(request, session, user, BAD_STEP, 400)
        return self._at.go_on(request, user, True, session.pending["next"])

    def keep_password(
        self, request: Request, form_token: Typed = "", new: Typed = "", again: Typed = ""
    ) -> Response:
        """A password of one's own in place of the first one."""
        if (found := self._find_pending(request, form_token, "password")) is None:
            return _start_again()
        session, user = found
        if wrong := self._try_to_keep(user, new, again):
            return self._show_step(request, session, user, wrong, 400)
        return self._at.go_on(request, self._at.local.read(user.id), True, session.pending["next"])

    def _find_pending(
        self, request: Request, form_token: str | None = None, step: str | None = None
    ) -> tuple[Session, accounts.User] | None:
        """The login under way and whose it is; None without one, or where it is at another step."""
        session = self._at.sessions.find(request)
        if form_token is not None:
            check_token(session, form_token)
        if session is None or "user" not in session.pending or step not in (None, session.pending["step"]):
            return None
        user = self._at.local.read(session.pending["user"])
        if session.pending["kept"] != mark_password(user) or not is_open(user, self._at.clock()):
            return None         # the password was reset meanwhile, or the account locked or shut
        return session, user

    def _show_step(
        self, request: Request, session: Session, user: accounts.User, wrong: Any = "", status: int = 200
    ) -> Response:
        step, values = session.pending["step"], {"wrong": wrong, "form_token": session.form}
        if step == "factor":
            secret = self._at.seal.open(session.pending["sealed"])
            values |= {"key": write_key(secret), "address": write_address(secret, user.login)}
        if step == "password":
            values |= {"wrong": wrong or [], "shortest": SHORTEST, "asks_old": False}
        return self._at.show(request, f"sign_in_{step}.html", values, status)

    # --- one's own password, and out --------------------------------------------------------------

    def show_password(self, request: Request) -> Response:
        """The form to change one's own password."""
        found = self._find_own(request)
        return self._show_own(request, found[0]) if found else _start_again()

    def change_password(
        self, request: Request, form_token: Typed = "", old: Typed = "", new: Typed = "", again: Typed = ""
    ) -> Response:
        """Another password for oneself: every other session ends, and this one is another."""
        check_token(self._at.sessions.find(request), form_token)
        if (found := self._find_own(request)) is None:
            return _start_again()
        session, user = found
        if self._at.local.check_password(user.login, old, self._at.clock()) is None:
            return self._show_own(request, session, [WRONG], 400)
        if wrong := self._try_to_keep(user, new, again):
            return self._show_own(request, session, wrong, 400)
        return self._at.let_in(request, user, "local", "/")

    def sign_out(self, request: Request, form_token: Typed = "") -> Response:
        """Ends the session."""
        check_token(self._at.sessions.find(request), form_token)
        return self._leave(request, RedirectResponse("/sign-in", 303))

    def leave(self, request: Request) -> Response:
        """Where "Exit this page" leads: nothing about anybody, and going back leads to the form to sign in."""
        self._at.sessions.end(request)     # first: the page is shown to nobody
        return self._leave(request, self._at.show(request, "away.html", {}, 200))

    def _leave(self, request: Request, answer: Response) -> Response:
        self._at.sessions.end(request)
        self._at.sessions.drop_cookie(answer)
        return answer

    def _find_own(self, request: Request) -> tuple[Session, accounts.User] | None:
        session = self._at.sessions.find(request)
        if session is None or session.person is None:
            return None
        if session.method != "local":
            raise HTTPException(404)
        return session, self._at.local.read(session.person.id)

    def _show_own(
        self, request: Request, session: Session, wrong: list[str] | None = None, status: int = 200
    ) -> Response:
        return self._at.show(request, "sign_in_password.html", {
            "wrong": wrong or [], "form_token": session.form, "shortest": SHORTEST, "asks_old": True}, status)

    def _try_to_keep(self, user: accounts.User, new: str, again: str) -> list[str]:
        """What is wrong with a new password; where nothing is, it is kept."""
        if new != again:
            return [UNLIKE]
        try:
            self._at.local.keep_password(user, new, self._at.clock())
        except UsageError as error:
            return [f"The password {problem.found}: {problem.fix}" for problem in error.problems]
        return []


def make_login_routes(
    store: Database, settings: LoginSettings, show: Show, sessions: Sessions, passwords: Passwords | None = None,
    wire: Wire | None = None, **parts: Any,
) -> APIRouter:
    """The routes of signing in. `parts`: what else of `Entrance` is not as usual: throttle, clock, draw, tell, ..."""
    seal, provider = Seal(settings.secret), settings.provider
    at = Entrance(store, settings, show, sessions, LocalLogin(store, passwords or Passwords(), seal), seal, **parts)
    here = LoginPages(at)
    there = CouncilPages(at, Oidc(provider, settings.address.rstrip("/") + BACK, wire) if provider else None)
    router = APIRouter()
    for method, path, handler in (
        ("GET", "/sign-in", here.show_sign_in), ("POST", "/sign-in", here.sign_in),
        ("GET", "/sign-in/step", here.show_step), ("POST", "/sign-in/code", here.check_code),
        ("POST", "/sign-in/factor", here.keep_factor), ("POST", "/sign-in/password", here.keep_password),
        ("GET", "/sign-in/council", there.start), ("GET", BACK, there.come_back),
        ("GET", "/account/password", here.show_password), ("POST", "/account/password", here.change_password),
        ("POST", "/sign-out", here.sign_out), ("GET", "/away", here.leave),
    ):
        router.add_api_route(path, handler, methods=[method], response_model=None, include_in_schema=False)
    return router


def _start_again() -> Response:
    return RedirectResponse("/sign-in", 303)


def _is_made_up(user: accounts.User) -> bool:
    return user.login.startswith(MADE_UP) and user.password_hash is None and user.disabled is None


def _carry(carrier: Response, page: Response) -> Response:
    for name, value in carrier.raw_headers:
        if name == b"set-cookie":
            page.headers.append("set-cookie", value.decode())
    return page
