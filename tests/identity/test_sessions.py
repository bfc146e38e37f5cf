"""How long a session lasts, what starts another one, and what ends it."""

from __future__ import annotations

from hashlib import sha256

import pytest

from api.web.login_settings import DEMO_SECRET, LoginSettings
from api.web.sessions import IDLE, LONGEST, UNDER_WAY, UNSIGNED
from engine.store import accounts
from engine.store.database import Database
from tests.identity.made import PASSWORD, Place, read


def test_the_cookie_is_for_this_site_alone_and_no_script(place: Place) -> None:
    answer = place.visitor().get("/sign-in")
    said = answer.headers["set-cookie"].split("; ")
    assert said[0].startswith("__Host-wardwise=")
    assert set(said[1:]) == {"HttpOnly", "Path=/", "SameSite=lax", "Secure"}     # no Domain, no Max-Age


def test_a_demonstration_without_tls_has_a_cookie_of_its_own(store: Database) -> None:
    place = Place(store, LoginSettings("http://127.0.0.1:8000", DEMO_SECRET, demo=True))
    said = place.visitor().get("/sign-in").headers["set-cookie"]
    assert said.startswith("wardwise=")
    assert "Secure" not in said


def test_the_store_has_the_digest_of_a_cookie_and_never_the_cookie(place: Place) -> None:
    pat = place.visitor()
    pat.sign_in()
    kept = place.sessions_kept()
    assert sha256(pat.cookie.encode()).hexdigest() in [row["id"] for row in kept]
    assert not any(pat.cookie in str(value) for row in kept for value in row.values())


# --- another session -------------------------------------------------------------------------------------


def test_signing_in_starts_another_session_with_another_token(place: Place) -> None:
    pat = place.visitor()
    pat.get("/sign-in")
    before, token = pat.cookie, pat.token
    pat.sign_in()
    assert pat.cookie != before
    old = place.visitor()
    old.client.cookies.set("__Host-wardwise", before)
    old.token = token
    assert old.name is None
    assert old.send("/sign-in", login="pat@council.example", password=PASSWORD).status_code == 419


def test_a_planted_cookie_is_not_taken_up(place: Place) -> None:
    """Fixation: whoever planted a session's name, or has a real one from before, gets nothing by the login."""
    thief = place.visitor()
    thief.get("/sign-in")
    for planted in ("planted", thief.cookie):
        pat = place.visitor()
        pat.client.cookies.set("__Host-wardwise", planted, domain="wardwise.council.example", path="/")
        pat.sign_in()
        assert pat.name == "Pat Chair"
        assert planted not in pat.client.cookies.values()
        assert thief.name is None


def test_every_step_of_a_login_is_another_session(place: Place) -> None:
    place.add("new@council.example", "Noa New", "analyst", must_change=True)
    noa, seen = place.visitor(), set[str]()
    noa.get("/sign-in")
    seen.add(noa.cookie)
    noa.follow(noa.sign_in("new@council.example"))
    seen.add(noa.cookie)
    noa.send("/sign-in/password", new="seven quiet otters", again="seven quiet otters")
    seen.add(noa.cookie)
    assert (len(seen), noa.name) == (3, "Noa New")


# --- its end ---------------------------------------------------------------------------------------------


def test_twenty_minutes_without_a_request_end_it(place: Place) -> None:
    pat = place.visitor()
    pat.sign_in()
    place.later(minutes=19, seconds=59)
    assert pat.name == "Pat Chair"
    place.later(minutes=20)
    assert pat.name is None
    place.now -= IDLE       # and it does not come back
    assert pat.name is None


def test_ten_hours_end_it_whatever_is_done(place: Place) -> None:
    pat, begun = place.visitor(), place.now
    pat.sign_in()
    while place.now - begun < LONGEST:
        assert pat.name == "Pat Chair"
        place.later(minutes=15)
    assert pat.name is None


def test_being_seen_is_written_down_once_a_minute(place: Place) -> None:
    pat = place.visitor()
    pat.sign_in()
    seen = []
    for _ in range(5):
        place.later(seconds=20)
        assert pat.name == "Pat Chair"
        seen.append(max(row["seen"] for row in place.sessions_kept()))
    assert len(set(seen)) == 2


@pytest.mark.parametrize(("wait", "answered"), [(UNSIGNED / 2, 303), (UNSIGNED, 419)])
def test_the_form_to_sign_in_waits_an_hour(place: Place, wait: object, answered: int) -> None:
    pat = place.visitor()
    pat.get("/sign-in")
    place.now += wait       # type: ignore[operator]
    assert pat.send("/sign-in", login="pat@council.example", password=PASSWORD).status_code == answered


def test_a_login_under_way_waits_ten_minutes(place: Place) -> None:
    place.add("new@council.example", "Noa New", "analyst", must_change=True)
    noa = place.visitor()
    noa.follow(noa.sign_in("new@council.example"))
    place.now += UNDER_WAY
    assert noa.send("/sign-in/password", new="seven quiet otters", again="seven quiet otters").status_code == 419
    assert noa.get("/sign-in/step").headers["location"] == "/sign-in"


def test_signing_out_ends_it_and_not_only_its_cookie(place: Place) -> None:
    pat = place.visitor()
    pat.sign_in()
    cookie = pat.cookie
    pat.token = next(row["csrf"] for row in place.sessions_kept() if row["user"] and row["ended"] is None)
    assert pat.send("/sign-out").headers["location"] == "/sign-in"
    assert pat.cookie == ""
    pat.client.cookies.set("__Host-wardwise", cookie)
    assert pat.name is None


def test_exit_this_page_ends_it(place: Place) -> None:
    pat = place.visitor()
    pat.sign_in()
    assert read(pat.get("/away")) == {"template": "away.html"}
    assert pat.name is None


def test_disabling_somebody_ends_every_session_of_theirs(place: Place) -> None:
    pat, elsewhere = place.visitor(), place.visitor()
    pat.sign_in()
    elsewhere.sign_in()
    with place.store.writing(place.now, "system") as writing:
        accounts.change_user(writing, place.user().id, place.user().version, disabled=place.now)
    assert (pat.name, elsewhere.name) == (None, None)
    assert all(row["ended"] for row in place.sessions_kept() if row["user"] == place.user().id)


def test_another_role_is_there_at_the_next_request_and_can_end_what_was(place: Place) -> None:
    pat = place.visitor()
    pat.sign_in()
    with place.store.writing(place.now, "system") as writing:
        accounts.change_user(writing, place.user().id, place.user().version, roles=("councillor",))
    assert pat.client.get("/").json()["roles"] == ["councillor"]
    assert place.sessions.end_all(place.user().id, "system", "role_changed") == 1
    assert pat.name is None


def test_old_sessions_are_swept_away(place: Place) -> None:
    place.visitor().sign_in()
    place.later(hours=33)
    assert place.sessions.sweep() == 0
    place.later(hours=2)
    assert (place.sessions.sweep(), place.sessions_kept()) == (2, [])
