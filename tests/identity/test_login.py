"""Signing in with a password: the way in, and the ways that are shut."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from limits import RateLimitItemPerMinute

from api.web.entrance import BAD_STEP, TOO_MANY, UNLIKE, WRONG, WRONG_CODE, own_path
from api.web.login import LOCKED, TRIES, Throttle, find_address
from api.web.login_settings import DEMO_SECRET, LoginSettings
from api.web.passwords import Checked, Cost, Passwords
from engine.store import accounts
from engine.store.database import Database
from tests.identity.made import ADDRESS, CHEAP, OTHER, PASSWORD, SECRET, Place, Visitor, code_at, read

WRONGLY = "three wrong words"


class Counted(Passwords):
    """Passwords that remember what they were compared with."""

    def __init__(self) -> None:
        self.compared: list[str | None] = []
        super().__init__(Cost(1, 8, 1))

    def check(self, password: str, kept: str | None) -> Checked:
        self.compared.append(kept)
        return super().check(password, kept)


def test_the_right_password_lets_in_and_leads_on(place: Place) -> None:
    pat = place.visitor()
    answer = pat.sign_in(next="/people")
    assert (answer.status_code, answer.headers["location"]) == (303, "/people")
    assert pat.name == "Pat Chair"
    assert place.said("session.begun")[-1] == ("session.begun", place.user().id)


def test_a_login_is_the_same_in_any_case(place: Place) -> None:
    pat = place.visitor()
    pat.sign_in(" PAT@Council.Example ")
    assert pat.name == "Pat Chair"


@pytest.mark.parametrize(("login", "password"), [
    ("pat@council.example", WRONGLY), ("nobody@council.example", PASSWORD), ("", ""), ("pat@council.example", ""),
    ("x" * 5000, PASSWORD), ("pat\0", PASSWORD), ("oidc@council.example", PASSWORD), ("shut@council.example", PASSWORD),
])
def test_whatever_is_wrong_the_answer_is_the_same(place: Place, login: str, password: str) -> None:
    place.add("oidc@council.example", "Only Elsewhere", "analyst", password=None)
    shut = place.add("shut@council.example", "Has Left", "analyst")
    with place.store.writing(place.now, "system") as writing:
        accounts.change_user(writing, shut.id, shut.version, disabled=place.now)
    visitor = place.visitor()
    answer = visitor.sign_in(login, password)
    assert answer.status_code == 400
    assert read(answer) == {"template": "sign_in.html", "wanted": "/", "wrong": WRONG, "form_token": visitor.token,
                            "people": [], "takes_passwords": True, "provider": ""}
    assert visitor.name is None


@pytest.mark.parametrize("login", ["pat@council.example", "nobody@council.example"])
@pytest.mark.parametrize("tried", [0, TRIES])
def test_a_wrong_login_makes_the_same_work_whoever_it_names(store: Database, login: str, tried: int) -> None:
    """Known or not, locked or not: one hash, one change of the store with one line in the log."""
    counted = Counted()
    place = Place(store, passwords=counted)
    place.add("pat@council.example", "Pat Chair", "tasking_chair")
    visitor = place.visitor()
    for _ in range(tried):
        visitor.sign_in(login, WRONGLY)
    before = len(counted.compared), len(place.said("login.refused"))
    visitor.sign_in(login, WRONGLY)
    assert (len(counted.compared), len(place.said("login.refused"))) == (before[0] + 1, before[1] + 1)


# --- guessing --------------------------------------------------------------------------------------------


def test_five_failures_lock_the_account_for_a_quarter_of_an_hour(place: Place) -> None:
    thief = place.visitor()
    for _ in range(TRIES):
        assert read(thief.sign_in(password=WRONGLY))["wrong"] == WRONG
    pat = place.visitor("192.0.2.8")
    assert read(pat.sign_in())["wrong"] == WRONG
    place.later(minutes=14, seconds=59)
    pat.sign_in()
    assert pat.name is None
    place.later(seconds=1)
    pat.sign_in()
    assert pat.name == "Pat Chair"
    assert (place.user().failed, place.user().locked_until) == (0, None)


def test_tries_while_locked_do_not_lengthen_it(place: Place) -> None:
    visitor = place.visitor()
    for _ in range(TRIES):
        visitor.sign_in(password=WRONGLY)
    until = place.user().locked_until
    place.later(minutes=10)
    visitor.sign_in(password=WRONGLY)
    assert (place.user().locked_until, until) == (until, place.now - LOCKED * (10 / 15) + LOCKED)


def test_a_right_password_forgets_four_failures(place: Place) -> None:
    pat = place.visitor()
    for _ in range(3):
        for _ in range(TRIES - 1):
            pat.sign_in(password=WRONGLY)
        pat.sign_in()
        assert pat.name == "Pat Chair"
        pat.get("/away")


def test_after_a_lock_four_more_failures_are_allowed(place: Place) -> None:
    pat = place.visitor()
    for _ in range(TRIES):
        pat.sign_in(password=WRONGLY)
    place.later(minutes=15)
    for _ in range(TRIES - 1):
        pat.sign_in(password=WRONGLY)
    pat.sign_in()
    assert pat.name == "Pat Chair"


def test_guesses_made_at_once_are_no_more_than_guesses_in_a_row(store: Database) -> None:
    counted = Counted()
    place = Place(store, passwords=counted)
    pat = place.add("pat@council.example", "Pat Chair", "tasking_chair")
    visitors = [place.visitor(f"192.0.2.{number}") for number in range(16)]
    for visitor in visitors:
        visitor.get("/sign-in")

    def guess(visitor: Visitor) -> None:
        visitor.send("/sign-in", login="pat@council.example", password=WRONGLY)

    threads = [threading.Thread(target=guess, args=(visitor,)) for visitor in visitors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(kept == pat.password_hash for kept in counted.compared) == TRIES
    assert len(counted.compared) == len(visitors)


def test_one_password_for_many_logins_is_stopped_by_address(store: Database) -> None:
    place = Place(store, throttle=Throttle(RateLimitItemPerMinute(3, 5)))
    place.add("pat@council.example", "Pat Chair", "tasking_chair")
    thief, pat = place.visitor("192.0.2.66"), place.visitor("192.0.2.8")
    said = [thief.sign_in(f"officer{number}@council.example").status_code for number in range(5)]
    assert said == [400, 400, 400, 429, 429]
    refused = thief.sign_in()
    assert read(refused) == {"template": "trouble.html", "heading": TOO_MANY[0], "paragraphs": list(TOO_MANY[1])}
    pat.sign_in()
    assert pat.name == "Pat Chair"


def test_nobody_begins_sessions_without_end(store: Database) -> None:
    place = Place(store, throttle=Throttle(visits=RateLimitItemPerMinute(3, 5)))
    said = [place.visitor().get("/sign-in").status_code for _ in range(4)]
    assert (said, len(place.sessions_kept())) == ([200, 200, 200, 429], 3)


@pytest.mark.parametrize(("host", "passed_on", "address"), [
    ("192.0.2.7", None, "192.0.2.7"),
    ("192.0.2.7", "203.0.113.9", "192.0.2.7"),              # whoever says so is not our proxy
    ("10.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"),
    ("10.0.0.1", None, "10.0.0.1"),
    ("2001:db8:1:2:3:4:5:6", None, "2001:db8:1:2::/64"),
    ("testclient", None, "unknown"),
])
def test_whose_address_counts(host: str, passed_on: str | None, address: str) -> None:
    from starlette.requests import Request

    headers = [(b"x-forwarded-for", passed_on.encode())] if passed_on else []
    request = Request({"type": "http", "client": (host, 1), "headers": headers})
    assert find_address(request, frozenset({"10.0.0.1"})) == address


# --- the first password, and one's own -------------------------------------------------------------------


def test_a_first_password_is_changed_before_anything_else(place: Place) -> None:
    place.add("new@council.example", "Noa New", "analyst", must_change=True)
    noa = place.visitor()
    answer = noa.sign_in("new@council.example", next="/rules")
    assert (answer.headers["location"], noa.name) == ("/sign-in/step", None)
    page = read(noa.follow(answer))
    assert (page["template"], page["asks_old"], page["shortest"]) == ("sign_in_password.html", False, 12)
    assert read(noa.send("/sign-in/password", new=OTHER, again=PASSWORD))["wrong"] == [UNLIKE]
    assert read(noa.send("/sign-in/password", new="short", again="short"))["wrong"] == [
        "The password is shorter than 12 characters: use three words that have nothing to do with each other"]
    assert read(noa.send("/sign-in/password", new=PASSWORD, again=PASSWORD))["wrong"] == [
        "The password is the one you have: think of three other words"]
    assert noa.name is None
    assert noa.send("/sign-in/password", new=OTHER, again=OTHER).headers["location"] == "/rules"
    assert (noa.name, place.user("new@council.example").must_change) == ("Noa New", False)


def test_ones_own_password_is_changed_with_the_old_one_and_ends_other_sessions(place: Place) -> None:
    pat, elsewhere = place.visitor(), place.visitor()
    pat.sign_in()
    elsewhere.sign_in()
    before = pat.cookie
    pat.get("/account/password")
    assert read(pat.send("/account/password", old=WRONGLY, new=OTHER, again=OTHER))["wrong"] == [WRONG]
    pat.send("/account/password", old=PASSWORD, new=OTHER, again=OTHER)
    assert (pat.name, elsewhere.name) == ("Pat Chair", None)
    assert pat.cookie != before
    assert place.visitor().sign_in(password=PASSWORD).status_code == 400


def test_a_login_under_way_ends_where_the_password_is_reset(place: Place) -> None:
    place.add("new@council.example", "Noa New", "analyst", must_change=True)
    thief = place.visitor()
    thief.follow(thief.sign_in("new@council.example"))
    with place.store.writing(place.now, "system") as writing:
        accounts.set_password(writing, place.user("new@council.example").id, CHEAP.hash(OTHER), must_change=True)
    assert thief.send("/sign-in/password", new=WRONGLY, again=WRONGLY).headers["location"] == "/sign-in"
    assert thief.name is None


@pytest.mark.parametrize("shut", ["locked", "disabled"])
@pytest.mark.parametrize(("step", "first"), [("password", True), ("factor", False)])
def test_a_login_under_way_ends_where_the_account_is_shut(place: Place, step: str, first: bool, shut: str) -> None:
    kit = place.add("kit@council.example", "Kit", "analyst" if first else "governance", must_change=first)
    visitor, thief = place.visitor(), place.visitor("192.0.2.66")
    page = read(visitor.follow(visitor.sign_in("kit@council.example")))
    if shut == "locked":
        for _ in range(TRIES):
            thief.sign_in("kit@council.example", WRONGLY)
    else:
        with place.store.writing(place.now, "system") as writing:
            accounts.change_user(writing, kit.id, kit.version, disabled=place.now)
    code = code_at(place.now, page["key"]) if "key" in page else ""
    answer = visitor.send(f"/sign-in/{step}", new=OTHER, again=OTHER, code=code)
    assert (answer.headers["location"], visitor.name) == ("/sign-in", None)
    after = place.user("kit@council.example")
    assert (after.password_hash, after.totp_secret) == (kit.password_hash, None)


def test_a_hash_of_before_is_renewed_on_the_way(store: Database) -> None:
    place = Place(store, passwords=Passwords(Cost(2, 8, 1)))
    place.add("pat@council.example", "Pat Chair", "tasking_chair", password=None)
    with store.writing(place.now, "system") as writing:
        accounts.set_password(writing, place.user().id, CHEAP.hash(PASSWORD))
    pat = place.visitor()
    pat.sign_in()
    assert pat.name == "Pat Chair"
    assert "t=2" in str(place.user().password_hash)


# --- the second factor -----------------------------------------------------------------------------------


def set_up(place: Place, visitor: Visitor, login: str) -> str:
    """Signs in for the first time, and gives the key that the telephone now has."""
    page = read(visitor.follow(visitor.sign_in(login)))
    key = str(page["key"])
    visitor.send("/sign-in/factor", code=code_at(place.now, key))
    return key


@pytest.mark.parametrize(("role", "asked"), [
    ("administrator", True), ("governance", True), ("tasking_chair", False), ("councillor", False)])
def test_who_gives_rights_or_reads_the_log_needs_a_second_factor(place: Place, role: str, asked: bool) -> None:
    place.add("kit@council.example", "Kit", role)
    kit = place.visitor()
    answer = kit.sign_in("kit@council.example")
    assert answer.headers["location"] == ("/sign-in/step" if asked else "/")
    assert kit.name == (None if asked else "Kit")


def test_a_telephone_is_set_up_and_then_asked(place: Place) -> None:
    place.add("kit@council.example", "Kit", "governance")
    kit = place.visitor()
    page = read(kit.follow(kit.sign_in("kit@council.example")))
    assert page["template"] == "sign_in_factor.html"
    assert page["address"].startswith("otpauth://totp/Wardwise:kit%40council.example?secret=")
    assert read(kit.send("/sign-in/factor", code="000000"))["wrong"] == BAD_STEP
    kit.send("/sign-in/factor", code=code_at(place.now, page["key"]))
    assert kit.name == "Kit"
    assert str(page["key"]).replace(" ", "") not in str(place.user("kit@council.example").totp_secret)
    place.later(minutes=1)
    again = place.visitor()
    assert read(again.follow(again.sign_in("kit@council.example")))["template"] == "sign_in_code.html"
    assert again.name is None
    again.send("/sign-in/code", code=code_at(place.now, page["key"]))
    assert again.name == "Kit"


def test_a_code_works_once(place: Place) -> None:
    place.add("kit@council.example", "Kit", "governance")
    key = set_up(place, place.visitor(), "kit@council.example")
    place.later(minutes=1)
    kit, thief = place.visitor(), place.visitor()
    for visitor in (kit, thief):
        visitor.follow(visitor.sign_in("kit@council.example"))
    seen = code_at(place.now, key)
    kit.send("/sign-in/code", code=seen)
    refused = thief.send("/sign-in/code", code=seen)
    assert (kit.name, thief.name) == ("Kit", None)
    assert (refused.status_code, read(refused)["wrong"]) == (400, WRONG_CODE)
    assert read(thief.send("/sign-in/code", code=code_at(place.now, key, -1)))["wrong"] == WRONG_CODE


@pytest.mark.parametrize(("steps", "right"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_telephone_may_be_half_a_minute_off(place: Place, steps: int, right: bool) -> None:
    place.add("kit@council.example", "Kit", "governance")
    key = set_up(place, place.visitor(), "kit@council.example")
    place.later(minutes=5)
    kit = place.visitor()
    kit.follow(kit.sign_in("kit@council.example"))
    kit.send("/sign-in/code", code=f" {code_at(place.now, key, steps)} ")
    assert (kit.name == "Kit") is right


def test_codes_cannot_be_guessed_by_whoever_knows_the_password(place: Place) -> None:
    place.add("kit@council.example", "Kit", "governance")
    key = set_up(place, place.visitor(), "kit@council.example")
    place.later(minutes=1)
    thief = place.visitor()
    for _ in range(TRIES):
        thief.follow(thief.sign_in("kit@council.example"))       # the right password forgets no failure
        thief.send("/sign-in/code", code="000000")
    kit = place.visitor("192.0.2.8")
    assert read(kit.sign_in("kit@council.example"))["wrong"] == WRONG
    thief.send("/sign-in/code", code=code_at(place.now, key))
    assert (kit.name, thief.name) == (None, None)


def test_no_step_can_be_left_out(place: Place) -> None:
    place.add("kit@council.example", "Kit", "governance", must_change=True)
    kit = place.visitor()
    kit.follow(kit.sign_in("kit@council.example"))
    for path in ("/sign-in/password", "/sign-in/code"):
        assert kit.send(path, new=OTHER, again=OTHER, code="000000").headers["location"] == "/sign-in"
    assert kit.get("/account/password").headers["location"] == "/sign-in"
    assert kit.name is None


# --- forms and addresses ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("path", "fields"), [
    ("/sign-in", {"login": "pat@council.example", "password": PASSWORD}), ("/sign-in/code", {"code": "000000"}),
    ("/sign-in/factor", {"code": "000000"}), ("/sign-in/password", {"new": OTHER, "again": OTHER}),
    ("/account/password", {"old": PASSWORD, "new": OTHER, "again": OTHER}), ("/sign-out", {})])
def test_a_form_without_its_token_does_nothing(place: Place, path: str, fields: dict[str, str]) -> None:
    pat = place.visitor()
    pat.get("/sign-in")
    for token in ("", "planted", "\u00e9", "x" * 5000):
        pat.token = token
        assert pat.send(path, **fields).status_code == 419
    assert (pat.name, place.said("login.refused")) == (None, [])


@pytest.mark.parametrize(("asked", "led_to"), [
    ("/", "/"), ("/people", "/people"), ("/flags/a1B2/evidence", "/flags/a1B2/evidence"), ("//evil", "/"),
    ("//evil.example/x", "/"), ("https://evil.example", "/"), ("/\\evil", "/"), ("people", "/"), ("/a?b", "/"),
    ("/people\r\nSet-Cookie: x", "/"), ("/%2fevil", "/"), ("", "/")])
def test_signing_in_leads_nowhere_else(asked: str, led_to: str) -> None:
    assert own_path(asked) == led_to


# --- the demonstration -----------------------------------------------------------------------------------


def demo(store: Database, **settings: Any) -> Place:
    place = Place(store, LoginSettings("http://127.0.0.1:8000", DEMO_SECRET, demo=True, **settings))
    place.add("demo-governance", "Kit Governance", "governance", password=None)
    return place


def test_in_a_demonstration_anybody_is_a_made_up_person(store: Database) -> None:
    place = demo(store)
    visitor = place.visitor()
    page = read(visitor.get("/sign-in"))
    assert page["people"] == [
        {"value": "governance", "text": "Information governance", "hint": {"text": "Kit Governance"}}]
    visitor.send("/sign-in", role="governance")
    assert visitor.name == "Kit Governance"


def test_nobody_with_a_password_is_a_made_up_person(store: Database) -> None:
    place = demo(store)
    place.add("demo-analyst", "Real After All", "analyst")
    visitor = place.visitor()
    visitor.get("/sign-in")
    assert visitor.send("/sign-in", role="analyst").status_code == 400
    assert visitor.name is None


def test_outside_a_demonstration_made_up_people_cannot_come_in(place: Place) -> None:
    place.add("demo-governance", "Kit Governance", "governance", password=None)
    visitor = place.visitor()
    visitor.get("/sign-in")
    assert visitor.send("/sign-in", role="governance").status_code == 400
    assert visitor.name is None


def test_a_session_of_a_demonstration_opens_nothing_afterwards(store: Database) -> None:
    visitor = demo(store).visitor()
    visitor.get("/sign-in")
    visitor.send("/sign-in", role="governance")
    real = Place(store, LoginSettings(ADDRESS, SECRET)).visitor()
    real.client.cookies.set("__Host-wardwise", visitor.cookie)
    assert (visitor.name, real.name) == ("Kit Governance", None)
