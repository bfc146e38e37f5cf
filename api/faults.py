"""Whatever went wrong while a request was answered -> a problem as an answer; what should not happen is kept, too."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from api.incidents import Incidents
from api.problems import FAULTS, KINDS, STANDING, Kind, answer_problem, refuse
from api.refusals import describe_refusals
from api.screens import Disagreement, FrontDesk
from engine.errors import ScreenError, WardwiseError

_BY_STATUS: Mapping[int, Kind] = {status: kind for kind, (status, _) in KINDS.items() if status < 500}

async def answer_error(request: Request, error: Exception) -> Response:
    """An error as a problem. Whatever is nobody's mistake but ours is kept as an incident."""
    match error:
        case RequestValidationError():
            refused = describe_refusals(error.errors())
            malformed = any(one["type"] == "json_invalid" for one in error.errors())
            return answer_problem("malformed" if malformed else "invalid", refused)
        case HTTPException():
            return refuse(_BY_STATUS.get(error.status_code, "not_found"), error.headers)
        case ScreenError():
            return answer_problem(FAULTS[error.fault], error.problems)
        case Disagreement():
            return await _keep_incident(request, error, "disagreement")
        case WardwiseError() | OSError():
            return await _keep_incident(request, error, "unavailable")
        case _:
            return await _keep_incident(request, error, "defect")


async def _keep_incident(request: Request, error: Exception, kind: Kind) -> Response:
    front: FrontDesk = request.app.state.front_desk
    incidents: Incidents = request.app.state.incidents
    rules, desk = front.describe_desk()
    kept = await asyncio.to_thread(incidents.record, error, front.now(), rules, desk)
    return answer_problem(kind, STANDING[kind], kept.id)
