"""What the invented borough writes is what the contracts declare; nothing gives the truth away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml

from engine.contract import fold
from engine.invent import Borough
from engine.invent.columns import FEEDS, NAMESPACES, PEOPLE
from engine.invent.spelling import CODE_WORDS, name_header

CONTRACTS = Path(__file__).parents[2] / "rules" / "feeds"


def read_contract(feed: str) -> dict[str, Any]:
    """A feed's contract as plain values."""
    found: dict[str, Any] = yaml.safe_load((CONTRACTS / f"{feed}.yaml").read_text("utf-8"))
    return found


def read_headers(path: Path) -> list[str]:
    """The headers of an extract."""
    if path.suffix == ".parquet":
        return list(pq.read_schema(path).names)
    if path.suffix == ".xlsx":
        return [str(name) for name in pd.read_excel(path, nrows=0).columns]
    return path.read_text("utf-8").split("\n", 1)[0].split(",")


def test_every_contract_has_an_extract() -> None:
    assert set(FEEDS) == {path.stem for path in CONTRACTS.glob("*.yaml")}


@pytest.mark.parametrize("feed", FEEDS)
def test_every_column_is_declared_in_its_contract(feed: str, extracts: Path) -> None:
    declared = read_contract(feed)["columns"]
    known = {name: {fold(word) for word in [name, *spec.get("synonyms", [])]}
             for name, spec in declared.items()}
    assert set(FEEDS[feed]) <= set(known)
    for column in FEEDS[feed]:
        assert fold(name_header(feed, column)) in known[column]
    allowed = {header for headers in known.values() for header in headers}
    for path in extracts.glob(f"{feed}.*"):
        assert {fold(header) for header in read_headers(path)} <= allowed


@pytest.mark.parametrize("feed", FEEDS)
def test_types_and_people_agree_with_the_contract(feed: str) -> None:
    contract = read_contract(feed)
    declared = contract["columns"]
    assert {name: declared[name]["type"] for name in FEEDS[feed]} == FEEDS[feed]
    blocks = contract.get("people", [])
    assert [block["prefix"] for block in blocks] == list(PEOPLE[feed])
    assert {block["namespace"] for block in blocks} <= {NAMESPACES.get(feed)}


def test_every_word_for_a_code_is_in_its_contract() -> None:
    for (feed, column), respelt in CODE_WORDS.items():
        values = read_contract(feed)["columns"][column]["values"]
        for code, word in respelt.items():
            assert fold(word) in map(fold, [code, *values[code]]), (feed, column, word)


@pytest.mark.parametrize("feed", ["council_asb", "police_incidents", "housing_register",
                                  "social_care_flags", "homelessness_cases"])
def test_every_code_written_is_in_its_contract(feed: str, extracts: Path) -> None:
    table = pd.read_csv(extracts / f"{feed}.csv", dtype=str, keep_default_na=False)
    for name, spec in read_contract(feed)["columns"].items():
        if spec["type"] == "code" and name in FEEDS[feed]:
            values = {fold(str(word)) for code, words in spec["values"].items()
                      for word in [code, *words]}
            assert {fold(word) for word in table[name_header(feed, name)]} <= values | {""}


def test_the_extracts_say_nothing_of_the_truth(small: Borough, extracts: Path) -> None:
    names = [story.encode() for story in small.stories]
    for path in extracts.iterdir():
        held = path.read_bytes()
        assert b"story" not in held.lower()
        assert b"propensity" not in held.lower()
        assert not any(name in held for name in names)
    assert not any(path.name.startswith("truth") for path in extracts.iterdir())


def test_a_story_cannot_be_told_by_its_number(small: Borough, extracts: Path) -> None:
    """References of story people lie among everybody else's, not at one end."""
    people = pd.read_csv(extracts / "council_asb.csv", dtype=str)["complainant_ref"].dropna()
    numbers = people.str.removeprefix("C").astype(int).rank(pct=True)
    stories = yaml.safe_load((small.folder / "truth" / "stories.yaml").read_text("utf-8"))
    planted = {subject["ref"] for story in stories for subject in story["subjects"].values()
               if subject.get("namespace") == "council"}
    place = numbers[people.isin(planted)]
    assert len(place) > 50
    assert 0.35 < place.mean() < 0.65
    assert place.max() - place.min() > 0.8
