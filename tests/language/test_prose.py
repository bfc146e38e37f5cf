"""Conditions as sentences an officer would read aloud."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.condition import read_condition, walk
from engine.feature import FAR
from engine.pack import Pack
from engine.prose import join_words, name_agency, say, show

from .trees import grow


@dataclass(frozen=True)
class Fact:
    title: str
    unit: str = ""
    window: int | None = None


NAMES = {
    "asb_victim_183d": Fact("Anti-social behaviour suffered", "incidents", 183),
    "age": Fact("Age", "years"),
    "isolated": Fact("Lives isolated"),
    "tenure": Fact("Tenure"),
    "dash": Fact("DASH score"),
    "asb": Fact("ASB incidents suffered", "incidents", 90),
    "move_in": Fact("Date of moving in"),
}

SENTENCES: dict[str, str] = {
    "asb_victim_183d >= 3": "anti-social behaviour suffered in 183 days: at least 3 incidents",
    "asb_victim_183d < 3": "anti-social behaviour suffered in 183 days: under 3 incidents",
    "age > 17": "age: more than 17 years",
    "age <= 17": "age: at most 17 years",
    "age == 18": "age: is 18 years",
    "age != 18": "age: is not 18 years",
    "dash >= 14": "DASH score: at least 14",
    "asb >= 1": "ASB incidents suffered in 90 days: at least 1 incident",
    "isolated is true": "lives isolated",
    "isolated is false": "not: lives isolated",
    "isolated is known": "lives isolated is known",
    "isolated is missing": "lives isolated is not known",
    "tenure in [council, housing_association]": "tenure is council or housing association",
    "tenure not in [council, supported, other]": "tenure is not council, supported or other",
    "tenure == council": "tenure: is council",
    "move_in >= 2026-11-03": "date of moving in: at least 3 November 2026",
    "night_visitors_90d is true": "night visitors 90d",
}


@pytest.mark.parametrize("clause", SENTENCES)
def test_a_clause_in_words(clause: str) -> None:
    assert say(read_condition(clause), NAMES) == SENTENCES[clause]


BLOCKS: list[tuple[Any, str]] = [
    ({"all": ["age >= 18", "isolated is true"]}, "age: at least 18 years, and lives isolated"),
    ({"any": ["age >= 18", "isolated is true"]}, "age: at least 18 years, or lives isolated"),
    ({"all": ["age >= 18"]}, "age: at least 18 years"),
    ({"not": {"any": ["age >= 18", "isolated is true"]}},
     "it is not so that age: at least 18 years, or lives isolated"),
    ({"rule": "person/hate-victim"}, "the rule “person/hate-victim” holds"),
    ({"at_least": 2, "of": ["age >= 18", {"points": 2, "when": "isolated is true"}]},
     "at least 2 of: age: at least 18 years; lives isolated (2 points)"),
    ({"exists": {"in": "keep_apart_places", "where": "kind == da", "within": "365d", "near": "500m"}},
     "a place of somebody to be kept apart from (domestic abuse) in the last 365 days within 500 m"),
    ({"exists": {"in": "keep_apart_places", "where": {"all": ["kind == da", "metres < 1000"]}}},
     "a place of somebody to be kept apart from (domestic abuse) is under 1,000 metres away"),
    ({"exists": {"in": "keep_apart_places", "where": {
        "any": [{"all": ["kind == feud", "metres < 500"]}, {"all": ["kind == hba", "metres < 2000"]}]}}},
     "a place of somebody to be kept apart from (a feud) is under 500 metres away, or (honour-based abuse) is under "
     "2,000 metres away"),
    ({"exists": {"in": "order_zones", "where": "metres <= 0"}},
     "an area that a court order closes to the household reaches as far as here"),
    ({"exists": {"in": "order_zones", "where": {"all": ["kind == cbo", "metres > 0", "metres <= 1500"]}}},
     "an area that a court order closes to the household (cbo) is more than 0 metres away and is at most 1,500 metres "
     "away"),
    ({"exists": {"in": "orders", "where": {"all": ["current is true", "protected_persons > 0"]}}},
     "a court order where current, and protected persons: more than 0"),
    ({"exists": {"in": "licence_checks", "where": {"any": ["passed is false", "score < 3"]}}},
     "some record of licence checks where not: passed, or where score: under 3"),
]


@pytest.mark.parametrize(("block", "words"), BLOCKS, ids=[words for _, words in BLOCKS])
def test_a_block_in_words(block: Any, words: str) -> None:
    assert say(read_condition(block), NAMES) == words


def test_all_within_any_is_not_read_the_other_way_round() -> None:
    one = read_condition({"any": ["isolated is true", {"all": ["age >= 18", "dash >= 14"]}]})
    other = read_condition({"all": [{"any": ["isolated is true", "age >= 18"]}, "dash >= 14"]})
    assert say(one, NAMES) != say(other, NAMES)


def test_a_rule_is_called_by_its_title(shipped: Pack) -> None:
    condition = shipped.rules["person/subject-with-unmet-needs"].when
    words = say(condition, shipped.features_of("person"), shipped.rules)
    assert "the rule “Corroborated repeat anti-social behaviour seen by two or more households” holds" in words


def test_every_shipped_rule_can_be_read_aloud(shipped: Pack) -> None:
    for rule in shipped.rules.values():
        words = say(rule.when, shipped.features_of(rule.subject), shipped.rules)
        assert not set("_{}[]<>=") & set(words), f"{rule.id}: {words}"


@pytest.mark.parametrize(("value", "unit", "words"), [
    (None, "days", "not known"), (True, "", "yes"), (False, "", "no"), (0, "incidents", "0 incidents"),
    (3, "", "3"), (0.0, "", "0"), (0.6, "share", "60%"), (2.0, "", "2"), (2.345, "", "2.35"),
    (0.004, "", "0.004"), (-0.5, "", "-0.5"),
    (date(2026, 11, 3), "", "3 November 2026"), ("housing_association", "", "housing association"),
    (FAR, "m", "none recorded"),
])
def test_a_value_as_an_officer_reads_it(value: Any, unit: str, words: str) -> None:
    assert show(value, unit) == words


@pytest.mark.parametrize("chance", [0.00001, 2.3e-7, 1e-12])
def test_a_very_small_chance_is_not_written_as_a_power_of_ten(chance: float) -> None:
    assert "e-" not in show(chance)


def test_agencies_and_lists_are_said_as_people_say_them(shipped: Pack) -> None:
    assert name_agency("social_care") == "Social Care"
    assert name_agency("youth_justice") == "youth justice"
    assert [join_words(list(words)) for words in ("", "a", "ab", "abc")] == ["", "a", "a and b", "a, b and c"]
    used = {agency for rule in shipped.rules.values() for agency in rule.convene}
    assert all(name_agency(agency)[0].isupper() for agency in used)


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.randoms(use_true_random=False))
def test_whatever_is_written_can_be_said_and_nothing_is_left_out(random: Any) -> None:
    tree = grow(random)
    words = say(tree, {})
    for node in walk(tree):
        assert getattr(node, "name", "").replace("_", " ") in words
