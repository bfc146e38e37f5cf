"""What every answer says to a browser, and what the site refuses to be told."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from api.web.app import make_site
from api.web.security import LONGEST, is_own, write_policy
from engine.store.database import Database
from tests.web.conftest import DEMO, NOW, OWN, REAL, Visitor
from tests.web.made import SCRIPT

Visit = Callable[..., Visitor]


@pytest.mark.parametrize("path", ["/sign-in", "/people", "/people.csv", "/nothing-here", "/find", "/away"])
def test_every_answer_has_its_headers(visit: Visit, path: str) -> None:
    headers = visit("tasking_chair").get(path).headers
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


def test_each_page_has_a_nonce_of_its_own_and_every_script_carries_it(visit: Visit) -> None:
    visitor = visit()
    nonces = set()
    for answer in (visitor.get("/sign-in"), visitor.get("/sign-in")):
        nonce = re.search(r"nonce-([^']+)", answer.headers["content-security-policy"]).group(1)
        assert re.findall(r"<script(?! nonce=)", answer.text) == []
        assert set(re.findall(r'nonce="([^"]+)"', answer.text)) == {nonce}
        nonces.add(nonce)
    assert len(nonces) == 2
    assert write_policy("x").count("'nonce-x'") == 1


def test_static_files_may_be_kept_for_ever_under_their_digest_and_no_other(visit: Visit) -> None:
    visitor = visit()
    address = re.search(r'href="(/static/[^"]+site\.css)"', visitor.get("/sign-in").text).group(1)
    assert visitor.get(address).headers["cache-control"] == "public, max-age=31536000, immutable"
    assert visitor.get(re.sub(r"/static/\w+/", "/static/old/", address)).headers["cache-control"] == "no-store"
    for hidden in ("vendor.py", "vendor/manifest.json", "../web/app.py", "..%2fweb%2fapp.py"):
        assert visitor.get(f"/static/old/{hidden}").status_code == 404


# --- forms from elsewhere ------------------------------------------------------------------------------


@pytest.mark.parametrize(("said", "own"), [
    ({"sec-fetch-site": "same-origin"}, True),
    ({"sec-fetch-site": "cross-site"}, False),
    ({"sec-fetch-site": "same-site", "origin": "https://wardwise.example", "host": "wardwise.example"}, False),
    ({"sec-fetch-site": "none"}, False),
    ({"origin": "https://wardwise.example", "host": "wardwise.example"}, True),
    ({"origin": "https://evil.example", "host": "wardwise.example"}, False),
    ({"origin": "https://wardwise.example.evil.example", "host": "wardwise.example"}, False),
    ({"origin": "null", "host": "wardwise.example"}, False),
    ({"host": "wardwise.example"}, False),
])
def test_whether_a_form_came_from_here(said: dict[str, str], own: bool) -> None:
    assert is_own(Headers(said)) == own


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}])
def test_a_form_sent_from_another_site_is_refused_even_with_the_right_token(
    visit: Visit, headers: dict[str, str]
) -> None:
    visitor = visit("tasking_chair")
    page = visitor.flags("/people")[0]
    data = {"form_token": visitor.token(page), "version": visitor.version(page)}
    answer = visitor.client.post(f"{page}/take-up", data=data, headers=headers)
    assert answer.status_code == 419
    assert "Nothing was saved" in answer.text
    assert "Nobody has taken it up yet" in visitor.get(page).text


def test_a_form_without_the_token_of_its_own_session_is_refused(visit: Visit) -> None:
    visitor, other = visit("tasking_chair"), visit("tasking_member")
    page = visitor.flags("/people")[0]
    for token in (other.token(page), "", "é"):
        data = {"version": visitor.version(page), "form_token": token}
        assert visitor.client.post(f"{page}/take-up", data=data, headers=OWN).status_code == 419
    assert visitor.client.post(f"{page}/take-up", headers=OWN).status_code == 419


def test_signing_in_gives_another_session_than_the_one_before_it(visit: Visit) -> None:
    visitor = visit()
    visitor.get("/sign-in")
    planted = visitor.client.cookies["wardwise"]
    visitor.sign_in("tasking_chair")
    assert visitor.client.cookies["wardwise"] != planted
    visitor.client.cookies = {"wardwise": planted}
    assert str(visitor.get("/people").url).endswith("/sign-in?next=/people")


def test_after_signing_out_or_leaving_the_cookie_opens_nothing(visit: Visit) -> None:
    for leave in (lambda v: v.send("/find", "/sign-out"), lambda v: v.get("/away")):
        visitor = visit("tasking_chair")
        kept = visitor.client.cookies["wardwise"]
        leave(visitor)
        visitor.client.cookies = {"wardwise": kept}
        assert "Sign in" in visitor.get("/people").text


def test_nobody_is_sent_to_another_site_after_signing_in(visit: Visit) -> None:
    for wanted in ("https://evil.example", "//evil.example", "/\\evil.example", "/people?x=1"):
        answer = visit().send("/sign-in", "/sign-in", role="tasking_chair", next=wanted)
        assert answer.url.path == "/people"
        assert answer.url.host == "testserver"


def test_over_tls_the_cookie_goes_no_other_way(store: Database) -> None:
    site = make_site(store, REAL, lambda: NOW)
    answer = TestClient(site, base_url="https://wardwise.example").get("/sign-in")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-wardwise=")
    assert {"HttpOnly", "Secure", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


def test_outside_the_demonstration_nobody_signs_in_as_a_made_up_person(store: Database) -> None:
    visitor = Visitor(TestClient(make_site(store, REAL, lambda: NOW), base_url="https://wardwise.example"))
    page = visitor.get("/sign-in").text
    assert "Who do you want to be?" not in page
    assert 'name="password"' in page
    visitor.send("/sign-in", "/sign-in", role="tasking_chair")
    assert str(visitor.get("/people").url).endswith("/sign-in?next=/people")


# --- what is sent and shown ----------------------------------------------------------------------------


def test_more_than_a_form_can_hold_is_refused_told_or_not(visit: Visit) -> None:
    visitor = visit("tasking_chair")
    body = b"words=" + b"x" * LONGEST
    headers = {**OWN, "Content-Type": "application/x-www-form-urlencoded"}
    assert visitor.client.post("/find", content=body, headers=headers).status_code == 413
    parts = (body[start:start + 8000] for start in range(0, len(body), 8000))
    assert visitor.client.post("/find", content=parts, headers=headers).status_code == 413


def test_a_script_in_a_stored_flag_or_a_rationale_is_shown_as_text(visit: Visit) -> None:
    visitor = visit("tasking_chair")
    page = visitor.flags("/places")[0]
    visitor.send(page, f"{page}/take-up", version=visitor.version(page))
    visitor.send(f"{page}/decide", f"{page}/decide", version=visitor.version(f"{page}/decide"), decision="declined",
                 reason_declined="facts_wrong", rationale=f"{SCRIPT} the facts are wrong")
    for shown in ("/places", page, f"{page}/decide"):
        text = visitor.get(shown).text
        assert "<script>" not in re.sub(r"<script nonce", "", text)
        assert "&lt;script&gt;" in text
    found = visitor.send("/find", "/find", words=SCRIPT).text
    assert f'value="{SCRIPT}' not in found
    assert "1 flag found" in found


# --- when something goes wrong -------------------------------------------------------------------------


@pytest.mark.parametrize(("role", "path", "status", "said"), [
    ("councillor", "/people", 403, "You may not see this page"),
    ("housing_manager", "/people", 403, "You may not see this page"),
    ("tasking_chair", "/nothing-here", 404, "Page not found"),
    ("tasking_chair", "/flags/nothing", 404, "Page not found"),
    ("tasking_chair", "/people?page=99", 404, "Page not found"),
    ("tasking_chair", "/people?band=worst", 422, "not understood"),
])
def test_pages_of_trouble_say_what_to_do_in_plain_english(
    visit: Visit, role: str, path: str, status: int, said: str
) -> None:
    answer = visit(role).get(path)
    assert answer.status_code == status
    assert said in answer.text
    assert answer.text.count("<h1") == 1


def test_a_page_asked_for_in_a_way_it_has_not_says_so(visit: Visit) -> None:
    answer = visit("tasking_chair").client.post("/people", headers=OWN)
    assert answer.status_code == 405
    assert "its own buttons" in answer.text


def test_a_store_that_cannot_be_reached_is_a_page_of_its_own(store: Database, tmp_path: Path) -> None:
    heard: list[str] = []
    visitor = Visitor(TestClient(make_site(store, DEMO, lambda: NOW, say=heard.append)))
    visitor.sign_in("tasking_chair")
    (tmp_path / "store.db").unlink()
    store.close()
    answer = visitor.get("/people")
    assert answer.status_code == 503
    assert "nothing that was there is lost" in answer.text
    assert heard


def test_a_defect_is_told_to_the_operator_by_kind_and_place_and_to_nobody_by_its_words(store: Database) -> None:
    heard: list[str] = []
    site = make_site(store, DEMO, lambda: NOW, say=heard.append)

    def break_down(_request: Request) -> Response:
        raise ValueError("Ada Example of 3 High Street")

    site.router.routes.insert(0, Route("/broken", break_down))
    answer = TestClient(site).get("/broken")
    assert answer.status_code == 500
    assert "Sorry, something went wrong" in answer.text
    assert "Ada" not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert "nonce-" in answer.headers["content-security-policy"]
    assert re.fullmatch(r"the site could not answer: ValueError at test_security\.py:\d+", heard[0])
