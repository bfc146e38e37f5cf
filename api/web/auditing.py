"""What was done and by whom, what left, and what is kept past its time: for those who answer for it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, HTTPException, Query, Request
from fastapi.responses import RedirectResponse, Response

from api.export import write_csv
from api.web.download import send_csv
from api.web.form import WRONG_DAY, list_errors, offer, read_day
from api.web.identity import check_form
from api.web.keeping import find_database, find_office, name_user, read_now
from api.web.layout import LONDON, find_pages, say_time
from api.web.paging import count_pages, make_pagination
from api.web.reach import Reach, need
from api.web.rights import Register
from api.web.site_words import say_code
from engine.prose import name_agency
from engine.retention import count_kept
from engine.store import audit
from engine.store.accounts import find_users
from engine.store.agreements import Disclosure, find_disclosed_flags, find_disclosures, read_disclosure
from engine.store.audit import Head, Wanted
from engine.store.chain import Line
from engine.store.database import SYSTEM, Database, Reading
from engine.store.flags import find_altered, find_publications, read_row

router = APIRouter(dependencies=[Depends(check_form)])

Auditor = Annotated[Reach, Depends(need("audit_verify", "audit"))]
Governance = Annotated[Reach, Depends(need("view_disclosures", "disclosures"))]

SIZE = 50
MOST = 20_000       # lines of one CSV: what a spreadsheet still opens with ease
_ANCHOR = re.compile(r"(\d{1,12}):([0-9a-f]{64})")


@dataclass(frozen=True)
class Sought:
    """What of the log is asked for: empty means everything. Days as typed; they are those of London, both included."""

    who: Annotated[str, Query(max_length=64)] = ""
    what: Annotated[str, Query(max_length=80)] = ""
    to: Annotated[str, Query(max_length=80)] = ""
    since: Annotated[str, Query(max_length=40)] = ""
    until: Annotated[str, Query(max_length=40)] = ""

    def address(self, path: str, page: int = 1) -> str:
        """The path and query that ask for this."""
        asked = {key: value for key, value in vars(self).items() if value}
        query = urlencode({**asked, **({"page": page} if page > 1 else {})})
        return f"{path}?{query}" if query else path

    def wanted(self) -> Wanted:
        """The same as the store is asked."""
        since, until = read_day(self.since), read_day(self.until)
        return Wanted(self.who or None, self.what or None, self.to or None, _begin(since) if since else None,
                      _begin(until + timedelta(days=1)) if until else None)

    def find_errors(self) -> dict[str, str]:
        """What is wrong, by field."""
        typed = {"since": self.since.strip(), "until": self.until.strip()}
        return {name: WRONG_DAY for name, day in typed.items() if day and read_day(day) is None}


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(), LONDON)


# --- the log -------------------------------------------------------------------------------------------


@router.get("/audit")
def show_audit(
    request: Request, me: Auditor, sought: Annotated[Sought, Depends()],
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
) -> Response:
    """The head of the log and the way to verify it; its lines for those who may read them."""
    may_read = me.may_do("audit_read", Register("audit"))
    errors = sought.find_errors() if may_read else {}
    with find_database(request).reading() as reading:
        values: dict[str, Any] = {"head": audit.head(reading), "may_read": may_read, "anchor": "", "errors": errors,
                                  "wrong": list_errors(errors)}
        if may_read:
            lines, total = audit.find(reading, sought.wanted(), page, SIZE) if not errors else ((), 0)
            pages = count_pages(total, SIZE, page)
            values |= {
                "sought": sought, "total": total, "page": page, "pages": pages,
                "lines": [_tell_line(reading, line) for line in lines],
                "people": offer({"": "Anybody", SYSTEM: "The weekly run",
                                 **{one.id: one.name for one in find_users(reading)}}),
                "actions": offer({"": "Anything", **{one: say_action(one) for one in audit.find_actions(reading)}}),
                "csv": sought.address("/audit.csv"),
                "pagination": make_pagination(page, pages, lambda number: sought.address("/audit", number))}
    return find_pages(request).show(request, "audit.html", values, 400 if errors else 200)


@router.get("/audit.csv")
def download_audit(
    request: Request, me: Annotated[Reach, Depends(need("audit_read", "audit"))], sought: Annotated[Sought, Depends()],
) -> Response:
    """The lines that fit as CSV, with their hashes; that it was taken is itself a line. 422 for a day that is none."""
    if sought.find_errors():
        raise HTTPException(422)
    with find_database(request).writing(read_now(request), me.id) as writing:
        lines, total = audit.find(writing, sought.wanted(), 1, MOST)
        names = {one.id: one.name for one in find_users(writing)}
        text = write_csv(
            ["number", "at", "who", "what", "to what", "details", "hash of the line before", "hash"],
            [[line.id, line.at.isoformat(), names.get(line.actor, line.actor), line.action, line.object, line.body,
              line.prev, line.hash] for line in lines])
        audit.append(writing, "audit.exported", "", {"lines": len(lines), "of": total})
    return send_csv("audit.csv", text)


@router.post("/audit/verify")
def verify_audit(
    request: Request, me: Auditor, anchor: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """Walks the whole log outside this request."""
    found = _ANCHOR.fullmatch(anchor.strip())
    if anchor.strip() and not found:
        with find_database(request).reading() as reading:
            errors = {"anchor": "Write the head as it was printed: a number, a colon, 64 letters and digits"}
            values = {"head": audit.head(reading), "may_read": False, "anchor": anchor, "errors": errors,
                      "wrong": list_errors(errors)}
        return find_pages(request).show(request, "audit.html", values, 400)
    printed = Head(int(found[1]), found[2]) if found else None
    database = find_database(request)
    job = request.app.state.jobs.begin(me.id, read_now(request), "audit_verify", {},
                                       lambda say: say_verified(database, printed))
    return RedirectResponse(f"/jobs/{job}", 303)


def say_verified(database: Database, printed: Head | None) -> str:
    """What walking the log found, and whether every flag is still the text whose digest the log holds."""
    with database.reading() as reading:
        broken, last = audit.verify(reading, printed), audit.head(reading)
        altered = [one.run for one in find_publications(reading) if find_altered(reading, one.run)]
    if broken:
        return (f"The log cannot be believed from line {broken.id} on: {broken.because}. Keep the database as it is, "
                f"tell whoever runs Wardwise, and compare with a backup.")
    if altered:
        return (f"The log is whole, and flags are no longer what was put before people: of the run"
                f"{'s' if len(altered) > 1 else ''} {', '.join(altered)}. Tell whoever runs Wardwise.")
    with_it = " The head that was printed stands in it." if printed else ""
    return (f"The log is whole: {last.id:,} lines, each tied to the one before; every flag is what was put "
            f"before people.{with_it} "
            f"Its head is {last.id}:{last.hash}")


def say_action(action: str) -> str:
    """`flag.taken_up` as `Flag: taken up`."""
    about, _, done = action.partition(".")
    return f"{say_code(about)}: {done.replace('_', ' ').replace('.', ', ')}" if done else say_code(about)


def _tell_line(reading: Reading, line: Line) -> dict[str, Any]:
    body: Mapping[str, Any] = json.loads(line.body)
    details = [f"{key.replace('_', ' ')}: {_say_value(value)}" for key, value in body.items()]
    return {"id": line.id, "at": line.at, "who": name_user(reading, line.actor) if line.actor else "Nobody yet",
            "what": say_action(line.action), "object": line.object, "details": details, "hash": line.hash}


def _say_value(value: Any) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(_say_value, value)) or "none"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return {True: "yes", False: "no", None: "none"}.get(value, str(value))


# --- what left -----------------------------------------------------------------------------------------


@router.get("/disclosures")
def show_disclosures(
    request: Request, me: Governance, agency: Annotated[str, Query(max_length=80)] = "",
    digest: Annotated[str, Query(max_length=64)] = "", page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
) -> Response:
    """Everything that left, newest first; `digest` finds the one that a file in hand came from."""
    with find_database(request).reading() as reading:
        found, total = find_disclosures(reading, agency=agency or None, digest=digest.strip().lower() or None,
                                        limit=SIZE, offset=(page - 1) * SIZE)
        pages = count_pages(total, SIZE, page)

        def address(number: int) -> str:
            asked = {"agency": agency, "digest": digest, "page": number if number > 1 else ""}
            query = urlencode({key: value for key, value in asked.items() if value})
            return f"/disclosures?{query}" if query else "/disclosures"

        values = {"found": [_tell_disclosure(reading, one) for one in found], "total": total, "agency": agency,
                  "digest": digest, "page": page, "pages": pages, "pagination": make_pagination(page, pages, address)}
    return find_pages(request).show(request, "disclosures.html", values)


@router.get("/disclosures/{id}")
def show_disclosure(request: Request, id: str, me: Governance) -> Response:
    """One of them, with the flags it told of: named for whoever may see them, else counted."""
    with find_database(request).reading() as reading:
        one = read_disclosure(reading, id)
        rows = [read_row(reading, flag) for flag in find_disclosed_flags(reading, id)]
        seen = [row for row, may in zip(rows, me.may(reading, "view_flag", rows), strict=True) if may]
        values = {"one": _tell_disclosure(reading, one), "flags": seen, "hidden": len(rows) - len(seen)}
    return find_pages(request).show(request, "disclosure.html", values)


def _tell_disclosure(reading: Reading, one: Disclosure) -> dict[str, Any]:
    return {"id": one.id, "at": say_time(one.at), "who": name_user(reading, one.actor),
            "agency": name_agency(one.agency), "what": say_code(one.what), "rows": one.rows,
            "digest": one.file_digest, "purpose": say_code(one.purpose)}


# --- what is kept --------------------------------------------------------------------------------------


@router.get("/retention")
def show_retention(request: Request, me: Governance) -> Response:
    """Each feed: how long its records may be kept, and how many are older."""
    today = read_now(request).astimezone(LONDON).date()
    kept = count_kept(find_office(request).setting.lake, today)
    return find_pages(request).show(request, "retention.html", {
        "kept": kept, "today": today, "past": sum(one.past for one in kept)})
