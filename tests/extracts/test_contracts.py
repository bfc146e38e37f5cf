"""The feeds hold together, and one that does not is refused with all its faults."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from engine.contract import Contract, read_contracts
from engine.errors import RuleError

from .conftest import ROOT

GOOD = (ROOT / "rules" / "feeds" / "fire_visits.yaml").read_text(encoding="utf-8")


def test_every_feed_says_why_it_may_be_held_and_for_how_long(
    contracts: Mapping[str, Contract]
) -> None:
    assert len(contracts) == 31
    for contract in contracts.values():
        assert contract.gateway and contract.retain_days >= 365
        assert contract.dated_by or contract.known_month


def test_headers_as_police_uk_publishes_them_are_known(contracts: Mapping[str, Contract]) -> None:
    published = ["Crime ID", "Month", "Reported by", "Falls within", "Longitude", "Latitude",
                 "Location", "LSOA code", "LSOA name", "Crime type", "Last outcome category",
                 "Context"]
    headers = contracts["police_uk"].headers
    found = {headers.get("".join(header.split()).casefold()) for header in published}
    assert found == set(contracts["police_uk"].columns)


def test_a_date_of_birth_is_known_as_one(contracts: Mapping[str, Contract]) -> None:
    births = {c.name for c in contracts["council_asb"].columns.values() if c.birth}
    assert births == {"complainant_dob", "subject_dob"}


@pytest.mark.parametrize(("old", "new", "said"), [
    ("agency: fire", "agency: fires", "agency `fires`"),
    ("feed: fire_visits", "feed: fires", "feed `fires`.*write `feed: fire_visits`"),
    ("refuse_above: 0.2", "refuse_above: 20", "refuse_above `20`.*a share, 0 to 1"),
    ("identity: [visit_ref]", "identity: [visit]", "`visit` is not a column of this feed"),
    ("type: uprn", "type: uprm", "type `uprm`"),
    ("fresh_within: 40\n", "", "no fresh_within"),
    ("fresh_within: 40", "fresh_within: soon", "fresh_within `soon`"),
    ("dates: {occurred: visited, known: recorded}", "dates: {occurred: visited}", "no known date"),
    ("namespace: fire", "namespace: fires", "namespace `fires`"),
    ("role: resident, ", "", "a person block with no role"),
    ("fire_plan:", "known:", "column name `known`"),
    ("Escape Plan", "Visit ID", "`Visit ID` means"),
    ("refused: [", "refused: [Done, ", "`Done` is a spelling of refused and of done"),
    ("columns:", "colums:", "no columns"),
])
def test_a_feed_that_does_not_hold_together_gives_helpful_error(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    broken = GOOD.replace(old, new)
    assert broken != GOOD, f"{old} is not in the feed"
    (tmp_path / "fire_visits.yaml").write_text(broken, encoding="utf-8")

    with pytest.raises(RuleError, match=f"(?s)fire_visits.yaml:\\d+: .*{said}"):
        read_contracts(tmp_path)


def test_all_faults_of_all_feeds_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "fire_visits.yaml").write_text(
        GOOD.replace("agency: fire", "agency: a").replace("purpose: ", "purpose: x"),
        encoding="utf-8")
    (tmp_path / "other.yaml").write_text("feed: [", encoding="utf-8")

    with pytest.raises(RuleError) as error:
        read_contracts(tmp_path)

    assert len(error.value.problems) == 3


def test_a_folder_without_feeds_gives_helpful_error(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="no feed contract found"):
        read_contracts(tmp_path)
