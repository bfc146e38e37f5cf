"""What a deployment must say before anybody real may sign in."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from api.web.login_settings import DEMO_SECRET, Grounds, LoginSettings, Provider, read_settings
from api.web.totp import Seal
from engine.errors import RunError, UsageError
from tests.identity.made import ADDRESS, SECRET

PROVIDER = {"WARDWISE_OIDC_ISSUER": "https://login.council.example", "WARDWISE_OIDC_CLIENT": "wardwise",
            "WARDWISE_OIDC_SECRET": "x"}
LOOPBACK = "http://127.0.0.1:8000"
TODAY = date(2026, 11, 24)
GROUNDS = {"WARDWISE_DPIA": "DPIA 2026/14", "WARDWISE_DPIA_REVIEW_BY": "2027-03-31",
           "WARDWISE_EIA": "EIA 2026/3", "WARDWISE_EIA_REVIEW_BY": "2026-11-24"}


def find_said(environment: dict[str, str]) -> list[str]:
    """What is refused outside a demonstration."""
    try:
        read_settings(environment, ADDRESS, demo=False, today=TODAY)
    except UsageError as error:
        return [f"{problem.where}: {problem.found}" for problem in error.problems]
    return []


@pytest.mark.parametrize(("environment", "found"), [
    ({}, ["WARDWISE_SECRET: is not set"]),
    ({"WARDWISE_SECRET": DEMO_SECRET}, ["WARDWISE_SECRET: is the demonstration's, which everybody knows"]),
    ({"WARDWISE_SECRET": "short"}, ["WARDWISE_SECRET: can be guessed: too short, or too much alike"]),
    ({"WARDWISE_SECRET": "changeme" * 5}, ["WARDWISE_SECRET: can be guessed: too short, or too much alike"]),
    ({"WARDWISE_SECRET": SECRET}, []),
    ({"WARDWISE_SECRET": SECRET, "WARDWISE_ADDRESS": "http://wardwise.council.example"},
     ["WARDWISE_ADDRESS: is not an address that is safe to use"]),
    ({"WARDWISE_SECRET": SECRET, **PROVIDER}, []),
    ({"WARDWISE_SECRET": SECRET, **PROVIDER, "WARDWISE_OIDC_ISSUER": "http://login.council.example"},
     ["WARDWISE_OIDC_ISSUER: is not an address that is safe to use"]),
    ({"WARDWISE_SECRET": SECRET, **PROVIDER, "WARDWISE_OIDC_CLIENT": "", "WARDWISE_OIDC_SECRET": ""},
     ["WARDWISE_OIDC_CLIENT: is not set", "WARDWISE_OIDC_SECRET: is not set"]),
    ({"WARDWISE_SECRET": SECRET, "WARDWISE_LOCAL_LOGIN": "no"},
     ["WARDWISE_LOCAL_LOGIN: is off, and there is no provider"]),
    ({"WARDWISE_SECRET": SECRET, "WARDWISE_LOCAL_LOGIN": "perhaps"}, ["WARDWISE_LOCAL_LOGIN: is not understood"]),
])
def test_what_is_unsafe_is_refused(environment: dict[str, str], found: list[str]) -> None:
    assert find_said({**GROUNDS, **environment}) == found


# --- what it stands on (R9) -------------------------------------------------------------------------------


def test_nobody_real_is_shown_before_both_assessments_are_named_and_all_that_is_missing_is_told_at_once() -> None:
    assert find_said({"WARDWISE_LOCAL_LOGIN": "perhaps"}) == [
        "WARDWISE_LOCAL_LOGIN: is not understood", "WARDWISE_SECRET: is not set",
        "WARDWISE_DPIA: is not set", "WARDWISE_DPIA_REVIEW_BY: is not set",
        "WARDWISE_EIA: is not set", "WARDWISE_EIA_REVIEW_BY: is not set"]


@pytest.mark.parametrize(("changed", "found"), [
    ({"WARDWISE_DPIA": "  "}, ["WARDWISE_DPIA: is not set"]),
    ({"WARDWISE_EIA": "E" * 201}, ["WARDWISE_EIA: is too long"]),
    ({"WARDWISE_DPIA_REVIEW_BY": "31/03/2027"}, ["WARDWISE_DPIA_REVIEW_BY: is not a day"]),
    ({"WARDWISE_EIA_REVIEW_BY": "2026-11-23"},
     ["WARDWISE_EIA_REVIEW_BY: has passed: the review was due by 2026-11-23"]),
])
def test_an_assessment_needs_a_reference_and_a_review_that_is_still_to_come(
    changed: dict[str, str], found: list[str]
) -> None:
    assert find_said({"WARDWISE_SECRET": SECRET, **GROUNDS, **changed}) == found


def test_how_to_mend_it_is_said() -> None:
    with pytest.raises(UsageError) as caught:
        read_settings({"WARDWISE_SECRET": SECRET}, ADDRESS, demo=False, today=TODAY)
    assert str(caught.value.problems[0]) == (
        "WARDWISE_DPIA: is not set\n"
        "    allowed: the reference of the data protection impact assessment (UK GDPR article 35), 200 characters at "
        "most\n"
        "    to mend: have it made and signed before anybody real is looked at; for invented people say --demo")
    assert caught.value.problems[1].allowed == "a day from 2026-11-24 on, as YYYY-MM-DD"


def test_what_it_stands_on_is_known_to_the_site_until_the_last_day() -> None:
    settings = read_settings({"WARDWISE_SECRET": SECRET, **GROUNDS}, ADDRESS, demo=False, today=TODAY)
    assert settings.grounds == Grounds("DPIA 2026/14", date(2027, 3, 31), "EIA 2026/3", TODAY)
    with pytest.raises(UsageError, match="EIA_REVIEW_BY: has passed"):
        read_settings({"WARDWISE_SECRET": SECRET, **GROUNDS}, ADDRESS, demo=False, today=TODAY + timedelta(1))


# --- signing in -------------------------------------------------------------------------------------------


def test_a_demonstration_needs_nothing() -> None:
    settings = read_settings({}, LOOPBACK, demo=True, today=TODAY)
    assert settings.grounds is None
    assert (settings.secret, settings.encrypted, settings.takes_passwords) == (DEMO_SECRET, False, True)


@pytest.mark.parametrize(("provider", "local", "takes"), [
    (False, None, True), (False, True, True), (True, None, False), (True, True, True), (True, False, False)])
def test_passwords_are_off_where_a_provider_is_on(provider: bool, local: bool | None, takes: bool) -> None:
    named = Provider("https://login.council.example", "wardwise", "x") if provider else None
    assert LoginSettings(ADDRESS, SECRET, provider=named, local=local).takes_passwords is takes


def test_no_secret_is_shown() -> None:
    settings = LoginSettings(ADDRESS, SECRET, provider=Provider("https://login.council.example", "wardwise", "hush"))
    assert SECRET not in repr(settings)
    assert "hush" not in repr(settings)


def test_what_one_secret_closes_no_other_opens() -> None:
    closed = Seal(SECRET).close("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    assert "JBSWY3DP" not in closed
    assert Seal(SECRET).open(closed) == "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    for other in (Seal(SECRET[::-1]), Seal(SECRET, "something else")):
        with pytest.raises(RunError, match="is not the secret that second factors were kept under"):
            other.open(closed)
