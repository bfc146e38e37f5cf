"""The allocation rules, one case at a time, through five engines: first the same answers, then how long each takes.

    evaluator           every rule's tree of steps: true, false or unknown, and why
    durable-rules       the rules that surely fire, and the records they fired on; checks every call
    zen-engine          the rules that surely fire (see `decision`)
    DuckDB, prepared    true, false or unknown; one row of literals into a query planned once
    DuckDB, planned     the same, parameters into a query planned for every case

Each is given the case as the desk measures it, and what it takes to hand it over counts.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import ibis
import zen

from engine.columns import express
from engine.condition import Compare, Condition, Exists, Known, exists_in, names_in, parts_of, walk
from engine.desk import Desk, Measured
from engine.desks import Desks
from engine.evaluate import Case, any_of, evaluate
from engine.rule import Rule
from engine.screen import evaluate_case
from tests.bench.borough import AS_OF, setting_of
from tests.bench.decision import write_model
from tests.bench.screening import choose_pairs
from tests.bench.stopwatch import scale, sum_up

CASES, BLOCK = 2_000, 50
_TYPES = {"integer": "int64", "decimal": "float64", "boolean": "boolean", "code": "string", "date": "date"}
_SQL_TYPES = {"int64": "BIGINT", "float64": "DOUBLE", "boolean": "BOOLEAN", "string": "VARCHAR", "date": "DATE"}
States = Mapping[str, bool | None]


def compare_engines(size: int, folder: Path) -> dict[str, Any]:
    """Seconds a case, by engine, over the same cases in the same run."""
    setting = setting_of(size, folder)
    desk = Desks(setting.home).open(setting.lake, setting.pack, AS_OF)
    cases = [desk.measure(pair) for pair in choose_pairs(desk, scale(CASES))]
    began = time.perf_counter()
    duck = _Duck(desk)
    planned = time.perf_counter() - began
    engines: dict[str, Callable[[Measured], States]] = {
        "the evaluator": lambda case: {r: s.state for r, s in evaluate_case(desk, case.values, case).items()},
        "durable-rules alone": lambda case: dict.fromkeys(
            desk.reasoner.reason(Case(case.values, {}, case.related)).fired, True),
        "zen-engine": _Zen(desk).judge,
        "DuckDB, prepared once": duck.judge_prepared,
        "DuckDB, planned each time": duck.judge,
    }
    found = {"measured": _check(desk.rules, cases, engines),
             "filled": _check(desk.rules, fill_cases(desk, cases), engines)}
    times: dict[str, list[float]] = {name: [] for name in engines}
    for start in range(0, len(cases), BLOCK):       # in turn, so that a slow minute slows all alike
        for name, judge in engines.items():
            for case in cases[start:start + BLOCK]:
                begun = time.perf_counter()
                judge(case)
                times[name].append(time.perf_counter() - begun)
    return {**found, "planned_s": planned, "rules": len(desk.rules), "cases": len(cases),
            "engines": {name: sum_up(some) for name, some in times.items()}}


# --- the same answers -----------------------------------------------------------------------------


def fill_cases(desk: Desk, cases: Sequence[Measured]) -> list[Measured]:
    """The cases with every unknown fact drawn from around what rules compare it with: nothing is unknown any more."""
    draw, around = random.Random(7), _compared(desk.rules)
    filled = []
    for case in cases:
        values = {name: draw.choice(around[name]) if value is None and name in around else value
                  for name, value in case.values.items()}
        related = {block: [{**row, **{name: draw.choice(around[name]) for name in names_in(block.where)
                                      if row.get(name) is None}} for row in rows or ()]
                   for block, rows in case.related.items()}
        filled.append(Measured(values, case.counted, related))
    return filled


def _compared(rules: Sequence[Rule]) -> dict[str, list[Any]]:
    """For every fact, the values rules compare it with, and their neighbours."""
    found: dict[str, set[Any]] = {}
    for node in (node for rule in rules for node in walk(rule.when)):
        if isinstance(node, Compare):
            for value in node.value if isinstance(node.value, tuple) else (node.value,):
                near = {value, not value} if isinstance(value, bool) else (
                    {value, "other"} if isinstance(value, str) else {value - 1, value, value + 1})
                found.setdefault(node.name, set()).update(near)
    return {name: sorted(values) for name, values in found.items()} | {
        name: [30] for rule in rules for node in walk(rule.when) if isinstance(node, Known)
        for name in [node.name] if name not in found}


def _check(
    rules: Sequence[Rule], cases: Sequence[Measured], engines: Mapping[str, Callable[[Measured], States]]
) -> dict[str, int]:
    """Every engine on every case, before anything is timed: how many outcomes were what. Stops at a difference."""
    counts: Counter[bool | None] = Counter()
    for case in cases:
        states = engines["the evaluator"](case)
        fired = {rule for rule, state in states.items() if state is True}
        for name, judge in engines.items():
            found = judge(case)
            same = found == states if "DuckDB" in name else {r for r, s in found.items() if s is True} == fired
            if not same:
                raise SystemExit(f"{name} differs from the evaluator")
        counts.update(states.values())
    return {"outcomes": len(cases) * len(rules), "true": counts[True], "unknown": counts[None]}


def _facts_in(condition: Condition) -> list[str]:
    """The facts of the case that a condition reads; what an `exists` block reads is its records'."""
    if isinstance(condition, Compare | Known):
        return [condition.name]
    if isinstance(condition, Exists):
        return []
    return [name for part in parts_of(condition) for name in _facts_in(part)]


# --- zen-engine -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Wanted:
    """What some rules read: facts of the case, and per block the columns of its records."""

    facts: tuple[str, ...]
    blocks: Mapping[Exists, int]
    columns: Mapping[Exists, tuple[str, ...]]


def _wanted(desk: Desk) -> _Wanted:
    blocks = list(dict.fromkeys(block for rule in desk.rules for block in exists_in(rule.when)))
    facts = dict.fromkeys(name for rule in desk.rules for name in _facts_in(rule.when))
    return _Wanted(tuple(facts), {block: n for n, block in enumerate(blocks)},
                   {block: names_in(block.where) for block in blocks})


class _Zen:
    """The rules as one decision of zen-engine, read once."""

    def __init__(self, desk: Desk) -> None:
        self.wanted, self.ids = _wanted(desk), [rule.id for rule in desk.rules]
        self.decision = zen.ZenEngine().create_decision(write_model(desk.rules, self.wanted.blocks))
        self.decision.validate()

    def judge(self, case: Measured) -> States:
        """The rules that surely fire."""
        given: dict[str, Any] = {name: _plain(case.values[name]) for name in self.wanted.facts}
        for block, number in self.wanted.blocks.items():
            rows = case.related[block]
            given[f"rows_{number}"] = None if rows is None else [
                {name: _plain(row[name]) for name in self.wanted.columns[block]} for row in rows]
        result = self.decision.evaluate(given)["result"]
        return {rule: True for n, rule in enumerate(self.ids) if result[f"r{n}"]}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


# --- DuckDB ---------------------------------------------------------------------------------------


class _Duck:
    """The rules as one SELECT over one row, written by `columns.express`.

    Whether some related record meets a block is worked out beforehand and given as a fact, which spares DuckDB the
    records; the weekly run works it out by a join.
    """

    def __init__(self, desk: Desk) -> None:
        self.wanted, self.ids = _wanted(desk), [rule.id for rule in desk.rules]
        self.met: dict[int, list[bool | None]] = {}
        names = {name: _TYPES[desk.features[name].type] for name in self.wanted.facts}
        names |= {f"exists_{n}": "boolean" for n in self.wanted.blocks.values()}
        row = ibis.table(names, name="facts")
        related = {block: row[f"exists_{n}"] for block, n in self.wanted.blocks.items()}
        outcomes: dict[str, Any] = {}
        for rule in desk.rules:
            outcomes[rule.id] = express(rule.when, row.__getitem__, outcomes, related)
        asked = ibis.to_sql(row.select(**{f"r{n}": outcomes[rule] for n, rule in enumerate(self.ids)}),
                            dialect="duckdb")
        self.types = [_SQL_TYPES[kind] for kind in names.values()]
        given = ", ".join(f'${n}::{kind} AS "{name}"' for n, (name, kind) in enumerate(
            zip(names, self.types, strict=True), 1))
        self.sql = f"WITH facts AS (SELECT {given}) {asked}"
        self.connection = duckdb.connect(config={"threads": 1})      # quicker than two for one row
        self.connection.execute(f"PREPARE judge AS {self.sql}")

    def judge_prepared(self, case: Measured) -> States:
        """By the query planned once. Its values go in as text, and with their type: without, it is planned again."""
        values = ", ".join(f"{_literal(value)}::{kind}" for value, kind in zip(
            self._row(case), self.types, strict=True))
        row = self.connection.execute(f"EXECUTE judge({values})").fetchone()
        return dict(zip(self.ids, row or (), strict=True))

    def judge(self, case: Measured) -> States:
        """By a query planned again for this case."""
        row = self.connection.execute(self.sql, self._row(case)).fetchone()
        return dict(zip(self.ids, row or (), strict=True))

    def _row(self, case: Measured) -> list[Any]:
        met = self.met.get(id(case))
        if met is None:
            met = self.met[id(case)] = [_meets(block, case) for block in self.wanted.blocks]
        return [*(case.values[name] for name in self.wanted.facts), *met]


def _meets(block: Exists, case: Measured) -> bool | None:
    rows = case.related[block]
    return None if rows is None else any_of([*(evaluate(block.where, Case(row)).state for row in rows), False])


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str | date):
        return "'" + str(value).replace("'", "''") + "'"
    return str(value)
