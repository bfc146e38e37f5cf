"""The pages about information sharing agreements: which agencies see which lists for what, and until when.

Without one in force nobody sees anybody: the policies ask for it on every flag.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from api.web.form import WRONG_DAY, list_errors, read_day, write_day
from api.web.identity import check_form
from api.web.keeping import find_database, name_user, read_now
from api.web.layout import find_pages, say_time
from api.web.reach import Reach, need
from api.web.refusals import say_invalid, say_slower
from api.web.rights import Register
from engine.store import agreements
from engine.store.agreements import Agreement, Terms
from engine.store.database import Reading
from engine.store.problems import Stale, StoreError

router = APIRouter(dependencies=[Depends(check_form)])

Reader = Annotated[Reach, Depends(need("view_agreements", "agreements"))]
Administrator = Annotated[Reach, Depends(need("manage_agreements", "agreements"))]

SOON = 60
"""Days before an agreement ends that its page asks for the next one: about what signing takes."""


@dataclass(frozen=True)
class Sent:
    """The form of a new agreement, as it was sent."""

    title: str = ""
    reference: str = ""
    dpia_reference: str = ""
    agencies: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    valid_from: str = ""
    valid_until: str = ""


def read_sent(
    title: Annotated[str, Form(max_length=300)] = "", reference: Annotated[str, Form(max_length=200)] = "",
    dpia_reference: Annotated[str, Form(max_length=200)] = "", agencies: Annotated[list[str] | None, Form()] = None,
    purposes: Annotated[list[str] | None, Form()] = None, lists: Annotated[list[str] | None, Form()] = None,
    valid_from: Annotated[str, Form(max_length=40)] = "", valid_until: Annotated[str, Form(max_length=40)] = "",
) -> Sent:
    """What was filled in."""
    return Sent(title.strip(), reference.strip(), dpia_reference.strip(), tuple(agencies or ()), tuple(purposes or ()),
                tuple(lists or ()), valid_from, valid_until)


@router.get("/agreements")
def show_agreements(request: Request, me: Reader) -> Response:
    """Every agreement, those in force first."""
    with find_database(request).reading() as reading:
        found = sorted(agreements.find(reading), key=lambda one: not one.holds(me.today))
    return find_pages(request).show(request, "agreements.html", {
        "found": [{"agreement": one, "now": say_now(one, me.today)} for one in found],
        "holds": any(one.holds(me.today) for one in found), "may_manage": _may_manage(me)})


@router.get("/agreements/new")
def show_new(request: Request, me: Administrator) -> Response:
    """The form of a new agreement."""
    return _show_form(request, Sent(valid_from=write_day(me.today)))


@router.post("/agreements/new")
def make_agreement(
    request: Request, me: Administrator, sent: Annotated[Sent, Depends(read_sent)],
) -> Response:
    """Keeps an agreement that was signed."""
    errors = find_errors(sent)
    first, last = read_day(sent.valid_from), read_day(sent.valid_until)
    if errors or first is None or last is None:
        return _show_form(request, sent, errors)
    try:
        with find_database(request).writing(read_now(request), me.id) as writing:
            made = agreements.make(writing, Terms(sent.title, sent.reference, sent.dpia_reference, sent.agencies,
                                                  sent.purposes, sent.lists, first, last))
    except StoreError as error:     # what a form of this site cannot send
        return _show_form(request, sent, {"title": say_invalid(error)})
    return RedirectResponse(f"/agreements/{made.id}", 303)


@router.get("/agreements/{id}")
def show_agreement(request: Request, id: str, me: Reader) -> Response:
    """One agreement, and the way to end it."""
    with find_database(request).reading() as reading:
        return _show_one(request, me, reading, agreements.read(reading, id))


@router.post("/agreements/{id}/withdraw")
def withdraw_agreement(
    request: Request, id: str, me: Administrator, version: Annotated[int, Form()], sure: Annotated[str, Form()] = "",
) -> Response:
    """Ends an agreement now: from the next click on, nobody sees anything under it."""
    try:
        with find_database(request).writing(read_now(request), me.id) as writing:
            if sure != "yes":
                return _show_one(request, me, writing, agreements.read(writing, id), "Tick the box if it is to end now")
            agreements.withdraw(writing, id, version)
    except Stale as stale:
        with find_database(request).reading() as reading:
            slower = say_slower(reading, "this agreement", stale.by, stale.at)
            return _show_one(request, me, reading, agreements.read(reading, id), slower=slower)
    return RedirectResponse(f"/agreements/{id}", 303)


def find_errors(sent: Sent) -> dict[str, str]:
    """What is missing, by field."""
    errors = {}
    for field, said in (("title", "Write what the agreement is called"), ("reference", "Write its reference"),
                        ("dpia_reference", "Write the reference of its data protection impact assessment")):
        if not any(map(str.isalnum, getattr(sent, field))):
            errors[field] = said
    for field, said in (("agencies", "Choose the agencies that signed it"), ("purposes", "Choose what it is for"),
                        ("lists", "Choose the lists it is about")):
        if not getattr(sent, field):
            errors[field] = said
    days = {field: read_day(getattr(sent, field)) for field in ("valid_from", "valid_until")}
    errors |= {field: WRONG_DAY for field, day in days.items() if day is None}
    first, last = days["valid_from"], days["valid_until"]
    if first and last and last < first:
        errors["valid_until"] = "It cannot end before it begins"
    return errors


def say_now(one: Agreement, today: date) -> str:
    """Whether an agreement is in force."""
    if one.withdrawn:
        return f"Ended early, {say_time(one.withdrawn)}"
    if today < one.valid_from:
        return "Not in force yet"
    if today > one.valid_until:
        return "Run out"
    left = (one.valid_until - today).days
    return "In force" if left > SOON else f"In force for {left} more day{'' if left == 1 else 's'}: sign the next one"


def _may_manage(me: Reach) -> bool:
    return me.may_do("manage_agreements", Register("agreements"))


def _show_form(request: Request, sent: Sent, errors: dict[str, str] | None = None) -> Response:
    errors = errors or {}
    return find_pages(request).show(request, "agreement_new.html", {
        "sent": sent, "errors": errors,
        "wrong": list_errors(errors),
    }, 400 if errors else 200)


def _show_one(
    request: Request, me: Reach, reading: Reading, one: Agreement, wrong: str = "", slower: str = "",
) -> Response:
    values: dict[str, Any] = {
        "one": one, "now": say_now(one, me.today), "made_by": name_user(reading, one.made_by), "wrong": wrong,
        "slower": slower,
        "may_end": _may_manage(me) and one.withdrawn is None and one.valid_until >= me.today}
    return find_pages(request).show(request, "agreement.html", values, 409 if slower else 400 if wrong else 200)
