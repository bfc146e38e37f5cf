"""Signing in with the council's own account, against a real provider that runs beside the test.

`oidc-provider-mock` makes real codes, keys and tokens over HTTP. It does not check PKCE, so that is looked at on the
wire; and where a provider has to lie, the wire is changed.
"""

from __future__ import annotations

import base64
import json
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey

from api.web.entrance import AWAY, NOT_STARTED, UNKNOWN
from api.web.login import TRIES
from api.web.login_settings import LoginSettings, Provider
from api.web.oidc import Answer, Wire
from engine.store.accounts import User
from engine.store.database import Database
from tests.identity.made import SECRET, Place, Visitor, read

HERE = "http://127.0.0.1:8000"
ALEX = "8f2a61"


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import oidc_provider_mock

        with oidc_provider_mock.run_server_in_thread() as server:
            yield f"http://localhost:{server.server_port}"


class Told(Wire):
    """The wire, watched; `change` may change what an address answers."""

    def __init__(self, change: Callable[[str, Answer], Answer] = lambda _url, answer: answer) -> None:
        super().__init__()
        self.sent: list[Mapping[str, str]] = []
        self._change = change

    def get(self, url: str) -> Answer:
        return self._change(url, super().get(url))

    def post(self, url: str, data: Mapping[str, str], headers: Mapping[str, str], auth: Any, **more: Any) -> Answer:
        self.sent.append(dict(data))
        return self._change(url, super().post(url, data, headers, auth, **more))


@dataclass
class Council:
    """A site whose people have accounts with a provider."""

    place: Place
    wire: Told
    alex: User

    def set_out(self, visitor: Visitor, wanted: str = "/") -> str:
        """Where the site sends somebody."""
        answer = visitor.get(f"/sign-in/council?next={wanted}")
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])

    def sign_in(self, visitor: Visitor, subject: str = ALEX, change: Mapping[str, str] | None = None) -> httpx.Response:
        return visitor.get(agree(self.set_out(visitor), subject, change))


def agree(address: str, subject: str = ALEX, change: Mapping[str, str] | None = None) -> str:
    """Somebody signs in at the provider: the path they come back on. `change`: what is asked of it, changed."""
    parts = urlsplit(address)
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()} | dict(change or {})
    answer = httpx.post(parts._replace(query=urlencode(asked)).geturl(), data={"sub": subject})
    assert answer.status_code == 302, answer.text
    back = urlsplit(answer.headers["location"])
    return f"{back.path}?{back.query}"


def build(store: Database, issuer: str, change: Callable[[str, Answer], Answer] | None = None, **more: Any) -> Council:
    wire = Told(change) if change else Told()
    settings = LoginSettings(HERE, SECRET, demo=True, provider=Provider(issuer, "wardwise", "hush"), **more)
    place = Place(store, settings, datetime.now(UTC), wire=wire)
    alex = place.add("alex@council.example", "Alex Officer", "agency_officer", password=None, oidc=(issuer, ALEX))
    return Council(place, wire, alex)


@pytest.fixture
def council(store: Database, issuer: str) -> Council:
    return build(store, issuer)


def test_the_council_account_lets_in_with_the_roles_kept_here(council: Council) -> None:
    alex = council.place.visitor()
    answer = alex.get(agree(council.set_out(alex, "/people")))
    assert (answer.status_code, answer.headers["location"]) == (303, "/people")
    assert alex.client.get("/").json() == {"person": "Alex Officer", "roles": ["agency_officer"]}
    assert [row["method"] for row in council.place.sessions_kept() if row["user"]] == ["oidc"]


def test_a_code_is_asked_for_with_state_nonce_and_a_challenge(council: Council) -> None:
    alex = council.place.visitor()
    address = council.set_out(alex)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    alex.get(agree(address))
    sent = council.wire.sent[0]
    challenge = base64.urlsafe_b64encode(sha256(sent["code_verifier"].encode()).digest()).decode().rstrip("=")
    assert {**asked, "state": "*", "nonce": "*"} == {
        "response_type": "code", "client_id": "wardwise", "scope": "openid", "response_mode": "query", "state": "*",
        "nonce": "*", "redirect_uri": f"{HERE}/sign-in/back", "code_challenge": challenge,
        "code_challenge_method": "S256"}
    assert len({asked["state"], asked["nonce"], sent["code_verifier"]}) == 3
    assert (sent["grant_type"], sent["redirect_uri"]) == ("authorization_code", f"{HERE}/sign-in/back")


def test_the_session_is_another_one_afterwards(council: Council) -> None:
    alex = council.place.visitor()
    alex.get("/sign-in")
    seen = [alex.cookie]
    address = council.set_out(alex)
    seen.append(alex.cookie)
    alex.get(agree(address))
    assert len({*seen, alex.cookie}) == 3


def refused(council: Council, answer: httpx.Response) -> bool:
    page = {"template": "trouble.html", "heading": NOT_STARTED[0], "paragraphs": list(NOT_STARTED[1])}
    return answer.status_code == 400 and read(answer) == page and len(council.place.told) == 1


def test_coming_back_twice_is_a_page_and_not_a_fault(council: Council) -> None:
    alex = council.place.visitor()
    back = agree(council.set_out(alex))
    alex.get(back)
    assert refused(council, alex.get(back))
    assert alex.name == "Alex Officer"
    assert council.place.told == ["a way of signing in was refused: it was not started here, or was used before"]


def test_somebody_elses_way_back_is_of_no_use(council: Council) -> None:
    """A thief who got hold of an answer, or who wants another person signed in as the thief."""
    alex, thief = council.place.visitor(), council.place.visitor()
    council.set_out(thief)
    assert refused(council, thief.get(agree(council.set_out(alex))))
    assert thief.name is None


@pytest.mark.parametrize("wrong", [
    "/sign-in/back", "/sign-in/back?code=x", "/sign-in/back?state=&code=x", "/sign-in/back?state=%ff&code=x",
    "/sign-in/back?error=access_denied", "/sign-in/back?state=x&state=y&code=z"])
def test_an_answer_made_up_is_refused(council: Council, wrong: str) -> None:
    alex = council.place.visitor()
    council.set_out(alex)
    assert refused(council, alex.get(wrong))
    assert refused_names_nobody(council)


def refused_names_nobody(council: Council) -> bool:
    return all(ALEX not in line and "=" not in line for line in council.place.told)


@pytest.mark.parametrize("change", [{"state": "another"}, {"nonce": "another"}])
def test_another_state_or_nonce_is_refused(council: Council, change: dict[str, str]) -> None:
    alex = council.place.visitor()
    assert refused(council, council.sign_in(alex, change=change))
    assert alex.name is None


def test_a_code_that_was_used_or_made_up_is_refused(council: Council) -> None:
    alex = council.place.visitor()
    back = agree(council.set_out(alex))
    made_up = back.replace(parse_qs(urlsplit(back).query)["code"][0], "madeup")
    assert refused(council, alex.get(made_up))


def test_an_answer_of_another_provider_is_refused(council: Council) -> None:
    alex = council.place.visitor()
    assert refused(council, alex.get(agree(council.set_out(alex)) + "&iss=https%3A%2F%2Fevil.example"))


def test_breaking_off_at_the_provider_is_a_page(council: Council) -> None:
    alex = council.place.visitor()
    state = parse_qs(urlsplit(council.set_out(alex)).query)["state"][0]
    assert refused(council, alex.get(f"/sign-in/back?error=access_denied&state={state}"))


# --- providers that lie, and that are away ---------------------------------------------------------------

OURS = RSAKey.generate_key(2048, {"kid": "ours"})
THEIRS = RSAKey.generate_key(2048, {"kid": "ours"})


def lie(key: Any = OURS, alg: str = "RS256", **claims: Any) -> Callable[[str, Answer], Answer]:
    """A provider with our key, whose token says something else. The nonce is right unless it is among what is said."""
    def change(url: str, answer: Answer) -> Answer:
        if url.endswith("/jwks"):
            return Answer(200, json.dumps(KeySet([OURS]).as_dict(private=False)).encode())
        if not url.endswith("/token"):
            return answer
        body = answer.json()
        said = json.loads(base64.urlsafe_b64decode(body["id_token"].split(".")[1] + "=="))
        said = {name: value for name, value in {**said, **claims}.items() if value is not None}
        said.pop("at_hash", None) if "at_hash" not in claims else None
        body["id_token"] = (jwt.encode({"alg": alg, "kid": "ours"}, said, key, algorithms=[alg]) if alg != "none"
                            else ".".join((encode({"alg": "none"}), encode(said), "")))
        return Answer(200, json.dumps(body).encode())
    return change


def encode(value: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_a_provider_with_our_key_that_does_not_lie_lets_in(store: Database, issuer: str) -> None:
    council = build(store, issuer, lie())
    alex = council.place.visitor()
    council.sign_in(alex)
    assert alex.name == "Alex Officer"


@pytest.mark.parametrize("change", [
    lie(iss="https://evil.example"), lie(aud="another site", azp="wardwise"), lie(aud="another site"),
    lie(aud=["wardwise", "another site"], azp="another site"),
    lie(nonce="another"), lie(nonce=None), lie(exp=1), lie(sub=None), lie(exp=None), lie(iat=None),
    lie(at_hash="wrong"), lie(nbf=4_000_000_000), lie(key=THEIRS), lie(alg="none"),
    lie(key=OctKey.import_key(json.dumps(KeySet([OURS]).as_dict(private=False))), alg="HS256"),
], ids=["issuer", "audience", "audience alone", "authorised party", "nonce", "no nonce", "expired", "no subject",
        "no expiry", "no time", "access token", "not yet", "key", "unsigned", "signed with what is public"])
def test_a_token_that_does_not_hold_is_refused(
    store: Database, issuer: str, change: Callable[[str, Answer], Answer]
) -> None:
    council = build(store, issuer, change)
    alex = council.place.visitor()
    assert refused(council, council.sign_in(alex))
    assert alex.name is None


def test_keys_are_asked_for_again_when_the_provider_changed_them(store: Database, issuer: str) -> None:
    asked = []

    def change(url: str, answer: Answer) -> Answer:
        if url.endswith("/jwks"):
            asked.append(url)
            if len(asked) == 1:
                return Answer(200, json.dumps(KeySet([RSAKey.generate_key(2048, {"kid": "old"})]).as_dict()).encode())
        return lie()(url, answer)

    council = build(store, issuer, change)
    alex = council.place.visitor()
    council.sign_in(alex)
    assert (alex.name, len(asked)) == ("Alex Officer", 2)


def answer_with(part: str, answer: Answer) -> Callable[[str, Answer], Answer]:
    return lambda url, real: answer if part in url else real


@pytest.mark.parametrize(("change", "told"), [
    (answer_with("openid-configuration", Answer(500, b"")), "answered 500"),
    (answer_with("openid-configuration", Answer(200, b"<html>")), "answered with something else than JSON"),
    (answer_with("openid-configuration", Answer(200, b"[]")), "answered with something else than JSON"),
    (answer_with("openid-configuration", Answer(302, b"")), "answered with something else than JSON"),
    (answer_with("openid-configuration", Answer(200, b'{"issuer": "https://evil.example"}')),
     "would go to a provider that calls itself by another name"),
])
def test_a_provider_that_gives_no_good_answer_is_said_to_be_away(
    store: Database, issuer: str, change: Callable[[str, Answer], Answer], told: str
) -> None:
    council = build(store, issuer, change)
    answer = council.place.visitor().get("/sign-in/council")
    assert (answer.status_code, read(answer)["heading"]) == (503, AWAY[0])
    assert council.place.told == [f"the provider of accounts {told}"]


@pytest.mark.parametrize("part", ["/token", "/jwks"])
def test_a_provider_that_goes_away_on_the_way_is_said_to_be_away(store: Database, issuer: str, part: str) -> None:
    council = build(store, issuer, answer_with(part, Answer(502, b"<html>")))
    alex = council.place.visitor()
    assert council.sign_in(alex).status_code == 503
    assert alex.name is None


def test_a_provider_that_is_not_there_is_said_to_be_away(store: Database) -> None:
    council = build(store, "http://127.0.0.1:9")
    assert council.place.visitor().get("/sign-in/council").status_code == 503
    assert council.place.told == ["the provider of accounts cannot be reached (URLError)"]


# --- who may come in -------------------------------------------------------------------------------------


def test_somebody_unknown_is_told_what_to_do(council: Council) -> None:
    stranger = council.place.visitor()
    answer = council.sign_in(stranger, "stranger@council.example")
    assert answer.status_code == 403
    assert read(answer) == {"template": "trouble.html", "heading": UNKNOWN[0],
                            "paragraphs": [*UNKNOWN[1], "stranger@council.example"]}
    assert stranger.name is None


def test_the_same_e_mail_address_is_not_the_same_person(council: Council) -> None:
    """The mock says `email` is whatever the subject is; it is never looked at."""
    council.place.add("pat@council.example", "Pat Chair", "tasking_chair")
    stranger = council.place.visitor()
    assert council.sign_in(stranger, "pat@council.example").status_code == 403
    assert stranger.name is None


def test_the_same_subject_at_another_provider_is_not_the_same_person(council: Council) -> None:
    council.place.add("jo@council.example", "Jo Manager", "housing_manager", password=None,
                      oidc=("https://other.example", "4711"))
    stranger = council.place.visitor()
    assert council.sign_in(stranger, "4711").status_code == 403


def test_somebody_whose_account_was_shut_stays_out(council: Council) -> None:
    from engine.store import accounts

    with council.place.store.writing(council.place.now, "system") as writing:
        accounts.change_user(writing, council.alex.id, council.alex.version, disabled=council.place.now)
    alex = council.place.visitor()
    assert council.sign_in(alex).status_code == 403
    assert alex.name is None


def test_guessing_at_a_password_locks_nobody_out_who_has_none(store: Database, issuer: str) -> None:
    council = build(store, issuer, local=True)
    thief, alex = council.place.visitor(), council.place.visitor()
    for _ in range(TRIES):
        thief.sign_in("alex@council.example", "three wrong words")
    council.sign_in(alex)
    assert alex.name == "Alex Officer"


@pytest.mark.parametrize(
    ("local", "answered", "name"), [(None, 404, None), (False, 404, None), (True, 303, "Pat Chair")])
def test_passwords_are_off_where_the_council_account_is_on(
    store: Database, issuer: str, local: bool | None, answered: int, name: str | None
) -> None:
    council = build(store, issuer, local=local)
    council.place.add("pat@council.example", "Pat Chair", "tasking_chair")
    pat = council.place.visitor()
    assert pat.sign_in().status_code == answered
    assert pat.name == name


def test_without_a_provider_its_pages_are_not_there(place: Place) -> None:
    visitor = place.visitor()
    paths = ("/sign-in/council", "/sign-in/back?code=x&state=y")
    assert [visitor.get(path).status_code for path in paths] == [404, 404]
