"""One stored flag -> its page, in layers: what it says, why, on what evidence, what speaks against, what is not known.

Everything shown stands in the stored text, in the record of decisions, or in the words of this site; nothing is worked
out again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from api.web.deciding import can_decide, can_take_up, tell_reviews
from api.web.identity import check_form
from api.web.keeping import find_database, name_user
from api.web.layout import find_pages, say_time
from api.web.reach import Reach, find_reach
from api.web.site_words import STATE_NAMES, say_leaving
from engine.store.database import Reading
from engine.store.flags import FlagRow, history

router = APIRouter(dependencies=[Depends(check_form)])

FIRST_RECORDS = 12
"""Records shown before the rest is folded away: about one screen."""

_SUFFERED = frozenset({"victim", "complainant", "witness", "child_present", "missing_person"})
_CAUSED = frozenset({"alleged_subject", "subject_substantiated", "convicted"})
_SECTIONS = (
    ("axes", "Points, one axis at a time"),
    ("why", "Why"), ("evidence", "Evidence"), ("against", "What speaks against it"),
    ("unknown", "What was not known"), ("change", "What would change it"), ("cards", "What score cards say"),
    ("next", "Who to bring together, and what they might do"), ("contest", "How to contest it"), ("history", "History"))
_DONE = {"taken-up": "You have taken this up.", "decided": "Your decision is saved."}
SLOWER = "slower"


@router.get("/flags/{id}")
def show_flag(request: Request, id: str, me: Annotated[Reach, Depends(find_reach)], done: str = "") -> Response:
    """The page of one flag. 404 where there is none, or none for this person."""
    with find_database(request).reading() as reading:
        stored = me.read(reading, id)
        flag, row = json.loads(stored.text), stored.row
        may_decide = all(me.may(reading, "decide", [row]))
        timeline = order_records(flag["records"])
        values = {
            "flag": flag, "row": row, "timeline": timeline, "first_records": FIRST_RECORDS,
            "places": {record["record"]: record["number"] for record in timeline},
            "sections": [(key, title) for key, title in _SECTIONS if _has(flag, key)],
            "because": say_leaving(row.because),
            "lead": name_user(reading, row.lead) if row.lead else "",
            "done": _DONE.get(done, ""),
            "slower": _say_slower(reading, row) if done == SLOWER else "",
            "can_take_up": can_take_up(row, me) and all(me.may(reading, "take_up", [row])),
            "can_decide": can_decide(row) and may_decide, "may_decide": may_decide,
            "history": _tell_history(reading, row),
        }
    return find_pages(request).show(request, "flag.html", values)


def _has(flag: Mapping[str, Any], section: str) -> bool:
    return bool(flag["cards"]) if section == "cards" else section != "axes" or flag["list"] != "allocations"


def order_records(records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Records newest first, numbered from the oldest, each with the side its part was on, where it had one."""
    ordered = sorted(records, key=lambda one: (one["occurred"] or one["known"], one["record"]), reverse=True)
    return [{**one, "number": len(ordered) - place, "side": _side(one["role"])} for place, one in enumerate(ordered)]


def _say_slower(reading: Reading, row: FlagRow) -> str:
    return (f"{name_user(reading, row.changed_by)} changed this flag on {say_time(row.changed_at)}. It is now: "
            f"{STATE_NAMES[row.state].lower()}. Nothing of yours was saved.")


def _side(role: str | None) -> str:
    return "suffered" if role in _SUFFERED else "caused" if role in _CAUSED else ""


def _tell_history(reading: Reading, row: FlagRow) -> list[dict[str, Any]]:
    """This subject's flags, newest first, each with what was decided; alone and undecided, nothing."""
    past = [{"id": one.id, "as_of": one.as_of, "band": one.band, "change": one.change, "state": one.state,
             "because": say_leaving(one.because), "here": one.id == row.id,
             "reviews": tell_reviews(reading, one.id)} for one in history(reading, row.list, row.subject)]
    return past[::-1] if len(past) > 1 or any(one["reviews"] for one in past) else []
