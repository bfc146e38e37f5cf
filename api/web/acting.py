"""What was agreed about a flag: agree it, and say that it was done, put off, or will not be done.

An action is closed once, so whoever closes it ticks that they mean it. What they wrote stays in the form where somebody
else was quicker.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from api.web.form import Answer, offer_agencies, read_day, read_words, say_due, say_words, write_day
from api.web.identity import check_form
from api.web.keeping import find_database, name_user, read_now
from api.web.layout import find_pages
from api.web.reach import Reach, find_reach
from api.web.refusals import say_invalid, say_slower
from api.web.rights import Task
from api.web.site_words import WORK_NAMES
from engine.contract import AGENCIES
from engine.store import actions
from engine.store.actions import Action
from engine.store.database import Reading, Writing
from engine.store.flags import FlagRow, read_row
from engine.store.problems import Stale, StoreError

router = APIRouter(dependencies=[Depends(check_form)])
Me = Annotated[Reach, Depends(find_reach)]
Text = Annotated[str, Form(max_length=20_000)]
Short = Annotated[str, Form(max_length=400)]

USUAL_DAYS = 14
"""Days an action is given unless somebody says otherwise: until the next meeting."""

_DONE = {"agreed": "The action is agreed.", "done": "It is done.", "cancelled": "It will not be done.",
         "put-off": "It has another day."}


def say_about(row: FlagRow) -> str:
    """Whom a flag is about, as its own page says it."""
    return f"{row.name} ({row.subject})" if row.name else row.subject


# --- agree ---------------------------------------------------------------------------------------------


@router.get("/flags/{id}/agree")
def show_agree(request: Request, id: str, me: Me) -> Response:
    """The form."""
    return _show_agree(request, id, me, Answer(sent={"due": write_day(me.today + timedelta(days=USUAL_DAYS))}))


@router.post("/flags/{id}/agree")
def agree(
    request: Request, id: str, me: Me, what: Text = "", agency: Short = "", owner: Short = "", due: Short = "",
) -> Response:
    """Keeps an action, or shows the form again with what is missing."""
    sent = {"what": read_words(what), "agency": agency, "owner": owner.strip(), "due": due}
    day = read_day(due)
    found = {"what": say_words(sent["what"], "Say what is to be done"),
             "agency": "" if agency in AGENCIES else "Choose the agency that does it",
             "owner": say_words(sent["owner"], "Say who answers for it", 1)
             or ("Give a shorter name" if len(sent["owner"]) > 200 else ""), "due": say_due(day, me.today)}
    if errors := {name: text for name, text in found.items() if text}:
        return _show_agree(request, id, me, Answer(errors, sent))
    try:
        with find_database(request).writing(read_now(request), me.id) as writing:
            me.read(writing, id, "assign_action")
            actions.agree(writing, id, sent["what"], agency, sent["owner"], day or me.today)
    except StoreError as error:
        return _show_agree(request, id, me, Answer({"what": say_invalid(error)}, sent))
    return RedirectResponse(f"/flags/{id}?done=agreed#work", 303)


def _show_agree(request: Request, id: str, me: Reach, answer: Answer) -> Response:
    with find_database(request).reading() as reading:
        row = me.read(reading, id, "assign_action").row
    values = {"row": row, "about": say_about(row), "agencies": offer_agencies(), **answer.values()}
    return find_pages(request).show(request, "action_new.html", values, answer.status)


# --- done, put off, will not be done -------------------------------------------------------------------


@router.get("/actions/{id}")
def show_action(request: Request, id: str, me: Me, done: str = "") -> Response:
    """The page of one action. 404 where there is none, or none for this person."""
    return _show(request, id, me, Answer(), _DONE.get(done, ""))


@router.post("/actions/{id}/done")
def finish(request: Request, id: str, me: Me, version: Annotated[int, Form()], outcome: Text = "", sure: Short = "",
           ) -> Response:
    """Notes that it was done."""
    sent = {"outcome": read_words(outcome), "sure_done": sure}
    found = {"outcome": say_words(sent["outcome"], "", 0),
             "sure_done": "" if sure else "Tick that it is done: it cannot be opened again"}
    return _change(request, id, me, Answer({k: v for k, v in found.items() if v}, sent), "done",
                   lambda writing: actions.close(writing, id, version, "done", sent["outcome"]))


@router.post("/actions/{id}/cancel")
def cancel(request: Request, id: str, me: Me, version: Annotated[int, Form()], reason: Text = "", sure: Short = "",
           ) -> Response:
    """Notes that it will not be done, and why."""
    sent = {"reason": read_words(reason), "sure_cancel": sure}
    found = {"reason": say_words(sent["reason"], "Say why, so that another person can follow it"),
             "sure_cancel": "" if sure else "Tick that you mean it: it cannot be opened again"}
    return _change(request, id, me, Answer({k: v for k, v in found.items() if v}, sent), "cancelled",
                   lambda writing: actions.close(writing, id, version, "cancelled", sent["reason"]))


@router.post("/actions/{id}/put-off")
def put_off(
    request: Request, id: str, me: Me, version: Annotated[int, Form()], due: Short = "",
) -> Response:
    """Gives it another day."""
    day = read_day(due)
    wrong = say_due(day, me.today)
    return _change(request, id, me, Answer({"due": wrong} if wrong else {}, {"due": due}), "put-off",
                   lambda writing: actions.put_off(writing, id, version, day or me.today))


def _change(
    request: Request, id: str, me: Reach, answer: Answer, done: str, change: Callable[[Writing], Action]
) -> Response:
    database = find_database(request)
    with database.reading() as reading:
        read_action(reading, me, id, "close_action")
    if answer.errors:
        return _show(request, id, me, answer)
    try:
        with database.writing(read_now(request), me.id) as writing:
            change(writing)
    except Stale as stale:
        with database.reading() as reading:
            said = say_slower(reading, "this", stale.by, stale.at, WORK_NAMES.get(stale.state, stale.state))
        return _show(request, id, me, Answer(sent=answer.sent, slower=said))
    except StoreError as error:
        if error.fault == "conflict":       # it was closed already: its page says so
            return RedirectResponse(f"/actions/{id}", 303)
        field = {"done": "outcome", "cancelled": "reason", "put-off": "due"}[done]
        return _show(request, id, me, Answer({field: say_invalid(error)}, answer.sent))
    return RedirectResponse(f"/actions/{id}?done={done}", 303)


def read_action(reading: Reading, me: Reach, id: str, action: str = "view_action") -> tuple[Action, FlagRow]:
    """An action this person may see, and its flag. 404 for any other; 403 where they may not do this with it."""
    found = actions.read(reading, id)
    row = read_row(reading, found.flag)
    thing = Task(id, row.list, found.agency, row.status)
    if not me.may_do("view_action", thing):
        raise HTTPException(404)
    if not me.may_do(action, thing):
        raise HTTPException(403)
    return found, row


def _show(request: Request, id: str, me: Reach, answer: Answer, done: str = "") -> Response:
    with find_database(request).reading() as reading:
        action, row = read_action(reading, me, id)
        seen = all(me.may(reading, "view_flag", [row]))
        may = me.may_do("close_action", Task(id, row.list, action.agency, row.status))
        values = {
            "action": action, "list": row.list, "flag": f"/flags/{row.id}" if seen else "", "done": done,
            "about": say_about(row) if seen else "", "made_by": name_user(reading, action.made_by),
            "changed_by": name_user(reading, action.changed_by), "may_close": may and action.state == "open",
            "overdue": action.state == "open" and action.due < me.today, **answer.values()}
    return find_pages(request).show(request, "action.html", values, answer.status)
