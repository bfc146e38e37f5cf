"""One case -> the rules that fire for it, by forward chaining in durable-rules, and the records that joined.

The evaluator decides what a condition means; this reaches its answer another way, from facts that follow from
facts, and `cross_check` stops at the first case on which the two differ.

    the subject, and what else it has      one fact for each thing             {_thing, v_age, v_needs_count, ...}
    a related record                       one fact per block it may meet      {_block, _at, v_current, ...}
    an outcome, a part, points, a chain    asserted by actions (see `ways`)    {_made, _n}

They meet by `_key`, the number of the call. durable-rules 2.0.28 can put one person's result on another, hang, or crash
(tests/reasoning/test_traps.py), so it is used narrowly: no Host, thread, timer, event or batch; one call at a time; a
sid of its own, deleted afterwards; nothing asked but what holds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from itertools import count, groupby
from threading import Lock
from typing import Any

import durable_rules_engine  # type: ignore[import-not-found]
from durable.engine import Promise, Ruleset

from engine.condition import Exists
from engine.errors import Problem, RunError
from engine.evaluate import Case, Step, evaluate
from engine.plan import Line, Plan, draw_plan, fits, write_line
from engine.rule import Rule
from engine.schema import Kind
from engine.ways import encode

Row = Mapping[str, Any]
Fact = dict[str, Any]

SEEN = "seen"
"""The rule that meets everything told, last of all: what met nothing else would crash durable-rules on deletion."""


@dataclass(frozen=True)
class Reasoned:
    """The rules that surely fire, and for each that looked at related records, those that made it so."""

    fired: frozenset[str]
    joined: Mapping[str, tuple[Row, ...]]


def compile_pack(rules: Sequence[Rule], about: Mapping[str, str] | None = None) -> Reasoner:
    """The reasoner of some rules of one kind of subject; the same one whenever the same rules are asked for.

    `about` names the thing each fact is about, such as the applicant; without one it is about the subject itself. It
    changes what is joined, never what fires. Raises RuleError for rules it cannot reason about. The memory it takes
    is never given back: durable-rules has no way to. A new pack is a new process.
    """
    own = {"", *(rule.subject for rule in rules)}
    return _compile(tuple(rules), tuple(sorted((n, thing) for n, thing in (about or {}).items() if thing not in own)))


def cross_check(reasoned: Reasoned, steps: Mapping[str, Step]) -> None:
    """Raises RunError, naming the rules, unless exactly the rules that fired are true in the evaluator's steps."""
    wrong = reasoned.fired ^ {rule for rule, step in steps.items() if step.state is True}
    if wrong:
        raise RunError([Problem(rule, "reasoner and evaluator disagree", "the same outcome from both",
                                "do not use this result; report it as a defect") for rule in sorted(wrong)])


class Reasoner:
    """The rules of one kind of subject, ready to judge one case after another, from any thread."""

    def __init__(self, rules: Sequence[Rule], about: Mapping[str, str]) -> None:
        self._plan = draw_plan(rules, about)
        self.stages = [_Stage(f"stage {n}", lines) for n, lines in enumerate(_share_out(self._plan.lines), 1)]

    def reason(self, case: Case) -> Reasoned:
        """The rules that fire for a case: of these rules worked out, of any others as the case's outcomes say.

        Raises RunError for a value not of the kind its rules compare it with, and when durable-rules fails.
        """
        told = _read_case(case, self._plan)
        for stage in self.stages:
            stage.run(told)
        fired = [rule for rule, number in self._plan.rules.items() if (number, 0) in told.made]
        joined = {rule: self._joined(self._plan.rules[rule], told, case) for rule in sorted(fired)}
        return Reasoned(frozenset(fired), {rule: rows for rule, rows in joined.items() if rows})

    def _joined(self, number: int, told: _Told, case: Case) -> tuple[Row, ...]:
        """The records a rule fired on, directly or through its own parts; another rule's are that rule's."""
        waiting, seen, found = [number], {number}, set()
        while waiting:
            records, made = told.sources.get(waiting.pop(), (set(), set()))
            found |= records
            more = (made & self._plan.parts) - seen
            seen |= more
            waiting += more
        blocks = list(self._plan.blocks)
        rows = [case.related[blocks[block]][at] for block, at in sorted(found)]      # type: ignore[index]
        return tuple({id(row): row for row in rows}.values())


@cache
def _compile(rules: tuple[Rule, ...], about: tuple[tuple[str, str], ...]) -> Reasoner:
    return Reasoner(rules, dict(about))


# --- a case, as facts -----------------------------------------------------------------------------


@dataclass
class _Told:
    """What durable-rules is told of a case, and what it has made of it so far."""

    things: dict[int, Fact] = field(default_factory=dict)
    records: dict[int, list[Fact]] = field(default_factory=dict)                 # by block
    made: set[tuple[int, int]] = field(default_factory=set)                      # (what, under which number)
    sources: dict[int, tuple[set[tuple[int, int]], set[int]]] = field(default_factory=dict)  # -> records, made


def _read_case(case: Case, plan: Plan) -> _Told:
    """The facts of a case that its rules ask for. Raises RunError naming those that are not of their kind."""
    told, problems = _Told({thing: {"_thing": thing} for thing in plan.things.values()}), list[Problem]()
    for name, value in _encode(case.values, plan.facts, "", problems).items():
        told.things[plan.about[name.removeprefix("v_")]][name] = value
    for block, number in plan.blocks.items():
        rows = case.related.get(block)
        if rows is not None:        # None: the feed is late, and nothing follows from what is not there
            told.records[number] = [
                {"_block": number, "_at": at} | _encode(row, plan.columns[block], f"{block.table}.", problems)
                for at, row in enumerate(rows) if not _is_doubtful(block, row)]
            told.things[0][f"_rows_{number}"] = len(rows)
            told.made |= {(plan.chains[block], 0)} if block in plan.chains else set()
    for number, (rule, wanted) in plan.given.items():
        state = case.outcomes.get(rule)
        if state is not None and not isinstance(state, bool):
            problems.append(Problem(rule, f"an outcome that is a {type(state).__name__}", "True, False or None"))
        elif state is wanted:
            told.made.add((number, 0))
    if problems:
        raise RunError(sorted(set(problems)))
    return told


def _is_doubtful(block: Exists, row: Row) -> bool:
    """Whether a record is disputed and would be one that is asked for. It is not told of, and still counted: nothing
    follows from it, and that there is no such record cannot follow either."""
    return bool(row.get("disputed")) and evaluate(block.where, Case(row)).state is True


def _encode(row: Row, kinds: Mapping[str, Kind | None], where: str, problems: list[Problem]) -> Fact:
    """The facts asked for and known. Every name gets a prefix: durable-rules has its own `id`, `sid` and `$s`."""
    encoded: Fact = {}
    for name, kind in kinds.items():
        value = row.get(name)
        if value is not None:
            try:
                encoded[f"v_{name}"] = encode(value, kind) if kind else 1
            except ValueError as error:
                problems.append(Problem(f"{where}{name}", str(error), f"a {kind}, as its rules compare it",
                                        "correct the feature's declared type or where its values come from"))
    return encoded


# --- durable-rules --------------------------------------------------------------------------------


def _share_out(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """The lines in the same order, as many to a ruleset as it can safely take; those of one chain stay together."""
    some: list[Line] = []
    for _, unit in groupby(enumerate(lines), lambda at: (-1, at[1].makes) if at[1].hands_on else at[0]):
        together = [line for _, line in unit]
        if some and not fits([*some, *together]):
            yield some
            some = []
        some += together
    if some:
        yield some


class _Rules(Ruleset):  # type: ignore[misc]
    """A ruleset that writes its own JSON: durable-rules cannot read `1e-05`, as Python writes small numbers."""

    def __init__(self, name: str, definition: Mapping[str, Fact]) -> None:
        self._name, self._host = name, None
        self._actions = {rule: Promise(parts["run"]) for rule, parts in definition.items()}
        self._definition = {rule: {k: v for k, v in parts.items() if k != "run"} for rule, parts in definition.items()}
        self._handle = durable_rules_engine.create_ruleset(name, _write(self._definition))

    def assert_fact(self, fact: Fact) -> Any:
        return self._handle_result(durable_rules_engine.assert_fact(self._handle, _write(fact)), {})


_ENCODE = json.JSONEncoder(ensure_ascii=False).encode
_EXPONENT = re.compile(r"\de[-+]?\d")


def _write(value: Any) -> str:
    text = _ENCODE(value)
    if not _EXPONENT.search(text):      # nearly always
        return text
    match value:
        case dict():
            return "{" + ",".join(f"{_write(key)}:{_write(item)}" for key, item in value.items()) + "}"
        case list():
            return f"[{','.join(map(_write, value))}]"
        case float():
            return format(Decimal(repr(value)), "f")
    return text


class _Stage:
    """One ruleset. Made once and kept; a lock lets one call in at a time."""

    def __init__(self, title: str, lines: Sequence[Line]) -> None:
        self.title, self.lines = title, lines
        self._names: dict[int, set[str]] = {0: {"_thing"}}
        for thing, name in sorted(frozenset[tuple[int, str]]().union(*(line.names for line in lines))):
            self._names.setdefault(thing, {"_thing"}).add(name)
        self._blocks = sorted(frozenset[int]().union(*(line.blocks for line in lines)))
        self._reads = frozenset[int]().union(*(line.reads for line in lines))
        self._lock, self._keys = Lock(), count(1)
        self._key, self._told, self._seen, self._expected = 0, _Told(), 0, 0
        self._failures: list[str] = []
        rules: dict[str, Fact] = {
            f"line {n}": write_line(line) | {"run": self._guard(self._act(line))} for n, line in enumerate(lines)}
        rules[SEEN] = {"all": [{"any": {"$ex": {"_told": 1}}}], "pri": 60_000, "run": self._guard(self._see)}
        self._rules = _Rules(title, rules)

    def run(self, told: _Told) -> None:
        """Adds to what is told all that follows from it here. Raises RunError when durable-rules fails."""
        with self._lock:
            self._key, self._told, self._failures = next(self._keys), told, []
            self._seen = self._expected = 0
            opened = False
            try:
                # What comes first surely runs an action; before one has run, deleting the state crashes.
                self._act_on(self._tell({}))
                opened = True
                self._act_on([self._tell(fact) for fact in self._facts()][-1])
                self._check_state()
            except Exception as error:          # its text holds the case's values
                self._failures.append(type(error).__name__)
            finally:
                if opened:
                    self._rules.delete_state(str(self._key))
                self._told = _Told()
            if self._failures:
                raise RunError(Problem(self.title, f"durable-rules failed: {', '.join(sorted(set(self._failures)))}",
                                       "no failure", "do not use this result; report it as a defect"))

    def _facts(self) -> list[Fact]:
        told = self._told
        made = [{"_made": what, "_n": n} for what, n in sorted(told.made) if what in self._reads]
        records = [record for block in self._blocks for record in told.records.get(block, ())]
        things = [{name: value for name, value in told.things[thing].items() if name in names}
                  for thing, names in self._names.items()]
        return [*made, *records, *things]

    def _tell(self, fact: Fact) -> Any:
        self._expected += 1
        return self._rules.assert_fact(fact | {"_told": 1, "_key": self._key, "sid": str(self._key)})

    def _act_on(self, state: Any) -> None:
        self._rules.do_actions(state, lambda error, _: self._failures.append(type(error).__name__) if error else None)

    def _check_state(self) -> None:
        """durable-rules swallows what goes wrong inside an action, and says so only here."""
        if "exception" in self._rules.get_state(str(self._key)) or self._seen != self._expected:
            self._failures.append("an action that went wrong, or was lost")

    def _guard(self, act: Callable[[list[Fact], Any], None]) -> Callable[[Any], None]:
        """An action that runs only for the call in hand: durable-rules' own bookkeeping is not trusted with people."""
        def run(c: Any) -> None:
            facts = _facts_of(c)
            if c.s.sid != str(self._key) or any(fact["_key"] != self._key for fact in facts):
                self._failures.append("a fact of another case")
            else:
                act(facts, c)
        return run

    def _see(self, facts: list[Fact], c: Any) -> None:
        self._seen += 1

    def _act(self, line: Line) -> Callable[[list[Fact], Any], None]:
        def act(facts: list[Fact], c: Any) -> None:
            told, times = self._told, line.times
            if line.hands_on:
                times = (next(fact["_at"] for fact in facts if "_block" in fact) + 1,)
            else:
                records, made = told.sources.setdefault(line.makes, (set(), set()))
                records |= {(fact["_block"], fact["_at"]) for fact in facts if "_block" in fact}
                made |= {fact["_made"] for fact in facts if "_made" in fact}
            for n in times:
                if (line.makes, n) not in told.made:
                    told.made.add((line.makes, n))
                    if line.makes in self._reads:
                        c.assert_fact({"_made": line.makes, "_n": n, "_key": self._key})
        return act


def _facts_of(c: Any) -> list[Fact]:
    """The facts an action ran for: by pattern, or one after another where it waited for several."""
    groups = [c._m] if c._m is not None else [group._d for group in c.m]
    return [fact for group in groups for fact in group.values()]
