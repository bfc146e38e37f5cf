"""The agenda and the minutes as files: asked for here, made as long work, each kept as a disclosure of its flags."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import sha256
from types import MappingProxyType
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from api.papers.agenda import build_agenda
from api.papers.cover import Cover
from api.papers.minutes import build_minutes
from api.papers.paper import Paper
from api.papers.pdf import write_pdf
from api.papers.sheet import write_sheet
from api.papers.word import write_word
from api.web.identity import check_form
from api.web.jobs import MEDIA_TYPES, Made, Say, find_jobs
from api.web.keeping import find_database, read_now
from api.web.layout import find_pages
from api.web.reach import Reach, need
from api.web.refusals import say_refusal
from engine.store.agreements import disclose
from engine.store.database import Database, Reading
from engine.store.meetings import read_meeting
from engine.store.problems import StoreError, Unready

router = APIRouter(dependencies=[Depends(check_form)])

Me = Annotated[Reach, Depends(need("hold_meeting", "meetings"))]
Format = Annotated[Literal["pdf", "docx", "xlsx"], Form()]
Build = Callable[[Reading, Cover], Paper]

WRITERS: Mapping[str, Callable[[Paper], bytes]] = MappingProxyType(
    {"pdf": write_pdf, "docx": write_word, "xlsx": write_sheet})
_FORMAT_NAMES = {"pdf": "PDF", "docx": "Word document", "xlsx": "spreadsheet"}
_TITLES = {"agenda": "Print the agenda", "minutes": "Print the minutes"}


@router.post("/papers/agenda")
def begin_agenda(request: Request, me: Me, format: Format) -> Response:
    """Asks for the agenda of the last lists, and goes to where it is made."""
    return _begin(request, me, "agenda", format, {}, build_agenda)


@router.post("/meetings/{id}/papers")
def begin_minutes(request: Request, id: str, me: Me, format: Format) -> Response:
    """Asks for the minutes of a meeting; of one still open, a draft. 404 where there is none."""
    with find_database(request).reading() as reading:
        read_meeting(reading, id)
    return _begin(request, me, "minutes", format, {"meeting": id},
                  lambda reading, cover: build_minutes(reading, cover, id))


def _begin(request: Request, me: Reach, kind: str, format: str, about: Mapping[str, str], build: Build) -> Response:
    work = make_work(find_database(request), request.app.state.clock, me, request.app.state.brand.council,
                     (kind, format), build)
    try:
        id = find_jobs(request).begin(me.id, read_now(request), f"{kind}_{format}", about, work)
    except Unready:
        raise
    except StoreError as refused:
        values = {"wrong": say_refusal(refused), "title": _TITLES[kind], "papers_to": request.url.path,
                  "papers_about": kind.capitalize()}
        return find_pages(request).show(request, "papers.html", values, 409 if refused.fault == "conflict" else 400)
    return RedirectResponse(f"/jobs/{id}", 303)


def make_work(
    database: Database, clock: Callable[[], datetime], me: Reach, council: str, wanted: tuple[str, str], build: Build,
) -> Callable[[Say], Made]:
    """The work of making one paper. `wanted`: agenda or minutes, and the format.

    Read in one look, so that nothing in it contradicts itself; written while nobody waits for the database; and handed
    out only once it is kept whom it tells of.
    """
    kind, format = wanted

    def work(say: Say) -> Made:
        say("reading the lists")
        at = clock()
        with database.reading() as reading:
            paper = build(reading, Cover(council, me, at))
        say(f"writing the {_FORMAT_NAMES[format]}")
        made = Made(f"{paper.name}.{format}", WRITERS[format](paper), MEDIA_TYPES[f".{format}"])
        say("keeping what it tells of")
        note_disclosures(database, clock(), me, f"{kind}_{format}", paper, made.content)
        return made

    return work


def note_disclosures(database: Database, at: datetime, me: Reach, what: str, paper: Paper, content: bytes) -> None:
    """Keeps that a paper left: one disclosure for each agreement its flags are shared under."""
    with database.writing(at, me.id) as writing:
        for told in paper.told:
            disclose(writing, me.person.agency, what, me.asker.purpose, told.flags,
                     file_digest=sha256(content).hexdigest(), agreement=told.agreement)
