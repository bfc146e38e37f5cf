"""A status -> a page that says what went wrong, in plain English, and what to do next. Nothing sent is quoted."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from api.web.identity import NotSignedIn
from api.web.layout import find_pages
from api.web.security import EXPIRED
from engine.store.problems import Missing, StoreError, Unready

PAGES: Mapping[int, tuple[str, tuple[str, ...]]] = {
    400: ("Something you sent cannot be kept", (
        "A character may be one that cannot be stored, or a choice one that is not offered. Nothing was saved.",
        "Go back, type it again instead of pasting it, and send it once more.")),
    403: ("You may not see this page", (
        "What you may see follows from your role and from the agreements your agency has signed.",
        "If you need it for your work, ask whoever looks after your account.")),
    404: ("Page not found", (
        "If you typed the address, check it. If you followed a link, what it led to may have been taken away, or may "
        "not be for you.",
        "Nothing was changed.")),
    405: ("This page cannot be asked for that way", ("Go back to the page you came from and use its own buttons.",)),
    409: ("Somebody was quicker", (
        "What you were working on was changed meanwhile. Nothing of yours was saved.",
        "Go back, open the page again, and send yours if it is still right. Copy what you wrote first.")),
    413: ("Too much was sent", (
        "A form here holds a few pages of text at most. Nothing was saved.",
        "Go back, shorten what you wrote, and send it again.")),
    EXPIRED: ("This form can no longer be used", (
        "It was open for too long, you signed in again meanwhile, or it was not sent from this site. "
        "Nothing was saved.",
        "Go back, open the page again and send the form once more. Copy what you wrote first.")),
    422: ("Something in the address is not understood", ("Go back to the list and set the filters there.",)),
    500: ("Sorry, something went wrong", (
        "It is not your mistake, and nothing was half saved: a change is kept whole or not at all.",
        "Try again in a few minutes. If it happens again, tell whoever runs Wardwise here; they have been told too.")),
    503: ("Wardwise is busy or being looked after", (
        "What is kept cannot be reached just now. Nothing was saved, and nothing that was there is lost.",
        "Try again in a few minutes.")),
}


async def show_trouble(request: Request, status: int) -> Response:
    """The page of a status; of one without a page of its own, that of its kind."""
    heading, paragraphs = PAGES.get(status) or PAGES[404 if status < 500 else 500]
    return find_pages(request).show(request, "trouble.html", {"heading": heading, "paragraphs": paragraphs}, status)


async def answer_trouble(request: Request, error: Exception) -> Response:
    """An error as a page, or the way to sign in."""
    match error:
        case NotSignedIn():
            return RedirectResponse(f"/sign-in?next={error.wanted}", 303)
        case HTTPException():
            return await show_trouble(request, error.status_code)
        case RequestValidationError():
            # A path that fits no page is a page that is not there.
            in_path = any(one["loc"][0] == "path" for one in error.errors())
            return await show_trouble(request, 404 if in_path else 422)
        case Unready():
            request.app.state.say(str(error))       # no text of the store holds anybody's value
            return await show_trouble(request, 503)
        case Missing():
            return await show_trouble(request, 404)
        case StoreError():      # what no page of this site can send
            return await show_trouble(request, 409 if error.fault == "conflict" else 400)
    raise error


TROUBLES = (NotSignedIn, HTTPException, RequestValidationError, Missing, Unready, StoreError)
