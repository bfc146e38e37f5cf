"""The planted stories of an invented borough, held against a finished run.

The truth is read here and nowhere in the engine. For each story: which subjects it is about, and what the run
should have said of them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from engine.desk import Desk
from engine.pack import Pack
from engine.screen import screen

KINDS = {"people": "person", "places": "place", "allocations": "allocation"}


@dataclass(frozen=True)
class Verdict:
    """One expectation of one story, and what came out."""

    story: str
    expected: str
    came_out: str
    right: bool


def check_stories(borough: Path, run: Path, pack: Pack) -> list[Verdict]:
    """Every expectation of every planted story, judged against a saved run."""
    stories = yaml.safe_load((borough / "truth" / "stories.yaml").read_text(encoding="utf-8"))
    found = _Found(run, pack)
    return [found.judge(story, expectation) for story in stories for expectation in story["expectation"]]


def check_offers(borough: Path, run: Path, desk: Desk) -> list[Verdict]:
    """Every expectation of every planted story about an offer, judged by screening its pair live."""
    stories = yaml.safe_load((borough / "truth" / "stories.yaml").read_text(encoding="utf-8"))
    found, proposals = _Found(run, desk.pack), {proposal: pair for pair, proposal in desk.proposals.items()}
    return [found.judge(story, expectation, _screened(found, desk, proposals, story, expectation))
            for story in stories for expectation in story["expectation"] if expectation["list"] == "allocations"]


def _screened(
    found: _Found, desk: Desk, proposals: dict[str, tuple[str, str]], story: dict[str, Any],
    expectation: dict[str, Any]
) -> str:
    pair = proposals.get(str(found.subject(story["subjects"][expectation["subject"]])))
    if pair is None:
        return "not_proposed"
    screening = screen(desk, desk.pair(*pair))
    fired, unknown = {c.rule for c in screening.conflicts}, {u.rule for u in screening.unchecked}
    if expectation["rule"] == "any":
        return "flagged" if fired else "not_flagged"
    rule = found.rule_ids[expectation["rule"]]
    return "flagged" if rule in fired else "cannot_tell" if rule in unknown else "not_flagged"


class _Found:
    def __init__(self, run: Path, pack: Pack) -> None:
        self.pack = pack
        registry = pd.read_parquet(run / "registry.parquet")
        now = registry[registry["until"].isna()]
        self.people = dict(zip(now["node"], now["person"], strict=True))
        self.tables = {kind: pd.read_parquet(run / f"features_{kind}.parquet").set_index("subject")
                       for kind in KINDS.values()}
        entries = json.loads((run / "list.json").read_text(encoding="utf-8"))["entries"]
        self.entries = {entry["subject"]: entry for entry in entries}
        self.rule_ids = {rule.reference: rule.id for rule in pack.rules.values()}

    def judge(self, story: dict[str, Any], expectation: dict[str, Any], live: str | None = None) -> Verdict:
        """The verdict on what the run says, or on what was found `live`."""
        subject = self.subject(story["subjects"][expectation["subject"]])
        came_out = live or self._come_out(subject, KINDS[expectation["list"]], expectation)
        words = f"{expectation['subject']} on {expectation['list']}, {expectation['rule']}"
        words += f" ({expectation['axis']})" if expectation.get("axis") else ""
        wanted = str(expectation["expect"])
        right = came_out == wanted or (wanted, came_out) == ("not_flagged", "cannot_tell")
        return Verdict(story["name"], f"{words}: {wanted}", came_out, right)

    def subject(self, named: Any) -> str | None:
        if isinstance(named, str):
            return named
        if "namespace" in named:
            return self.people.get(f"{named['namespace']}:{named['ref']}")
        return str(next(iter(named.values())))

    def _come_out(self, subject: str | None, kind: str, expectation: dict[str, Any]) -> str:
        entry = self.entries.get(subject or "")
        if expectation["expect"] == "held":      # by an exclusion, which says where it goes instead
            return "held" if entry and expectation["exclusion"] in entry["exclusions"] else "not_held"
        if expectation["rule"] == "any":
            return self._any(entry, expectation.get("axis"))
        table = self.tables[kind]
        if subject not in table.index:
            return "not_flagged"
        state = table.loc[subject, f"rule:{self.rule_ids[expectation['rule']]}"]
        if state is None or pd.isna(state):
            return "cannot_tell"
        counted = entry is not None and self.rule_ids[expectation["rule"]] in entry["fired"]
        return "flagged" if state and counted else "not_flagged"

    def _any(self, entry: dict[str, Any] | None, axis: str | None) -> str:
        if entry is None:
            return "not_flagged"
        axes = [a["axis"] for a in entry["axes"]]
        return "flagged" if axis is None or axis in axes else "not_flagged"
