"""One stored flag -> its page, in layers: what it says, why, on what evidence, what speaks against, what is not known.

Everything shown stands in the stored text, in the record of decisions, or in the words of this site; nothing is worked
out again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from api.web.contesting import tell_challenges
from api.web.deciding import can_decide, can_take_up, tell_reviews
from api.web.evidence import Looked, find_looked, note_opening, read_back, tell_evidence
from api.web.identity import check_form
from api.web.judging import find_first, needs_first, tell_first
from api.web.keeping import find_database, name_user
from api.web.layout import find_pages
from api.web.place_map import tell_map
from api.web.reach import Reach, find_reach
from api.web.refusals import say_slower
from api.web.site_words import STATE_NAMES, say_leaving
from api.web.working import tell_work
from engine.store.database import Reading
from engine.store.flags import FlagRow, StoredFlag, history

router = APIRouter(dependencies=[Depends(check_form)])

_SECTIONS = (
    ("axes", "Points, one axis at a time"),
    ("why", "Why"), ("evidence", "Evidence"), ("map", "Where it is"), ("against", "What speaks against it"),
    ("unknown", "What was not known"), ("work", "What was asked and agreed"),
    ("change", "What would change it"), ("cards", "What score cards say"),
    ("next", "Who to bring together, and what they might do"), ("contest", "How to contest it"), ("history", "History"))
_DONE = {"agreed": "The action is agreed.", "asked": "The question is sent.",
         "taken-up": "You have taken this up.", "decided": "Your decision is saved."}
SLOWER = "slower"


@router.get("/flags/{id}")
def show_flag(
    request: Request, id: str, me: Annotated[Reach, Depends(find_reach)], done: str = "", back: str = "",
    only: str = "",
) -> Response:
    """The page of one flag, or the one that asks for a view first. 404 where there is none, or none for this person."""
    with find_database(request).reading() as reading:
        stored, looked = me.read(reading, id), find_looked(reading, id, me)
        first = needs_first(reading, me, stored.row)
        values = (tell_first(reading, me, stored, read_back(back, only)) if first else
                  _tell_flag(request, reading, me, stored, looked, done))
    note_opening(request, me, id, looked)
    return find_pages(request).show(request, "first.html" if first else "flag.html", values)


def _tell_flag(
    request: Request, reading: Reading, me: Reach, stored: StoredFlag, looked: Looked, done: str
) -> dict[str, Any]:
    flag, row = json.loads(stored.text), stored.row
    may_decide = all(me.may(reading, "decide", [row]))
    return {
        "flag": flag, "row": row, **tell_evidence(reading, me, row, flag, looked),
        "sections": [(key, title) for key, title in _SECTIONS if _has(flag, key)],
        "because": say_leaving(row.because),
        "lead": name_user(reading, row.lead) if row.lead else "",
        "done": _DONE.get(done, ""),
        "slower": _say_slower(reading, row) if done == SLOWER else "",
        "can_take_up": can_take_up(row, me) and all(me.may(reading, "take_up", [row])),
        "can_decide": can_decide(row) and may_decide, "may_decide": may_decide,
        "history": _tell_history(reading, me, row), "work": tell_work(request, reading, me, row),
        "contest": tell_challenges(reading, me, row), "map": tell_map(request, reading, me, row, flag),
    }


def _has(flag: Mapping[str, Any], section: str) -> bool:
    if section == "map":
        return bool(flag["list"] == "places")
    return bool(flag["cards"]) if section == "cards" else section != "axes" or flag["list"] != "allocations"


def _say_slower(reading: Reading, row: FlagRow) -> str:
    return say_slower(reading, "this flag", row.changed_by, row.changed_at, STATE_NAMES[row.state])


def _tell_history(reading: Reading, me: Reach, row: FlagRow) -> list[dict[str, Any]]:
    """This subject's flags, newest first, each with what was decided; alone and undecided, nothing."""
    found = history(reading, row.list, row.subject)
    first = find_first(reading, me, found)
    past = [{"id": one.id, "as_of": one.as_of, "band": one.band, "change": one.change, "state": one.state,
             "because": say_leaving(one.because), "here": one.id == row.id, "first": one.id in first,
             "reviews": tell_reviews(reading, one.id)} for one in found]
    return past[::-1] if len(past) > 1 or any(one["reviews"] for one in past) else []
