"""Runs on disk: one folder each, whole or not there, and enough beside the results to make them again.

    home/runs/<as-of>-<digest>/  manifest.json   date, pack, batches, what was fresh, counts, digests
                                 list.json       every entry of every list, and who left and why
                                 flags/*.json    one flag a file, byte for byte what replay must give
                                 near_misses.json    what nearly fired, for analysts
                                 on_trial.json       what score cards on trial say of each flag, for analysts
                                 shortlists.parquet  every home's shortlist in the scheme's order, screened
                                 features_*.parquet  every feature and outcome of every subject judged
                                 registry_before.parquet, registry.parquet, links.parquet, review.parquet
                                 pack/, cards/   the rules and score cards as they were
    home/runs/made               the names of the runs in the order they were finished, one a line

A run is written beside its place and moved there when whole, so a killed run leaves the last good one.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from engine.card import read_cards
from engine.disputes import Disputes
from engine.errors import Problem, RunError
from engine.flag import write_json
from engine.history import Freshness
from engine.journal import Journal
from engine.known import Say
from engine.lake import Lake
from engine.lists import LISTS, Entry, Note
from engine.pack import NOT_IN_PACK, Pack, read_pack
from engine.registry import empty_registry
from engine.scores import AxisScore, Part
from engine.weekly import Before, Run, make_run


class Runs:
    """The runs under one home."""

    def __init__(self, home: Path) -> None:
        self.home, self.folder = home, home / "runs"
        self._notes = Journal(home / "notes.jsonl", "a note", _read_note)

    def latest(self) -> str | None:
        """The name of the run that was finished last."""
        made = self._made()
        return made[-1] if made else None

    def names(self) -> list[str]:
        """Every finished run, oldest date first; of one date, the one finished last comes last."""
        made = self._made()
        return sorted(set(made), key=lambda name: (name[:10], len(made) - made[::-1].index(name)))

    def _made(self) -> list[str]:
        path = self.folder / "made"
        names = path.read_text(encoding="utf-8").split() if path.exists() else []
        return [name for name in names if (self.folder / name / "manifest.json").exists()]

    def before(self, as_of: date, area: str | None = None) -> Before:
        """What the last run before a date leaves for the next, with the notes made and the disputes raised by then."""
        notes = tuple(n for n in self.notes() if n.kind == "snoozed" or n.day < as_of)
        disputes = Disputes(self.home).on(as_of)
        earlier = self.before_name(as_of, area)
        if earlier is None:
            return Before(empty_registry(), notes=notes, disputes=disputes)
        return Before(self._frame(earlier, "registry"), self.entries(earlier), notes, earlier, disputes)

    def before_name(self, as_of: date, area: str | None = None) -> str | None:
        """The name of the last run before a date."""
        earlier = [n for n in self.names() if n[:10] < as_of.isoformat() and self.manifest(n).get("area") == area]
        return earlier[-1] if earlier else None

    def save(self, run: Run, before: Before, pack: Pack, lake: Lake) -> str:
        """Writes a run, whole or not at all, and gives its name."""
        made = write_json([run.digests, run.area, run.entries, run.left, run.flags,
                           [card.digest for card in run.cards]], indent=None)
        name = f"{run.as_of}-{sha256(made.encode()).hexdigest()[:8]}"
        draft = self.folder / f".draft-{name}"
        shutil.rmtree(draft, ignore_errors=True)
        try:
            (draft / "flags").mkdir(parents=True)
            _write(draft, run, before, pack, lake)
            self._move_in(draft, self.folder / name)
        except OSError as error:
            raise RunError(Problem(str(self.folder), f"the run cannot be written: {error.strerror}",
                                   "a folder with room, that may be written",
                                   "make room and run again; the last run stands")) from error
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return name

    def manifest(self, name: str) -> dict[str, Any]:
        """What a run was made from and what it counted. Raises RunError when there is no such run."""
        path = self.folder / name / "manifest.json"
        if not path.exists():
            raise RunError(Problem(name, "there is no such run", ", ".join(self.names()) or "no run yet",
                                   "wardwise run --as-of DATE makes one"))
        loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return loaded

    def lists(self, name: str) -> dict[str, Any]:
        """The entries and leavers of a run, as written."""
        self.manifest(name)
        loaded: dict[str, Any] = json.loads((self.folder / name / "list.json").read_text(encoding="utf-8"))
        return loaded

    def entries(self, name: str) -> dict[str, dict[str, Entry]]:
        """The entries of a run by list and subject, with the day each was last shown."""
        as_of = date.fromisoformat(name[:10])
        found: dict[str, dict[str, Entry]] = {name: {} for name in LISTS.values()}
        for raw in self.lists(name)["entries"]:
            entry = _entry(raw, as_of)
            found[entry.list][entry.subject] = entry
        return found

    def near_misses(self, name: str) -> dict[str, list[str]]:
        """The rules one fact away from firing, by subject. For analysts: no officer is shown "almost"."""
        loaded: dict[str, list[str]] = json.loads(
            (self.folder / name / "near_misses.json").read_text(encoding="utf-8"))
        return loaded

    def on_trial(self, name: str) -> dict[str, list[dict[str, Any]]]:
        """What the score cards on trial say, by subject. For analysts: no officer is shown them."""
        path = self.folder / name / "on_trial.json"
        loaded: dict[str, list[dict[str, Any]]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        return loaded

    def flag_text(self, flag: str, run: str | None = None) -> str:
        """A stored flag as JSON text. `flag` is SUBJECT or SUBJECT@DATE. Raises RunError with what is near."""
        name, subject = self.find(flag, run)
        path = self.folder / name / "flags" / f"{quote(subject, safe='')}.json"
        if not path.exists():
            raise RunError(Problem(flag, f"run {name} has no flag for it",
                                   "a subject on the list: `wardwise list` names them",
                                   "an entry not shown for capacity has no flag until it is shown"))
        return path.read_text(encoding="utf-8")

    def find(self, flag: str, run: str | None = None) -> tuple[str, str]:
        """The run and subject of a flag named SUBJECT or SUBJECT@DATE."""
        subject, _, day = flag.partition("@")
        name = run or (next((n for n in reversed(self.names()) if n.startswith(day)), None) if day else self.latest())
        if name is None:
            raise RunError(Problem(flag, f"no run{' of ' + day if day else ' yet'}",
                                   ", ".join(self.names()) or "wardwise run --as-of DATE"))
        return name, subject

    def replay(self, flag: str, lake: Lake, say: Say = lambda _: None, run: str | None = None) -> tuple[str, str]:
        """A flag as stored, and as made again from what the run recorded: the same text, or something changed."""
        name, subject = self.find(flag, run)
        stored = self.flag_text(flag, name)
        remade = self.remake(name, lake, say)
        again = next((f for f in remade.flags if f.subject == subject), None)
        return stored, write_json(again) if again is not None else ""

    def remake(self, name: str, lake: Lake, say: Say = lambda _: None) -> Run:
        """A run made again: its own rules, batches, registry, earlier run, notes, disputes and freshness."""
        manifest = self.manifest(name)
        _check_batches(manifest, lake)
        before = Before(
            self._frame(name, "registry_before"),
            self.entries(manifest["previous"]) if manifest["previous"] else {},
            tuple(Note(n["subject"], n["kind"], date.fromisoformat(n["day"]), n["reason"], n["by"])
                  for n in manifest["notes"]), manifest["previous"], frozenset(manifest.get("disputes", ())))
        freshness = [Freshness(**{**f, "last_spoke": date.fromisoformat(f["last_spoke"]) if f["last_spoke"] else None})
                     for f in manifest["freshness"]]
        return make_run(lake, read_pack(self.folder / name / "pack"), date.fromisoformat(manifest["as_of"]), before,
                        area=manifest["area"], only=[b[0] for b in manifest["inputs"]], freshness=freshness, say=say,
                        cards=read_cards(self.folder / name / "cards"))

    def notes(self) -> list[Note]:
        """What people decided between runs, oldest first."""
        return self._notes.read()[0]

    def add_note(self, note: Note) -> None:
        """Keeps a review or a snooze; nothing is ever taken out."""
        with self._notes.hold():
            self._notes.append(json.loads(write_json(note)))

    def _frame(self, name: str, table: str) -> pd.DataFrame:
        frame = pd.read_parquet(self.folder / name / f"{table}.parquet")
        return frame.astype(object).where(frame.notna(), None)

    def _move_in(self, draft: Path, place: Path) -> None:
        # A name is the digest of what a run was made from and what it found, so a folder that stands there already
        # holds this run; the same inputs with other results (a newer Wardwise) have another name.
        if not (place / "manifest.json").exists():
            shutil.rmtree(place, ignore_errors=True)
            draft.rename(place)
        with open(self.folder / "made", "a", encoding="utf-8") as made:
            made.write(place.name + "\n")
            made.flush()
            os.fsync(made.fileno())


# --- writing --------------------------------------------------------------------------------------


def _write(folder: Path, run: Run, before: Before, pack: Pack, lake: Lake) -> None:
    _put(folder / "list.json", {"entries": run.entries, "left": run.left})
    for flag in run.flags:
        _put(folder / "flags" / f"{quote(flag.subject, safe='')}.json", flag)
    for subject, table in run.tables.items():
        table.order_by("subject").to_parquet(folder / f"features_{subject}.parquet")
    run.linked.registry.to_parquet(folder / "registry.parquet")
    before.registry.to_parquet(folder / "registry_before.parquet")
    run.linked.links.to_parquet(folder / "links.parquet")
    run.linked.review.to_parquet(folder / "review.parquet")
    shutil.copytree(pack.folder, folder / "pack", ignore=NOT_IN_PACK)
    run.shortlists.to_parquet(folder / "shortlists.parquet")
    _put(folder / "near_misses.json", run.near_misses)
    _put(folder / "on_trial.json", run.on_trial)
    (folder / "cards").mkdir()
    for card in run.cards:
        (folder / "cards" / f"{card.name}.yaml").write_text(card.text, encoding="utf-8")
    _put(folder / "manifest.json", describe(run, before, lake))      # last: what has no manifest is not a run


def describe(run: Run, before: Before, lake: Lake) -> dict[str, Any]:
    """The manifest of a run: what it was made from, what it counted, what it could not use."""
    rows = lake.counts_by_feed()
    return {
        "as_of": run.as_of, "area": run.area, "digests": run.digests, "previous": before.run,
        "notes": list(before.notes), "disputes": sorted(before.disputes), "inputs": [list(pair) for pair in run.inputs],
        "freshness": [{f.name: getattr(one, f.name) for f in fields(one)} for one in run.freshness],
        "partial_months": [
            {"feed": r["feed"], "month": str(r["period"])[:10], "area": r["area"], "observed": int(r["observed"]),
             "why": r["why"]} for r in run.partial.to_dict("records")],
        "feeds": rows[rows["files"] > 0].to_dict("records"),
        "rules": run.counts.to_dict("records"), "expired_rules": list(run.expired),
        "cards": [{"card": card.name, "status": card.status, "licence": card.licence, "digest": card.digest,
                   "in_force": card.in_force(run.as_of)} for card in run.cards],
        "judged": dict(run.cohorts),
        "redrawn": dict(run.redrawn),
        "orphans": run.orphans.groupby(["feed", "column"]).size().rename("records").reset_index().to_dict("records"),
        "people": {"linked": len(run.linked.people), "sightings": len(run.linked.links),
                   "to_review": len(run.linked.review)},
        "identity_events": [{key: None if pd.isna(value) else str(value) for key, value in event.items()}
                            for event in run.linked.events.to_dict("records")],
    }


def _put(path: Path, value: Any) -> None:
    path.write_text(write_json(value), encoding="utf-8")


# --- reading --------------------------------------------------------------------------------------


def _entry(raw: Mapping[str, Any], as_of: date) -> Entry:
    shown = as_of if raw["status"] == "shown" else _day(raw["last_shown"])
    axes = tuple(AxisScore(**{**axis, "parts": tuple(Part(**part) for part in axis["parts"])})
                 for axis in raw["axes"])
    return Entry(**{**raw, "axes": axes, "fired": tuple(raw["fired"]), "exclusions": tuple(raw["exclusions"]),
                    "cards": tuple(raw.get("cards", ())), "latest_evidence": _day(raw["latest_evidence"]),
                    "last_shown": shown})


def _read_note(_number: int, fields: Mapping[str, Any]) -> Note:
    return Note(fields["subject"], fields["kind"], date.fromisoformat(fields["day"]), fields["reason"], fields["by"])


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _check_batches(manifest: Mapping[str, Any], lake: Lake) -> None:
    """Every batch the run read is still there, with the bytes it had."""
    problems = []
    for name, digest in manifest["inputs"]:
        path = lake.home / name
        if not path.exists():
            problems.append(Problem(name, "the batch is gone", "the file the run read", "restore it from its backup"))
        elif sha256(path.read_bytes()).hexdigest() != digest:
            problems.append(Problem(name, "the batch has other bytes than the run read", f"sha256 {digest}",
                                    "restore it from its backup"))
    if problems:
        raise RunError(problems)




