"""One flag at a meeting, on one page: what it says, what is decided, and what is agreed, in one form and one change.

Nobody needs to take a flag up first here: deciding does it. Whoever was slower is told, and loses nothing typed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import Field

from api.web.agenda import Only, make_agenda
from api.web.deciding import (
    DecisionForm,
    Sent,
    count_seconds,
    find_errors,
    offer_decisions,
    tell_reviews,
)
from api.web.entries import make_entries
from api.web.evidence import find_looked, read_back
from api.web.form import list_errors, offer_agencies, read_day, read_words, say_due, say_words, write_day
from api.web.identity import check_form
from api.web.judging import needs_first
from api.web.keeping import find_database, name_user, read_now
from api.web.layout import find_pages
from api.web.meeting import Me
from api.web.reach import Reach
from api.web.refusals import say_refusal, say_slower
from api.web.rights import Task
from api.web.site_words import STATE_NAMES
from engine.contract import AGENCIES
from engine.store import actions, meetings, reviews
from engine.store.actions import Action
from engine.store.database import Reading, Writing
from engine.store.flags import FlagRow, history, read
from engine.store.meetings import Meeting
from engine.store.problems import Missing, Stale, StoreError, Unready
from engine.store.tables import flags
from engine.store.versioned import check_version

router = APIRouter(dependencies=[Depends(check_form)])

NEXT_MEETING = timedelta(days=14)
"""When an action is due unless somebody says otherwise: the group meets every second week."""

ROWS = (1, 2, 3)
"""Actions that can be agreed at once: a meeting that agrees more about one flag needs another meeting about it."""

LONGEST_OWNER = 200
_TO_TAKE_UP = ("proposed", "needs_information")
_PUT_OFF = "put_off"
_DONE = {"saved": "Saved. This is the next one.", "put-off": "Put off. This is the next one."}


class ItemForm(DecisionForm):
    """The decision's own fields, which button was pressed, and three rows of actions."""

    act: str = Field("", max_length=20)
    what_1: str = ""
    what_2: str = ""
    what_3: str = ""
    agency_1: str = Field("", max_length=80)
    agency_2: str = Field("", max_length=80)
    agency_3: str = Field("", max_length=80)
    owner_1: str = ""
    owner_2: str = ""
    owner_3: str = ""
    due_1: str = Field("", max_length=40)
    due_2: str = Field("", max_length=40)
    due_3: str = Field("", max_length=40)

    def rows(self) -> tuple[Row, ...]:
        """The rows as they were typed. A browser sends line ends as two characters."""
        return tuple(Row(number, *(read_words(getattr(self, f"{name}_{number}"))
                                   for name in ("what", "agency", "owner", "due"))) for number in ROWS)


@dataclass(frozen=True)
class Row:
    """One row of actions. The day is filled in beforehand, so that alone it says nothing."""

    number: int
    what: str = ""
    agency: str = ""
    owner: str = ""
    due: str = ""

    @property
    def used(self) -> bool:
        """Whether anything was typed."""
        return bool(self.what or self.agency or self.owner)

    def find_errors(self, today: date) -> dict[str, str]:
        """What is missing, by field."""
        if not self.used:
            return {}
        found = {
            "what": say_words(self.what, "Say what is to be done, so that another person can do it"),
            "agency": "" if self.agency in AGENCIES else "Choose the agency that does it",
            "owner": say_words(self.owner, "Say who will see that it is done", 1, LONGEST_OWNER),
            "due": say_due(read_day(self.due), today)}
        return {f"{name}_{self.number}": said for name, said in found.items() if said}


@dataclass(frozen=True)
class Typed:
    """What the form holds when it is shown: empty, or as it was sent, with what came of it."""

    sent: Sent
    rows: tuple[Row, ...]
    started: str
    errors: Mapping[str, str]
    slower: str = ""


# --- the page ------------------------------------------------------------------------------------------


@router.get("/meetings/{id}/items/{flag}")
def show_item(request: Request, id: str, flag: str, me: Me, only: Only = "", done: str = "") -> Response:
    """One flag of the agenda with its form; after the meeting, the flag. 404 for one not on this person's agenda."""
    now = read_now(request)
    with find_database(request).reading() as reading:
        meeting = meetings.read_meeting(reading, id)
        row = _read_item(reading, me, meeting, flag)
        if meeting.closed_at is not None:
            return RedirectResponse(f"/flags/{flag}", 303)
        if needs_first(reading, me, row):
            return _ask_first(id, flag, only)
    due = write_day(max(meeting.held_on, now.date()) + NEXT_MEETING)
    rows = tuple(Row(number, due=due) for number in ROWS)
    return _show(request, id, flag, me, Typed(Sent(), rows, str(int(now.timestamp())), {}), only, _DONE.get(done, ""))


def _ask_first(id: str, flag: str, only: Only) -> Response:
    return RedirectResponse(f"/flags/{flag}{read_back(id, only).query}", 303)


def _read_item(reading: Reading, me: Reach, meeting: Meeting, flag: str) -> FlagRow:
    """A flag of a meeting's lists that this person may decide: the same as being on their agenda. 404 for any other."""
    try:
        row = me.read(reading, flag, "decide").row
    except HTTPException:
        raise HTTPException(404) from None
    if row.run != meeting.run or row.list not in me.lists:
        raise HTTPException(404)
    return row


def _show(
    request: Request, id: str, flag: str, me: Reach, typed: Typed, only: Only, done: str = ""
) -> Response:
    with find_database(request).reading() as reading:
        meeting = meetings.read_meeting(reading, id)
        whole = make_agenda(reading, me, meeting)
        agenda = whole.only(only) if whole.only(only).find(flag) else whole
        if (line := agenda.find(flag)) is None:
            raise HTTPException(404)
        stored = read(reading, flag)
        paper = json.loads(stored.text)
        values = {
            "meeting": meeting, "agenda": agenda, "whole": whole, "only": only, "line": line, "row": stored.row,
            "before": agenda.step(line, -1), "after": agenda.step(line, 1), "flag": paper, "done": done,
            "entry": make_entries(reading, [stored.row], lambda user: name_user(reading, user))[0],
            "last": _tell_last(reading, me, stored.row), "open_actions": _find_open(reading, me, stored.row),
            "decided_by": name_user(reading, line.review.reviewer) if line.review else "",
            "decisions": offer_decisions(), "sent": typed.sent, "rows": typed.rows, "started": typed.started,
            "errors": typed.errors, "slower": typed.slower, "agencies": offer_agencies(paper["convene"]),
            "wrong": list_errors(typed.errors),
        }
    status = 409 if typed.slower else 400 if typed.errors else 200
    return find_pages(request).show(request, "meeting_item.html", values, status)


def _tell_last(reading: Reading, me: Reach, row: FlagRow) -> dict[str, Any] | None:
    """The last decision about this subject, with the day of its list."""
    past = history(reading, row.list, row.subject)
    seen = [one for one, may in zip(past, me.may(reading, "view_flag", past), strict=True) if may]
    told = [{**review, "as_of": one.as_of} for one in seen for review in tell_reviews(reading, one.id)]
    return max(told, key=lambda one: one["at"], default=None)


def _find_open(reading: Reading, me: Reach, row: FlagRow) -> list[Action]:
    """What is still to be done about this subject, of what may be seen."""
    found = [one for one in actions.of_subject(reading, row.list, row.subject) if one.state == "open"]
    allowed = me.keep("view_action", [Task(one.id, row.list, one.agency, row.status) for one in found])
    return [one for one, may in zip(found, allowed, strict=True) if may]


# --- what is saved -------------------------------------------------------------------------------------


@router.post("/meetings/{id}/items/{flag}")
def save_item(
    request: Request, id: str, flag: str, me: Me, form: Annotated[ItemForm, Form()], only: Only = ""
) -> Response:
    """Saves the decision with its actions, or that it is put off, and goes on to the next one to do."""
    now, database, sent, rows = read_now(request), find_database(request), form.read(), form.rows()
    with database.reading() as reading:
        row = _read_item(reading, me, meetings.read_meeting(reading, id), flag)
        if needs_first(reading, me, row):
            return _ask_first(id, flag, only)
    putting_off = form.act == _PUT_OFF
    errors = {} if putting_off else find_errors(sent)
    for one in () if putting_off else rows:
        errors |= one.find_errors(now.date())
    typed = Typed(sent, rows, form.started, errors)
    if errors:
        return _show(request, id, flag, me, typed, only)
    try:
        with database.writing(now, me.id) as writing:
            _check_rights(writing, me, flag, any(one.used for one in rows) and not putting_off)
            if putting_off:
                _put_off(writing, id, flag, form.version)
            else:
                _decide(writing, me, id, flag, form)
    except (Unready, Missing):
        raise
    except StoreError as error:
        return _show(request, id, flag, me, _say_error(request, typed, error), only)
    return _go_on(request, id, flag, me, only, "put-off" if putting_off else "saved")


def _check_rights(writing: Writing, me: Reach, flag: str, agreeing: bool) -> None:
    """What was looked at before may have changed meanwhile: rights are asked again where it is written."""
    for action in ("take_up", "decide", *(["assign_action"] if agreeing else [])):
        me.read(writing, flag, action)


def _put_off(writing: Writing, id: str, flag: str, version: int) -> None:
    check_version(writing, flags, "the flag", flag, version)
    meetings.note_item(writing, id, flag, None)


def _decide(writing: Writing, me: Reach, id: str, flag: str, form: ItemForm) -> None:
    """Takes it up where nobody has, decides, agrees the actions and notes it at the meeting: whole, or not at all."""
    sent, version = form.read(), form.version
    if me.read(writing, flag, "decide").row.state in _TO_TAKE_UP:
        version = reviews.take_up(writing, flag, version).version
    looked = find_looked(writing, flag, me)
    review = reviews.decide(
        writing, flag, version, sent.decision, sent.reason, sent.rationale, opened=looked.items,
        seconds=count_seconds(form.started, writing.at, looked.since(writing.at)))
    for row in form.rows():
        if row.used and (due := read_day(row.due)) is not None:
            actions.agree(writing, flag, row.what, row.agency, row.owner, due, review=review.id)
    meetings.note_item(writing, id, flag, review.id)


def _say_error(request: Request, typed: Typed, error: StoreError) -> Typed:
    """Who was quicker, or that the meeting is closed; else what the store does not keep."""
    if isinstance(error, Stale):
        with find_database(request).reading() as reading:
            said = say_slower(reading, "this flag", error.by, error.at, STATE_NAMES[error.state])
    else:
        said = say_refusal(error)
    if isinstance(error, Stale) or error.fault == "conflict":
        return Typed(typed.sent, typed.rows, typed.started, {}, said)
    return Typed(typed.sent, typed.rows, typed.started, {"item": said})


def _go_on(request: Request, id: str, flag: str, me: Reach, only: Only, done: str) -> Response:
    with find_database(request).reading() as reading:
        following = make_agenda(reading, me, meetings.read_meeting(reading, id)).only(only).next(flag)
    kept = f"&only={only}" if only else ""
    if following is None:
        return RedirectResponse(f"/meetings/{id}?done={done}{kept}", 303)
    return RedirectResponse(f"/meetings/{id}/items/{following.id}?done={done}{kept}", 303)
