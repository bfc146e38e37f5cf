"""A person records that an offer was made, or that it no longer stands: acts of their own, never of a screening."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from api.web.counter import Counter, CounterRoute, Token, find_status, name_asker, stand
from api.web.form import read_words
from api.web.identity import check_form
from api.web.layout import find_pages
from api.web.refusals import list_refusals
from api.web.screened_page import CLEAR, Trouble
from engine.errors import ScreenError
from engine.events import Offer
from engine.screenings import Kept

router = APIRouter(dependencies=[Depends(check_form)], route_class=CounterRoute)

Officer = Annotated[Counter, Depends(stand("record_offer"))]


@router.get("/screenings/{token}/offer")
def ask_offer(request: Request, token: Token, at: Officer) -> Response:
    """The form: what stands in the way, and what the applicant said to what is to be weighed."""
    return _show_offer(request, at, at.find_latest(token))


@router.post("/screenings/{token}/offer")
def record_offer(
    request: Request, token: Token, at: Officer, applicant_view: Annotated[str, Form(max_length=20)] = "",
    made: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """Records that the offer was made. Sent twice it is recorded once."""
    kept = at.find(token)
    if (earlier := find_offer(at, kept)) is not None:
        done = "offered" if earlier.by == at.me.id else "already"
        return RedirectResponse(f"/screenings/{token}?done={done}", 303)
    typed, errors = {"applicant_view": applicant_view, "made": made}, {}
    if kept.soft and applicant_view not in ("accepts", "declines"):
        errors["applicant_view"] = "Say what the applicant thinks, once told"
    if made != "yes":
        errors["made"] = "Confirm that you have made the offer"
    if errors:
        return _show_offer(request, at, kept, Trouble(errors, typed=typed))
    try:
        at.front.offer(at.asker, kept.id, applicant_view or None)
    except ScreenError as error:
        return _show_offer(request, at, kept, Trouble(whole=list_refusals(error), typed=typed), find_status(error))
    return RedirectResponse(f"/screenings/{token}?done=offered", 303)


@router.get("/screenings/{token}/withdraw")
def ask_withdrawal(request: Request, token: Token, at: Officer) -> Response:
    """The form to take the offer back."""
    return _show_withdrawal(request, at, at.find(token))


@router.post("/screenings/{token}/withdraw")
def withdraw_offer(
    request: Request, token: Token, at: Officer, reason: Annotated[str, Form()] = "",
    sure: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """Records that the offer no longer stands."""
    kept, reason = at.find(token), read_words(reason)
    offer, typed = find_offer(at, kept), {"reason": reason, "sure": sure}
    if offer is None:
        return RedirectResponse(f"/screenings/{token}", 303)
    if sure != "yes":
        return _show_withdrawal(request, at, kept, Trouble({"sure": "Confirm that the offer no longer stands"},
                                                           typed=typed))
    try:
        at.front.withdraw(at.asker, offer.id, reason)
    except ScreenError as error:
        wrong = Trouble({"reason": "Say why in a sentence, in 2,000 characters or fewer"}, typed=typed) \
            if error.fault == "invalid" else Trouble(whole=list_refusals(error), typed=typed)
        return _show_withdrawal(request, at, kept, wrong, find_status(error))
    return RedirectResponse(f"/screenings/{token}?done=taken-back", 303)


def find_offer(at: Counter, kept: Kept) -> Offer | None:
    """The offer that stands and was made with this screening."""
    return next((one for one in at.front.kept.offers() if one.screening == kept.id and one.standing), None)


# --- inside ---------------------------------------------------------------------------------------


def _show_offer(
    request: Request, at: Counter, kept: Kept, trouble: Trouble = CLEAR, status: int = 400,
) -> Response:
    overridden = {one.rule for one in at.front.overrides() if one.screening == kept.id}
    values = {
        "token": at.front.token(kept), "kept": kept, "trouble": trouble,
        "address": at.front.address(kept.pair.uprn) or kept.pair.uprn,
        "standing": [kept.titles[rule] for rule in kept.hard if rule not in overridden],
        "weigh": [kept.titles[rule] for rule in kept.soft],
    }
    return find_pages(request).show(request, "screening_offer.html", values, status if trouble.summary else 200)


def _show_withdrawal(
    request: Request, at: Counter, kept: Kept, trouble: Trouble = CLEAR, status: int = 400,
) -> Response:
    offer = find_offer(at, kept)
    if offer is None:
        raise HTTPException(404)
    with at.database.reading() as reading:
        by = name_asker(reading, offer.by)
    values = {"token": at.front.token(kept), "kept": kept, "by": by, "at": datetime.fromisoformat(offer.at),
              "address": at.front.address(kept.pair.uprn) or kept.pair.uprn, "trouble": trouble}
    return find_pages(request).show(request, "screening_withdraw.html", values, status if trouble.summary else 200)
