"""Who is asking: the person of this request's session, and the token that every form of theirs carries."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import Request

from api.web.security import EXPIRED

if TYPE_CHECKING:
    from api.web.sessions import Session, Sessions


@dataclass(frozen=True)
class Person:
    """Somebody signed in: an id that stays, a name to show, the agency they work for, what they are here to do."""

    id: str
    name: str
    agency: str
    roles: frozenset[str]


class NotSignedIn(Exception):
    """Nobody has signed in; answered by the page to sign in. `wanted`: the path they asked for."""

    def __init__(self, wanted: str) -> None:
        super().__init__("nobody has signed in")
        self.wanted = wanted


def find_session(request: Request) -> Session | None:
    """The session of a request, if there is one."""
    sessions: Sessions = request.app.state.sessions
    return sessions.find(request)


async def check_form(request: Request) -> None:
    """Every router depends on this: a form that was sent carries the token of its own session, or is refused."""
    if request.method in ("GET", "HEAD"):
        return
    session = find_session(request)
    sent = (await request.form()).get("form_token")
    if session is None or not isinstance(sent, str) or not hmac.compare_digest(sent.encode(), session.form.encode()):
        raise HTTPException(EXPIRED)
