"""The commands about the JSON service: start it, and give, list or revoke the tokens that open it.

The clock is read here, and for `--as-of` it is the calendar alone that is set; when something was done is always told
by the clock.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable
from datetime import date
from types import FrameType
from typing import Annotated

import typer
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from api.demo import prepare
from api.guard import steps, tell
from api.layout import table
from api.options import HOME, AsOf, Day, Home, Rules, give_example
from api.screens import FrontDesk
from api.service import OPENAPI, make_service
from api.setting import RULES, Setting
from api.storing import StoreUrl, has_store, name_store
from api.today import Today, read_clock
from api.tokens import Role, Tokens
from api.web.app import join, make_site
from api.web.brand import read_brand
from api.web.judging import FIRST_JUDGED
from api.web.keeping import Office
from api.web.login_settings import read_settings
from engine.errors import Problem, UsageError
from engine.store.database import Database
from engine.store.problems import StoreError

SWEPT_EVERY = 24 * 3600.0
"""Seconds: sessions and files that nobody may use any more are deleted once a day, and when the server starts."""

ANSWERED_WITHIN = 30
"""Seconds that requests under way are given when the server stops: the longest waits so long for another writer."""

token = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="""Give, list and revoke tokens.

A token is shown once and kept as its SHA-256 only. What a token may do is what its role needs.""")
TokenName = Annotated[str, typer.Argument(metavar="NAME", help="Who holds it: a person, a post or a system.")]


def serve(
    host: Annotated[str, typer.Option(help="The address it listens on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port it listens on.", min=1, max=65535)] = 8000,
    as_of: AsOf = None, home: Home = HOME, rules: Rules = RULES, store: StoreUrl = None,
    demo: Annotated[bool, typer.Option(
        "--demo", help="Invent a borough, and let anybody in as a made-up person.")] = False,
) -> None:
    """Start the officers' site, and the JSON service for screening offers.

    The site shows what `wardwise publish` put before people; without a store only the service is started. With --demo
    nothing has to be there: a borough is invented, and nobody in it exists.

    One process, without TLS: put a proxy with TLS before it when it leaves this machine, and say with WARDWISE_ADDRESS
    where browsers reach it and with WARDWISE_SECRET what its secrets are made from. WARDWISE_DPIA and WARDWISE_EIA name
    what it stands on. No request is logged.
    """
    setting, door, url = Setting(home, rules), _listen(host, port), name_store(home, store)
    if demo:
        prepare(setting, url)
    settings = read_settings(os.environ, f"http://{host}:{port}", demo, date.today()) \
        if demo or has_store(url) else None
    with steps("making the desk") as say:
        today = Today(setting, lambda: as_of or date.today(), say)
        desk = today.open()
    front = FrontDesk(home, today.open, read_clock)
    tell(f"Reading {setting.home} as of {desk.as_of}, with the rules of {setting.rules}.\n"
         f"Listening on http://{host}:{port}; what may be asked is described at http://{host}:{port}{OPENAPI}\n"
         + (f"The site is at {settings.address}\n" if settings else "There is no site: `wardwise store upgrade` makes "
            "the store it needs.\n") + "Ctrl-C stops it.")
    service = make_service(front, Tokens(home), home)
    if settings is None:
        _Server(service).run(sockets=[door])
    else:
        _run_site(service, make_site(
            Database(url), settings, brand=read_brand(os.environ), office=Office(setting, front),
            sample=FIRST_JUDGED), door)
    tell("Stopped. What was finished before stands; nothing half-done was kept.")


@token.command("add", epilog=give_example('wardwise token add "Housing desk 1" --role housing_officer'))
def add_token(
    name: TokenName,
    role: Annotated[Role, typer.Option(help="What it may do.")],
    expires: Day = None, home: Home = HOME,
) -> None:
    """Give a token and show it, once.

    --expires is the last day it works; a year from today if left out.
    """
    secret = Tokens(home).add(name, role, date.today(), expires)
    tell("This token is not shown again. Keep it like a password.")
    typer.echo(secret)


@token.command("list", epilog=give_example("wardwise token list"))
def list_tokens(home: Home = HOME) -> None:
    """List every token ever given, and whether it works."""
    today = date.today()
    rows = [(one.name, one.role, str(one.created), str(one.expires),
             f"revoked {one.revoked}" if one.revoked else "in force" if one.works(today) else "expired")
            for one in Tokens(home).names()]
    lines = table(("name", "role", "given", "works until", "now"), rows) if rows else ["No token was given yet."]
    typer.echo("\n".join(lines))


@token.command("revoke", epilog=give_example('wardwise token revoke "Housing desk 1"'))
def revoke_token(name: TokenName, home: Home = HOME) -> None:
    """End a token at once. Its name stays beside what was done with it."""
    ended = Tokens(home).revoke(name, date.today())
    typer.echo(f"The token of {ended.name} no longer works.")


class _Server(uvicorn.Server):
    """A server that stops when it is told to (SIGTERM, Ctrl-C), and says so before it does."""

    def __init__(self, service: ASGIApp, stopping: Callable[[], None] = lambda: None) -> None:
        super().__init__(uvicorn.Config(service, access_log=False, log_level="warning", server_header=False,
                                        proxy_headers=False, timeout_graceful_shutdown=ANSWERED_WITHIN))
        self._tell_stopping = stopping

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serves until it is stopped."""
        if threading.current_thread() is threading.main_thread():
            # uvicorn passes the signal on when it is done, and nobody else would be there to take it.
            signal.signal(signal.SIGTERM, lambda _signal, _frame: None)
        super().run(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Takes a signal."""
        self._tell_stopping()
        super().handle_exit(sig, frame)


def _run_site(service: ASGIApp, site: FastAPI, door: socket.socket) -> None:
    """The site and the service until they are stopped; then long work is waited for, as long as declared."""
    over = threading.Event()
    site.state.jobs.open()
    _sweep(site)
    threading.Thread(target=_sweep_daily, args=(site, over), name="wardwise-sweep", daemon=True).start()
    try:
        _Server(join(service, site), site.state.jobs.stop).run(sockets=[door])
    finally:
        over.set()
        site.state.jobs.close()
        site.state.database.close()


def _sweep_daily(site: FastAPI, over: threading.Event, every: float = SWEPT_EVERY) -> None:
    while not over.wait(every):
        _sweep(site)


def _sweep(site: FastAPI) -> None:
    """Deletes what nobody may use any more. What cannot be deleted now can be tomorrow."""
    try:
        site.state.sessions.sweep()
        site.state.jobs.sweep()
    except (StoreError, OSError) as error:
        tell(f"old sessions and files could not be deleted ({type(error).__name__}); the next try is in a day")


def _listen(host: str, port: int) -> socket.socket:
    try:
        door = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        # An answer goes out in two parts. Unless told not to, the second waits for the first to be acknowledged, 40 ms.
        door.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return door
    except OSError as error:
        raise UsageError(Problem(f"--host {host} --port {port}", f"cannot listen there: {error.strerror}",
                                 "an address of this machine and a free port", "name another --port")) from error
