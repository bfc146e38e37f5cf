"""An analyst makes the lists of a day, looks at what changed, and only then puts them before people: two steps.

Making is long work (`jobs`), one run at a time. Until it is put before people, nobody but an analyst sees it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from api.making import keep_lists
from api.setting import Setting
from api.web.form import WRONG_DAY, read_day, write_day
from api.web.identity import check_form
from api.web.jobs import Learned, Say, find_jobs
from api.web.keeping import find_database, find_office, read_now
from api.web.layout import find_pages
from api.web.reach import Reach, need
from api.web.refusals import say_refusal
from api.web.site_words import LIST_TITLES
from api.words import say_day
from engine.errors import RunError
from engine.store import jobs
from engine.store.database import Reading
from engine.store.flags import Publication, find_latest, find_publications
from engine.store.jobs import Job
from engine.store.problems import Missing, StoreError, Unready
from engine.store.publishing import publish_run
from engine.wards import find_wards

router = APIRouter(dependencies=[Depends(check_form)])

KIND = "run"
Maker = Annotated[Reach, Depends(need("make_run", "runs"))]


@dataclass(frozen=True)
class Change:
    """One list of a run against the one people work with."""

    title: str
    new: int
    stays: int
    leaves: int


# --- making ----------------------------------------------------------------------------------------------


@router.get("/runs/new")
def show_new(request: Request, me: Maker) -> Response:
    """The form: which day."""
    find_office(request)
    return _show_form(request, write_day(me.today))


@router.post("/runs/new")
def begin_run(
    request: Request, me: Maker, typed: Annotated[str, Form(max_length=40, alias="as_of")] = "",
) -> Response:
    """Asks for the lists of a day, or shows the form again with why not."""
    setting, now = find_office(request).setting, read_now(request)
    as_of = read_day(typed)
    with find_database(request).reading() as reading:
        last = find_latest(reading)
    wrong = find_fault(setting, as_of, now.date(), last)
    if wrong or as_of is None:
        return _show_form(request, typed, wrong, 400)
    try:
        id = find_jobs(request).begin(me.id, now, KIND, {"as_of": as_of.isoformat()}, make_work(setting, as_of),
                                      alone=True)
    except Unready:
        raise
    except StoreError as refused:
        return _show_form(request, typed, say_refusal(refused), 409 if refused.fault == "conflict" else 400)
    return RedirectResponse(f"/jobs/{id}", 303)


def find_fault(setting: Setting, as_of: date | None, today: date, last: Publication | None) -> str:
    """Why no lists of this day are made; empty where they can be."""
    if as_of is None:
        return WRONG_DAY
    if as_of > today:
        return "Choose today or an earlier day"
    if last is not None and as_of < last.as_of:
        return f"Choose {say_day(last.as_of)} or later: people work with the lists of that day already"
    if not setting.lake.inputs(as_of):
        return "No extract had been taken in by that day. Take one in with `wardwise ingest`, or choose a later day"
    return ""


def make_work(setting: Setting, as_of: date) -> Callable[[Say], Learned]:
    """The work of making and keeping the lists of a day. Raises RunError where nothing was known by then."""
    def work(say: Say) -> Learned:
        say("reading what partners sent")
        name, run = keep_lists(setting, as_of, None, say)
        shown = sum(entry.status == "shown" for entry in run.entries)
        return Learned(f"The lists of {say_day(as_of)} are made: {shown:,} on them. Nobody else sees them yet.",
                       {"run": name})

    return work


def _show_form(request: Request, typed: str, wrong: str = "", status: int = 200) -> Response:
    with find_database(request).reading() as reading:
        last = find_latest(reading)
    return find_pages(request).show(request, "making.html", {"typed": typed, "wrong": wrong, "last": last}, status)


# --- comparing, and putting before people ----------------------------------------------------------------


@router.get("/runs/new/{id}")
def show_made(request: Request, id: str, me: Maker) -> Response:
    """What is new in the lists that were made, and the way to put them before people."""
    return _show_made(request, id)


@router.post("/runs/new/{id}/publish")
def publish_made(request: Request, id: str, me: Maker, sure: Annotated[str, Form(max_length=10)] = "") -> Response:
    """Puts the lists before people, once that was said deliberately."""
    setting, database = find_office(request).setting, find_database(request)
    with database.reading() as reading:
        name = _find_made(reading, id)[1]
    if sure != "yes":
        return _show_made(request, id, "Say that you looked at what changed", status=400)
    try:
        wards = find_wards(setting.runs, setting.lake, name)       # slow, so before anybody has to wait for the store
        with database.writing(read_now(request), me.id) as writing:
            publish_run(writing, setting.runs, name, wards)
    except Unready:
        raise
    except (StoreError, RunError) as refused:
        return _show_made(request, id, refused=say_refusal(refused), status=409)
    return RedirectResponse(f"/runs/new/{id}", 303)


def compare(new: Iterable[tuple[str, str]], old: Iterable[tuple[str, str]]) -> list[Change]:
    """How many of each list are new, stay and leave. Each is a list and a subject."""
    now, before = set(new), set(old)
    counts = [Counter(name for name, _ in some) for some in (now - before, now & before, before - now)]
    return [Change(title, *(count[name] for count in counts)) for name, title in LIST_TITLES.items()]


def _show_made(request: Request, id: str, wrong: str = "", refused: str = "", status: int = 200) -> Response:
    setting = find_office(request).setting
    with find_database(request).reading() as reading:
        job, name = _find_made(reading, id)
        published = find_publications(reading)
    last = next((one for one in published if one.run != name), None)
    values: dict[str, Any] = {
        "job": job, "as_of": date.fromisoformat(name[:10]), "wrong": wrong, "refused": refused, "last": last,
        "public": any(one.run == name for one in published), "late": last is not None and name[:10] < str(last.as_of)}
    try:
        values["changes"] = compare(_shown(setting, name), _shown(setting, last.run) if last else ())
        values["gone"] = ""
    except RunError as error:
        values |= {"changes": [], "gone": say_refusal(error)}
    return find_pages(request).show(request, "making_made.html", values, status)


def _find_made(reading: Reading, id: str) -> tuple[Job, str]:
    """The work that made a run, and the run's name. Raises Missing for any other."""
    job = jobs.read(reading, id)
    if job.kind != KIND or "run" not in job.about:
        raise Missing("the lists")
    return job, str(job.about["run"])


def _shown(setting: Setting, name: str) -> set[tuple[str, str]]:
    return {(entry["list"], entry["subject"]) for entry in setting.runs.lists(name)["entries"]
            if entry["status"] == "shown"}
