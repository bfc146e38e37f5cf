"""The history of runs: what stands on it, for whom, and that nobody is named."""

from __future__ import annotations

import json
import re
import shutil

import pytest

from api.web.rights import ROLES
from api.web.runs import read_summary, say_reason
from tests.web.conftest import Borough
from tests.web.test_rules import Visit, enter

__all__ = ["enter"]


@pytest.mark.parametrize("role", ROLES)
def test_who_may_see_the_runs(enter: Visit, role: str) -> None:
    answer = enter(role).get("/runs")
    assert answer.status_code == (200 if role in ("analyst", "governance") else 403)
    assert ("/runs/new" in answer.text) is (role == "analyst")


def test_no_run_yet_and_no_such_run(enter: Visit) -> None:
    visitor = enter("governance")
    assert "No run has been made yet." in visitor.get("/runs").text
    for path in ("/runs/2026-11-23-00000000", "/runs/..%2f..%2fpasswd", "/runs?page=2"):
        assert visitor.get(path).status_code == 404


def test_without_a_home_the_page_says_so(visit: Visit) -> None:
    assert visit("analyst").get("/runs").status_code == 503


def test_whoever_is_now_another_is_not_named() -> None:
    assert say_reason("now the same person as P000123") == "now the same person as somebody else on record"
    assert say_reason("no longer so: Needs not met") == "no longer so: Needs not met"


def test_a_run_is_told_in_counts(borough: Borough) -> None:
    visitor, runs = borough.visit("analyst"), borough.office.setting.runs
    name = str(runs.latest())
    make_second(borough, name)
    first, second = (visitor.get(f"/runs/{one}").text for one in runs.names())
    page = visitor.get("/runs").text
    assert page.count('href="/runs/2026-11-23-') == 1 and page.count('href="/runs/2026-11-30-') == 1
    assert "Everything is new: there is nothing to compare with." in first
    assert "Put before people on" in first and "Not put before people." in second
    for said in ("no longer so: Needs not met", "now the same person as somebody else on record",
                 "late since the run before", "The rules are the same as in the run before.",
                 "Goes to the restricted queue of the monitoring officer, not to this list"):
        assert said in second
    for text in (page, first, second):
        main = text.partition("<main")[2].partition("</main")[0]
        assert not re.findall(r"\bP\d{6}\b|\bPR\d{6}\b|street:\d", main)


def make_second(borough: Borough, name: str) -> None:
    """A second run made by hand out of the first: two left, one is restricted, and a feed has gone late."""
    folder = borough.home / "runs"
    later = "2026-11-30-0123abcd"
    shutil.copytree(folder / name, folder / later)
    manifest = json.loads((folder / later / "manifest.json").read_text())
    manifest |= {"as_of": "2026-11-30", "previous": name}
    manifest["freshness"][0]["fresh"] = False
    (folder / later / "manifest.json").write_text(json.dumps(manifest))
    lists = json.loads((folder / later / "list.json").read_text())
    people = [one for one in lists["entries"] if one["list"] == "people"]
    people[0]["status"] = "restricted"
    lists["left"] = [
        {"list": "people", "subject": "P000011", "because": "no longer so: Needs not met"},
        {"list": "people", "subject": "P000012", "because": "now the same person as P000013"}]
    (folder / later / "list.json").write_text(json.dumps(lists))
    with open(folder / "made", "a", encoding="utf-8") as made:
        made.write(f"{later}\n")


def test_a_summary_keeps_nobody(borough: Borough) -> None:
    runs = borough.office.setting.runs
    summary = read_summary(runs.home, str(runs.latest()))
    assert not re.findall(r"\bP\d{6}\b", repr(summary))
    entries = runs.lists(str(runs.latest()))["entries"]
    assert sum(summary.put_forward(one) for one in ("people", "places", "allocations")) == len(entries)
