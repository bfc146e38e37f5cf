"""The planted stories: enough of them, each findable, each with an answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml

from engine.invent import Borough
from engine.invent.spelling import name_header

RULES = Path(__file__).parents[2] / "rules"
# Fire records are late by design, and in November no night is light.
CANNOT_FIRE = {"I-23", "L-10", "L-12"}


@pytest.fixture(scope="module")
def stories(small: Borough) -> list[dict[str, Any]]:
    """The stories as the truth tells them."""
    told: list[dict[str, Any]] = yaml.safe_load(
        (small.folder / "truth" / "stories.yaml").read_text("utf-8"))
    return told


def list_live_rules() -> set[str]:
    """References of the rules that raise flags."""
    rules = [yaml.safe_load(path.read_text("utf-8")) for path in RULES.glob("*/*.yaml")
             if path.parent.name in ("person", "place", "allocation")
             and not path.name.endswith(".test.yaml")]
    return {rule["reference"] for rule in rules if rule["status"] == "live"}


def test_there_are_at_least_forty_stories_with_names_of_their_own(
        stories: list[dict[str, Any]]) -> None:
    assert len(stories) >= 40
    assert len({story["name"] for story in stories}) == len(stories)
    assert all(story["sentence"].endswith(".") for story in stories)


def test_every_expectation_is_one_the_lists_can_meet(stories: list[dict[str, Any]]) -> None:
    for story in stories:
        assert story["expectation"], story["name"]
        for mark in story["expectation"]:
            assert mark["list"] in {"people", "places", "allocations"}
            assert mark["expect"] in {"flagged", "not_flagged", "held", "cannot_tell"}
            assert mark["subject"] in story["subjects"]
            assert ("exclusion" in mark) == (mark["expect"] == "held")


def test_every_live_rule_has_a_story_in_which_it_fires(stories: list[dict[str, Any]]) -> None:
    fired = {mark["rule"] for story in stories for mark in story["expectation"]
             if mark["expect"] in ("flagged", "held")}
    assert list_live_rules() - CANNOT_FIRE <= fired


def test_every_subject_of_a_story_is_in_the_extracts(small: Borough, extracts: Path,
                                                     stories: list[dict[str, Any]]) -> None:
    written = b"".join(path.read_bytes() for path in extracts.glob("*.csv"))
    written += b" ".join(str(value).encode() for value in pq.read_table(
        extracts / "school_summaries.parquet").to_pandas()["Pupil Number"])
    for story in stories:
        for subject in story["subjects"].values():
            find = subject.get("ref") or subject.get("proposal_ref") or (
                subject["place"].split(":")[1])
            for part in find.split(","):
                # The map writes -1.42 for -1.420000.
                assert part.rstrip("0").encode() in written, (story["name"], find)


def test_story_people_share_no_birthday_and_initial_with_anybody(
        extracts: Path, stories: list[dict[str, Any]]) -> None:
    """So that nobody else's record can be taken for theirs."""
    reports = pd.read_csv(extracts / "council_asb.csv", dtype=str)
    tenants = pd.read_csv(extracts / "housing_tenancies.csv", dtype=str)
    born = name_header("housing_tenancies", "person_dob")
    tenants["key"] = tenants[born] + tenants["person_surname"].str[0]
    planted = {subject["ref"] for story in stories for subject in story["subjects"].values()
               if "ref" in subject}
    mine = reports[reports["complainant_ref"].isin(planted)]
    keys = mine["Complainant DOB"] + mine["complainant_surname"].str[0]
    others = tenants[~tenants[name_header("housing_tenancies", "person_ref")].isin(planted)]
    assert not set(keys) & set(others["key"])
