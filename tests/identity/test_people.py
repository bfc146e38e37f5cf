"""The commands about accounts, as an administrator types them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from api.people import user
from api.serving import read_clock
from api.storing import open_store
from api.web.passwords import Passwords
from engine.errors import UsageError
from engine.store import accounts
from engine.store.accounts import User
from engine.store.database import create
from tests.identity.made import Place

PAT = "pat@council.example"
USUAL = ("--name", "Pat Chair", "--agency", "community_safety", "--role", "tasking_chair")


class Office:
    """An administrator's terminal over one home."""

    def __init__(self, home: Path) -> None:
        self.home = home
        create(f"sqlite:///{home / 'store.db'}")

    def type(self, *words: str) -> Result:
        return CliRunner().invoke(user, [*words, "--home", str(self.home)])

    def user(self, login: str = PAT) -> User:
        opened = open_store(self.home, None)
        with opened.reading() as reading:
            found = accounts.find_user(reading, login)
        opened.close()
        assert found is not None
        return found


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def test_a_first_password_is_shown_once_lets_in_once_and_is_changed(office: Office) -> None:
    answer = office.type("add", PAT, *USUAL)
    password = answer.stdout.strip()
    assert re.fullmatch(r"[\w-]{20}", password)
    assert answer.stderr == ("This first password is not shown again. Give it to them yourself; they choose another "
                             "when they sign in.\n")
    opened = open_store(office.home, None)
    pat = Place(opened, passwords=Passwords()).visitor()
    assert pat.sign_in(password=password).headers["location"] == "/sign-in/step"
    opened.close()
    assert password not in office.type("list").output


def test_who_needs_a_code_is_said(office: Office) -> None:
    answer = office.type("add", PAT, "--name", "Kit", "--agency", "police", "--role", "governance", "--role", "analyst")
    assert answer.stderr.startswith("They will be asked to set up a second factor when they first sign in.\n")
    assert office.user().roles == ("governance", "analyst")


def test_the_list_says_what_each_account_can_do(office: Office) -> None:
    assert office.type("list").stdout == "Nobody yet.\n"
    office.type("add", PAT, *USUAL)
    office.type("add", "jo@council.example", "--name", "Jo Manager", "--agency", "housing", "--role", "housing_manager",
                "--issuer", "https://login.council.example", "--subject", "4711")
    office.type("disable", "jo@council.example")
    today = read_clock().date()
    assert office.type("list").stdout == (
        "jo@council.example\n    Jo Manager, Housing: housing_manager\n"
        f"    signs in with their council account; shut since {today}\n"
        "pat@council.example\n    Pat Chair, Community Safety: tasking_chair\n"
        "    signs in with a password; still the first password\n")


def test_disabling_ends_sessions_and_resetting_opens_again(office: Office) -> None:
    first = office.type("add", PAT, *USUAL).stdout.strip()
    opened = open_store(office.home, None)
    with opened.writing(Place(opened).now, "system") as writing:
        accounts.set_totp(writing, office.user().id, "sealed")
        accounts.begin_session(writing, "0" * 64, "form", "local", user=office.user().id)
    opened.close()
    assert office.type("disable", PAT).stdout == "The account of Pat Chair is shut; 1 session ended.\n"
    assert office.user().disabled is not None
    again = office.type("reset", PAT).stdout.strip()
    assert (again != first, office.user().disabled, office.user().totp_secret) == (True, None, None)
    assert office.user().must_change


def test_an_account_is_tied_to_the_councils_own_by_hand(office: Office) -> None:
    office.type("add", PAT, *USUAL)
    office.type("link", PAT, "--issuer", "https://login.council.example", "--subject", "8f2a")
    assert (office.user().oidc_issuer, office.user().oidc_subject) == ("https://login.council.example", "8f2a")
    answer = office.type("reset", PAT)
    assert (answer.stdout, answer.stderr) == (
        "", "They sign in with the council's own account; there is no password here.\n")


@pytest.mark.parametrize(("words", "found"), [
    (("--agency", "circus", "--role", "clown"), ["--role clown: there is no such role",
                                                 "--agency circus: there is no such agency"]),
    (("--agency", "police", "--role", "analyst", "--ward", "Park"), ["--ward: is only for a councillor"]),
    (("--agency", "police", "--role", "analyst", "--subject", "8f2a"),
     ["--issuer and --subject: one is there without the other"]),
])
def test_what_nobody_can_be_is_refused_at_once(office: Office, words: tuple[str, ...], found: list[str]) -> None:
    error = office.type("add", PAT, "--name", "Pat", *words).exception
    assert isinstance(error, UsageError)
    assert [f"{problem.where}: {problem.found}" for problem in error.problems] == found


def test_a_login_nobody_has_is_refused_without_repeating_it(office: Office) -> None:
    for words in (("disable",), ("reset",), ("link", "--issuer", "https://x.example", "--subject", "1")):
        error = office.type(words[0], "who@council.example", *words[1:]).exception
        assert isinstance(error, UsageError)
        assert str(error) == ("LOGIN: nobody has this login\n    allowed: a login from `wardwise user list`\n"
                              "    to mend: correct it")
