"""Every request and every answer passes here: a request is short, an answer is not kept by any cache or sniffed at.

Plain ASGI, so that nothing is read into memory before it was measured.
"""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import refuse

LONGEST = 64 * 1024
"""Bytes of a request: sixty answers take a tenth of it."""

_READ_AWAY = 32 * 1024 * 1024
_PATIENCE = 10.0
"""A sender who hears the refusal only after sending everything is let finish, up to so many bytes and seconds."""

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Gate:
    """The service behind its gate."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets one request through, or refuses it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        told = headers.get("content-length", "0")
        if told.isdigit() and int(told[:20]) > LONGEST:
            if "expect" not in headers:
                await _read_away(receive)
            await refuse("too_large", {"Connection": "close"})(scope, receive, _mark(send))
            return
        await self.app(scope, _measure(receive), _mark(send))


def _measure(receive: Receive) -> Receive:
    """What is received, until it is too much; not everybody tells the length beforehand."""
    length = 0

    async def measured() -> Message:
        nonlocal length
        message = await receive()
        length += len(message.get("body", b""))
        if length > LONGEST:
            await _read_away(receive)
            raise HTTPException(413, headers={"Connection": "close"})
        return message

    return measured


def _mark(send: Send) -> Send:
    """What is sent, with the headers that every answer has."""
    async def marked(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers[name] = value
        await send(message)

    return marked


async def _read_away(receive: Receive) -> None:
    """Reads the rest of a request that is refused, and forgets it: then the sender is ready to hear why."""
    left = _READ_AWAY
    try:
        async with asyncio.timeout(_PATIENCE):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if message["type"] != "http.request" or not message.get("more_body"):
                    return
    except TimeoutError:
        return
