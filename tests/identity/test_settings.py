"""What a deployment must say before anybody real may sign in."""

from __future__ import annotations

import pytest

from api.web.login_settings import DEMO_SECRET, LoginSettings, Provider, read_settings
from api.web.totp import Seal
from engine.errors import RunError, UsageError
from tests.identity.made import ADDRESS, SECRET

PROVIDER = {"WARDWISE_OIDC_ISSUER": "https://login.council.example", "WARDWISE_OIDC_CLIENT": "wardwise",
            "WARDWISE_OIDC_SECRET": "x"}
LOOPBACK = "http://127.0.0.1:8000"


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
    said = []
    try:
        read_settings(environment, ADDRESS, demo=False)
    except UsageError as error:
        said = [f"{problem.where}: {problem.found}" for problem in error.problems]
    assert said == found


def test_a_demonstration_needs_nothing() -> None:
    settings = read_settings({}, LOOPBACK, demo=True)
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
