"""A flag about a place -> its map in local shapes, and the same facts as a table; a sentence where there is no map.

Drawn from the batches that the flag's run read and from nothing else. People have no map. Neither has an offer: its
flag keeps no address, a home once accepted is somebody's, and some offers are flagged because of who lives near.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

import duckdb
import ibis.expr.types as ir
import pandas as pd
from fastapi import Request
from pyproj import Transformer

from api.setting import Setting
from api.web.keeping import Office
from api.web.reach import Reach
from api.web.shapes import (
    COARSE,
    FINE,
    Corner,
    Point,
    Square,
    count_records,
    enclose,
    find_squares,
    letter,
    measure_extent,
    say_direction,
)
from engine.errors import RunError, WardwiseError
from engine.history import connect
from engine.store.database import Reading
from engine.store.flags import FlagRow

_LEVELS = {"block": "block_ref", "street": "usrn", "lsoa": "lsoa", "ward": "ward"}
_POINT = "point"
_PUBLISHED = "police_uk"
_REPORTS = ("police_incidents", "council_asb", "env_health", "fire_incidents", _PUBLISHED)
"""Feeds of what happened somewhere. A tenancy or a service has an address as well, and it is somebody's home."""

_DOMESTIC = "P04"
_NEAR = 10
"""Metres to which a way is told: the nearest that two squares beside each other differ in."""

_REMEMBERED = 4
"""Runs whose maps are kept in memory: this week's, and a few that somebody looks back at."""

NOT_YOURS = "No map: it is drawn from records that are for other people's eyes."
NO_HOME = "No map: this site has no records behind it."
NO_RUN = "No map: the run that put this flag forward is not kept here."
NO_FILES = "No map: what the run read can no longer be read."
NO_POINTS = "No map: nothing that partners sent says where it lies."
ONE_ADDRESS = "No map: this is a single address, and a map never shows one."


@dataclass(frozen=True)
class Ward:
    """A ward around a place: its outline, and the coarse squares that hold addresses of it."""

    name: str
    outline: tuple[Corner, ...]
    built: tuple[Corner, ...]


@dataclass(frozen=True)
class PlaceMap:
    """What may be drawn of a place. `addresses` is None for a point of police.uk; `records` are those of what happened
    somewhere, whether in `squares` or not."""

    level: str
    outline: tuple[Corner, ...]
    addresses: int | None
    wards: tuple[Ward, ...]
    squares: tuple[Square, ...]
    records: int

    @property
    def placed(self) -> int:
        """Records that stand in a square."""
        return sum(one.records for one in self.squares)

    @property
    def middle(self) -> Point:
        """The middle of its outline, from side to side."""
        (west, south), (across, along) = map(min, zip(*self.outline, strict=True)), measure_extent(self.outline)
        return west + across / 2, south + along / 2


def tell_map(
    request: Request, reading: Reading, me: Reach, row: FlagRow, flag: Mapping[str, Any]
) -> dict[str, Any] | None:
    """What the page of a flag says about where it is: None for anything but a place."""
    if row.list != "places":
        return None
    if not all(me.may(reading, "view_evidence", [row])):
        return {"none": NOT_YOURS}
    office: Office | None = request.app.state.office
    found = find_map(office, row.run, row.subject)
    if office is None or isinstance(found, str):
        return {"none": found}
    return {"none": "", "name": flag["name"] or flag["subject"], "shapes": write_shapes(found),
            **tell_facts(found, office.setting.pack.policy.small_cell)}


def find_map(office: Office | None, run: str, subject: str) -> PlaceMap | str:
    """The map of a place of a run, or why there is none, in a sentence."""
    if subject.startswith("uprn:"):
        return ONE_ADDRESS
    if office is None:
        return NO_HOME
    if run not in office.setting.runs.names():
        return NO_RUN
    try:
        return read_maps(office.setting, run).get(subject, NO_POINTS)
    except (WardwiseError, OSError, duckdb.Error):
        return NO_FILES


def tell_facts(found: PlaceMap, least: int) -> dict[str, Any]:
    """The table under the map: the same facts, in words and numbers."""
    across, along = measure_extent(found.outline)
    count = found.addresses
    return {
        "level": found.level, "across": across, "along": along, "wards": [ward.name for ward in found.wards],
        "addresses": None if count is None else f"{count:,}" if count >= least else f"fewer than {least}",
        "records": found.records, "rest": found.records - found.placed, "least": least,
        "squares": [{"letter": letter(number), "where": say_direction(found.middle, one.middle, _NEAR),
                     "west": one.west, "south": one.south, "side": one.side, "records": one.records, "last": one.last}
                    for number, one in enumerate(found.squares)]}


def write_shapes(found: PlaceMap) -> str:
    """The shapes for the browser as JSON, in metres north and east of the place's own corner; safe inside a script."""
    west, south = (min(side) for side in zip(*found.outline, strict=True))

    def shift(corners: Iterable[Corner]) -> list[list[int]]:
        return [[y - south, x - west] for x, y in corners]

    text = json.dumps({
        "place": shift(found.outline), "coarse": COARSE,
        "finest": min((one.side for one in found.squares), default=COARSE),
        "wards": [{"name": one.name, "outline": shift(one.outline), "built": shift(one.built)} for one in found.wards],
        "squares": [{"at": shift([(one.west, one.south)])[0], "side": one.side, "letter": letter(number),
                     "records": one.records} for number, one in enumerate(found.squares)]}, separators=(",", ":"))
    return text.replace("<", "\\u003c")


@lru_cache(_REMEMBERED)
def read_maps(setting: Setting, run: str) -> Mapping[str, PlaceMap]:
    """The map of every place that a run has a flag for, read at once: a run's name is a digest of what it read.

    Raises RunError where there is no such run, ExtractError or OSError where its batches are gone.
    """
    manifest = setting.runs.manifest(run)
    tables = setting.lake.tables(date.fromisoformat(manifest["as_of"]), connect(),
                                 [batch for batch, _ in manifest["inputs"]])
    flags = _read_flags(setting, run)
    wanted = {record["record"] for flag in flags for record in flag["records"]}
    addresses = read_addresses(tables["addresses"])
    happened = read_records(tables, wanted, addresses)
    wards: dict[str, Ward] = {}
    found = {}
    for flag in flags:
        made = _make_map(flag, addresses, happened, wards, setting.pack.policy.small_cell)
        if made is not None:
            found[str(flag["subject"])] = made
    return found


def _read_flags(setting: Setting, run: str) -> list[dict[str, Any]]:
    flags = []
    for entry in setting.runs.lists(run)["entries"]:
        if entry["list"] == "places":
            with suppress(RunError):        # whoever is not shown for capacity has no flag
                flags.append(json.loads(setting.runs.flag_text(entry["subject"], run)))
    return flags


def read_addresses(rows: ir.Table) -> pd.DataFrame:
    """Addresses that hold now and have coordinates, with their ward by name, or by code where it has none."""
    now = rows.filter(rows.current.fill_null(True) & rows.easting.notnull() & rows.northing.notnull())
    frame: pd.DataFrame = now.select(
        "uprn", *_LEVELS.values(), "easting", "northing", called=now.ward_name.fill_null(now.ward),
        home=now.dwelling.fill_null(True)).distinct().order_by(["uprn", "called"]).execute()
    return frame


def read_records(tables: Mapping[str, ir.Table], wanted: Iterable[str], addresses: pd.DataFrame) -> pd.DataFrame:
    """Where each record of something that happened lies: record, easting, northing, and the LSOA of a published point.

    Domestic abuse is left out: where it happens is somebody's home.
    """
    at_door = addresses.drop_duplicates("uprn").set_index("uprn")
    parts = []
    for feed in _REPORTS:
        rows = tables[feed]
        rows = rows.filter(rows.record.isin(sorted(one for one in wanted if one.startswith(f"{feed}:"))))
        if "domestic_abuse" in rows.columns:
            rows = rows.filter(~(rows.domestic_abuse.fill_null(False) | (rows.category == _DOMESTIC).fill_null(False)))
        parts.append(_place_published(rows) if feed == _PUBLISHED else _place_reports(rows, at_door))
    frame = pd.concat(parts, ignore_index=True)
    return frame[frame["easting"].notna() & frame["northing"].notna()].set_index("record")


def _place_reports(rows: ir.Table, at_door: pd.DataFrame) -> pd.DataFrame:
    """By the report's own coordinates, else by its address's."""
    frame: pd.DataFrame = rows.select("record", "uprn", "easting", "northing").execute()
    for side in ("easting", "northing"):
        frame[side] = frame[side].fillna(frame["uprn"].map(at_door[side]).astype("float64"))
    return frame[["record", "easting", "northing"]].assign(lsoa=None)


def _place_published(rows: ir.Table) -> pd.DataFrame:
    frame: pd.DataFrame = rows.select("record", "longitude", "latitude", lsoa=rows.lsoa_code).execute()
    frame["easting"], frame["northing"] = _to_grid(frame["longitude"], frame["latitude"])
    return frame[["record", "easting", "northing", "lsoa"]]


def _to_grid(longitude: Any, latitude: Any) -> Any:
    return Transformer.from_crs("EPSG:4326", "EPSG:27700", always_xy=True).transform(longitude, latitude)


def _make_map(flag: Mapping[str, Any], addresses: pd.DataFrame, happened: pd.DataFrame, wards: dict[str, Ward],
              least: int) -> PlaceMap | None:
    """The map of one flag's place; None where it is one address or nowhere. `wards` is filled with those drawn."""
    level, _, key = flag["subject"].partition(":")
    reports = [one for one in flag["records"] if one["feed"] in _REPORTS]
    placed = [one for one in reports if one["record"] in happened.index]
    if level == _POINT:
        areas = {happened.at[one["record"], "lsoa"] for one in placed}
        here, count = addresses[addresses["lsoa"].isin(areas)], None
        outline = enclose([_to_grid(*map(float, key.split(",")))], COARSE)
    elif level in _LEVELS and (addresses[_LEVELS[level]] == key).any():
        here = addresses[addresses[_LEVELS[level]] == key]
        count = int(here["uprn"].nunique())
        outline = enclose(_points(here), FINE if count >= least else COARSE)
    else:
        return None
    named = sorted(set(here["called"].dropna()))
    for name in named:
        wards[name] = wards.get(name) or _draw_ward(name, addresses)
    return PlaceMap(level, outline, count, tuple(wards[name] for name in named),
                    _count(placed, happened, addresses, least), len(reports))


def _draw_ward(name: str, addresses: pd.DataFrame) -> Ward:
    points = _points(addresses[addresses["called"] == name])
    return Ward(name, enclose(points, COARSE), find_squares(points, COARSE))


def _count(records: Iterable[Mapping[str, Any]], happened: pd.DataFrame, addresses: pd.DataFrame, least: int
           ) -> tuple[Square, ...]:
    """Records by square. A point of police.uk stands for eight addresses or more, so it needs no homes around it."""
    sides: dict[bool, list[tuple[Point, date]]] = defaultdict(list)
    at = dict(zip(happened.index, _points(happened), strict=True))
    for one in records:
        day = date.fromisoformat(one["occurred"] or one["known"])
        sides[one["feed"] == _PUBLISHED].append((at[one["record"]], day))
    homes = _points(_near(addresses[addresses["home"]], [point for point, _ in sides[False]]).drop_duplicates("uprn"))
    return count_records(sides[False], homes, least) + count_records(sides[True], (), least)


def _near(rows: pd.DataFrame, points: list[Point]) -> pd.DataFrame:
    """Those that may lie in one square with any of some points; counting all of a borough would take seconds."""
    if not points:
        return rows[:0]
    (west, south), (east, north) = (tuple(of(side) for side in zip(*points, strict=True)) for of in (min, max))
    return rows[rows["easting"].between(west - COARSE, east + COARSE)
                & rows["northing"].between(south - COARSE, north + COARSE)]


def _points(rows: pd.DataFrame) -> list[Point]:
    return list(zip(rows["easting"].astype(float), rows["northing"].astype(float), strict=True))
