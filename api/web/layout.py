"""A template and its values -> one page of the site, with this request's nonce, its form token and who is signed in.

The macros of GOV.UK Frontend are used as they are published; the frame around them is the council's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import ChainableUndefined, ChoiceLoader, Environment, FileSystemLoader, PackageLoader, PrefixLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse

from api import words
from api.web import site_words
from api.web.assets import Assets
from api.web.brand import Brand
from api.web.identity import Person, find_session
from api.web.reach import known_menu
from engine.contract import AGENCIES, PURPOSES
from engine.prose import name_agency
from engine.store.problems import Unready

LONDON = ZoneInfo("Europe/London")
HERE = Path(__file__).parent


class Loud(ChainableUndefined):
    """What a template misspelt: it may be asked whether it is there, as the macros do, and may not be shown."""

    def __str__(self) -> str:
        """Raises UndefinedError, naming it."""
        return str(self._fail_with_undefined_error())

    __html__ = __str__


def say_time(moment: datetime | date) -> str:
    """A moment as a clock in London shows it, `23 November 2026 at 2:05pm`; a day as a day."""
    if not isinstance(moment, datetime):
        return words.say_day(moment)
    there = moment.astimezone(LONDON)
    return f"{words.say_day(there.date())} at {there.hour % 12 or 12}:{there:%M}{'am' if there.hour < 12 else 'pm'}"


def _make_environment() -> Environment:
    environment = Environment(
        loader=ChoiceLoader([
            FileSystemLoader(HERE / "templates"),
            PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")})]),
        autoescape=True, undefined=Loud, trim_blocks=True, lstrip_blocks=True, auto_reload=False)
    environment.globals.update({name: getattr(source, name) for source in (words, site_words)
                                for name in dir(source) if not name.startswith("_")})
    environment.globals.update({"name_agency": name_agency, "say_time": say_time, "AGENCIES": AGENCIES,
                                "PURPOSES": PURPOSES})
    return environment


_TEMPLATES = _make_environment()      # read when first shown, and then kept: nothing in it is of one site


class Pages:
    """The pages of one site."""

    def __init__(self, brand: Brand, assets: Assets, demo: bool) -> None:
        self._own = {"brand": brand, "asset": assets.address, "demo": demo, "themeColor": brand.colour}

    def show(
        self, request: Request, template: str, values: Mapping[str, Any] | None = None, status: int = 200,
    ) -> HTMLResponse:
        """One page. `person` and `form_token` are those of the request's session, unless `values` says otherwise."""
        try:
            session = find_session(request)
        except Unready:     # the page that says so needs no session
            session = None
        person: Person | None = session.person if session else None
        common = {**self._own, "cspNonce": request.state.nonce, "person": person, "path": request.url.path,
                  "menu": known_menu(request),
                  "form_token": session.form if session else ""}
        page = _TEMPLATES.get_template(template).render({**common, **(values or {})})
        return HTMLResponse(page, status_code=status)


def find_pages(request: Request) -> Pages:
    """The templates of the site that was asked."""
    pages: Pages = request.app.state.pages
    return pages
