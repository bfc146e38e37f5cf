"""Paths that do nothing, served as `wardwise serve` serves: what FastAPI and the wire take by themselves.

    python -m tests.bench.empty PORT
"""

from __future__ import annotations

import sys
from typing import Any

import uvicorn
from fastapi import FastAPI

from api.messages import ScreeningAsked

app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)


# Plain `def` like the paths they are compared with: each request is answered from a thread.


@app.post("/empty", status_code=201)
def answer_nothing() -> dict[str, Any]:
    """Reads nothing."""
    return {}


@app.get("/page")
def show_nothing() -> dict[str, Any]:
    """An empty page."""
    return {}


@app.post("/checked", status_code=201)
def check_only(asked: ScreeningAsked) -> dict[str, Any]:
    """Reads and checks what a screening is asked with."""
    return {}


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), access_log=False, log_level="warning", server_header=False,
                proxy_headers=False)
