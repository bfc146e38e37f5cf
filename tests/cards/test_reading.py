"""A card is read whole or refused with every mistake, by file and line; a pack lets in none that breaks its rules."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine.admission import admit_cards, check_card
from engine.card import read_card, read_cards
from engine.condition import names_in
from engine.errors import RuleError
from engine.feature import Measure
from engine.forbid import find_forbidden_points, read_forbidden
from engine.licence import licence_for
from engine.pack import Pack
from engine.rule import Axis
from engine.schema import Subject

from .made import GOOD, a_card, write_card


def test_a_good_card_says_what_its_file_says(tmp_path: Path) -> None:
    card = a_card(tmp_path)
    assert (card.name, card.subject, card.axis, card.licence) == ("person_harm_v1", "person", "harm", "probability")
    assert [(factor.fact, factor.least, factor.most) for factor in card.factors] == [
        ("asb_subject_ev2_183d", 0, 6), ("tenure", 0, 1), ("isolated", -2, 0)]
    assert (card.least, card.most) == (-2, 7)
    assert card.reads == ("age", "asb_subject_ev2_183d", "tenure", "isolated", "asb_subject_ev2_365d")
    assert card.row_of(4).probability == 0.31
    assert card.factors[0].typical == pytest.approx(6 * 0.05 + 3 * 0.10 + 1 * 0.02)


MISSING = '      - {when: "asb_subject_ev2_183d is missing", points: 1, share: 0.02}\n'
ELSE = '      - {when: {not: {any: ["tenure in [council]", "tenure is missing"]}}, points: 0, share: 0.6}\n'

#   what is wrong            how it came about                                           what is said
BROKEN: dict[str, tuple[tuple[tuple[str, str], ...], str]] = {
    "a gap at the edge": (
        (('"asb_subject_ev2_183d >= 3"', '"asb_subject_ev2_183d > 3"'),), "card.yaml:14: no bin .* holds 3"),
    "a gap between whole numbers": (
        (('"asb_subject_ev2_183d < 3"', '"asb_subject_ev2_183d <= 2"'),), "no bin .* holds 2.5"),
    "a gap below": (
        (('when: "asb_subject_ev2_183d < 1"', 'when: {all: [asb_subject_ev2_183d < 1, asb_subject_ev2_183d >= 0]}'),),
        "no bin .* holds -1"),
    "an overlap": ((('"asb_subject_ev2_183d < 3"', '"asb_subject_ev2_183d <= 3"'),), "more than one bin .* holds 3"),
    "no place for what is missing": (
        ((MISSING, ""), ("share: 0.83", "share: 0.85")), "last bin of `asb_subject_ev2_183d` is not for what is miss"),
    "what is missing stands first": (
        ((MISSING, ""), ("    range: [0, 40]\n    bins:\n", f"    range: [0, 40]\n    bins:\n{MISSING}")),
        "is not for what is missing"),
    "the missing bin takes a value too": (
        (("asb_subject_ev2_183d < 1", "asb_subject_ev2_183d < 0"), ('when: "asb_subject_ev2_183d is missing"',
         'when: {any: ["asb_subject_ev2_183d is missing", "asb_subject_ev2_183d == 0"]}')), "and nowhere else"),
    "a word nobody thought of": (((ELSE, ""), ("share: 0.3}", "share: 0.9}")), "no bin of `tenure` holds council"),
    "half of a truth": (
        (("      - {when: isolated is true, points: -2, share: 0.1}\n", ""), ("share: 0.8}", "share: 0.9}"),
         ("from: -2", "from: 0")), "no bin of `isolated` holds True"),
    "values of two kinds": (
        (('"tenure in [council]", points', '"tenure in [council, 3]", points'),), "values of several kinds"),
    "words by size": ((('"tenure in [council]", points', '"tenure >= council", points'),), "with a word by size"),
    "another fact": ((('"asb_subject_ev2_183d < 1"', '"age < 1"'),), "reads age"),
    "a rule's outcome": (
        (('when: "asb_subject_ev2_183d < 1"', "when: {rule: person/repeat}"),), "holds Outcome.*\n.*\n.*never what"),
    "too many points": ((("points: 6", "points: 11"),), "points.*less than or equal to 10"),
    "half points": ((("points: 6", "points: 5.5"),), "valid integer"),
    "shares that are no shares": ((("share: 0.83", "share: 0.38"),), "add up to 0.55"),
    "a row missing": ((("from: 4, to: 5", "from: 5, to: 5"),), "from 5, after a row to 3"),
    "rows that overlap": ((("from: 4, to: 5", "from: 3, to: 5"),), "from 3, after a row to 3"),
    "the table ends too early": ((("from: 6, to: 7", "from: 6, to: 6"),), "highest row ends at 6"),
    "the table begins too late": ((("from: -2", "from: -1"),), "lowest row begins at -1"),
    "a chance that falls": ((("probability: 0.31, low: 0.27", "probability: 0.11, low: 0.1"),), "0.11, after 0.2"),
    "a chance outside its interval": ((("low: 0.27", "low: 0.33"),), "low 0.33, probability 0.31"),
    "a chance above one": ((("high: 0.6", "high: 1.6"),), "high.*less than or equal to 1"),
    "bands upside down": ((("watch: 0.15", "watch: 0.45"),), "`bands` at 0.5, 0.3, 0.45"),
    "an axis of nobody": ((("subject: person", "subject: null"),), "subject None with axis harm"),
    "a range upside down": ((("[0, 40]", "[40, 0]"),), r"range \[40.0, 0.0\]"),
    "a key nobody knows": ((("outcome:", "weight: 3\noutcome:"),), "weight"),
    "a chance from too few events": ((("events: 830", "events: 249"),), "licence `probability`.* 12000 rows and 249"),
    "a chance from too few rows": ((("rows: 12000", "rows: 2499"),), "licence `probability`, and 2499 rows"),
    "a chance from nobody knows what": (
        (("fitted: {rows: 12000, events: 830, from", "fitted: {from"),), "does not say how many rows"),
    "applies asks a rule": ((("applies: age >= 10", "applies: {rule: person/repeat}"),), "`applies` reads more than"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_card_that_does_not_hold_together_gives_helpful_error(what: str, tmp_path: Path) -> None:
    changes, said = BROKEN[what]
    with pytest.raises(RuleError, match=said) as caught:
        a_card(tmp_path, *changes)
    assert all(str(tmp_path / "card.yaml:") in problem.where for problem in caught.value.problems)


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(RuleError) as caught:
        a_card(tmp_path, ("asb_subject_ev2_183d >= 3", "asb_subject_ev2_183d > 3"),
               ("from: 4, to: 5", "from: 5, to: 5"), ("watch: 0.15", "watch: 0.45"), ("low: 0.5", "low: 0.59"))
    assert [problem.where.rsplit(":", 1)[1] for problem in caught.value.problems] == ["12", "14", "34", "35"]


def test_a_fact_is_asked_once(tmp_path: Path) -> None:
    first = GOOD[GOOD.index("  - fact: isolated"):GOOD.index("scores:")]
    with pytest.raises(RuleError, match="`isolated` is asked twice"):
        a_card(tmp_path, (first, first + first), ("from: -2", "from: -4"))


def test_more_than_twelve_factors_are_refused(tmp_path: Path) -> None:
    factor = "  - fact: f{0}\n    bins:\n      - {{when: f{0} is known, points: 0, share: 1}}\n" \
             "      - {{when: f{0} is missing, points: 0, share: 0}}\n"
    text = "card: long\nfactors:\n{}scores:\n  - {{from: 0, to: 0, probability: 0, low: 0, high: 0, rows: 0}}\n"
    twelve = write_card(tmp_path, text=text.format("".join(factor.format(n) for n in range(12))))
    assert len(read_card(twelve).factors) == 12
    thirteen = write_card(tmp_path, text=text.format("".join(factor.format(n) for n in range(13))))
    with pytest.raises(RuleError, match=r"`factors`.*at most 12"):
        read_card(thirteen)


def test_cards_of_a_folder_are_read_by_name_and_none_twice(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD.replace("person_harm_v1", "second"), encoding="utf-8")
    (tmp_path / "b.yaml").write_text(GOOD.replace("person_harm_v1", "first"), encoding="utf-8")
    assert [card.name for card in read_cards(tmp_path)] == ["first", "second"]
    (tmp_path / "c.yaml").write_text(GOOD.replace("person_harm_v1", "first"), encoding="utf-8")
    with pytest.raises(RuleError, match="card `first` is given twice"):
        read_cards(tmp_path)


@pytest.mark.parametrize(("rows", "events", "licence"), [
    (499, 400, "silent"), (500, 400, "rank"), (2_499, 900, "rank"), (2_500, 249, "rank"), (2_500, 250, "probability")])
def test_what_a_card_may_say_depends_on_what_it_has_seen(rows: int, events: int, licence: str) -> None:
    assert licence_for(rows, events) == licence


# --- what a pack lets in ------------------------------------------------------------------------

#   who is refused, by which entries: the fact that stands in for `asb_subject_ev2_183d`, and other changes
SUFFERED = (("axis: harm", "axis: vulnerability"),)
FORBIDDEN: dict[str, tuple[str, str, tuple[tuple[str, str], ...]]] = {
    "what was done to a person counted as what they did": ("F-07 F-23", "asb_victim_365d", ()),
    "a child under ten": ("F-16", "asb_subject_ev2_183d", (("applies: age >= 10\n", ""),)),
    "the young, as trouble": ("F-22 F-23", "age", ()),
    "the old, as victims": ("F-22", "age", SUFFERED),
    "who owes rent, as a danger": ("F-23", "arrears_weeks", ()),
    "who stayed away from school, as a danger": ("F-22 F-23", "school_absence_270d", ()),
    "what somebody did, towards what they suffer": ("F-24", "asb_subject_ev2_183d", SUFFERED),
}
NO_TENURE = (GOOD[GOOD.index("  - fact: tenure"):GOOD.index("scores:")], ""), ("from: -2", "from: 0")


@pytest.mark.parametrize("who", FORBIDDEN)
def test_a_card_is_refused_what_a_rule_is_refused(who: str, shipped: Pack, tmp_path: Path) -> None:
    entry, fact, changes = FORBIDDEN[who]
    text = GOOD.replace("asb_subject_ev2_183d", fact)
    path = write_card(tmp_path, *NO_TENURE, *changes, text=text)
    problems = check_card(read_card(path), shipped)
    assert problems, who
    assert " ".join(sorted({problem.found.split()[0] for problem in problems})) == entry
    assert all(problem.where.startswith(f"{path}:") for problem in problems)


@pytest.mark.parametrize(("fact", "axis", "subject", "entries"), [
    ("need_ld", "vulnerability", "person", ["F-22"]), ("need_yp1617", "vulnerability", "person", ["F-22"]),
    ("sen_support_365d", "vulnerability", "person", ["F-22"]), ("young_carer_365d", "harm", "person", ["F-22", "F-23"]),
    ("suspensions_365d", "vulnerability", "person", ["F-22"]), ("youth_justice_open", "harm", "person", ["F-22"]),
    ("wheelchair", "harm", "person", ["F-22", "F-23"]), ("applicant_need_mh", "process", "allocation", ["F-22"]),
    ("mappa", "vulnerability", "person", ["F-24"]), ("mappa", "harm", "person", []),
    ("needs_count", "vulnerability", "person", []), ("property_min_age", "process", "allocation", [])])
def test_what_rules_may_ask_and_no_card_may_count(
    fact: str, axis: Axis, subject: Subject, entries: list[str], shipped: Pack
) -> None:
    forbidden = read_forbidden(shipped.folder / "forbidden.yaml", [])
    found = find_forbidden_points(fact, axis, subject, "card.yaml:9", shipped.features, forbidden)
    assert [problem.found.split()[0] for problem in found] == entries


def test_a_rule_may_ask_an_age_where_no_card_may_give_points_for_it(shipped: Pack) -> None:
    asked = [rule.id for rule in shipped.rules.values() if rule.subject == "person" and "age" in names_in(rule.when)]
    assert "person/adult-targeted-by-community" in asked
    assert {"F-22", "F-23", "F-24"} == {entry.id for entry in read_forbidden(shipped.folder / "forbidden.yaml", [])
                                        if entry.on_cards}


def test_suffering_may_count_on_the_vulnerability_axis(shipped: Pack, tmp_path: Path) -> None:
    text = GOOD.replace("asb_subject_ev2_183d", "asb_victim_365d").replace("axis: harm", "axis: vulnerability")
    assert check_card(read_card(write_card(tmp_path, *NO_TENURE, text=text)), shipped) == []


def test_a_protected_characteristic_is_refused_on_every_axis(shipped: Pack, tmp_path: Path) -> None:
    """The fact does not even exist here, so a pack is given one, as a careless author would."""
    born = replace(shipped.features["person.age"], name="country_of_birth", declared="country_of_birth")
    careless = replace(shipped, features={**shipped.features, "person.country_of_birth": born})
    for axis in ("harm", "vulnerability"):
        text = GOOD.replace("asb_subject_ev2_183d", "country_of_birth").replace("axis: harm", f"axis: {axis}")
        problems = check_card(read_card(write_card(tmp_path, *NO_TENURE, text=text)), careless)
        assert {problem.found.split()[0] for problem in problems} - {"F-23"} == {"F-01"}


def test_facts_must_exist_and_be_of_the_right_kind(shipped: Pack, tmp_path: Path) -> None:
    unknown = GOOD.replace("asb_subject_ev2_183d", "asb_subject_ev2_184d")
    found = check_card(read_card(write_card(tmp_path, *NO_TENURE, text=unknown)), shipped)
    assert any("unknown name `asb_subject_ev2_184d`" in p.found and "asb_subject_ev2_183d" in p.allowed for p in found)


def test_a_distance_that_is_held_back_cannot_earn_points(shipped: Pack, tmp_path: Path) -> None:
    near = replace(shipped.features["person.asb_subject_ev2_183d"], measure=Measure("nearest"), sensitivity="special")
    guarded = replace(shipped, features={**shipped.features, "person.asb_subject_ev2_183d": near})
    problems = check_card(read_card(write_card(tmp_path, *NO_TENURE)), guarded)
    assert [p.found for p in problems] == ["`asb_subject_ev2_183d` is held back, and its points would tell it"]


def test_a_card_about_nobody_is_no_card_for_a_run(shipped: Pack, tmp_path: Path) -> None:
    card = a_card(tmp_path, ("subject: person", "subject: null"), ("axis: harm", "axis: null"))
    assert [problem.found for problem in check_card(card, shipped)] == ["card `person_harm_v1` is about no subject"]


def test_admission_raises_once_for_a_folder_and_leaves_retired_cards_out(shipped: Pack, tmp_path: Path) -> None:
    write_card(tmp_path, *NO_TENURE)
    assert [card.name for card in admit_cards(tmp_path, shipped)] == ["person_harm_v1"]
    write_card(tmp_path, *NO_TENURE, text=GOOD.replace("asb_subject_ev2_183d", "asb_victim_365d"))
    with pytest.raises(RuleError, match="F-07"):
        admit_cards(tmp_path, shipped)
    write_card(tmp_path, ("status: trial", "status: retired"))
    assert admit_cards(tmp_path, shipped) == ()
