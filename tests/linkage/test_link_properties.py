"""What holds for every table of sightings, not only for those someone thought of."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from itertools import combinations
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.linkage import Linked, link
from engine.registry import empty_registry
from engine.sightings import COLUMNS

MAY, JUNE, JULY = date(2026, 5, 1), date(2026, 6, 1), date(2026, 7, 1)
DAYS = [date(1980, 5, 5), date(1981, 6, 6)]
Row = dict[str, Any]

detail = {
    "forename": st.sampled_from(["Ann", "ANN", "Bob", None]),
    "surname": st.sampled_from(["O'Neil", "ONEIL", "Hill", None]),
    "dob": st.sampled_from([*DAYS, date(1980, 1, 1), date(1900, 1, 1), None]),
    "uprn": st.sampled_from(["1", "2", None]),
    "postcode": st.sampled_from(["S1 1AA", "S2 2BB", None, None]),
    "first_known": st.sampled_from([date(2025, 1, 1), date(2025, 2, 1)]),
    "namespace": st.sampled_from(["police", "fire"]),
}
IDENTITY = ("namespace", "ref", "forename", "surname", "dob", "uprn", "postcode")
TOWNS = "abcdefgh"


def rows(**change: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Row]]:
    """Distinct identities, written in many small variations of a few people.

    In towns that share nothing: linking eight of them takes no longer than linking one.
    """
    row = st.fixed_dictionaries({**detail, "ref": st.sampled_from([None, "1", "2"]), **change})
    towns = st.lists(st.lists(row, max_size=9), min_size=4, max_size=len(TOWNS))
    return towns.map(settle_all)


def settle_all(towns: list[list[Row]]) -> list[Row]:
    settled = [settle(row, TOWNS[at]) for at, town in enumerate(towns) for row in town]
    return list({tuple(row[name] for name in IDENTITY): row for row in settled}.values())


def settle(row: Row, town: str) -> Row:
    """The same in a town of its own: nothing that links is written as in any other."""
    return row | {name: row[name] + town for name in ("ref", "surname", "uprn", "postcode")
                  if row[name] is not None}


def for_any(*tables: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], Any]:
    """The test made to hold for a few tables each time, and for many in the larger runs."""
    def try_out(holds: Callable[..., None]) -> Any:
        @pytest.mark.parametrize("examples", [4, pytest.param(60, marks=pytest.mark.more)])
        def test(examples: int) -> None:
            settings(max_examples=examples, deadline=None)(given(*tables)(holds))()
        return test
    return try_out


without_reference = rows(
    ref=st.none(), forename=st.sampled_from(["Ann", "Bob"]), surname=st.just("Hill"),
    dob=st.sampled_from(DAYS))
one_number = rows(namespace=st.just("police"), ref=st.sampled_from([None, "1"]))


def table(some: list[Row]) -> pd.DataFrame:
    numbered = [{"sighting": number, **row} for number, row in enumerate(some)]
    return pd.DataFrame(numbered, columns=COLUMNS, dtype=object)


def run(some: list[Row], registry: pd.DataFrame | None = None, as_of: date = MAY) -> Linked:
    return link(table(some), empty_registry() if registry is None else registry, as_of)


def assert_same(one: Linked, other: Linked) -> None:
    for name in ("people", "links", "registry", "events", "review"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name))


def people(answer: Linked) -> list[set[int]]:
    return [set(group) for _, group in answer.links.groupby("person")["sighting"]]


@for_any(rows(), st.randoms(use_true_random=False))
def test_the_order_of_rows_never_matters(some: list[Row], chance: Any) -> None:
    ordered = table(some)
    shuffled = ordered.iloc[chance.sample(range(len(some)), len(some))]
    assert_same(link(ordered, empty_registry(), MAY), link(shuffled, empty_registry(), MAY))


@for_any(rows(), st.randoms(use_true_random=False))
def test_nor_does_it_matter_how_the_sightings_are_numbered(some: list[Row], chance: Any) -> None:
    new = chance.sample(range(len(some)), len(some))
    ordered = run(some)
    renumbered = link(table(some).assign(sighting=new), empty_registry(), MAY)
    was = dict(zip(ordered.links["sighting"], ordered.links["person"], strict=True))
    now = dict(zip(renumbered.links["sighting"], renumbered.links["person"], strict=True))
    assert {old: now[new[old]] for old in was} == was


@for_any(rows())
def test_linking_the_same_again_changes_nothing_and_tells_nothing(some: list[Row]) -> None:
    first = run(some)
    again = run(some, first.registry, JUNE)
    assert again.events.empty
    pd.testing.assert_frame_equal(again.registry, first.registry)
    pd.testing.assert_frame_equal(again.links, first.links)


@for_any(rows(), st.sampled_from([date(2024, 1, 1), date(2026, 1, 1)]))
def test_a_stranger_never_changes_anybody_elses_id(some: list[Row], known: date) -> None:
    stranger = {**dict.fromkeys(IDENTITY), "namespace": "police", "ref": "999",
                "forename": "Zoe", "surname": "Quist", "dob": date(1999, 9, 9), "uprn": "77",
                "first_known": known}
    first = run(some)
    second = run([*some, stranger], first.registry, JUNE)
    pd.testing.assert_frame_equal(second.links[:-1], first.links)
    assert second.events["kind"].tolist() == ["new"]


@for_any(rows(ref=st.none()))
def test_by_name_no_two_dates_of_birth_are_ever_one_person(some: list[Row]) -> None:
    for members in people(run(some)):
        assert len({some[at]["dob"] for at in members}) == 1


def may_touch(one: Row, other: Row) -> bool:
    """The most that could ever link two sightings directly."""
    if share_number(one, other) and not contradict(one, other):
        return True
    return bool(known_as(one) == known_as(other) is not None)


def share_number(one: Row, other: Row) -> bool:
    return one["ref"] is not None and all(one[name] == other[name] for name in ("namespace", "ref"))


def contradict(one: Row, other: Row) -> bool:
    """What no one person has: a couple's two birthdays and names, or the two forenames of twins."""
    forename, surname, dob = (differs(name, one, other) for name in ("forename", "surname", "dob"))
    return bool((forename or surname) if dob else dob is surname is False and forename)


def differs(name: str, one: Row, other: Row) -> bool | None:
    """None: not known."""
    both = [plain(row[name]) for row in (one, other)]
    return None if None in both else both[0] != both[1]


def plain(value: Any) -> Any:
    if value == date(1900, 1, 1):
        return None
    return value.replace("'", "").lower() if isinstance(value, str) else value


def known_as(row: Row) -> tuple[str, str, date] | None:
    name = plain(row["forename"]), plain(row["surname"]), plain(row["dob"])
    return None if None in name else name


def grow(members: set[int], touch: Any) -> list[set[int]]:
    """The parts into which members fall when only those that touch stay together."""
    parts: list[set[int]] = []
    for at in sorted(members):
        near = [part for part in parts if any(touch(at, other) for other in part)]
        parts = [part for part in parts if part not in near] + [{at}.union(*near)]
    return sorted(parts, key=min)


@for_any(rows())
def test_every_person_hangs_together_by_references_or_by_name_and_birthday(
        some: list[Row]) -> None:
    for members in people(run(some)):
        assert len(grow(members, lambda a, b: may_touch(some[a], some[b]))) == 1


@for_any(one_number)
def test_behind_one_number_nobody_is_made_of_two_who_contradict_each_other(
        some: list[Row]) -> None:
    for members in people(run(some)):
        for one, other in combinations([some[at] for at in sorted(members)], 2):
            assert not (share_number(one, other) and contradict(one, other))


@for_any(without_reference)
def test_the_columns_find_the_people_a_careful_reader_finds(some: list[Row]) -> None:
    found = []
    for key in {known_as(row) for row in some}:
        same = {at for at, row in enumerate(some) if known_as(row) == key}
        bare = {at for at in same if some[at]["uprn"] is None and some[at]["postcode"] is None}
        homes = grow(same - bare, lambda a, b: any(
            some[a][n] is not None and some[a][n] == some[b][n] for n in ("uprn", "postcode")))
        if len(homes) <= 1:
            found.append(same)
        else:
            found += homes + [{at for at in bare if some[at]["namespace"] == name}
                              for name in ("police", "fire")]
    assert sorted(map(sorted, filter(None, found))) == sorted(map(sorted, people(run(some))))


@for_any(rows(), rows(), rows())
def test_no_id_changes_untold_and_none_is_given_out_twice(
        first: list[Row], second: list[Row], third: list[Row]) -> None:
    registry, retired = empty_registry(), set[str]()
    for some, as_of in ((first, MAY), (second, JUNE), (third, JULY)):
        was = current(registry)
        answer = run(some, registry, as_of)
        registry, now = answer.registry, current(answer.registry)
        told = {frozenset(pair) for pair in zip(
            answer.events["person"], answer.events["other"], strict=True)}
        gone = answer.events.query("kind == 'merge'")["other"]
        changed = {frozenset((was[node], now[node])) for node in was if was[node] != now[node]}
        retired |= set(gone)
        assert changed <= told
        assert not retired & set(now.values())


def current(registry: pd.DataFrame) -> dict[str, str]:
    is_open = registry[registry["until"].isna()]
    assert not is_open["node"].duplicated().any()
    return dict(zip(is_open["node"], is_open["person"], strict=True))


def test_one_person_is_never_also_another() -> None:
    some = [{**dict.fromkeys(IDENTITY), "namespace": "police", "forename": "Ann",
             "surname": "Hill", "dob": DAYS[0], "uprn": str(n), "first_known": MAY}
            for n in range(4)]
    groups = people(run(some))
    assert all(not one & other for one, other in combinations(groups, 2))
