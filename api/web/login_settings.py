"""What a deployment says about itself: its address, its secret, whose accounts, and what it stands on in law.

Refused where unsafe, or where nobody has assessed what it does to people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from urllib.parse import urlsplit

from engine.errors import Problem, UsageError

DEMO_SECRET = "a secret that everybody knows: for invented people only"     # noqa: S105  the demonstration's own
SHORTEST_SECRET = 32
"""Characters: `openssl rand -base64 32` gives 44, and what somebody made up is seldom as long."""
FEWEST_DIFFERENT = 12
"""Different characters: 32 random ones have some 25, `xxxxxxxx...` or `changemechangeme` far fewer."""

LONGEST_REFERENCE = 200      # characters, as of an agreement's

_ASSESSMENTS = {"WARDWISE_DPIA": "the data protection impact assessment (UK GDPR article 35)",
                "WARDWISE_EIA": "the equality impact assessment (Equality Act 2010 section 149)"}

_ON = {"yes": True, "1": True, "true": True, "no": False, "0": False, "false": False}


@dataclass(frozen=True)
class Provider:
    """An OpenID Connect provider, such as the council's own accounts. `title`: what staff call it."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    title: str = "your council account"


@dataclass(frozen=True)
class Grounds:
    """What a deployment stands on: references of its two assessments, each with the day it is to be reviewed by.

    What may be shared is in the agreements of the store, not here: without one every list is empty.
    """

    dpia: str
    dpia_review_by: date
    eia: str
    eia_review_by: date


@dataclass(frozen=True)
class LoginSettings:
    """How people sign in. Raises UsageError with everything that is unsafe; only a demonstration may be.

    `address`: where the site is reached, as browsers see it. `local`: whether passwords kept here work; if nobody says,
    they do where no provider does. `proxies`: addresses of our own proxies, whose word for who asks is taken.
    `grounds`: see `read_settings`, which asks for them.
    """

    address: str
    secret: str = field(repr=False)
    demo: bool = False
    provider: Provider | None = None
    local: bool | None = None
    proxies: frozenset[str] = frozenset()
    grounds: Grounds | None = None

    def __post_init__(self) -> None:
        problems = [*_find_faulty_address("WARDWISE_ADDRESS", self.address, self.demo)]
        if not self.demo:
            problems += _find_weak_secret(self.secret)
        if self.provider is not None:
            problems += _find_faulty_address("WARDWISE_OIDC_ISSUER", self.provider.issuer, self.demo)
            if not self.provider.client_id:
                problems.append(Problem("WARDWISE_OIDC_CLIENT", "is not set", "the id the provider gave",
                                        "register this site there"))
            if not self.demo and not self.provider.client_secret:
                problems.append(Problem("WARDWISE_OIDC_SECRET", "is not set", "the secret the provider gave",
                                        "register this site there as a confidential client"))
        elif self.local is False:
            problems.append(Problem("WARDWISE_LOCAL_LOGIN", "is off, and there is no provider", "one way to sign in",
                                    "name an OIDC issuer, or leave it on"))
        if problems:
            raise UsageError(problems)

    @property
    def encrypted(self) -> bool:
        """Whether browsers reach the site over TLS."""
        return self.address.startswith("https://")

    @property
    def takes_passwords(self) -> bool:
        """Whether passwords kept here work."""
        return self.provider is None if self.local is None else self.local


def read_settings(environment: Mapping[str, str], address: str, demo: bool, today: date) -> LoginSettings:
    """The settings in environment variables; `address` where none says otherwise.

    Raises UsageError with everything that is missing or unsafe. Outside a demonstration both assessments must be named,
    and neither may be past its review.
    """
    issuer = environment.get("WARDWISE_OIDC_ISSUER", "")
    provider = Provider(issuer, environment.get("WARDWISE_OIDC_CLIENT", ""),
                        environment.get("WARDWISE_OIDC_SECRET", ""),
                        environment.get("WARDWISE_OIDC_TITLE") or Provider.title) if issuer else None
    said = environment.get("WARDWISE_LOCAL_LOGIN", "").lower()
    problems = [] if not said or said in _ON else [
        Problem("WARDWISE_LOCAL_LOGIN", "is not understood", ", ".join(_ON), "say yes or no")]
    grounds, missing = (None, []) if demo else _read_grounds(environment, today)
    try:
        settings = LoginSettings(
            environment.get("WARDWISE_ADDRESS", address),
            environment.get("WARDWISE_SECRET", DEMO_SECRET if demo else ""), demo, provider, _ON.get(said),
            frozenset(environment.get("WARDWISE_PROXIES", "").split()), grounds)
    except UsageError as unsafe:
        raise UsageError([*problems, *unsafe.problems, *missing]) from None
    if problems or missing:
        raise UsageError([*problems, *missing])
    return settings


def _read_grounds(environment: Mapping[str, str], today: date) -> tuple[Grounds | None, list[Problem]]:
    """Both assessments, or what is wrong with them."""
    said: list[tuple[str, date]] = []
    problems: list[Problem] = []
    for name, what in _ASSESSMENTS.items():
        reference, day = environment.get(name, "").strip(), environment.get(f"{name}_REVIEW_BY", "").strip()
        problems += _find_faulty_reference(name, reference, what)
        review_by, wrong = _read_review(f"{name}_REVIEW_BY", day, today)
        problems += wrong
        said.append((reference, review_by or today))
    (dpia, dpia_review_by), (eia, eia_review_by) = said
    return (None if problems else Grounds(dpia, dpia_review_by, eia, eia_review_by)), problems


def _find_faulty_reference(name: str, reference: str, what: str) -> list[Problem]:
    allowed = f"the reference of {what}, {LONGEST_REFERENCE} characters at most"
    if reference and len(reference) <= LONGEST_REFERENCE:
        return []
    return [Problem(name, "is too long" if reference else "is not set", allowed,
                    "have it made and signed before anybody real is looked at; for invented people say --demo")]


def _read_review(name: str, day: str, today: date) -> tuple[date | None, list[Problem]]:
    allowed, fix = f"a day from {today} on, as YYYY-MM-DD", "name the day it is to be reviewed by"
    if not day:
        return None, [Problem(name, "is not set", allowed, fix)]
    try:
        review_by = date.fromisoformat(day)
    except ValueError:
        return None, [Problem(name, "is not a day", allowed, fix)]
    if review_by < today:
        return None, [Problem(name, f"has passed: the review was due by {review_by}", allowed,
                              "review the assessment, and name the day of its next review")]
    return review_by, []


def _find_faulty_address(where: str, address: str, demo: bool) -> list[Problem]:
    parts = urlsplit(address)
    allowed = "http://... or https://..." if demo else "https://..."
    if not parts.netloc or parts.scheme not in ("https", *(("http",) if demo else ())):
        return [Problem(where, "is not an address that is safe to use", allowed,
                        "put TLS before it, and write its address without a path")]
    return []


def _find_weak_secret(secret: str) -> list[Problem]:
    allowed = f"{SHORTEST_SECRET} random characters at least"
    fix = "make one with `openssl rand -base64 32`, and keep it safe"
    if not secret:
        return [Problem("WARDWISE_SECRET", "is not set", allowed, fix)]
    if secret == DEMO_SECRET:
        return [Problem("WARDWISE_SECRET", "is the demonstration's, which everybody knows", allowed, fix)]
    if len(secret) < SHORTEST_SECRET or len(set(secret)) < FEWEST_DIFFERENT:
        return [Problem("WARDWISE_SECRET", "can be guessed: too short, or too much alike", allowed, fix)]
    return []
