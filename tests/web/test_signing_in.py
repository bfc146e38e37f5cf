"""Signing in with an account kept here, page by page, as somebody meets it who was given one this morning."""

from __future__ import annotations

import re

import httpx
import pyotp
import pytest
from starlette.testclient import TestClient

from api.web.app import make_site
from api.web.passwords import Passwords
from engine.store import accounts
from engine.store.database import SYSTEM, Database
from tests.web.conftest import NOW, REAL, Visitor

FIRST, OWN_WORDS = "first-words-for-today", "plum lantern ferry"


@pytest.fixture
def newcomer(store: Database) -> Visitor:
    """An administrator with a first password, at a site that is no demonstration."""
    kept = Passwords().hash(FIRST)
    with store.writing(NOW, SYSTEM) as writing:
        accounts.add_user(writing, "pat@council.example", "Pat Admin", "community_safety", ["administrator"],
                          password_hash=kept, must_change=True)
    return Visitor(TestClient(make_site(store, REAL, lambda: NOW), base_url="https://wardwise.example"))


def heading(page: httpx.Response) -> str:
    found = re.search(r"<h1[^>]*>(.+?)</h1>", page.text)
    assert found, page.text
    return found[1]


def test_a_wrong_password_is_told_beside_the_form(newcomer: Visitor) -> None:
    page = newcomer.send("/sign-in", "/sign-in", login="pat@council.example", password="guessed")
    assert page.status_code == 400
    assert "There is a problem" in page.text
    assert "The login or the password is not right" in page.text


def test_a_newcomer_chooses_a_password_and_sets_up_a_code_before_anything_else(newcomer: Visitor) -> None:
    page = newcomer.send("/sign-in", "/sign-in", login="pat@council.example", password=FIRST)
    pages = {heading(page)}
    for _ in range(2):
        if heading(page) == "Choose a password":
            wrong = newcomer.send("/sign-in/step", "/sign-in/password", new=OWN_WORDS, again="another")
            assert "Type the new password the same both times" in wrong.text
            page = newcomer.send("/sign-in/step", "/sign-in/password", new=OWN_WORDS, again=OWN_WORDS)
        else:
            key = re.search(r"secret=([A-Z2-7]+)", page.text)
            assert key, page.text
            assert "This code is not right" in newcomer.send("/sign-in/step", "/sign-in/factor", code="000000").text
            code = pyotp.TOTP(key[1]).at(NOW)
            page = newcomer.send("/sign-in/step", "/sign-in/factor", code=code)
        pages.add(heading(page))
    assert {"Choose a password", "Set up your code"} <= pages
    assert heading(page) == "Accounts"      # an administrator has no list, and begins here
    assert "Pat Admin" in page.text


def test_the_next_time_a_code_is_asked_for(newcomer: Visitor) -> None:
    test_a_newcomer_chooses_a_password_and_sets_up_a_code_before_anything_else(newcomer)
    newcomer.client.cookies.clear()
    page = newcomer.send("/sign-in", "/sign-in", login="pat@council.example", password=OWN_WORDS)
    assert heading(page) == "Your code"
    assert 'autocomplete="one-time-code"' in page.text
    assert "This code is not right" in newcomer.send("/sign-in/step", "/sign-in/code", code="000000").text
