"""Who is who: which sightings are one person, which are not, and which a person must look at."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest

from engine.errors import RunError
from engine.linkage import Linked, link
from engine.registry import empty_registry
from engine.sightings import COLUMNS

TODAY = date(2026, 11, 23)
ANN = {"forename": "Ann", "surname": "O'Neil", "dob": date(1980, 5, 5)}
BOB = {"forename": "Bob", "surname": "Hill", "dob": date(1971, 2, 3)}
TWIN = {**ANN, "forename": "Amy"}
NEW_YEAR = {**ANN, "dob": date(1980, 1, 1)}
SHARED = ("one reference for what look like different people: a couple, twins, a number used "
          "again, or a misspelling")


def table(*rows: dict[str, Any]) -> pd.DataFrame:
    """Sightings numbered from 1; police, 1 January 2026, unless a row says otherwise."""
    given = {"namespace": "police", "first_known": date(2026, 1, 1)}
    full = [{**dict.fromkeys(COLUMNS), **given, "sighting": number, **row}
            for number, row in enumerate(rows, start=1)]
    return pd.DataFrame(full, columns=COLUMNS, dtype=object)


def linked(*rows: dict[str, Any]) -> Linked:
    return link(table(*rows), empty_registry(), TODAY)


def people(answer: Linked) -> list[list[int]]:
    """The sightings of each person."""
    return sorted(answer.links.groupby("person")["sighting"].apply(list).tolist())


def reason(answer: Linked, sighting: int) -> tuple[int, str, str]:
    row = answer.links[answer.links["sighting"] == sighting].to_dict("records")[0]
    return row["tier"], row["confidence"], row["why"]


def to_review(answer: Linked) -> list[tuple[int, int, str]]:
    return list(answer.review.itertuples(index=False, name=None))


# Shared references

def test_the_same_reference_of_the_same_agency_is_the_same_person() -> None:
    answer = linked({"ref": "77", **ANN}, {"ref": "77", "forename": "Annie", "surname": "Hill"})
    assert people(answer) == [[1, 2]]
    assert reason(answer, 2) == (1, "certain", "same police reference")


def test_the_same_reference_of_two_agencies_means_nothing() -> None:
    answer = linked({"ref": "77", "forename": "Ann"}, {"ref": "77", "namespace": "social_care"})
    assert people(answer) == [[1], [2]]


def test_a_missing_or_blank_reference_is_not_shared() -> None:
    answer = linked({"forename": "Ann"}, {"forename": "Bob"}, {"ref": " ", "forename": "Cy"})
    assert people(answer) == [[1], [2], [3]]


def test_a_reference_used_again_for_someone_else_is_not_joined_but_reviewed() -> None:
    answer = linked({"ref": "77", **ANN}, {"ref": "77", **BOB})
    assert people(answer) == [[1], [2]]
    assert to_review(answer) == [(1, 2, SHARED)]


def test_behind_a_reused_reference_birthday_and_a_name_must_agree() -> None:
    answer = linked({"ref": "77", **ANN}, {"ref": "77", **BOB}, {"ref": "77", "surname": "Hill"},
                    {"ref": "77", **ANN, "surname": "Married"})
    assert people(answer) == [[1, 4], [2], [3]]
    assert reason(answer, 4) == (
        1, "certain",
        "same police reference, date of birth and name; others use this reference too")


def test_a_mistyped_birthday_or_a_new_surname_alone_does_not_break_a_reference() -> None:
    mistyped = linked({"ref": "77", **ANN}, {"ref": "77", **ANN, "dob": date(1980, 5, 6)})
    married = linked({"ref": "77", **ANN}, {"ref": "77", **ANN, "surname": "Hill"})
    assert people(mistyped) == people(married) == [[1, 2]]


def test_an_alias_with_the_same_birthday_does_not_break_a_reference() -> None:
    alias = {**BOB, "dob": ANN["dob"]}
    assert people(linked({"ref": "77", **ANN}, {"ref": "77", **alias})) == [[1, 2]]


@pytest.mark.parametrize("partner", [
    {**ANN, "forename": "Bob", "dob": date(1979, 1, 2)}, {**BOB, "forename": "Ann"}])
def test_a_couple_with_one_customer_number_are_two_people_for_review(
        partner: dict[str, Any]) -> None:
    answer = linked({"ref": "77", **ANN, "uprn": "1"}, {"ref": "77", **partner, "uprn": "1"})
    assert people(answer) == [[1], [2]]
    assert to_review(answer) == [(1, 2, SHARED)]


def test_twins_with_one_customer_number_are_two_people_for_review() -> None:
    answer = linked({"ref": "77", **ANN, "uprn": "1"}, {"ref": "77", **TWIN, "uprn": "1"})
    assert people(answer) == [[1], [2]]
    assert to_review(answer) == [(1, 2, SHARED)]


def test_behind_the_reference_of_twins_the_forename_must_agree() -> None:
    answer = linked({"ref": "77", **ANN}, {"ref": "77", **TWIN},
                    {"ref": "77", **ANN, "forename": None}, {"ref": "77", **TWIN, "uprn": "1"})
    assert people(answer) == [[1], [2, 4], [3]]


@pytest.mark.parametrize("unknown", [
    {"forename": None}, {"forename": "Amy", "dob": None}, {"forename": "Amy", "surname": None}])
def test_what_is_not_known_makes_nobody_a_twin_or_a_partner(unknown: dict[str, Any]) -> None:
    assert people(linked({"ref": "77", **ANN}, {"ref": "77", **ANN, **unknown})) == [[1, 2]]


def test_a_mistyped_birthday_and_someone_without_one_do_not_add_up_to_a_couple() -> None:
    mistyped, undated = {**ANN, "dob": date(1980, 5, 6)}, {**ANN, "forename": "Bob", "dob": None}
    answer = linked({"ref": "77", **ANN}, {"ref": "77", **mistyped}, {"ref": "77", **undated})
    assert people(answer) == [[1, 2, 3]]


def test_one_placeholder_reference_fills_no_review_queue() -> None:
    rows = [{"ref": "0", "surname": f"N{n}", "forename": "A", "dob": date(1950 + n, 2, 2)}
            for n in range(60)]
    answer = linked(*rows)
    assert len(answer.people) == 60
    assert len(answer.review) == 20


# The same name and date of birth

@pytest.mark.parametrize("surname", ["ONEIL", "O’Neil", "o neil", "Ó Neil", "O-Neil", "O'NEÍL "])
def test_capitals_accents_hyphens_apostrophes_and_spaces_make_no_difference(surname: str) -> None:
    other = {**ANN, "surname": surname, "namespace": "council", "uprn": "1"}
    assert people(linked({**ANN, "uprn": "1"}, other)) == [[1, 2]]


def test_letters_that_only_look_accented_are_read_as_written_without_them() -> None:
    polish = {**ANN, "forename": "Łukasz", "surname": "Wałęsa", "uprn": "1"}
    plain = {**ANN, "forename": "Lukasz", "surname": "Walesa", "uprn": "1", "namespace": "fire"}
    assert people(linked(polish, plain)) == [[1, 2]]


@pytest.mark.parametrize("change", [
    {"forename": "Anna"}, {"surname": "Neil"}, {"forename": "O'Neil", "surname": "Ann"},
    {"dob": date(1980, 5, 6)}, {"forename": None}, {"surname": None}])
def test_another_name_another_order_or_another_birthday_is_not_linked(
        change: dict[str, Any]) -> None:
    assert people(linked({**ANN, "uprn": "1"}, {**ANN, "uprn": "1", **change})) == [[1], [2]]


def test_twins_at_one_address_stay_two_people() -> None:
    answer = linked({**ANN, "uprn": "1"}, {**TWIN, "uprn": "1"})
    assert people(answer) == [[1], [2]]


def test_twins_not_yet_named_stay_two_people() -> None:
    baby = {**ANN, "forename": "Baby", "postcode": "S1 1AA"}
    assert people(linked(baby, {**baby, "namespace": "health"})) == [[1], [2]]


@pytest.mark.parametrize("dob", [None, date(1900, 1, 1)])
def test_without_a_real_date_of_birth_nothing_is_linked_by_name(dob: date | None) -> None:
    ann = {**ANN, "dob": dob, "uprn": "1"}
    assert people(linked(ann, {**ann, "namespace": "fire"}, {**ann, "surname": "ONEIL"})) == [
        [1], [2], [3]]


@pytest.mark.parametrize(("address", "said"), [
    ({"uprn": "100"}, "property"), ({"postcode": "S1 1AA"}, "postcode")])
def test_an_address_in_common_makes_it_certain(address: dict[str, str], said: str) -> None:
    later = {"namespace": "fire", "first_known": date(2026, 2, 1)}
    answer = linked({**ANN, **address}, {**ANN, **address, **later})
    assert people(answer) == [[1, 2]]
    assert reason(answer, 1) == (0, "certain", "the sighting that the others were linked to")
    assert reason(answer, 2) == (2, "certain", f"same name, date of birth and {said}")


def test_a_property_and_a_postcode_are_compared_as_written_anyhow() -> None:
    answer = linked({**ANN, "uprn": "0100", "postcode": "S1 1AA"}, {**ANN, "uprn": "100"},
                    {**ANN, "postcode": "s11aa", "namespace": "fire"})
    assert people(answer) == [[1, 2, 3]]


def test_where_one_side_has_no_address_it_is_probable() -> None:
    answer = linked({**ANN, "uprn": "1"}, {**ANN, "namespace": "fire"})
    assert people(answer) == [[1, 2]]
    assert reason(answer, 2) == (
        2, "probable", "same name and date of birth; no address to compare")


def test_two_addresses_with_nothing_in_common_are_a_conflict_for_review() -> None:
    answer = linked({**ANN, "uprn": "1"}, {**ANN, "uprn": "2", "namespace": "fire"})
    assert people(answer) == [[1], [2]]
    assert to_review(answer) == [(1, 2, "same name and date of birth, but no address in common")]


def test_no_address_that_fits_two_people_goes_to_neither() -> None:
    answer = linked({**ANN, "uprn": "1"}, {**ANN, "uprn": "2"}, {**ANN, "namespace": "fire"})
    assert people(answer) == [[1], [2], [3]]
    assert to_review(answer)[1] == (
        1, 3, "same name and date of birth, but no address, and more than one person fits")


def test_what_a_reference_knows_of_the_address_counts_for_all_its_sightings() -> None:
    answer = linked({"ref": "7", **ANN, "uprn": "1"}, {"ref": "7", **ANN}, {**ANN, "uprn": "2"})
    assert people(answer) == [[1, 2], [3]]


def test_a_sighting_linked_by_way_of_its_reference_says_so() -> None:
    council = {"ref": "5", "namespace": "council", "first_known": date(2026, 2, 1)}
    answer = linked({**ANN, "uprn": "1"}, {**council, **ANN, "uprn": "1"},
                    {**council, "forename": "A"})
    assert people(answer) == [[1, 2, 3]]
    assert reason(answer, 3) == (2, "certain", "same council reference as a sighting with this "
                                               "person's name, date of birth and property")


def test_no_fixed_abode_is_not_an_address() -> None:
    nowhere = {**ANN, "postcode": "ZZ99 3VZ"}
    answer = linked(nowhere, {**nowhere, "namespace": "fire"}, {**ANN, "uprn": "1"})
    assert people(answer) == [[1, 2, 3]]
    assert reason(answer, 1)[1] == "probable"


def test_a_first_of_january_needs_an_address_in_common() -> None:
    answer = linked(NEW_YEAR, {**NEW_YEAR, "namespace": "fire"},
                    {**NEW_YEAR, "uprn": "1"}, {**NEW_YEAR, "uprn": "1", "namespace": "fire"})
    assert people(answer) == [[1], [2], [3, 4]]
    assert {why for _, _, why in to_review(answer)} == {
        "same name and date of birth, but 1 January may stand for an unknown birthday"}


# What is said about people

def test_people_carry_an_id_a_date_and_a_birthday_and_no_name() -> None:
    answer = linked({"ref": "7", **ANN}, {"ref": "7", **ANN, "first_known": date(2025, 3, 1),
                                          "uprn": "1"})
    assert answer.people.to_dict("records") == [{
        "person": "P000001", "first_known": date(2025, 3, 1), "sightings": 2,
        "dob": date(1980, 5, 5), "dob_note": ""}]


def test_of_conflicting_birthdays_the_majority_is_used_and_that_is_said() -> None:
    typo = {**ANN, "dob": date(1980, 5, 6)}
    answer = linked({"ref": "7", **ANN}, {"ref": "7", **typo}, {"ref": "7", **ANN, "uprn": "1"})
    assert answer.people[["dob", "dob_note"]].to_numpy().tolist()[0] == [
        date(1980, 5, 5), "2 dates of birth on record; the most frequent is used"]


def test_without_a_majority_no_birthday_is_used_and_that_is_said() -> None:
    answer = linked({"ref": "7", **ANN}, {"ref": "7", **ANN, "dob": date(1980, 5, 6)})
    assert answer.people[["dob", "dob_note"]].to_numpy().tolist()[0] == [
        None, "2 dates of birth on record; none is on most sightings, so none is used"]


def test_nobody_is_linked_in_an_empty_table() -> None:
    answer = linked()
    assert [len(answer.people), len(answer.links), len(answer.registry), len(answer.review)] == [
        0, 0, 0, 0]


def test_a_table_that_cannot_be_read_gives_a_helpful_error() -> None:
    with pytest.raises(RunError, match="no column uprn"):
        link(table(ANN).drop(columns="uprn"), empty_registry(), TODAY)
    twice = table({**ANN, "sighting": 4}, {**ANN, "sighting": 4, "namespace": None})
    with pytest.raises(RunError, match=r"(?s)namespace: rows without a value.*several rows"):
        link(twice, empty_registry(), TODAY)
