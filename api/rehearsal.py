"""What the made-up people of a demonstration did at their last meeting, so that there is something to look at.

Everything goes the way it goes in the site: reviews, actions, questions and a meeting, by the person whose work it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from engine.store import actions, meetings, questions, reviews
from engine.store.accounts import find_user
from engine.store.database import Database, Writing
from engine.store.flags import Filters, FlagRow, find

_PRESENT = ("Priya Chair, community safety", "Sam Member, police", "Jo Manager, housing", "Alex Officer, social care")


@dataclass(frozen=True)
class _Task:
    what: str
    agency: str
    owner: str
    days: int


@dataclass(frozen=True)
class _Turn:
    """What was decided about the flag at a place of its list. No decision: it was put off."""

    decision: str = ""
    reason: str = ""
    rationale: str = ""
    seconds: int = 90
    tasks: tuple[_Task, ...] = ()
    asked: tuple[str, str] = ("", "")


_TURNS: Mapping[str, Sequence[_Turn]] = {
    "people": (
        _Turn("confirmed", "needs_agencies_together", "Four reports, and nobody has the whole picture.", 140, (
            _Task("Visit together with the victim support worker", "police", "PC Ash", 7),
            _Task("Check the locks and the light at the back door", "housing", "Dev Patel", 10))),
        _Turn("confirmed", "support_not_in_place", "Support was offered once and not taken up; offer it again.", 105, (
            _Task("Offer a support plan, at home and in the mornings", "social_care", "Alex Officer", 28),)),
        _Turn("declined", "already_in_hand", "The lead worker saw the family last week.", 75),
        _Turn("redirected", "to_lead_professional", "There is a lead professional; they should decide this.", 80),
        _Turn("needs_information", "agency_has_not_answered", "It turns on whether support is in place.", 95,
              asked=("social_care", "Is anybody supporting this person at present?")),
        _Turn()),
    "places": (
        _Turn("confirmed", "place_needs_work", "The alley is dark and the bins invite fires.", 120, (
            _Task("Clear the alley and report on the lighting", "environmental_health", "Kim Brook", 12),)),
        _Turn("declined", "not_serious_enough", "Three reports from one evening, and none since.", 65)),
    "allocations": (
        _Turn("confirmed", "offer_needs_change", "The home has stairs that the applicant cannot climb.", 110),),
}
"""About each list's first flags, in the order they stood."""


def rehearse(database: Database, run: str, held_on: date) -> None:
    """A meeting over a published run: what was decided, agreed, asked, done since, and put off."""
    begun = datetime.combine(held_on, time(14), UTC)
    chair = _user(database, "tasking_chair")
    with database.writing(begun, chair) as writing:
        meeting = meetings.open_meeting(writing, run, held_on, _PRESENT)
    moment = begun
    for name, turns in _TURNS.items():
        with database.reading() as reading:
            rows = find(reading, Filters(runs=(run,), lists=(name,)), "list", 1, len(turns)).rows
        for row, turn in zip(rows, turns, strict=False):
            moment += timedelta(seconds=turn.seconds)
            with database.writing(moment, chair) as writing:
                meetings.note_item(writing, meeting.id, row.id, _take(writing, row, turn, held_on))
    with database.writing(moment + timedelta(minutes=5), chair) as writing:
        meetings.close_meeting(writing, meeting.id, meetings.read_meeting(writing, meeting.id).version)
    _follow_up(database, begun)


def _take(writing: Writing, row: FlagRow, turn: _Turn, held_on: date) -> str | None:
    if not turn.decision:
        return None
    taken = reviews.take_up(writing, row.id, row.version)
    review = reviews.decide(writing, row.id, taken.version, turn.decision, turn.reason, turn.rationale,
                            seconds=turn.seconds)
    for task in turn.tasks:
        actions.agree(writing, row.id, task.what, task.agency, task.owner, held_on + timedelta(days=task.days),
                      review.id)
    if turn.asked[0]:
        questions.ask(writing, row.id, *turn.asked, due=held_on + timedelta(days=7))
    return review.id


def _follow_up(database: Database, begun: datetime) -> None:
    """The police did what they said they would; the others have not said so yet."""
    with database.writing(begun + timedelta(days=6), _user(database, "tasking_member")) as writing:
        for action in actions.find(writing, agency="police"):
            actions.close(writing, action.id, action.version, "done", "Visited; a plan is agreed.")


def _user(database: Database, role: str) -> str:
    with database.reading() as reading:
        found = find_user(reading, f"demo-{role}")
    if found is None:
        raise LookupError(f"nobody is the demonstration's {role}")
    return found.id
