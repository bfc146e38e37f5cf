"""The front desk: what a door asks about offers -> a screening made, kept and shown; nothing is decided here.

Every door asks through this one place, so that a screening typed and a screening sent are kept alike.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from api.tokens import Role
from engine.answers import Raw, read_answers
from engine.desk import Desk
from engine.desks import Desks
from engine.errors import ScreenError, WardwiseError
from engine.feature import Feature
from engine.flag import write_json
from engine.matches import find_matches, find_shortlist
from engine.screen import check_pair, replay, screen
from engine.screening import Answer, Match, Pair
from engine.screenings import Kept, Offer, Override, Screenings

_TOKEN = 32     # characters: 128 bits, as of every id in an address
OpenDesk = Callable[[], Desk]
"""Gives the desk of now; asking again costs little while nothing new has come in."""


class Disagreement(WardwiseError):
    """What was worked out twice came out differently, or what was kept is no longer that: nobody may rely on it."""


@dataclass(frozen=True)
class Asker:
    """Who asks, by the name on the token, and in which role."""

    name: str
    role: Role


@dataclass(frozen=True)
class Once:
    """What tells a request sent twice from another one: the sender's key, and what was asked under it."""

    key: str | None
    request: str


@dataclass(frozen=True)
class Shown:
    """A screening as kept, its text byte for byte, and the matches as text; `new` unless it was sent twice."""

    kept: Kept
    text: str
    matches: str | None
    new: bool = False


class FrontDesk:
    """Screens, keeps and records under one home, for any number of threads. The clock is passed in."""

    def __init__(self, home: Path, open_desk: OpenDesk, now: Callable[[], datetime]) -> None:
        self.open_desk, self.now = open_desk, now
        self.desks, self.kept = Desks(home), Screenings(home)
        self._tokens: dict[str, str] = {}

    # --- screening ------------------------------------------------------------------------------

    def screen(
        self, by: Asker, applicant: str, uprn: str, told: Sequence[Raw], once: Once, matches: bool = False,
    ) -> Shown:
        """Screens an applicant for a home and keeps it. Raises ScreenError."""
        if once.key and (earlier := self.kept.find_key(by.name, once.key, once.request)):
            return self.show(earlier.id)
        desk = self.open_desk()
        pair = check_pair(desk, applicant, uprn, self._find_offered())
        return self._keep(desk, pair, self._read(desk, told), by, once, matches)

    def answer(
        self, by: Asker, id: str, told: Sequence[Raw], once: Once, matches: bool = False,
        untold: Collection[str] = (),
    ) -> Shown:
        """Screens the same two again with what has been told since. The earlier screening stays as it was.

        `untold`: facts told earlier that somebody took back.
        """
        if once.key and (earlier := self.kept.find_key(by.name, once.key, once.request)):
            return self.show(earlier.id)
        before, desk = self.kept.find(id), self.open_desk()
        pair = check_pair(desk, before.pair.application, before.pair.uprn, self._find_offered())
        since = {raw.fact for raw in told}.union(untold)
        still = [Raw(a.fact, a.value, a.told_on) for a in before.answers if a.fact not in since]
        return self._keep(desk, pair, self._read(desk, [*still, *told]), by, once, matches)

    def move(self, by: Asker, id: str, uprn: str, once: Once) -> Shown:
        """Screens the same applicant for another home; what was told of the applicant goes with them."""
        before, facts = self.kept.find(id), self.open_desk().features
        theirs = [Raw(a.fact, a.value, a.told_on) for a in before.answers
                  if a.fact in facts and facts[a.fact].about in ("applicant", "household")]
        return self.screen(by, before.pair.application, uprn, theirs, once, matches=True)

    def show(self, id: str) -> Shown:
        """A screening as it was kept. Raises ScreenError, and Disagreement where it is no longer what was kept."""
        kept = self.kept.find(id)
        with _trusting():
            return Shown(kept, self.kept.text(id), self.kept.matches(id))

    def replay(self, id: str) -> tuple[str, str]:
        """The SHA-256 of a screening as it was kept, and made again from what was known then."""
        kept = self.kept.find(id)
        with _trusting():
            desk = self.desks.find(kept.desk)
            stored, again = replay(self.kept.text(id), kept.pair, kept.answers, desk)
        return _digest(stored), _digest(again)

    def shortlist(self, uprn: str) -> tuple[date, tuple[Match, ...]]:
        """As of which day, and who comes next for a home, in the scheme's order."""
        desk = self.open_desk()
        with _trusting():
            return desk.as_of, find_shortlist(desk, uprn)

    # --- people deciding ------------------------------------------------------------------------

    def override(self, by: Asker, id: str, rule: str, reason: str, mitigation: str) -> Override:
        """Records that a manager sets a hard conflict aside."""
        return self.kept.override(id, rule, by.name, by.role, reason, mitigation, self.now())

    def offer(self, by: Asker, id: str, applicant_view: Any) -> Offer:
        """Records that a person made the offer."""
        return self.kept.offer(id, by.name, by.role, self.now(), applicant_view)

    def withdraw(self, by: Asker, id: str, reason: str) -> Offer:
        """Records that an offer no longer stands."""
        self.kept.withdraw(id, by.name, self.now(), reason)
        return next(offer for offer in self.kept.offers() if offer.id == id)

    def overrides(self) -> list[Override]:
        """Every override, oldest first."""
        return self.kept.overrides()

    # --- finding again --------------------------------------------------------------------------

    def token(self, kept: Kept) -> str:
        """What stands for a screening in an address: its number would tell how many there are, and this tells nothing.

        Worked out from the number and the digest of the text, so that there is no table of tokens to keep.
        """
        return hashlib.sha256(f"{kept.id}:{kept.digest}".encode()).hexdigest()[:_TOKEN]

    def find_token(self, token: str) -> Kept | None:
        """The screening that a token stands for."""
        if token not in self._tokens:
            names = self.kept.names()
            for kept in names[len(self._tokens):]:
                self._tokens[self.token(kept)] = kept.id
        return self.kept.find(self._tokens[token]) if token in self._tokens else None

    def same_pair(self, kept: Kept) -> list[Kept]:
        """Every screening of the same application and home, oldest first."""
        pair = kept.pair
        return [one for one in self.kept.names()
                if (one.pair.application, one.pair.uprn) == (pair.application, pair.uprn)]

    def address(self, uprn: str) -> str:
        """What a home is called, where the desk still knows it."""
        home = self.open_desk().homes.get(uprn)
        return str(home["address"]) if home and home["address"] else ""

    # --- what may be asked ----------------------------------------------------------------------

    def askable(self) -> tuple[Feature, ...]:
        """The facts an officer may be told, by name."""
        facts = self.open_desk().features.values()
        return tuple(sorted((fact for fact in facts if fact.ask_of), key=lambda fact: fact.name))

    def as_of(self) -> date:
        """The day of the desk."""
        return self.open_desk().as_of

    def describe_desk(self) -> tuple[tuple[str, ...], str]:
        """The rules in force and the name of the desk, as far as they can be read: for an incident."""
        try:
            desk = self.open_desk()
        except Exception:       # what made it fail may be the very incident
            return (), ""
        return tuple(desk.pack.rules), desk.name

    # --- inside ---------------------------------------------------------------------------------

    def _keep(
        self, desk: Desk, pair: Pair, answers: Sequence[Answer], by: Asker, once: Once, matches: bool,
    ) -> Shown:
        with _trusting():
            made = screen(desk, pair, answers)
            found = write_json(find_matches(desk, pair, answers, self.kept.let_homes()), None) if matches else None
        kept = self.kept.keep(made, answers, desk.name, by.name, self.now(), once.key, once.request,
                              found)
        return replace(self.show(kept.id), new=True)

    def _read(self, desk: Desk, told: Sequence[Raw]) -> tuple[Answer, ...]:
        """What was told, by today: the desk may still be yesterday's while this morning's is made."""
        return read_answers(told, desk.features, max(desk.as_of, self.now().date()))

    def _find_offered(self) -> dict[str, str]:
        return {offer.uprn: offer.id for offer in self.kept.offers() if offer.standing}


@contextmanager
def _trusting() -> Iterator[None]:
    """Where the engine proves its own answer: what it cannot prove is not an answer."""
    try:
        yield
    except ScreenError:
        raise
    except WardwiseError as error:
        raise Disagreement(error.problems) from error


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
