"""Screening an offer: find the applicant and the home, screen them, answer a question, screen again.

What is searched for and chosen goes in the body of a form: addresses are written down in many places, and an
application is somebody's.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, Field

from api.web.counter import Counter, CounterRoute, Fields, Token, find_status, read_fields, stand
from api.web.form import offer
from api.web.identity import check_form
from api.web.keeping import name_user
from api.web.layout import find_pages
from api.web.refusals import list_refusals
from api.web.screened_page import CLEAR, Trouble, name_field, read_told, show
from api.web.site_words import VIEW_NAMES
from api.words import say_day
from engine.answers import Raw
from engine.desk import Row
from engine.errors import ScreenError
from engine.screenings import Kept
from engine.store import opinions, requests

router = APIRouter(dependencies=[Depends(check_form)], route_class=CounterRoute)

LATEST = 20             # screenings listed: an officer's day or two
MOST_HOMES = 20         # homes to choose from: one street, and still read at a glance
MOST_APPLICANTS = 5
"""Applications to choose from. Each is somebody else's but one, and the applicant may see the screen."""

SHORTEST = 4            # characters searched for: fewer fit everybody

Officer = Annotated[Counter, Depends(stand("screen"))]
Typed = Annotated[str, Form(max_length=64)]


class Wanted(BaseModel):
    """What was searched for, and what was chosen."""

    applicant: str = Field("", max_length=60)
    home: str = Field("", max_length=120)
    application: str = Field("", max_length=60)
    uprn: str = Field("", max_length=20)
    view: str = Field("", max_length=40)
    once: str = Field("", max_length=64)


@router.get("/screenings")
def show_screenings(request: Request, at: Officer) -> Response:
    """The latest screenings of whoever asks, and for a manager what waits for an answer."""
    mine = [kept for kept in at.front.kept.names() if kept.by == at.me.id][-LATEST:]
    values = {"rows": [_list(at, kept) for kept in reversed(mine)], "asked": _list_requests(at),
              "may_override": at.may("override")}
    return find_pages(request).show(request, "screenings.html", values)


@router.get("/screenings/new")
def ask_pair(request: Request, at: Officer) -> Response:
    """The form to find an applicant and a home."""
    return _show_new(request, Wanted())     # type: ignore[call-arg]


@router.post("/screenings/find")
def find_pair(request: Request, at: Officer, wanted: Annotated[Wanted, Form()]) -> Response:
    """Which application and which home are meant, to be chosen from."""
    return _show_found(request, at, wanted)


@router.post("/screenings")
def screen(request: Request, at: Officer, wanted: Annotated[Wanted, Form()]) -> Response:
    """Screens the two that were chosen, and keeps it."""
    errors = {name: text for name, text in (("application", "Choose the application"), ("uprn", "Choose the home"))
              if not getattr(wanted, name)}
    if errors:
        return _show_found(request, at, wanted, Trouble(errors))
    try:
        shown = at.front.screen(at.asker, wanted.application, wanted.uprn, (),
                                at.once(wanted.once, wanted.application, wanted.uprn), matches=True)
    except ScreenError as error:
        return _show_found(request, at, wanted, Trouble(whole=list_refusals(error)), find_status(error))
    token = at.front.token(shown.kept)
    if shown.new and wanted.view in opinions.BEFORE:
        with at.database.writing(at.now, at.me.id) as writing:
            opinions.say(writing, token, wanted.view)
    return RedirectResponse(f"/screenings/{token}?done=screened", 303)


@router.post("/screenings/{token}/answers")
def answer(request: Request, token: Token, at: Officer, fields: Annotated[Fields, Depends(read_fields)]) -> Response:
    """Screens the two again with what the form tells."""
    kept, askable = at.find(token), at.front.askable()
    told, untold = read_told(askable, kept, fields)
    if not told and not untold:
        return show(request, at, kept, Trouble(whole=["Answer at least one question, or change an answer"]), 400)
    day = at.front.now().date()
    once = at.once(fields.get("once", ""), kept.id, sorted(told.items()), sorted(untold))
    try:
        if not at.sent_before(once):
            at.find_latest(token)
        again = at.front.answer(at.asker, kept.id, [Raw(fact, value, day) for fact, value in told.items()], once,
                                matches=True, untold=untold)
    except ScreenError as error:
        return show(request, at, kept, _read_refusal(error, fields), find_status(error))
    return _lead_to(at, again.kept)


@router.post("/screenings/{token}/again")
def screen_again(request: Request, token: Token, at: Officer, once: Typed = "") -> Response:
    """Screens the two again as things stand now, with what was told before."""
    kept, key = at.find(token), at.once(once, token)
    try:
        if not at.sent_before(key):
            at.find_latest(token)
        again = at.front.answer(at.asker, kept.id, (), key, matches=True)
    except ScreenError as error:
        return show(request, at, kept, Trouble(whole=list_refusals(error)), find_status(error))
    return _lead_to(at, again.kept)


@router.post("/screenings/{token}/homes")
def screen_other_home(
    token: Token, at: Officer, place: Annotated[int, Form(ge=1, le=100)], once: Typed = "",
) -> Response:
    """Screens the applicant for one of the homes that were compared. `place`: which of them, from 1."""
    kept = at.find(token)
    matches = json.loads(at.front.show(kept.id).matches or "[]")
    if place > len(matches):
        raise HTTPException(404)
    uprn = matches[place - 1]["uprn"]
    shown = at.front.move(at.asker, kept.id, uprn, at.once(once, token, uprn))
    return RedirectResponse(f"/screenings/{at.front.token(shown.kept)}?done=screened", 303)


# --- inside ---------------------------------------------------------------------------------------


def _lead_to(at: Counter, kept: Kept) -> Response:
    return RedirectResponse(f"/screenings/{at.front.token(kept)}?done=again#changed", 303)


def _list(at: Counter, kept: Kept) -> dict[str, Any]:
    return {"token": at.front.token(kept), "made_at": datetime.fromisoformat(kept.made_at), "result": kept.result,
            "application": kept.pair.application, "address": at.front.address(kept.pair.uprn) or kept.pair.uprn}


def _list_requests(at: Counter) -> list[dict[str, Any]]:
    """What waits for this manager; for an officer, what they asked and nobody has answered."""
    with at.database.reading() as reading:
        waiting = requests.find(reading, asked_by=None if at.may("override") else at.me.id)
        return [{"id": one.id, "at": one.asked_at, "by": name_user(reading, one.asked_by),
                 "title": kept.titles.get(one.rule, one.rule), "token": one.screening}
                for one in waiting if (kept := at.front.find_token(one.screening)) is not None]


def _show_new(request: Request, wanted: Wanted, trouble: Trouble = CLEAR) -> Response:
    values = {"wanted": wanted, "trouble": trouble}
    return find_pages(request).show(request, "screening_new.html", values, 400 if trouble.summary else 200)


def _show_found(
    request: Request, at: Counter, wanted: Wanted, trouble: Trouble = CLEAR, status: int = 400,
) -> Response:
    """What fits, or the search again where nothing does, or so much that it tells nothing."""
    desk = at.front.open_desk()
    homes = desk.find_homes(wanted.home)
    free = tuple(row for row in homes if not row["let"])       # a home somebody lives in is shown to nobody else
    found = {"applicant": desk.find_applications(wanted.applicant), "home": free or homes}
    errors = {name: text for name, rows in found.items()
              if (text := _say_unfound(name, getattr(wanted, name), len(rows)))}
    if errors:
        return _show_new(request, wanted, Trouble(errors))
    values = {
        "wanted": wanted, "trouble": trouble, "once": at.database.draw(), 
        "views": offer({view: VIEW_NAMES[view] for view in opinions.BEFORE}),
        "applications": [{"value": row["application"], "text": row["application"],
                          "hint": {"text": _say_application(row)}} for row in found["applicant"]],
        "homes": [{"value": row["uprn"], "text": row["address"] or row["uprn"], "hint": {"text": _say_home(row)}}
                  for row in found["home"]],
    }
    return find_pages(request).show(request, "screening_choose.html", values, status if trouble.summary else 200)


def _say_unfound(name: str, words: str, found: int) -> str:
    if len("".join(words.split())) < SHORTEST:
        return f"Type at least {SHORTEST} characters"
    if found == 0:
        return _NOBODY[name]
    most = MOST_APPLICANTS if name == "applicant" else MOST_HOMES
    return f"{found} fit this. Type more of it" if found > most else ""


_NOBODY = {
    "applicant": "No application on the housing register has this reference or person number. A new one is known here "
                 "once housing has sent it",
    "home": "No landlord’s home has this UPRN or address. A new one is known here once housing has sent it",
}


def _say_application(row: Row) -> str:
    """Enough to tell two applications apart."""
    members = max(row["members"], 1)        # who applies alone is a household of one
    return (f"Registered {say_day(row['registered'])}; {members} {'person' if members == 1 else 'people'}; "
            f"band {row['band'] or 'not known'}; {'live' if row['live'] else row['status'] or 'not live'}")


def _say_home(row: Row) -> str:
    beds = row["beds"]
    size = "bedrooms not known" if beds is None else "1 bedroom" if beds == 1 else f"{beds} bedrooms"
    state = "somebody lives there" if row["let"] else f"ready from {say_day(row['ready_from'])}"
    return f"{(row['kind'] or 'Home').capitalize()}, {size}; {state}. UPRN {row['uprn']}"


def _read_refusal(error: ScreenError, typed: Fields) -> Trouble:
    """What was wrong with answers, by field; anything else is wrong with the whole."""
    fields, whole = {}, []
    for problem in error.problems:
        part, _, fact = problem.where.partition(".")
        if part == "answers" and fact:
            fields[name_field(fact)] = f"This is not an answer to the question. Allowed: {problem.allowed}"
        else:
            whole += list_refusals(ScreenError(problem))
    return Trouble(fields, whole, typed)
