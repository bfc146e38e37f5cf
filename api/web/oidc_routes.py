"""Signing in with the council's own accounts: to the provider, and back. What comes back works once, and only in the
browser that set out."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from api.web.entrance import AWAY, NOT_STARTED, TOO_MANY, UNKNOWN, Entrance, own_path
from api.web.oidc import Oidc, OidcAway, OidcRefused
from engine.store import accounts


class CouncilPages:
    """To the provider and back. Without one, both pages are not there."""

    def __init__(self, at: Entrance, oidc: Oidc | None) -> None:
        self._at, self._oidc = at, oidc

    def start(self, request: Request, next: str = "/") -> Response:
        """Sends somebody to the provider. A plain link: our policy lets no form lead to another site."""
        oidc, at = self._find_oidc(), self._at.clock()
        if not self._at.may_begin(request):
            return self._at.say(request, TOO_MANY, 429)
        pending = {name: self._at.draw() for name in ("state", "nonce", "verifier")} | {"next": own_path(next)}
        try:
            address = oidc.write_address(pending["state"], pending["nonce"], pending["verifier"], at)
        except (OidcAway, OidcRefused) as error:
            return self._say_away(request, error)
        answer = RedirectResponse(address, 303)
        self._at.sessions.open(answer, request, method="oidc", pending=pending)
        return answer

    def come_back(self, request: Request) -> Response:
        """Somebody whom the provider sent back. What they come with works once, and in the browser that set out."""
        oidc, pending = self._find_oidc(), self._at.sessions.take(request)
        try:
            who = oidc.read_answer(request.query_params, pending, self._at.clock())
        except OidcRefused as error:
            self._at.tell(f"a way of signing in was refused: it {error.problems[0].found}")
            return self._at.say(request, NOT_STARTED, 400)
        except OidcAway as error:
            return self._say_away(request, error)
        with self._at.store.reading() as reading:
            user = accounts.find_oidc_user(reading, who.issuer, who.subject)
        if user is None or user.disabled is not None:
            heading, paragraphs = UNKNOWN
            return self._at.say(request, (heading, (*paragraphs, who.subject)), 403)
        return self._at.let_in(request, user, "oidc", pending["next"])

    def _find_oidc(self) -> Oidc:
        if self._oidc is None:
            raise HTTPException(404)
        return self._oidc

    def _say_away(self, request: Request, error: OidcAway | OidcRefused) -> Response:
        self._at.tell(f"the provider of accounts {error.problems[0].found}")
        return self._at.say(request, AWAY, 503)
