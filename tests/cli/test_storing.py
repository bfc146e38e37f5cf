"""The store from the command line: made, filled from a run, and its log checked."""

from __future__ import annotations

import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from .conftest import Office


@pytest.fixture
def kept(worked: Office, tmp_path: Path) -> Office:
    """The worked office, copied, with a store that holds its run."""
    shutil.copytree(worked.home, tmp_path / "home")
    office = replace(worked, home=tmp_path / "home")
    assert office.read("store", "upgrade") == "The store (sqlite) is there and up to date.\n"
    return office


def test_before_the_store_is_made_every_command_says_how(worked: Office) -> None:
    for words in (("publish",), ("audit", "verify"), ("audit", "head")):
        assert "wardwise store upgrade" in worked.type(*words, fails=True).output


def test_a_run_is_put_before_people_once(kept: Office) -> None:
    assert "new flags, 0 that carry on what is under way, 0 left" in kept.read("publish")
    assert kept.read("publish").endswith("was put before people earlier; nothing changed.\n")


def test_the_log_is_whole_until_somebody_changes_it(kept: Office) -> None:
    kept.read("publish")
    head = kept.read("audit", "head").strip()
    assert kept.read("audit", "verify", "--anchor", head).endswith(f"The head is {head}\n")
    with sqlite3.connect(kept.home / "store.db") as store:
        for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            store.execute(f"DROP TRIGGER {name}")
        store.execute("UPDATE audit SET action = 'nothing' WHERE id = 1")
    assert "audit line 1" in kept.type("audit", "verify", fails=True).output


def test_a_log_cut_short_is_found_by_a_head_printed_earlier(kept: Office) -> None:
    kept.read("publish")
    number = int(kept.read("audit", "head").split(":")[0])
    said = kept.type("audit", "verify", "--anchor", f"{number + 5}:{'0' * 64}", fails=True).output
    assert "lines were cut off" in said


def test_an_anchor_that_is_none_is_told_so(kept: Office) -> None:
    said = kept.type("audit", "verify", "--anchor", "twelve", fails=True).output
    assert "--anchor twelve" in said
    assert "NUMBER:HASH" in said
