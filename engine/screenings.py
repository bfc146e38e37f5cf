"""Screenings, overrides and offers as kept: what was said, what a manager overrode, what a person offered.

    home/screenings/  log.jsonl       what was done, one JSON line each: kept, overridden, offered, withdrawn
                      S000001.json    one screening as text, byte for byte what replay must give
                      S000001.matches.json    other homes shown with it, where they were asked for

A screening is moved into its place first and its line is written last: what the log does not name was never kept.
Nothing is ever taken out; an offer recorded in error is withdrawn by a further line. Keeping a screening decides
nothing: that an offer was made is recorded by a person, as an act of its own, and only refused where a conflict is
left open or another offer stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any, get_args

from engine.errors import Fault, Problem, RunError, ScreenError
from engine.events import Book, Kept, Offer, Override, View, Withdrawal, describe, read_event
from engine.flag import write_json
from engine.journal import START, Journal
from engine.screening import Answer, Screening

__all__ = ["Kept", "Offer", "Override", "Screenings", "Withdrawal"]

MANAGER = "housing_manager"
LETTERS, LONGEST = 10, 2000     # of a reason or a mitigation: enough to be words, little enough to be read


class Screenings:
    """The screenings under one home. Any number of threads and processes may use it at once."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "screenings"
        self._journal = Journal(self.folder / "log.jsonl", "an event of the log", read_event)
        self._book, self._mark, self._reading = Book(), START, Lock()

    def keep(self, screening: Screening, answers: Sequence[Answer], desk: str, by: str, at: datetime,
             key: str | None = None, request: str = "", matches: str | None = None) -> Kept:
        """Keeps a screening; the same asker's same key and request again give what was kept then.

        `desk`: the digest of the tables it was made from. `request`: the sha256 of what was asked.
        `matches`: what was shown beside it, kept with it so that the same request is answered the same.
        """
        _check(_say_nobody("the screening", by))
        text = write_json(screening, indent=None).encode()
        with self._writing() as book:
            if (earlier := _find_key(book, by, key, request)) is not None:
                return earlier
            id = f"S{len(book.kept) + 1:06d}"
            self._journal.put(f"{id}.json", text)
            if matches is not None:
                self._journal.put(f"{id}.matches.json", matches.encode())
            self._add("kept", id=id, made_at=at.isoformat(), by=by, **describe(screening, answers), desk=desk,
                      digest=sha256(text).hexdigest(), key=key, request=request)
            return self._catch_up().kept[id]

    def find_key(self, by: str, key: str, request: str) -> Kept | None:
        """What was kept for this key of this asker. Raises ScreenError where the key was used for another request."""
        return _find_key(self._catch_up(), by, key, request)

    def find(self, id: str) -> Kept:
        """What was kept under an id. Raises ScreenError where nothing was."""
        return _find(self._catch_up(), id)

    def text(self, id: str) -> str:
        """A screening as it was kept, byte for byte. Raises RunError where it is no longer what was kept."""
        kept, path = self.find(id), self.folder / f"{id}.json"
        try:
            content = path.read_bytes()
        except OSError as error:
            raise RunError(Problem(str(path), f"the screening cannot be read: {error.strerror}",
                                   "the text that was kept", "restore it from its backup")) from error
        if sha256(content).hexdigest() != kept.digest:
            raise RunError(Problem(str(path), "the screening has other bytes than were kept", f"sha256 {kept.digest}",
                                   "restore it from its backup"))
        return content.decode()

    def matches(self, id: str) -> str | None:
        """What was shown beside a screening, or None where nothing was asked for."""
        path = self.folder / f"{self.find(id).id}.matches.json"
        return path.read_text(encoding="utf-8") if path.exists() else None

    def override(self, id: str, rule: str, by: str, role: str, reason: str, mitigation: str, at: datetime) -> Override:
        """Keeps a manager's word on a hard conflict. Two managers' words are both kept; the first counts."""
        if role != MANAGER:
            raise ScreenError(Problem("the override", "overriding a hard conflict needs the role housing_manager",
                                      MANAGER, "ask a housing manager to override it, or offer another home"),
                              "forbidden")
        with self._writing() as book:
            kept = _find(book, id)
            _check([*_say_nobody(id, by), *_say_not_hard(kept, rule), *_say_no_words(id, "reason", reason),
                    *_say_no_words(id, "mitigation", mitigation)])
            told = {"screening": id, "rule": rule, "by": by, "role": role, "reason": reason, "mitigation": mitigation}
            for earlier in book.overrides:      # sent twice
                if told == {name: getattr(earlier, name) for name in told}:
                    return earlier
            self._add("overridden", **told, title=kept.titles[rule], at=at.isoformat())
            return self._catch_up().overrides[-1]

    def offer(self, id: str, by: str, role: str, at: datetime, applicant_view: View | None = None) -> Offer:
        """Records that a person offered the home. Raises ScreenError with everything that stands in the way."""
        _check([*_say_nobody("the offer", by), *_say_no_view(applicant_view)])
        with self._writing() as book:
            kept = _find(book, id)
            _check([*_say_outdated(book, kept), *_say_not_overridden(book, kept),
                    *_say_not_accepted(kept, applicant_view), *_say_offered(book, kept)], "conflict")
            offer = f"OF{len(book.offers) + 1:06d}"
            self._add("offered", id=offer, screening=id, application=kept.pair.application,
                      applicant=kept.pair.applicant, uprn=kept.pair.uprn, by=by, role=role,
                      applicant_view=applicant_view, overridden=kept.hard, accepted=kept.soft, at=at.isoformat())
            return self._catch_up().offers[offer]

    def withdraw(self, offer_id: str, by: str, at: datetime, reason: str) -> None:
        """Notes that an offer no longer stands: the home is free again, and the offer is still on record."""
        with self._writing() as book:
            offer = _find_offer(book, offer_id)
            _check(_say_withdrawn(offer), "conflict")
            _check([*_say_nobody(offer_id, by), *_say_no_words(offer_id, "reason", reason)])
            self._add("withdrawn", offer=offer_id, by=by, reason=reason, at=at.isoformat())

    def names(self) -> list[Kept]:
        """Every screening kept, oldest first."""
        return list(self._catch_up().kept.values())

    def overrides(self) -> list[Override]:
        """Every override, oldest first: what is reported."""
        return list(self._catch_up().overrides)

    def offers(self) -> list[Offer]:
        """Every offer recorded, oldest first, withdrawn ones too."""
        return list(self._catch_up().offers.values())

    def let_homes(self) -> frozenset[str]:
        """The homes with an offer standing, by UPRN."""
        return frozenset(offer.uprn for offer in self.offers() if offer.standing)

    @contextmanager
    def _writing(self) -> Iterator[Book]:
        """What is on record, with nobody else writing."""
        try:
            with self._journal.hold():
                yield self._catch_up()
        except OSError as error:
            raise RunError(Problem(str(self.folder), f"nothing was recorded: {error.strerror}",
                                   "a folder with room, that may be written",
                                   "make room or correct the permissions, and do it again; "
                                   "what was kept before stands")) from error

    def _add(self, event: str, **fields: Any) -> None:
        self._journal.append({"seq": self._mark.lines + 1, "event": event, **fields})

    def _catch_up(self) -> Book:
        """Everything on record, reading only the lines written since the last time."""
        with self._reading:
            try:
                events, mark = self._journal.read(self._mark)
                book = Book() if len(events) == mark.lines else self._book      # where read from the first line on
                for event in events:
                    book.add(event)
            except OSError as error:
                raise RunError(Problem(str(self._journal.path), f"the log cannot be read: {error.strerror}",
                                       "a file that may be read", "correct the permissions")) from error
            except KeyError as error:
                self._book, self._mark = Book(), START
                raise RunError(Problem(str(self._journal.path), "withdraws an offer that it does not hold",
                                       "offers made, then withdrawn", "restore log.jsonl from its backup")) from error
            self._book, self._mark = book, mark
            return book


# --- what is looked for ---------------------------------------------------------------------------


def _find(book: Book, id: str) -> Kept:
    if (kept := book.kept.get(id)) is None:
        # What was typed is not repeated: it may be a name.
        raise ScreenError(Problem("the screening", "no screening was kept under this id", "S and its number: S000001",
                                  "correct the id, or screen the offer first"), "not_found")
    return kept


def _find_offer(book: Book, id: str) -> Offer:
    if (offer := book.offers.get(id)) is None:
        raise ScreenError(Problem("the offer", "no offer was recorded under this id", "OF and its number: OF000001",
                                  "correct the id; the offers recorded are listed with theirs"), "not_found")
    return offer


def _find_key(book: Book, by: str, key: str | None, request: str) -> Kept | None:
    kept = book.keys.get((by, key)) if key is not None else None
    if kept is not None and kept.request != request:
        raise ScreenError(Problem(kept.id, "was kept for another request with the same idempotency key",
                                  "one key for one request", "send this request with a new key"), "conflict")
    return kept


# --- what stands in the way -----------------------------------------------------------------------


def _check(problems: Sequence[Problem], fault: Fault = "invalid") -> None:
    if problems:
        raise ScreenError(problems, fault)


def _say_nobody(where: str, by: str) -> list[Problem]:
    if by.strip():
        return []
    return [Problem(where, "does not say who did it", "the name or number of a person", "sign in, or say who it was")]


def _say_no_words(where: str, what: str, said: str) -> list[Problem]:
    letters = sum(character.isalpha() for character in said)
    if letters >= LETTERS and len(said) <= LONGEST:
        return []
    found = f"the {what} is {'not said in words' if letters < LETTERS else 'too long'}"
    return [Problem(where, found, f"{LETTERS} letters at least and {LONGEST} characters at most",
                    f"write the {what} in a sentence that another person can follow")]


def _say_no_view(view: str | None) -> list[Problem]:
    if view is None or view in get_args(View):
        return []
    return [Problem("the offer", "the applicant's view is not one of the words for it",
                    "accepts, declines, or left out", "ask the applicant, and use one of the words")]


def _say_not_hard(kept: Kept, rule: str) -> list[Problem]:
    if rule in kept.hard:
        return []
    if rule in kept.soft:
        return [Problem(kept.id, f"has this as a soft conflict: {kept.titles[rule]}", "a hard conflict",
                        "nothing is to be overridden: ask the applicant, whose informed view may accept it")]
    return [Problem(kept.id, "has no hard conflict from this rule", ", ".join(kept.hard) or "it has no hard conflict",
                    "override one of its hard conflicts" if kept.hard else "nothing is to be overridden")]


def _say_outdated(book: Book, kept: Kept) -> list[Problem]:
    latest = book.latest[kept.pair.application, kept.pair.uprn]
    if latest.id == kept.id:
        return []
    return [Problem(kept.id, "is not the latest screening of this applicant and home", latest.id,
                    f"read {latest.id}, and record the offer with it")]


def _say_not_overridden(book: Book, kept: Kept) -> list[Problem]:
    overridden = book.overridden(kept.id)
    return [Problem(kept.id, f"has a hard conflict that nobody has overridden: {kept.titles[rule]}", "",
                    "a housing manager overrides it with a reason and a mitigation, or another home is offered")
            for rule in kept.hard if rule not in overridden]


def _say_not_accepted(kept: Kept, view: View | None) -> list[Problem]:
    if view == "accepts":
        return []
    found, fix = {
        None: ("the applicant was not asked about", "explain it to the applicant and ask; record the offer with the "
               "view, or offer another home"),
        "declines": ("the applicant does not accept", "offer another home"),
    }[view]
    return [Problem(kept.id, f"has a soft conflict that {found}: {kept.titles[rule]}", "", fix) for rule in kept.soft]


def _say_offered(book: Book, kept: Kept) -> list[Problem]:
    problems, pair = [], kept.pair
    for offer in book.offers.values():
        if not offer.standing:
            continue
        if offer.uprn == pair.uprn:
            problems.append(Problem(kept.id, f"is of a home already offered: {offer.id}",
                                    "a home with no offer standing",
                                    f"offer another home, or withdraw {offer.id} with a reason"))
        elif offer.application == pair.application or (pair.applicant and offer.applicant == pair.applicant):
            problems.append(Problem(kept.id, f"is of an applicant who already has an offer: {offer.id}",
                                    "one offer to an applicant at a time",
                                    f"wait for the answer, or withdraw {offer.id} with a reason"))
    return problems


def _say_withdrawn(offer: Offer) -> list[Problem]:
    if offer.standing:
        return []
    return [Problem(offer.id, "was withdrawn already", "an offer that stands", "nothing: the home is free of it")]
