"""The tables features are measured on: which columns each has, and what kind of value they hold.

A feed's table has the columns its contract declares plus those every as-of table gains (`record`, `known`,
its people, its place). The tables below are built from several feeds by `world`; this is their contract.
Kinds: number, text, boolean, date; and moment, a time of day, which no rule compares. Keys say which column ties a
row to each kind of subject.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, Protocol

Kind = Literal["number", "text", "boolean", "date", "moment"]
Subject = Literal["person", "place", "allocation"]
SUBJECTS: tuple[Subject, ...] = ("person", "place", "allocation")
LEVELS = ("uprn", "block", "street", "lsoa", "ward", "point")

_PLACE: dict[str, Kind] = {
    "uprn": "text", "block": "text", "street": "text", "lsoa": "text", "ward": "text",
    "easting": "number", "northing": "number",
}

INCIDENTS: dict[str, Kind] = {
    "record": "text", "feed": "text", "agency": "text", "incident": "text",
    "occurred": "date", "reported": "date", "known": "date",
    "category": "text", "family": "text", "harm_weight": "number", "cchi_days": "number",
    "severity": "number", "hate": "boolean", "domestic_abuse": "boolean", "dash_score": "number",
    "reporter": "text", "anonymous": "boolean", "evidence": "number", "origin": "text",
    "live_investigation": "boolean", "disputed": "boolean",
    "hour": "number", "weekday": "number", "month": "number",
    "dusk": "boolean", "term_day": "boolean", "school_hours": "boolean", **_PLACE,
}

INVOLVEMENTS: dict[str, Kind] = {
    "record": "text", "incident": "text", "person": "text", "role": "text", "side": "text",
    "evidence": "number", "outcome": "text", "category": "text", "family": "text",
    "cchi_days": "number", "hate": "boolean", "domestic_abuse": "boolean", "dash_score": "number",
    "reporter": "text", "origin": "text", "subject_key": "text", "victim_key": "text", "related": "boolean",
    "occurred": "date", "reported": "date", "known": "date", "uprn": "text",
    "disputed": "boolean", "anonymous": "boolean", "live_investigation": "boolean",
}

REPORTED = ("reported", "referral")
"""Origins of a report that somebody came with; what officers discover depends on where they look."""

CANONICAL: dict[str, dict[str, Kind]] = {
    "incidents": INCIDENTS,
    "involvements": INVOLVEMENTS,
    "household_needs": {"record": "text", "person": "text", "code": "text", "theme": "text",
                        "status": "text", "known": "date"},
    "household_children": {"record": "text", "person": "text", "child": "text", "known": "date"},
    "keep_apart_places": {"record": "text", "person": "text", "kind": "text", "place_kind": "text",
                          "known": "date", "easting": "number", "northing": "number"},
    "order_zones": {"record": "text", "person": "text", "kind": "text", "known": "date",
                    "easting": "number", "northing": "number", "radius_m": "number"},
    "residents": {"record": "text", "person": "text", "household": "text", "tenure": "text",
                  "needs_count": "number", "known": "date", **_PLACE},
}

DERIVED: dict[str, dict[str, Kind]] = {"housing_rent": {"weeks_owed": "number"}}
"""Columns a feed's as-of table gains because two of its own make one fact (`world` works them out)."""

KINDS: dict[str, Kind] = {
    "integer": "number", "decimal": "number", "easting": "number", "northing": "number",
    "longitude": "number", "latitude": "number", "boolean": "boolean",
    "date": "date", "datetime": "moment", "month": "date",
}   # every other column type is text


class _Block(Protocol):
    @property
    def prefix(self) -> str: ...


class _Column(Protocol):
    @property
    def type(self) -> str: ...


class _Feed(Protocol):
    @property
    def columns(self) -> Mapping[str, _Column]: ...
    @property
    def people(self) -> Iterable[_Block]: ...


def table_columns(contracts: Mapping[str, _Feed]) -> dict[str, dict[str, Kind]]:
    """Every table a feature may name, with the kind of each column."""
    tables = dict(CANONICAL)
    for feed, contract in contracts.items():
        columns: dict[str, Kind] = {"record": "text", "feed": "text", "known": "date",
                                    "revised": "date", "current": "boolean"}
        columns |= {name: KINDS.get(column.type, "text") for name, column in contract.columns.items()}
        columns |= dict.fromkeys(person_columns(contract.people), "text")
        if columns.keys() & {"uprn", "usrn", "lsoa"}:
            columns |= _PLACE
        if "longitude" in columns:
            columns |= {"point": "text", "easting": "number", "northing": "number", "lsoa": "text"}
        tables[feed] = columns | DERIVED.get(feed, {})
    return tables


def person_columns(people: Iterable[_Block]) -> list[str]:
    """The columns holding linked person ids: `person` for one block, else each block's prefix."""
    prefixes = [str(block.prefix) for block in people]
    return ["person"] if len(prefixes) == 1 else prefixes
