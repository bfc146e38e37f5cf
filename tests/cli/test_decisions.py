"""What people decide between two meetings: set aside, reviewed; and how the next list answers."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest

from .conftest import Office


@pytest.fixture(scope="module")
def later(worked: Office, tmp_path_factory: pytest.TempPathFactory) -> Office:
    """A week on: the victim has been seen, the other person is set aside, and the lists are made again."""
    home = tmp_path_factory.mktemp("later") / "home"
    shutil.copytree(worked.home, home)
    office = Office(home)
    victim, other = shown(office, "people")
    office.type("reviewed", victim["flag"], "--on", "2026-11-24", "--reason", "Plan agreed", "--by", "ASB lead")
    office.type("snooze", other["flag"], "--until", "2027-01-31", "--reason", "Mediation begun", "--by", "ASB lead")
    office.type("run", "--as-of", "2026-11-30")
    return office


def shown(office: Office, which: str) -> list[dict[str, Any]]:
    listing = json.loads(office.read("list", which, "--format", "json"))
    return list(listing["lists"][0]["shown"])


def test_a_person_set_aside_is_counted_and_named_only_when_asked(worked: Office, later: Office) -> None:
    other = shown(worked, "people")[1]["subject"]
    said = later.read("list", "people")
    assert "- 1 set aside until a date by somebody who said why" in said
    assert other not in said
    assert other in later.read("list", "people", "--all")


def test_a_legal_right_stays_on_the_list_though_it_was_reviewed(worked: Office, later: Office) -> None:
    victim = shown(worked, "people")[0]["subject"]
    assert [one["subject"] for one in shown(later, "people")] == [victim]
    said = later.read("reviewed", victim, "--on", "2026-12-01", "--reason", "Seen", "--by", "ASB lead")
    assert "It stays on the list all the same" in said


def test_the_next_list_says_what_is_as_it_was(later: Office) -> None:
    assert "as last time, with nothing new heard" in later.read("list", "people")


def test_the_next_list_says_what_left_and_why(later: Office) -> None:
    said = " ".join(later.read("list", "places").split("Left since the last run:")[1].split())
    assert "Leeds 063B" in said
    assert "no longer so: Sudden rise in police open data" in said


def test_a_flag_of_the_later_run_is_made_again_from_its_own_notes(later: Office) -> None:
    assert later.read("replay", shown(later, "people")[0]["flag"]).startswith("Identical:")


def test_a_snooze_into_the_past_gives_helpful_error(worked: Office) -> None:
    subject = shown(worked, "people")[0]["subject"]
    result = worked.type("snooze", subject, "--until", "2026-11-01", "--reason", "r", "--by", "b", fails=True)
    assert result.exit_code == 2
    assert "is not after the run of 2026-11-23" in result.stderr


def test_a_decision_without_a_reason_is_refused(worked: Office) -> None:
    subject = shown(worked, "people")[0]["subject"]
    result = worked.type("reviewed", subject, "--reason", " ", "--by", "ASB lead", fails=True)
    assert result.exit_code == 2
    assert not (worked.home / "notes.jsonl").exists()
