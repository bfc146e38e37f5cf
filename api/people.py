"""The commands about accounts: who may sign in to the site, in which roles, for which agency.

A first password is shown once, works until its owner chose another, and is not read from the command line: what is
typed there is kept in histories and seen by everybody on the machine. No password and no second factor is ever shown.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from api.guard import tell
from api.options import HOME, Home, give_example
from api.storing import StoreUrl, open_store
from api.today import read_clock
from api.web.passwords import Passwords
from api.web.rights import ROLES
from api.web.totp import needs_code
from engine.contract import AGENCIES
from engine.errors import Problem, UsageError
from engine.prose import name_agency
from engine.store import accounts
from engine.store.database import SYSTEM, Writing

user = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="""Say who may sign in to the site.

An account is given to a person, in roles, for an agency. Nobody is ever deleted: the audit log names them.""")

Login = Annotated[str, typer.Argument(metavar="LOGIN", help="What they sign in with, such as their work address.")]
Issuer = Annotated[str | None, typer.Option(metavar="URL", help="The provider of accounts, where one is used.")]
Subject = Annotated[str | None, typer.Option(help="Who they are there: the line shown to them when they first try.")]

FIRST_PASSWORD = 15
"""Bytes: 120 bits, 20 characters, for the few minutes until its owner chose another."""


@user.command("add", epilog=give_example(
    'wardwise user add pat@council.example --name "Pat Chair" --agency community_safety --role tasking_chair'))
def add_person(
    login: Login,
    name: Annotated[str, typer.Option(help="As colleagues know them.")],
    agency: Annotated[str, typer.Option(help="The agency they work for.")],
    role: Annotated[list[str], typer.Option(help="What they do here; may be given several times.")],
    ward: Annotated[list[str] | None, typer.Option(help="Of a ward councillor; several times if need be.")] = None,
    issuer: Issuer = None, subject: Subject = None, home: Home = HOME, store: StoreUrl = None,
) -> None:
    """Give somebody an account, and show its first password once.

    With --issuer and --subject they sign in with the council's own account instead, and there is no password.
    """
    check_person(agency, role, ward or [], issuer, subject)
    password = None if issuer else draw_password()
    kept = Passwords().hash(password) if password else None
    with _writing(home, store) as writing:
        accounts.add_user(writing, login, name, agency, role, wards=ward or [], password_hash=kept,
                          must_change=password is not None, oidc=(issuer, subject) if issuer and subject else None)
    if needs_code(tuple(role)) and password:
        tell("They will be asked to set up a second factor when they first sign in.")
    _show(password)


@user.command("list", epilog=give_example("wardwise user list"))
def list_people(home: Home = HOME, store: StoreUrl = None) -> None:
    """List every account, and whether it can be used."""
    at, opened = read_clock(), open_store(home, store)
    with opened.reading() as reading:
        found = accounts.find_users(reading)
    opened.close()
    for one in found:       # a login on a line of its own, so that it can be copied whole
        typer.echo(f"{one.login}\n    {one.name}, {name_agency(one.agency)}: {', '.join(one.roles)}\n"
                   f"    signs in with {_say_way(one)}; {_say_now(one, at)}")
    if not found:
        typer.echo("Nobody yet.")


@user.command("disable", epilog=give_example("wardwise user disable pat@council.example"))
def disable_person(login: Login, home: Home = HOME, store: StoreUrl = None) -> None:
    """Shut an account, and end its sessions at once. `wardwise user reset` opens it again."""
    with _writing(home, store) as writing:
        found = find_person(writing, login)
        if found.disabled is None:
            accounts.change_user(writing, found.id, found.version, disabled=writing.at)
        ended = accounts.end_sessions_of(writing, found.id, "disabled")
    typer.echo(f"The account of {found.name} is shut; {ended} session{'' if ended == 1 else 's'} ended.")


@user.command("reset", epilog=give_example("wardwise user reset pat@council.example"))
def reset_person(login: Login, home: Home = HOME, store: StoreUrl = None) -> None:
    """Open an account again with a new first password, shown once, and without its second factor.

    Its sessions end. Make sure that whoever asks is who they say: ring them, do not answer their message.
    """
    password = draw_password()
    kept = Passwords().hash(password)
    with _writing(home, store) as writing:
        found = find_person(writing, login)
        if found.disabled is not None:
            accounts.change_user(writing, found.id, found.version, disabled=None)
        if found.oidc_subject is None:
            accounts.set_password(writing, found.id, kept, must_change=True)
        else:
            accounts.clear_failures(writing, found.id)
        if found.totp_secret is not None:
            accounts.set_totp(writing, found.id, None)
        accounts.end_sessions_of(writing, found.id, "reset")
    _show(password if found.oidc_subject is None else None)


@user.command("link", epilog=give_example(
    "wardwise user link pat@council.example --issuer https://login.council.example --subject 8f2a..."))
def link_person(
    login: Login,
    issuer: Annotated[str, typer.Option(metavar="URL", help="The provider of accounts.")],
    subject: Annotated[str, typer.Option(help="Who they are there: the line shown to them when they first try.")],
    home: Home = HOME, store: StoreUrl = None,
) -> None:
    """Tie an account to the council's own, which they sign in with from then on.

    Only by hand: an e-mail address can be given to somebody else later, a subject cannot.
    """
    with _writing(home, store) as writing:
        found = find_person(writing, login)
        accounts.change_user(writing, found.id, found.version, oidc_issuer=issuer, oidc_subject=subject)
        accounts.end_sessions_of(writing, found.id, "linked")
    typer.echo(f"{found.name} signs in with their account at {issuer}.")


def check_person(
    agency: str, roles: list[str], wards: list[str], issuer: str | None = None, subject: str | None = None
) -> None:
    """Raises UsageError, with everything that is wrong, where nobody can be like this."""
    problems = [Problem(f"--role {role}", "there is no such role", ", ".join(ROLES), "choose from these")
                for role in roles if role not in ROLES]
    if agency not in AGENCIES:
        problems.append(Problem(f"--agency {agency}", "there is no such agency", ", ".join(AGENCIES), "choose one"))
    if wards and "councillor" not in roles:
        problems.append(Problem("--ward", "is only for a councillor", "--role councillor with it", "leave it out"))
    if (issuer is None) != (subject is None):
        problems.append(Problem("--issuer and --subject", "one is there without the other", "both or neither",
                                "the line shown to them when they first try is the subject"))
    if problems:
        raise UsageError(problems)


def find_person(writing: Writing, login: str) -> accounts.User:
    """The account of a login. Raises UsageError, which does not repeat it."""
    found = accounts.find_user(writing, login)
    if found is None:
        raise UsageError(Problem("LOGIN", "nobody has this login", "a login from `wardwise user list`", "correct it"))
    return found


def draw_password() -> str:
    """A first password."""
    return secrets.token_urlsafe(FIRST_PASSWORD)


@contextmanager
def _writing(home: Path, store: str | None) -> Iterator[Writing]:
    opened = open_store(home, store)
    try:
        with opened.writing(read_clock(), SYSTEM) as writing:
            yield writing
    finally:
        opened.close()


def _show(password: str | None) -> None:
    if password is None:
        tell("They sign in with the council's own account; there is no password here.")
        return
    tell("This first password is not shown again. Give it to them yourself; they choose another when they sign in.")
    typer.echo(password)


def _say_way(one: accounts.User) -> str:
    if one.oidc_subject:
        return "their council account"
    code = " and a code" if one.totp_secret else " and a code, to be set up" if needs_code(one.roles) else ""
    return f"a password{code}" if one.password_hash else "nothing yet"


def _say_now(one: accounts.User, at: datetime) -> str:
    if one.disabled:
        return f"shut since {one.disabled:%Y-%m-%d}"
    if one.locked_until and one.locked_until > at:
        return f"locked until {one.locked_until:%H:%M} UTC"
    return "still the first password" if one.must_change else "open"
