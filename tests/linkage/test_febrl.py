"""How often exact name and date of birth is right, and how much it finds, on a public benchmark.

FEBRL4: 5,000 invented people and one corrupted copy of each; the true pairs are known.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from engine.linkage import link
from engine.registry import empty_registry
from engine.sightings import COLUMNS

DATA = Path(__file__).parents[3] / "shared" / "data"
FILES = [DATA / "linkage_febrl4a.csv.gz", DATA / "linkage_febrl4b.csv.gz"]

pytestmark = pytest.mark.skipif(
    not all(path.exists() for path in FILES),
    reason="the public FEBRL4 files are not on this machine (they are not part of Wardwise)")


def febrl(with_postcode: bool) -> pd.DataFrame:
    read = [pd.read_csv(path, dtype=str).assign(namespace=name)
            for path, name in zip(FILES, ("council", "police"), strict=True)]
    both = pd.concat(read, ignore_index=True)
    sightings = pd.DataFrame({
        "sighting": both.index, "namespace": both["namespace"], "ref": None,
        "forename": both["given_name"], "surname": both["surname"],
        "dob": pd.to_datetime(both["date_of_birth"], format="%Y%m%d", errors="coerce"),
        "uprn": None, "postcode": both["postcode"] if with_postcode else None,
        "first_known": date(2026, 1, 1)})
    return sightings[COLUMNS].assign(true=both["rec_id"].str.extract(r"rec-(\d+)-")[0])


def pairs(frame: pd.DataFrame, by: str) -> set[tuple[int, int]]:
    both = frame.merge(frame, on=by, suffixes=("_a", "_b"))
    both = both[both["sighting_a"] < both["sighting_b"]]
    return set(zip(both["sighting_a"], both["sighting_b"], strict=True))


@pytest.mark.parametrize(("with_postcode", "least", "most"), [
    (False, 0.40, 0.48), (True, 0.30, 0.48)])
def test_exact_links_are_nearly_always_right_and_find_what_was_measured(
        with_postcode: bool, least: float, most: float) -> None:
    sightings = febrl(with_postcode)
    links = link(sightings, empty_registry(), date(2026, 11, 23)).links
    found, true = pairs(links[["sighting", "person"]], "person"), pairs(sightings, "true")
    precision, recall = len(found & true) / len(found), len(found & true) / len(true)
    print(f"postcode {with_postcode}: precision {precision:.4f}, recall {recall:.4f}")
    assert precision >= 0.99
    assert least <= recall <= most
