"""Whether the site is there and can work, for whatever looks after it. Nobody signs in, and nothing is told of anybody.

No session is looked for, nothing is counted, and no line of the audit log is written: these are asked every few
seconds.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response

from api.web.jobs import find_jobs
from api.web.keeping import find_database
from engine.errors import WardwiseError

router = APIRouter(prefix="/health")


@router.get("/live")
def tell_live() -> Response:
    """200 while the process answers at all; nothing else is asked. Where this fails, start it again."""
    return PlainTextResponse("live")


@router.get("/ready")
def tell_ready(request: Request) -> Response:
    """200 where requests can be served, else 503 and the part that is missing. Where this fails, send nobody here."""
    missing = find_missing(request)
    return PlainTextResponse(f"not ready: {missing}" if missing else "ready", 503 if missing else 200)


def find_missing(request: Request) -> str:
    """The part of the site that cannot be used now; empty where all can."""
    if find_jobs(request).stopping:
        return "stopping"
    try:
        find_database(request).check()
    except WardwiseError:
        return "store"
    try:
        if request.app.state.office is not None:
            request.app.state.office.front.open_desk()
    except (WardwiseError, OSError):
        return "desk"
    return ""
