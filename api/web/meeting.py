"""The tasking group's meetings: all of them, and one with its agenda, who is there, and its end.

One flag of a meeting is `meeting_item`.

Whoever holds meetings may start, walk and close one; what each of them sees on the agenda follows from their rights.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, Field

from api.web.agenda import STATUS_NAMES, Only, find_agreed, make_agenda
from api.web.form import WRONG_DAY, Answer, read_day, write_day
from api.web.identity import check_form
from api.web.keeping import find_database, name_user, read_now
from api.web.layout import find_pages
from api.web.reach import Reach, need
from api.web.refusals import say_refusal, say_slower
from engine.errors import Problem
from engine.prose import name_agency
from engine.store import meetings
from engine.store.database import Reading
from engine.store.flags import find_latest, find_publications
from engine.store.meetings import Meeting
from engine.store.problems import Missing, Stale, StoreError, Unready
from engine.store.tables import DECISIONS

router = APIRouter(dependencies=[Depends(check_form)])

Me = Annotated[Reach, Depends(need("hold_meeting", "meetings"))]
NOBODY = "Write down who is present, one on a line"
_DONE = {"saved": "Saved.", "put-off": "Put off to another meeting.", "opened": "The meeting is open.",
         "present": "Who is present is saved.", "closed": "The meeting is closed."}


class StartForm(BaseModel):
    """The fields of the form to start a meeting."""

    run: str = Field("", max_length=80)
    held_on: str = Field("", max_length=40)
    present: str = ""


# --- all meetings --------------------------------------------------------------------------------------


@router.get("/meetings")
def show_meetings(request: Request, me: Me) -> Response:
    """Every meeting, the open one first, and the form to start one."""
    return _show_all(request, me, Answer())


@router.post("/meetings")
def start_meeting(request: Request, me: Me, form: Annotated[StartForm, Form()]) -> Response:
    """Opens a meeting over the last list, or shows the form again with what is missing."""
    now, held_on, typed = read_now(request), read_day(form.held_on), form.model_dump()
    errors = _find_errors(held_on, form.present, now.date())
    if errors or held_on is None:
        return _show_all(request, me, Answer(errors, sent=typed))
    try:
        with find_database(request).writing(now, me.id) as writing:
            _check_latest(writing, form.run)
            meeting = meetings.open_meeting(writing, form.run, held_on, form.present.splitlines())
    except Unready:
        raise
    except StoreError as error:
        said = say_refusal(error)
        return _show_all(request, me, Answer(slower=said, sent=typed) if error.fault == "conflict" else
                         Answer({"present": said}, sent=typed))
    return RedirectResponse(f"/meetings/{meeting.id}?done=opened", 303)


def _find_errors(held_on: date | None, present: str, today: date) -> dict[str, str]:
    errors = {}
    if held_on is None:
        errors["held_on"] = WRONG_DAY
    elif abs(held_on - today) > meetings.NEAR:
        errors["held_on"] = f"Give a day within {meetings.NEAR.days} days of today"
    return errors if present.strip() else {**errors, "present": NOBODY}


def _check_latest(reading: Reading, run: str) -> None:
    latest = find_latest(reading)
    if latest is None or latest.run != run:
        raise StoreError(Problem("the list", "is not the last one any more: a newer one was published",
                                 "the last list", "start the meeting over the newer one"), "conflict")


def _show_all(request: Request, me: Reach, answer: Answer) -> Response:
    with find_database(request).reading() as reading:
        found, latest = meetings.find_meetings(reading), find_latest(reading)
        days = {one.run: one.as_of for one in find_publications(reading)}
        here = next((one for one in found if one.closed_at is None), None)
        values = {
            "open": here, "agenda": make_agenda(reading, me, here) if here else None, "latest": latest, "days": days,
            "past": [one for one in found if one.closed_at is not None], "answer": answer,
            "typed": {"held_on": write_day(read_now(request).date()), "present": "\n".join(
                found[0].present if found else [f"{me.person.name}, {name_agency(me.person.agency)}"]), **answer.sent},
        }
    return find_pages(request).show(request, "meetings.html", values, answer.status)


# --- one meeting ---------------------------------------------------------------------------------------


@router.get("/meetings/{id}")
def show_meeting(request: Request, id: str, me: Me, only: Only = "", done: str = "") -> Response:
    """The agenda of an open meeting and how far it got; what came of a closed one."""
    return _show_one(request, id, me, Answer(), only, _DONE.get(done, ""))


@router.post("/meetings/{id}/present")
def change_present(
    request: Request, id: str, me: Me, version: Annotated[int, Form()], present: Annotated[str, Form()] = ""
) -> Response:
    """Puts right who is there."""
    typed = {"present": present}
    if not present.strip():
        return _show_one(request, id, me, Answer({"present": NOBODY}, sent=typed))
    try:
        with find_database(request).writing(read_now(request), me.id) as writing:
            meetings.change_present(writing, id, version, present.splitlines())
    except (Unready, Missing):
        raise
    except StoreError as error:
        said = _say_conflict(request, error)
        return _show_one(request, id, me, Answer(slower=said, sent=typed) if said else
                         Answer({"present": say_refusal(error)}, sent=typed))
    return RedirectResponse(f"/meetings/{id}?done=present", 303)


@router.get("/meetings/{id}/close")
def ask_to_close(request: Request, id: str, me: Me) -> Response:
    """Asks once more: a closed meeting is not opened again."""
    with find_database(request).reading() as reading:
        meeting = meetings.read_meeting(reading, id)
        agenda = make_agenda(reading, me, meeting)
    if meeting.closed_at is not None:
        return RedirectResponse(f"/meetings/{id}", 303)
    return find_pages(request).show(request, "meeting_close.html", {"meeting": meeting, "agenda": agenda})


@router.post("/meetings/{id}/close")
def close_meeting(request: Request, id: str, me: Me, version: Annotated[int, Form()]) -> Response:
    """Closes a meeting."""
    try:
        with find_database(request).writing(read_now(request), me.id) as writing:
            meetings.close_meeting(writing, id, version)
    except (Unready, Missing):
        raise
    except StoreError as error:
        return _show_one(request, id, me, Answer(slower=_say_conflict(request, error)))
    return RedirectResponse(f"/meetings/{id}?done=closed", 303)


def _show_one(
    request: Request, id: str, me: Reach, answer: Answer, only: Only = "", done: str = ""
) -> Response:
    with find_database(request).reading() as reading:
        meeting = meetings.read_meeting(reading, id)
        whole = make_agenda(reading, me, meeting)
        latest, agenda = find_latest(reading), whole.only(only)
        values = {
            "meeting": meeting, "agenda": agenda, "whole": whole, "only": only, "next": agenda.next(),
            "as_of": find_as_of(reading, meeting), "newer": latest if latest and latest.run != meeting.run else None,
            "opened_by": name_user(reading, meeting.opened_by), "closed_by": name_user(reading, meeting.changed_by),
            "agreed": find_agreed(reading, me, meeting, whole), "done": done,
            "statuses": {**STATUS_NAMES, "waiting": "Not reached"} if meeting.closed_at else STATUS_NAMES,
            "decisions": DECISIONS, "answer": answer,
            "present_typed": answer.sent.get("present", "\n".join(meeting.present)),
        }
    page = "meeting_closed.html" if meeting.closed_at else "meeting.html"
    return find_pages(request).show(request, page, values, answer.status)


# --- what is said --------------------------------------------------------------------------------------


def find_as_of(reading: Reading, meeting: Meeting) -> date:
    """The day of the lists a meeting is over."""
    return next(one.as_of for one in find_publications(reading) if one.run == meeting.run)


def _say_conflict(request: Request, error: StoreError) -> str:
    """Who was quicker, and when; nothing where the form itself is wrong."""
    if isinstance(error, Stale):
        with find_database(request).reading() as reading:
            return say_slower(reading, "this meeting", error.by, error.at)
    return say_refusal(error) if error.fault == "conflict" else ""

