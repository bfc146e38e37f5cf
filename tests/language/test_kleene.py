"""Missing is not false: every node's answer for yes, no and not known, as tables anyone can check."""

from __future__ import annotations

from datetime import date
from itertools import product
from typing import Any

import pytest

from engine.condition import All, Any_, AtLeast, Compare, Exists, Known, Not, Outcome
from engine.evaluate import Case, State, all_of, any_of, evaluate, negate

YES, NO, UNKNOWN = True, False, None
STATES: tuple[State, ...] = (YES, NO, UNKNOWN)
A, B = Compare("a", "==", True), Compare("b", "==", True)

#  a        b        all      any
TABLE = [
    (YES,     YES,     YES,     YES),
    (YES,     NO,      NO,      YES),
    (YES,     UNKNOWN, UNKNOWN, YES),
    (NO,      YES,     NO,      YES),
    (NO,      NO,      NO,      NO),
    (NO,      UNKNOWN, NO,      UNKNOWN),
    (UNKNOWN, YES,     UNKNOWN, YES),
    (UNKNOWN, NO,      NO,      UNKNOWN),
    (UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN),
]


def state_of(condition: Any, **values: Any) -> State:
    return evaluate(condition, Case(values)).state


@pytest.mark.parametrize(("a", "b", "both", "either"), TABLE)
def test_all_and_any_of_two(a: State, b: State, both: State, either: State) -> None:
    assert state_of(All((A, B)), a=a, b=b) is both is all_of([a, b])
    assert state_of(Any_((A, B)), a=a, b=b) is either is any_of([a, b])


@pytest.mark.parametrize(("a", "opposite"), [(YES, NO), (NO, YES), (UNKNOWN, UNKNOWN)])
def test_not(a: State, opposite: State) -> None:
    assert state_of(Not(A), a=a) is opposite is negate(a)


@pytest.mark.parametrize(("a", "b"), list(product(STATES, STATES)))
def test_not_all_is_any_not(a: State, b: State) -> None:
    assert state_of(Not(All((A, B))), a=a, b=b) is state_of(Any_((Not(A), Not(B))), a=a, b=b)


@pytest.mark.parametrize("alone", STATES)
def test_one_part_alone_decides(alone: State) -> None:
    assert state_of(All((A,)), a=alone) is state_of(Any_((A,)), a=alone) is alone


#  clause                                  below  at     above  not known
EDGES: list[tuple[Compare, Any, Any, Any, tuple[bool, bool, bool]]] = [
    (Compare("a", ">=", 3),                2,     3,     4,     (NO, YES, YES)),
    (Compare("a", ">", 3),                 2,     3,     4,     (NO, NO, YES)),
    (Compare("a", "<=", 3),                2,     3,     4,     (YES, YES, NO)),
    (Compare("a", "<", 3),                 2,     3,     4,     (YES, NO, NO)),
    (Compare("a", "==", 3),                2,     3,     4,     (NO, YES, NO)),
    (Compare("a", "!=", 3),                2,     3,     4,     (YES, NO, YES)),
    (Compare("a", "in", (3, 4)),           2,     3,     4,     (NO, YES, YES)),
    (Compare("a", "not in", (3, 4)),       2,     3,     4,     (YES, NO, NO)),
    (Compare("a", "<=", 0.6),              0.59,  0.6,   0.61,  (YES, YES, NO)),
    (Compare("a", ">=", date(2026, 11, 23)), date(2026, 11, 22), date(2026, 11, 23), date(2026, 11, 24),
     (NO, YES, YES)),
    (Compare("a", "==", "council"),        "",    "council", "Council", (NO, YES, NO)),
]


@pytest.mark.parametrize(("clause", "below", "at", "above", "expected"), EDGES)
def test_a_comparison_at_its_edge(
    clause: Compare, below: Any, at: Any, above: Any, expected: tuple[bool, bool, bool]
) -> None:
    assert tuple(state_of(clause, a=value) for value in (below, at, above)) == expected
    assert state_of(clause, a=None) is UNKNOWN
    assert state_of(clause) is UNKNOWN


@pytest.mark.parametrize(("value", "known"), [(3, YES), (0, YES), (False, YES), ("", YES), (None, NO)])
def test_known_is_never_unknown(value: Any, known: bool) -> None:
    assert state_of(Known("a"), a=value) is known
    assert state_of(Not(Known("a")), a=value) is (not known)


@pytest.mark.parametrize("outcome", STATES)
def test_another_rules_outcome_is_taken_as_it_is(outcome: State) -> None:
    assert evaluate(Outcome("person/one"), Case({}, {"person/one": outcome})).state is outcome


def test_a_rule_nobody_judged_is_unknown() -> None:
    assert evaluate(Outcome("person/one"), Case({})).state is UNKNOWN


#  points wanted   1 point   2 points   3 points   result
POINTS = [
    (1,            NO,       NO,        NO,        NO),
    (1,            YES,      UNKNOWN,   UNKNOWN,   YES),
    (3,            YES,      YES,       NO,        YES),
    (3,            NO,       NO,        YES,       YES),
    (3,            YES,      NO,        NO,        NO),
    (3,            YES,      UNKNOWN,   NO,        UNKNOWN),
    (3,            NO,       UNKNOWN,   NO,        NO),
    (3,            UNKNOWN,  YES,       NO,        UNKNOWN),
    (4,            YES,      YES,       UNKNOWN,   UNKNOWN),
    (6,            YES,      YES,       YES,       YES),
    (6,            YES,      UNKNOWN,   YES,       UNKNOWN),
    (6,            NO,       YES,       YES,       NO),
    (7,            YES,      YES,       YES,       NO),
    (7,            UNKNOWN,  UNKNOWN,   UNKNOWN,   NO),
]


@pytest.mark.parametrize(("wanted", "one", "two", "three", "result"), POINTS)
def test_at_least_so_many_points(wanted: int, one: State, two: State, three: State, result: State) -> None:
    parts = tuple((n, Compare(name, "==", True)) for n, name in ((1, "one"), (2, "two"), (3, "three")))
    assert state_of(AtLeast(wanted, parts), one=one, two=two, three=three) is result


@pytest.mark.parametrize("wanted", range(1, 8))
def test_at_least_lies_between_what_is_sure_and_what_is_possible(wanted: int) -> None:
    parts = tuple((n, Compare(name, "==", True)) for n, name in ((1, "one"), (2, "two"), (3, "three")))
    for states in product(STATES, repeat=3):
        values = dict(zip(("one", "two", "three"), states, strict=True))
        came = state_of(AtLeast(wanted, parts), **values)
        settled = {
            state_of(AtLeast(wanted, parts), **dict(zip(values, filled, strict=True)))
            for filled in product(*[(YES, NO) if s is None else (s,) for s in states])}
        assert came is (settled.pop() if len(settled) == 1 else UNKNOWN)


LIVE = Exists("orders", Compare("live", "==", True))

#  the records                                  some is live
RECORDS: list[tuple[list[dict[str, Any]] | None, State]] = [
    ([],                                        NO),
    ([{"live": False}, {"live": False}],        NO),
    ([{"live": False}, {"live": True}],         YES),
    ([{"live": None}, {"live": True}],          YES),
    ([{"live": False}, {"live": None}],         UNKNOWN),
    ([{}],                                      UNKNOWN),
    (None,                                      UNKNOWN),     # the feed is late: silence proves nothing
]


@pytest.mark.parametrize(("records", "some"), RECORDS)
def test_some_related_record(records: list[dict[str, Any]] | None, some: State) -> None:
    step = evaluate(LIVE, Case({}, related={LIVE: records}))
    assert step.state is some
    if records is not None:
        assert step.matched == sum(record.get("live") is True for record in records)


def test_related_records_nobody_fetched_are_unknown() -> None:
    assert evaluate(LIVE, Case({})).state is UNKNOWN


def test_every_part_is_worked_out_whatever_the_others_say() -> None:
    step = evaluate(All((A, B, Any_((A, B)))), Case({"a": False, "b": True}))
    assert [part.state for part in step.steps] == [False, True, True]
    assert [part.value for part in step.steps[:2]] == [False, True]
