"""A snapshot in memory -> one applicant and one home measured in milliseconds, by the same declared features.

The weekly run measures everybody in columns and the flagged by hand (`recount`); here a pair nobody proposed is
measured by that same hand, from the same keyed rows. What is known of an applicant and of a home is worked out once
and kept for the next pair they are in. A desk never changes: what arrives later makes another desk.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any, Literal

from engine.condition import Exists
from engine.errors import Problem, ScreenError
from engine.feature import Feature
from engine.judge import exists_of
from engine.keyed import HOWEVER_FAR, World, find_anchors
from engine.measures import reach, reach_of
from engine.pack import Pack
from engine.reasoning import compile_pack
from engine.recount import Counted, recount
from engine.screening import Pair
from engine.snapshot import Group, Snapshot

Row = Mapping[str, Any]
Part = Literal["applicant", "home", "proposal"]

MOST_KEPT = 4096
"""Applicants and homes whose facts are kept in memory at once; an afternoon's screenings touch a few hundred."""

_THEIRS = {"applicant": "person", "uprn": "uprn", "proposal": "proposal_ref"}


@dataclass(frozen=True)
class Measured:
    """Every fact of one pair with the rows behind it, and the records that `exists` blocks look at (None: cannot)."""

    values: Mapping[str, Any]
    counted: Mapping[str, Counted]
    related: Mapping[Exists, Sequence[Row] | None]


class Desk:
    """The pack and a snapshot, ready to measure one pair after another, from any thread."""

    def __init__(self, snapshot: Snapshot, pack: Pack, digests: Mapping[str, str], name: str) -> None:
        self.snapshot, self.pack, self.digests, self.name = snapshot, pack, digests, name
        self.as_of = snapshot.as_of
        self.features = pack.features_of("allocation")
        self.applications = _by(snapshot, "applications", "application")
        self.homes = _by(snapshot, "homes", "uprn")
        self.proposals = {(p["application"], p["uprn"]): p["proposal"] for p in sorted(
            snapshot.tables["proposals"].to_pylist(), key=lambda p: (str(p["known"]), p["proposal"]))}
        self.rules = pack.rules_of("allocation", snapshot.as_of)
        self.reasoner = compile_pack(self.rules, {f.name: f.about for f in self.features.values()})
        self._people = {a["applicant"] for a in self.applications.values() if a["measured"]}
        self._places = _by(snapshot, "places", "subject")
        self._world = World(snapshot.as_of, {}, {}, snapshot.fresh, snapshot.table_feeds, snapshot.gaps)
        self._rows = _Rows(snapshot)
        self._blocks = exists_of(pack, "allocation", snapshot.as_of)
        self._parts: dict[Part, list[Feature]] = {"applicant": [], "home": [], "proposal": []}
        for feature in self.features.values():
            self._parts[self._part_of(feature)].append(feature)
        self._about_applicant = lru_cache(MOST_KEPT)(self._measure_applicant)
        self._about_home = lru_cache(MOST_KEPT)(self._measure_home)

    def pair(self, application: str, uprn: str) -> Pair:
        """The two as a pair, whatever stands against it. Raises ScreenError (not_found) for names nobody knows."""
        problems = []
        if application not in self.applications:
            problems.append(Problem("application", "no such application on the housing register",
                                    "an application reference as the register writes it",
                                    "look the reference up; a new one is known here once housing has sent it"))
        if uprn not in self.homes:
            problems.append(Problem("uprn", "no such home among those landlords have told of",
                                    "the UPRN of a landlord's home",
                                    "look the UPRN up; a new home is known here once housing has sent it"))
        if problems:
            raise ScreenError(problems, "not_found")
        return Pair(application, self.applications[application]["applicant"], uprn,
                    self.proposals.get((application, uprn)))

    def measure(self, pair: Pair) -> Measured:
        """Every allocation feature of a pair, and what its `exists` blocks look at."""
        home = self.homes[pair.uprn]
        counted = {**self._about_applicant(pair.applicant), **self._about_home(pair.uprn),
                   **{f.name: self._count(f, {"proposal": pair.proposal}) for f in self._parts["proposal"]}}
        # A distance to a record about the applicant belongs to the two of them together.
        both = {"applicant": pair.applicant, **home}
        for feature in self._parts["applicant"]:
            if feature.table and reach(feature) == HOWEVER_FAR:
                counted[feature.name] = self._count(feature, both)
        ordered = {name: counted[name] for name in self.features}
        return Measured({name: c.value for name, c in ordered.items()}, ordered,
                        {block: self._related(block, both | {"proposal": pair.proposal}) for block in self._blocks})

    def find_applications(self, words: str) -> tuple[Row, ...]:
        """The applications somebody may mean: by reference, or the id of a person; else by a part of the reference.

        In order of reference; a reference or id written in full finds what has it and nothing else.
        """
        said = "".join(words.split()).upper()
        said = self.snapshot.merged.get(said, said)
        whole = [row for row in self.applications.values() if said in (row["application"].upper(), row["applicant"])]
        return tuple(whole or (row for row in self.applications.values() if said in row["application"].upper()))

    def find_homes(self, words: str) -> tuple[Row, ...]:
        """The homes somebody may mean: by UPRN, or by a part of the address; those that may be offered first."""
        said = " ".join(words.split()).casefold()
        if said in self.homes:
            return (self.homes[said],)
        found = (row for row in self.homes.values() if said in row["uprn"] or said in (row["address"] or "").casefold())
        return tuple(sorted(found, key=lambda row: (not row["available"], row["address"] or "", row["uprn"])))

    # --- inside ---------------------------------------------------------------------------------

    def _part_of(self, feature: Feature) -> Part:
        """Whether a feature is about the applicant, about the home, or about what was proposed for the two."""
        if feature.carried_from is not None:
            return "applicant" if feature.via == "applicant" else "home"
        near = reach(feature)
        if feature.table is None or (near is not None and near > 0):
            return "home"
        name = find_anchors("allocation", feature.table, self._rows.columns(("allocation", feature.table, near)))[0]
        return {"applicant": "applicant", "uprn": "home", "proposal": "proposal"}[name]  # type: ignore[return-value]

    def _measure_applicant(self, applicant: str | None) -> dict[str, Counted]:
        return {f.name: self._count(f, {"applicant": applicant}) for f in self._parts["applicant"]
                if reach(f) != HOWEVER_FAR}

    def _measure_home(self, uprn: str) -> dict[str, Counted]:
        return {f.name: self._count(f, self.homes[uprn]) for f in self._parts["home"]}

    def _count(self, feature: Feature, known: Row) -> Counted:
        """One feature by hand. `known`: of the pair, what says whose rows to look for and where."""
        if feature.carried_from is not None:
            return self._carry(feature, known)
        if feature.table is None:
            return Counted(self.as_of.month if feature.measure.verb == "calendar" else known.get(feature.declared))
        group: Group = "allocation", feature.table, reach(feature)
        rows = self._rows.find(group, known)
        return recount(feature, rows or (), self.as_of, rows is not None and self._world.believes(feature))

    def _carry(self, feature: Feature, known: Row) -> Counted:
        owner, name = str(feature.carried_from).split(".")
        if owner == "place":
            level = "uprn" if feature.via == "property" else str(feature.via)
            place = self._places.get(f"{level}:{known.get(level)}") if known.get(level) is not None else None
            return Counted(place[name] if place is not None else None)
        source = self.pack.features[str(feature.carried_from)]
        applicant = known.get("applicant")
        if applicant not in self._people or source.table is None:      # the week measures nobody unheard of for years
            return Counted(None)
        rows = self._rows.of_person(("person", source.table, None), str(applicant))
        return recount(source, rows, self.as_of, self._world.believes(source))

    def _related(self, block: Exists, known: Row) -> Sequence[Row] | None:
        if not set(self._world.feeds_of(block.table)) <= self._world.fresh:
            return None
        rows = self._rows.find(("allocation", block.table, reach_of(block)), known)
        if rows is None or block.within is None:
            return rows
        return [r for r in rows if (self.as_of - r["known"]).days <= block.within]


class _Rows:
    """The snapshot's rows by whom they are about, and by where."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._columns: dict[Group, list[str]] = {
            group: snapshot.tables[name].column_names for group, name in snapshot.groups.items()}
        self._by: dict[Group, dict[Any, list[Row]]] = {}
        for group, name in snapshot.groups.items():
            near = group[2]
            rows: dict[Any, list[Row]] = defaultdict(list)
            for row in snapshot.tables[name].to_pylist():
                if near is not None and near > 0:
                    rows[_cell(row["easting"], near), _cell(row["northing"], near)].append(row)
                else:
                    rows[row[_THEIRS[self._anchor(group)]]].append(row)
            self._by[group] = dict(rows)

    def columns(self, group: Group) -> Sequence[str]:
        return self._columns[group]

    def of_person(self, group: Group, person: str) -> Sequence[Row]:
        return self._by[group].get(person, ())

    def find(self, group: Group, known: Row) -> Sequence[Row] | None:
        """The rows of a pair, with their distance where the group asks for it; None where it cannot be known which."""
        subject, table, near = group
        if any(known.get(name) is None for name in find_anchors(subject, table, self._columns[group], near)):
            return None
        if near is not None and near > 0:
            return list(self._within(group, near, known["easting"], known["northing"]))
        rows = self._by[group].get(known[self._anchor(group)], ())
        return [{**row, "metres": _distance(row, known)} for row in rows] if near == HOWEVER_FAR else rows

    def _within(self, group: Group, near: int, easting: float, northing: float) -> Iterator[Row]:
        cx, cy = _cell(easting, near), _cell(northing, near)
        for dx, dy in product((-1, 0, 1), repeat=2):
            for row in self._by[group].get((cx + dx, cy + dy), ()):
                metres = _distance(row, {"easting": easting, "northing": northing})
                if metres is not None and metres <= near:
                    yield {**row, "metres": metres}

    def _anchor(self, group: Group) -> str:
        subject, table, near = group
        if subject == "person":
            return "applicant"
        return find_anchors(subject, table, self._columns[group], None if near == HOWEVER_FAR else near)[0]


def _by(snapshot: Snapshot, table: str, key: str) -> dict[str, Row]:
    return {row[key]: row for row in snapshot.tables[table].to_pylist()}


def _cell(metres: float, size: int) -> int:
    return math.floor(metres / size)


def _distance(row: Row, home: Row) -> float | None:
    """Metres from a record's point to the home, less the record's own radius; the same sum as `keyed` writes."""
    points = (row["easting"], row["northing"], home.get("easting"), home.get("northing"))
    if any(point is None for point in points) or ("radius_m" in row and row["radius_m"] is None):
        return None
    across, up = points[0] - points[2], points[1] - points[3]
    metres = math.sqrt(across * across + up * up)
    return metres - row["radius_m"] if "radius_m" in row else metres


