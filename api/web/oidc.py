"""Signing in with the council's own accounts: OpenID Connect, by code, with PKCE, state and nonce.

Authlib makes the addresses, asks for tokens and holds the claims of the identity token to the standard; joserfc checks
its signature. Nothing the provider says about a person is used but who it says it is: `issuer` and `subject`. Names,
roles and e-mail addresses come from our own accounts, because whoever can change theirs elsewhere must not get rights.
"""

from __future__ import annotations

import hmac
import json
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from api.web.login_settings import Provider
from engine.errors import Problem, WardwiseError

PATIENCE = 10
"""Seconds to wait for the provider: somebody is looking at an empty page meanwhile."""

LARGEST = 1 << 20
"""Bytes of an answer; a provider's keys take some 20 kB."""

FRESH = timedelta(hours=1)
"""How long a provider's addresses and keys are trusted before they are asked for again."""

LEEWAY = 60
"""Seconds by which two clocks may differ."""

SIGNED_WITH = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""What a signature may be made with: never `none`, and never a secret that we hold ourselves (HS256)."""

SCOPE = "openid"
"""Nothing but who it is: no name and no address, because none is used."""

_DISCOVERY = "/.well-known/openid-configuration"
_AGAIN = "go back to the page to sign in, and start again there"


class OidcRefused(WardwiseError):
    """The provider's answer does not let anybody in."""


class OidcAway(WardwiseError):
    """The provider cannot be asked."""


@dataclass(frozen=True)
class Identity:
    """Who the provider says it is. A subject says nothing outside this provider."""

    issuer: str
    subject: str


@dataclass(frozen=True)
class Answer:
    """What a provider answered."""

    status_code: int
    body: bytes

    def json(self) -> Any:
        """The body as JSON. Raises ValueError."""
        return json.loads(self.body)

    def raise_for_status(self) -> None:
        """Raises OidcAway unless all is well."""
        if self.status_code >= 400:
            raise _say_away(f"answered {self.status_code}")


class Wire:
    """HTTP to a provider: no redirects, a short wait, a small answer. Authlib asks for tokens through `post`."""

    def __init__(self) -> None:
        self._opener = build_opener(_Stay, HTTPSHandler(context=ssl.create_default_context()))

    def get(self, url: str) -> Answer:
        """Fetches an address."""
        return self._ask(Request(_check(url), headers={"Accept": "application/json"}))     # noqa: S310  checked

    def post(self, url: str, data: Mapping[str, str], headers: Mapping[str, str], auth: Any, **_: Any) -> Answer:
        """Sends a form, with the client's own secret as Authlib puts it."""
        url, headers, body = auth.prepare("POST", url, dict(headers), urlencode(data))
        return self._ask(Request(_check(url), body.encode(), dict(headers), method="POST"))     # noqa: S310  checked

    def _ask(self, request: Request) -> Answer:
        try:
            with self._opener.open(request, timeout=PATIENCE) as answer:
                return Answer(answer.status, answer.read(LARGEST))
        except HTTPError as error:
            return Answer(error.code, error.read(LARGEST))
        except (OSError, HTTPException) as error:
            raise _say_away(f"cannot be reached ({type(error).__name__})") from None


class Oidc:
    """One provider, seen from one site. `back` is where it sends people back to."""

    def __init__(self, provider: Provider, back: str, wire: Wire | None = None) -> None:
        self._provider, self._back, self._wire = provider, back, wire or Wire()
        self._known: dict[str, tuple[datetime, dict[str, Any]]] = {}
        self._turn = threading.Lock()

    def write_address(self, state: str, nonce: str, verifier: str, at: datetime) -> str:
        """Where somebody is sent to sign in. Raises OidcAway."""
        told = self._discover(at)
        url, _state = self._client(told).create_authorization_url(
            told["authorization_endpoint"], state=state, code_verifier=verifier, nonce=nonce, response_mode="query")
        return str(url)

    def read_answer(self, sent: Mapping[str, str], kept: Mapping[str, Any], at: datetime) -> Identity:
        """Who came back. `sent`: the query they came with; `kept`: the state, nonce and verifier of their own session.

        Raises OidcRefused, saying of what kind, where anything about it is not as it should be; OidcAway.
        """
        state = str(kept.get("state", ""))
        if not state or not hmac.compare_digest(state.encode(), sent.get("state", "").encode("utf-8", "surrogatepass")):
            raise _refuse("was not started here, or was used before")
        if "error" in sent or not sent.get("code"):
            raise _refuse("was broken off at the provider")
        told = self._discover(at)
        named = sent.get("iss")     # RFC 9207: another provider's answer brought here
        if named != told["issuer"] and (named or told.get("authorization_response_iss_parameter_supported")):
            raise _refuse("came from another provider")
        token = self._fetch_token(told, sent["code"], str(kept["verifier"]))
        claims = self._read_claims(told, token, str(kept["nonce"]), at)
        return Identity(str(claims["iss"]), str(claims["sub"]))

    def _fetch_token(self, told: Mapping[str, Any], code: str, verifier: str) -> Mapping[str, Any]:
        try:
            token = self._client(told).fetch_token(
                told["token_endpoint"], grant_type="authorization_code", code=code, code_verifier=verifier)
        except OAuth2Error:
            raise _refuse("has a code that the provider does not take") from None
        except ValueError:
            raise _say_away("gave no token") from None
        return dict(token)

    def _read_claims(
        self, told: Mapping[str, Any], token: Mapping[str, Any], nonce: str, at: datetime
    ) -> Mapping[str, Any]:
        text = token.get("id_token")
        if not isinstance(text, str):
            raise _refuse("has no identity token")
        allowed = [name for name in told.get("id_token_signing_alg_values_supported", ["RS256"]) if name in SIGNED_WITH]
        try:
            decoded = self._decode(told, text, allowed, at)
            claims = CodeIDToken(decoded.claims, decoded.header, {
                "iss": {"essential": True, "values": [told["issuer"]]},
                "aud": {"essential": True, "value": self._provider.client_id},
                "sub": {"essential": True},
            }, {"nonce": nonce, "client_id": self._provider.client_id, "access_token": token.get("access_token")})
            claims.validate(now=int(at.timestamp()), leeway=LEEWAY)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise _refuse(f"has an identity token that does not hold ({type(error).__name__})") from None
        return dict(claims)

    def _decode(self, told: Mapping[str, Any], text: str, allowed: list[str], at: datetime) -> jwt.Token:
        registry = JWSRegistry(algorithms=allowed, strict_check_header=False)
        try:
            return jwt.decode(text, self._read_keys(told, at), registry=registry)
        except InvalidKeyIdError:       # the provider changed its keys
            return jwt.decode(text, self._read_keys(told, at, again=True), registry=registry)

    def _read_keys(self, told: Mapping[str, Any], at: datetime, again: bool = False) -> KeySet:
        keys: Any = self._fetch(told["jwks_uri"], at, again=again)
        return KeySet.import_key_set(keys)

    def _discover(self, at: datetime) -> Mapping[str, Any]:
        told = self._fetch(self._provider.issuer.rstrip("/") + _DISCOVERY, at)
        if told.get("issuer") != self._provider.issuer:
            raise _refuse("would go to a provider that calls itself by another name")
        if missing := {"authorization_endpoint", "token_endpoint", "jwks_uri"} - set(told):
            raise _say_away(f"does not say its {', '.join(sorted(missing))}")
        return told

    def _fetch(self, url: str, at: datetime, again: bool = False) -> dict[str, Any]:
        with self._turn:
            kept = self._known.get(url)
            if kept is None or again or at - kept[0] >= FRESH:
                answer = self._wire.get(url)
                answer.raise_for_status()
                kept = self._known[url] = (at, _read_object(answer.json))
            return kept[1]

    def _client(self, told: Mapping[str, Any]) -> Any:
        ways = told.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        way = "client_secret_basic" if "client_secret_basic" in ways else "client_secret_post"
        return OAuth2Client(self._wire, self._provider.client_id, self._provider.client_secret, way, scope=SCOPE,
                            redirect_uri=self._back, code_challenge_method="S256")


class _Stay(HTTPRedirectHandler):
    """Follows nobody: an address in a provider's answer must not lead into our own network."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _read_object(read: Callable[[], Any]) -> dict[str, Any]:
    try:
        found = read()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise _say_away("answered with something else than JSON")
    return found


def _check(url: str) -> str:
    if not url.startswith(("https://", "http://")):
        raise _say_away("named an address of another kind")
    return url


def _refuse(found: str) -> OidcRefused:
    return OidcRefused(Problem("this way of signing in", found, "one that was started in this browser, and once",
                               _AGAIN))


def _say_away(found: str) -> OidcAway:
    return OidcAway(Problem("the provider of accounts", found, "one that answers",
                            "try again in a few minutes; whoever runs Wardwise here can see whether it is reached"))
