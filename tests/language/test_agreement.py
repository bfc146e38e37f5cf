"""The plain evaluator and the columns everyone is judged in must say the same, of every condition, about everyone."""

from __future__ import annotations

import inspect
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from types import ModuleType
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import columns
from engine.check import check_condition
from engine.columns import express
from engine.condition import Compare, Condition, Exists, Known, Not, walk
from engine.evaluate import Case, evaluate
from engine.judge import judge
from engine.pack import Pack

from .trees import (
    BLOCKS,
    LATE,
    OPERATORS,
    PERSON,
    VALUES,
    disagreements,
    grow,
    judge_by_hand,
    judge_in_columns,
    make_people,
)

TODAY = date(2026, 11, 23)


def test_both_agree_on_a_hundred_thousand_judgements() -> None:
    random = Random(20261123)
    trees, people = [grow(random) for _ in range(250)], make_people(random, 500)

    by_hand, in_columns = judge_by_hand(trees, people), judge_in_columns(trees, people)

    pairs = [pair for one, other in zip(by_hand, in_columns, strict=True)
             for pair in zip(one, other, strict=True)]
    assert len(pairs) >= 100_000
    assert Counter(pairs) == {(True, True): pairs.count((True, True)), (False, False): pairs.count((False, False)),
                              (None, None): pairs.count((None, None))}
    assert min(Counter(pairs).values()) > 10_000, "each of the three outcomes is met often"


def test_the_made_up_conditions_use_every_node_and_every_comparison_of_every_kind() -> None:
    random = Random(20261123)
    nodes = [node for tree in [grow(random) for _ in range(250)] for node in walk(tree)]

    assert {type(n).__name__ for n in nodes} == {
        "Compare", "Known", "All", "Any_", "Not", "AtLeast", "Outcome", "Exists"}
    compared = {(n.operator, PERSON[n.name]) for n in nodes if isinstance(n, Compare)}
    assert compared == {(operator, kind) for operator in OPERATORS for kind in VALUES}
    assert {b.table for b in nodes if isinstance(b, Exists)} == {"orders", LATE}


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("operator", OPERATORS)
def test_both_agree_on_every_value_against_every_threshold(operator: Any, kind: str) -> None:
    pool = VALUES[kind] + (VALUES["decimal"] if kind == "whole" else [])
    name = next(name for name, its in PERSON.items() if its == kind)
    clauses = [Compare(name, operator, (v,) if "in" in operator else v) for v in pool]
    people = make_people(Random(7), 120)

    assert {p.values[name] for p in people} == {*VALUES[kind], None}
    assert list(disagreements(clauses, people)) == []


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_both_agree_on_some_related_record(block: Exists) -> None:
    assert list(disagreements([block, Not(block)], make_people(Random(5), 300))) == []


@settings(derandomize=True, max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.randoms(use_true_random=False))
def test_both_agree_on_whatever_is_made_up(random: Random) -> None:
    assert list(disagreements([grow(random, 2)], make_people(random, 4, missing=0.3))) == []


def test_the_order_of_people_changes_nobodys_result() -> None:
    random = Random(4)
    trees, people = [grow(random) for _ in range(40)], make_people(random, 300)
    shuffled = random.sample(people, len(people))

    straight, mixed = judge_in_columns(trees, people), judge_in_columns(trees, shuffled)

    place = {person.number: at for at, person in enumerate(shuffled)}
    assert [[row[place[p.number]] for p in people] for row in mixed] == straight


def test_one_thread_or_two_give_the_same_results() -> None:
    random = Random(6)
    trees, people = [grow(random) for _ in range(20)], make_people(random, 3_000)
    assert judge_in_columns(trees, people, threads=1) == judge_in_columns(trees, people, threads=2)


@pytest.mark.parametrize("asked", [
    Not(Compare("isolated", "==", True)), Compare("tenure", "not in", ("council",)),
    Compare("tenure", "in", ("council",)), Compare("visits", ">=", 3), Known("visits"), Not(Known("visits"))])
def test_whether_an_outcome_is_unknown_can_be_asked_in_the_same_query(asked: Condition) -> None:
    """Ibis 12 writes `NOT (x) IS NULL`, which SQL reads as NOT (x IS NULL): the count of the unclear goes wrong."""
    people = make_people(Random(8), 50)
    table = ibis.memtable(pa.Table.from_pylist([dict(p.values) for p in people]))

    state = express(asked, table.__getitem__)
    unknown = table.select(unknown=state.isnull()).execute()["unknown"].tolist()

    assert unknown == [state is None for state in judge_by_hand([asked], people)[0]]


def test_a_moment_is_compared_with_nothing_because_engines_disagree_at_midnight(shipped: Pack) -> None:
    """Partners' tables hold moments (council_asb.occurred) and a threshold is a day; the built tables hold days."""
    clause = Compare("occurred", ">=", date(2026, 6, 1))

    found = check_condition(clause, shipped.tables["council_asb"].get, ["occurred"], "rule.yaml:1", "council_asb")
    assert ["is a moment" in problem.found for problem in found] == [True]
    assert check_condition(clause, shipped.tables["incidents"].get, ["occurred"], "rule.yaml:1", "incidents") == []


@pytest.mark.parametrize("ended", [{"status": "retired"}, {"review_by": TODAY - timedelta(days=1)}])
def test_a_rule_that_follows_from_one_that_has_ended_cannot_tell(shipped: Pack, ended: dict[str, Any]) -> None:
    """The evaluator says so: nobody judged the other rule. The columns must say so too, and not wait for it."""
    first, then = "person/corroborated-repeat-asb", "person/subject-with-unmet-needs"
    pack = replace(shipped, rules={**shipped.rules, first: replace(shipped.rules[first], **ended)})
    people = [{"subject": "one", "needs_count": 2, "support_package": False},
              {"subject": "two", "needs_count": 0, "support_package": False}]

    with at_most(seconds=10):
        judged = judge(measured(pack, people), pack, "person", TODAY).order_by("subject").select(f"rule:{then}")

    by_hand = [evaluate(pack.rules[then].when, Case(person)).state for person in people]
    assert by_hand == [None, False]
    assert judged.to_pyarrow()[f"rule:{then}"].to_pylist() == by_hand


def measured(pack: Pack, people: list[dict[str, Any]]) -> ir.Table:
    """People as they come out of measuring, with a column for every feature and every `exists` block."""
    kinds = {"number": pa.int64(), "text": pa.string(), "boolean": pa.bool_(), "date": pa.date32()}
    fields = {"subject": pa.string(), "exists_0": pa.bool_()} | {
        name: kinds[feature.kind] for name, feature in pack.features_of("person").items()}
    return ibis.memtable(pa.Table.from_pylist(people, schema=pa.schema(fields.items())))


@contextmanager
def at_most(seconds: int) -> Iterator[None]:
    """Ends with an error what would otherwise never end."""
    def stop(*_: object) -> None:
        raise TimeoutError(f"not done after {seconds} seconds")
    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.more
def test_both_agree_on_a_million_judgements() -> None:
    judged = 0
    for seed in range(20):
        random = Random(seed)
        trees, people = [grow(random, 4) for _ in range(100)], make_people(random, 500)
        assert list(disagreements(trees, people)) == []
        judged += len(trees) * len(people)
    assert judged >= 1_000_000


# --- the tests above can fail -------------------------------------------------------------------

FAULTS = {
    "not known is taken for no": (
        "return _COMPARE[clause.operator](column, ibis.literal(clause.value))",
        "return _COMPARE[clause.operator](column, ibis.literal(clause.value)).fill_null(False)"),
    "not known in a list is taken for no": ("column.isin(list(clause.value))",
                                            "column.isin(list(clause.value)).fill_null(False)"),
    "not in reads as in": ("column.notin(", "column.isin("),
    "what is not known is not counted as possible": ("part.fill_null(True)", "part.fill_null(False)"),
    "at least becomes more than": ('">=": operator.ge', '">=": operator.gt'),
    "points must be exceeded": ("certain >= points", "certain > points"),
    "all becomes any": ("operator.and_", "operator.or_"),
    "what is missing counts as known": (".notnull()", ".isnull()"),
    "an outcome not known is taken for no": ("return (outcomes or {})[rule]",
                                             "return (outcomes or {})[rule].fill_null(False)"),
    "records not known are taken for none": ("return (related or {})[condition]",
                                             "return (related or {})[condition].fill_null(False)"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_planted_in_the_columns_is_caught(fault: str) -> None:
    right, wrong = FAULTS[fault]
    source = inspect.getsource(columns)
    assert source.count(right) == 1, "the fault is planted in what the engine says today"
    faulty = ModuleType("faulty_columns")
    exec(source.replace(right, wrong), faulty.__dict__)
    random = Random(3)

    found = disagreements([grow(random, 2) for _ in range(40)], make_people(random, 60), express=faulty.express)

    assert next(found, None) is not None


