"""Every address of the site, asked by every role, of an agency that signed the sharing agreement and of one that did
not. What opens for whom is written down below; an address that is not in the table fails the test.

In the table: `o` it opens, whichever agency; `s` it opens for an agency that signed; `.` it does not open: the answer
is 403 or 404, and leads nobody anywhere. Forms are sent empty: whoever may send them is told what is missing.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
from fastapi.routing import iter_route_contexts

from api.demo import UNTIL
from api.screens import Asker, Once
from api.web.rights import ROLES
from engine.contract import AGENCIES
from engine.store import accounts, actions, agreements, challenges, flags, jobs, meetings, questions, requests
from engine.store.agreements import Terms
from engine.store.database import Reading, Writing
from engine.store.flags import Filters
from tests.web.conftest import NOW, OWN, Borough, Visitor, open_borough

OUTSIDE = "education"
ANYBODY = ("/health", "/sign-in", "/sign-out", "/account", "/away", "/static", "/")
"""What asks for no right: to be let in, to leave, and what carries nothing about anybody."""

NOTHING = {"version": "1", "started": "0", "decision": "", "says": "", "format": "xlsx", "drawn": "x",
           "item": "1"}
"""What a form always holds, whatever was filled in."""

TABLE = """\
                                                        tc tm ho hm ao a  g  c  a  mo
GET  /accounts                                          .  .  .  .  .  .  .  .  o  .
GET  /accounts/new                                      .  .  .  .  .  .  .  .  o  .
GET  /accounts/{id}                                     .  .  .  .  .  .  .  .  o  .
GET  /actions/{id}                                      s  s  .  .  s  .  .  .  .  .
GET  /agreements                                        .  .  .  .  .  .  o  .  o  .
GET  /agreements/new                                    .  .  .  .  .  .  .  .  o  .
GET  /agreements/{id}                                   .  .  .  .  .  .  o  .  o  .
GET  /audit                                             .  .  .  .  .  .  o  .  o  .
GET  /audit.csv                                         .  .  .  .  .  .  o  .  .  .
GET  /challenges                                        .  .  .  .  .  .  o  .  .  o
GET  /challenges/{id}                                   .  .  .  .  .  .  s  .  .  .
GET  /challenges/{id}/notices/{agency}                  .  .  .  .  .  .  s  .  .  .
GET  /data                                              .  .  .  .  .  o  .  .  .  .
GET  /data/files                                        .  .  .  .  .  o  .  .  .  .
GET  /data/quarantine                                   .  .  .  .  .  o  .  .  .  .
GET  /data/quarantine.csv                               .  .  .  .  .  o  .  .  .  .
GET  /disclosures                                       .  .  .  .  .  .  o  .  .  .
GET  /disclosures/{id}                                  .  .  .  .  .  .  o  .  .  .
GET  /find                                              s  s  .  s  s  s  s  .  .  .
GET  /flags/{id}                                        s  s  .  .  s  s  s  .  .  .
GET  /flags/{id}/agree                                  s  s  .  .  .  .  .  .  .  .
GET  /flags/{id}/ask                                    s  s  .  .  .  .  .  .  .  .
GET  /flags/{id}/contest                                s  s  .  .  s  .  s  .  .  .
GET  /flags/{id}/contested/{challenge}                  s  s  .  .  s  s  s  .  .  .
GET  /flags/{id}/decide                                 s  s  .  .  .  .  .  .  .  .
GET  /jobs                                              o  o  o  o  o  o  o  o  o  o
GET  /jobs/{id}                                         o  .  .  .  .  .  .  .  .  .
GET  /jobs/{id}/file                                    .  .  .  .  .  .  .  .  .  .
GET  /jobs/{id}/progress                                o  .  .  .  .  .  .  .  .  .
GET  /meetings                                          o  o  .  .  .  .  .  .  .  .
GET  /meetings/{id}                                     o  o  .  .  .  .  .  .  .  .
GET  /meetings/{id}/close                               o  o  .  .  .  .  .  .  .  .
GET  /meetings/{id}/items/{flag}                        s  s  .  .  .  .  .  .  .  .
GET  /numbers                                           o  o  .  o  .  o  o  o  .  .
GET  /numbers.csv                                       o  o  .  o  .  o  o  o  .  .
GET  /overrides                                         .  .  .  o  .  o  .  .  .  .
GET  /overrides.csv                                     .  .  .  o  .  o  .  .  .  .
GET  /overrides/{id}                                    .  .  .  o  .  .  .  .  .  .
GET  /questions/{id}                                    s  s  .  .  s  .  .  .  .  .
GET  /recalls                                           s  s  .  s  s  s  s  .  .  .
GET  /retention                                         .  .  .  .  .  .  o  .  .  .
GET  /reviewing                                         o  .  .  .  .  o  o  .  .  .
GET  /rules                                             o  o  o  o  o  o  o  o  o  o
GET  /rules.csv                                         o  o  o  o  o  o  o  o  o  o
GET  /rules/{subject}/{name}                            o  o  o  o  o  o  o  o  o  o
GET  /runs                                              .  .  .  .  .  o  o  .  .  .
GET  /runs/new                                          .  .  .  .  .  o  .  .  .  .
GET  /runs/new/{id}                                     .  .  .  .  .  .  .  .  .  .
GET  /runs/{name}                                       .  .  .  .  .  o  o  .  .  .
GET  /screenings                                        .  .  o  o  .  .  .  .  .  .
GET  /screenings/new                                    .  .  o  o  .  .  .  .  .  .
GET  /screenings/{token}                                .  .  o  o  .  .  .  .  .  .
GET  /screenings/{token}/homes                          .  .  o  o  .  .  .  .  .  .
GET  /screenings/{token}/offer                          .  .  o  o  .  .  .  .  .  .
GET  /screenings/{token}/override/{number}              .  .  o  o  .  .  .  .  .  .
GET  /screenings/{token}/view                           .  .  o  o  .  .  .  .  .  .
GET  /screenings/{token}/withdraw                       .  .  .  .  .  .  .  .  .  .
GET  /worklist                                          o  o  .  .  o  .  .  .  .  .
GET  /worklist.csv                                      s  s  .  .  .  .  .  .  .  .
GET  /{name}                                            s  s  .  .  s  s  s  .  .  .
GET  /{name}.csv                                        s  s  .  .  .  .  .  .  .  .
POST /accounts/new                                      .  .  .  .  .  .  .  .  o  .
POST /accounts/{id}                                     .  .  .  .  .  .  .  .  o  .
POST /accounts/{id}/password                            .  .  .  .  .  .  .  .  o  .
POST /accounts/{id}/shut                                .  .  .  .  .  .  .  .  o  .
POST /accounts/{id}/unlock                              .  .  .  .  .  .  .  .  o  .
POST /actions/{id}/cancel                               s  s  .  .  s  .  .  .  .  .
POST /actions/{id}/done                                 s  s  .  .  s  .  .  .  .  .
POST /actions/{id}/put-off                              s  s  .  .  s  .  .  .  .  .
POST /agreements/new                                    .  .  .  .  .  .  .  .  o  .
POST /agreements/{id}/withdraw                          .  .  .  .  .  .  .  .  o  .
POST /audit/verify                                      .  .  .  .  .  .  o  .  o  .
POST /challenges/{id}/believe                           .  .  .  .  .  .  s  .  .  .
POST /challenges/{id}/recall                            .  .  .  .  .  .  s  .  .  .
POST /challenges/{id}/settle                            .  .  .  .  .  .  s  .  .  .
POST /find                                              s  s  .  s  s  s  s  .  .  .
POST /flags/{id}/agree                                  s  s  .  .  .  .  .  .  .  .
POST /flags/{id}/ask                                    s  s  .  .  .  .  .  .  .  .
POST /flags/{id}/contest                                s  s  .  .  s  .  s  .  .  .
POST /flags/{id}/decide                                 s  s  .  .  .  .  .  .  .  .
POST /flags/{id}/first                                  s  s  .  .  .  .  .  .  .  .
POST /flags/{id}/opened                                 s  s  .  .  s  s  s  .  .  .
POST /flags/{id}/take-up                                s  s  .  .  .  .  .  .  .  .
POST /meetings                                          o  o  .  .  .  .  .  .  .  .
POST /meetings/{id}/close                               o  o  .  .  .  .  .  .  .  .
POST /meetings/{id}/items/{flag}                        s  s  .  .  .  .  .  .  .  .
POST /meetings/{id}/papers                              o  o  .  .  .  .  .  .  .  .
POST /meetings/{id}/present                             o  o  .  .  .  .  .  .  .  .
POST /overrides/{id}                                    .  .  .  o  .  .  .  .  .  .
POST /overrides/{id}/withdraw                           .  .  o  .  .  .  .  .  .  .
POST /papers/agenda                                     o  o  .  .  .  .  .  .  .  .
POST /questions/{id}/answer                             .  .  .  .  s  .  .  .  .  .
POST /questions/{id}/withdraw                           s  s  .  .  .  .  .  .  .  .
POST /questions/{id}/withhold                           .  .  .  .  s  .  .  .  .  .
POST /recalls/{challenge}/{disclosure}/acknowledge      s  s  .  s  s  s  s  .  .  .
POST /runs/new                                          .  .  .  .  .  o  .  .  .  .
POST /runs/new/{id}/publish                             .  .  .  .  .  .  .  .  .  .
POST /screenings                                        .  .  o  o  .  .  .  .  .  .
POST /screenings/find                                   .  .  o  o  .  .  .  .  .  .
POST /screenings/{token}/again                          .  .  o  o  .  .  .  .  .  .
POST /screenings/{token}/answers                        .  .  o  o  .  .  .  .  .  .
POST /screenings/{token}/homes                          .  .  o  o  .  .  .  .  .  .
POST /screenings/{token}/offer                          .  .  o  o  .  .  .  .  .  .
POST /screenings/{token}/override/{number}              .  .  o  o  .  .  .  .  .  .
POST /screenings/{token}/view                           .  .  o  o  .  .  .  .  .  .
POST /screenings/{token}/withdraw                       .  .  o  o  .  .  .  .  .  .
"""


@dataclass(frozen=True)
class World:
    """A borough with one of everything, and what stands for each part of an address."""

    borough: Borough
    parts: Mapping[str, str]

    def addresses(self) -> list[tuple[str, str]]:
        """Every method and address that is not for anybody, as the site declares them."""
        return sorted((method, one.path) for one in iter_route_contexts(self.borough.site.routes)
                      for method in one.methods or () if method in ("GET", "POST")
                      and not any(one.path == open or one.path.startswith(f"{open}/") for open in ANYBODY[:-1])
                      and one.path != "/")

    def fill(self, path: str) -> str:
        """The address of something that is there."""
        filled = path
        for part, value in self.parts.items():
            filled = filled.replace(part, value)
        filled = filled.replace("/{name}", "/people")
        assert "{" not in filled, f"nothing stands for a part of {path}"
        return filled


@pytest.fixture(scope="module")
def world(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    home = tmp_path_factory.mktemp("walked") / "home"
    shutil.copytree(prepared, home)
    borough = open_borough(home)
    yield World(borough, make_one_of_everything(borough))
    borough.database.close()


def make_one_of_everything(borough: Borough) -> dict[str, str]:
    """One of each, about the first person of the list; the demonstration's agreement leaves one agency out."""
    officer, chair = find(borough, "housing_officer"), find(borough, "tasking_chair")
    run = borough.office.setting.runs.latest()
    pair = find_hard(borough.office.setting.runs.folder / str(run))
    screened = borough.office.front.screen(Asker(officer, "housing_officer"), *pair, (), Once(None, ""))
    token, hard = borough.office.front.token(screened.kept), screened.kept.hard[0]
    with borough.database.writing(NOW, chair) as writing:
        one = leave_out(writing)
        flag = flags.find(writing, Filters(lists=("people",), agencies=("police",)), "list", 1, 1).rows[0].id
        meeting = meetings.open_meeting(writing, str(run), NOW.date(), ["Priya Chair"])
        action = actions.agree(writing, flag, "Visit the family", "police", "PC Ash", UNTIL + timedelta(days=30))
        question = questions.ask(writing, flag, "police", "Is anybody with them?")
        challenge = challenges.raise_challenge(writing, flag, "subject", "That was not me.")
        job = jobs.ask(writing, "agenda_pdf", {})
        other = accounts.add_user(writing, "other@council.example", "Ola Other", "police", ["analyst"])
        upheld = challenges.raise_challenge(writing, flag, "advocate", "The date is wrong.")
        told = agreements.disclose(writing, "police", "list_csv", "prevent_crime_and_disorder", [flag])
        challenges.close(writing, upheld.id, 1, "upheld", "The date was wrong.")
        challenges.recall(writing, upheld.id, told.id)
    with borough.database.writing(NOW, officer) as writing:
        request = requests.ask(writing, token, hard, "It is the only home.", "A lock and a visit.")
    rule = next(iter(borough.office.setting.pack.rules))
    return {
        "/flags/{id}/contested/{challenge}": f"/flags/{flag}/contested/{challenge.id}", "/flags/{id}": f"/flags/{flag}",
        "/meetings/{id}": f"/meetings/{meeting.id}", "/items/{flag}": f"/items/{flag}",
        "/actions/{id}": f"/actions/{action.id}", "/questions/{id}": f"/questions/{question.id}",
        "/recalls/{challenge}/{disclosure}": f"/recalls/{upheld.id}/{told.id}",
        "/challenges/{id}/notices/{agency}": f"/challenges/{upheld.id}/notices/police",
        "/challenges/{id}": f"/challenges/{challenge.id}",
        "/disclosures/{id}": f"/disclosures/{told.id}", "/accounts/{id}": f"/accounts/{other.id}",
        "/agreements/{id}": f"/agreements/{one}",
        "/screenings/{token}": f"/screenings/{token}",
        "/override/{number}": "/override/1", "/overrides/{id}": f"/overrides/{request.id}",
        "/rules/{subject}/{name}": f"/rules/{rule}",
        "/runs/new/{id}": f"/runs/new/{'0' * 32}", "/runs/{name}": f"/runs/{run}",
        "{agency}": "police",
        "/jobs/{id}": f"/jobs/{job.id}"}


def leave_out(writing: Writing) -> str:
    """Ends the demonstration's agreement and makes one that everybody signed but one agency."""
    for one in agreements.find(writing):
        agreements.withdraw(writing, one.id, one.version)
    signed = tuple(agency for agency in AGENCIES if agency != OUTSIDE)
    day = NOW.date()
    return agreements.make(writing, Terms(
        "Sharing agreement", "ISA-1", "DPIA-1", signed, ("prevent_crime_and_disorder", "housing_and_homelessness"),
        ("people", "places", "allocations"), day, day + timedelta(days=365))).id


def find_hard(run: Path) -> tuple[str, str]:
    """An application and a home between which a hard conflict stands."""
    listed = pd.read_parquet(run / "shortlists.parquet")
    hard = listed[listed["hard"] > 0].sort_values(["application", "uprn"])
    return str(hard["application"].iloc[0]), str(hard["uprn"].iloc[0])


def find(reading: Borough, role: str) -> str:
    with reading.database.reading() as opened:
        return named(opened, role).id


def named(reading: Reading, role: str) -> accounts.User:
    found = accounts.find_user(reading, f"demo-{role}")
    assert found is not None
    return found


def move(world: World, role: str, agency: str) -> None:
    """The made-up person of a role works for this agency from now on."""
    with world.borough.database.writing(NOW, "system") as writing:
        user = named(writing, role)
        accounts.change_user(writing, user.id, user.version, agency=agency)


def ask(visitor: Visitor, method: str, path: str) -> int:
    if method == "GET":
        return visitor.client.get(path, follow_redirects=False).status_code
    sent = {"form_token": visitor.token("/rules"), **NOTHING}
    return visitor.client.post(path, data=sent, headers=OWN, follow_redirects=False).status_code


def walk(world: World) -> dict[tuple[str, str], str]:
    """What opens: for each address a letter for each role."""
    opened: dict[tuple[str, str], list[set[str]]] = {address: [set() for _ in ROLES] for address in world.addresses()}
    for agency in ("police", OUTSIDE):
        for number, role in enumerate(ROLES):
            move(world, role, agency)
            visitor = world.borough.visit(role)
            for method, path in opened:
                if agency == OUTSIDE and not opened[method, path][number]:
                    continue        # signing an agreement takes nothing away
                status = ask(visitor, method, world.fill(path))
                assert status < 500 or status == 503, f"{method} {path} as {role}: {status}"
                if status not in (403, 404):
                    opened[method, path][number].add(agency)
    return {address: "".join(say(one) for one in cells) for address, cells in opened.items()}


def say(agencies: set[str]) -> str:
    return "os."[[2, 1, 0].index(len(agencies))]


def write_table(opened: Mapping[tuple[str, str], str]) -> str:
    heads = ["".join(word[0] for word in role.split("_")) for role in ROLES]
    lines = [f"{'':56}" + " ".join(f"{head:<2}" for head in heads).rstrip()]
    lines += [f"{method:<5}{path:<51}" + "  ".join(cells) for (method, path), cells in opened.items()]
    return "\n".join(lines) + "\n"


def test_what_opens_for_whom(world: World) -> None:
    assert write_table(walk(world)).splitlines() == TABLE.splitlines()


def test_whoever_has_not_signed_in_is_led_to_the_form(world: World) -> None:
    visitor = Visitor(world.borough.visit().client)
    for method, path in world.addresses():
        if method == "GET":
            answer = visitor.client.get(world.fill(path), follow_redirects=False)
            if answer.headers.get("HX-Refresh") == "true" and not answer.content:     # a part of a page asks for all
                continue
            led = answer.headers.get("location", "").partition("?")[0]
            assert (answer.status_code, led) == (303, "/sign-in"), path
        else:
            assert visitor.client.post(world.fill(path), headers=OWN).status_code == 419, path


def test_an_id_of_somebody_else_in_an_address_is_as_if_it_were_not_there(world: World) -> None:
    move(world, "tasking_chair", "police")
    visitor = world.borough.visit("tasking_chair")
    for method, path in world.addresses():
        guessed = re.sub(r"\{(id|token|flag|challenge|disclosure)\}", "f" * 32, path)
        if method == "GET" and guessed != path:
            assert ask(visitor, method, world.fill(guessed)) in (403, 404), path
