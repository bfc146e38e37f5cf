"""Every command teaches itself: its help says what it does and ends with an example that can be typed."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest
import typer.main

from api.cli import app

from .conftest import Office

COMMANDS: dict[str, Any] = dict(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


def test_the_commands_are_the_ones_promised() -> None:
    assert list(COMMANDS) == [
        "invent", "ingest", "feeds", "quarantine", "run", "list", "explain", "replay", "runs", "snooze", "reviewed",
        "person", "check", "demo", "version"]


@pytest.mark.parametrize("name", COMMANDS)
def test_help_ends_with_an_example_that_can_be_typed(office: Office, name: str) -> None:
    said = office.read(name, "--help")
    examples = re.findall(r"^ +wardwise (.+)$", said.split("Example:")[1], re.MULTILINE)
    assert examples
    for example in examples:
        command, *words = shlex.split(example)
        assert command == name
        COMMANDS[name].make_context(name, words)        # parses, and does nothing


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in ("version", "demo", "check", "invent")])
def test_every_command_on_kept_data_takes_a_home_and_rules(office: Office, name: str) -> None:
    said = office.read(name, "--help")
    assert "WARDWISE_HOME" in said
    assert "WARDWISE_RULES" in said


def test_wardwise_alone_says_where_to_start(office: Office) -> None:
    assert "Start with:  wardwise demo" in office.type(fails=True).output


def test_version_is_told(office: Office) -> None:
    assert re.match(r"wardwise \d+\.\d+", office.read("version"))
