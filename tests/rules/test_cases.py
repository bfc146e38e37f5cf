"""Every case beside a rule comes out as it says; and a case that says something else is told so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.cases import OUTCOMES, RuleCase, read_all_cases, read_cases, run_case, run_cases
from engine.errors import RuleError
from engine.pack import Pack

RULES = Path(__file__).parents[2] / "rules"
CASES, UNREADABLE = read_all_cases(RULES)


@pytest.mark.parametrize("case", CASES, ids=[f"{case.rule}: {case.name}" for case in CASES])
def test_a_rule_does_what_its_case_says(shipped: Pack, case: RuleCase) -> None:
    assert [str(problem) for problem in run_case(case, shipped)] == []


def test_every_rule_is_shown_firing_not_firing_and_unable_to_tell(shipped: Pack) -> None:
    assert UNREADABLE == []
    for rule in shipped.rules:
        assert {case.expect for case in CASES if case.rule == rule} == set(OUTCOMES), rule


def test_the_shipped_pack_has_nothing_wrong_with_its_cases(shipped: Pack) -> None:
    assert run_cases(shipped) == []


def test_what_all_cases_share_is_merged_under_each(tmp_path: Path) -> None:
    path = tmp_path / "x.test.yaml"
    path.write_text("background: {age: 34, isolated: true}\ncases:\n"
                    "  - {name: one, given: {age: 9}, expect: fires}\n"
                    "  - {name: two, given: {age: null}, expect: cannot_tell, missing: [age]}\n"
                    "  - {name: three, expect: fires}\n", encoding="utf-8")
    assert [case.given for case in read_cases(path)] == [
        {"age": 9, "isolated": True}, {"age": None, "isolated": True}, {"age": 34, "isolated": True}]


# --- made-up cases of shipped rules -----------------------------------------------------------------

FOLLOWS = "person/subject-with-unmet-needs"        # reads the outcome of:
FOLLOWED = "person/corroborated-repeat-asb"
PATTERN = {"age": 34, "asb_subject_ev2_183d": 3, "asb_subject_reporters_183d": 2, "asb_subject_top_share_183d": 0.5}
NEEDS = {"needs_count": 2, "support_package": False}


def case(rule: str, given: dict[str, Any], expect: str, *missing: str, **other: Any) -> RuleCase:
    return RuleCase(rule, "a made-up case", given, other.get("related", {}), other.get("outcomes", {}),
                    expect, frozenset(missing), "made/up.test.yaml:1")


def said_of(a_case: RuleCase, pack: Pack) -> str:
    return "\n".join(str(problem) for problem in run_case(a_case, pack))


def test_a_rule_that_follows_from_another_is_judged_on_the_same_facts(shipped: Pack) -> None:
    assert said_of(case(FOLLOWS, PATTERN | NEEDS, "fires"), shipped) == ""
    assert said_of(case(FOLLOWS, PATTERN | NEEDS | {"age": 9}, "does_not_fire"), shipped) == ""


def test_an_outcome_that_is_given_goes_before_the_facts(shipped: Pack) -> None:
    assert said_of(case(FOLLOWS, NEEDS, "fires", outcomes={FOLLOWED: True}), shipped) == ""
    assert said_of(case(FOLLOWS, PATTERN | NEEDS, "does_not_fire", outcomes={FOLLOWED: False}), shipped) == ""
    assert said_of(case(FOLLOWS, NEEDS, "cannot_tell", FOLLOWED, outcomes={FOLLOWED: None}), shipped) == ""


def test_what_the_other_rule_is_waiting_for_is_missing_here_too(shipped: Pack) -> None:
    unclear = PATTERN | NEEDS | {"age": None}
    assert said_of(case(FOLLOWS, unclear, "cannot_tell", "age"), shipped) == ""


def test_records_of_a_late_feed_are_missing_by_the_name_of_their_table(shipped: Pack) -> None:
    rule, given = "person/high-harm-with-protected-person", {"age": 37, "cchi_subject_365d": 365}
    assert said_of(case(rule, given, "cannot_tell", "orders"), shipped) == ""
    assert said_of(case(rule, given, "cannot_tell", "orders", related={"orders": None}), shipped) == ""
    assert said_of(case(rule, given, "cannot_tell", "orders", related={"orders": [{"current": True}]}), shipped) == ""
    assert said_of(case(rule, given, "does_not_fire", related={"orders": []}), shipped) == ""


WRONG: dict[str, tuple[RuleCase, str]] = {
    "it does not fire": (case(FOLLOWS, PATTERN | NEEDS | {"needs_count": 1}, "fires"),
                         "made/up.test.yaml:1: “a made-up case”: does not fire\n    allowed: fires, as the case says"),
    "it cannot tell": (case(FOLLOWS, PATTERN, "fires"), "cannot tell, for want of needs_count, support_package"),
    "another fact is missing": (case(FOLLOWS, PATTERN | {"needs_count": 2}, "cannot_tell", "needs_count"),
                                "cannot tell, for want of support_package\n    allowed: missing: .support_package."),
    "a fact misspelt": (case(FOLLOWS, PATTERN | {"need_count": 2}, "fires"),
                        "unknown name `need_count` in what .*\n.*did you mean needs_count"),
    "a fact of another kind": (case(FOLLOWS, PATTERN | {"needs_count": "two"}, "fires"),
                               "`needs_count` is a number, compared with `two`"),
    "a word no such fact has": (
        case("place/emerging", {"level": "road"}, "fires"),
        "`level` is never `road`.*\n.*street"),
    "records the rule does not read": (case(FOLLOWS, PATTERN, "fires", related={"orders": []}), "records of `orders`"),
    "a column no record has": (
        case("person/high-harm-with-protected-person", {}, "fires", related={"orders": [{"protected": 1}]}),
        "unknown name `protected` in orders.*\n.*did you mean protected_persons"),
    "a rule it does not follow from": (case(FOLLOWS, PATTERN, "fires", outcomes={"person/hate-victim": True}),
                                       "an outcome of `person/hate-victim`.*\n.*person/corroborated-repeat-asb"),
    "no such rule": (case("person/nobody", {}, "fires"), "cases for `person/nobody`, which is not a rule"),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_a_case_that_does_not_hold_gives_helpful_error(shipped: Pack, mistake: str) -> None:
    wrong, said = WRONG[mistake]
    with pytest.raises(RuleError, match=f"(?s){said}"):
        raise RuleError(run_case(wrong, shipped))


FILES = {
    "no cases": ("background: {age: 3}\n", "bad.test.yaml:1: no cases.*a list of one or more"),
    "an empty list": ("cases: []\n", "bad.test.yaml:1: no cases"),
    "another key": (
        "case: []\ncases: [{name: a, expect: fires}]\n",
        "bad.test.yaml:1: unknown key `case`.*background, cases"),
    "a case of one word": ("cases:\n  - fires\n", "`fires` is not a case"),
    "a misspelt key": (
        "cases:\n  - {name: a, givn: {}, expect: fires}\n",
        "bad.test.yaml:2: unknown key `givn`.*given"),
    "no name": ("cases:\n  - {expect: fires}\n", "bad.test.yaml:2: a case without a name"),
    "another outcome": ("cases:\n  - {name: a, expect: maybe}\n", "expect `maybe`.*fires, does_not_fire, cannot_tell"),
    "an outcome left out": ("cases:\n  - {name: a}\n", "expect `None`"),
    "outcomes in a list": ("cases:\n  - {name: a, expect: [fires]}\n", "expect `.'fires'.`"),
    "cannot tell, and not why": (
        "cases:\n  - {name: a, expect: cannot_tell}\n",
        "expect cannot_tell with missing `None`"),
    "fires, with something missing": (
        "cases:\n  - {name: a, expect: fires, missing: [age]}\n",
        "expect fires with missing"),
    "facts in a list": ("cases:\n  - {name: a, expect: fires, given: [age]}\n", "`given` is not a mapping"),
    "missing in one word": ("cases:\n  - {name: a, expect: cannot_tell, missing: age}\n", "missing `age`.*a list"),
    "an outcome of a rule": (
        "cases:\n  - {name: a, expect: fires, rules: {person/a: yes}}\n",
        "`person/a: yes`.*fires"),
    "a record that is none": ("cases:\n  - {name: a, expect: fires, related: {orders: {live: true}}}\n",
                              "`orders` is not a list of records"),
    "a name twice": ("cases:\n  - {name: a, expect: fires}\n  - {name: a, expect: fires}\n",
                     "bad.test.yaml:3: “a” names two cases.*see .*bad.test.yaml:2"),
    "a background of one word": (
        "background: none\ncases: [{name: a, expect: fires}]\n",
        "`background` is not a mapping"),
}


@pytest.mark.parametrize("mistake", FILES)
def test_a_file_of_cases_that_cannot_be_read_gives_helpful_error(tmp_path: Path, mistake: str) -> None:
    text, said = FILES[mistake]
    (tmp_path / "bad.test.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(RuleError, match=f"(?s){said}"):
        read_cases(tmp_path / "bad.test.yaml")


def test_all_that_is_wrong_with_the_cases_is_told_at_once(own: Any) -> None:
    (own.folder / "person" / "hate-victim.test.yaml").unlink()
    own.write("person/nobody.test.yaml", "cases: [{name: a, expect: fires}]\n")
    own.write("place/emerging.test.yaml", "cases: [\n")
    own.change("person/case-review-threshold.test.yaml", "{asb_victim_related_183d: 2}", "{asb_victim_related_183d: 3}")

    told = [str(problem) for problem in run_cases(own.read())]

    assert len(told) == 4
    assert "person/case-review-threshold.test.yaml:5: “Two related reports do not”: fires" in told[0]
    assert "hate-victim.test.yaml:1: no case of person/hate-victim shows: fires, does_not_fire, cannot_tell" in told[1]
    assert "person/nobody.test.yaml:1: cases for `person/nobody`" in told[2]
    assert "place/emerging.test.yaml:2: not YAML" in told[3]
