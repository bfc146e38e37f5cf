"""Users and sessions as data. Nothing is hashed, encrypted or timed here: the door does that and passes results in.

A user is never deleted, since the audit log names them by id; one who leaves is disabled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, or_, select, update

from engine.store.chain import Note
from engine.store.database import Reading, Writing
from engine.store.problems import Missing
from engine.store.tables import sessions, users
from engine.store.versioned import change_row
from engine.store.words import check, say_no_words, say_unkeepable

_USER, _SESSION = "the user", "the session"
CHANGEABLE = ("name", "agency", "roles", "wards", "disabled", "oidc_issuer", "oidc_subject")


@dataclass(frozen=True)
class User:
    """An account. `wards`: of a councillor. `totp_secret` is as the door encrypted it; secrets never show in a repr."""

    id: str
    login: str
    name: str
    agency: str
    roles: tuple[str, ...]
    wards: tuple[str, ...]
    password_hash: str | None = field(repr=False)
    must_change: bool
    totp_secret: str | None = field(repr=False)
    totp_step: int | None
    failed: int
    locked_until: datetime | None
    disabled: datetime | None
    oidc_issuer: str | None
    oidc_subject: str | None
    created: datetime
    changed_at: datetime
    changed_by: str
    version: int


@dataclass(frozen=True)
class Session:
    """A session under the SHA-256 of its cookie. `user` is None while a login is under way; `data` its JSON."""

    id: str = field(repr=False)
    user: str | None
    created: datetime
    seen: datetime
    ended: datetime | None
    csrf: str = field(repr=False)
    method: str
    purpose: str | None
    data: str | None = field(repr=False)


# --- users ---------------------------------------------------------------------------------------------


def add_user(
    writing: Writing, login: str, name: str, agency: str, roles: Sequence[str], *, wards: Sequence[str] = (),
    password_hash: str | None = None, must_change: bool = False, oidc: tuple[str, str] | None = None,
) -> User:
    """A new account under an id that says nothing. `login` is folded, so that one person has one spelling.

    Raises StoreError where the login, or the issuer and subject of `oidc`, are taken.
    """
    check(say_no_words(_USER, "login", login, 1, 200), say_no_words(_USER, "name", name, 1, 200))
    row: dict[str, Any] = {
        "id": writing.draw(), "login": login.strip().casefold(), "name": name.strip(), "agency": agency,
        "roles": tuple(roles), "wards": tuple(wards), "password_hash": password_hash, "must_change": must_change,
        "totp_secret": None, "totp_step": None, "failed": 0, "locked_until": None, "disabled": None,
        "oidc_issuer": oidc[0] if oidc else None, "oidc_subject": oidc[1] if oidc else None,
        "created": writing.at, "changed_at": writing.at, "changed_by": writing.actor, "version": 1}
    note = Note("user.added", row["id"], {"agency": agency, "roles": list(roles)})
    writing.change(note, insert(users), [row])
    return User(**row)


def read_user(reading: Reading, id: str) -> User:
    """An account. Raises Missing."""
    return _user(reading, users.c.id == id)


def find_user(reading: Reading, login: str) -> User | None:
    """The account of a login, in any case."""
    row = reading.first(select(users).where(users.c.login == login.strip().casefold()))
    return User(**row) if row else None


def find_oidc_user(reading: Reading, issuer: str, subject: str) -> User | None:
    """The account of a subject of an identity provider."""
    row = reading.first(select(users).where(users.c.oidc_issuer == issuer, users.c.oidc_subject == subject))
    return User(**row) if row else None


def find_users(reading: Reading) -> tuple[User, ...]:
    """Every account, by name."""
    return tuple(User(**row) for row in reading.all(select(users).order_by(users.c.name, users.c.id)))


def change_user(writing: Writing, id: str, version: int, **values: Any) -> User:
    """Changes name, agency, roles, wards, disabled (when), oidc_issuer or oidc_subject. Raises Stale."""
    assert set(values) <= set(CHANGEABLE), f"of an account, only {', '.join(CHANGEABLE)} are changed here"
    check(say_no_words(_USER, "name", values.get("name", "A"), 1, 200))
    told = {key: value for key, value in values.items() if key in ("agency", "roles")}
    note = Note("user.changed", id, {"changed": sorted(values)} | told)
    change_row(writing, users, _USER, id, version, note, **values)
    return read_user(writing, id)


def set_password(writing: Writing, id: str, password_hash: str, *, must_change: bool = False) -> None:
    """Keeps a new hash and forgets failed attempts."""
    _set(writing, id, "user.password_set", {"must_change": must_change}, password_hash=password_hash,
         must_change=must_change, failed=0, locked_until=None)


def set_totp(writing: Writing, id: str, secret: str | None) -> None:
    """Keeps a second factor, encrypted by the door, or takes it away."""
    _set(writing, id, "user.totp_set" if secret else "user.totp_removed", {}, totp_secret=secret, totp_step=None)


def use_totp(writing: Writing, id: str, step: int) -> bool:
    """Takes a code's time step; False where it, or a later one, was taken before: a code works once."""
    statement = update(users).where(users.c.id == id, or_(users.c.totp_step.is_(None), users.c.totp_step < step))
    return writing.change(Note("user.totp_used", id, {}), statement.values(totp_step=step)) == 1


def count_failure(writing: Writing, id: str, locked_until: datetime | None = None) -> int:
    """Counts a login that was refused, and locks the account until then where told. Gives the failures in a row."""
    _set(writing, id, "login.refused", {"locked": locked_until is not None}, failed=users.c.failed + 1,
         **({"locked_until": locked_until} if locked_until else {}))
    return read_user(writing, id).failed


def clear_failures(writing: Writing, id: str) -> None:
    """Forgets failed attempts after a login that succeeded, or when an administrator unlocks."""
    statement = update(users).where(users.c.id == id, or_(users.c.failed > 0, users.c.locked_until.is_not(None)))
    writing.change(Note("user.unlocked", id, {}), statement.values(failed=0, locked_until=None))


def _set(writing: Writing, id: str, action: str, body: dict[str, Any], **values: Any) -> None:
    # No version is asked for: these are about the person logging in, not about what an administrator was looking at.
    if writing.change(Note(action, id, body), update(users).where(users.c.id == id).values(**values)) == 0:
        raise Missing(_USER)


def _user(reading: Reading, term: Any) -> User:
    if (row := reading.first(select(users).where(term))) is None:
        raise Missing(_USER)
    return User(**row)


# --- sessions ------------------------------------------------------------------------------------------


def begin_session(
    writing: Writing, id: str, csrf: str, method: str, *, user: str | None = None, purpose: str | None = None,
    data: str | None = None,
) -> Session:
    """A new session under the SHA-256 of its cookie. A login rotates: end the old one, begin another."""
    check(say_unkeepable(_SESSION, "data", data or ""))
    row: dict[str, Any] = {
        "id": id, "user": user, "created": writing.at, "seen": writing.at, "ended": None, "csrf": csrf,
        "method": method, "purpose": purpose, "data": data}
    writing.change(Note("session.begun", user or "", {"method": method, "purpose": purpose}), insert(sessions), [row])
    return Session(**row)


def read_session(reading: Reading, id: str) -> Session | None:
    """A session, ended or not; None where there is none."""
    row = reading.first(select(sessions).where(sessions.c.id == id))
    return Session(**row) if row else None


def see_session(writing: Writing, id: str) -> None:
    """Notes that a session is in use. Call it at most once a minute: it is a write."""
    writing.touch(update(sessions).where(sessions.c.id == id, sessions.c.ended.is_(None)).values(seen=writing.at))


def end_session(writing: Writing, id: str, because: str = "signed_out") -> bool:
    """Ends a session: signed_out, idle, too_long, rotated. False where it had ended."""
    statement = update(sessions).where(sessions.c.id == id, sessions.c.ended.is_(None))
    note = Note("session.ended", _owner(writing, id), {"because": because})
    return writing.change(note, statement.values(ended=writing.at, data=None)) == 1


def end_sessions_of(writing: Writing, user: str, because: str, but: str = "") -> int:
    """Ends every session of a user, but one: after a new password or role, or when disabled. Gives how many."""
    statement = update(sessions).where(sessions.c.user == user, sessions.c.ended.is_(None), sessions.c.id != but)
    return writing.change(Note("session.ended", user, {"because": because, "all": True}),
                          statement.values(ended=writing.at, data=None))


def forget_sessions(writing: Writing, before: datetime) -> int:
    """Deletes sessions last seen before a moment; the audit log still tells that they were. Gives how many."""
    return writing.change(Note("sessions.forgotten", "", {}), delete(sessions).where(sessions.c.seen < before))


def _owner(reading: Reading, id: str) -> str:
    return str(reading.value(select(sessions.c.user).where(sessions.c.id == id)) or "")
