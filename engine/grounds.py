"""Joined sightings -> why each is its person's, what is known of each person, and what to review.

It joins nobody itself and knows nothing of ids: `linkage` does the one, `registry` the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from engine.registry import Ints, Words, read_days, write_days
from engine.sightings import Flags, Known, count_codes

_PAIRS_PER_CAUSE = 20           # a placeholder used as a reference by thousands is one finding

_REASONS = (                    # tier, confidence, why; {0} is the agency's namespace
    (0, "certain", "the only sighting of this person"),
    (0, "certain", "the sighting that the others were linked to"),
    (1, "certain", "same {0} reference"),
    (1, "certain", "same {0} reference, date of birth and name; others use this reference too"),
    (2, "certain", "same name, date of birth and property"),
    (2, "certain", "same name, date of birth and postcode"),
    (2, "probable", "same name and date of birth; no address to compare"),
    (2, "certain", "same {0} reference as a sighting with this person's name, date of birth and "
                   "property"),
    (2, "certain", "same {0} reference as a sighting with this person's name, date of birth and "
                   "postcode"),
    (2, "probable", "same {0} reference as a sighting with this person's name and date of birth; "
                    "no address to compare"),
)
_ALONE, _FIRST, _REFERENCE, _REUSED, PROPERTY, POSTCODE, NO_ADDRESS = range(7)
_INDIRECT = 3                   # steps from a reason to the same reason by way of a reference
_SHARED = ("one reference for what look like different people: a couple, twins, a number used "
           "again, or a misspelling")


@dataclass(frozen=True)
class Joined:
    """Per sighting: `unit` (by reference) within `home` (by address) within `cluster` (a person).

    node: as the registry knows it. reused: several people have its reference. settled: the home
    has an address. How a sighting's own identity took part: `by` PROPERTY, POSTCODE, NO_ADDRESS.
    """

    node: Ints
    reused: Flags
    unit: Ints
    home: Ints
    cluster: Ints
    settled: Flags
    by: dict[int, Flags]


def describe_people(known: Known, joined: Joined, person: Words) -> pd.DataFrame:
    """One row per person, as `Linked.people` has it; person: the id of each cluster."""
    rows = pd.DataFrame({"cluster": joined.cluster, "dob": known.birthday,
                         "known": known.first_known})
    by_person = rows.groupby("cluster")
    dated = by_person["dob"].count()
    said = rows.groupby(["cluster", "dob"]).size().rename("times").reset_index()
    said = said.sort_values(["cluster", "times", "dob"])
    variants = said["cluster"].value_counts().reindex(dated.index, fill_value=0)
    said = said.drop_duplicates("cluster", keep="last").set_index("cluster").reindex(dated.index)
    agreed = said["times"] * 2 > dated
    note = [f"{count} dates of birth on record; " + ("the most frequent is used" if one else
            "none is on most sightings, so none is used") if count > 1 else ""
            for count, one in zip(variants.tolist(), agreed.tolist(), strict=True)]
    described = pd.DataFrame({
        "person": pd.Series(person[dated.index], dtype="str"),
        "first_known": _dates(by_person["known"].min()),
        "sightings": by_person.size().to_numpy(),
        "dob": _dates(said["dob"].where(agreed)), "dob_note": pd.Series(note, dtype="str")})
    return described.sort_values("person", ignore_index=True)


def _dates(column: pd.Series[Any]) -> pd.Series[Any]:
    return pd.Series(write_days(read_days(column)), dtype=object)


def explain(known: Known, joined: Joined, person: Words) -> pd.DataFrame:
    """One row per sighting, as `Linked.links` has it; person: the id of each cluster."""
    reason = _find_reasons(known, joined)
    agency, agencies = pd.factorize(known.namespace)
    tiers, confidences = (np.array([row[at] for row in _REASONS])[reason] for at in (0, 1))
    whys = [row[2].format(name.replace("_", " ")) for row in _REASONS for name in agencies]
    why = np.array([*whys, ""], object)[reason * len(agencies) + agency]
    return pd.DataFrame({
        "sighting": known.sighting, "person": pd.Series(person[joined.cluster], dtype="str"),
        "tier": tiers, "confidence": pd.Series(confidences, dtype="str"),
        "why": pd.Series(why, dtype="str")})


def _find_reasons(known: Known, joined: Joined) -> Ints:
    """How each came to its person, seen from that person's longest-known addressed sighting."""
    cluster, unit = joined.cluster, joined.unit
    order = np.lexsort((known.sighting, joined.node, known.first_known, ~joined.settled))
    first = np.zeros(count_codes(cluster), np.int64)
    first[cluster[order[::-1]]] = order[::-1]
    anchor = first[cluster]
    is_anchor = anchor == np.arange(len(anchor))
    shares = np.bincount(unit, minlength=1)[unit] > 1
    linked = _find_link(known, joined, joined.home == joined.home[anchor])
    by_reference = (unit == unit[anchor]) & (known.reference >= 0) & shares
    return np.select(
        [by_reference & joined.reused, by_reference, is_anchor & (np.bincount(cluster)[cluster] == 1),
         is_anchor],
        [_REUSED, _REFERENCE, _ALONE, _FIRST], linked)


def _find_link(known: Known, joined: Joined, at_home: Flags) -> Ints:
    """The tier 2 reason: what joined the sighting's unit, itself or by way of its reference."""
    unit, by = joined.unit, joined.by
    through = {how: np.isin(unit, unit[flags]) for how, flags in by.items()}
    how = np.select([at_home & through[PROPERTY], at_home & through[POSTCODE]],
                    [PROPERTY, POSTCODE], NO_ADDRESS)
    itself = np.select([how == kind for kind in by], list(by.values()), False)
    return np.where(itself | (known.reference < 0), how, how + _INDIRECT)


def list_review(known: Known, joined: Joined) -> pd.DataFrame:
    """Pairs a person should compare, per cause the best known against the others."""
    apart = _star(known, joined, known.identity)
    other = apart["at"].to_numpy()
    apart["why"] = np.select(
        [joined.settled[other], known.new_year[other]],
        ["same name and date of birth, but no address in common",
         "same name and date of birth, but 1 January may stand for an unknown birthday"],
        "same name and date of birth, but no address, and more than one person fits")
    shared = _star(known, joined, np.where(joined.reused, known.reference, -1))
    shared["why"] = _SHARED
    pairs = pd.concat([apart, shared])[["sighting_a", "sighting_b", "why"]]
    return pairs.sort_values(["sighting_a", "sighting_b", "why"], ignore_index=True)


def _star(known: Known, joined: Joined, group: Ints) -> pd.DataFrame:
    """Within each group, the first sighting of its first person with that of each other person."""
    rows = pd.DataFrame({"group": group, "person": joined.cluster, "loose": ~joined.settled,
                         "known": known.first_known, "at": np.arange(len(group))})
    rows = rows[group >= 0].sort_values(["loose", "known", "at"])
    rows = rows.drop_duplicates(["group", "person"])
    by_group = rows.groupby("group")
    nth, first = by_group.cumcount(), by_group["at"].transform("first")
    rows = rows.assign(sighting_a=known.sighting[first], sighting_b=known.sighting[rows["at"]])
    return rows[(nth > 0) & (nth <= _PAIRS_PER_CAUSE)]
