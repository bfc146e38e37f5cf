"""A finished run -> the ward each subject it shows is in now, where that can be said without guessing.

A place is in a ward where every address of it is; a person in that of the home a landlord knows them at, or else of the
address an agency gave last; an offer in that of the home. Whoever is said to live in two wards is in none here, and so
is a street that two wards share. Nobody who is to be kept apart from somebody is placed: a ward can be small.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import ibis.expr.types as ir
import pandas as pd

from engine.history import connect
from engine.lake import Lake
from engine.runs import Runs

_HOMES = "housing_tenancies"
_MEMBERS = "household_members"
_APART = "keep_apart"
_ALONE = ("uprn", "block", "street", "lsoa", "ward")


def find_wards(runs: Runs, lake: Lake, name: str) -> dict[str, str]:
    """The name of the ward of each subject shown in a run. Who is not in it: their ward is not known.

    Read from the batches the run read, and from who it took to be whom. Raises RunError where there is no such run.
    """
    manifest = runs.manifest(name)
    tables = lake.tables(date.fromisoformat(manifest["as_of"]), connect(), [batch for batch, _ in manifest["inputs"]])
    shown: dict[str, set[str]] = defaultdict(set)
    for entry in runs.lists(name)["entries"]:
        if entry["status"] == "shown":
            shown[entry["list"]].add(entry["subject"])
    addresses = _read_addresses(tables["addresses"])
    at_door = _settle(addresses, "uprn")
    found = _of_places(shown["places"], addresses, tables["police_uk"])
    if shown["people"]:
        registry = pd.read_parquet(runs.folder / name / "registry.parquet")
        found |= _of_people(shown["people"], _read_people(registry), tables, lake, at_door)
    offers = _read(tables["proposed_allocations"], ["proposal_ref", "uprn"])
    return found | {str(row.proposal_ref): at_door[row.uprn] for row in offers.itertuples()
                    if row.proposal_ref in shown["allocations"] and row.uprn in at_door}


def _read(rows: ir.Table, columns: list[str]) -> pd.DataFrame:
    """Some columns of the rows that hold now."""
    now = rows.filter(rows.current.fill_null(True)) if "current" in rows.columns else rows
    frame: pd.DataFrame = now.select(*columns).distinct().execute()
    return frame.astype(object).where(frame.notna(), None)


def _read_addresses(rows: ir.Table) -> pd.DataFrame:
    """Every address that holds now, with its ward by name, or by code where it has none."""
    frame = _read(rows, ["uprn", "block_ref", "usrn", "lsoa", "ward", "ward_name"])
    frame["called"] = frame["ward_name"].where(frame["ward_name"].notna(), frame["ward"])
    return frame.rename(columns={"block_ref": "block", "usrn": "street"})


def _settle(addresses: pd.DataFrame, level: str) -> dict[Any, str]:
    """The ward of each place of one level that lies in one ward alone. An address without a ward leaves it open."""
    known = addresses[addresses[level].notna()]
    grouped = known.assign(called=known["called"].fillna("")).groupby(level)["called"].agg(["min", "max"])
    return {key: str(one) for key, one, other in grouped.itertuples() if one == other and one}


def _of_places(shown: Iterable[str], addresses: pd.DataFrame, mapped: ir.Table) -> dict[str, str]:
    wanted: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for subject in shown:
        level, _, key = subject.partition(":")
        wanted[level].append((subject, key))
    wards = {level: _settle(addresses, level) for level in _ALONE if level in wanted or level == "lsoa"}
    if "point" in wanted:
        points = _read(mapped.filter(mapped.longitude.notnull()), ["longitude", "latitude", "lsoa_code"])
        areas: dict[str, set[str | None]] = defaultdict(set)
        for row in points.itertuples():
            areas[f"{row.longitude:.6f},{row.latitude:.6f}"].add(wards["lsoa"].get(row.lsoa_code))
        wards["point"] = {key: ward for key, some in areas.items() if len(some) == 1 and (ward := next(iter(some)))}
    return {subject: ward for level, some in wanted.items() for subject, key in some
            if (ward := wards.get(level, {}).get(key))}


def _read_people(registry: pd.DataFrame) -> Mapping[str, str]:
    """Who an agency's reference is. One that stands for several people has no node of its own, and is nobody here."""
    now = registry[registry["until"].isna()]
    return dict(zip(now["node"].astype(str), now["person"].astype(str), strict=True))


def _of_people(
    shown: set[str], people: Mapping[str, str], tables: Mapping[str, ir.Table], lake: Lake, at_door: Mapping[Any, str],
) -> dict[str, str]:
    homes = _find_homes(people, tables, lake)
    homes |= _find_last_said({node: who for node, who in people.items() if who in shown - set(homes)}, tables, lake)
    apart = set(_name(tables[_APART], _APART, [], people, lake)["person"])
    wards = {person: {at_door.get(uprn) for uprn in homes.get(person, ())} for person in shown - apart}
    return {person: ward for person, some in wards.items() if len(some) == 1 and (ward := next(iter(some)))}


def _find_homes(people: Mapping[str, str], tables: Mapping[str, ir.Table], lake: Lake) -> dict[str, set[Any]]:
    """Where landlords say that people live: tenants, and who is in their households."""
    homes: dict[str, set[Any]] = defaultdict(set)
    households: dict[str, set[Any]] = defaultdict(set)
    tenancies = _name(tables[_HOMES], _HOMES, ["household_ref", "uprn"], people, lake)
    for person, household, uprn in zip(*(tenancies[c] for c in ("person", "household_ref", "uprn")), strict=True):
        households[household].add(uprn)
        homes[person].add(uprn)
    members = _name(tables[_MEMBERS], _MEMBERS, ["household_ref"], people, lake)
    for person, household in zip(members["person"], members["household_ref"], strict=True):
        homes[person] |= households.get(household, set())
    return {person: some for person, some in homes.items() if some}


def _find_last_said(people: Mapping[str, str], tables: Mapping[str, ir.Table], lake: Lake) -> dict[str, set[Any]]:
    """Of whom no landlord knows: the address on the last record that gives one for them, or all of that day."""
    said: dict[str, tuple[date, set[Any]]] = {}
    for feed, contract in sorted(lake.contracts.items()):
        for block in contract.people:
            reference, at = block.column("ref"), block.column("uprn")
            wanted = [node.partition(":")[2] for node in people if node.startswith(f"{block.namespace}:")]
            rows = tables[feed]
            if not wanted or not {reference, at} <= set(rows.columns):
                continue
            named = rows.filter(rows[reference].isin(wanted) & rows[at].notnull())
            for ref, uprn, known in named.select(reference, at, "known").distinct().execute().itertuples(index=False):
                who, day = people[f"{block.namespace}:{ref}"], pd.Timestamp(known).date()
                last, some = said.get(who, (day, set()))
                said[who] = (day, {uprn}) if day > last else (last, some | {uprn} if day == last else some)
    return {person: some for person, (_, some) in said.items()}


def _name(rows: ir.Table, feed: str, columns: list[str], people: Mapping[str, str], lake: Lake) -> pd.DataFrame:
    """The rows of a feed with `person`, once for each person block; a row that names nobody known has none."""
    parts = []
    for block in lake.contracts[feed].people:
        reference = block.column("ref")
        frame = _read(rows, [*columns, reference])
        named = frame[reference].map(lambda ref, of=block.namespace: people.get(f"{of}:{str(ref).strip()}"))
        parts.append(frame[columns].assign(person=named))
    return pd.concat(parts, ignore_index=True)
