"""The pages keep their word: what they tell people to type works, where they point exists, and nothing is left out.

Every line of an `sh` block is typed, in the order it stands, into a small invented borough; a `python` block is run
where it stands. Ids in the pages are those of a larger borough, so the first of the small one takes their place.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
import zipfile
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
import typer.main
from click import unstyle
from typer.testing import CliRunner

from api.cli import app
from engine.pack import Pack

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md")),
         *(ROOT / folder / "README.md" for folder in ("engine", "rules", "models", "api", "tests"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
TASK = re.compile(r"^([a-z-]+):.*## ", re.MULTILINE)
COMMANDS = list(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
EXPORTED = ("WARDWISE_HOME", "WARDWISE_AS_OF", "WARDWISE_TOKEN")
SMALL = ["demo", "--residents", "4000", "--home", "demo-data"]      # the smallest borough that can be invented


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks_of(page: Path, *languages: str) -> list[tuple[str, str]]:
    """(language, text) of each fenced block in one of the languages, in order."""
    return [(language, text) for language, text in FENCE.findall(page.read_text(encoding="utf-8"))
            if language in languages]


def prose_of(page: Path) -> str:
    return FENCE.sub("", page.read_text(encoding="utf-8"))


# --- typing what the pages say --------------------------------------------------------------------


@dataclass
class Desk:
    """A folder to type in: the environment, and the ids of the small borough that stand for those in the pages."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    in_full: bool = False
    seen: set[tuple[str, ...]] = field(default_factory=set)

    def type(self, line: str) -> str | None:
        """Types a line; gives back what went wrong, or None."""
        words = [os.path.expandvars(word) for word in shlex.split(line, comments=True)]
        for known, mine in self.ids.items():
            words = [re.sub(known, mine, word) for word in words]
        if not words:
            return None
        if words[0] == "wardwise":
            return self._type_wardwise(words[1:])
        if words[0] == "make":
            return self._look_up(words[1])
        if words[0] == "export":
            name, _, value = words[1].partition("=")
            os.environ[name] = self._fill_in(value)
            return None
        done = subprocess.run(line, shell=True, cwd=self.folder, capture_output=True, text=True, check=False)
        return done.stderr or f"ended with {done.returncode}" if done.returncode else None

    def _type_wardwise(self, words: list[str]) -> str | None:
        words, _, place = (words[:words.index(">")], ">", words[words.index(">") + 1]) if ">" in words else (
            words, "", "")
        if words[0] == "replay" and not self.in_full and not words[1].startswith("S0"):
            return self._only_read(words)
        if words[0] in ("run", "replay", "demo"):       # the dear ones: the same words once
            if tuple(words) in self.seen:
                return None
            self.seen.add(tuple(words))
        result = CliRunner().invoke(app, SMALL if words[0] == "demo" else words)
        if place and result.exit_code == 0:
            (self.folder / place).write_bytes(result.stdout_bytes)
            assert result.stdout_bytes
        return None if result.exit_code == 0 else unstyle(result.output)

    def _fill_in(self, value: str) -> str:
        """A value as a shell would read it: `$(wardwise ...)` is what that command says."""
        if not (asked := re.fullmatch(r"\$\((.*)\)", value)):
            return value
        result = CliRunner().invoke(app, shlex.split(asked[1])[1:])
        assert result.exit_code == 0, result.output
        return result.stdout.strip()

    def _only_read(self, words: list[str]) -> str | None:
        """A replay makes the whole run again: here it is read, and its flag looked up. `make test-all` types it."""
        typer.main.get_command(app).commands[words[0]].make_context(words[0], words[1:])  # type: ignore[attr-defined]
        return self._type_wardwise(["explain", *words[1:]])

    def _look_up(self, task: str) -> str | None:
        return None if task in TASK.findall((ROOT / "Makefile").read_text()) else f"there is no task `{task}`"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Where `make demo` has been typed, and a home that already holds what the demo took in."""
    for name in (*EXPORTED, "PATH"):        # named here, so that what an `export` does is undone
        monkeypatch.setenv(name, os.environ.get(name, ""))
    for name in EXPORTED:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PWD", str(tmp_path))
    monkeypatch.setenv("WARDWISE_RULES", str(ROOT / "rules"))
    monkeypatch.chdir(tmp_path)
    desk = Desk(tmp_path)
    assert desk.type("wardwise demo") is None
    extracts = tmp_path / "demo-data" / "invented" / "extracts"
    # What the demo screened stays behind: the first screening in the pages is theirs.
    left_behind = shutil.ignore_patterns("invented", "screenings")
    shutil.copytree(tmp_path / "demo-data", tmp_path / "wardwise-data", ignore=left_behind)
    shutil.copytree(extracts, tmp_path / "extracts")
    make_own_files(extracts, tmp_path)
    desk.ids = find_ids()
    return desk


def make_own_files(extracts: Path, folder: Path) -> None:
    """What the README takes in: one month as police.uk zips it, and a spreadsheet of the council's."""
    police = pd.read_csv(extracts / "police_uk.csv", dtype=str, keep_default_na=False)
    month = police[police.iloc[:, list(police.columns.str.lower()).index("month")] == "2026-10"]
    with zipfile.ZipFile(folder / "2026-10.zip", "w") as file:
        file.writestr("2026-10/2026-10-example-street.csv", month.to_csv(index=False))
        file.writestr("2026-10/2026-10-example-outcomes.csv", "Crime ID,Outcome type\n")
    reports = pd.read_csv(extracts / "council_asb.csv", dtype=str, keep_default_na=False)
    reports.head(20).to_excel(folder / "asb-october.xlsx", index=False)


def find_ids() -> dict[str, str]:
    """The first person and place on the small borough's lists, by the ids the pages use."""
    shown = json.loads(CliRunner().invoke(app, ["list", "--format", "json"]).stdout)["lists"]
    first = {one["list"]: one["shown"][0]["subject"] for one in shown}
    run = Path("wardwise-data/runs") / Path("wardwise-data/runs/made").read_text().split()[-1]
    offers = pd.read_parquet(run / "features_allocation.parquet")
    witness = offers[offers["rule:allocation/witness-beside-party"].fillna(False).astype(bool)].iloc[0]
    return {r"^P\d{6}$": first["people"], r"^street:\d+$": first["places"],
            r"^APP28734100$": witness["application"], r"^100030004217$": witness["uprn"]}


@pytest.mark.parametrize("in_full", [False, pytest.param(True, marks=pytest.mark.more)])
def test_everything_the_pages_say_to_type_works(desk: Desk, in_full: bool) -> None:
    desk.in_full = in_full
    wrong = []
    for page in PAGES:
        for language, text in blocks_of(page, "sh", "python"):
            if language == "python":
                done = subprocess.run([sys.executable, "-c", text], cwd=desk.folder, capture_output=True, text=True,
                                      check=False)
                wrong += [f"{name_of(page)}: python block: {done.stderr}"] if done.returncode else []
                continue
            for line in text.splitlines():
                problem = desk.type(line)
                wrong += [f"{name_of(page)}: {line}\n{problem}"] if problem else []
    assert not wrong, "\n\n".join(wrong)
    assert (desk.folder / "flag.html").read_text(encoding="utf-8").startswith("<!")
    assert (desk.folder / "wardwise-backup.tar.gz").stat().st_size > 100_000


# --- what the pages must hold ---------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    inside = [link for link in LINK.findall(prose_of(page)) if "://" not in link]
    broken = [link for link in inside if not (page.parent / link.partition("#")[0]).exists()]
    assert not broken


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_block_says_what_it_is(page: Path) -> None:
    """A block without a language would be typed by nobody and checked by nothing."""
    opened = re.findall(r"^```(.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)[::2]
    assert set(opened) <= {"sh", "python", "text", "yaml"}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_described(command: str) -> None:
    said = "\n".join(page.read_text(encoding="utf-8") for page in PAGES if page.parent != ROOT / "tests")
    assert f"wardwise {command}" in said
    assert f"| `wardwise {command}` |" in (ROOT / "api" / "README.md").read_text(encoding="utf-8")


def test_commands_named_in_prose_exist() -> None:
    named = {(name_of(page), word) for page in PAGES for word in re.findall(r"`wardwise ([a-z-]+)", prose_of(page))}
    assert [one for one in sorted(named) if one[1] not in COMMANDS] == []


def test_every_feed_is_described_with_the_days_until_it_is_late(shipped: Pack) -> None:
    said = (ROOT / "docs" / "analysts.md").read_text(encoding="utf-8")
    for feed, contract in shipped.contracts.items():
        days = f" ({contract.fresh_within})" if contract.fresh_within is not None else ""
        assert re.search(rf"`{feed}`{re.escape(days)}( \||, )", said), feed


def test_counts_in_the_pages_are_those_of_the_rules(shipped: Pack) -> None:
    rules = list(shipped.rules.values())
    live = sum(rule.status == "live" for rule in rules)
    trial = sum(rule.status == "trial" for rule in rules)
    design = sum(rule.evidence == "design" for rule in rules)
    said = " ".join((ROOT / "docs" / "analysts.md").read_text(encoding="utf-8").split())
    assert f"There are {len(rules)} rules now: {live} live, {trial} on trial. {design} of the {len(rules)}" in said
    assert f"There are {len(shipped.contracts)}." in said


def test_bands_and_capacity_in_the_pages_are_those_of_the_policy(shipped: Pack) -> None:
    said = " ".join((ROOT / "docs" / "officers.md").read_text(encoding="utf-8").split())
    policy = shipped.policy
    assert f"{policy.bands['discuss']:g} points on one axis" in said
    assert f"{policy.bands['convene']:g} points on one axis" in said
    assert f"up to {policy.protective_cap:.0%}".replace("%", " %") in said
    assert f"{policy.capacity['people']} people and {policy.capacity['places']} places" in said
    assert f"for {policy.cool_down_days} days" in said


@pytest.mark.parametrize("folder", ["engine", "api"])
def test_every_module_has_its_place_in_its_folders_page(folder: str) -> None:
    said = (ROOT / folder / "README.md").read_text(encoding="utf-8")
    modules = [path.stem for path in sorted((ROOT / folder).glob("*.py")) if path.stem != "__init__"]
    assert [module for module in modules if f"`{module}`" not in said] == []


def test_every_folder_of_tests_has_its_place_in_the_page() -> None:
    said = (ROOT / "tests" / "README.md").read_text(encoding="utf-8")
    folders = [path.name for path in sorted((ROOT / "tests").iterdir()) if any(path.glob("test_*.py"))]
    assert [folder for folder in folders if f"`{folder}/`" not in said] == []


@pytest.mark.parametrize("folder", ["engine", "rules", "models", "api", "tests"])
def test_decisions_are_dated_and_short(folder: str) -> None:
    decisions = (ROOT / folder / "README.md").read_text(encoding="utf-8").split("\n## Decisions\n")[1]
    for decision in decisions.split("\n### ")[1:]:
        title, *lines = decision.strip().splitlines()
        assert date.fromisoformat(title[:10])
        assert 1 <= len(lines) <= 15, title


def test_every_environment_variable_of_the_commands_is_described() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "api").glob("*.py"))
    said = (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")
    assert set(re.findall(r"WARDWISE_[A-Z]+", code)) <= set(re.findall(r"WARDWISE_[A-Z]+", said))


def test_the_picture_has_a_title_a_description_and_fetches_nothing() -> None:
    text = (ROOT / "docs" / "week.svg").read_text(encoding="utf-8")
    svg = ET.fromstring(text)
    space = "{http://www.w3.org/2000/svg}"
    named = {svg.find(f"{space}{tag}").get("id") for tag in ("title", "desc")}  # type: ignore[union-attr]
    assert set(svg.get("aria-labelledby", "").split()) == named
    assert svg.get("role") == "img"
    assert not re.search(r"href|@import|@font-face|url\((?!#)", text)
    colours = {colour.lower() for colour in re.findall(r'(?:fill|stroke)="(#[0-9a-fA-F]{6})"', text)}
    assert all(colour[1:3] == colour[3:5] == colour[5:7] for colour in colours)      # grey prints as it looks


def test_the_changelog_keeps_a_section_for_rules_in_every_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.split(r"^## \[", text, flags=re.MULTILINE)[1:]
    assert versions[0].startswith("Unreleased]")
    assert all("### Rules" in version for version in versions[1:])
    current = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert current
    assert f"## [{current[1]}] - " in text
