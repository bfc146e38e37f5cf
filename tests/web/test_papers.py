"""Papers: asked for by whoever meets, made outside the request, fetched by them alone, kept as a disclosure."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from hashlib import sha256

import httpx
import pytest

from api.web import jobs
from engine.store.agreements import find_disclosed_flags, find_disclosures
from engine.store.audit import Wanted, find
from engine.store.database import Database
from tests.papers.reading import read_sheet, read_word
from tests.web.conftest import Visitor
from tests.web.made import OFFERS, SCRIPT

Visit = Callable[..., Visitor]
FORMATS = {"pdf": b"%PDF-1.7", "docx": b"PK", "xlsx": b"PK"}


def ask(visitor: Visitor, path: str = "/papers/agenda", format: str = "docx", page: str = "/find") -> str:
    """Asks for a paper; the path of where it is made."""
    answer = visitor.send(page, path, format=format)
    assert answer.status_code == 200
    return str(re.findall(r"/jobs/[0-9a-f]{32}$", answer.url.path)[0])


def fetch(visitor: Visitor, job: str) -> httpx.Response:
    """The file, once it is there."""
    for _ in range(400):
        if (answer := visitor.get(f"{job}/file")).status_code == 200:
            return answer
        time.sleep(0.05)
    raise AssertionError(re.sub(r"<[^>]+>|\s+", " ", visitor.get(job).text))


def meet(visitor: Visitor) -> str:
    """Starts a meeting and gives its path."""
    run = re.findall(r'name="run" value="([^"]+)"', visitor.get("/meetings").text)[0]
    answer = visitor.send("/meetings", "/meetings", run=run, held_on="2026-11-24", present="=Priya Chair, council")
    return str(re.findall(r"/meetings/[0-9a-f]{32}", answer.url.path)[0])


@pytest.mark.parametrize("format", [pytest.param("pdf", marks=pytest.mark.more), "docx", "xlsx"])
def test_the_chair_asks_for_the_agenda_and_fetches_it(format: str, visit: Visit) -> None:
    chair = visit("tasking_chair")
    answer = fetch(chair, ask(chair, format=format))
    assert answer.content.startswith(FORMATS[format])
    assert answer.headers["content-disposition"] == f'attachment; filename="agenda-2026-11-23.{format}"'
    assert answer.headers["cache-control"] == "no-store"


def test_that_it_left_is_kept_with_every_flag_and_the_digest_of_the_file(visit: Visit, store: Database) -> None:
    chair = visit("tasking_chair")
    content = fetch(chair, ask(chair, format="xlsx")).content
    with store.reading() as reading:
        disclosure, = find_disclosures(reading)[0]
        flags = find_disclosed_flags(reading, disclosure.id)
        line, = find(reading, Wanted(action="disclosed"))[0]
    assert (disclosure.what, disclosure.rows, len(flags)) == ("agenda_xlsx", 4 + OFFERS, 4 + OFFERS)
    assert (disclosure.agency, disclosure.purpose) == ("community_safety", "prevent_crime_and_disorder")
    assert disclosure.file_digest == sha256(content).hexdigest()
    assert disclosure.agreement is not None
    assert disclosure.file_digest in line.body


def test_minutes_of_a_meeting_are_written_with_who_was_there(visit: Visit, store: Database) -> None:
    chair = visit("tasking_chair")
    meeting = meet(chair)
    answer = fetch(chair, ask(chair, f"{meeting}/papers", "xlsx"))
    assert 'filename="minutes-2026-11-24.xlsx"' in answer.headers["content-disposition"]
    assert "=Priya Chair, council" in read_sheet(answer.content)
    assert fetch(chair, ask(chair, f"{meeting}/papers", "pdf")).content.startswith(b"%PDF")
    with store.reading() as reading:
        assert {one.what for one in find_disclosures(reading)[0]} == {"minutes_xlsx", "minutes_pdf"}


def test_hostile_words_are_text_in_a_paper(visit: Visit) -> None:
    chair = visit("tasking_chair")
    assert SCRIPT in read_word(fetch(chair, ask(chair)).content)


@pytest.mark.parametrize("role", ["housing_officer", "housing_manager", "agency_officer", "analyst", "governance",
                                  "councillor", "administrator", "monitoring_officer"])
def test_no_other_role_can_ask_for_a_paper(role: str, visit: Visit, store: Database) -> None:
    meeting = meet(visit("tasking_chair"))
    visitor = visit(role)
    page = visitor.get("/jobs").text
    token = re.findall(r'name="form_token" value="([^"]+)"', page)[0]
    for path in ("/papers/agenda", f"{meeting}/papers"):
        answer = visitor.client.post(path, data={"form_token": token, "format": "pdf"},
                                     headers={"Sec-Fetch-Site": "same-origin"})
        assert answer.status_code == 403
    with store.reading() as reading:
        assert find_disclosures(reading)[0] == ()


def test_nobody_else_can_fetch_it(visit: Visit) -> None:
    chair = visit("tasking_chair")
    job = ask(chair)
    fetch(chair, job)
    assert visit("tasking_member").get(f"{job}/file").status_code == 404


@pytest.mark.parametrize(("path", "format", "status"), [
    ("/papers/agenda", "exe", 422), ("/papers/agenda", "", 422), (f"/meetings/{'0' * 32}/papers", "pdf", 404)])
def test_a_format_or_meeting_that_is_none_is_refused(path: str, format: str, status: int, visit: Visit) -> None:
    assert visit("tasking_chair").send("/find", path, format=format).status_code == status


def test_a_form_sent_from_elsewhere_makes_nothing(visit: Visit, store: Database) -> None:
    chair = visit("tasking_chair")
    answer = chair.client.post("/papers/agenda", data={"format": "pdf"}, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 419
    with store.reading() as reading:
        assert find_disclosures(reading)[0] == ()


def test_whoever_asks_while_the_server_stops_is_told_in_words(visit: Visit) -> None:
    chair = visit("tasking_chair")
    site: jobs.Jobs = chair.client.app.state.jobs
    site.stop()
    answer = chair.send("/find", "/papers/agenda", format="pdf")
    assert answer.status_code == 409
    assert "Wardwise is being stopped. Ask again in a few minutes." in answer.text
    assert answer.text.count('name="format"') == 3
