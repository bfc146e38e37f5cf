"""The counter where offers are screened: the front desk as one signed-in person stands at it.

What the front desk refuses is told in sentences. What must never happen is kept as an incident, and a page gives its
number; nothing of it is quoted.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import HTTPException, Path, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute

from api.incidents import Incidents
from api.problems import FAULTS, KINDS, STANDING, Kind
from api.screens import Asker, Disagreement, FrontDesk, Once
from api.web.keeping import Office, find_database, find_office, name_user, read_now
from api.web.layout import LONDON, find_pages
from api.web.reach import Reach, need
from api.web.refusals import end_sentence, list_refusals
from api.web.rights import Register
from engine.errors import Problem, ScreenError, WardwiseError
from engine.screenings import Kept
from engine.store.accounts import read_user
from engine.store.database import Database, Reading
from engine.store.problems import Missing, StoreError

REGISTER = "screenings"
Token = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
Fields = Mapping[str, str]

_ACCOUNT = re.compile(r"[0-9a-f]{32}")
_LONGEST_KEY = 64       # characters of what a form is told apart by


@dataclass(frozen=True)
class Counter:
    """Somebody at the desk, at one moment."""

    me: Reach
    office: Office
    database: Database
    now: datetime

    @property
    def front(self) -> FrontDesk:
        """The desk itself."""
        return self.office.front

    @property
    def today(self) -> date:
        """Which day it is here."""
        return self.now.astimezone(LONDON).date()

    @property
    def asker(self) -> Asker:
        """Who asks: by the id of their account, in the role that the policies give them."""
        return Asker(self.me.id, "housing_manager" if self.may("override") else "housing_officer")

    def may(self, action: str) -> bool:
        """Whether this person may do this with screenings."""
        return self.me.may_do(action, Register(REGISTER))

    def find(self, token: str) -> Kept:
        """The screening of an address. 404 where there is none."""
        kept = self.front.find_token(token)
        if kept is None:
            raise HTTPException(404)
        return kept

    def find_latest(self, token: str) -> Kept:
        """The same, where it may still be acted on. Raises ScreenError once the two were screened again."""
        kept = self.find(token)
        if self.front.same_pair(kept)[-1].id != kept.id:
            raise ScreenError(Problem(kept.id, "is not the latest screening of this applicant and home", "",
                                      "read the latest one, and go on from there"), "conflict")
        return kept

    def once(self, drawn: str, *asked: object) -> Once:
        """What tells a form sent twice from another one: what was drawn for the form, and everything it asks.

        Both are in the key, so that whoever goes back and answers otherwise is not answered as before.
        """
        request = hashlib.sha256(json.dumps([drawn[:_LONGEST_KEY], *asked]).encode()).hexdigest()
        return Once(request if drawn else None, request)

    def sent_before(self, once: Once) -> bool:
        """Whether this very form was sent already: then it is answered as it was."""
        return once.key is not None and self.front.kept.find_key(self.me.id, once.key, once.request) is not None


def stand(action: str) -> Callable[[Request], Counter]:
    """Lets to the counter whoever may do this. 403 for anybody else; 503 where there is no desk."""
    let_in = need(action, REGISTER)

    def come(request: Request) -> Counter:
        me = let_in(request)
        return Counter(me, find_office(request), find_database(request), read_now(request))

    return come


async def read_fields(request: Request) -> Fields:
    """Every field of a form whose fields follow from what is asked; line ends as one character."""
    form = await request.form()
    return {name: value.replace("\r\n", "\n").strip() for name, value in form.items() if isinstance(value, str)}


def name_asker(reading: Reading, by: str) -> str:
    """Who did something at the desk: an account here, or a name from the command line or a token."""
    try:
        return read_user(reading, by).name
    except Missing:
        return name_user(reading, by) if _ACCOUNT.fullmatch(by) else by


def find_status(error: ScreenError | StoreError) -> int:
    """The status of a page that tells of a refusal."""
    status = KINDS[FAULTS[error.fault]][0]
    return 400 if status in (404, 422) else status


class CounterRoute(APIRoute):
    """A page of the counter: whatever is nobody's mistake but ours is kept as an incident, and told by its number."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The page, with trouble of the desk answered."""
        show = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await show(request)
            except ScreenError as error:
                paragraphs = [*list_refusals(error), "Nothing was changed."]
                return _show_trouble(request, KINDS[FAULTS[error.fault]][1], paragraphs, find_status(error))
            except StoreError:
                raise       # the site has pages of its own for these
            except Disagreement as error:
                return await _keep_incident(request, error, "disagreement")
            except (WardwiseError, OSError) as error:
                return await _keep_incident(request, error, "unavailable")

        return answer


# --- inside ---------------------------------------------------------------------------------------


async def _keep_incident(request: Request, error: Exception, kind: Kind) -> Response:
    office = find_office(request)
    rules, desk = office.front.describe_desk()
    kept = await asyncio.to_thread(Incidents(office.setting.home).record, error, office.front.now(), rules, desk)
    status, title = KINDS[kind]
    said = STANDING[kind]
    paragraphs = [f"{end_sentence(f'{said.where} {said.found}' if kind == 'unavailable' else said.found)} "
                  f"{end_sentence(said.fix)}", f"The number of the incident is {kept.id}. Nothing was half saved."]
    return _show_trouble(request, title, paragraphs, status)


def _show_trouble(request: Request, heading: str, paragraphs: list[str], status: int) -> Response:
    return find_pages(request).show(request, "trouble.html", {"heading": heading, "paragraphs": paragraphs}, status)
