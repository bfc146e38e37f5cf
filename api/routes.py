"""The paths of the service: each reads a request, asks the front desk, and answers with what was kept.

No identifier of a person or an offer stands in a path, because paths are what other people's logs keep. Each path
names the right it needs; one that names none cannot be built.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Coroutine, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from api.describe import declare
from api.faults import answer_error
from api.messages import (
    Answered,
    AnswersAdded,
    Askable,
    Askables,
    Health,
    Message,
    OfferAsked,
    OverrideAsked,
    Overrides,
    Replayed,
    ScreeningAsked,
    ScreeningKept,
    Shortlist,
    ShortlistAsked,
    WithdrawalAsked,
)
from api.screens import Asker, FrontDesk, Once, Shown
from api.tokens import Tokens
from engine.answers import Raw
from engine.events import Offer, Override
from engine.flag import write_json

PREFIX = "/api/v1"

ScreeningId = Annotated[str, Path(pattern=r"^S[0-9]{6,12}$", description="A screening's id.", examples=["S000001"])]
OfferId = Annotated[str, Path(pattern=r"^OF[0-9]{6,12}$", description="An offer's id.", examples=["OF000001"])]
Key = Annotated[str | None, Header(
    alias="Idempotency-Key", pattern=r"^[!-~]{1,64}$", examples=["7f3c1f52-0d6e-4a8e-9f0a-1b2c3d4e5f60"],
    description="Made up by the sender, new for each request. The same request sent again with it is answered as "
                "the first time, and nothing is screened twice; another request with it is refused.")]


class GuardedRoute(APIRoute):
    """A path behind its right: first who asks, then how it was sent, and only then what it says."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What answers a request, errors included."""
        handle, right = super().get_route_handler(), (self.openapi_extra or {})["x-right"]

        async def guarded(request: Request) -> Response:
            try:
                if right is not None:
                    request.state.asker = admit(request, right)
                if request.method == "POST" and not _is_json(request.headers.get("content-type", "")):
                    raise HTTPException(415)
                return await handle(request)
            except Exception as error:
                return await answer_error(request, error)

        return guarded


def admit(request: Request, right: Any) -> Asker:
    """Who asks, if the token is in force and its role has the right."""
    tokens: Tokens = request.app.state.tokens
    sent = request.headers.getlist("authorization")
    scheme, _, secret = sent[0].partition(" ") if len(sent) == 1 else ("", "", "")
    token = tokens.find(secret.strip(), _front(request).now().date())
    if scheme.lower() != "bearer" or token is None:
        raise HTTPException(401)
    if not token.may(right):
        raise HTTPException(403)
    return Asker(token.name, token.role)


router = APIRouter(prefix=PREFIX, route_class=GuardedRoute)


# --- screening ------------------------------------------------------------------------------------


@router.post("/screenings", **declare("screen", ScreeningKept, 201, 200, 404, 409))
def screen(request: Request, asked: ScreeningAsked, key: Key = None) -> Response:
    """Screen an applicant for a home before the offer.

    What speaks against it, what is not known, and what to ask. It is kept, and decides nothing.
    """
    return _answer_shown(_front(request).screen(
        _asker(request), asked.applicant, asked.uprn, _answers(asked.answers), _once(request, asked, key),
        asked.matches))


@router.get("/screenings/{screening}", **declare("read", ScreeningKept, 200, 404))
def show_screening(request: Request, screening: ScreeningId) -> Response:
    """Show a screening as it was kept, byte for byte."""
    return _answer_shown(_front(request).show(screening))


@router.post("/screenings/{screening}/answers", **declare("screen", ScreeningKept, 201, 200, 404, 409))
def add_answers(request: Request, screening: ScreeningId, added: AnswersAdded, key: Key = None) -> Response:
    """Screen the same applicant and home again with what has been told since.

    Makes a new screening. Earlier answers still count, unless the same fact is answered again.
    """
    return _answer_shown(_front(request).answer(
        _asker(request), screening, _answers(added.answers), _once(request, added, key), added.matches))


@router.post("/shortlists", **declare("screen", Shortlist, 200, 404, 409))
def shortlist(request: Request, asked: ShortlistAsked) -> Response:
    """Screen those who come next for a home, in the published scheme's order, which this never changes."""
    as_of, applicants = _front(request).shortlist(asked.uprn)
    return _answer(200, Shortlist(uprn=asked.uprn, as_of=as_of, applicants=applicants).model_dump_json())


@router.get("/questions", **declare("screen", Askables, 200))
def questions(request: Request) -> Response:
    """List the facts that may be told: the question to say aloud, whose word is wanted, what may be answered."""
    facts = tuple(Askable(name=fact.name, title=fact.title, question=fact.ask, of=fact.ask_of or "applicant",
                          type=fact.type, unit=fact.unit, values=fact.values) for fact in _front(request).askable())
    return _answer(200, Askables(facts=facts).model_dump_json())


# --- people deciding ------------------------------------------------------------------------------


@router.post("/screenings/{screening}/overrides", **declare("override", Override, 201, 404, 409))
def override(request: Request, screening: ScreeningId, asked: OverrideAsked) -> Response:
    """Set a hard conflict aside, as a manager, with a reason and what will be in place instead."""
    made = _front(request).override(_asker(request), screening, asked.rule, asked.reason, asked.mitigation)
    return _answer(201, write_json(made, None))


@router.post("/screenings/{screening}/offer", **declare("offer", Offer, 201, 404, 409))
def offer(request: Request, screening: ScreeningId, asked: OfferAsked) -> Response:
    """Record that a person made the offer.

    Refused while a hard conflict is not overridden, or a soft one is not accepted by the applicant.
    """
    return _answer(201, write_json(_front(request).offer(_asker(request), screening, asked.applicant_view), None))


@router.post("/offers/{offer}/withdrawal", **declare("offer", Offer, 201, 404, 409))
def withdraw(request: Request, offer: OfferId, asked: WithdrawalAsked) -> Response:
    """Record that an offer no longer stands: the home is free again, and the offer stays on record."""
    return _answer(201, write_json(_front(request).withdraw(_asker(request), offer, asked.reason), None))


# --- reporting ------------------------------------------------------------------------------------


@router.get("/overrides", **declare("report", Overrides, 200))
def overrides(request: Request) -> Response:
    """List every override, oldest first."""
    return _answer(200, write_json({"overrides": _front(request).overrides()}, None))


@router.get("/screenings/{screening}/replay", **declare("report", Replayed, 200, 404))
def replay(request: Request, screening: ScreeningId) -> Response:
    """Make a screening again from what was known then, and compare it byte for byte with what was kept."""
    kept, again = _front(request).replay(screening)
    return _answer(200, Replayed(id=screening, identical=kept == again, kept=kept, made_again=again).model_dump_json())


@router.get("/health", **declare(None, Health, 200))
def health(request: Request) -> Response:
    """Say that the service answers, and as of which day."""
    return _answer(200, Health(status="up", as_of=_front(request).as_of()).model_dump_json())


# --- inside ---------------------------------------------------------------------------------------


def _front(request: Request) -> FrontDesk:
    front: FrontDesk = request.app.state.front_desk
    return front


def _asker(request: Request) -> Asker:
    asker: Asker = request.state.asker
    return asker


def _answers(sent: tuple[Answered, ...]) -> tuple[Raw, ...]:
    return tuple(Raw(answer.fact, answer.value, answer.told_on) for answer in sent)


def _once(request: Request, sent: Message, key: str | None) -> Once:
    """What was asked, whatever the order of its fields and the blanks between them."""
    asked = json.dumps([request.url.path, sent.model_dump(mode="json")], sort_keys=True)
    return Once(key, hashlib.sha256(asked.encode()).hexdigest())


def _answer_shown(shown: Shown) -> Response:
    """A screening with its text as it was kept: what is replayed is what was answered."""
    around: Mapping[str, Any] = {"id": shown.kept.id, "made_at": shown.kept.made_at, "made_by": shown.kept.by,
                                 "digest": shown.kept.digest}
    text = f'{json.dumps(around)[:-1]}, "matches": {shown.matches or "null"}, "screening": {shown.text}}}'
    place = {"Location": f"{PREFIX}/screenings/{shown.kept.id}"} if shown.new else {}
    return _answer(201 if shown.new else 200, text, place)


def _answer(status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
    return Response(text, status, headers, "application/json")


def _is_json(content_type: str) -> bool:
    kind, _, more = content_type.partition(";")
    return kind.strip().lower() == "application/json" and more.strip().lower() in ("", "charset=utf-8",
                                                                                   'charset="utf-8"')
