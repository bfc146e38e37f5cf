"""Clusters of identities + who they were last time -> person ids that stay, and what changed.

A *node* is one identity an agency keeps for a person: `police:4711`, or a digest where there is no
reference. The registry remembers which person each node belonged to, since when and until when.
Rows are closed, never deleted, and a retired id is never given out again, so that "why did this
person's id change" has an answer. It knows nothing of names and addresses: those stay in linkage.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from engine.errors import Problem, RunError

Ints = npt.NDArray[np.int64]
Days = npt.NDArray[np.datetime64]
Words = npt.NDArray[np.object_]

COLUMNS = ["node", "person", "since", "until"]
EVENT_COLUMNS = ["as_of", "kind", "person", "other", "why"]
_DIGEST_LENGTH = 32             # hexadecimal digits kept: 128 bits, no two will collide


@dataclass(frozen=True)
class Numbered:
    """`person` per cluster, the registry as it is now, and the events that led there."""

    person: Words
    registry: pd.DataFrame
    events: pd.DataFrame


def empty_registry() -> pd.DataFrame:
    """The registry before the first run: node, person, since, until; one row per node and stay."""
    return pd.DataFrame({name: pd.Series(dtype="str" if name in ("node", "person") else "object")
                         for name in COLUMNS})


def person_at(registry: pd.DataFrame, person: str) -> pd.DataFrame:
    """The history of every node that was ever this person's, oldest first, in registry columns.

    Rows under other ids show where a node came from (merge) or went to (merge or split).
    """
    theirs = registry.loc[registry["person"] == person, "node"]
    return _in_order(registry[registry["node"].isin(theirs)], ["since", "node"])


def name_nodes(owner: Words, written: pd.DataFrame, told_apart: npt.NDArray[np.bool_]
               ) -> tuple[Ints, pd.Index[Any]]:
    """A node per identity (a position in the keys), and the nodes' keys, sorted.

    The key is the owner (`police:4711`), with a digest of what was written (name, date of birth,
    address) where that does not tell people apart: `police#<digest>`, `police:4711#<digest>`. Plain
    sha256 keeps names out of sight, not out of reach: names and birthdays are few enough to try
    them all. The secret that prevents it must be kept apart from the data and outlive every run,
    so a keyed hash comes with the store, which can hold one.
    """
    columns = [column.to_numpy(object) for _, column in written[told_apart].fillna("").items()]
    digest = [sha256("|".join(texts).encode()).hexdigest()[:_DIGEST_LENGTH]
              for texts in zip(*columns, strict=True)]
    keys = owner.copy()
    keys[told_apart] = owner[told_apart] + "#" + np.array(digest, dtype=object)
    node, names = pd.factorize(pd.Series(keys, dtype="str"), sort=True)
    return node.astype(np.int64), names


def find_reused(registry: pd.DataFrame) -> set[str]:
    """The references (`police:4711`) that an earlier run found on more than one person.

    Such a reference is never a node's key alone again, or it might hand over the wrong person's id.
    """
    node = registry["node"].astype("str")
    owner = node[node.str.get(-_DIGEST_LENGTH - 1) == "#"].str.slice(0, -_DIGEST_LENGTH - 1)
    return set(owner[owner.str.contains(":", regex=False)].unique())


def number_people(nodes: pd.DataFrame, registry: pd.DataFrame, as_of: date) -> Numbered:
    """Give every cluster a person id: the one its nodes had, where they had one.

    nodes: one row per node, sorted by node; columns node, cluster (0..k-1), first_known
    (datetime64), heir_of (the node whose id this one may take if it has none of its own, or None).
    Each id goes to the cluster with most of its nodes (then the smallest node); a cluster that
    could keep several keeps the oldest. New ids go by first_known and node, on from the highest
    ever used. RunError if the registry does not hold together or is of a later date.
    """
    now = _read_registry(registry, as_of)
    at = pd.Index(nodes["node"]).get_indexer(pd.Index(now["node"])).astype(np.int64)
    held = _count_held(nodes["cluster"].to_numpy(), _look_up(nodes, now, at))
    winners = held.drop_duplicates("old")
    winners = winners.assign(keeps=winners.groupby("cluster")["old"].transform("min"))
    number = _number_clusters(nodes, winners, highest=int(now["number"].max()) if len(now) else 0)
    merged = winners[winners["old"] != winners["keeps"]]
    return Numbered(
        person=_write_ids(number),
        registry=_update(now, at, nodes, number, merged, as_of),
        events=_tell_events(number, held, merged, as_of),
    )


def read_days(column: pd.Series[Any]) -> Days:
    """A column of dates, however pandas came to hold it, as whole days (NaT where missing)."""
    return pd.to_datetime(column).to_numpy().astype("datetime64[D]")


def write_days(days: Days) -> Words:
    """Days as Python dates, None where missing: what DuckDB and Parquet store as DATE."""
    return days.astype("datetime64[D]").astype(object)


def _read_registry(registry: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """The registry with numbers for ids and days for dates, or RunError."""
    if missing := [name for name in COLUMNS if name not in registry]:
        raise RunError(Problem("registry", f"no column {', '.join(missing)}", ", ".join(COLUMNS)))
    person = registry["person"].astype("str").reset_index(drop=True)
    now = pd.DataFrame({"node": registry["node"].astype("str").to_numpy(), "person": person,
                        "since": read_days(registry["since"]),
                        "until": read_days(registry["until"])})
    problems = []
    if not person.str.fullmatch(r"P\d{6,}").all():
        problems.append(Problem("registry.person", "ids of another form", "P and six digits"))
    if now.loc[now["until"].isna(), "node"].duplicated().any():
        problems.append(Problem("registry.node", "nodes with two open rows", "one per node"))
    if (now[["since", "until"]].max() > pd.Timestamp(as_of)).any():
        problems.append(Problem("registry", f"entries later than {as_of}", "none after this date",
                                "link an earlier date with the registry as it stood then"))
    if problems:
        raise RunError(problems)
    return now.assign(number=person.str.slice(1).astype("int64"))


def _look_up(nodes: pd.DataFrame, now: pd.DataFrame, at: Ints) -> Ints:
    """The number each node had until now, 0 for none; `at`: where each registry row's node is."""
    current = now["until"].isna().to_numpy()
    old = np.zeros(len(nodes), np.int64)
    old[at[current & (at >= 0)]] = now["number"].to_numpy()[current & (at >= 0)]
    heirs = np.flatnonzero((old == 0) & nodes["heir_of"].notna().to_numpy())
    if len(heirs):
        owners = now[current].set_index("node")["number"]
        old[heirs] = nodes["heir_of"].iloc[heirs].map(owners).fillna(0)
    return old


def _count_held(cluster: Ints, old: Ints) -> pd.DataFrame:
    """old, cluster, n (nodes), first (the smallest): first of each old id whoever keeps it."""
    held = pd.DataFrame({"old": old, "cluster": cluster, "first": np.arange(len(old))})[old > 0]
    counted = held.groupby(["old", "cluster"], as_index=False).agg(
        n=("first", "size"), first=("first", "min"))
    return counted.sort_values(["old", "n", "first"], ascending=[True, False, True],
                               ignore_index=True)


def _number_clusters(nodes: pd.DataFrame, winners: pd.DataFrame, highest: int) -> Ints:
    cluster = nodes["cluster"].to_numpy()
    number = np.zeros(int(cluster.max()) + 1 if len(cluster) else 0, np.int64)
    number[winners["cluster"]] = winners["keeps"]
    order = np.lexsort((np.arange(len(nodes)), nodes["first_known"].to_numpy()))
    newcomers = pd.unique(cluster[order][number[cluster[order]] == 0])
    number[newcomers] = highest + 1 + np.arange(len(newcomers))
    return number


def _write_ids(numbers: Ints) -> Words:
    return np.array([f"P{number:06d}" for number in numbers.tolist()], object)


def _update(now: pd.DataFrame, at: Ints, nodes: pd.DataFrame, number: Ints,
            merged: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Close the rows that no longer hold and open those that do.

    A node not seen this time stays where it was, unless that id was retired: then it follows.
    """
    seen_as = number[nodes["cluster"].to_numpy()]
    survivor = merged.set_index("old")["keeps"]
    follows = now["number"].map(survivor).fillna(now["number"]).to_numpy(np.int64)
    becomes = np.where(at >= 0, np.append(seen_as, 0)[at], follows)
    is_open = now["until"].isna().to_numpy()
    moves = is_open & (becomes != now["number"].to_numpy())
    fresh = np.ones(len(nodes), np.bool_)
    fresh[at[is_open & (at >= 0)]] = False
    kept = now[COLUMNS].assign(until=now["until"].mask(moves, pd.Timestamp(as_of)))
    opened = pd.DataFrame({
        "node": np.concatenate([now["node"][moves], nodes["node"][fresh]]),
        "person": _write_ids(np.concatenate([becomes[moves], seen_as[fresh]])),
        "since": pd.Timestamp(as_of), "until": pd.NaT})
    if opened.empty:
        return _in_order(kept, ["node", "since"])
    return _in_order(pd.concat([kept, opened]) if len(kept) else opened, ["node", "since"])


def _in_order(rows: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    rows = rows.astype({"node": "str", "person": "str"})
    rows = rows.assign(since=read_days(rows["since"]), until=read_days(rows["until"]))
    rows = rows.sort_values([*by, "until", "person"], ignore_index=True)
    for name in ("since", "until"):
        rows[name] = pd.Series(write_days(read_days(rows[name])), dtype=object)
    return rows[COLUMNS]


def _tell_events(number: Ints, held: pd.DataFrame, merged: pd.DataFrame,
                 as_of: date) -> pd.DataFrame:
    split = held[held.duplicated("old")]
    new = np.sort(number[np.setdiff1d(np.arange(len(number)), held["cluster"])])
    total = held.groupby("old")["n"].sum()
    share = [f"{n} of its {total[old]} known identities now belong to another person"
             for n, old in zip(split["n"], split["old"], strict=True)]
    both = "identities of both now belong to one person; the newer id is retired"
    frames = [_tell("new", new, None, ["first seen"] * len(new)),
              _tell("merge", merged["keeps"].to_numpy(), merged["old"].to_numpy(),
                    [both] * len(merged)),
              _tell("split", split["old"].to_numpy(), number[split["cluster"]], share)]
    events = pd.concat(frames, ignore_index=True)
    events["as_of"] = pd.Series([as_of] * len(events), dtype=object)
    return events[EVENT_COLUMNS].sort_values(["kind", "person", "other"], ignore_index=True)


def _tell(kind: str, person: Ints, other: Ints | None, why: list[str]) -> pd.DataFrame:
    others = None if other is None else _write_ids(other)
    return pd.DataFrame({"kind": kind, "person": _write_ids(person), "other": others, "why": why},
                        dtype=object)
