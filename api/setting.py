"""The two folders every command works on, and what the engine makes of them when first asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import engine
from engine.admission import admit_cards
from engine.card import Card
from engine.contract import Contract, read_contracts
from engine.errors import Problem, RunError
from engine.lake import Lake
from engine.pack import Pack, read_pack
from engine.runs import Runs

RULES = Path(engine.__file__).resolve().parent.parent / "rules"
"""`rules` holds no Python, so it is found beside the engine: in a checkout and when installed alike."""


@dataclass(frozen=True)
class Setting:
    """`home` keeps what partners sent and the runs; `rules` is the judgement; `carded` a folder of score cards."""

    home: Path
    rules: Path
    carded: Path | None = None

    @property
    def card_folder(self) -> Path:
        """The folder of score cards: the one named, else the home's own, else those installed beside these rules.

        Rules of somebody else's may lack the facts that the installed cards ask for, so none come with them.
        """
        own, installed = self.home / "cards", self.rules.resolve().parent / "models" / "cards"
        return self.carded or (own if own.exists() else installed)

    @cached_property
    def cards(self) -> tuple[Card, ...]:
        """The score cards that are not retired, each one let in by the pack. Raises RuleError."""
        return admit_cards(self.card_folder, self.pack)

    @cached_property
    def contracts(self) -> Mapping[str, Contract]:
        """Every feed's contract. Raises RuleError."""
        return read_contracts(self.rules / "feeds")

    @cached_property
    def pack(self) -> Pack:
        """The rules in force. Raises RuleError."""
        return read_pack(self.rules)

    @cached_property
    def lake(self) -> Lake:
        """What partners sent."""
        return Lake(self.home, self.contracts)

    @cached_property
    def runs(self) -> Runs:
        """The finished runs."""
        return Runs(self.home)

    def find_run(self, name: str | None) -> str:
        """The run of this name, of this date, or the latest. Raises RunError when there is none."""
        names = self.runs.names()
        if name is None and self.runs.latest() is None:
            raise RunError(Problem(str(self.home), "no run has been made here yet", "a home with a run",
                                   "`wardwise run --as-of DATE` makes one; `wardwise feeds` says what there is"))
        if name is None:
            return str(self.runs.latest())
        found = [one for one in names if one == name or one.startswith(f"{name}-")]
        if not found:
            raise RunError(Problem(name, "there is no such run", ", ".join(names) or "no run yet",
                                   "`wardwise runs` lists them"))
        return found[-1]
