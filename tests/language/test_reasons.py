"""Why a rule fired: the fewest facts that are enough, what is not known, and what is nearly so."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.condition import All, Any_, AtLeast, Compare, Condition, Exists, Known, Not, Outcome, read_condition
from engine.evaluate import Case, State, Step, evaluate
from engine.pack import Pack
from engine.reasons import find_minimal, find_near_miss, find_unknown


def seen(source: Any, **values: Any) -> Step:
    return evaluate(read_condition(source), Case(values))


def names(steps: tuple[Step, ...]) -> list[str]:
    return [str(getattr(step.condition, "name", type(step.condition).__name__)) for step in steps]


AB = ["a is true", "b is true"]

#  condition, what was seen, and the facts that are enough
ENOUGH: dict[str, tuple[Any, dict[str, Any], list[str]]] = {
    "one clause": ("a >= 3", {"a": 3}, ["a"]),
    "all that hold are needed": ({"all": AB}, {"a": True, "b": True}, ["a", "b"]),
    "one that fails stops all": ({"all": AB}, {"a": True, "b": False}, ["b"]),
    "one that fails stops all, whatever is not known": ({"all": AB}, {"b": False}, ["b"]),
    "one of any is enough": ({"any": AB}, {"a": False, "b": True}, ["b"]),
    "any fails only when each does": ({"any": AB}, {"a": False, "b": False}, ["a", "b"]),
    "of two ways, the shorter": (
        {"any": [{"all": ["a is true", "b is true"]}, "c is true"]}, {"a": True, "b": True, "c": True}, ["c"]),
    "not turns it round": ({"not": {"all": AB}}, {"a": True, "b": False}, ["b"]),
    "what is missing can be a reason": ({"all": ["a is missing", "b is true"]}, {"b": True}, ["a", "b"]),
    "enough points and no more": (
        {"at_least": 2, "of": [*AB, "c is true"]}, {"a": True, "b": True, "c": True}, ["a", "b"]),
    "the heavy fact first": (
        {"at_least": 2, "of": ["a is true", "b is true", {"points": 2, "when": "c is true"}]},
        {"a": True, "b": True, "c": True}, ["c"]),
    "too few points left": ({"at_least": 2, "of": [*AB, "c is true"]}, {"a": False, "b": False, "c": True}, ["a", "b"]),
    "heavy points lost": (
        {"at_least": 3, "of": [*AB, {"points": 2, "when": "c is true"}]}, {"a": True, "b": True, "c": False}, ["c"]),
    "nothing is enough when nobody can tell": ({"all": AB}, {"a": True}, []),
    "two light facts rather than a heavy one that needs three": (
        {"at_least": 2, "of": [{"points": 2, "when": {"all": ["a is true", "b is true", "c is true"]}},
                               "d is true", "e is true"]},
        dict.fromkeys("abcde", True), ["d", "e"]),
    "three plain signs rather than one that needs two facts": (
        {"at_least": 3, "of": ["a is true", {"all": ["b > 0", "c is true"]}, "d is true", "e is true"]},
        {"a": True, "b": 1, "c": True, "d": True, "e": True}, ["a", "d", "e"]),
}


@pytest.mark.parametrize("story", ENOUGH)
def test_the_fewest_facts_that_are_enough(story: str) -> None:
    source, values, enough = ENOUGH[story]
    assert names(find_minimal(seen(source, **values))) == enough


def test_another_rule_and_a_record_can_be_reasons() -> None:
    block = Exists("orders", Compare("live", "==", True))
    step = evaluate(All((Outcome("person/one"), block)), Case({}, {"person/one": True}, {block: [{"live": True}]}))
    assert [leaf.condition for leaf in find_minimal(step)] == [Outcome("person/one"), block]


#  condition, what was seen, and what would settle it
UNSETTLED: dict[str, tuple[Any, dict[str, Any], list[str]]] = {
    "the fact that is missing": ("a is true", {}, ["a"]),
    "only what still matters": ({"all": AB}, {"a": True}, ["b"]),
    "both, when both matter": ({"all": AB}, {}, ["a", "b"]),
    "nothing, once it has failed": ({"all": AB}, {"a": False}, []),
    "nothing, once it holds": ({"any": AB}, {"a": True}, []),
    "inside a block that cannot tell": ({"all": ["a is true", {"any": ["b is true", "c is true"]}]},
                                        {"a": True, "b": False}, ["c"]),
    "not in a block that is settled": ({"all": [{"any": ["a is true", "b is true"]}, "c is true"]}, {"a": True}, ["c"]),
    "under not": ({"not": {"all": AB}}, {"a": True}, ["b"]),
    "points that may yet come": ({"at_least": 2, "of": [*AB, "c is true"]}, {"a": True, "b": False}, ["c"]),
    "no points that no longer matter": ({"at_least": 2, "of": [*AB, "c is true"]}, {"a": True, "b": True}, []),
}


@pytest.mark.parametrize("story", UNSETTLED)
def test_what_would_settle_it(story: str) -> None:
    source, values, missing = UNSETTLED[story]
    assert names(find_unknown(seen(source, **values))) == missing


def test_a_late_feed_is_what_would_settle_it() -> None:
    block = Exists("orders", Compare("live", "==", True))
    step = evaluate(All((Compare("a", "==", True), block)), Case({"a": True}, related={block: None}))
    assert [leaf.condition for leaf in find_unknown(step)] == [block]


#  condition, what was seen, and the one fact short of firing
NEARLY: dict[str, tuple[Any, dict[str, Any], str | None]] = {
    "one of two is short": ({"all": ["a >= 3", "b is true"]}, {"a": 2, "b": True}, "a"),
    "both are short": ({"all": ["a >= 3", "b is true"]}, {"a": 2, "b": False}, None),
    "one short and one not known": ({"all": ["a >= 3", "b is true"]}, {"a": 2}, None),
    "it fires": ("a >= 3", {"a": 3}, None),
    "nobody can tell": ("a >= 3", {}, None),
    "the nearer of two ways": ({"all": ["a is true", {"any": [{"all": ["b is true", "c is true"]}, "d is true"]}]},
                               {"a": True, "b": False, "c": False, "d": False}, "d"),
    "one fact that should not be so": ({"all": ["a is true", "b is missing"]}, {"a": True, "b": 1}, "Not"),
}


@pytest.mark.parametrize("story", NEARLY)
def test_the_one_fact_that_keeps_a_rule_from_firing(story: str) -> None:
    source, values, near = NEARLY[story]
    leaf = find_near_miss(seen(source, **values))
    assert (names((leaf,))[0] if leaf else None) == near


# --- against every possible set -----------------------------------------------------------------


def grow_distinct(random: Random, facts: Iterator[str], depth: int = 2) -> Condition:
    """A condition in which each fact stands once; at most a few facts, so that every set can be tried."""
    kind = random.choice(["fact", "known"] if depth == 0 else ["all", "any", "not", "at_least", "fact", "known"])
    if kind == "fact":
        return Compare(next(facts), "==", random.choice([True, False]))
    if kind == "known":
        return Known(next(facts))
    if kind == "not":
        return Not(grow_distinct(random, facts, depth - 1))
    parts = tuple(grow_distinct(random, facts, depth - 1) for _ in range(random.randint(1, 3)))
    if kind == "at_least":
        weighted = tuple((random.randint(1, 3), part) for part in parts)
        return AtLeast(random.randint(1, sum(points for points, _ in weighted)), weighted)
    return All(parts) if kind == "all" else Any_(parts)


def leaves_of(step: Step) -> tuple[Step, ...]:
    return tuple(leaf for part in step.steps for leaf in leaves_of(part)) if step.steps else (step,)


def settles(step: Step, kept: tuple[Step, ...]) -> State:
    """What the step would come to if of all leaves only these were known. (A leaf is kept as it came out.)"""
    match step.condition:
        case All():
            states = [settles(part, kept) for part in step.steps]
            return False if False in states else None if None in states else True
        case Any_():
            states = [settles(part, kept) for part in step.steps]
            return True if True in states else None if None in states else False
        case Not():
            inner = settles(step.steps[0], kept)
            return None if inner is None else not inner
        case AtLeast(points, parts):
            states = [settles(part, kept) for part in step.steps]
            sure = sum(p for (p, _), state in zip(parts, states, strict=True) if state is True)
            hoped = sum(p for (p, _), state in zip(parts, states, strict=True) if state is None)
            return True if sure >= points else False if sure + hoped < points else None
    return step.state if any(step is leaf for leaf in kept) else None


def made_up(random: Random) -> Step:
    facts = (f"f{n}" for n in range(99))
    weighted = tuple((random.randint(1, 3), grow_distinct(random, facts, 1)) for _ in range(random.randint(1, 3)))
    tree = random.choice([AtLeast(random.randint(1, 4), weighted), grow_distinct(random, facts)])
    return evaluate(tree, Case({f"f{n}": random.choice([True, False, True, False, None]) for n in range(27)}))


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_facts_found_are_enough_whatever_the_others_are(random: Random) -> None:
    step = made_up(random)
    found = find_minimal(step)
    assert (found == ()) if step.state is None else (settles(step, found) is step.state)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.randoms(use_true_random=False))
def test_no_fewer_facts_are_enough(random: Random) -> None:
    step = made_up(random)
    if step.state is None:
        return
    fewest = next(size for size in range(28) for kept in combinations(leaves_of(step), size)
                  if settles(step, kept) is step.state)
    assert len(find_minimal(step)) == fewest


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.randoms(use_true_random=False))
def test_what_would_settle_it_is_all_unknown_and_nothing_else_is_needed(random: Random) -> None:
    step = made_up(random)
    unknown = find_unknown(step)
    assert bool(unknown) is (step.state is None)
    assert all(leaf.state is None for leaf in unknown)


def test_every_shipped_rule_can_say_why_it_fired_or_did_not(shipped: Pack) -> None:
    random = Random(11)
    for rule in shipped.rules.values():
        facts = shipped.features_of(rule.subject)
        for _ in range(30):
            values = {name: random.choice([None, *_samples(f.kind, f.values)]) for name, f in facts.items()}
            step = evaluate(rule.when, Case(values))
            if step.state is None:
                assert find_unknown(step)
            else:
                assert settles(step, find_minimal(step)) is step.state


def _samples(kind: str, allowed: tuple[str, ...]) -> list[Any]:
    return {"boolean": [True, False], "number": [0, 1, 3, 10, 100], "text": [*allowed, "street", "none"]}.get(kind, [])
