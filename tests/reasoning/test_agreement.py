"""The reasoner and the evaluator must say the same of every case; where they do not, it must be heard."""

from __future__ import annotations

from collections import Counter
from datetime import date
from itertools import product
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import plan, ways
from engine.condition import All, Any_, AtLeast, Compare, Condition, Exists, Known, Not, Outcome
from engine.errors import RunError
from engine.evaluate import Case, evaluate
from engine.reasoning import compile_pack, cross_check

from ..language.trees import VALUES
from .made import a_rule, fired, judge_by_hand, judge_twice, make_case, make_rules, rules_of

A, B, C, D = (Compare(name, "==", True) for name in "abcd")
OPERATORS: list[Any] = ["==", "!=", ">=", ">", "<=", "<"]
STATES = (True, False, None)


def agree_at_random(packs: int, cases: int, seed: int, depth: int = 4) -> Counter[str]:
    """How often rules fired and joined records, all agreed upon, and how often each way of reasoning was needed."""
    random, seen = Random(seed), Counter[str]()
    for _ in range(packs):
        rules = make_rules(random, random.randint(2, 5), depth)
        drawn = plan.draw_plan(rules)
        seen.update(parts=len(drawn.parts), chains=len(drawn.chains), given=len(drawn.given),
                    counted=sum(line.enough is not None for line in drawn.lines),
                    follow=sum(bool(line.reads & {*drawn.rules.values()}) for line in drawn.lines))
        for _ in range(cases):
            reasoned, steps = judge_twice(rules, make_case(random, rules))
            seen.update(pairs=1, fired=len(reasoned.fired), did_not=len(steps) - len(reasoned.fired),
                        joined=len(reasoned.joined))
    return seen


def test_both_agree_on_a_thousand_random_packs_and_cases() -> None:
    seen = agree_at_random(packs=100, cases=10, seed=20261123)
    assert seen["pairs"] == 1_000
    assert min(seen["fired"], seen["did_not"]) > 1_000
    assert min(seen[way] for way in ("joined", "parts", "chains", "given", "counted", "follow")) >= 10, seen


@pytest.mark.more
def test_both_agree_on_ten_thousand_random_packs_and_cases() -> None:
    seen = agree_at_random(packs=250, cases=40, seed=5)
    print(dict(seen))
    assert seen["pairs"] == 10_000


@settings(derandomize=True, max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.randoms(use_true_random=False))
def test_both_agree_on_whatever_is_made_up(random: Random) -> None:
    rules = make_rules(random, 2, depth=2)
    for _ in range(4):
        judge_twice(rules, make_case(random, rules, missing=0.4))


# --- one fact -----------------------------------------------------------------------------------

SMALL_AND_LARGE = [0, -0.0, 1e-05, 0.00001, 1.5e-07, 1e-300, 5e-324, -1e-05, 9.999999999999999e-06, 1e16, 1e15, 2.0**62,
                   2**53, 2**53 + 1, 2.0**53, 2**63 - 1, -(2**63) + 1, 0.1 + 0.2, 0.3, 123456789.123456789]


def test_numbers_of_every_size_are_compared_exactly() -> None:
    rules = rules_of(*(Compare("x", operator, value) for operator in OPERATORS for value in SMALL_AND_LARGE))
    for value in SMALL_AND_LARGE:
        judge_twice(rules, Case({"x": value}))


@pytest.mark.parametrize("kind", VALUES)
def test_every_value_is_compared_with_every_threshold_of_its_kind(kind: str) -> None:
    operators = OPERATORS[:2] if kind == "text" else OPERATORS
    clauses: list[Condition] = [Compare("x", operator, value) for operator in operators for value in VALUES[kind]]
    clauses += [Compare("x", "in", tuple(VALUES[kind][:2])), Compare("x", "not in", tuple(VALUES[kind][:2]))]
    rules = rules_of(*clauses, *(Not(when) for when in clauses), Known("x"), Not(Known("x")))
    for value in [*VALUES[kind], None]:
        judge_twice(rules, Case({"x": value}))


@pytest.mark.parametrize("name", ["id", "sid", "m", "s", "_case", "_key", "_n", "all", "run"])
def test_a_fact_may_have_any_name_even_one_durable_rules_keeps_for_itself(name: str) -> None:
    block = Exists("orders", Compare(name, "==", "here"))
    assert fired(All((Compare(name, "==", "here"), block)), Case({name: "here"}, {}, {block: [{name: "here"}]}))
    assert not fired(All((Compare(name, "==", "here"), block)), Case({name: "here"}, {}, {block: [{name: "there"}]}))


# --- several ------------------------------------------------------------------------------------


@pytest.mark.parametrize("points", range(-1, 10))
def test_points_are_reached_or_out_of_reach_whatever_is_known(points: int) -> None:
    few = AtLeast(points, ((2, A), (1, B), (3, C), (1, D)))
    many = AtLeast(points, tuple((1 + n % 2, Compare(f"x{n}", ">=", 3)) for n in range(9)))
    rules = rules_of(few, Not(few), many, Not(many), All((Not(few), Any_((A, many)))))
    random = Random(points)
    for states in product(STATES, repeat=4):
        rest = {f"x{n}": random.choice([2, 3, None]) for n in range(9)}
        judge_twice(rules, Case(dict(zip("abcd", states, strict=True)) | rest))


def test_many_choices_at_once_are_too_many_to_write_out_and_still_right() -> None:
    wide = All(tuple(Any_(tuple(Compare(f"x{n}", "==", m) for m in range(n, n + 4))) for n in range(5)))
    rules, random = rules_of(wide, Not(wide), Not(Not(wide))), Random(1)
    for _ in range(60):
        judge_twice(rules, Case({f"x{n}": random.choice([*range(n, n + 5), None]) for n in range(5)}))


def test_a_rule_follows_from_another_and_from_one_that_surely_does_not_hold() -> None:
    rules = [a_rule("person/first", A), a_rule("person/second", All((Outcome("person/first"), B))),
             a_rule("person/third", All((Not(Outcome("person/second")), C)))]
    for states in product(STATES, repeat=3):
        case = Case(dict(zip("abc", states, strict=True)))
        assert judge_twice(rules, case)[0] == compile_pack(rules[::-1]).reason(case)


def test_the_outcome_of_a_rule_not_in_the_pack_is_taken_from_the_case() -> None:
    other = Outcome("person/other")
    rules = rules_of(other, Not(other), Any_((other, Not(other))))
    for state in STATES:
        judge_twice(rules, Case({}, {"person/other": state}))
    judge_twice(rules, Case({}))


# --- related records -----------------------------------------------------------------------------

LIVE = Exists("orders", All((Compare("current", "==", True), Compare("protects", ">", 0))))
NEAR = Exists("places", Any_((Compare("metres", "<", 500), Compare("kind", "in", ("home", "work")))))


def test_some_record_no_record_and_records_not_come_are_told_apart() -> None:
    rules = rules_of(LIVE, Not(LIVE), All((LIVE, Not(NEAR))), Any_((LIVE, NEAR)), All((LIVE, NEAR)))
    rows = [{"current": c, "protects": p} for c, p in product(STATES, (0, 1, None))]
    lists: list[Any] = [None, [], *([row] for row in rows), *product(rows, repeat=2)]
    for orders in lists:
        for places in (None, [], [{"metres": 400}], [{"metres": 600, "kind": "school"}], [{"metres": None}]):
            judge_twice(rules, Case({}, {}, {LIVE: orders, NEAR: places}))


def test_one_record_may_meet_two_blocks_but_two_records_do_not_meet_one_condition() -> None:
    one, two = Exists("orders", Compare("current", "==", True)), Exists("orders", Compare("protects", ">", 0))
    rows = [{"current": True, "protects": 0}, {"current": False, "protects": 2}]
    related = {one: rows, two: rows, LIVE: rows}
    assert fired(All((one, two)), Case({}, {}, related))
    assert not fired(LIVE, Case({}, {}, related))


def test_the_records_that_made_a_rule_fire_are_handed_back_and_no_others() -> None:
    rules = rules_of(All((A, LIVE)), All((LIVE, NEAR)), Outcome("person/r0"), Not(LIVE))
    first, second, third = ({"record": n, "current": n != 2, "protects": 1} for n in (1, 2, 3))
    home, far = {"record": 4, "metres": 30, "kind": "home"}, {"record": 5, "metres": 900, "kind": "school"}

    reasoned = judge_twice(rules, Case({"a": True}, {}, {LIVE: [first, second, third], NEAR: [far, home]}))[0]

    assert reasoned.joined == {"person/r0": (first, third), "person/r1": (first, third, home)}
    assert reasoned.joined["person/r1"][2] is home
    assert reasoned.fired == {"person/r0", "person/r1", "person/r2"}


def test_a_thousand_records_are_gone_through_one_by_one() -> None:
    rows = [{"current": False, "protects": 1}] * 1_000
    assert fired(Not(LIVE), Case({}, {}, {LIVE: rows}))
    assert not fired(Not(LIVE), Case({}, {}, {LIVE: [*rows, {"current": None, "protects": 1}]}))


@pytest.mark.parametrize("before", range(36, 52, 3))
def test_records_are_gone_through_however_many_rules_come_before(before: int) -> None:
    """The lines that hand on from record to record need each other: they are never shared out over two rulesets."""
    either = Exists("orders", All((Any_((A, B)), Any_((C, D)))))
    rules = rules_of(*(Compare("x", ">", n) for n in range(before)), Not(either))
    no_ab, no_cd = {"a": False, "b": False}, {"c": False, "d": False}
    assert judge_twice(rules, Case({}, {}, {either: [no_ab, no_cd] * 5}))[0].fired == {f"person/r{before}"}


# --- a disagreement is heard ----------------------------------------------------------------------


def test_a_planted_disagreement_stops_the_case_naming_the_rules_and_no_value() -> None:
    rules = rules_of(Compare("age", ">=", 18), Compare("age", "<", 18), Compare("surname", "==", "Okafor"))
    reasoned = compile_pack(rules).reason(Case({"age": 17, "surname": "Okafor"}))
    with pytest.raises(RunError, match="reasoner and evaluator disagree") as caught:
        cross_check(reasoned, judge_by_hand(rules, Case({"age": 18, "surname": "Okafor"})))
    assert [problem.where for problem in caught.value.problems] == ["person/r0", "person/r1"]
    assert "Okafor" not in str(caught.value)
    assert "17" not in str(caught.value)


def test_a_rule_only_one_of_the_two_judged_is_a_disagreement() -> None:
    rules = rules_of(A, B)
    case = Case({"a": True, "b": True})
    with pytest.raises(RunError, match="person/r1"):
        cross_check(compile_pack(rules[:1]).reason(case), judge_by_hand(rules, case))


@pytest.mark.parametrize(("table", "right", "wrong"), [
    (ways._OPPOSITE, ">=", "<="), (ways._OPPOSITE, "==", "=="), (plan._TESTS, ">=", "$gt"), (plan._TESTS, "!=", "$ex"),
    (plan._TESTS, "known", "$nex"), (plan._TESTS, "<", "$lte")])
def test_a_fault_planted_in_the_reasoner_is_caught(
    monkeypatch: pytest.MonkeyPatch, table: dict[str, str], right: str, wrong: str
) -> None:
    asked: list[Condition] = [*(Compare("x", operator, 3) for operator in OPERATORS), Known("x")]
    asked += [Not(when) for when in asked]
    rules = [a_rule(f"person/{right}{wrong}{n}", when) for n, when in enumerate(asked)]
    monkeypatch.setitem(table, right, wrong)
    with pytest.raises(RunError, match="disagree"):
        [judge_twice(rules, Case({"x": value})) for value in (2, 3, 4, None)]


def test_nothing_known_makes_neither_a_condition_nor_its_opposite_fire() -> None:
    when = Any_((A, Compare("seen", ">=", date(2026, 1, 1))))
    assert evaluate(when, Case({})).state is None
    assert not fired(when, Case({}))
    assert not fired(Not(when), Case({}))
