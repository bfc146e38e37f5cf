"""The world of a date -> the few tables a live screening reads, and a folder that keeps them.

    applications, homes, proposals      who may be offered what (see `pairs`)
    places                              what a home carries from its street or block
    rows_<n>                            records by whom or where they are about, and no more of them than is read

The same keyed rows the weekly run counts, for applicants and around homes only. What is read back is what was written:
the digest covers every byte of the tables, and the pack beside them has its own.
"""

from __future__ import annotations

import json
import os
import shutil
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from engine.columns import express
from engine.condition import Exists, names_in
from engine.errors import Problem, RunError
from engine.feature import Feature
from engine.flag import write_json
from engine.judge import exists_of
from engine.keyed import World
from engine.known import Known, say_silence
from engine.measures import SHOWN, Hold, columns_read, earliest, reach, reach_of
from engine.pack import NOT_IN_PACK, Pack
from engine.pairs import read_applications, read_homes
from engine.schema import Subject

Group = tuple[Subject, str, int | None]
"""Whose rows, of which table, how far away: as in `measures.Kept`."""

_KEYS = {"person", "uprn", "proposal_ref", "easting", "northing", "radius_m"}


@dataclass(frozen=True)
class Snapshot:
    """`tables` by name; `groups` says which table holds the rows of which group; the rest is what silence means."""

    as_of: date
    tables: Mapping[str, pa.Table]
    groups: Mapping[Group, str]
    fresh: frozenset[str]
    late: Mapping[str, str]                     # feed title -> how late
    table_feeds: Mapping[str, tuple[str, ...]]
    gaps: Mapping[str, frozenset[date]]
    merged: Mapping[str, str]                   # a person's former id -> the id now


def take_snapshot(known: Known, places: ir.Table, pack: Pack, hold: Hold) -> Snapshot:
    """What screening any applicant for any home on this date needs. `places`: measured places, key `subject`."""
    world = known.world
    applications = hold("applications", read_applications(world, pack.policy.scheme))
    homes = hold("homes", read_homes(world))
    proposals = world.cohorts["allocation"].filter(ibis._.proposal.notnull()).select(
        "proposal", "application", "uprn", known="last_known")
    parts = {
        "applications": applications.order_by("application"),
        "homes": homes.order_by("uprn"),
        "proposals": proposals.order_by("proposal"),
        "places": _carried_places(places, homes, pack).order_by("subject"),
    }
    groups: dict[Group, str] = {}
    blocks = exists_of(pack, "allocation", world.as_of)
    for number, (group, members) in enumerate(sorted(_wanted_groups(pack, blocks).items(), key=str)):
        groups[group] = f"rows_{number:02d}"
        asked = {name for b in blocks if ("allocation", b.table, reach_of(b)) == group for name in names_in(b.where)}
        rows = _rows(world, group, members, applications, homes, proposals, bool(asked))
        keep = columns_read(members) | SHOWN | asked | _KEYS
        rows = rows.select(*[c for c in rows.columns if c in keep])
        order = [c for c in ("person", "uprn", "proposal_ref", "known", "record") if c in rows.columns]
        # One record can be several rows: a party to be kept apart from may have two homes.
        parts[f"rows_{number:02d}"] = rows.order_by([*order, *(c for c in rows.columns if c not in order)])
    tables = {name: part.to_pyarrow().combine_chunks() for name, part in parts.items()}
    late = {feed.title: say_silence(feed) for feed in known.fresh if not feed.fresh}
    return Snapshot(world.as_of, tables, groups, world.fresh, late, world.table_feeds, world.gaps,
                    find_merged(known.linked.registry))


def save_snapshot(snapshot: Snapshot, folder: Path, pack: Path) -> None:
    """Writes the folder, with a copy of the pack, whole or not at all. Raises RunError when there is no room."""
    draft = folder.with_name(f".draft-{os.getpid()}-{folder.name}")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        draft.mkdir(parents=True, mode=0o700)
        digests = {}
        for name, table in snapshot.tables.items():
            pq.write_table(table, draft / f"{name}.parquet")
            digests[name] = sha256((draft / f"{name}.parquet").read_bytes()).hexdigest()
        text = write_json({
            "as_of": snapshot.as_of, "tables": digests, "fresh": sorted(snapshot.fresh), "late": snapshot.late,
            "groups": [[*group, name] for group, name in snapshot.groups.items()],
            "table_feeds": snapshot.table_feeds, "merged": snapshot.merged,
            "gaps": {feed: sorted(months) for feed, months in snapshot.gaps.items()}})
        shutil.copytree(pack, draft / "pack", ignore=NOT_IN_PACK)
        (draft / "manifest.json").write_text(text, encoding="utf-8")
        if not (folder / "manifest.json").exists():
            shutil.rmtree(folder, ignore_errors=True)
            draft.rename(folder)
    except OSError as error:
        if not (folder / "manifest.json").exists():     # another process may have been quicker
            raise RunError(Problem(str(folder), f"cannot be written: {error.strerror}",
                                   "a folder with room, that may be written", "make room and ask again")) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def load_snapshot(folder: Path) -> tuple[Snapshot, str]:
    """The snapshot in a folder and its digest. Raises RunError when a byte of it has changed."""
    text = (folder / "manifest.json").read_bytes()
    manifest: dict[str, Any] = json.loads(text)
    problems = []
    tables = {}
    for name, digest in manifest["tables"].items():
        path = folder / f"{name}.parquet"
        if not path.exists() or sha256(path.read_bytes()).hexdigest() != digest:
            problems.append(Problem(str(path), "gone, or not the bytes that were kept", f"sha256 {digest}",
                                    "restore it from its backup"))
        else:
            tables[name] = pq.read_table(path)
    if problems:
        raise RunError(problems)
    groups: dict[Group, str] = {(subject, table, near): name for subject, table, near, name in manifest["groups"]}
    return Snapshot(
        date.fromisoformat(manifest["as_of"]), tables, groups, frozenset(manifest["fresh"]), manifest["late"],
        {table: tuple(feeds) for table, feeds in manifest["table_feeds"].items()},
        {feed: frozenset(map(date.fromisoformat, months)) for feed, months in manifest["gaps"].items()},
        manifest["merged"]), sha256(text).hexdigest()


def find_merged(registry: pd.DataFrame) -> dict[str, str]:
    """Every id that is nobody's any more, with the id its first identity has now."""
    now = registry[registry["until"].isna()].set_index("node")["person"]
    gone = registry[registry["until"].notna() & ~registry["person"].isin(now)].sort_values(["person", "node"])
    heirs = gone.assign(heir=gone["node"].map(now)).dropna(subset="heir").drop_duplicates("person")
    return dict(zip(heirs["person"].astype(str), heirs["heir"].astype(str), strict=True))


# --- inside -------------------------------------------------------------------------------------


def _wanted_groups(pack: Pack, blocks: Sequence[Exists]) -> dict[Group, list[Feature]]:
    """The groups of rows that screening reads, each with the features that count them.

    What a place feature counts is not among them: its value is carried whole.
    """
    groups: dict[Group, list[Feature]] = defaultdict(list)
    for feature in pack.features_of("allocation").values():
        source = pack.features[feature.carried_from] if feature.carried_from else feature
        if source.subject != "place" and source.table is not None:
            groups[source.subject, source.table, reach(source)].append(source)
    for block in blocks:
        groups.setdefault(("allocation", block.table, reach_of(block)), [])
    return dict(groups)


def _carried_places(places: ir.Table, homes: ir.Table, pack: Pack) -> ir.Table:
    """The values carried from a place, for the streets, blocks and areas that have a home."""
    carried = [f for f in pack.features_of("allocation").values()
               if f.carried_from and f.carried_from.startswith("place.")]
    named = {"property": "uprn", "block": "block", "street": "street", "lsoa": "lsoa"}
    keys = [homes.filter(homes[named[str(via)]].notnull()).select(
        subject=ibis.literal(f"{named[str(via)]}:") + homes[named[str(via)]])
        for via in sorted({str(f.via) for f in carried})]
    columns = sorted({str(f.carried_from).split(".")[1] for f in carried})
    if not keys:
        return places.select("subject").limit(0)
    return places.select("subject", *columns).semi_join(ibis.union(*keys, distinct=True), "subject")


def _rows(
    world: World, group: Group, members: Sequence[Feature], applications: ir.Table, homes: ir.Table,
    proposals: ir.Table, asked: bool,
) -> ir.Table:
    """The rows of a group that some screening may count, with the columns it reads."""
    _, table, near = group
    rows = world.tables[table]
    if near is not None and near > 0:
        rows = rows.filter(rows.easting.notnull() & rows.northing.notnull())
        met = [express(f.where, rows.__getitem__) for f in members if f.where is not None]
        rows = rows.filter(ibis.or_(*met)) if met and len(met) == len(members) and not asked else rows
    elif "proposal_ref" in rows.columns:
        rows = rows.semi_join(proposals, rows.proposal_ref == proposals.proposal)
    elif "person" in rows.columns:
        rows = rows.semi_join(applications, rows.person == applications.applicant)
    else:
        rows = rows.semi_join(homes, "uprn")
    start = earliest(world.as_of, members) if members and not asked else None
    return rows.filter(rows.known >= ibis.literal(start)) if start is not None else rows


