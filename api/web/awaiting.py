"""What somebody asked for: how far it is, how it ended, and the file it made. Others' are not there for them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import Response

from api.web.identity import NotSignedIn, check_form
from api.web.jobs import KEPT, MEDIA_TYPES, find_jobs
from api.web.keeping import find_database, read_now
from api.web.layout import find_pages
from api.web.reach import Reach, find_reach
from engine.store import jobs
from engine.store.jobs import Job
from engine.store.problems import Missing

router = APIRouter(dependencies=[Depends(check_form)])

Me = Annotated[Reach, Depends(find_reach)]


@router.get("/jobs")
def show_jobs(request: Request, me: Me) -> Response:
    """Everything this person asked for, newest first."""
    with find_database(request).reading() as reading:
        mine = jobs.of_user(reading, me.id)
    return find_pages(request).show(request, "jobs.html", {"jobs": [_tell(request, job) for job in mine]})


@router.get("/jobs/{id}")
def show_job(request: Request, id: str, me: Me) -> Response:
    """One thing asked for: how far it is, or how it ended."""
    return find_pages(request).show(request, "job.html", _tell(request, _read(request, id, me)))


@router.get("/jobs/{id}/progress")
def show_progress(request: Request, id: str, seen: str = "") -> Response:
    """The part of that page that changes; 204 while it has not changed since `seen`."""
    try:
        me = find_reach(request)
    except NotSignedIn:     # the whole page is asked for again, which leads to signing in
        return Response(headers={"HX-Refresh": "true"})
    told = _tell(request, _read(request, id, me))
    if told["seen"] == seen:
        return Response(status_code=204)
    return find_pages(request).show(request, "job_progress.html", told)


@router.get("/jobs/{id}/file")
def send_file(request: Request, id: str, me: Me) -> Response:
    """The file, to whoever asked for it. That it leaves was kept as a disclosure by whoever made it."""
    job = _read(request, id, me)
    content = find_jobs(request).read_file(job, read_now(request)) if job.file_name else None
    if content is None or job.file_name is None:
        raise HTTPException(404)
    return Response(content, media_type=MEDIA_TYPES[Path(job.file_name).suffix],
                    headers={"Content-Disposition": f'attachment; filename="{job.file_name}"',
                             "Cache-Control": "no-store"})


def _read(request: Request, id: str, me: Reach) -> Job:
    with find_database(request).reading() as reading:
        job = jobs.read(reading, id)
    if job.asked_by != me.id:
        raise Missing("the work asked for")
    return job


def _tell(request: Request, job: Job) -> dict[str, Any]:
    step = find_jobs(request).step(job.id)
    now = read_now(request)
    kept = job.file_name is not None and job.ended_at is not None and now - job.ended_at < KEPT
    return {"job": job, "step": step.said, "seen": f"{job.state}-{step.number}", "kept": kept,
            "until": job.ended_at + KEPT if job.ended_at else None}
