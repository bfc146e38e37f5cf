"""The records behind the flagged: fetched once per table, for the chosen subjects only.

Whoever is not flagged is never looked up. A carried feature's records are those of the subject it was
carried from (an allocation shows its applicant's own history, never a neighbour's name).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import ibis
import ibis.expr.types as ir

from engine.condition import Exists
from engine.feature import Feature
from engine.keyed import World, find_anchors, key_rows
from engine.measures import Kept, reach, reach_of
from engine.recount import Counted, recount
from engine.schema import Subject

Row = Mapping[str, Any]
_Key = tuple[Subject, str, int | None]


@dataclass(frozen=True)
class Evidence:
    """Rows by (kind of subject, table, reach) and subject; see `gather`."""

    world: World
    features: Mapping[str, Feature]                     # by "subject.name"
    counted: Mapping[_Key, Mapping[str, Sequence[Row]]]
    asked: Mapping[_Key, Mapping[str, Sequence[Row]]]    # what `exists` blocks look at
    owners: Mapping[tuple[str, str], str]                # (allocation, via) -> person or place id
    adrift: Mapping[_Key, frozenset[str]]                # subjects of which finding no row says nothing

    def count(self, feature: Feature, subject: str) -> Counted:
        """A feature of one subject, by hand, with the rows it rests on."""
        source, rows = self.rows_of(feature, subject)
        if source.table is None:
            return Counted(None)
        return recount(source, rows, self.world.as_of, self.believes(feature, subject))

    def believes(self, feature: Feature, subject: str) -> bool:
        """Whether silence can be read in a feature's feeds, and it is known whose records to look for and where."""
        if feature.carried_from is not None:
            owner = self.owners.get((subject, str(feature.via)))
            return owner is not None and self.believes(self.features[feature.carried_from], owner)
        key = (feature.subject, str(feature.table), reach(feature))
        return self.world.believes(feature) and subject not in self.adrift.get(key, ())

    def rows_of(self, feature: Feature, subject: str) -> tuple[Feature, Sequence[Row]]:
        """The feature that is really counted (a carried one is another subject's) and the rows it counts from."""
        if feature.carried_from is not None:
            owner = self.owners.get((subject, str(feature.via)))
            source = self.features[feature.carried_from]
            return self.rows_of(source, owner) if owner is not None else (source, ())
        if feature.table is None:
            return feature, ()
        return feature, self.counted.get((feature.subject, feature.table, reach(feature)), {}).get(subject, ())

    def related(self, block: Exists, kind: Subject, subject: str, as_of: date | None = None) -> Sequence[Row] | None:
        """The rows an `exists` block looks at (on a later day, where given).

        None when the table's feeds are late, or when it is not known whose records to look for, or where.
        """
        key = (kind, block.table, reach_of(block))
        if not set(self.world.feeds_of(block.table)) <= self.world.fresh or subject in self.adrift.get(key, ()):
            return None
        rows = self.asked.get(key, {}).get(subject, ())
        if block.within is None:
            return rows
        return [r for r in rows if ((as_of or self.world.as_of) - r["known"]).days <= block.within]


def gather(
    world: World, kind: Subject, subjects: Sequence[Row], features: Iterable[Feature],
    exists: Iterable[Exists], every: Mapping[str, Feature], kept: Kept,
) -> Evidence:
    """The evidence of the chosen subjects of one kind: the rows of every table their features read.

    `subjects` are judged rows (their `subject`, and for allocations `applicant`, `uprn`, `block`...).
    """
    owners = _owners(subjects) if kind == "allocation" else {}
    wanted: dict[_Key, set[str]] = defaultdict(set)
    ids = {str(row["subject"]) for row in subjects}
    for feature in features:
        if feature.carried_from is not None:
            source = every[feature.carried_from]
            if source.table is not None:
                wanted[source.subject, source.table, reach(source)] |= {
                    owner for (_, via), owner in owners.items() if via == feature.via}
        elif feature.table is not None:
            wanted[kind, feature.table, reach(feature)] |= ids
    counted = {key: _fetch(kept[key], who) for key, who in wanted.items() if who}
    looked_at: set[_Key] = {(kind, block.table, reach_of(block)) for block in exists} if ids else set()
    asked = {key: _fetch(key_rows(world, *key), ids) for key in sorted(looked_at, key=str)}
    adrift = _find_adrift(world, wanted | dict.fromkeys(looked_at, ids))
    return Evidence(world, every, counted, asked, owners, adrift)


def _find_adrift(world: World, asked: Mapping[_Key, set[str]]) -> dict[_Key, frozenset[str]]:
    """Of the subjects asked about, those of which it is not known whose rows to look for, or where."""
    found: dict[_Key, frozenset[str]] = {}
    for (kind, table, near), who in asked.items():
        anchors = find_anchors(kind, table, world.tables[table].columns, near)
        if anchors and who:
            cohort = world.cohorts[kind]
            adrift = cohort.subject.isin(sorted(who)) & ibis.or_(*[cohort[name].isnull() for name in anchors])
            found[kind, table, near] = frozenset(cohort.filter(adrift).subject.to_pyarrow().to_pylist())
    return found


def _owners(subjects: Sequence[Row]) -> dict[tuple[str, str], str]:
    owners = {}
    for row in subjects:
        for via, column, prefix in (("applicant", "applicant", ""), ("property", "uprn", "uprn:"),
                                    ("block", "block", "block:"), ("street", "street", "street:"),
                                    ("lsoa", "lsoa", "lsoa:")):
            if row.get(column) is not None:
                owners[str(row["subject"]), via] = f"{prefix}{row[column]}"
    return owners


def _fetch(rows: ir.Table, subjects: set[str]) -> dict[str, list[Row]]:
    found = rows.filter(rows.subject.isin(sorted(subjects))).order_by(["subject", "known", "record"])
    by_subject: dict[str, list[Row]] = defaultdict(list)
    for row in found.to_pyarrow().to_pylist():
        by_subject[row["subject"]].append(row)
    return by_subject
