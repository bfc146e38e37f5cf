"""What the reasoner refuses, in words that name the rule or the fact and never what a person's fact is."""

from __future__ import annotations

import math
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from engine.condition import All, Any_, AtLeast, Compare, Condition, Exists, Known, Not, Outcome
from engine.errors import RuleError, RunError
from engine.evaluate import Case
from engine.reasoning import compile_pack

from .made import a_rule, judge_twice, rules_of

THRESHOLDS: dict[str, Any] = {"number": 3, "boolean": True, "text": "council", "date": date(2026, 11, 23)}


@pytest.mark.parametrize(("kind", "value", "said"), [
    ("number", math.nan, "not finite"), ("number", math.inf, "not finite"), ("number", -math.inf, "not finite"),
    ("number", 2**63, "too large"), ("number", 1e300, "too large"), ("number", 10**400, "too large"),
    ("number", "10", "not a number: str"),
    ("number", True, "not a number: bool"), ("number", Decimal("987.5"), "not a number: Decimal"),
    ("number", date(2026, 1, 1), "not a number: date"),
    ("boolean", 1, "not a boolean: int"), ("boolean", "true", "not a boolean: str"),
    ("text", 987, "not a text: int"), ("text", "\ud800", "cannot be handed over"),
    ("text", "x" * 20_000, "cannot be handed over"),
    ("date", datetime(2026, 1, 1, 9), "not a date: datetime"), ("date", "2026-01-01", "not a date: str"),
    ("number", [987], "not a number: list"),
])
def test_a_fact_of_another_kind_than_its_rules_expect_is_refused(kind: str, value: Any, said: str) -> None:
    where = Compare("tenure", "==", THRESHOLDS[kind])
    block = Exists("orders", where)
    reasoner = compile_pack(rules_of(Any_((where, block))))
    with pytest.raises(RunError, match=f"tenure: .*{said}") as caught:
        reasoner.reason(Case({"tenure": value}, {}, {block: []}))
    with pytest.raises(RunError, match=f"orders.tenure: .*{said}"):
        reasoner.reason(Case({}, {}, {block: [{"tenure": value}]}))
    assert "987" not in str(caught.value)
    assert reasoner.reason(Case({"tenure": THRESHOLDS[kind]}, {}, {block: []})).fired, "and the next case is judged"


def test_every_fact_that_is_wrong_is_named_at_once() -> None:
    reasoner = compile_pack(rules_of(Compare("age", ">", 1), Compare("isolated", "==", True)))
    with pytest.raises(RunError) as caught:
        reasoner.reason(Case({"age": "forty", "isolated": "yes"}))
    assert [problem.where for problem in caught.value.problems] == ["age", "isolated"]


def test_a_fact_only_asked_whether_it_is_known_may_be_anything() -> None:
    rules = rules_of(Known("anything"), Not(Known("anything")))
    values: list[Any] = [math.nan, [], {}, "\ud800", datetime(2026, 1, 1), 0, False, "", None]
    for value in values:
        judge_twice(rules, Case({"anything": value}))


def test_an_outcome_must_be_true_false_or_not_known() -> None:
    reasoner = compile_pack(rules_of(Outcome("person/other")))
    with pytest.raises(RunError, match="person/other: an outcome that is a str"):
        reasoner.reason(Case({}, {"person/other": "fires"}))  # type: ignore[dict-item]


@pytest.mark.parametrize(("when", "said"), [
    (Compare("tenure", ">=", "council"), "tenure: text compared by >="),
    (Not(Compare("tenure", "<", "council")), "tenure: text compared by <"),
    (Compare("tenure", "in", ("council", 3)), "tenure: compared with values of different kinds"),
    (All((Compare("tenure", "==", "council"), Compare("tenure", "==", 3))), "tenure: compared as text and as number"),
    (Exists("orders", All((Compare("live", "==", True), Compare("live", ">", 1)))), "live: compared as boolean and as"),
    (Compare("x", ">", math.inf), "x: compared with a number that is not finite"),
    (Compare("x", ">", 2**70), "x: compared with a number too large"),
    (Outcome("person/r0"), "person/r0: follows from itself: person/r0 <- person/r0"),
    (Exists("orders", AtLeast(5, tuple((1, Compare(f"x{n}", "==", 1)) for n in range(12)))), "too many sets of parts"),
    (Exists("orders", All(tuple(Compare(f"x{n}", "in", (1, 2, 3)) for n in range(4)))), "too many ways"),
])
def test_a_rule_the_reasoner_cannot_follow_is_refused_by_file_and_line(when: Condition, said: str) -> None:
    with pytest.raises(RuleError, match=f"rules/person/r0.yaml:1: .*{said}"):
        compile_pack(rules_of(when))


def test_rules_that_run_in_a_circle_are_refused_even_through_an_opposite_and_a_part() -> None:
    parts: list[Condition] = [*(Compare(f"x{n}", "==", 1) for n in range(8)), Not(Outcome("person/one"))]
    many = AtLeast(3, tuple((1, part) for part in parts))
    with pytest.raises(RuleError, match="follows from itself"):
        compile_pack([a_rule("person/one", Outcome("person/two")), a_rule("person/two", many)])


def test_a_mistake_is_laid_at_the_rule_it_is_in_not_at_one_that_follows_from_it() -> None:
    wrong = a_rule("person/two", Compare("tenure", ">", "council"))
    with pytest.raises(RuleError) as caught:
        compile_pack([a_rule("person/one", Not(Outcome("person/two"))), wrong])
    assert [problem.where for problem in caught.value.problems] == ["rules/person/two.yaml:1: tenure"]


def test_no_rules_fire_nothing() -> None:
    assert compile_pack([]).reason(Case({"x": 1})).fired == frozenset()
