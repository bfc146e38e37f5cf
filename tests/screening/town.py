"""A few rows by hand -> a town small enough to know by heart, and the desk at which its offers are screened.

Every street stands miles from the next, so that nothing near one home is near another. What a row does not say is
blank.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd
import pyarrow as pa

from engine.desk import Desk
from engine.disputes import mark_tables
from engine.history import Freshness, connect
from engine.known import Known, hold_collection
from engine.lake import Lake
from engine.pack import Pack
from engine.registry import empty_registry
from engine.snapshot import Snapshot, take_snapshot
from engine.weekly import measure_all
from engine.world import Workbench, assemble

Row = dict[str, Any]
Rows = dict[str, list[Row]]
AS_OF = date(2026, 11, 23)
EAST, NORTH = 400_000.0, 300_000.0


def ago(days: int) -> date:
    return AS_OF - timedelta(days=days)


def point(street: int, metres: float = 0.0) -> Row:
    """A point on a street, so many metres east of where it begins; streets are five miles apart."""
    return {"easting": EAST + metres, "northing": NORTH + 8_000.0 * street}


def home(rows: Rows, uprn: str, street: int, metres: float = 0.0, **other: Any) -> str:
    """An empty house with two bedrooms that anybody could live in; what `other` says is otherwise."""
    place = {name: other.pop(name) for name in ("easting", "northing", "block_ref") if name in other}
    rows.setdefault("addresses", []).append({
        "uprn": uprn, "address": f"{int(uprn) % 1000} Street {street}", "usrn": f"2160000{street}", "lsoa": "E01000001",
        "ward": "E05000001", "dwelling": True, **point(street, metres), **place})
    rows.setdefault("properties", []).append({
        "uprn": uprn, "kind": "house", "floor": 0, "access": "wheelchair", "shared_exit_or_high_rise": False,
        "sheltered": False, "min_age": 0, "sensitive_let": False, "lettings_plan_published": False, "beds": 2,
        "void_since": ago(30), **other})
    return uprn


def applicant(rows: Rows, name: str, members: int = 1, **other: Any) -> str:
    """A live application of somebody with no need or history anybody has recorded; the reference is APP-<name>."""
    rows.setdefault("housing_register", []).append({
        "application_ref": f"APP-{name}", "household_ref": f"HH-{name}", "registered": ago(400), "band": "B",
        "status": "live", "reason": 1, "wheelchair": False, "needs_assessed": ago(20), "noise_trigger": False,
        **who(name), **other})
    rows.setdefault("household_members", []).extend(
        {"member_ref": f"M-{name}-{n}", "household_ref": f"HH-{name}", "relation": "lead", **who(name)}
        for n in range(members))
    return f"APP-{name}"


def who(name: str, prefix: str = "person") -> Row:
    """Somebody, as every agency writes them."""
    return {f"{prefix}_ref": f"C-{name}", f"{prefix}_forename": name, f"{prefix}_surname": f"Test{name}",
            f"{prefix}_dob": date(1980, 1, 1 + sum(map(ord, name)) % 28)}


def reports(rows: Rows, street: int, category: str, count: int, metres: float = 10.0, days: int = 20) -> None:
    """Reports to the council at a point, each of its own incident."""
    made = rows.setdefault("council_asb", [])
    made += [{"report_ref": f"R{street}-{category}-{len(made) + n}", "category": category,
              "occurred": ago(days + 30 * n), "reported": ago(days), "known": ago(days), "evidence": 2,
              "anonymous": False, "disputed": False, **point(street, metres + n)} for n in range(count)]


def know(lake: Lake, pack: Pack, rows: Mapping[str, Sequence[Row]], bench: Workbench,
         late: Iterable[str] = (), disputes: Collection[str] = ()) -> Known:
    """What is known when the partners have told these rows and nothing else, and some of them are disputed."""
    quiet = frozenset(late)
    feeds = {}
    for name, table in lake.tables(AS_OF, bench.connection, [name for name, _ in lake.inputs(AS_OF)]).items():
        schema = table.schema().to_pyarrow()
        usual = {"feed": name, "known": ago(10), "recorded": ago(10), "current": True}
        told = [{k: _as(v, schema.field(k).type) for k, v in {**usual, "record": f"{name}:{n:04d}", **row}.items()
                 if k in schema.names} for n, row in enumerate(rows.get(name, ()))]
        bench.connection.con.register("told", pa.Table.from_pylist(told, schema=schema))
        bench.connection.con.execute(f'CREATE OR REPLACE TEMP TABLE "told_{name}" AS SELECT * FROM told')
        bench.connection.con.unregister("told")
        feeds[name] = bench.connection.table(f"told_{name}")
    fresh = tuple(Freshness(**{**vars(f), "fresh": f.feed not in quiet}) for f in lake.freshness(AS_OF, feeds))
    feeds = mark_tables(feeds, disputes)
    assembled = assemble(feeds, pack, empty_registry(), frozenset(f.feed for f in fresh if f.fresh), {}, {}, AS_OF,
                         bench)
    return Known(assembled.world, assembled.linked, feeds, fresh, pd.DataFrame(), ())


def _as(value: Any, kind: pa.DataType) -> Any:
    """A day as the hour it begins, where a feed tells the hour."""
    return datetime(value.year, value.month, value.day) if isinstance(value, date) and pa.types.is_timestamp(
        kind) else value


@hold_collection()
def snapshot_of(lake: Lake, pack: Pack, rows: Mapping[str, Sequence[Row]], late: Iterable[str] = (),
                threads: int = 2, disputes: Collection[str] = ()) -> Snapshot:
    """The town as a live screening reads it."""
    bench = Workbench(connect(threads))
    known = know(lake, pack, rows, bench, late, disputes)
    tables, _ = measure_all(known.world, pack, bench, lambda _: None)
    return take_snapshot(known, tables["place"], pack, bench.hold)


def desk_of(snapshot: Snapshot, pack: Pack) -> Desk:
    """A desk of the town."""
    return Desk(snapshot, pack, {"pack": "p" * 64, "features": "f" * 64, "snapshot": "s" * 64}, "town")
