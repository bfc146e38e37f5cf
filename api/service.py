"""The JSON service: the paths, the gate before them, and one description of it all.

It holds no state of its own: what is screened is read from the desk, what is kept is kept by the front desk.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from api.describe import describe_service
from api.faults import answer_error
from api.gate import Gate
from api.incidents import Incidents
from api.routes import PREFIX, router
from api.screens import FrontDesk
from api.tokens import Tokens

OPENAPI = f"{PREFIX}/openapi.json"


class Service(FastAPI):
    """FastAPI with our own description."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI description, made once."""
        if self.openapi_schema is None:
            self.openapi_schema = describe_service(self)
        return self.openapi_schema


def make_service(front_desk: FrontDesk, tokens: Tokens, home: Path) -> FastAPI:
    """The service over one home. Nothing is read before the first request."""
    service = Service(
        title="Wardwise screening", summary="An offer of a home, screened before it is made",
        version=version("wardwise"), openapi_url=OPENAPI, docs_url=None, redoc_url=None, redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name)
    service.state.front_desk, service.state.tokens = front_desk, tokens
    service.state.incidents = Incidents(home)
    service.include_router(router)
    for error in (HTTPException, RequestValidationError):
        service.add_exception_handler(error, answer_error)
    service.add_middleware(Gate)
    return service
