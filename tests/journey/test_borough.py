"""An invented borough from its partners' files to the explained lists, held against what was planted in it.

Taken in and run twice, from two homes: once with every row of every file in another order, on one thread, while the
truth lay elsewhere. What comes out must be the same.
"""

from __future__ import annotations

import ast
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest

from api.demo import MONTHS, SEED, UNTIL
from api.intake import read_manifest, take_in
from engine.desk import Desk
from engine.desks import Desks
from engine.invent import invent
from engine.lake import Lake
from engine.pack import Pack
from engine.runs import Runs
from engine.weekly import make_run

from .stories import check_offers, check_stories

ENGINE = Path(__file__).parents[2] / "engine"
RESIDENTS = 20_000


@dataclass(frozen=True)
class Journey:
    """A borough's files, taken in and run."""

    borough: Path
    home: Path
    run: str

    @property
    def folder(self) -> Path:
        return self.home / "runs" / self.run

    @property
    def desk(self) -> Path:
        """The folder of the desk that was kept with the run."""
        [folder] = (self.home / "desks").iterdir()
        return folder

    @property
    def manifest(self) -> dict[str, Any]:
        return Runs(self.home).manifest(self.run)

    def flags(self) -> dict[str, str]:
        """Each flag as text, but for the digest of the files it was made from."""
        return {path.name: _without_snapshot(path.read_text(encoding="utf-8"))
                for path in (self.folder / "flags").iterdir()}


@pytest.fixture(scope="session")
def journey(tmp_path_factory: pytest.TempPathFactory, shipped: Pack) -> Journey:
    root = tmp_path_factory.mktemp("borough")
    invent(root / "borough", RESIDENTS, MONTHS, SEED, UNTIL)
    return travel(root / "borough", root / "home", shipped, threads=2)


@pytest.fixture(scope="session")
def again(journey: Journey, tmp_path_factory: pytest.TempPathFactory, shipped: Pack) -> Journey:
    """The same borough on one thread, its rows shuffled, and its truth out of reach."""
    root = tmp_path_factory.mktemp("again")
    shutil.copytree(journey.borough / "extracts", root / "extracts")
    shuffle_files(root / "extracts")
    truth, away = journey.borough / "truth", journey.borough / "elsewhere"
    truth.rename(away)
    made = travel(root, root / "home", shipped, threads=1)
    away.rename(truth)
    return made


def travel(borough: Path, home: Path, pack: Pack, threads: int) -> Journey:
    """From the files to a saved run, the way `wardwise demo` goes."""
    lake, runs = Lake(home, pack.contracts), Runs(home)
    intake = take_in(lake, [d for d in read_manifest(borough / "extracts") if d.received <= UNTIL],
                     lambda *_: None, [])
    assert intake.problems == ()
    before = runs.before(UNTIL)
    run = make_run(lake, pack, UNTIL, before, threads=threads)
    assert run.desk is not None
    desks = Desks(home)
    desks.save(run.desk, pack, desks.name(lake, pack, UNTIL))
    return Journey(borough, home, runs.save(run, before, pack, lake))


def shuffle_files(folder: Path) -> None:
    """Every row of every extract somewhere else in its file. What is invented holds no line breaks."""
    random = Random(20)
    for path in sorted(p for p in folder.iterdir() if p.name != "manifest.csv"):
        if path.suffix == ".csv":
            header, *lines = path.read_bytes().splitlines(keepends=True)
            path.write_bytes(header + b"".join(random.sample(lines, len(lines))))
        elif path.suffix == ".parquet":
            table = pq.read_table(path)
            pq.write_table(table.take(random.sample(range(len(table)), len(table))), path)
        else:
            book = openpyxl.load_workbook(path)
            header, *rows = list(book.active.values)
            fresh = openpyxl.Workbook()
            for row in (header, *random.sample(rows, len(rows))):
                fresh.active.append(row)
            fresh.save(path)


def _without_snapshot(text: str) -> str:
    flag = json.loads(text)
    assert flag["digests"].pop("snapshot")
    return json.dumps(flag, sort_keys=True)


# --- what comes out -------------------------------------------------------------------------------


def test_every_story_planted_in_the_borough_comes_out_as_it_should(journey: Journey, shipped: Pack) -> None:
    verdicts = check_stories(journey.borough, journey.folder, shipped)
    wrong = [f"{v.story}: {v.expected}, but {v.came_out}" for v in verdicts if not v.right]
    assert len(verdicts) > 100
    assert wrong == []


def test_every_story_about_an_offer_comes_out_the_same_screened_live(journey: Journey, shipped: Pack) -> None:
    desk: Desk = Desks(journey.home).find(journey.desk.name)
    live = check_offers(journey.borough, journey.folder, desk)
    listed = {(v.story, v.expected): v for v in check_stories(journey.borough, journey.folder, shipped)}
    assert len(live) > 30
    assert [f"{v.story}: {v.expected}, but {v.came_out}" for v in live if not v.right] == []
    assert [v.story for v in live if v.came_out != listed[v.story, v.expected].came_out] == []


def test_every_row_of_every_file_is_used_or_in_quarantine(journey: Journey) -> None:
    feeds = journey.manifest["feeds"]
    assert len(feeds) >= 25
    assert [f for f in feeds if f["rows_in"] != f["used"] + f["quarantined"]] == []
    assert sum(f["quarantined"] for f in feeds) > 0
    sent = sum(count_rows(d.path) for d in read_manifest(journey.borough / "extracts") if d.received <= UNTIL)
    assert sum(f["rows_in"] for f in feeds) == sent


def count_rows(path: Path) -> int:
    if path.suffix == ".csv":
        return len(path.read_bytes().splitlines()) - 1
    if path.suffix == ".parquet":
        return int(pq.read_metadata(path).num_rows)
    return len(list(openpyxl.load_workbook(path).active.values)) - 1


def test_a_fire_service_that_has_gone_quiet_leaves_its_rules_unable_to_tell(journey: Journey) -> None:
    assert [feed["feed"] for feed in journey.manifest["freshness"] if not feed["fresh"]] == ["fire_incidents"]
    counts = {rule["rule"]: rule for rule in journey.manifest["rules"]}
    for rule in ("person/fire-setting-without-plan", "place/deliberate-fire-cluster"):
        assert counts[rule]["fires"] == 0
        assert counts[rule]["cannot_tell"] > 100


def test_every_flag_is_filed_under_its_own_subject_and_nobody_invented_is_named(journey: Journey) -> None:
    listed = {e["subject"]: e for e in Runs(journey.home).lists(journey.run)["entries"]}
    for path in (journey.folder / "flags").iterdir():
        flag = json.loads(path.read_text(encoding="utf-8"))
        assert listed[flag["subject"]]["status"] == flag["status"]
        assert flag["reasons"]
        assert flag["lapse"]


def test_the_lists_keep_to_the_capacity_of_the_meeting(journey: Journey, shipped: Pack) -> None:
    entries = Runs(journey.home).lists(journey.run)["entries"]
    for name, capacity in shipped.policy.capacity.items():
        shown = sum(e["list"] == name and e["status"] == "shown" for e in entries)
        assert shown > 0
        assert capacity is None or shown <= capacity


# --- the truth is for marking ---------------------------------------------------------------------


def test_nothing_in_the_engine_that_judges_knows_where_the_truth_lies() -> None:
    for path in sorted(ENGINE.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        imported |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
        assert not [name for name in imported if name.startswith("engine.invent")], path.name
        words = {str(node.value) for node in ast.walk(tree) if isinstance(node, ast.Constant)}
        assert not [word for word in words if word in ("truth", "stories.yaml") or "truth/" in word], path.name


def test_without_the_truth_with_its_rows_shuffled_and_on_one_thread_the_borough_gets_the_same_lists(
    journey: Journey, again: Journey
) -> None:
    assert (again.folder / "list.json").read_bytes() == (journey.folder / "list.json").read_bytes()


def test_without_the_truth_with_its_rows_shuffled_and_on_one_thread_every_flag_is_the_same(
    journey: Journey, again: Journey
) -> None:
    flags = journey.flags()
    assert len(flags) >= 40
    assert again.flags() == flags


def test_without_the_truth_with_its_rows_shuffled_and_on_one_thread_the_desk_is_the_same_bytes(
    journey: Journey, again: Journey
) -> None:
    desks = [{path.name: path.read_bytes() for path in made.desk.iterdir() if path.is_file()}
             for made in (journey, again)]
    assert len(desks[0]) > 15
    assert [name for name in desks[0].keys() | desks[1].keys() if desks[0].get(name) != desks[1].get(name)] == []


def test_shuffled_files_are_used_and_refused_row_for_row_alike(journey: Journey, again: Journey) -> None:
    assert again.manifest["feeds"] == journey.manifest["feeds"]
    assert again.manifest["rules"] == journey.manifest["rules"]
