"""The three lists: filtered, counted, in pages, and as CSV. And finding one subject.

A filter stands in the address, so that a list can be kept as a bookmark. What somebody searches for does not: it may be
a person's number, and addresses are written down in many places.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, HTTPException, Query, Request
from fastapi.responses import Response

from api.export import write_csv
from api.web.download import send_csv
from api.web.entries import make_entries
from api.web.identity import check_form
from api.web.judging import find_first
from api.web.keeping import find_database, name_user, read_now
from api.web.layout import find_pages
from api.web.paging import count_pages, make_pagination
from api.web.reach import Reach, reader
from api.web.site_words import CHANGE_SHORT, ORDERS, STATE_NAMES, say_theme
from api.words import AXES, BANDS, CHANGES, say_agencies, say_standing
from engine.prose import name_agency
from engine.store.agreements import disclose
from engine.store.database import Reading
from engine.store.flags import Filters, FlagRow, Order, Publication, count, find_labels, find_publications, read_texts

router = APIRouter(dependencies=[Depends(check_form)])

SIZE = 25
"""Lines on a page: more than a meeting's people or places, and still read without losing the thread."""

MOST = 5000
"""Rows of one CSV: a whole borough's offers; more is a job for the analyst's own tools."""

_SHORTEST = 3       # characters somebody searches for: fewer find everybody
_BY_NAME = ("theme", "ward", "agency")      # filters whose choices have no order of their own
ListName = Literal["people", "places", "allocations"]
Me = Annotated[Reach, Depends(reader)]


@dataclass(frozen=True)
class Wanted:
    """What the address asks for: empty means everything."""

    band: Literal["", "convene", "discuss", "watch"] = ""
    axis: Literal["", "vulnerability", "harm", "place", "process"] = ""
    theme: Annotated[str, Query(max_length=80)] = ""
    ward: Annotated[str, Query(max_length=200)] = ""
    agency: Annotated[str, Query(max_length=80)] = ""
    state: Literal["", "proposed", "under_review", "needs_information", "confirmed", "declined", "redirected"] = ""
    change: Literal["", "new", "worse", "better", "same", "stale", "left"] = ""
    mine: Literal["", "yes"] = ""
    order: Literal["", "list", "band"] = ""

    def address(self, name: str, page: int = 1, **other: str) -> str:
        """The path and query that ask for this, with some of it changed."""
        asked = {key: value for key, value in {**vars(self), **other}.items() if value}
        query = urlencode({**asked, **({"page": page} if page > 1 else {})})
        return f"/{name}?{query}" if query else f"/{name}"


@router.get("/{name}.csv")
def download_list(request: Request, name: ListName, me: Me, wanted: Annotated[Wanted, Depends()]) -> Response:
    """The flags that fit as CSV, one column for each axis. What leaves is kept as a disclosure."""
    if not me.may_some("export"):
        raise HTTPException(403)
    with find_database(request).writing(read_now(request), me.id) as writing:
        filters, _ = _narrow(writing, _own(me, name), me, wanted)
        found = me.find(writing, filters, _order(wanted), 1, MOST).rows
        rows = [row for row, may in zip(found, me.may(writing, "export", found), strict=True) if may]
        texts = read_texts(writing, [row.id for row in rows])
        text = write_csv(_HEADERS, [_cells(row, json.loads(texts[row.id])) for row in rows])
        disclose(writing, me.person.agency, "list_csv", me.asker.purpose, [row.id for row in rows],
                 file_digest=sha256(text.encode()).hexdigest(), agreement=me.signed[0].id if me.signed else None)
    day = f"-{rows[0].as_of}" if rows else ""
    return send_csv(f"{name}{day}.csv", text)


@router.get("/find")
def show_find(request: Request, me: Me) -> Response:
    """The form to find one subject."""
    return find_pages(request).show(request, "find.html", {"found": None, "wrong": "", "words_typed": "", "said": ""})


@router.post("/find")
def find_subject(request: Request, me: Me, words: Annotated[str, Form(max_length=200)] = "") -> Response:
    """What fits, on the answer itself: nothing of it goes into an address."""
    words, wrong = words.strip(), ""
    values: dict[str, Any] = {"found": None, "words_typed": words, "said": ""}
    if len(words) < _SHORTEST:
        wrong = f"Type at least {_SHORTEST} characters"
    else:
        here = tuple(state for state in STATE_NAMES if state != "superseded")
        with find_database(request).reading() as reading:
            page = me.find(reading, Filters(states=here, search=words), "newest", 1, SIZE)
            values["found"] = make_entries(
                reading, page.rows, lambda user: name_user(reading, user), find_first(reading, me, page.rows))
        values["said"] = f"{say_count(page.total)} found" + (
            f"; the first {SIZE} are shown. Type more to find fewer." if page.total > SIZE else ".")
    return find_pages(request).show(request, "find.html", {**values, "wrong": wrong}, 400 if wrong else 200)


@router.get("/{name}")
def show_list(
    request: Request, name: ListName, me: Me, wanted: Annotated[Wanted, Depends()],
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> Response:
    """One page of a list."""
    _own(me, name)
    with find_database(request).reading() as reading:
        filters, published = _narrow(reading, name, me, wanted)
        found = me.find(reading, filters, _order(wanted), page, SIZE)
        pages = count_pages(found.total, SIZE, page)
        values = {
            "list": name, "as_of": published[0].as_of if published else None, "page": page, "pages": pages,
            "rows": make_entries(
                reading, found.rows, lambda user: name_user(reading, user), find_first(reading, me, found.rows)),
            "counts": _count(reading, name, me, wanted), "filters": _offer(reading, name, me, wanted),
            "mine": wanted.mine == "yes", "said": _say(found.total, page, pages),
            "csv": wanted.address(f"{name}.csv"), "pagination": make_pagination(
                page, pages, lambda number: wanted.address(name, number)),
            "empty": _say_empty(bool(published), wanted != Wanted()),
        }
    return find_pages(request).show(request, "list.html", values)


# --- what is asked -------------------------------------------------------------------------------------


def _own(me: Reach, name: str) -> str:
    if name not in me.lists:
        raise HTTPException(403)
    return name


def _order(wanted: Wanted) -> Order:
    return wanted.order or "list"


def _narrow(reading: Reading, name: str, me: Reach, wanted: Wanted) -> tuple[Filters, Sequence[Publication]]:
    """The limits of one list: of the last run, or for who left, of the one before it."""
    published = find_publications(reading)[:2]
    left = wanted.change == "left"
    runs = tuple(one.run for one in (published[1:] if left else published[:1]))
    filters = Filters(
        runs=runs, lists=(name,), bands=_one(wanted.band), axes=_one(wanted.axis), themes=_one(wanted.theme),
        wards=_one(wanted.ward), agencies=_one(wanted.agency), leads=(me.id,) if wanted.mine else None,
        states=("left",) if left else _one(wanted.state), changes=None if left else _one(wanted.change))
    return me.limit(filters), published


def _one(value: str) -> tuple[str, ...] | None:
    return (value,) if value else None


def _count(reading: Reading, name: str, me: Reach, wanted: Wanted) -> list[dict[str, Any]]:
    """How many of each change, each with the way to see them; the other filters stay."""
    current, _ = _narrow(reading, name, me, replace(wanted, change=""))
    gone, _ = _narrow(reading, name, me, replace(wanted, change="left"))
    counts = count(reading, current, "change")
    found = {"": sum(counts.values()), **{change: counts.get(change, 0) for change in CHANGE_SHORT},
             "left": sum(count(reading, gone, "state").values())}
    texts = {"": "On the list", **CHANGE_SHORT, "left": "Left"}
    return [{"text": texts[change], "count": number, "current": wanted.change == change,
             "href": wanted.address(name, change=change)} for change, number in found.items()]


def _offer(reading: Reading, name: str, me: Reach, wanted: Wanted) -> list[dict[str, Any]]:
    """The filters, with what there is on this list to choose from."""
    filters, _ = _narrow(reading, name, me, Wanted())
    themes = {theme: say_theme(theme) for theme in find_labels(reading, filters, "theme")}
    agencies = {agency: name_agency(agency) for agency in find_labels(reading, filters, "agency")}
    wards = {ward: ward for ward in count(reading, filters, "ward") if ward}
    offered: Sequence[tuple[str, str, Mapping[str, str]]] = (
        ("band", "Band", BANDS), ("axis", "Axis", AXES if name != "allocations" else {}), ("theme", "Theme", themes),
        ("ward", "Ward", wards), ("agency", "Agency to bring in", agencies),
        ("state", "State", {state: said for state, said in STATE_NAMES.items() if state not in ("superseded", "left")}),
        ("change", "Changed since last time", {**CHANGES, "left": "left the list"}), ("order", "Order", ORDERS))
    return [{"name": key, "label": label, "value": getattr(wanted, key), "items": _items(key, choices)}
            for key, label, choices in offered if choices]


def _items(key: str, choices: Mapping[str, str]) -> list[dict[str, str]]:
    ordered = sorted(choices.items(), key=lambda pair: pair[1]) if key in _BY_NAME else choices.items()
    all_of_them = [] if key == "order" else [{"value": "", "text": "All"}]
    return [*all_of_them, *({"value": value, "text": text[0].upper() + text[1:]} for value, text in ordered)]


# --- what is said --------------------------------------------------------------------------------------


def say_count(number: int) -> str:
    """`1 flag`, `2,100 flags`."""
    return f"{number:,} flag{'' if number == 1 else 's'}"


def _say(total: int, page: int, pages: int) -> str:
    return f"{say_count(total)}." + (f" Page {page} of {pages}." if pages > 1 else "")


def _say_empty(published: bool, filtered: bool) -> dict[str, Any]:
    if not published:
        return {"heading": "No list yet", "texts": [
            "No run has been put before people yet. Whoever runs Wardwise makes one and publishes it."]}
    if filtered:
        return {"heading": "Nothing fits these filters", "texts": ["Take one of them away, or clear them all."]}
    return {"heading": "Nothing on this list", "texts": [
        "No rule put anything forward that you may see. If a feed is late, rules cannot tell: an empty list is not yet "
        "good news."]}


_HEADERS = ["list", "position", "number", "name", "band", "change", "state", *AXES.values(), "reasons",
            "bring together", "as of"]


def _cells(row: FlagRow, flag: Mapping[str, Any]) -> list[object]:
    points = {axis["axis"]: axis["points"] for axis in flag["axes"]}
    said = [*(reason["because"] for reason in flag["reasons"]), *(card["said"] for card in flag["cards"])]
    return [row.list, row.position, row.subject, row.name, say_standing(flag), CHANGES[row.change],
            STATE_NAMES[row.state], *(points.get(axis) for axis in AXES), " | ".join(said),
            say_agencies(flag["convene"]), row.as_of.isoformat()]
