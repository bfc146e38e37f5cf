"""Every command teaches itself: its help says what it does and ends with an example that can be typed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main

from api.cli import app

from .conftest import Office


def find_commands(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """Every command by what is typed for it: `run`, `token add`."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from find_commands(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


COMMANDS = dict(find_commands(typer.main.get_command(app)))


def test_the_commands_are_the_ones_promised() -> None:
    assert list(COMMANDS) == [
        "invent", "ingest", "feeds", "quarantine", "run", "list", "explain", "replay", "runs",
        "screen", "shortlist", "override", "offer", "withdraw", "overrides", "snooze", "reviewed", "person",
        "check", "publish-pack", "serve", "publish", "fit", "fair", "drift", "demo", "version",
        "token add", "token list", "token revoke", "user add", "user list", "user disable", "user reset",
        "user link", "store upgrade", "audit verify", "audit head"]


@pytest.mark.parametrize("name", COMMANDS)
def test_help_ends_with_an_example_that_can_be_typed(
    office: Office, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WARDWISE_TOKEN", "ww_example")      # else it would be asked for
    said = office.read(*name.split(), "--help")
    examples = re.findall(r"^ +wardwise (.+)$", said.split("Example:")[1], re.MULTILINE)
    assert examples
    for example in examples:
        assert example.startswith(name)
        words = shlex.split(example.removeprefix(name))
        COMMANDS[name].make_context(name, words)        # parses, and does nothing


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in (
    "version", "demo", "check", "invent", "publish-pack", "publish") and name.split()[0] not in (
        "token", "user", "store", "audit")])
def test_every_command_on_kept_data_takes_a_home_and_rules(office: Office, name: str) -> None:
    said = office.read(name, "--help")
    assert "WARDWISE_HOME" in said
    assert "WARDWISE_RULES" in said


def test_wardwise_alone_says_where_to_start(office: Office) -> None:
    assert "Start with:  wardwise demo" in office.type(fails=True).output


def test_version_is_told(office: Office) -> None:
    assert re.match(r"wardwise \d+\.\d+", office.read("version"))
