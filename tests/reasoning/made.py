"""Rules and cases made up at random, and each case judged twice: by the evaluator and by the reasoner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from random import Random
from typing import Any

from engine.condition import All, Any_, AtLeast, Compare, Condition, Exists, Not, Outcome, exists_in, names_in, walk
from engine.evaluate import Case, State, Step, evaluate
from engine.reasoning import Reasoned, compile_pack, cross_check
from engine.rule import Rule

from ..language.trees import LATE, ORDERS, PERSON, grow, make_row

THINGS = ("", "applicant", "household", "home", "surroundings")
ELSEWHERE = ("person/judged-elsewhere", "person/never-judged")


def a_rule(rule: str, when: Condition) -> Rule:
    """A rule of which only the condition matters."""
    return Rule(rule, "a rule", "X-01", "person", "process", "data", "because", when, 1, "none", None, (), (), "", "",
                "design", "nobody", date(2027, 1, 1), "live", None, None, None, f"rules/{rule}.yaml:1")


def rules_of(*conditions: Condition) -> list[Rule]:
    """Rules person/r0, person/r1, ... of some conditions."""
    return [a_rule(f"person/r{n}", when) for n, when in enumerate(conditions)]


def judge_by_hand(rules: Sequence[Rule], case: Case) -> dict[str, Step]:
    """The steps of each rule, in an order in which each follows those it reads."""
    steps: dict[str, Step] = {}
    outcomes = dict(case.outcomes)
    for rule in rules:
        steps[rule.id] = evaluate(rule.when, replace(case, outcomes=outcomes))
        outcomes[rule.id] = steps[rule.id].state
    return steps


def judge_twice(rules: Sequence[Rule], case: Case) -> tuple[Reasoned, dict[str, Step]]:
    """Both answers, compared; told as facts about several things, the reasoner must give the same one again."""
    reasoned, steps = compile_pack(rules).reason(case), judge_by_hand(rules, case)
    cross_check(reasoned, steps)
    assert compile_pack(rules, spread(rules)).reason(case) == reasoned
    return reasoned, steps


def spread(rules: Sequence[Rule]) -> dict[str, str]:
    """Some thing for most facts of some rules to be about, drawn by lot, and always the same for the same facts."""
    names = sorted({name for rule in rules for name in names_in(rule.when)})
    random = Random(" ".join(names))
    return {name: random.choice(THINGS) for name in names if random.random() < 0.9}


def fired(when: Condition, case: Case) -> bool:
    """Whether a rule with this condition fires, on which the two agree."""
    return bool(judge_twice(rules_of(when), case)[0].fired)


# --- at random ----------------------------------------------------------------------------------


def make_rules(random: Random, count: int, depth: int = 3) -> list[Rule]:
    """Rules that may read the outcomes of those before them, of one judged elsewhere, and of one never judged."""
    rules: list[Rule] = []
    for n in range(count):
        before = [*ELSEWHERE, *(rule.id for rule in rules), *(rule.id for rule in rules)]
        rules.append(a_rule(f"person/r{n}", settle(grow(random, depth), random, before)))
    return rules


def settle(condition: Condition, random: Random, before: Sequence[str]) -> Condition:
    """The same, reading outcomes from `before` and with text compared only for being the same."""
    match condition:
        case Compare(name, operator, str() as value) if operator not in ("==", "!="):
            return Compare(name, random.choice(["==", "!="]), value)
        case Outcome():
            return Outcome(random.choice(before))
        case All(parts) | Any_(parts):
            return type(condition)(tuple(settle(part, random, before) for part in parts))
        case Not(part):
            return Not(settle(part, random, before))
        case AtLeast(points, parts):
            return AtLeast(points, tuple((weight, settle(part, random, before)) for weight, part in parts))
        case Exists():
            return replace(condition, where=settle(condition.where, Random(7), before))
    return condition


def make_case(random: Random, rules: Sequence[Rule], missing: float = 0.25) -> Case:
    """A case with some of everything not known, and 0 to 3 records for each block."""
    related: dict[Exists, list[Mapping[str, Any]] | None] = {}
    for block in dict.fromkeys(block for rule in rules for block in exists_in(rule.when)):
        rows = [make_row(random, ORDERS, missing) for _ in range(random.choice([0, 1, 1, 2, 3]))]
        related[block] = None if block.table == LATE or random.random() < 0.1 else list(rows)
    states: list[State] = [True, False, None]
    return Case(make_row(random, PERSON, missing), {ELSEWHERE[0]: random.choice(states)}, related)


def make_typed_case(random: Random, rules: Sequence[Rule], missing: float = 0.15) -> Case:
    """A case for real rules: each fact near the values its rules compare it with, or not known."""
    related = {block: None if random.random() < 0.2 else
               [_typed_row(random, [block.where], missing) for _ in range(random.randint(0, 3))]
               for rule in rules for block in exists_in(rule.when)}
    return Case(_typed_row(random, [rule.when for rule in rules], missing), {}, related)


def _typed_row(random: Random, whens: Sequence[Condition], missing: float) -> dict[str, Any]:
    compared: dict[str, list[Any]] = {name: [] for when in whens for name in names_in(when)}
    for node in (node for when in whens for node in walk(when)):
        if isinstance(node, Compare):
            compared[node.name] += node.value if isinstance(node.value, tuple) else [node.value]
    return {name: None if random.random() < missing else _near(random, random.choice(values or [1]))
            for name, values in compared.items()}


def _near(random: Random, value: Any) -> Any:
    match value:
        case bool():
            return random.random() < 0.5
        case int() | float():
            return value + random.choice([-1, 0, 0, 1, 0.5, -1e-5, 1e-9])
        case str():
            return random.choice([value, value, "another"])
    return value
