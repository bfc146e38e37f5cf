"""The administrator's pages about accounts: who may sign in, in which roles, for which agency.

The same that `wardwise user` does at a terminal. Nobody is deleted, because the log names them; nobody changes their
own account, because nobody gives rights to themselves. New rights end the sessions that began without them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from api.people import check_person, draw_password
from api.web.form import list_errors
from api.web.identity import check_form
from api.web.keeping import find_database, name_user, read_now
from api.web.layout import find_pages, say_time
from api.web.passwords import Passwords
from api.web.reach import Reach, need
from api.web.refusals import say_slower
from api.web.rights import Account, Register
from engine.errors import UsageError
from engine.store import accounts
from engine.store.accounts import User
from engine.store.database import Reading
from engine.store.problems import Stale, StoreError, Unready

router = APIRouter(dependencies=[Depends(check_form)])

Administrator = Annotated[Reach, Depends(need("manage_users", "users"))]

_DONE = {"changed": "The account is changed. Whoever it belongs to signs in again.", "shut": "The account is shut.",
         "opened": "The account is open again.", "factor": "The second factor is taken away. They set up another when "
         "they sign in.", "unlocked": "The account is unlocked."}


@dataclass(frozen=True)
class Sent:
    """The form about an account, as it was sent."""

    login: str = ""
    name: str = ""
    agency: str = ""
    roles: tuple[str, ...] = ()
    wards: str = ""

    @property
    def ward_names(self) -> tuple[str, ...]:
        """Wards, one on each line."""
        return tuple(line.strip() for line in self.wards.splitlines() if line.strip())


def read_sent(
    login: Annotated[str, Form(max_length=200)] = "", name: Annotated[str, Form(max_length=200)] = "",
    agency: Annotated[str, Form(max_length=80)] = "", role: Annotated[list[str] | None, Form()] = None,
    wards: Annotated[str, Form(max_length=4000)] = "",
) -> Sent:
    """What was filled in."""
    return Sent(login.strip(), name.strip(), agency, tuple(role or ()), wards)


Filled = Annotated[Sent, Depends(read_sent)]


@router.get("/accounts")
def show_accounts(request: Request, me: Administrator) -> Response:
    """Every account, by name."""
    now = read_now(request)
    with find_database(request).reading() as reading:
        people = accounts.find_users(reading)
    return find_pages(request).show(request, "accounts.html", {
        "people": [{"user": one, "now": say_now(one, now), "own": one.id == me.id} for one in people],
        "open": sum(one.disabled is None for one in people)})


@router.get("/accounts/new")
def show_new(request: Request, me: Administrator) -> Response:
    """The form for a new account."""
    return _show_form(request, Sent())


@router.post("/accounts/new")
def add_account(request: Request, me: Administrator, sent: Filled) -> Response:
    """Makes an account, and shows its first password once."""
    errors = find_errors(sent, new=True)
    if errors:
        return _show_form(request, sent, errors)
    password = draw_password()
    kept = Passwords().hash(password)       # slow on purpose, so before anybody waits to write
    try:
        with find_database(request).writing(read_now(request), me.id) as writing:
            made = accounts.add_user(writing, sent.login, sent.name, sent.agency, sent.roles, wards=sent.ward_names,
                                     password_hash=kept, must_change=True)
    except Unready:
        raise
    except StoreError:
        return _show_form(request, sent, {"login": "Somebody has this login already: choose another"})
    return _show_password(request, made, password)


@router.get("/accounts/{id}")
def show_account(request: Request, id: str, me: Administrator, done: str = "") -> Response:
    """One account, and what can be done with it."""
    with find_database(request).reading() as reading:
        user = accounts.read_user(reading, id)
        return _show_one(request, me, reading, user, _sent(user), done=_DONE.get(done, ""))


@router.post("/accounts/{id}")
def change_account(
    request: Request, id: str, me: Administrator, sent: Filled, version: Annotated[int, Form()],
) -> Response:
    """Changes name, agency, roles or wards; the person signs in again."""
    _check_other(me, id)
    errors = find_errors(sent, new=False)
    if not errors:
        try:
            with find_database(request).writing(read_now(request), me.id) as writing:
                accounts.change_user(writing, id, version, name=sent.name, agency=sent.agency, roles=sent.roles,
                                     wards=sent.ward_names)
                accounts.end_sessions_of(writing, id, "rights_changed")
            return RedirectResponse(f"/accounts/{id}?done=changed", 303)
        except Stale as stale:
            with find_database(request).reading() as reading:
                slower = say_slower(reading, "this account", stale.by, stale.at)
                return _show_one(request, me, reading, accounts.read_user(reading, id), sent, slower=slower)
    with find_database(request).reading() as reading:
        return _show_one(request, me, reading, accounts.read_user(reading, id), sent, errors)


@router.post("/accounts/{id}/shut")
def shut_account(
    request: Request, id: str, me: Administrator, version: Annotated[int, Form()], sure: Annotated[str, Form()] = "",
) -> Response:
    """Shuts an account and ends its sessions, or opens it again."""
    _check_other(me, id)
    with find_database(request).writing(read_now(request), me.id) as writing:
        user = accounts.read_user(writing, id)
        if user.disabled is None and sure != "yes":
            return _show_one(request, me, writing, user, _sent(user),
                             {"sure": "Tick the box if this account is to be shut"})
        accounts.change_user(writing, id, version, disabled=None if user.disabled else writing.at)
        accounts.end_sessions_of(writing, id, "disabled")
    return RedirectResponse(f"/accounts/{id}?done={'opened' if user.disabled else 'shut'}", 303)


@router.post("/accounts/{id}/password")
def reset_password(request: Request, id: str, me: Administrator) -> Response:
    """A new first password, shown once; the second factor goes too."""
    _check_other(me, id)
    password = draw_password()
    kept = Passwords().hash(password)
    with find_database(request).writing(read_now(request), me.id) as writing:
        user = accounts.read_user(writing, id)
        if user.oidc_subject is not None:
            raise HTTPException(403)        # the council's own account has its own way
        accounts.set_password(writing, id, kept, must_change=True)
        if user.totp_secret is not None:
            accounts.set_totp(writing, id, None)
        accounts.end_sessions_of(writing, id, "reset")
    return _show_password(request, user, password)


@router.post("/accounts/{id}/unlock")
def unlock_account(request: Request, id: str, me: Administrator) -> Response:
    """Forgets failed attempts to sign in."""
    _check_other(me, id)
    with find_database(request).writing(read_now(request), me.id) as writing:
        accounts.clear_failures(writing, id)
    return RedirectResponse(f"/accounts/{id}?done=unlocked", 303)


def find_errors(sent: Sent, *, new: bool) -> dict[str, str]:
    """What is missing, by field."""
    errors = {}
    if new and not sent.login:
        errors["login"] = "Write what they sign in with, such as their work address"
    if not any(map(str.isalpha, sent.name)):
        errors["name"] = "Write their name, as colleagues know them"
    if not sent.roles:
        errors["role"] = "Choose at least one role"
    try:
        check_person(sent.agency, list(sent.roles), list(sent.ward_names))
    except UsageError as error:
        fields = {"--agency": ("agency", "Choose the agency they work for"),
                  "--role": ("role", "Choose roles from these"),
                  "--ward": ("wards", "Only a ward councillor has wards: choose that role, or leave this empty")}
        errors |= dict(fields[problem.where.split()[0]] for problem in error.problems)
    return errors


def say_now(user: User, now: Any) -> str:
    """Whether an account can be used."""
    if user.disabled:
        return f"Shut since {say_time(user.disabled)}"
    if user.locked_until and user.locked_until > now:
        return f"Locked until {say_time(user.locked_until)}"
    return "First password not changed yet" if user.must_change else "Open"


def _check_other(me: Reach, id: str) -> None:
    if not me.may_do("manage_users", Account(id)):
        raise HTTPException(403)


def _sent(user: User) -> Sent:
    return Sent(user.login, user.name, user.agency, user.roles, "\n".join(user.wards))


def _show_form(request: Request, sent: Sent, errors: dict[str, str] | None = None) -> Response:
    errors = errors or {}
    return find_pages(request).show(request, "account_new.html", {
        "sent": sent, "errors": errors, "wrong": list_errors(errors)}, 400 if errors else 200)


def _show_one(
    request: Request, me: Reach, reading: Reading, user: User, sent: Sent, errors: dict[str, str] | None = None,
    *, done: str = "", slower: str = "",
) -> Response:
    errors = errors or {}
    return find_pages(request).show(request, "account.html", {
        "user": user, "sent": sent, "errors": errors, "wrong": list_errors(errors), "done": done, "slower": slower,
        "now": say_now(user, read_now(request)), "may_change": me.may_do("manage_users", Account(user.id)),
        "may_audit": me.may_do("audit_read", Register("audit")),
        "changed_by": name_user(reading, user.changed_by)}, 409 if slower else 400 if errors else 200)


def _show_password(request: Request, user: User, password: str) -> Response:
    return find_pages(request).show(request, "account_password.html", {"user": user, "password": password})
