"""Conditions and people made up at random, and the two ways of judging the one about the other.

Every value is drawn from a short list that the thresholds are drawn from too, so that edges are met often.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from engine.columns import express
from engine.condition import (
    All,
    Any_,
    AtLeast,
    Compare,
    Condition,
    Exists,
    Known,
    Not,
    Outcome,
    exists_in,
)
from engine.evaluate import Case, State, evaluate

Express = Callable[..., ir.BooleanValue]

NUMBER, TEXT, TRUTH, DAY = "number", "text", "boolean", "date"
VALUES: dict[str, list[Any]] = {
    "whole": [-1, 0, 1, 2, 3, 10, 9_007_199_254_740_993],
    "decimal": [-0.5, 0.0, 0.1, 0.3, 0.1 + 0.2, 0.6, 2.0, 2.5],
    TEXT: ["council", "Council", "supported", "", " ", "O'Brien", "Zoë", "Zoë", "zz_1", '"', "%", "\N{HOUSE BUILDING}"],
    TRUTH: [True, False],
    DAY: [date(1900, 1, 1), date(2024, 2, 29), date(2026, 11, 22), date(2026, 11, 23)],
}
PERSON = {"visits": "whole", "weeks": "whole", "share": "decimal", "tenure": TEXT, "surname": TEXT,
          "isolated": TRUTH, "support": TRUTH, "seen": DAY, "due": DAY}
ORDERS = {"protects": "whole", "radius": "decimal", "kind": TEXT, "live": TRUTH, "ends": DAY}
RULES = ("person/one", "person/two")
LATE = "late_orders"                   # a table whose feed has not come
OPERATORS = (">=", ">", "<=", "<", "==", "!=", "in", "not in")
_ARROW = {"whole": pa.int64(), "decimal": pa.float64(), TEXT: pa.string(), TRUTH: pa.bool_(), DAY: pa.date32()}


@dataclass(frozen=True)
class Person:
    """One made-up subject: facts, outcomes of other rules, and orders known so many `days` ago."""

    number: int
    values: Mapping[str, Any]
    outcomes: Mapping[str, State]
    orders: Sequence[Mapping[str, Any]]


# --- making up ----------------------------------------------------------------------------------


def grow(random: Random, depth: int = 3, facts: Mapping[str, str] = PERSON, nested: bool = True) -> Condition:
    """A condition about `facts`; with `nested`, of every kind of node, else one that suits rows of a table."""
    kinds = ["clause", "clause", "clause", "known"] + (["outcome", "exists"] if nested else [])
    if depth > 0:
        kinds = [*kinds, *["all", "any", "not", "at_least"] * 4][-16 - depth:]
    again = [facts, nested]
    match random.choice(kinds):
        case "all":
            return All(tuple(grow(random, depth - 1, *again) for _ in range(random.randint(1, 3))))
        case "any":
            return Any_(tuple(grow(random, depth - 1, *again) for _ in range(random.randint(1, 3))))
        case "not":
            return Not(grow(random, depth - 1, *again))
        case "at_least":
            parts = tuple((random.randint(1, 3), grow(random, depth - 1, *again)) for _ in range(random.randint(1, 4)))
            return AtLeast(random.randint(1, sum(points for points, _ in parts) + 1), parts)
        case "known":
            return Known(random.choice(list(facts)))
        case "outcome":
            return Outcome(random.choice(RULES))
        case "exists":
            return random.choice(BLOCKS)
    return grow_clause(random, facts)


def grow_clause(random: Random, facts: Mapping[str, str] = PERSON) -> Compare:
    """A comparison of one fact with values of its kind; a whole number may be compared with a decimal."""
    name = random.choice(list(facts))
    pool = VALUES[facts[name]]
    if facts[name] in ("whole", "decimal"):
        pool = [*VALUES["whole"][:-1], *VALUES["decimal"]] if random.random() < 0.3 else pool
    operator: Any = random.choice(OPERATORS)
    if "in" in operator:
        return Compare(name, operator, tuple(random.choice(pool) for _ in range(random.randint(1, 3))))
    return Compare(name, operator, random.choice(pool))


def make_people(random: Random, count: int, missing: float = 0.25) -> list[Person]:
    """People of whom about a quarter of everything is not known, some of them with no order at all."""
    return [Person(number, make_row(random, PERSON, missing),
                   {rule: random.choice([True, False, None]) for rule in RULES},
                   [make_row(random, ORDERS, missing) | {"days": random.choice([0, 30, 90, 91])}
                    for _ in range(random.choice([0, 0, 1, 1, 2, 3]))])
            for number in range(count)]


def make_row(random: Random, facts: Mapping[str, str], missing: float) -> dict[str, Any]:
    """One value of each fact; None where it is missing."""
    return {name: None if random.random() < missing else random.choice(VALUES[kind]) for name, kind in facts.items()}


def make_blocks(random: Random) -> list[Exists]:
    """Some `exists` blocks, with and without a window, one of them on a table whose feed is late."""
    blocks = [Exists("orders", grow(random, 1, ORDERS, nested=False), random.choice([None, 30, 90]))
              for _ in range(9)]
    return [*blocks, Exists(LATE, Compare("live", "==", True))]


BLOCKS = make_blocks(Random(23))


# --- judging, one by one ------------------------------------------------------------------------


def judge_by_hand(trees: Sequence[Condition], people: Sequence[Person]) -> list[list[State]]:
    """The states of each tree on each person, from the plain evaluator."""
    cases = [Case(p.values, p.outcomes, {b: _orders_of(p, b) for b in BLOCKS}) for p in people]
    return [[evaluate(tree, case).state for case in cases] for tree in trees]


def _orders_of(person: Person, block: Exists) -> list[Mapping[str, Any]] | None:
    if block.table == LATE:
        return None
    return [row for row in person.orders if block.within is None or row["days"] <= block.within]


# --- judging, everyone at once ------------------------------------------------------------------


def judge_in_columns(
    trees: Sequence[Condition], people: Sequence[Person], express: Express = express, threads: int = 2,
    at_once: int = 50,
) -> list[list[State]]:
    """The same from DuckDB, through `express`, several trees to a query; people in the order given."""
    connection = ibis.duckdb.connect(threads=threads)
    table = connection.create_table("judged", _with_orders(
        connection.create_table("people", _people(people)),
        connection.create_table("orders", _orders(people)), express, _blocks_in(trees)))
    states: list[list[State]] = []
    for start in range(0, len(trees), at_once):
        some = trees[start:start + at_once]
        related = {block: table[f"exists_{BLOCKS.index(block)}"] for block in _blocks_in(some)}
        outcomes = {rule: table[rule] for rule in RULES}
        judged = table.select("place", **{f"t{n}": express(tree, table.__getitem__, outcomes, related)
                                          for n, tree in enumerate(some)})
        result = judged.order_by("place").to_pyarrow()
        states += [result[f"t{n}"].to_pylist() for n in range(len(some))]
    connection.disconnect()
    return states


def _blocks_in(trees: Sequence[Condition]) -> list[Exists]:
    return list(dict.fromkeys(block for tree in trees for block in exists_in(tree)))


def _people(people: Sequence[Person]) -> pa.Table:
    columns = {name: pa.array([p.values[name] for p in people], _ARROW[kind]) for name, kind in PERSON.items()}
    columns |= {rule: pa.array([p.outcomes[rule] for p in people], pa.bool_()) for rule in RULES}
    return pa.table({"place": pa.array(range(len(people))), "number": [p.number for p in people], **columns})


def _orders(people: Sequence[Person]) -> pa.Table:
    rows = [(p.number, row) for p in people for row in p.orders]
    columns = {name: pa.array([row[name] for _, row in rows], _ARROW[kind]) for name, kind in ORDERS.items()}
    columns |= {"owner": pa.array([number for number, _ in rows], pa.int64()),
                "days": pa.array([row["days"] for _, row in rows], pa.int64())}
    return pa.table(columns)


def _with_orders(people: ir.Table, orders: ir.Table, express: Express, blocks: Sequence[Exists]) -> ir.Table:
    """Each `exists` block as a boolean column: as `measures` makes it, from the records of each person."""
    counts: dict[str, Any] = {}
    for block in blocks:
        n = BLOCKS.index(block)
        if block.table == LATE:
            continue
        recent = orders.days <= block.within if block.within is not None else ibis.literal(True)
        state = express(block.where, orders.__getitem__)
        counts |= {f"met_{n}": orders.count(where=recent & state),
                   f"unclear_{n}": orders.count(where=recent & state.isnull())}
    if counts:
        counted = orders.group_by("owner").agg(**counts)
        people = people.left_join(counted, people.number == counted.owner)
    columns = {}
    for block in blocks:
        n = BLOCKS.index(block)
        columns[f"exists_{n}"] = ibis.null("boolean") if block.table == LATE else ibis.cases(
            (people[f"met_{n}"].fill_null(0) > 0, True),
            (people[f"unclear_{n}"].fill_null(0) > 0, ibis.null("boolean")), else_=False)
    return people.mutate(**columns) if columns else people


def disagreements(
    trees: Sequence[Condition], people: Sequence[Person], **how: Any
) -> Iterator[tuple[Condition, Person, State, State]]:
    """Every (tree, person) on which the two differ, with what each said: by hand, then in columns."""
    by_hand, in_columns = judge_by_hand(trees, people), judge_in_columns(trees, people, **how)
    for tree, one, other in zip(trees, by_hand, in_columns, strict=True):
        for person, hand, column in zip(people, one, other, strict=True):
            if hand is not column:
                yield tree, person, hand, column
