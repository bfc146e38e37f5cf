"""Somebody says that a flag is wrong: what they say is kept, and the records they doubt count for nothing at once.

At once, and not only once somebody has decided: what is in doubt is not known, and not known is never no. Information
governance looks into it; where it finds nothing wrong, the marks are lifted again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, Field

from api.web.form import list_errors, offer, read_words, say_words
from api.web.identity import check_form
from api.web.judging import needs_first
from api.web.keeping import find_database, find_office, read_now
from api.web.layout import find_pages
from api.web.reach import Reach, find_reach
from api.web.site_words import CHALLENGE_NAMES, RAISER_NAMES
from engine.disputes import Disputes
from engine.store import challenges
from engine.store.challenges import RAISERS, Challenge
from engine.store.database import Reading
from engine.store.flags import FlagRow, StoredFlag
from engine.store.problems import Missing

router = APIRouter(dependencies=[Depends(check_form)])
Me = Annotated[Reach, Depends(find_reach)]

ANSWERED_WITHIN = timedelta(days=28)
"""Within the month that UK GDPR Article 12(3) gives for an answer to somebody who says that data is wrong, in February
too."""

MOST_TICKED = 500       # more than any flag has facts or records


@dataclass(frozen=True)
class Sent:
    """The form as it was sent. `facts` by name; `records` as the flag names them."""

    raised_by: str = ""
    says: str = ""
    facts: tuple[str, ...] = ()
    records: tuple[str, ...] = field(default=(), repr=False)


class ContestForm(BaseModel):
    """The fields of the form; what was ticked comes as places in the flag's own lists."""

    raised_by: str = Field("", max_length=40)
    says: str = ""
    facts: list[str] = Field([], max_length=MOST_TICKED)
    records: list[str] = Field([], max_length=MOST_TICKED)


def tell_challenges(reading: Reading, me: Reach, row: FlagRow) -> dict[str, Any]:
    """For the page of a flag: whether this person may contest it, and what was contested about its subject so far.

    What was said stands on the page of the challenge, for those who look into it.
    """
    past = challenges.of_subject(reading, row.list, row.subject)
    return {"may": all(me.may(reading, "contest", [row])), "open": any(one.state == "open" for one in past),
            "all": [{"at": one.made_at, "by": RAISER_NAMES[one.raised_by], "state": CHALLENGE_NAMES[one.state],
                     "closed_at": one.changed_at if one.state != "open" else None,
                     "due": find_due(one)} for one in reversed(past)]}


def find_due(challenge: Challenge) -> date:
    """The day by which whoever raised a challenge is answered."""
    return (challenge.made_at + ANSWERED_WITHIN).date()


def find_records(flag: Mapping[str, Any], facts: Sequence[str], records: Sequence[str]) -> tuple[str, ...]:
    """The records to mark: those ticked, and those of a ticked fact of which none was ticked."""
    named = dict.fromkeys(records)
    for fact in flag["facts"]:
        if fact["name"] in facts and not set(fact["records"]) & set(records):
            named |= dict.fromkeys(fact["records"])
    return tuple(named)


@router.get("/flags/{id}/contest")
def show_contest(request: Request, id: str, me: Me) -> Response:
    """The form; whoever is to judge the flag first is led to the page that asks."""
    with find_database(request).reading() as reading:
        stored = me.read(reading, id, "contest")
        first = needs_first(reading, me, stored.row)
    if first:
        return RedirectResponse(f"/flags/{id}", 303)
    return _show(request, stored, Sent())


@router.post("/flags/{id}/contest")
def contest(request: Request, id: str, me: Me, form: Annotated[ContestForm, Form()]) -> Response:
    """Keeps a challenge and marks its records, or shows the form again with what is missing."""
    disputes, database = Disputes(find_office(request).setting.home), find_database(request)
    with database.reading() as reading:
        stored = me.read(reading, id, "contest")
        if needs_first(reading, me, stored.row):
            return RedirectResponse(f"/flags/{id}", 303)
    flag = json.loads(stored.text)
    sent, odd = read_form(flag, form)
    if errors := find_errors(sent, odd):
        return _show(request, stored, sent, errors)
    raised: Challenge | None = None
    try:
        with database.writing(read_now(request), me.id) as writing:
            me.read(writing, id, "contest")
            raised = challenges.raise_challenge(writing, id, sent.raised_by, sent.says, sent.facts,
                                                find_records(flag, sent.facts, sent.records))
            # Before the store is sure: a mark that cannot be written takes the challenge back with it.
            disputes.mark(raised.records, raised.id, me.id, me.today)
    except BaseException:
        if raised is not None:      # and the other way round
            disputes.lift(raised.id, me.id, me.today)
        raise
    return RedirectResponse(f"/flags/{id}/contested/{raised.id}", 303)


@router.get("/flags/{id}/contested/{challenge}")
def show_contested(request: Request, id: str, challenge: str, me: Me) -> Response:
    """What happens next, and by when."""
    with find_database(request).reading() as reading:
        stored, raised = me.read(reading, id), challenges.read(reading, challenge)
    if raised.flag != id:
        raise Missing("the challenge")
    flag = json.loads(stored.text)
    values = {"row": stored.row, "challenge": raised, "due": find_due(raised), "flag": flag,
              "unmarked": [fact["title"] for fact in flag["facts"]
                           if fact["name"] in raised.facts and not set(fact["records"]) & set(raised.records)]}
    return find_pages(request).show(request, "contested.html", values)


def read_form(flag: Mapping[str, Any], form: ContestForm) -> tuple[Sent, dict[str, str]]:
    """What was meant, and what was ticked that the page never offered. A browser sends line ends as two characters."""
    errors: dict[str, str] = {}
    ticked: dict[str, tuple[str, ...]] = {}
    for name, key in (("facts", "name"), ("records", "record")):
        offered = {str(place): one[key] for place, one in enumerate(flag[name])}
        places = getattr(form, name)
        if set(places) - set(offered):
            errors[name] = f"Choose from the {name} of this flag"
        ticked[name] = tuple(dict.fromkeys(offered[place] for place in places if place in offered))
    return Sent(form.raised_by, read_words(form.says), ticked["facts"], ticked["records"]), errors


def find_errors(sent: Sent, odd: Mapping[str, str]) -> dict[str, str]:
    """What is missing, by field."""
    errors = {}
    if sent.raised_by not in RAISERS:
        errors["raised_by"] = "Choose who says that something is wrong"
    if wrong := say_words(sent.says, "Say what is wrong, in their words where you can"):
        errors["says"] = wrong
    return errors | dict(odd)


def _show(request: Request, stored: StoredFlag, sent: Sent, errors: Mapping[str, str] | None = None) -> Response:
    errors, flag = errors or {}, json.loads(stored.text)
    values = {
        "flag": flag, "row": stored.row, "sent": sent, "errors": errors,
        "wrong": list_errors(errors),
        "raisers": offer({code: RAISER_NAMES[code] for code in RAISERS}),
        "facts": [{"value": str(place), "text": fact["title"], "checked": fact["name"] in sent.facts, "fact": fact}
                  for place, fact in enumerate(flag["facts"])],
        "records": sorted(({"value": str(place), "checked": one["record"] in sent.records, "record": one}
                           for place, one in enumerate(flag["records"])),
                          key=lambda each: str(each["record"]["occurred"] or each["record"]["known"]), reverse=True)}
    return find_pages(request).show(request, "contest.html", values, 400 if errors else 200)
