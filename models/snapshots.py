"""The lake and a past date -> what was known of every subject then, and later what became of the same subjects.

    home/history/<date>-<digest>/    facts of a date: features_<subject>.parquet with every feature and rule outcome,
                                     registry.parquet, log.json
    home/history/<date>-<digest>/    what became of them: later_<subject>.parquet; the date is when it was judged

Reading, linking and measuring are the weekly run's own. The digest names everything a snapshot was made from, so that
other outcomes and later fits find it again; nothing in it is ever changed, and all of it can be deleted.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from engine.feature import Feature
from engine.history import connect
from engine.keyed import World
from engine.known import Known, Say, hold_collection, read_known
from engine.lake import Lake
from engine.measures import measure
from engine.pack import Pack, digest_of
from engine.pairs import COHORT
from engine.schema import SUBJECTS, Subject
from engine.weekly import measure_all
from engine.world import Workbench
from models.hindsight import forget, judge_silence, spoken
from models.outcomes import Outcome, Outcomes

LAYOUT = "2"
"""Raised whenever a snapshot would hold something else for the same inputs, so that no older one is taken for it."""

_COHORTS: dict[Subject, tuple[str, ...]] = {
    "person": ("subject",), "place": ("subject", "level", "key", "easting", "northing"),
    "allocation": tuple(name for name in COHORT if name != "last_known")}


@dataclass(frozen=True)
class Facts:
    """What was known on a date: a table per kind of subject, who the people were, and what the reading came upon."""

    as_of: date
    folder: Path
    tables: Mapping[Subject, Path]
    registry: pd.DataFrame
    log: Mapping[str, Any]

    def read(self, subject: Subject) -> pd.DataFrame:
        """Every subject of a kind with its features and rule outcomes, ordered by subject."""
        return _read_frame(self.tables[subject])


@dataclass(frozen=True)
class Past:
    """Where past dates are read from, and what decides how."""

    lake: Lake
    pack: Pack
    outcomes: Outcomes
    threads: int | None = None
    say: Say = lambda _: None

    @property
    def folder(self) -> Path:
        """Where snapshots are kept."""
        return self.lake.home / "history"

    @property
    def until(self) -> date:
        """The last day any partner's file was received: nothing after it is known."""
        return max((r.received for r in self.lake.ledger.read()), default=date.min)

    def read_facts(self, as_of: date, registry: pd.DataFrame) -> Facts:
        """What was known of everybody strictly before a date, linked on from the registry of the date before."""
        name = f"{as_of}-{self._digest('facts', as_of, registry)}"
        if not (self.folder / name / "log.json").exists():
            self.say(f"{as_of}: reading and measuring")
            self._keep(name, lambda draft: _write_facts(self, as_of, registry, draft))
        folder = self.folder / name
        return Facts(as_of, folder, {s: folder / f"features_{s}.parquet" for s in SUBJECTS},
                     _read_registry(folder / "registry.parquet"), json.loads((folder / "log.json").read_text()))

    def read_later(self, facts: Facts, outcome: Outcome) -> pd.DataFrame:
        """What became of the subjects of a date: column `subject` as they were called then, and a column a fact."""
        read_on = outcome.read_on(facts.as_of)
        asked = [f.name for subject in SUBJECTS for f in self.outcomes.measured(subject, outcome)]
        made_from = f"{facts.folder.name} {outcome.horizon} {outcome.settle} {' '.join(asked)}"
        name = f"{read_on}-{self._digest(made_from, read_on, facts.registry)}"
        if not (self.folder / name / "log.json").exists():
            self.say(f"{facts.as_of}: what became of everybody by {read_on}")
            self._keep(name, lambda draft: _write_later(self, facts, outcome, draft))
        return _read_frame(self.folder / name / f"later_{outcome.subject}.parquet")

    def _digest(self, kind: str, as_of: date, registry: pd.DataFrame) -> str:
        parts = [LAYOUT, kind, self.pack.digest, digest_of(self.pack.folder / "features"), self.outcomes.digest,
                 repr(self.lake.inputs(as_of)), registry.astype(str).to_csv(index=False),
                 repr(spoken(self.lake, as_of))]
        return sha256("\n".join(parts).encode()).hexdigest()[:16]

    def _keep(self, name: str, write: Callable[[Path], None]) -> None:
        """A folder appears whole or not at all, whatever happens meanwhile."""
        draft, place = self.folder / f".draft-{name}-{os.getpid()}", self.folder / name
        shutil.rmtree(draft, ignore_errors=True)
        try:
            draft.mkdir(parents=True)
            write(draft)
            shutil.rmtree(place, ignore_errors=True)
            draft.rename(place)
        finally:
            shutil.rmtree(draft, ignore_errors=True)


# --- making them ----------------------------------------------------------------------------------


@hold_collection()
def _write_facts(past: Past, as_of: date, registry: pd.DataFrame, folder: Path) -> None:
    bench = Workbench(connect(past.threads))
    try:
        known = _read(past, as_of, registry, bench)
        world = _look_back(known, past, as_of)
        tables, _ = measure_all(world, past.pack, bench, lambda _: None)
        for subject, table in tables.items():
            kept = [c for c in table.columns if not c.startswith(("exists_", "exclusion:", "protection:"))]
            _write_frame(table.select(*kept), folder / f"features_{subject}.parquet")
        known.linked.registry.to_parquet(folder / "registry.parquet")
        _write_log(folder, {
            "as_of": as_of, "late": sorted(f.feed for f in known.fresh if not f.fresh),
            "first_report": _first_day(known.world.tables["incidents"]), "newest": _find_newest(world),
            "partial_months": len(known.partial), "people": len(known.linked.people),
            "merged": int((known.linked.events["kind"] == "merge").sum()),
            "split": int((known.linked.events["kind"] == "split").sum())})
    finally:
        bench.connection.disconnect()


@hold_collection()
def _write_later(past: Past, facts: Facts, outcome: Outcome, folder: Path) -> None:
    """For every kind of subject, since reading a day again takes longer than measuring it."""
    read_on = outcome.read_on(facts.as_of)
    bench = Workbench(connect(past.threads))
    try:
        known = _read(past, read_on, facts.registry, bench)
        world = replace(_look_back(known, past, read_on), as_of=outcome.ends(facts.as_of))
        for subject in SUBJECTS:
            features = past.outcomes.measured(subject, outcome)
            if features:
                now = follow(facts.read(subject)[list(_COHORTS[subject])], subject, facts.registry,
                             known.linked.registry)
                table = _measure_later(world, subject, features, now, bench)
                _write_frame(table, folder / f"later_{subject}.parquet")
        _write_log(folder, {"as_of": facts.as_of, "read_on": read_on,
                            "late": sorted(f.feed for f in known.fresh if not f.fresh)})
    finally:
        bench.connection.disconnect()


def _measure_later(
    world: World, subject: Subject, features: Sequence[Feature], now: pd.DataFrame, bench: Workbench
) -> ir.Table:
    """The facts of a cohort under the ids of a later day, each beside what the subject was called at the date."""
    distinct = now.drop(columns="then").drop_duplicates("subject").reset_index(drop=True)
    cohort = bench.put(f"later_cohort_{subject}", distinct)
    world = replace(world, cohorts={**world.cohorts, subject: cohort})
    table = bench.hold(f"later_{subject}", measure(world, subject, features, [], bench.hold, {}))
    names = bench.put(f"later_names_{subject}", now[["then", "subject"]].rename(columns={"subject": "now"}))
    rows = names.inner_join(table, names.now == table.subject)
    return rows.select(*[table[f.name] for f in features], subject=names.then)


def follow(then: pd.DataFrame, subject: Subject, before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """The cohort of a date under the ids of a later day; `then` holds what each subject was called at the date.

    Who was two people then and is one now is asked about twice. Who was one and is two now is the one that holds most
    of the identities; the smallest id where that leaves a choice. Places and offers keep their names.
    """
    moved = then.assign(then=then["subject"])
    if subject == "place":
        return moved
    ids = follow_people(before, after).to_dict()
    column = "subject" if subject == "person" else "applicant"
    return moved.assign(**{column: [ids.get(name, name) for name in moved[column]]})


def follow_people(before: pd.DataFrame, after: pd.DataFrame) -> pd.Series:
    """Person id of an earlier registry -> the id most of the same identities have in a later one."""
    open_ = [r.loc[r["until"].isna(), ["node", "person"]].astype(str) for r in (before, after)]
    pairs = open_[0].merge(open_[1], on="node", suffixes=("_then", "_now"))
    held = pairs.groupby(["person_then", "person_now"], as_index=False).size()
    held = held.sort_values(["person_then", "size", "person_now"], ascending=[True, False, True])
    return held.drop_duplicates("person_then").set_index("person_then")["person_now"]


# --- what was known ---------------------------------------------------------------------------------


def _read(past: Past, as_of: date, registry: pd.DataFrame, bench: Workbench) -> Known:
    tables = past.lake.tables(as_of, bench.connection)
    fresh = judge_silence(past.lake, past.lake.freshness(as_of, tables), as_of)
    return read_known(past.lake, past.pack, registry, as_of, bench, freshness=fresh)


def _look_back(known: Known, past: Past, as_of: date) -> World:
    return forget(known.world, past.pack.contracts, past.outcomes.hindsight, as_of)


def _first_day(rows: ir.Table) -> date | None:
    first = rows.known.min().execute()
    return None if pd.isna(first) else pd.Timestamp(first).date()


def _find_newest(world: World) -> dict[str, str]:
    """The day the newest record of each table was known, of those that have records."""
    last = {name: rows.known.max().execute() for name, rows in sorted(world.tables.items()) if "known" in rows.columns}
    return {name: pd.Timestamp(day).date().isoformat() for name, day in last.items() if not pd.isna(day)}


# --- files ------------------------------------------------------------------------------------------


def _write_frame(table: ir.Table, path: Path) -> None:
    table.order_by("subject").to_parquet(path)


def _read_frame(path: Path) -> pd.DataFrame:
    """Whole numbers, decimals, truths and words with NA for what is not known; days as days."""
    kinds = {pa.bool_(): pd.BooleanDtype(), pa.string(): pd.StringDtype("python"), pa.float64(): pd.Float64Dtype()}
    kinds |= {kind: pd.Int64Dtype() for kind in (pa.int8(), pa.int16(), pa.int32(), pa.int64())}
    frame: pd.DataFrame = pq.read_table(path).to_pandas(types_mapper=kinds.get, date_as_object=False)
    return frame


def _read_registry(path: Path) -> pd.DataFrame:
    frame = pd.read_parquet(path)
    return frame.astype(object).where(frame.notna(), None)


def _write_log(folder: Path, log: Mapping[str, object]) -> None:
    (folder / "log.json").write_text(json.dumps(log, default=str, indent=1, sort_keys=True))
