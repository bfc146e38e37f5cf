"""What people decide about a flag. The engine never does: every change here is of a person, at a moment, with a reason.

    proposed -> under_review -> confirmed | declined | redirected | needs_information -> under_review -> ...

Nothing stands in the way of saying no: no second person, no more words than saying yes. A review is kept for ever, and
a decision is corrected by a further review.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import insert, select

from engine.errors import Problem
from engine.rule import BANDS
from engine.store.chain import Note
from engine.store.database import Reading, Writing
from engine.store.flags import FlagRow, read_row
from engine.store.problems import Missing, StoreError
from engine.store.tables import DECIDED_STATES, DECISIONS, OPEN_STATES, first_bands, flags, reviews
from engine.store.versioned import change_row, check_version
from engine.store.words import check, say_no_words, say_not_among, say_unkeepable

_WHAT = "the flag"
NO_BAND = "none"        # agencies need not act together: no band of ours says so, since such a flag is not put forward
OWN_BANDS = (*BANDS, NO_BAND)
"""What an officer may say before seeing ours. Without a word for "not at all" everybody would be made to agree that
there is something."""
REASONS: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "confirmed": ("needs_agencies_together", "getting_worse", "support_not_in_place", "place_needs_work",
                  "offer_needs_change", "other"),
    "declined": ("already_in_hand", "facts_wrong", "wrong_person_linked", "out_of_date", "not_serious_enough",
                 "rule_does_not_fit", "would_do_harm", "outside_purpose", "other"),
    "redirected": ("to_lead_professional", "to_safeguarding", "to_marac_or_mappa", "to_one_agency", "to_operation_lead",
                   "to_case_officer", "other"),
    "needs_information": ("agency_has_not_answered", "feed_late", "facts_disputed", "identity_unsure",
                          "person_not_yet_heard", "other"),
})
"""Why, in a word that can be counted: from the routes of the exclusions and the grounds on which reviewers of
early-warning lists say no (scoring.md 4.7, domain.md 6.6). `other` is always there; the rationale says it in words."""


@dataclass(frozen=True)
class Review:
    """One decision. `own_band`: what the officer said before ours was shown; `seconds` and `opened` show the work."""

    id: str
    flag: str
    number: int
    at: datetime
    reviewer: str
    decision: str
    reason_code: str
    rationale: str
    shown_band: str
    own_band: str | None
    seconds: int | None
    opened: tuple[str, ...]
    corrects: str | None


def take_up(writing: Writing, flag: str, version: int) -> FlagRow:
    """The actor takes a flag up, from anybody: it is under review, and theirs. Raises Stale, StoreError, Missing."""
    row = _at_version(writing, flag, version)
    _check_state(row, OPEN_STATES, "is already decided" if row.state in DECIDED_STATES else "is closed",
                 "to correct a decision, decide again")
    note = Note("flag.taken_up", flag, {"from": row.state, "version": version + 1})
    change_row(writing, flags, _WHAT, flag, version, note, state="under_review", lead=writing.actor)
    return replace(row, state="under_review", lead=writing.actor, version=version + 1, changed_at=writing.at,
                   changed_by=writing.actor)


def judge_first(writing: Writing, flag: str, band: str) -> None:
    """Keeps the band an officer gives before seeing ours, or NO_BAND; the first word counts, a second is left."""
    check(say_not_among(_WHAT, "band", band, OWN_BANDS))
    read_row(writing, flag)
    if first_band(writing, flag, writing.actor) is None:
        row = {"flag": flag, "user": writing.actor, "band": band, "at": writing.at}
        writing.change(Note("flag.judged_first", flag, {"band": band}), insert(first_bands), [row])


def first_band(reading: Reading, flag: str, user: str) -> str | None:
    """The band an officer gave before seeing ours."""
    found = reading.value(select(first_bands.c.band).where(first_bands.c.flag == flag, first_bands.c.user == user))
    return str(found) if found is not None else None


def find_judged(reading: Reading, user: str, ids: Sequence[str]) -> frozenset[str]:
    """Those of some flags that an officer gave a band of their own before seeing ours."""
    query = select(first_bands.c.flag).where(first_bands.c.user == user, first_bands.c.flag.in_(ids))
    return frozenset(str(row["flag"]) for row in reading.all(query)) if ids else frozenset()


def decide(
    writing: Writing, flag: str, version: int, decision: str, reason_code: str, rationale: str,
    own_band: str | None = None, seconds: int | None = None, opened: Sequence[str] = (),
) -> Review:
    """Decides a flag under review, or corrects a decision. `opened` names the evidence that was opened.

    A band kept by `judge_first` counts before `own_band`. Raises Stale where somebody was quicker, and StoreError with
    everything else that is wrong.
    """
    row = _at_version(writing, flag, version)
    check(_say_not_decidable(row), say_not_among(_WHAT, "decision", decision, DECISIONS),
          say_not_among(_WHAT, "reason", reason_code, REASONS[decision]) if decision in REASONS else [],
          say_no_words(_WHAT, "rationale", rationale),
          [] if own_band is None else say_not_among(_WHAT, "band", own_band, OWN_BANDS), _say_unlikely(seconds),
          *(say_unkeepable(_WHAT, "list of evidence", item) for item in opened))
    last = writing.first(select(reviews.c.id, reviews.c.number).where(reviews.c.flag == flag)
                         .order_by(reviews.c.number.desc()).limit(1))
    review = Review(
        writing.draw(), flag, last["number"] + 1 if last else 1, writing.at, writing.actor, decision, reason_code,
        rationale.strip(), row.band, first_band(writing, flag, writing.actor) or own_band, seconds, tuple(opened),
        last["id"] if last and row.state in DECIDED_STATES else None)
    _keep(writing, row, review)
    return review


def read(reading: Reading, id: str) -> Review:
    """One review. Raises Missing."""
    if (row := reading.first(select(reviews).where(reviews.c.id == id))) is None:
        raise Missing("the review")
    return Review(**row)


def of_flag(reading: Reading, flag: str) -> tuple[Review, ...]:
    """Every review of a flag, oldest first."""
    return _all(reading, select(reviews).where(reviews.c.flag == flag).order_by(reviews.c.number))


def _keep(writing: Writing, row: FlagRow, review: Review) -> None:
    # The words stay in the table: the log says only that, and by what code, it was decided.
    told = Note("flag.decided", row.id, {
        "review": review.id, "number": review.number, "from": row.state, "decision": review.decision,
        "reason": review.reason_code, "shown_band": review.shown_band, "own_band": review.own_band,
        "seconds": review.seconds, "opened": len(review.opened), "corrects": review.corrects,
        "version": row.version + 1})
    change_row(writing, flags, _WHAT, row.id, row.version, told, state=review.decision)
    writing.change(Note("review.kept", review.id, {"flag": row.id}), insert(reviews), [vars(review)])


def _at_version(reading: Reading, flag: str, version: int) -> FlagRow:
    check_version(reading, flags, _WHAT, flag, version)
    return read_row(reading, flag)


def _check_state(row: FlagRow, allowed: Sequence[str], found: str, fix: str) -> None:
    if row.state not in allowed:
        raise StoreError(Problem(_WHAT, f"{found}: {row.state.replace('_', ' ')}",
                                 ", ".join(state.replace("_", " ") for state in allowed), fix), "conflict")


def _say_not_decidable(row: FlagRow) -> list[Problem]:
    if row.state in ("under_review", *DECIDED_STATES):
        return []
    fix = "take it up first" if row.state in OPEN_STATES else "go on with the flag that took its place, if there is one"
    return [Problem(_WHAT, f"cannot be decided while it is {row.state.replace('_', ' ')}", "under review", fix)]


def _say_unlikely(seconds: int | None) -> list[Problem]:
    if seconds is None or 0 <= seconds < 2**31:
        return []
    return [Problem(_WHAT, "the time taken is not a number of seconds", "0 or more", "leave it out")]


def _all(reading: Reading, query: Any) -> tuple[Review, ...]:
    return tuple(Review(**row) for row in reading.all(query))
