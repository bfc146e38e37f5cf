"""Who a paper is for, under what it is shared, and what stands on its first page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from api.papers.paper import Told
from api.web.layout import LONDON, say_time
from api.web.reach import Reach
from api.web.site_words import say_code
from engine.prose import name_agency
from engine.store.agreements import Agreement
from engine.store.audit import head
from engine.store.database import Reading
from engine.store.flags import FlagRow

MARKING = "OFFICIAL-SENSITIVE"
"""The Government Security Classifications policy: what would do harm if it were lost; it stands on every page."""

DECIDES_NOTHING = "Wardwise suggests and decides nothing. People decide, and say why."
_ONLY_THEIRS = ("Here is only what the person it was printed for may see and take out for this purpose. Somebody "
                "else's copy may hold more or less.")
_RETENTION = ("Keep this copy no longer than the meeting needs it, hand it to nobody outside the agreement, and "
              "destroy it once the minutes are agreed: the record is in Wardwise.")
_HEAD = ("Keep the audit log head: “wardwise audit verify --anchor” with it shows whether anything logged before this "
         "was printed has been altered since.")


@dataclass(frozen=True)
class Cover:
    """Whose paper it is: the council, the person it is printed for, and when."""

    council: str
    me: Reach
    at: datetime

    @property
    def today(self) -> date:
        """The day of printing."""
        return find_day(self.at)


def find_day(moment: datetime) -> date:
    """The day a calendar in London shows."""
    return moment.astimezone(LONDON).date()


def say_facts(reading: Reading, cover: Cover, lists: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Who, when, under what and for what; and the head of the audit log as it was read."""
    last, person = head(reading), cover.me.person
    signed = find_signed(cover.me, lists)
    return (
        ("Marking", MARKING), ("Council", cover.council), ("Printed", say_time(cover.at)),
        ("Printed for", f"{person.name}, {name_agency(person.agency)}"),
        ("Shared under", "; ".join(f"{one.reference}: {one.title}" for one in signed) or "no agreement"),
        ("Purpose", say_code(cover.me.asker.purpose)), ("Audit log head", f"{last.id}:{last.hash}"))


def say_notes() -> tuple[str, ...]:
    """What whoever holds a paper has to know about it."""
    return DECIDES_NOTHING, _ONLY_THEIRS, _RETENTION, _HEAD


def find_signed(me: Reach, lists: Sequence[str]) -> tuple[Agreement, ...]:
    """The agreements under which some lists are shared: for each the first that names it, as it is noted."""
    found = [next((one for one in me.signed if name in one.lists), None) for name in lists]
    return tuple(dict.fromkeys(one for one in found if one is not None))


def note_told(me: Reach, rows: Sequence[FlagRow]) -> tuple[Told, ...]:
    """The flags in a paper, by the agreement each is shared under."""
    told: dict[str | None, dict[str, None]] = {}
    for row in rows:
        signed = find_signed(me, [row.list])
        told.setdefault(signed[0].id if signed else None, {})[row.id] = None
    return tuple(Told(agreement, tuple(flags)) for agreement, flags in told.items())
