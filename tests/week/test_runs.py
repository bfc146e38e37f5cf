"""A run on disk: whole or not there, made again to the byte whatever came since, and compared with the one before."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pandas as pd
import pytest

from engine.errors import RunError
from engine.flag import write_json
from engine.lake import Lake
from engine.lists import Left, Note
from engine.pack import Pack, read_pack
from engine.registry import empty_registry
from engine.runs import Runs
from engine.weekly import Before, Run, digest_inputs, make_run

from ..conftest import RULES
from .made import AS_OF, Row, ago

_FEEDS = "feeds: [police_incidents, police_involvements, council_asb]"
_SIGNED = "sensitivity: personal, purpose: prevent_crime_and_disorder"
FEATURES = {"person": f"""
subject: person
features:
  age: {{title: Age, type: integer, unit: years, measure: built_in, absence: unknown, agency: [housing], {_SIGNED}}}
  suffered: {{title: Reports suffered, type: integer, unit: reports, measure: distinct incident, of: involvements,
    where: side == victim, windows: [90], {_FEEDS}, absence: zero, agency: [police], {_SIGNED}}}
  did: {{title: Reports of this person, type: integer, unit: reports, measure: distinct incident, of: involvements,
    where: side == subject, windows: [90], {_FEEDS}, absence: zero, agency: [police], sensitivity: criminal,
    purpose: prevent_crime_and_disorder}}
""", "place": """
subject: place
features:
  reports: {title: Reports here, type: integer, unit: reports, measure: distinct incident, of: incidents,
    windows: [90], feeds: [police_incidents, council_asb], absence: zero, agency: [police], sensitivity: open,
    purpose: prevent_crime_and_disorder}
"""}
RULE = """
title: {title}
reference: {reference}
axis: {axis}
theme: victims
why: Somebody should know.
when: {{all: [{when}]}}
points: {points}
floor: none
convene: [police]
respond: {{support: [Talk with them.]}}
because: "{because}"
authority: none
evidence: design
owner: Test owner
review_by: 2036-10-31
status: live
"""
RULE_FILES = {
    "person/suffered-often": {"title": "Suffered often", "reference": "I-01", "axis": "vulnerability", "points": 4,
                              "when": "suffered_90d >= 3", "because": "Suffered {suffered_90d} times."},
    "person/did-often": {"title": "Did often", "reference": "I-05", "axis": "harm", "points": 4,
                         "when": "age >= 10, did_90d >= 3", "because": "Said to have done it {did_90d} times."},
    "place/heard-of-often": {"title": "Heard of often", "reference": "L-01", "axis": "place", "points": 4,
                             "when": "reports_90d >= 4", "because": "{reports_90d} reports."},
}


def write_rules(folder: Path) -> Path:
    """A small pack on the shipped feeds: five features, three rules, one exclusion."""
    shutil.copytree(RULES / "feeds", folder / "feeds")
    for name in ("categories.yaml", "policy.yaml", "forbidden.yaml"):
        shutil.copy(RULES / name, folder / name)
    (folder / "features").mkdir()
    for subject, text in FEATURES.items():
        (folder / "features" / f"{subject}.yaml").write_text(text, encoding="utf-8")
    for rule, words in RULE_FILES.items():
        path = folder / f"{rule}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(RULE.format(**words), encoding="utf-8")
    (folder / "exclusions.yaml").write_text(
        "X-03: {title: Child under 10, subject: person, when: age < 10, effect: harm_muted, why: too young}\n")
    (folder / "protective.yaml").write_text("{}\n")
    (folder / "factors.yaml").write_text("{}\n")
    return folder


def council(number: int, days_ago: int, victim: str = "C1", party: str = "C2", **other: Any) -> Row:
    """A report of one made-up person about another, at an address of its own street."""
    day = ago(days_ago).isoformat()
    return {"report_ref": f"A{number}", "occurred": day, "reported": day, "recorded": day, "category": "P02",
            "evidence": 2, "reporter_ref": f"H{number}", "usrn": "21600001", "uprn": "100000000001",
            "complainant_ref": victim, "complainant_forename": "Ada", "complainant_surname": f"Example {victim}",
            "complainant_dob": "1980-02-03", "subject_ref": party, "subject_forename": "Bob",
            "subject_surname": f"Sample {party}", "subject_dob": "1985-04-05", "amended": "", **other}


REPORTS = [council(n, days) for n, days in enumerate((3, 20, 40, 86))] + [
    council(10 + n, days, "C3", "C4") for n, days in enumerate((5, 84, 88))]

ADDRESS = {"uprn": "100000000001", "address": "1 Example Street", "usrn": "21600001", "street_name": "Example Street",
           "recorded": "2020-01-01", "ward_from": "2020-01-01", "dwelling": "yes"}


@dataclass(frozen=True)
class Office:
    """One home, its lake and its runs, under one rules folder."""

    home: Path
    rules: Path
    files: Path

    @property
    def pack(self) -> Pack:
        return read_pack(self.rules)

    @property
    def lake(self) -> Lake:
        return Lake(self.home, self.pack.contracts)

    @property
    def runs(self) -> Runs:
        return Runs(self.home)

    def send(self, name: str, rows: list[Row], received: date, feed: str = "council_asb") -> None:
        """Takes rows in as a file of the council's, complete to the day before."""
        path = self.files / f"{name}.csv"
        pd.DataFrame(rows).to_csv(path, index=False)
        self.lake.ingest(feed, path, received, received - timedelta(days=1))

    def make(self, as_of: date = AS_OF) -> Run:
        return make_run(self.lake, self.pack, as_of, self.runs.before(as_of), threads=1)

    def save(self, run: Run) -> str:
        return self.runs.save(run, self.runs.before(run.as_of), self.pack, self.lake)

    def say_all_is_quiet(self, day: date) -> None:
        """The police send nothing and say so."""
        for feed, header in (("police_incidents", "incident_ref,occurred,recorded,category"),
                             ("police_involvements", "involvement_ref,incident_ref,recorded,role")):
            path = self.files / f"{feed}.csv"
            path.write_text(header + "\n", encoding="utf-8")
            self.lake.ingest(feed, path, day, day - timedelta(days=1))


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """An office where everything is taken in and the first list is made; nobody writes in it."""
    root = tmp_path_factory.mktemp("office")
    (root / "files").mkdir()
    office = Office(root / "home", write_rules(root / "rules"), root / "files")
    office.say_all_is_quiet(AS_OF)
    office.send("addresses", [ADDRESS], AS_OF, "addresses")
    office.send("first", REPORTS, AS_OF)
    office.save(office.make())
    return office


@pytest.fixture(scope="module")
def made(opened: Office) -> Run:
    return opened.make()


@pytest.fixture
def office(opened: Office, tmp_path: Path) -> Office:
    """A copy of the office, to do with as one likes."""
    for part in ("home", "rules", "files"):
        shutil.copytree(getattr(opened, part), tmp_path / part)
    return Office(tmp_path / "home", tmp_path / "rules", tmp_path / "files")


def without_snapshot(text: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if '"snapshot"' not in line)


def texts(run: Run) -> dict[str, str]:
    return {flag.subject: write_json(flag) for flag in run.flags}


def stored(office: Office, name: str) -> dict[str, str]:
    folder = office.home / "runs" / name / "flags"
    return {json.loads(path.read_text())["subject"]: path.read_text() for path in folder.iterdir()}


# --- the list itself ------------------------------------------------------------------------------


def test_the_small_office_lists_two_victims_two_parties_their_address_and_its_street(made: Run) -> None:
    assert sorted((entry.list, entry.fired) for entry in made.entries) == [
        *[("people", ("person/did-often",))] * 2, *[("people", ("person/suffered-often",))] * 2,
        *[("places", ("place/heard-of-often",))] * 2]


def test_the_same_again_is_the_same_run(opened: Office, made: Run) -> None:
    name = opened.runs.latest()
    assert name is not None
    assert texts(made) == stored(opened, name)


def test_a_day_before_anybody_told_us_anything_gives_helpful_error(opened: Office) -> None:
    with pytest.raises(RunError, match="as of 2020-01-01: no partner had told us anything yet") as caught:
        opened.make(date(2020, 1, 1))
    assert caught.value.problems[0].fix == "ingest an extract, or choose a later date"


# --- whole or not at all --------------------------------------------------------------------------


TOUCHES = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir")


def save_and_die(office: Office, run: Run, step: int, touches: tuple[str, ...] = TOUCHES) -> int:
    """Saves in a process of its own that is killed at that step of touching files; how it ended (0: finished)."""
    before, pack, lake, runs = office.runs.before(run.as_of), office.pack, office.lake, office.runs
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    signal.alarm(60)
    steps = itertools.count()

    def watch(event: str, args: tuple[Any, ...]) -> None:
        if event in touches and str(office.home) in str(args[0]) and next(steps) == step:
            os._exit(9)

    sys.addaudithook(watch)
    try:
        runs.save(run, before, pack, lake)
    except BaseException:
        os._exit(1)
    os._exit(0)


def killed(office: Office, run: Run, stride: int = 1, touches: tuple[str, ...] = TOUCHES) -> Iterator[int]:
    """Kills a save at one step after another until it gets through."""
    for step in itertools.count(0, stride):
        ended = save_and_die(office, run, step, touches)
        assert ended in (0, 9)
        yield step
        if ended == 0:
            return


def is_whole(office: Office, name: str) -> bool:
    return bool(office.runs.manifest(name) and office.runs.lists(name)["entries"] and stored(office, name))


def test_a_run_that_is_killed_while_it_is_saved_leaves_the_last_good_one(office: Office, made: Run) -> None:
    first = office.runs.latest()
    assert first is not None
    later = replace(made, as_of=AS_OF + timedelta(days=1))
    kept = stored(office, first)
    for step in killed(office, later, stride=13):
        name = office.runs.latest()
        assert name is not None
        assert is_whole(office, name), f"killed at step {step}"
        assert all(is_whole(office, other) for other in office.runs.names())
        assert stored(office, first) == kept
    assert office.runs.latest() != first
    assert not list((office.home / "runs").glob(".draft-*"))


def test_a_run_that_is_saved_again_and_killed_is_still_there(office: Office, made: Run) -> None:
    for step in killed(office, made, touches=("os.rename",)):
        name = office.runs.latest()
        assert name is not None
        assert name in office.runs.names(), f"killed at step {step}"


def test_the_same_inputs_with_other_results_never_hide_behind_the_older_run(office: Office, made: Run) -> None:
    """A newer Wardwise may find something else in the same records: both runs stand, the later one last."""
    first = office.runs.latest()
    office.save(replace(made, left=(Left("P999999", "people", "no longer so: Light"),)))

    assert office.runs.latest() != first
    assert first in office.runs.names()
    assert office.runs.lists(str(office.runs.latest()))["left"][0]["subject"] == "P999999"


def test_a_feed_that_vouches_for_later_days_gives_another_snapshot(opened: Office, made: Run) -> None:
    before = Before(empty_registry())
    late = [replace(f, fresh=False, last_spoke=None) for f in made.freshness]

    then = digest_inputs(made.inputs, opened.pack, before, late)["snapshot"]
    assert then != digest_inputs(made.inputs, opened.pack, before, made.freshness)["snapshot"]


def test_no_room_for_a_run_gives_helpful_error_and_leaves_the_last_one(office: Office, made: Run) -> None:
    shutil.move(office.home / "runs", office.home / "kept")
    (office.home / "runs").write_text("")
    with pytest.raises(RunError, match="the run cannot be written"):
        office.save(made)


def test_a_run_nobody_made_gives_helpful_error(opened: Office) -> None:
    with pytest.raises(RunError, match="there is no such run"):
        opened.runs.manifest("2020-01-01-nothing")
    with pytest.raises(RunError, match=r"no run of 2020-01-01"):
        opened.runs.find("P1@2020-01-01")


# --- made again -----------------------------------------------------------------------------------


def change_everything(office: Office) -> None:
    """What a few months bring: reports, corrections of old ones, late ones, other rules."""
    later = AS_OF + timedelta(days=40)
    office.send("later", [council(100 + n, -n, "C1", "C2") for n in range(1, 9)], later)
    corrected = {**REPORTS[0], "category": "N01", "disputed": "yes", "amended": later.isoformat()}
    office.send("corrected", [corrected], later)
    office.send("late", [council(200 + n, 30 + n, "C5", "C6") for n in range(5)], later)
    rule = office.rules / "person" / "suffered-often.yaml"
    rule.write_text(rule.read_text().replace(">= 3", ">= 1"), encoding="utf-8")
    (office.rules / "person" / "did-often.yaml").unlink()
    office.runs.add_note(Note("a", "reviewed", AS_OF, "we spoke", "C. Worker"))


def test_a_run_is_made_again_to_the_byte_whatever_came_since(office: Office) -> None:
    name = office.runs.latest()
    assert name is not None
    change_everything(office)
    again = office.runs.remake(name, office.lake)
    assert texts(again) == stored(office, name)
    listed = json.loads(write_json({"entries": again.entries, "left": again.left}))
    assert listed == office.runs.lists(name)


@pytest.mark.more
def test_a_flag_is_replayed_by_its_subject_and_day(office: Office) -> None:
    name = office.runs.latest()
    assert name is not None
    subject = next(iter(stored(office, name)))
    then, again = office.runs.replay(f"{subject}@{AS_OF}", office.lake)
    assert then == again == stored(office, name)[subject]


@pytest.mark.parametrize(("change", "said"), [("edited", "the batch has other bytes than the run read"),
                                              ("gone", "the batch is gone")])
def test_a_run_whose_records_were_touched_is_not_made_again(office: Office, change: str, said: str) -> None:
    name = office.runs.latest()
    assert name is not None
    batch = next((office.home / "lake" / "council_asb").glob("*.parquet"))
    batch.unlink() if change == "gone" else batch.write_bytes(batch.read_bytes() + b" ")
    with pytest.raises(RunError, match=said) as caught:
        office.runs.remake(name, office.lake)
    assert caught.value.problems[0].fix == "restore it from its backup"


def test_a_file_taken_in_while_a_run_is_made_is_not_in_it_and_not_in_its_replay(office: Office) -> None:
    run = office.make()
    office.send("meanwhile", [council(300 + n, 10 + n, "C5", "C6") for n in range(5)], AS_OF)
    name = office.save(run)
    assert texts(office.runs.remake(name, office.lake)) == stored(office, name) == texts(run)


# --- a week later ---------------------------------------------------------------------------------


def test_a_week_later_the_list_says_who_is_new_who_left_and_why(office: Office, made: Run) -> None:
    later = AS_OF + timedelta(days=7)
    office.say_all_is_quiet(later)
    office.send("second", [council(400 + n, -2 - n, "C7", "C8") for n in range(3)], later)
    run = office.make(later)
    changes = {entry.change for entry in run.entries if entry.list == "people"}
    left = [gone.because for gone in run.left if gone.list == "people"]
    assert changes == {"new", "stale"}
    stayed = {entry.subject for entry in run.entries if entry.change == "stale"}
    assert stayed < {entry.subject for entry in made.entries}      # somebody keeps their name from run to run
    assert sorted(left) == ["no longer so: Did often", "no longer so: Suffered often"]      # C3 and C4
    name = office.save(run)
    assert office.runs.latest() == name
    assert office.runs.manifest(name)["previous"] == office.runs.names()[0]


def test_a_late_feed_is_said_and_nobody_is_called_better_for_it(office: Office) -> None:
    run = office.make(AS_OF + timedelta(days=30))
    assert [entry.subject for entry in run.entries] == []
    assert len(run.left) == 6
    assert all(gone.because.startswith("cannot tell now (") and "late" in gone.because for gone in run.left)


def test_of_two_runs_of_one_day_the_one_made_last_is_what_the_next_is_compared_with(office: Office, made: Run) -> None:
    first = office.runs.latest()
    assert first is not None
    for number in itertools.count():
        again = replace(made, digests={**made.digests, "snapshot": str(number)})
        name = office.save(again)
        if name < first:
            break
        shutil.rmtree(office.home / "runs" / name)
    assert office.runs.latest() == name
    assert office.runs.before(AS_OF + timedelta(days=7)).run == name


# --- nothing from after the day -------------------------------------------------------------------


def draw_future(random: Random) -> list[Row]:
    """Records first known on the day or after it, some about people and places already listed."""
    return [council(500 + n, -random.randrange(0, 60), random.choice(["C1", "C3", "C9"]), random.choice(["C2", "C9"]),
                    category=random.choice(["N01", "P03", "D02"]), occurred=ago(random.randrange(1, 60)).isoformat())
            for n in range(random.randrange(1, 30))]


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.more) for seed in range(2, 20))])
def test_nothing_known_on_the_day_or_later_changes_a_flag(office: Office, made: Run, seed: int) -> None:
    random = Random(seed)
    office.send("future", draw_future(random), AS_OF + timedelta(days=90))
    corrected = [{**row, "category": "P04", "subject_ref": "C9", "amended": ago(-random.randrange(0, 9)).isoformat()}
                 for row in random.sample(REPORTS, 4)]
    office.send("future corrections", corrected, AS_OF + timedelta(days=90))
    again = make_run(office.lake, office.pack, AS_OF, office.runs.before(AS_OF), threads=1)
    assert again.entries == made.entries
    assert {subject: without_snapshot(text) for subject, text in texts(again).items()} == {
        subject: without_snapshot(text) for subject, text in texts(made).items()}
