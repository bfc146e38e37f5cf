"""Sightings of people, as agencies wrote them -> people with stable ids, and why each is theirs.

Tier 1: one reference of one agency, unless it is shared by a couple or twins or used again: then
only with the birthday and a name. Tier 2: exactly the same name and date of birth, and no conflict
of address. An exact forename is also the twin guard. Anything less is left apart and listed for
review: a wrong link puts one person's history on another. `link` is the whole door; a
probabilistic linker can later stand behind it. It knows nothing of records, features or rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from engine.grounds import (
    NO_ADDRESS,
    POSTCODE,
    PROPERTY,
    Joined,
    describe_people,
    explain,
    list_review,
)
from engine.registry import Ints, find_reused, name_nodes, number_people
from engine.sightings import Flags, Known, combine_codes, count_codes, read_sightings


@dataclass(frozen=True)
class Linked:
    """What linking gives: ids instead of names from here on.

    people: person, first_known, sightings, dob (what most sightings say, else None), dob_note.
    links: sighting, person, tier (0 nothing to link, 1, 2), confidence (certain, probable), why;
    one row per sighting. registry: node, person, since, until; hand it to the next run.
    events: as_of, kind (new, merge, split), person, other, why. review: sighting_a, sighting_b,
    why; pairs left apart that a person should compare.
    """

    people: pd.DataFrame
    links: pd.DataFrame
    registry: pd.DataFrame
    events: pd.DataFrame
    review: pd.DataFrame


def link(sightings: pd.DataFrame, registry: pd.DataFrame, as_of: date) -> Linked:
    """Who is who, as of a date.

    sightings: one row per distinct identity as an agency wrote it (engine.sightings.COLUMNS; all
    but sighting, namespace and first_known may be missing). registry: the last run's, or `empty_registry()`.
    The order of rows does not matter; linking the same again changes nothing. Raises RunError.
    """
    known = read_sightings(sightings)
    reused = _find_shared(known)
    reused_before = pd.Series(known.owner).isin(find_reused(registry)).to_numpy()
    told_apart = (known.reference < 0) | reused | reused_before
    node, keys = name_nodes(known.owner, known.written, told_apart)
    joined = _join(known, node, reused)
    numbered = number_people(_list_nodes(known, joined, keys), registry, as_of)
    return Linked(
        people=describe_people(known, joined, numbered.person),
        links=explain(known, joined, numbered.person),
        registry=numbered.registry,
        events=numbered.events,
        review=list_review(known, joined),
    )


def _find_shared(known: Known) -> Flags:
    """Sightings whose reference several people have: a couple, twins or whoever had it before.

    A couple, like a number used again, differs in date of birth and in forename or surname; twins
    differ in the first letters of the forename alone. Anything else is a misspelling, a marriage or an alias.
    """
    twins = _vary(_name_family(known), known.stem)
    others = [_contradict(known.reference, known.dob, name)
              for name in (known.stem, known.surname)]
    return np.isin(known.reference, known.reference[twins | others[0] | others[1]])


def _contradict(group: Ints, one: Ints, other: Ints) -> Flags:
    """Sightings whose group holds two that differ in both facts, all four being known.

    Pairs that all agree somewhere share one value of the first fact or one of the second, so it
    is enough to count values.
    """
    both_known = (one >= 0) & (other >= 0)
    group = np.where(both_known, group, -1)
    return _vary(group, one) & _vary(group, other)


def _vary(group: Ints, value: Ints) -> Flags:
    """Items whose group has more than one value."""
    groups = _pair(group, value)["item"]
    return np.isin(group, groups[groups.duplicated() & (groups >= 0)])


def _name_family(known: Known) -> Ints:
    """Who could be twins or one person: code of reference, date of birth and surname."""
    return combine_codes(known.reference, known.dob, known.surname)


def _join(known: Known, node: Ints, reused: Flags) -> Joined:
    unit = _join_references(known, node, reused)
    home, by_property, by_postcode = _join_addresses(known, unit)
    settled = np.isin(home, home[known.addressed])
    cluster, by_name = _join_addressless(known, home, settled)
    again = (known.reference < 0) & (np.bincount(node, minlength=1)[node] > 1)    # one node twice
    by = {PROPERTY: by_property | again & (known.uprn >= 0),
          POSTCODE: by_postcode | again & (known.postcode >= 0), NO_ADDRESS: by_name | again}
    return Joined(node, reused, unit, home, cluster, settled, by)


def _join_references(known: Known, node: Ints, reused: Flags) -> Ints:
    """One reference, one person; a reused one must be borne out by birthday and a name.

    Where twins share it a surname bears nothing out: without a forename it could be either.
    """
    plain = np.where(reused, -1, known.reference)
    family = _name_family(known)
    by_surname = np.where(reused & ~_vary(family, known.stem), family, -1)
    by_forename = combine_codes(np.where(reused, known.reference, -1), known.dob, known.forename)
    keys = [node, plain, by_surname, by_forename]
    starts = np.cumsum([0] + [count_codes(key) for key in keys])
    key = np.concatenate([np.where(key < 0, -1, key + start)
                          for key, start in zip(keys, starts[:-1], strict=True)])
    return _connect(np.tile(np.arange(len(node)), len(keys)), key)[0]


def _join_addresses(known: Known, unit: Ints) -> tuple[Ints, Flags, Flags]:
    """Units that share an identity and an address; which sightings' identities did, and by what.

    Every address of a unit counts for each of its identities, so that a sighting without an
    address is not held to fit where the same person's other sightings show it does not.
    """
    identities = _pair(unit, known.identity)
    units, keys, shared = [np.arange(0)], [np.arange(0)], []
    for address in (known.uprn, known.postcode):
        both = identities.merge(_pair(unit, address), on="item", suffixes=("", "_address"))
        key = combine_codes(both["value"].to_numpy(), both["value_address"].to_numpy())
        meets = both[pd.Series(key).duplicated(keep=False).to_numpy()]
        shared.append(_among(unit, known.identity, meets))
        units.append(both["item"].to_numpy())
        keys.append(np.where(key < 0, -1, key + count_codes(keys[-1])))
    unit_home = _connect(np.concatenate(units), np.concatenate(keys), count_codes(unit))[0]
    return unit_home[unit], shared[0], shared[1]


def _join_addressless(known: Known, home: Ints, settled: Flags) -> tuple[Ints, Flags]:
    """Homes without an address go to the one person whose identity they share, or to each other.

    A flock is all such homes that hang together by identities. One that meets two settled homes
    could be either, so it joins neither. A 1 January birthday is too weak without an address.
    """
    pairs = _pair(home, np.where(known.new_year, -1, known.identity))
    loose = ~np.isin(pairs["item"], home[settled])
    names, homes = count_codes(known.identity), count_codes(home)
    flock_of = _connect(pairs["item"][loose].to_numpy(), pairs["value"][loose].to_numpy(),
                        homes, names)[1]
    pairs["flock"] = flock_of[pairs["value"]]
    fits = pairs[~loose].groupby("flock")["item"].nunique()
    sure = (pairs["flock"].isin(pairs["flock"][loose])
            & ~pairs["flock"].isin(fits.index[fits > 1]))
    placed = pairs[sure]
    cluster = _connect(placed["item"].to_numpy(), placed["flock"].to_numpy(), homes)[0]
    return pd.factorize(cluster[home])[0].astype(np.int64), _among(home, known.identity, placed)


def _connect(left: Ints, right: Ints, lefts: int = 0, rights: int = 0) -> tuple[Ints, Ints]:
    """Component of each left and each right item, where left[i] and right[i] touch (-1: none)."""
    lefts, rights = max(lefts, count_codes(left)), max(rights, count_codes(right))
    touch = right >= 0
    edges = (np.ones(touch.sum(), np.int8), (left[touch], lefts + right[touch]))
    graph = coo_matrix(edges, shape=(lefts + rights, lefts + rights))
    label = connected_components(graph, directed=False)[1].astype(np.int64)
    return label[:lefts], label[lefts:]


def _pair(item: Ints, value: Ints) -> pd.DataFrame:
    pairs = pd.DataFrame({"item": item, "value": value})
    return pairs[value >= 0].drop_duplicates(ignore_index=True)


def _among(item: Ints, value: Ints, pairs: pd.DataFrame) -> Flags:
    """Which (item, value) occur in the pairs."""
    width = count_codes(value) + 1
    return np.isin(item * width + value, pairs["item"] * width + pairs["value"]) & (value >= 0)


def _list_nodes(known: Known, joined: Joined, keys: pd.Index[Any]) -> pd.DataFrame:
    """One row per node, sorted. Of a reused reference the longest-known person is the heir."""
    cluster = joined.cluster
    rows = pd.DataFrame({"node": joined.node, "cluster": cluster,
                         "first_known": known.first_known})
    owner = pd.Series(known.owner, dtype="str")
    in_reused = rows.assign(owner=owner)[joined.reused].sort_values(["first_known", "node"])
    heir = in_reused.groupby("owner")["cluster"].first()
    rows["heir_of"] = owner.where(owner.map(heir) == cluster)
    nodes = rows.groupby("node").agg(cluster=("cluster", "first"), heir_of=("heir_of", "first"),
                                     first_known=("first_known", "min"))
    return nodes.assign(node=keys)
