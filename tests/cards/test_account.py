"""What an officer is told of a card: sums that add up, reasons both ways, what would change it, and plain silences."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, product
from pathlib import Path
from random import Random

import pytest

from engine.account import account_for, find_change, tabulate
from engine.card import Card
from engine.feature import Feature
from engine.pack import Pack
from engine.tally import Tally, band_of, tally

from .made import a_card, deal_card, deal_rows

CASE = {"age": 30, "asb_subject_ev2_183d": 4, "tenure": "council", "isolated": False, "asb_subject_ev2_365d": 5}


@pytest.fixture
def card(tmp_path: Path) -> Card:
    return a_card(tmp_path)


@pytest.fixture
def features(shipped: Pack) -> dict[str, Feature]:
    """The facts of a person; tenure is made changeable, as it is for nobody in the shipped rules."""
    known = shipped.features_of("person")
    like = known["asb_subject_ev2_183d"]
    made = {"tenure": ("tenure of the home", "offer another tenancy", True), "isolated": ("lives alone", "", False)}
    return known | {name: replace(like, name=name, title=title, unit="", window=None, changes_to=how, changeable=can)
                    for name, (title, how, can) in made.items()}


def test_a_chance_is_told_as_people_out_of_a_hundred(card: Card, features: dict[str, Feature]) -> None:
    told = account_for(card, tally(card, CASE), features)
    assert told.said == ("Further harm reported within 90 days: of 100 people with this score, about 55 "
                         "(between 50 and 60).")
    assert (told.score, told.least, told.most, told.band) == (7, -2, 7, "convene")


def test_a_rare_thing_is_not_said_to_be_impossible(card: Card, features: dict[str, Feature]) -> None:
    rare = replace(card, scores=tuple(replace(row, probability=0.002, low=0.0, high=0.004) for row in card.scores))
    assert account_for(rare, tally(rare, CASE), features).said.endswith(
        "of 100 people with this score, fewer than 1 (between fewer than 1 and fewer than 1).")


def test_parts_add_up_and_stand_beside_the_average_case(card: Card, features: dict[str, Feature]) -> None:
    told = account_for(card, tally(card, CASE), features)
    assert sum(part.points for part in told.parts) == told.score
    assert [(part.fact, part.value, part.points, part.typical) for part in told.parts] == [
        ("asb_subject_ev2_183d", "4 incidents", 6, 0.62), ("tenure", "council", 1, 0.3), ("isolated", "no", 0, -0.2)]
    assert told.parts[0].difference == pytest.approx(5.38)


def test_reasons_are_said_both_ways_and_what_everybody_has_is_none(card: Card, features: dict[str, Feature]) -> None:
    told = account_for(card, tally(card, CASE | {"isolated": True, "asb_subject_ev2_183d": 0}), features)
    assert told.raises == ("tenure of the home is council (+1 points, 0.7 more than the average case)",)
    assert told.lowers == (
        "lives alone (-2 points, 1.8 fewer than the average case)",
        "corroborated anti-social behaviour by this person in 183 days: under 1 incident "
        "(+0 points, 0.6 fewer than the average case)")


@pytest.mark.parametrize("seed", range(10))
def test_at_most_four_reasons_each_way_the_furthest_from_average_first(seed: int, tmp_path: Path) -> None:
    random = Random(seed)
    dealt = deal_card(random, tmp_path)
    for row in deal_rows(random, dealt, 20):
        told = account_for(dealt, tally(dealt, row), {})
        over = sorted((p.difference for p in told.parts if p.difference >= 0.5), reverse=True)
        under = sorted(p.difference for p in told.parts if p.difference <= -0.5)
        assert (len(told.raises), len(told.lowers)) == (min(4, len(over)), min(4, len(under)))
        assert [float(each.split(" points, ")[1].split()[0]) for each in told.raises] == pytest.approx(
            over[:4], abs=0.051)


# --- silences ---------------------------------------------------------------------------------------

SILENCES = {
    "silent": ({"licence": "silent"}, {}, (), "The card says nothing: too few people are behind it."),
    "rank_only": ({"licence": "rank"}, {}, (), "7 points, on a card that goes from -2 to 7."),
    "feed_missing": ({}, {}, ("asb_subject_ev2_183d",), "The card says nothing now: a feed that tells of corroborated "
                     "anti-social behaviour by this person in 183 days is late. This is not a low score."),
    "thin_history": ({}, {"asb_subject_ev2_365d": 1}, (), "too little is known so far of corroborated"),
    "outside_range": ({}, {"asb_subject_ev2_183d": 41}, (), "it has seen nothing like this value"),
    "not_for": ({}, {"age": 9}, (), "it is only for people known to meet this: age in whole years: at least 10 years."),
    "borderline": ({}, {"isolated": True}, (), "too close to call. Of 100 people with this score it may be 27 or 35, "
                   "and the edge of “discuss” (30) lies between. The card does not decide it."),
}


@pytest.mark.parametrize("why", SILENCES)
def test_a_silence_is_said_in_words_in_place_of_the_number(
    why: str, card: Card, features: dict[str, Feature]
) -> None:
    changes, values, lost, said = SILENCES[why]
    asked = replace(card, **changes)
    told = account_for(asked, tally(asked, CASE | values, lost), features)
    assert told.abstains == why
    assert said in told.said
    assert "about" not in told.said, "no chance is given"
    if why not in ("rank_only", "borderline"):
        assert (told.score, told.parts, told.raises, told.lowers) == (None, (), (), ())
        assert (told.band, told.change) == (None, "")


def test_what_is_not_known_and_counted_as_such_is_said(card: Card, features: dict[str, Feature]) -> None:
    told = account_for(card, tally(card, CASE, ["tenure"]), features)
    assert told.said.endswith("Not known, and counted as such: tenure of the home.")


# --- what would change it -----------------------------------------------------------------------------


def test_what_can_be_changed_is_said_with_what_to_do(card: Card, features: dict[str, Feature], tmp_path: Path) -> None:
    lower = a_card(tmp_path, ("from: 6, to: 7", "from: 7, to: 7"), ("from: 4, to: 5", "from: 4, to: 6"))
    told = account_for(lower, tally(lower, CASE), features)
    assert told.change == ("On this card it would leave “convene” with tenure of the home: none of the other answers "
                           "here (offer another tenancy).")
    told = account_for(card, tally(card, CASE), features)
    assert told.change == "Nothing that somebody could change would by itself take it out of “convene” on this card."
    assert account_for(card, tally(card, CASE | {"asb_subject_ev2_183d": 0}), features).change == ""


def test_no_smaller_set_of_changes_would_do_and_none_of_them_can_be_smaller(shipped: Pack, tmp_path: Path) -> None:
    """Against trying every set of every change."""
    sizes = [size for seed in range(15) for size in check_changes(Random(seed), shipped, tmp_path)]
    assert sizes.count(0) > 20, "often nothing helps, or nothing is needed"
    assert max(sizes) >= 3, "and sometimes only several changes together"


def check_changes(random: Random, shipped: Pack, tmp_path: Path) -> list[int]:
    """The size of the set found for each case of a card dealt at random."""
    dealt = deal_card(random, tmp_path)
    middle = (dealt.least + dealt.most) // 2
    row = dealt.scores[0]
    dealt = replace(dealt, licence="probability", factors=dealt.factors[:6], bands={"watch": 0.15}, scores=(
        replace(row, first=-200, last=middle, low=0.05, probability=0.1, high=0.12),
        replace(row, first=middle + 1, last=200, low=0.2, probability=0.3, high=0.4)))
    like = shipped.features["person.asb_subject_ev2_183d"]
    features = {f.fact: replace(like, name=f.fact, changeable=random.random() < 0.8) for f in dealt.factors}
    sizes = []
    for case in deal_rows(random, dealt, 40):
        counted = tally(dealt, case)
        changes = find_change(dealt, counted, features)
        sizes.append(len(changes))
        given_by = {given.factor.fact: given for given in counted.points}
        gains = [(given_by[f.fact], given_by[f.fact].points - to.points) for f, to in changes]
        spare = middle - counted.total + sum(gain for _, gain in gains)
        if band_of(dealt, counted) is None:
            assert changes == ()
            continue
        assert (len(changes) or None) == fewest_changes(counted.total - middle, counted, features)
        assert not changes or spare >= 0
        assert not any(0 < given.points - to.points < gain and gain - (given.points - to.points) <= spare
                       for given, gain in gains for to in given.factor.bins[:-1]), "no change is larger than it must be"
        assert all(features[factor.fact].changeable for factor, _ in changes)
        assert all(to is not factor.bins[-1] for factor, to in changes), "nobody is told to know less"
    return sizes


def fewest_changes(needed: int, counted: Tally, features: dict[str, Feature]) -> int | None:
    gains = [sorted({g.points - to.points for to in g.factor.bins[:-1]} | {0}) for g in counted.points
             if features[g.factor.fact].changeable]
    for size in range(1, len(gains) + 1):
        for some in combinations(gains, size):
            if any(sum(each) >= needed for each in product(*some)):
                return size
    return None


# --- the whole card -----------------------------------------------------------------------------------


def test_the_whole_card_is_one_page_of_plain_values(card: Card, features: dict[str, Feature]) -> None:
    page = tabulate(card, features)
    assert page.factors[0] == ("Corroborated anti-social behaviour by this person in 183 days", (
        ("at least 3 incidents", 6, "5%"), ("at least 1 incident and under 3 incidents", 3, "10%"),
        ("under 1 incident", 0, "83%"),
        ("corroborated anti-social behaviour by this person in 183 days is not known", 1, "2%")))
    assert page.scores[-1] == (6, 7, "of 100 people with this score, about 55 (between 50 and 60)")
    assert {said for _, _, said in tabulate(replace(card, licence="rank"), features).scores} == {"not licensed to say"}
