"""Small worlds made by hand: tables of a few rows, features declared in a line, and the week worked out on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from engine.condition import read_condition
from engine.evidence import Evidence, gather
from engine.explain import explain
from engine.feature import WITHOUT_TABLE, Feature, Measure
from engine.flag import Flag
from engine.judge import choose_candidates, exists_of, judge
from engine.keyed import World, find_anchors
from engine.lists import Entry, choose, live_rules
from engine.measures import Kept, measure, reach
from engine.pack import Pack
from engine.recount import recount
from engine.rule import Rule
from engine.schema import SUBJECTS, Subject
from engine.world import Workbench

AS_OF = date(2026, 11, 23)
Row = dict[str, Any]

_KINDS = {
    "record": "string", "known": "date", "person": "string", "incident": "string", "category": "string",
    "reporter": "string", "evidence": "int64", "amount": "int64", "share": "float64", "started": "date",
    "noisy": "boolean", "disputed": "boolean", "occurred": "date",
    "uprn": "string", "block": "string", "street": "string", "lsoa": "string", "ward": "string",
    "easting": "float64", "northing": "float64",
}
_NAMED_ONLY = {"radius_m": "float64", "household": "string", "proposal_ref": "string", "month": "date"}
_COHORTS: dict[Subject, dict[str, str]] = {
    "person": {"subject": "string", "last_known": "date", "age": "int64", "first_known": "date"},
    "place": {"subject": "string", "level": "string", "key": "string", "area_name": "string", "dwellings": "int64",
              "easting": "float64", "northing": "float64", "last_known": "date", "weight": "float64"},
    "allocation": {"subject": "string", "last_known": "date", "proposal": "string", "applicant": "string",
                   "application": "string",
                   "uprn": "string", "block": "string", "street": "string", "lsoa": "string",
                   "easting": "float64", "northing": "float64"},
}


def ago(days: int) -> date:
    """So many days before the day the list is made."""
    return AS_OF - timedelta(days=days)


def report(days_ago: int, **other: Any) -> Row:
    """One record about P1, known so many days before the list is made; undisputed, everything else blank."""
    return {"known": ago(days_ago), "person": "P1", "disputed": False, **other}


def make_table(bench: Workbench, name: str, rows: Iterable[Row]) -> ir.Table:
    """Rows as a table; those without a record reference get one, in order."""
    rows = [{"record": f"council_asb:{name}{number:04d}", **row} for number, row in enumerate(rows)]
    named = {column: kind for column, kind in _NAMED_ONLY.items() if any(column in row for row in rows)}
    return put_rows(bench, name, rows, _KINDS | named)


def make_world(
    bench: Workbench, tables: Mapping[str, Iterable[Row]], *, people: Iterable[Row] = ({"subject": "P1"},),
    places: Iterable[Row] = (), proposals: Iterable[Row] = (), fresh: Iterable[str] = ("feed",),
    gaps: Iterable[date] = (), as_of: date = AS_OF,
) -> World:
    """What was known on a day, with every table of the one feed `feed`."""
    cohorts: dict[Subject, ir.Table] = {}
    for subject, rows in zip(SUBJECTS, (people, places, proposals), strict=True):
        rows = [_usual(subject, row) for row in rows]
        cohorts[subject] = put_rows(bench, f"cohort_{subject}", rows, _COHORTS[subject])
    made = {name: make_table(bench, name, rows) for name, rows in tables.items()}
    return World(as_of, made, cohorts, frozenset(fresh), dict.fromkeys(made, ("feed",)),
                 {"feed": frozenset(gaps)})


def _usual(subject: Subject, row: Row) -> Row:
    """A row of a cohort; an allocation is an open proposal unless it says that there is none."""
    return {"person": {"age": 40}, "allocation": {"proposal": row["subject"]}}.get(subject, {}) | row


def a_feature(how: str, **other: Any) -> Feature:
    """A feature from its measure as it is declared, on the table `reports` unless told otherwise."""
    verb, _, column = how.partition(" ")
    of = None if verb in WITHOUT_TABLE else "reports"
    kind = {"any": "boolean", "ratio": "decimal", "share": "decimal", "top_share": "decimal"}.get(verb, "integer")
    kind = "code" if how == "latest category" else kind
    window = other.get("window")
    conditions = {key: read_condition(other.pop(key)) if key in other else None for key in ("where", "of_which")}
    plain: dict[str, Any] = {
        "name": f"{verb}_{window}d" if window else verb, "declared": verb, "subject": "person", "title": verb,
        "type": kind, "unit": "", "table": of, "window": None, "near": None, "feeds": ("feed",),
        "absence": "unknown" if kind == "code" else "zero",
        "agency": ("police",), "sensitivity": "personal", "purpose": "prevent_crime_and_disorder",
        "changeable": False}
    return Feature(measure=Measure(verb, column or None), **{**plain, **conditions, **other})  # type: ignore[arg-type]


def measure_both_ways(world: World, bench: Workbench, *features: Feature) -> dict[str, dict[str, Any]]:
    """Subject -> feature -> value, in columns; counted again by hand, which must give the same."""
    subject = features[0].subject
    kept: Kept = {}
    table = measure(world, subject, features, [], bench.hold, kept).to_pyarrow().to_pylist()
    by_hand = {key: _by_subject(rows) for key, rows in kept.items()}
    for row in table:
        for one in (f for f in features if f.table is not None):
            rows = by_hand[subject, str(one.table), reach(one)].get(row["subject"], [])
            anchors = find_anchors(subject, str(one.table), world.tables[str(one.table)].columns, reach(one))
            believed = world.believes(one) and all(row[anchor] is not None for anchor in anchors)
            again = recount(one, rows, world.as_of, believed).value
            assert row[one.name] == again, f"{row['subject']} {one}: {row[one.name]} in columns, {again} by hand"
    return {row["subject"]: {f.name: row[f.name] for f in features} for row in table}


def measure_one(bench: Workbench, rows: Iterable[Row], feature: Feature, **other: Any) -> Any:
    """The feature of P1 on a table of reports."""
    world = make_world(bench, {"reports": rows}, **other)
    return measure_both_ways(world, bench, feature)["P1"][feature.name]


def _by_subject(rows: ir.Table) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows.to_pyarrow().to_pylist():
        found.setdefault(row["subject"], []).append(row)
    return found


def put_rows(bench: Workbench, name: str, rows: Sequence[Row], kinds: Mapping[str, str]) -> ir.Table:
    """Rows as a table with exactly these columns; what a row does not name is blank."""
    arrow = pa.Table.from_pylist(list(rows), schema=ibis.schema(dict(kinds)).to_pyarrow())
    con = bench.connection.con      # straight into DuckDB: `create_table` takes ten times as long
    con.register("made", arrow)
    con.execute(f'CREATE OR REPLACE TEMP TABLE "{name}" AS SELECT * FROM made')
    con.unregister("made")
    return bench.connection.table(name)


# --- a week ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Week:
    """One list as it came out, with what is needed to explain an entry again."""

    entries: dict[str, Entry]
    flags: dict[str, Flag]
    near_misses: dict[str, tuple[str, ...]]
    rows: dict[str, Mapping[str, Any]]
    evidence: Evidence


def a_rule(model: Rule, slug: str, when: Any, **other: Any) -> Rule:
    """A rule like `model`, without floor or fading, that asks something else."""
    subject = other.pop("subject", "person")
    return replace(model, **{
        "id": f"{subject}/{slug}", "subject": subject, "title": slug.replace("-", " ").capitalize(), "points": 4,
        "when": read_condition(when), "floor": "none", "fades_with": None, "because": "It is so.",
        "review_by": date(2036, 1, 1), "status": "live", **other})


def a_pack(shipped: Pack, rules: Sequence[Rule], features: Sequence[Feature] = (), **other: Any) -> Pack:
    """The shipped policy with these rules and features, and no exclusions or protective factors but those given."""
    return replace(shipped, **{
        "rules": {r.id: r for r in rules}, "features": {f"{f.subject}.{f.name}": f for f in features},
        "order": tuple(r.id for r in rules), "exclusions": (), "protections": (), **other})


def make_week(
    world: World, pack: Pack, bench: Workbench, subject: Subject = "person", *, explained: bool = True
) -> Week:
    """Measured, judged, chosen and explained: one list of one day."""
    kept: Kept = {}
    features = list(pack.features_of(subject).values())
    asked = exists_of(pack, subject, world.as_of)
    table = judge(measure(world, subject, features, asked, bench.hold, kept), pack, subject, world.as_of)
    live = [rule.id for rule in live_rules(pack, subject, world.as_of)]
    rows = {str(row["subject"]): row for row in choose_candidates(bench.hold("judged", table), live, [])}
    entries = choose(rows.values(), subject, pack, world.as_of, {}, [], {})
    evidence = gather(world, subject, [rows[e.subject] for e in entries], features, asked, pack.features, kept)
    told = {e.subject: explain(e, rows[e.subject], evidence, pack, subject, {}, {}) for e in entries if explained}
    return Week({e.subject: e for e in entries}, {name: each.flag for name, each in told.items()},
                {name: each.near_misses for name, each in told.items()}, rows, evidence)
