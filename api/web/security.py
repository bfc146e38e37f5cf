"""Every request to the site and every page it sends pass here: short, from this site, and told how to be shown.

Plain ASGI, so that nothing is read into memory before it was measured, and a page of trouble has the same headers as
any other. What should never happen is answered with a page and told to the operator by its kind and place alone: its
words may quote somebody.
"""

from __future__ import annotations

import secrets
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LONGEST = 64 * 1024
"""Bytes of a form: the longest rationale takes a tenth of it."""

EXPIRED = 419
"""Not in any standard, and used by others for the same: the form is not one that this site gave this session."""

_SAFE = ("GET", "HEAD", "OPTIONS")
_YEAR = 31536000

_HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), display-capture=()",
    # Not `no-referrer`: with it a browser sends `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

Tell = Callable[[str], None]
Trouble = Callable[[Request, int], Awaitable[Response]]


def write_policy(nonce: str) -> str:
    """The content security policy of one page: its own style sheets and pictures, scripts that carry its nonce."""
    return "; ".join((
        "default-src 'none'", f"script-src 'nonce-{nonce}'", "style-src 'self'", "img-src 'self'",
        "connect-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"))


class Shield:
    """The site behind its shield. `trouble` makes the page of an error; `tell` says one line to the operator."""

    def __init__(self, app: ASGIApp, trouble: Trouble, tell: Tell, encrypted: bool) -> None:
        self.app, self._trouble, self._tell, self._encrypted = app, trouble, tell, encrypted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets one request through, or refuses it with a page."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(16)
        scope.setdefault("state", {})["nonce"] = nonce
        started = False
        marked = self._mark(send, nonce)

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await marked(message)

        try:
            refused = find_fault(scope)
            if refused:
                await (await self._trouble(Request(scope, receive), refused))(scope, receive, watched)
            else:
                await self.app(scope, measure(receive), watched)
        except Exception as error:
            self._tell(f"the site could not answer: {type(error).__name__} at {find_place(error)}")
            if started:     # half a page is sent; ending the connection is all that is left
                raise ConnectionAbortedError("an answer was cut off") from None
            await (await self._tell_of(Request(scope, receive)))(scope, receive, watched)

    async def _tell_of(self, request: Request) -> Response:
        try:
            return await self._trouble(request, 500)
        except Exception as error:      # the page of trouble is in trouble itself
            self._tell(f"and could not say so: {type(error).__name__} at {find_place(error)}")
            return PlainTextResponse("Sorry, something went wrong. Nothing was half saved.", 500)

    def _mark(self, send: Send, nonce: str) -> Send:
        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                headers["Content-Security-Policy"] = write_policy(nonce)
                if "cache-control" not in headers:
                    headers["Cache-Control"] = "no-store"
                if self._encrypted:
                    headers["Strict-Transport-Security"] = f"max-age={_YEAR}"
            await send(message)

        return marked


def find_fault(scope: Scope) -> int | None:
    """The status a request is refused with before anything is read: too long, or sent by another site."""
    headers = Headers(scope=scope)
    told = headers.get("content-length", "0")
    if not told.isdigit() or int(told[:20]) > LONGEST:
        return 413
    if scope["method"] in _SAFE:
        return None
    return None if is_own(headers) else EXPIRED


def is_own(headers: Headers) -> bool:
    """Whether a form was sent from a page of this site, by what browsers themselves say of it.

    Browsers since 2023 say `Sec-Fetch-Site`; older ones say `Origin`. Who says neither is not a browser, and refused.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = urlsplit(headers.get("origin", ""))
    return origin.scheme in ("http", "https") and origin.netloc == headers.get("host", "")


def measure(receive: Receive) -> Receive:
    """What is received, until it is too much; not everybody tells the length beforehand."""
    length = 0

    async def measured() -> Message:
        nonlocal length
        message = await receive()
        length += len(message.get("body", b""))
        if length > LONGEST:
            raise HTTPException(413)
        return message

    return measured


def find_place(error: BaseException) -> str:
    """The file and line, without the folder it is installed in."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown"
