"""Ids that stay: what happens to a person's id from one run to the next, and how it is told."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest

from engine.errors import RunError
from engine.linkage import Linked, link
from engine.registry import empty_registry, person_at
from engine.sightings import COLUMNS

MAY, JUNE, JULY = date(2026, 5, 1), date(2026, 6, 1), date(2026, 7, 1)
ANN = {"forename": "Ann", "surname": "Hill", "dob": date(1980, 5, 5)}
POLICE = {"namespace": "police", "ref": "1", **ANN, "uprn": "1"}
COUNCIL = {"namespace": "council", "ref": "2", **ANN, "uprn": "2"}
MOVED = {**COUNCIL, "uprn": "1"}            # the council learns of the move: now they agree


def run(as_of: date, registry: pd.DataFrame, *rows: dict[str, Any]) -> Linked:
    given = {**dict.fromkeys(COLUMNS), "first_known": date(2026, 1, 1)}
    full = [{**given, "sighting": number, **row} for number, row in enumerate(rows)]
    return link(pd.DataFrame(full, columns=COLUMNS, dtype=object), registry, as_of)


def ids(answer: Linked) -> list[str]:
    return answer.links["person"].tolist()


def told(answer: Linked) -> list[tuple[str, str, str | None]]:
    return list(answer.events[["kind", "person", "other"]].itertuples(index=False, name=None))


def test_new_people_are_numbered_by_when_they_were_first_known() -> None:
    later, earlier = {**POLICE, "first_known": date(2026, 4, 1)}, COUNCIL
    answer = run(MAY, empty_registry(), later, earlier)
    assert ids(answer) == ["P000002", "P000001"]
    assert told(answer) == [("new", "P000001", None), ("new", "P000002", None)]


def test_linking_the_same_again_changes_nothing_and_tells_nothing() -> None:
    first = run(MAY, empty_registry(), POLICE, COUNCIL)
    again = run(JUNE, first.registry, POLICE, COUNCIL)
    assert told(again) == []
    pd.testing.assert_frame_equal(again.registry, first.registry)


def test_two_people_found_to_be_one_keep_the_older_id() -> None:
    first = run(MAY, empty_registry(), POLICE, COUNCIL)
    second = run(JUNE, first.registry, POLICE, MOVED)
    assert ids(first) == ["P000002", "P000001"]
    assert ids(second) == ["P000001", "P000001"]
    assert told(second) == [("merge", "P000001", "P000002")]


def test_one_person_found_to_be_two_leaves_the_id_with_most_identities() -> None:
    fire = {"namespace": "fire", "ref": "3", **ANN, "uprn": "1"}
    first = run(MAY, empty_registry(), POLICE, MOVED, fire)
    second = run(JUNE, first.registry, POLICE, COUNCIL, fire)
    assert ids(second) == ["P000001", "P000002", "P000001"]
    assert told(second) == [("split", "P000001", "P000002")]
    assert second.events["why"].tolist() == [
        "1 of its 3 known identities now belong to another person"]


def test_an_even_split_leaves_the_id_with_the_smallest_identity() -> None:
    first = run(MAY, empty_registry(), POLICE, MOVED)
    assert ids(run(JUNE, first.registry, POLICE, COUNCIL)) == ["P000002", "P000001"]


def test_an_identity_that_moves_to_another_known_person_is_told_as_a_split() -> None:
    bob = {"forename": "Bob", "surname": "Ray", "dob": date(1970, 2, 2), "uprn": "9"}
    fire, health = ({"namespace": name, "ref": "3", **ANN, "uprn": "1"}
                    for name in ("fire", "health"))
    first = run(MAY, empty_registry(), fire, health, POLICE, {"namespace": "council", **bob})
    corrected = {**POLICE, **bob}
    second = run(JUNE, first.registry, fire, health, corrected, {"namespace": "council", **bob})
    assert told(second) == [("split", "P000002", "P000001")]
    assert ids(second) == ["P000002", "P000002", "P000001", "P000001"]


def test_a_retired_id_is_never_given_out_again() -> None:
    first = run(MAY, empty_registry(), POLICE, COUNCIL)
    merged = run(JUNE, first.registry, POLICE, MOVED)
    bob = {"namespace": "fire", "ref": "9", "forename": "Bob"}
    assert ids(run(JULY, merged.registry, POLICE, COUNCIL, bob)) == [
        "P000004", "P000001", "P000003"]


def test_a_person_not_in_this_extract_has_the_same_id_when_they_are_back() -> None:
    first = run(MAY, empty_registry(), POLICE, COUNCIL)
    without = run(JUNE, first.registry, POLICE)
    assert ids(run(JULY, without.registry, POLICE, COUNCIL)) == ids(first)


def test_an_absent_identity_follows_its_person_into_a_merge() -> None:
    fire = {"namespace": "fire", "ref": "3", **ANN, "uprn": "1"}
    first = run(MAY, empty_registry(), COUNCIL, POLICE, fire)
    merged = run(JUNE, first.registry, MOVED, POLICE)
    assert ids(run(JULY, merged.registry, fire)) == ["P000001"]


def test_someone_else_under_a_reused_reference_does_not_take_the_id() -> None:
    bob = {"namespace": "police", "ref": "1", "forename": "Bob", "surname": "Ray",
           "dob": date(1970, 2, 2), "first_known": date(2026, 5, 20)}
    first = run(MAY, empty_registry(), POLICE)
    second = run(JUNE, first.registry, POLICE, bob)
    assert ids(second) == ["P000001", "P000002"]
    assert told(second) == [("new", "P000002", None)]
    assert ids(run(JULY, second.registry, bob)) == ["P000002"]


def test_why_did_this_persons_id_change_has_an_answer() -> None:
    first = run(MAY, empty_registry(), POLICE, COUNCIL)
    second = run(JUNE, first.registry, POLICE, MOVED)
    history = person_at(second.registry, "P000002").to_dict("records")
    assert history == [
        {"node": "police:1", "person": "P000002", "since": MAY, "until": JUNE},
        {"node": "police:1", "person": "P000001", "since": JUNE, "until": None}]


def test_no_name_or_birthday_can_be_read_in_the_registry() -> None:
    answer = run(MAY, empty_registry(), {"namespace": "police", **ANN, "uprn": "1"})
    node = str(answer.registry["node"].iloc[0])
    assert node.startswith("police#")
    assert len(node) == len("police#") + 32
    assert "hill" not in node.lower()


def test_the_registry_survives_parquet_and_back(tmp_path: Any) -> None:
    first = run(MAY, empty_registry(), POLICE, COUNCIL)
    first.registry.to_parquet(tmp_path / "registry.parquet")
    read = pd.read_parquet(tmp_path / "registry.parquet")
    again = run(JUNE, read, POLICE, COUNCIL)
    assert told(again) == []
    pd.testing.assert_frame_equal(again.registry, first.registry)


def test_a_registry_that_does_not_hold_together_gives_a_helpful_error() -> None:
    good = run(JUNE, empty_registry(), POLICE).registry
    with pytest.raises(RunError, match="link an earlier date with the registry as it stood then"):
        run(MAY, good, POLICE)
    with pytest.raises(RunError, match="P and six digits"):
        run(JUNE, good.assign(person="Ann"), POLICE)
    with pytest.raises(RunError, match="nodes with two open rows"):
        run(JUNE, pd.concat([good, good]), POLICE)
    with pytest.raises(RunError, match="no column until"):
        run(JUNE, good.drop(columns="until"), POLICE)
