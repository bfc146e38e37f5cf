"""Which records belong to which subject: a table of records -> the same rows with a `subject` column.

A record belongs to a person by its linked person, to a place once for every level it lies in (address,
block, street, LSOA, ward, map point), and to an allocation through its applicant, its property, or being near
the property. Measuring everyone and fetching the evidence of one flag both come through here, so they
cannot disagree about whose record it is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from engine.feature import Feature
from engine.schema import LEVELS, Subject

_OWN_KEY = {"proposed_allocations": "proposal_ref"}

HOWEVER_FAR = -1
"""The reach of what is not bounded by a distance but asks for one."""


@dataclass(frozen=True)
class World:
    """What was known on a date: as-of tables, the subjects to judge, and the feeds that are up to date.

    Cohorts have one row per subject, key `subject`. Person: age, first_known. Place: level, key, area_name,
    dwellings, easting, northing. Allocation: applicant, uprn, block, street, lsoa, easting, northing, and
    `proposal` where one is open for the two.
    """

    as_of: date
    tables: Mapping[str, ir.Table]
    cohorts: Mapping[Subject, ir.Table]
    fresh: frozenset[str]
    table_feeds: Mapping[str, tuple[str, ...]]
    gaps: Mapping[str, frozenset[date]] = field(default_factory=dict)     # feed -> firsts of partial months
    redrawn: Mapping[str, date] = field(default_factory=dict)     # feed -> first month of its present map points

    def feeds_of(self, table: str) -> tuple[str, ...]:
        """The feeds whose silence would make absence in a table meaningless."""
        return self.table_feeds.get(table, (table,))

    def believes(self, feature: Feature) -> bool:
        """Whether silence and change can be read in a feature's feeds.

        No, when one of them is late; nor, for what compares two periods, when a month in either is only partly
        there: a collection gap is not a fall.
        """
        if not set(feature.feeds) <= self.fresh:
            return False
        if feature.measure.verb not in ("change", "ratio") or feature.window is None:
            return True
        start = self.as_of - timedelta(days=2 * feature.window)
        return not self.gaps_in(feature.feeds, start, self.as_of)

    def gaps_in(self, feeds: tuple[str, ...], start: date, end: date) -> frozenset[date]:
        """The partial months of some feeds that overlap [start, end)."""
        months = {month for feed in feeds for month in self.gaps.get(feed, ())}
        return frozenset(m for m in months if m < end and (m + timedelta(days=31)).replace(day=1) > start)


def key_rows(world: World, subject: Subject, table: str, near: int | None = None) -> ir.Table:
    """The rows of a table with the `subject` each belongs to (a row may belong to several places).

    With `near`, rows within that many metres of the subject's own point, with the distance in `metres`;
    `HOWEVER_FAR` gives every row of the subject with its distance, unknown where either point is.
    """
    rows = world.tables[table]
    if subject == "person":
        return rows.filter(rows.person.notnull()).mutate(subject=rows.person)
    if near is not None and near > 0:
        return _within(world.cohorts[subject], rows, near)
    cohort = world.cohorts[subject]
    keyed = by_level(rows) if subject == "place" else _of_pair(cohort, table, rows)
    return _with_distance(cohort, keyed) if near == HOWEVER_FAR else keyed


def find_anchors(subject: Subject, table: str, columns: Collection[str], near: int | None = None) -> tuple[str, ...]:
    """What must be known of a subject itself, as columns of its cohort, before finding no row says anything."""
    if subject != "person" and near is not None and near > 0:
        return "easting", "northing"
    return (_tie(table, columns)[1],) if subject == "allocation" else ()


def by_level(rows: ir.Table) -> ir.Table:
    """Each row once for every level of place it lies in, with that place as `subject`."""
    if {"level", "place"} <= set(rows.columns):
        return rows.mutate(subject=rows.level + ":" + rows.place)
    levels = [level for level in LEVELS if level in rows.columns]
    parts = [rows.filter(rows[level].notnull()).mutate(subject=ibis.literal(f"{level}:") + rows[level])
             for level in levels]
    return ibis.union(*parts, distinct=False) if len(parts) > 1 else parts[0]


def _of_pair(pairs: ir.Table, table: str, rows: ir.Table) -> ir.Table:
    theirs, ours = _tie(table, rows.columns)
    keys = pairs.select("subject", for_key=pairs[ours])
    return rows.inner_join(keys, rows[theirs] == keys.for_key).drop("for_key")


def _tie(table: str, columns: Collection[str]) -> tuple[str, str]:
    """The column of a table, and that of the pairs, by which a row belongs to an applicant and a home."""
    if table in _OWN_KEY:
        return _OWN_KEY[table], "proposal"
    return ("person", "applicant") if "person" in columns else ("uprn", "uprn")


def _with_distance(cohort: ir.Table, rows: ir.Table) -> ir.Table:
    points = cohort.select(at="subject", at_easting=cohort.easting, at_northing=cohort.northing)
    joined = rows.inner_join(points, rows.subject == points["at"])
    return joined.mutate(metres=_distance(joined)).drop("at", "at_easting", "at_northing")


def _within(cohort: ir.Table, rows: ir.Table, near: int) -> ir.Table:
    """Rows near each subject, through square cells `near` metres wide: the nine around hold all that matter."""
    steps = ibis.memtable({"dx": [x for x in (-1, 0, 1) for _ in range(3)], "dy": [-1, 0, 1] * 3})
    points = cohort.filter(cohort.easting.notnull()).select(
        "subject", at_easting=cohort.easting, at_northing=cohort.northing,
        cx=(cohort.easting / near).floor().cast("int64"),
        cy=(cohort.northing / near).floor().cast("int64"),
    )
    around = points.cross_join(steps).mutate(cx=ibis._.cx + ibis._.dx, cy=ibis._.cy + ibis._.dy)
    around = around.drop("dx", "dy")
    placed = rows.filter(rows.easting.notnull()).mutate(
        rx=(rows.easting / near).floor().cast("int64"),
        ry=(rows.northing / near).floor().cast("int64"),
    )
    joined = placed.inner_join(around, (placed.rx == around.cx) & (placed.ry == around.cy))
    joined = joined.mutate(metres=_distance(joined))
    return joined.filter(joined.metres <= near).drop(
        "rx", "ry", "cx", "cy", "at_easting", "at_northing")


def _distance(joined: ir.Table) -> ir.Value:
    across = joined.easting - joined.at_easting
    up = joined.northing - joined.at_northing
    metres = (across * across + up * up).sqrt()
    return metres - joined.radius_m if "radius_m" in joined.columns else metres
