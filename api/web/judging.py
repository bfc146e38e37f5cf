"""An officer says how serious a flag is before they see what Wardwise says: on a sample, and once.

Explanations alone do not make people disagree with a machine that is wrong. Being asked first does, and people like it
less (Bucinca and others 2021, doi 10.1145/3449287), so it is asked about some flags and not about all. What was said is
kept beside the decision and binds nobody: it shows whether people still come to a view of their own.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from api.web.evidence import Back, find_looked, read_back, tell_evidence
from api.web.identity import check_form
from api.web.keeping import find_database, read_now
from api.web.layout import find_pages
from api.web.reach import Reach, find_reach
from api.web.site_words import OWN_BAND_ABOUT, OWN_BAND_NAMES
from engine.store import reviews
from engine.store.database import Reading
from engine.store.flags import FlagRow, StoredFlag
from engine.store.reviews import OWN_BANDS
from engine.store.tables import OPEN_STATES

router = APIRouter(dependencies=[Depends(check_form)])

FIRST_JUDGED = 5
"""One flag in five. A list of 25 people and places then asks each member five times a meeting: ten views, the fewest
that are counted (`judgements.TOO_FEW`), after two meetings, and a meeting that is not held up. Our own choice: the
study asked every time, and says itself that people like it less."""

RANKED = ("people", "places")
"""The lists whose flags have a band. An offer of a home is ranked by nothing: its officer is asked for a view of their
own where it is screened."""


def in_sample(flag: str, sample: int = FIRST_JUDGED) -> bool:
    """Whether a flag is one of those judged first: by its id alone, so for everybody, for ever, and of any kind.

    `sample`: one in so many; 0 is none.
    """
    return sample > 0 and int.from_bytes(sha256(flag.encode()).digest()[:8], "big") % sample == 0


def needs_first(reading: Reading, me: Reach, row: FlagRow) -> bool:
    """Whether this person is to say how serious a flag is before they see what we say."""
    return bool(find_first(reading, me, [row]))


def find_first(reading: Reading, me: Reach, rows: Sequence[FlagRow]) -> frozenset[str]:
    """Those of some flags that this person is to judge first: in the sample, still open, theirs to decide, and not yet
    said. Two queries at most for all of them, none where the sample holds none of them."""
    asked = [row for row in rows if row.list in RANKED and row.state in OPEN_STATES and in_sample(row.id, me.sample)]
    if not asked:
        return frozenset()
    mine = [row.id for row, may in zip(asked, me.may(reading, "decide", asked), strict=True) if may]
    return frozenset(mine) - reviews.find_judged(reading, me.id, mine)


def tell_first(reading: Reading, me: Reach, stored: StoredFlag, back: Back) -> dict[str, Any]:
    """What the page shows that asks: the records, the facts and what was not known, and nothing of what we make of
    them."""
    flag = json.loads(stored.text)
    return {
        "row": stored.row, "back": back, "wrong": "",
        "flag": {name: flag[name] for name in ("name", "subject", "as_of", "facts", "questions", "late_feeds")},
        "offered": [{"value": band, "text": OWN_BAND_NAMES[band], "hint": {"text": OWN_BAND_ABOUT[band]}}
                    for band in OWN_BANDS],
        **tell_evidence(reading, me, stored.row, flag, find_looked(reading, stored.row.id, me)),
    }


@router.post("/flags/{id}/first")
def judge_first(
    request: Request, id: str, me: Annotated[Reach, Depends(find_reach)],
    band: Annotated[str, Form(max_length=40)] = "", back: Annotated[str, Form(max_length=80)] = "",
    only: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """Keeps how serious this person thinks it is, and leads to what we say. The first word counts."""
    database, came = find_database(request), read_back(back, only)
    with database.reading() as reading:
        stored = me.read(reading, id, "decide")
        if needs_first(reading, me, stored.row) and band not in OWN_BANDS:
            values = {**tell_first(reading, me, stored, came), "wrong": "Say how serious you think it is"}
            return find_pages(request).show(request, "first.html", values, 400)
    with database.writing(read_now(request), me.id) as writing:
        row = me.read(writing, id, "decide").row
        if needs_first(writing, me, row):
            reviews.judge_first(writing, id, band)
        elif row.state not in OPEN_STATES:      # decided meanwhile: what is said of it now is said knowing that
            return RedirectResponse(f"/flags/{id}?done=slower", 303)
    return RedirectResponse(came.lead(id), 303)
