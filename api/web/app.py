"""The parts of the site put together over one store."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from api.guard import tell
from api.routes import PREFIX
from api.web import (
    accounts,
    acting,
    agreeing,
    asking,
    auditing,
    awaiting,
    challenges,
    contesting,
    data,
    deciding,
    evidence,
    flag,
    health,
    jobs,
    judging,
    lists,
    making,
    meeting,
    meeting_item,
    numbers,
    offering,
    overriding,
    papers,
    reviewing,
    rule,
    rules,
    runs,
    screened_page,
    screening,
    worklist,
)
from api.web.assets import Assets
from api.web.brand import Brand
from api.web.keeping import Office, prepare_demo
from api.web.layout import Pages
from api.web.login_routes import make_login_routes
from api.web.login_settings import LoginSettings
from api.web.reach import find_reach
from api.web.rights import read_rights
from api.web.security import Shield
from api.web.sessions import Sessions, read_clock
from api.web.trouble import TROUBLES, answer_trouble, show_trouble
from engine.store.database import Database


def make_site(
    database: Database, settings: LoginSettings, clock: Callable[[], datetime] = read_clock,
    brand: Brand | None = None, *, say: Callable[[str], None] = tell, office: Office | None = None, sample: int = 0,
    **parts: Any,
) -> FastAPI:
    """The site over one store. `settings`: how people sign in, and whether browsers reach it over TLS.

    In a demonstration anybody may sign in as a made-up person: never over a store with real people. `office`: the home
    and rules behind the store, without which pages about runs, data and screenings say that they are not there.
    `sample`: one flag in so many is judged by whoever decides it before they see ours; 0: none (see `judging`).
    `parts`: what else of signing in is not as usual (see `login_routes.make_login_routes`).
    """
    brand = brand or Brand()
    site = FastAPI(title="Wardwise", version=version("wardwise"), openapi_url=None, docs_url=None, redoc_url=None)
    assets, sessions = Assets(brand), Sessions(database, settings.encrypted, clock, demo=settings.demo)
    pages = Pages(brand, assets, settings.demo)
    if settings.demo:
        prepare_demo(database, clock())
    site.state.database, site.state.clock, site.state.rights, site.state.say = database, clock, read_rights(), say
    site.state.sample = sample
    site.state.office, site.state.grounds = office, settings.grounds
    site.state.brand = brand
    site.state.jobs = jobs.Jobs(database, clock, say, office.setting.home / "papers" if office else None)
    site.state.assets, site.state.pages, site.state.sessions = assets, pages, sessions
    site.add_api_route("/", show_start, include_in_schema=False)
    site.add_api_route("/static/{digest}/{name:path}", send_file, include_in_schema=False)
    site.include_router(make_login_routes(database, settings, pages.show, sessions, clock=clock, tell=say, **parts))
    for part in (health, awaiting, making, accounts, agreeing, auditing, flag, evidence, judging,
                 deciding, acting, asking, worklist, numbers, meeting, meeting_item,
                 papers,
                 screening, screened_page, offering, overriding, challenges, contesting, rules, rule,
                 runs, data, reviewing, lists):
        site.include_router(part.router)
    for error in TROUBLES:
        site.add_exception_handler(error, answer_trouble)

    async def trouble(request: Request, status: int) -> Response:
        request.scope.setdefault("app", site)
        return await show_trouble(request, status)

    site.add_middleware(Shield, trouble=trouble, tell=say, encrypted=settings.encrypted)
    return site


def show_start(request: Request) -> Response:
    """To the first page of this person's menu. A role that opens none is told so."""
    menu = find_reach(request).menu
    if not menu:
        raise HTTPException(403)
    return RedirectResponse(menu[0].href, 303)


def send_file(request: Request, digest: str, name: str) -> Response:
    """A style sheet, script or picture."""
    assets: Assets = request.app.state.assets
    answer = assets.answer(digest, name)
    if answer is None:
        raise HTTPException(404)
    return answer


def join(service: ASGIApp, site: ASGIApp) -> ASGIApp:
    """The JSON service and the site as one application: a path under the service's prefix is the service's."""
    async def joined(scope: Scope, receive: Receive, send: Send) -> None:
        mine = scope["type"] == "http" and (scope["path"] == PREFIX or scope["path"].startswith(f"{PREFIX}/"))
        await (service if mine else site)(scope, receive, send)

    return joined
