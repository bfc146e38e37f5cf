"""A person takes a flag up, and decides: plain forms, each answered by a redirect to what it did.

Nobody needs leave to say no. Whoever was slower than somebody else is told who, when and what, and loses nothing typed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, Field

from api.web.evidence import find_looked
from api.web.form import list_errors, offer, read_words, say_words
from api.web.identity import check_form
from api.web.judging import needs_first
from api.web.keeping import find_database, name_user, read_now
from api.web.layout import find_pages
from api.web.reach import Reach, find_reach
from api.web.refusals import say_slower
from api.web.site_words import DECISION_NAMES, REASON_ASKS, REASON_NAMES, STATE_NAMES, say_code
from engine.store import reviews
from engine.store.database import Reading
from engine.store.flags import FlagRow, StoredFlag
from engine.store.problems import Stale
from engine.store.tables import DECIDED_STATES

router = APIRouter(dependencies=[Depends(check_form)])

LONGEST_VISIT = 24 * 3600
"""Seconds from opening to deciding that are believed; a tab left open over a weekend says nothing about reading."""

Me = Annotated[Reach, Depends(find_reach)]


@dataclass(frozen=True)
class Sent:
    """The form as it was sent."""

    decision: str = ""
    reason: str = ""
    rationale: str = ""


def can_take_up(row: FlagRow, me: Reach) -> bool:
    """Whether taking it up would change anything."""
    return row.state in ("proposed", "needs_information") or (row.state == "under_review" and row.lead != me.id)


def can_decide(row: FlagRow) -> bool:
    """Whether it was taken up, or decided already: then a further decision corrects the last."""
    return row.state in ("under_review", *DECIDED_STATES)


def tell_reviews(reading: Reading, flag: str) -> list[dict[str, Any]]:
    """What was decided about a flag, newest first."""
    return [{"decision": one.decision, "at": one.at, "rationale": one.rationale,
             "reviewer": name_user(reading, one.reviewer), "reason": say_reason(one.reason_code)}
            for one in reversed(reviews.of_flag(reading, flag))]


def say_reason(code: str) -> str:
    """A reason code in words."""
    return say_code(code, REASON_NAMES)


@router.post("/flags/{id}/take-up")
def take_up(request: Request, id: str, me: Me, version: Annotated[int, Form()]) -> Response:
    """Takes a flag up."""
    try:
        with find_database(request).writing(read_now(request), me.id) as writing:
            me.read(writing, id, "take_up")
            reviews.take_up(writing, id, version)
    except Stale as stale:
        return RedirectResponse(f"/flags/{stale.flag or id}?done=slower", 303)
    return RedirectResponse(f"/flags/{id}?done=taken-up", 303)


@router.get("/flags/{id}/decide")
def show_decide(request: Request, id: str, me: Me) -> Response:
    """The form."""
    with find_database(request).reading() as reading:
        stored = me.read(reading, id, "decide")
        first = needs_first(reading, me, stored.row)
    if first or not can_decide(stored.row):
        return RedirectResponse(f"/flags/{id}", 303)
    return _show(request, stored, Sent(), str(int(read_now(request).timestamp())))


class DecisionForm(BaseModel):
    """The fields of the form. Each decision has reasons of its own, and the page sends those of all four."""

    version: int
    started: str = Field("", max_length=20)
    decision: str = Field("", max_length=40)
    rationale: str = ""
    reason_confirmed: str = Field("", max_length=80)
    reason_declined: str = Field("", max_length=80)
    reason_redirected: str = Field("", max_length=80)
    reason_needs_information: str = Field("", max_length=80)

    def read(self) -> Sent:
        """What was meant: the reason that belongs to the decision. A browser sends line ends as two characters."""
        reason = getattr(self, f"reason_{self.decision}", "") if self.decision in reviews.REASONS else ""
        return Sent(self.decision, reason, read_words(self.rationale))


@router.post("/flags/{id}/decide")
def decide(request: Request, id: str, me: Me, form: Annotated[DecisionForm, Form()]) -> Response:
    """Saves a decision, or shows the form again with what is missing or who was quicker."""
    sent, started = form.read(), form.started
    now, database = read_now(request), find_database(request)
    with database.reading() as reading:
        stored = me.read(reading, id, "decide")
        if needs_first(reading, me, stored.row):
            return RedirectResponse(f"/flags/{id}", 303)
    if errors := find_errors(sent):
        return _show(request, stored, sent, started, errors=errors)
    try:
        with database.writing(now, me.id) as writing:
            looked = find_looked(writing, id, me)
            reviews.decide(writing, id, form.version, sent.decision, sent.reason, sent.rationale, opened=looked.items,
                           seconds=count_seconds(started, now, looked.since(now)))
    except Stale as stale:
        with database.reading() as reading:
            stored = me.read(reading, stale.flag or id)
            said = say_slower(reading, "this flag", stale.by, stale.at, STATE_NAMES[stale.state])
        return _show(request, stored, sent, started, said)
    return RedirectResponse(f"/flags/{id}?done=decided", 303)


def find_errors(sent: Sent) -> dict[str, str]:
    """What is missing, by field."""
    errors = {}
    if sent.decision not in reviews.REASONS:
        errors["decision"] = "Choose a decision"
    elif sent.reason not in reviews.REASONS[sent.decision]:
        errors[f"reason_{sent.decision}"] = "Choose the reason that fits best"
    if wrong := say_words(sent.rationale, "Say why, so that another person can follow it"):
        errors["rationale"] = wrong
    return errors


def count_seconds(started: str, now: datetime, opened: datetime | None = None) -> int | None:
    """Seconds since the form was opened, or since `opened`, when the flag was, if that is longer ago; None where
    neither can be believed."""
    begun = [datetime.fromtimestamp(min(int(started), 2**33), UTC)] if started.isdigit() else []
    spent = [int((now - moment).total_seconds()) for moment in (*begun, *([opened] if opened else []))]
    return max((one for one in spent if 0 <= one <= LONGEST_VISIT), default=None)


def offer_decisions() -> list[dict[str, Any]]:
    """The decisions there are, each with the question it asks and its reasons, for `decision_fields.html`."""
    return [{"value": code, "text": text, "asks": REASON_ASKS[code],
             "reasons": offer({one: say_reason(one) for one in reviews.REASONS[code]})}
            for code, text in DECISION_NAMES.items()]


def _show(
    request: Request, stored: StoredFlag, sent: Sent, started: str, slower: str = "",
    errors: dict[str, str] | None = None,
) -> Response:
    errors = errors or {}
    values = {
        "flag": json.loads(stored.text), "row": stored.row, "sent": sent, "started": started, "slower": slower,
        "errors": errors, "wrong": list_errors(errors),
        "decisions": offer_decisions(),
    }
    return find_pages(request).show(request, "decide.html", values, 409 if slower else 400 if errors else 200)
