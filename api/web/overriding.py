"""A hard conflict is set aside by a manager, asked or unasked, with a reason and what is put in place; and the report.

A request unlocks nothing. What unlocks is the manager's word, kept with the screening; the request is then marked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, HTTPException, Path, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, Field

from api.export import write_csv
from api.web.counter import Counter, CounterRoute, Token, find_status, name_asker, stand
from api.web.download import send_csv
from api.web.form import read_words, say_words
from api.web.identity import check_form
from api.web.keeping import name_user
from api.web.layout import find_pages
from api.web.refusals import list_refusals, say_slower
from api.web.screened_page import CLEAR, Trouble
from api.web.site_words import REQUEST_NAMES
from engine.errors import ScreenError
from engine.screenings import Kept
from engine.store import requests
from engine.store.chain import Note
from engine.store.database import Reading
from engine.store.problems import Stale, StoreError

router = APIRouter(dependencies=[Depends(check_form)], route_class=CounterRoute)

Officer = Annotated[Counter, Depends(stand("screen"))]
Manager = Annotated[Counter, Depends(stand("override"))]
Reporter = Annotated[Counter, Depends(stand("report_overrides"))]
Number = Annotated[int, Path(ge=1, le=100)]

_HEADERS = ["screening", "set aside by", "role", "conflict", "rule", "reason", "put in place instead", "when", "counts"]


class OverrideForm(BaseModel):
    """The fields of the forms; an answer to a request has a decision and a version besides."""

    reason: str = ""
    mitigation: str = ""
    decision: str = Field("", max_length=10)
    version: int = 0

    def read(self) -> OverrideForm:
        """The same with line ends as one character."""
        return self.model_copy(update={name: read_words(getattr(self, name))
                                       for name in ("reason", "mitigation")})


# --- asking, or setting aside unasked -------------------------------------------------------------


@router.get("/screenings/{token}/override/{number}")
def show_override(request: Request, token: Token, number: Number, at: Officer) -> Response:
    """The form about one hard conflict of a screening, by its number there."""
    kept = at.find_latest(token)
    return _show_form(request, at, kept, number)


@router.post("/screenings/{token}/override/{number}")
def send_override(
    request: Request, token: Token, number: Number, at: Officer, form: Annotated[OverrideForm, Form()],
) -> Response:
    """A manager sets the conflict aside; anybody else asks a manager to."""
    kept, form = at.find(token), form.read()
    rule = _find_conflict(at, kept, number)["rule"]
    if errors := find_errors(form):
        return _show_form(request, at, kept, number, Trouble(errors, typed=vars(form)))
    unasked = at.may("override")
    try:
        at.find_latest(token)
        if unasked:
            at.front.override(at.asker, kept.id, rule, form.reason, form.mitigation)
        else:
            with at.database.writing(at.now, at.me.id) as writing:
                requests.ask(writing, token, rule, form.reason, form.mitigation)
    except (ScreenError, StoreError) as error:
        wrong = Trouble(whole=list_refusals(error), typed=vars(form))
        return _show_form(request, at, kept, number, wrong, find_status(error))
    return RedirectResponse(f"/screenings/{token}?done={'overridden' if unasked else 'asked'}", 303)


# --- answering ------------------------------------------------------------------------------------


@router.get("/overrides/{id}")
def show_request(request: Request, id: Token, at: Manager) -> Response:
    """A request, with the form to answer it."""
    with at.database.reading() as reading:
        asked = requests.read(reading, id)
    return _show_request(request, at, asked)


@router.post("/overrides/{id}")
def answer_request(request: Request, id: Token, at: Manager, form: Annotated[OverrideForm, Form()]) -> Response:
    """Grants a request, which sets the conflict aside, or refuses it."""
    form = form.read()
    with at.database.reading() as reading:
        asked = requests.read(reading, id)
    granted = form.decision == "grant"
    errors = {} if form.decision in ("grant", "refuse") else {"decision": "Choose what you decide"}
    errors |= {name: text for name, text in find_errors(form).items() if name == "reason" or granted}
    if errors:
        return _show_request(request, at, asked, Trouble(errors, typed=vars(form)))
    try:
        kept = at.find_latest(asked.screening) if granted else at.find(asked.screening)
        with at.database.writing(at.now, at.me.id) as writing:
            requests.check_asked(writing, id, form.version)
            if granted:     # the journal first: should the mark fail, saying it again changes nothing there
                at.front.override(at.asker, kept.id, asked.rule, form.reason, form.mitigation)
            (requests.grant if granted else requests.refuse)(writing, id, form.version, form.reason)
    except Stale as stale:
        return _show_slower(request, at, id, form, stale)
    except (ScreenError, StoreError) as error:
        wrong = Trouble(whole=list_refusals(error), typed=vars(form))
        return _show_request(request, at, asked, wrong, find_status(error))
    return RedirectResponse(f"/screenings/{asked.screening}?done={'overridden' if granted else 'refused'}", 303)


@router.post("/overrides/{id}/withdraw")
def withdraw_request(id: Token, at: Officer, version: Annotated[int, Form()]) -> Response:
    """Takes a request back. 403 for anybody but whoever made it; answered meanwhile, the screening tells."""
    with at.database.reading() as reading:
        asked = requests.read(reading, id)
    if asked.asked_by != at.me.id:
        raise HTTPException(403)
    try:
        with at.database.writing(at.now, at.me.id) as writing:
            requests.withdraw(writing, id, version)
    except StoreError:
        return RedirectResponse(f"/screenings/{asked.screening}", 303)
    return RedirectResponse(f"/screenings/{asked.screening}?done=withdrawn-request", 303)


# --- the report -----------------------------------------------------------------------------------


@router.get("/overrides")
def show_overrides(request: Request, at: Reporter) -> Response:
    """Everything a manager set aside, newest first. Whoever only reports is led to no screening."""
    values = {"rows": _list(at), "may_read": at.may("read_screenings")}
    return find_pages(request).show(request, "overrides.html", values)


@router.get("/overrides.csv")
def download_overrides(at: Reporter) -> Response:
    """The same as CSV."""
    rows = _list(at)
    cells = [[row["id"], row["by"], row["role"], row["title"], row["rule"], row["reason"], row["mitigation"],
              row["at"].isoformat(), "yes" if row["counts"] else "no, said again"] for row in rows]
    with at.database.writing(at.now, at.me.id) as writing:
        writing.note(Note("overrides.exported", "", {"rows": len(rows)}))
    return send_csv("overrides.csv", write_csv(_HEADERS, cells))


# --- inside ---------------------------------------------------------------------------------------


def find_errors(form: OverrideForm) -> dict[str, str]:
    """What is missing, by field."""
    found = {"reason": say_words(form.reason, "Say why in a sentence", most=requests.LONGEST),
             "mitigation": say_words(form.mitigation, "Say what will be in place instead, in a sentence",
                                     most=requests.LONGEST)}
    return {name: text for name, text in found.items() if text}


def _find_conflict(at: Counter, kept: Kept, number: int) -> Mapping[str, Any]:
    conflicts = json.loads(at.front.show(kept.id).text)["conflicts"]
    if number > len(conflicts) or conflicts[number - 1]["level"] != "hard":
        raise HTTPException(404)
    found: Mapping[str, Any] = conflicts[number - 1]
    return found


def _show_form(
    request: Request, at: Counter, kept: Kept, number: int, trouble: Trouble = CLEAR, status: int = 400,
) -> Response:
    values = {"token": at.front.token(kept), "conflict": _find_conflict(at, kept, number), "number": number,
              "trouble": trouble, "unasked": at.may("override")}
    return find_pages(request).show(request, "override_ask.html", values, status if trouble.summary else 200)


def _show_request(
    request: Request, at: Counter, asked: requests.Request, trouble: Trouble = CLEAR, status: int = 400,
    slower: str = "",
) -> Response:
    kept = at.find(asked.screening)
    conflicts = json.loads(at.front.show(kept.id).text)["conflicts"]
    conflict = next((one for one in conflicts if one["rule"] == asked.rule), None)
    if conflict is None:
        raise HTTPException(404)
    with at.database.reading() as reading:
        by = name_user(reading, asked.asked_by)
    values = {"asked": asked, "by": by, "conflict": conflict, "trouble": trouble, "slower": slower,
              "state": REQUEST_NAMES[asked.state], "superseded": at.front.same_pair(kept)[-1].id != kept.id}
    return find_pages(request).show(request, "override_answer.html", values,
                                    409 if slower else status if trouble.summary else 200)


def _show_slower(request: Request, at: Counter, id: str, form: OverrideForm, stale: Stale) -> Response:
    with at.database.reading() as reading:
        asked = requests.read(reading, id)
        said = say_slower(reading, "this request", stale.by, stale.at, REQUEST_NAMES[asked.state])
    return _show_request(request, at, asked, Trouble(typed=vars(form)), slower=said)


def _list(at: Counter) -> list[dict[str, Any]]:
    with at.database.reading() as reading:
        return [_tell(reading, at, one) for one in reversed(at.front.overrides())]


def _tell(reading: Reading, at: Counter, one: Any) -> dict[str, Any]:
    return {**{name: getattr(one, name) for name in ("rule", "title", "reason", "mitigation", "role", "counts")},
            "by": name_asker(reading, one.by), "at": datetime.fromisoformat(one.at), "id": one.screening,
            "token": at.front.token(at.front.kept.find(one.screening))}
