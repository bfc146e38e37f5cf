"""The records behind a flag, each opened in one click; and what of them who has opened (requirement R17).

Whoever decides is asked to look at what it rests on. That they did is kept with the decision, so that a group which
decides without looking can be told so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from api.web.identity import check_form
from api.web.keeping import find_database, read_now
from api.web.reach import Reach, find_reach
from engine.store import openings
from engine.store.database import Reading
from engine.store.flags import FlagRow
from engine.store.openings import FLAG, Opening, name_record

router = APIRouter(dependencies=[Depends(check_form)])

FIRST_RECORDS = 12
"""Records shown before the rest is folded away: about one screen."""

_SUFFERED = frozenset({"victim", "complainant", "witness", "child_present", "missing_person"})
_CAUSED = frozenset({"alleged_subject", "subject_substantiated", "convicted"})
_TOKEN = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Back:
    """Where a page of a flag was come to from: a meeting, or nowhere. What is no token of a meeting is nowhere."""

    meeting: str = ""
    only: Literal["", "moved"] = ""

    @property
    def query(self) -> str:
        """As it stands in the address of a flag's page."""
        asked = {"back": self.meeting, "only": self.only} if self.meeting else {}
        said = urlencode({name: value for name, value in asked.items() if value})
        return f"?{said}" if said else ""

    def lead(self, flag: str) -> str:
        """The way on: the flag at that meeting, or its own page."""
        if not self.meeting:
            return f"/flags/{flag}"
        return f"/meetings/{self.meeting}/items/{flag}" + (f"?only={self.only}" if self.only else "")


def read_back(back: str = "", only: str = "") -> Back:
    """Where somebody came from, as an address says: nobody is led anywhere but to a meeting of this site."""
    return Back(back, "moved" if only == "moved" else "") if _TOKEN.fullmatch(back) else Back()


@dataclass(frozen=True)
class Looked:
    """What one person opened of a flag, oldest first."""

    openings: tuple[Opening, ...]

    @property
    def flag(self) -> bool:
        """Whether they opened the flag at all."""
        return any(one.item == FLAG for one in self.openings)

    @property
    def records(self) -> frozenset[int]:
        """The numbers of the records they opened."""
        return frozenset(one.record for one in self.openings if one.record is not None)

    @property
    def items(self) -> tuple[str, ...]:
        """The records, as a review keeps them."""
        return tuple(name_record(number) for number in sorted(self.records))

    def since(self, now: datetime) -> datetime | None:
        """What they opened first today, and when: what was read on another day was not read for this decision."""
        return next((one.at for one in self.openings if one.at.date() == now.date()), None)


def find_looked(reading: Reading, flag: str, me: Reach) -> Looked:
    """What this person opened of a flag so far."""
    return Looked(openings.find_opened(reading, flag, me.id))


def note_opening(request: Request, me: Reach, flag: str, looked: Looked) -> None:
    """Keeps that this person opened a flag, where it is the first time. Whoever comes again waits for no writer."""
    if not looked.flag:
        with find_database(request).writing(read_now(request), me.id) as writing:
            openings.open_item(writing, flag, FLAG)


def tell_evidence(
    reading: Reading, me: Reach, row: FlagRow, flag: Mapping[str, Any], looked: Looked
) -> dict[str, Any]:
    """What `evidence.html` shows: the records in order, and those this person has looked at."""
    timeline = order_records(flag["records"])
    return {"timeline": timeline, "first_records": FIRST_RECORDS, "looked": looked.records,
            "places": {record["record"]: record["number"] for record in timeline},
            "may_look": all(me.may(reading, "view_evidence", [row]))}


def order_records(records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Records newest first, numbered from the oldest, each with the side its part was on, where it had one.

    What was opened is kept by number: another order would make it say that something else was opened.
    """
    ordered = sorted(records, key=lambda one: (one["occurred"] or one["known"], one["record"]), reverse=True)
    return [{**one, "number": len(ordered) - place, "side": _side(one["role"])} for place, one in enumerate(ordered)]


def _side(role: str | None) -> str:
    return "suffered" if role in _SUFFERED else "caused" if role in _CAUSED else ""


@router.post("/flags/{id}/opened")
def open_record(
    request: Request, id: str, me: Annotated[Reach, Depends(find_reach)], item: Annotated[int, Form(ge=1)],
    back: Annotated[str, Form(max_length=80)] = "", only: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """Keeps that this person looked at a record. A script is answered with nothing, a form with the way back to it."""
    database = find_database(request)
    with database.reading() as reading:
        stored = me.read(reading, id, "view_evidence")
        if item > len(json.loads(stored.text)["records"]):
            raise HTTPException(404)
        new = item not in find_looked(reading, id, me).records
    if new:
        with database.writing(read_now(request), me.id) as writing:
            me.read(writing, id, "view_evidence")
            openings.open_item(writing, id, name_record(item))
    if request.headers.get("HX-Request"):
        return Response(status_code=204)
    return RedirectResponse(f"/flags/{id}{read_back(back, only).query}#record-{item}", 303)
