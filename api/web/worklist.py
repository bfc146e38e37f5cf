"""Actions and questions in one place: what is overdue first, then what is due, and what was answered or done lately.

Each line is asked of the policies: an agency's officer finds what their agency was asked and has to do, and of whom it
is only where they may open that flag.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import Response

from api.export import write_csv
from api.web.acting import say_about
from api.web.download import send_csv
from api.web.form import offer
from api.web.identity import check_form
from api.web.keeping import find_database, read_now
from api.web.layout import find_pages
from api.web.reach import Reach, need
from api.web.rights import Question, Task
from api.web.site_words import LIST_TITLES, WORK_NAMES
from engine.contract import AGENCIES
from engine.prose import name_agency
from engine.store import actions, questions
from engine.store.agreements import disclose
from engine.store.database import Reading
from engine.store.flags import FlagRow, read_rows
from engine.store.tables import ACTION_STATES, QUESTION_STATES

router = APIRouter(dependencies=[Depends(check_form)])
Me = Annotated[Reach, Depends(need("view_worklist", "worklist"))]

SOON_DAYS = 14
"""Due before the next meeting but one is due soon: the tasking group meets every second week."""

LATELY_DAYS = 28
"""What was done or answered since the last two meetings is shown; the rest stands on its flag."""

_LAST = date.max        # a question without a day comes after those with one
_WAITING = ("open", "asked")


@dataclass(frozen=True)
class Wanted:
    """What the address asks for: empty means everything there is to do, and what was done lately."""

    agency: Annotated[str, Query(max_length=80)] = ""
    state: Literal["", "open", "done", "cancelled", "asked", "answered", "withheld", "withdrawn"] = ""
    mine: Literal["", "yes"] = ""

    @property
    def query(self) -> str:
        """As it stands in an address."""
        return urlencode({key: value for key, value in vars(self).items() if value})


@dataclass(frozen=True)
class Line:
    """An action or a question. `flag` and `about` are empty for whoever may not open the flag."""

    kind: Literal["action", "question"]
    id: str
    says: str
    agency: str
    owner: str
    due: date | None
    state: str
    list: str
    about: str
    flag: str
    outcome: str
    changed_at: datetime

    @property
    def waits(self) -> bool:
        """Whether somebody has still to do or to say something."""
        return self.state in _WAITING


@dataclass(frozen=True)
class Sheaf:
    """Lines under one heading."""

    key: str
    title: str
    lines: Sequence[Line]


@router.get("/worklist")
def show_worklist(request: Request, me: Me, wanted: Annotated[Wanted, Depends()]) -> Response:
    """The page."""
    with find_database(request).reading() as reading:
        everything = find_lines(reading, me, Wanted(), read_now(request))
        lines = find_lines(reading, me, wanted, read_now(request)) if wanted != Wanted() else everything
        rows = read_rows(reading, {line.flag for line in lines if line.flag})
        may_export = any(me.may(reading, "export", list(rows.values())))
    sheaves = bind(lines, me.today, me.person.agency)
    agencies = sorted({line.agency for line in everything} | ({wanted.agency} & set(AGENCIES)), key=name_agency)
    values = {
        "sheaves": [one for one in sheaves if one.lines], "today": me.today, "filtered": wanted != Wanted(),
        "counts": [{"title": one.title, "count": len(one.lines), "key": one.key} for one in sheaves],
        "mine": wanted.mine == "yes", "own": name_agency(me.person.agency),
        "filters": _offer(wanted, agencies),
        "csv": f"/worklist.csv{'?' if wanted.query else ''}{wanted.query}" if may_export else ""}
    return find_pages(request).show(request, "worklist.html", values)


@router.get("/worklist.csv")
def download_worklist(request: Request, me: Me, wanted: Annotated[Wanted, Depends()]) -> Response:
    """The lines whose flags may leave, as CSV. What leaves is kept as a disclosure."""
    now = read_now(request)
    if not me.may_some("export"):
        raise HTTPException(403)
    with find_database(request).writing(now, me.id) as writing:
        lines = find_lines(writing, me, wanted, now)
        rows = list(read_rows(writing, {line.flag for line in lines if line.flag}).values())
        may = {row.id for row, leaves in zip(rows, me.may(writing, "export", rows), strict=True) if leaves}
        leaving = [line for sheaf in bind(lines, me.today, me.person.agency) for line in sheaf.lines
                   if line.flag in may]
        text = write_csv(_HEADERS, [_cells(line, me.today) for line in leaving])
        disclose(writing, me.person.agency, "worklist_csv", me.asker.purpose, sorted({one.flag for one in leaving}),
                 rows=len(leaving), file_digest=sha256(text.encode()).hexdigest(),
                 agreement=me.signed[0].id if me.signed else None)
    return send_csv(f"actions-{me.today}.csv", text)


def find_lines(reading: Reading, me: Reach, wanted: Wanted, now: datetime) -> list[Line]:
    """What fits and may be seen, the first due first."""
    agency = me.person.agency if wanted.mine else wanted.agency or None
    if wanted.mine and wanted.agency and wanted.agency != agency:
        return []
    since = now - timedelta(days=LATELY_DAYS)
    agreed = [one for states, after in _states(wanted.state, ACTION_STATES, "open", since)
              for one in actions.find(reading, states, agency, after)]
    asked = [one for states, after in _states(wanted.state, QUESTION_STATES, "asked", since)
             for one in questions.find(reading, agency, states, after)]
    rows = read_rows(reading, {*(one.flag for one in agreed), *(one.flag for one in asked)})
    tasks = [Task(one.id, rows[one.flag].list, one.agency, rows[one.flag].status) for one in agreed]
    put = [Question(one.id, rows[one.flag].list, one.agency, rows[one.flag].status) for one in asked]
    agreed = [one for one, may in zip(agreed, me.keep("view_action", tasks), strict=True) if may]
    asked = [one for one, may in zip(asked, me.keep("view_question", put), strict=True) if may]
    near = [rows[id] for id in sorted({*(one.flag for one in agreed), *(one.flag for one in asked)})]
    opened = {row.id for row, may in zip(near, me.may(reading, "view_flag", near), strict=True) if may}
    lines = [*(_tell_action(one, rows, opened) for one in agreed),
             *(_tell_question(one, rows, opened) for one in asked)]
    return sorted(lines, key=lambda line: (line.due or _LAST, line.kind, line.id))


def _states(
    state: str, known: Sequence[str], waiting: str, since: datetime
) -> list[tuple[tuple[str, ...], datetime | None]]:
    """Which states are read, and since when: what waits whenever it is from, what is over of lately."""
    if state:
        return [((state,), None)] if state in known else []
    return [((waiting,), None), (tuple(one for one in known if one != waiting), since)]


def _tell_action(one: actions.Action, rows: Mapping[str, FlagRow], opened: set[str]) -> Line:
    row, seen = rows[one.flag], one.flag in opened
    return Line("action", one.id, one.what, one.agency, one.owner, one.due, one.state, row.list,
                say_about(row) if seen else "", one.flag if seen else "", one.outcome, one.changed_at)


def _tell_question(one: questions.Question, rows: Mapping[str, FlagRow], opened: set[str]) -> Line:
    row, seen = rows[one.flag], one.flag in opened
    said = "; ".join(part for part in (one.value, one.reply) if part)
    return Line("question", one.id, one.asks, one.agency, "", one.due, one.state, row.list,
                say_about(row) if seen else "", one.flag if seen else "", said, one.changed_at)


def bind(lines: Sequence[Line], today: date, agency: str) -> list[Sheaf]:
    """The lines under their headings, each under one. What an agency is asked comes before what others are asked."""
    soon = today + timedelta(days=SOON_DAYS)
    waiting = [line for line in lines if line.waits]
    overdue = [line for line in waiting if line.due is not None and line.due < today]
    asked = [line for line in waiting if line.kind == "question" and line not in overdue]
    due = [line for line in waiting if line.kind == "action" and line not in overdue]
    over = sorted((line for line in lines if not line.waits), key=lambda line: line.changed_at, reverse=True)
    own = [line for line in asked if line.agency == agency]
    return [
        Sheaf("overdue", "Overdue", overdue),
        Sheaf("own", f"Asked of {name_agency(agency)}", own),
        Sheaf("soon", f"Due within {SOON_DAYS} days", [line for line in due if (line.due or _LAST) <= soon]),
        Sheaf("later", "Due later", [line for line in due if (line.due or _LAST) > soon]),
        Sheaf("asked", "Asked of other agencies", [line for line in asked if line.agency != agency]),
        Sheaf("over", "Done or answered lately", over)]


def _offer(wanted: Wanted, agencies: Sequence[str]) -> list[dict[str, Any]]:
    states = {"": "To do, and lately done", **WORK_NAMES}
    named = offer({"": "All", **{one: name_agency(one) for one in agencies}})
    return [{"name": "agency", "label": "Agency", "value": wanted.agency if wanted.agency in agencies else "",
             "items": named},
            {"name": "state", "label": "State", "value": wanted.state,
             "items": offer(states)}]


_HEADERS = ["kind", "list", "about", "what", "agency", "who answers for it", "due", "overdue", "state", "outcome"]


def _cells(line: Line, today: date) -> list[object]:
    late = line.waits and line.due is not None and line.due < today
    return [line.kind, LIST_TITLES[line.list], line.about, line.says, name_agency(line.agency), line.owner,
            line.due.isoformat() if line.due else "", "yes" if late else "no", WORK_NAMES[line.state], line.outcome]
