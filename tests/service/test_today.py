"""The desk of now: opened once, renewed when something new is known, and never waited for twice."""

from __future__ import annotations

import os
import shutil
import time
from datetime import date
from pathlib import Path

import pytest

from api.setting import RULES, Setting
from api.today import Today
from engine.desk import Desk

from .conftest import DAY


@pytest.fixture
def home(furnished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(furnished, tmp_path / "home"))


def wait_for_another(today: Today, desk: Desk) -> Desk:
    for _ in range(600):
        if (now := today.open()) is not desk:
            return now
        time.sleep(0.05)
    raise AssertionError("no other desk came")


def test_the_same_desk_is_given_while_nothing_changes(home: Path) -> None:
    today = Today(Setting(home, RULES), lambda: DAY)
    assert today.open() is today.open()


def test_a_desk_that_was_made_is_opened_again_and_not_made_twice(home: Path) -> None:
    Today(Setting(home, RULES), lambda: DAY).open()
    assert len(list((home / "desks").iterdir())) == 1


def test_another_day_has_another_desk_and_the_old_one_serves_until_it_is_ready(home: Path) -> None:
    days = [DAY]
    today = Today(Setting(home, RULES), lambda: days[-1])
    first = today.open()
    days.append(date(2026, 11, 24))
    assert today.open() is first
    assert wait_for_another(today, first).as_of == date(2026, 11, 24)


def test_a_desk_that_cannot_be_made_leaves_the_old_one_serving(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    today = Today(Setting(home, RULES), lambda: DAY)
    first = today.open()
    with (home / "ledger.jsonl").open("a") as file:
        file.write("not a receipt\n")
    today.open()
    for _ in range(200):
        if said := capsys.readouterr().err:
            break
        time.sleep(0.05)
    assert "the one that stands serves on" in said
    assert today.open() is first


def test_a_home_without_records_says_so_at_the_start(tmp_path: Path) -> None:
    from engine.errors import RunError

    os.makedirs(tmp_path / "empty")
    with pytest.raises(RunError, match="no partner had told us anything yet"):
        Today(Setting(tmp_path / "empty", RULES), lambda: DAY).open()
