"""Rules -> lines: one way each for something to hold, in the order in which one follows from another.

What a line makes has a number, so that other lines can wait for it:

    a rule's outcome, or its opposite where some rule asks for it
    a part too wide to write out
    points: of `at_least` over many parts, each true part makes its own, and one line waits for enough of them
    a chain: of "no record", records stand in a row, and each that surely fails hands on to the next

What is known of a subject is told as one fact for each thing it is about, thing 0 being the subject itself: of an
allocation the applicant, the household, the home and what is around it. A line joins those it asks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from engine.condition import AtLeast, Condition, Exists
from engine.errors import Problem, RuleError
from engine.rule import Rule
from engine.schema import Kind
from engine.ways import Clause, Held, NoRecord, Record, Way, find_points, find_record_ways, find_ways

Kinds = dict[str, Kind | None]
Fact = dict[str, Any]

MOST_JOINED = 15
"""Facts that one line may join; durable-rules stops at 16."""

MOST_NAMES = 200
"""Names in one fact; durable-rules stops at 252, some of which are its own or `reasoning`'s."""

MOST_LINES = 49
"""Lines in one ruleset. A message keeps at most one clause of each line waiting, and durable-rules has room for 64."""

MOST_STARTS = 400
"""Different first tests of the patterns in one ruleset: at 513 durable-rules never ends, and one test is `SEEN`'s."""


@dataclass(frozen=True)
class Line:
    """One way for something to hold, with everything by number: what it needs, and what it then makes.

    `times`: under which numbers it is made (points have several). `enough`: so many facts of `held[0]` make it.
    `hands_on`: made under the number after the record's, of what was made under the record's own.
    """

    makes: int
    clauses: tuple[Clause, ...] = ()
    things: tuple[int, ...] = ()                    # the thing that each clause is about
    held: tuple[int, ...] = ()
    none: tuple[tuple[int, int], ...] = ()          # (chain, block)
    record: int | None = None                       # a block, of which one record meets
    columns: tuple[Clause, ...] = ()                # these
    times: tuple[int, ...] = (0,)
    enough: int | None = None
    hands_on: bool = False

    @property
    def asked(self) -> dict[int, list[Clause]]:
        """What it asks of each thing's fact; of the subject's own, too, where nothing else joins it to the call."""
        alone = not self.clauses and not self.hands_on and self.enough is None
        asked: dict[int, list[Clause]] = {0: []} if self.none or alone else {}
        for thing, clause in zip(self.things, self.clauses, strict=True):
            asked.setdefault(thing, []).append(clause)
        return asked

    @property
    def joined(self) -> int:
        """The facts it joins."""
        return len(self.asked) + len(self.held) + len(self.none) + (self.record is not None)

    @property
    def starts(self) -> frozenset[tuple[str, int]]:
        """The first test of each of its patterns: which thing, what was made, or the records of which block."""
        things, made = (("thing", thing) for thing in self.asked), (("made", what) for what in self.reads)
        return frozenset([*things, *made, *([] if self.record is None else [("block", self.record)])])

    @property
    def names(self) -> frozenset[tuple[int, str]]:
        """What it reads, as (thing, name in its fact)."""
        read = [(thing, f"v_{clause.name}") for thing, clause in zip(self.things, self.clauses, strict=True)]
        return frozenset(read) | {(0, f"_rows_{block}") for _, block in self.none}

    @property
    def blocks(self) -> frozenset[int]:
        """The blocks whose records, or number of records, it reads."""
        return frozenset(block for _, block in self.none) | (frozenset() if self.record is None else {self.record})

    @property
    def reads(self) -> frozenset[int]:
        """What must have been made."""
        return frozenset({*self.held, *(chain for chain, _ in self.none), *((self.makes,) if self.hands_on else ())})


@dataclass
class Plan:
    """The lines of some rules, each after those that make what it reads, and what they ask of a case."""

    rules: dict[str, int] = field(default_factory=dict)                 # rule -> what it makes
    lines: list[Line] = field(default_factory=list)
    facts: Kinds = field(default_factory=dict)
    things: dict[str, int] = field(default_factory=lambda: {"": 0})     # what facts are about; the subject is ""
    about: dict[str, int] = field(default_factory=dict)                 # fact -> thing
    columns: dict[Exists, Kinds] = field(default_factory=dict)
    blocks: dict[Exists, int] = field(default_factory=dict)
    chains: dict[Exists, int] = field(default_factory=dict)
    parts: set[int] = field(default_factory=set)
    given: dict[int, tuple[str, bool]] = field(default_factory=dict)    # made by an outcome of a rule not here


def draw_plan(rules: Sequence[Rule], about: Mapping[str, str] | None = None) -> Plan:
    """The plan of some rules; `about` names the thing each fact is about, where it is not the subject itself.

    Raises RuleError with every rule that cannot be written in lines.
    """
    drawing, problems = _Drawing({rule.id: rule for rule in rules}, about or {}), list[Problem]()
    for rule in rules:
        try:
            drawing.plan.rules[rule.id] = drawing.follow(rule.id)
        except RuleError as error:
            inner = drawing.rules[drawing.open[-1].removeprefix("not ")]
            problems += [replace(p, where=f"{inner.where_declared}: {p.where}") for p in error.problems]
            drawing.open.clear()
    if problems:
        raise RuleError(sorted(set(problems)))
    return drawing.plan


def fits(lines: Sequence[Line]) -> bool:
    """Whether durable-rules can take some lines as one ruleset."""
    names = Counter(thing for thing, _ in frozenset[tuple[int, str]]().union(*(line.names for line in lines)))
    starts = frozenset[tuple[str, int]]().union(*(line.starts for line in lines))
    return len(lines) <= MOST_LINES and max(names.values(), default=0) <= MOST_NAMES and len(starts) <= MOST_STARTS


def write_line(line: Line) -> Fact:
    """A line as durable-rules reads it: a fact for each pattern, joined by the number of the call."""
    if line.enough is not None:
        return {"all": [{"made": {"_made": line.held[0]}}], "count": line.enough}
    patterns: list[tuple[str, list[Fact]]] = [("made", [{"_made": line.makes}])] if line.hands_on else []
    for thing, clauses in line.asked.items():
        rows = [{"$ex": {f"_rows_{block}": 1}} for _, block in line.none] if thing == 0 else []
        patterns.append((f"thing{thing}", [{"_thing": thing}, *rows, *map(_write_clause, clauses)]))
    first = patterns[0][0]
    same: Fact = {"_key": {first: "_key"}}
    for _, tests in patterns[1:]:
        tests.insert(1, same)
    patterns += [(f"held{n}", [{"_made": what}, same]) for n, what in enumerate(line.held)]
    patterns += [(f"none{n}", [{"_made": chain}, same, {"_n": {first: f"_rows_{block}"}}])
                 for n, (chain, block) in enumerate(line.none)]
    if line.record is not None:
        after = [{"_at": {first: "_n"}}] if line.hands_on else []
        patterns.append(("record", [{"_block": line.record}, same, *after, *map(_write_clause, line.columns)]))
    return {"all": [{name: tests[0] if len(tests) == 1 else {"$and": tests}} for name, tests in patterns]}


_TESTS = {">=": "$gte", ">": "$gt", "<=": "$lte", "<": "$lt", "!=": "$neq", "known": "$ex", "missing": "$nex"}


def _write_clause(clause: Clause) -> Fact:
    test = {f"v_{clause.name}": 1 if clause.value is None else clause.value}
    return test if clause.operator == "==" else {_TESTS[clause.operator]: test}


# --- inside -------------------------------------------------------------------------------------


class _Drawing:
    """A plan in the making: what has a number already, and what is being followed now."""

    def __init__(self, rules: Mapping[str, Rule], about: Mapping[str, str]) -> None:
        self.rules, self.about, self.plan = rules, about, Plan()
        self.open: list[str] = []
        self._numbers: dict[str, int] = {}
        self._parts: dict[tuple[Condition, bool], Held] = {}

    def follow(self, name: str) -> int:
        """The number of a rule's outcome or, as `not <rule>`, of its opposite; the lines that make it come first."""
        if name in self.open:
            raise RuleError(Problem(name, f"follows from itself: {' <- '.join([*self.open, name])}",
                                    "rules that do not run in a circle"))
        if name not in self._numbers:
            rule, wanted = name.removeprefix("not "), not name.startswith("not ")
            if rule in self.rules:
                self.open.append(name)
                self._draw(name, find_ways(self.rules[rule].when, wanted, self._name_part))
                self.open.pop()
            else:
                self.plan.given[self._number(name)] = rule, wanted
        return self._number(name)

    def _number(self, name: str) -> int:
        return self._numbers.setdefault(name, len(self._numbers))

    def _name_part(self, condition: Condition, wanted: bool) -> Held:
        if (condition, wanted) not in self._parts:
            held = self._parts[condition, wanted] = Held(f"part {len(self._parts)}")
            if isinstance(condition, AtLeast):
                self._count(held.name, condition, wanted)
            else:
                self._draw(held.name, find_ways(condition, wanted, self._name_part))
            self.plan.parts.add(self._number(held.name))
        return self._parts[condition, wanted]

    def _count(self, name: str, condition: AtLeast, wanted: bool) -> None:
        points, start = self._number(f"points of {name}"), 0
        self.plan.parts.add(points)
        for weight, part in condition.parts:
            for way in find_ways(part, wanted, self._name_part):
                self._add(points, way, tuple(range(start, start + weight)))
            start += weight
        self.plan.lines.append(Line(self._number(name), held=(points,), enough=find_points(condition, wanted)))

    def _draw(self, name: str, ways: Iterable[Way]) -> None:
        number = self._number(name)
        for way in ways:
            self._add(number, way, (0,))

    def _add(self, makes: int, way: Way, times: tuple[int, ...]) -> None:
        """One line for one way, after the lines of all it waits for."""
        clauses = tuple(x for x in way if isinstance(x, Clause))
        _expect(self.plan.facts, clauses)
        things = tuple(self._thing(clause.name) for clause in clauses)
        held = tuple(self.follow(x.name) for x in way if isinstance(x, Held))
        none = tuple((self._chain(x.block), self._block(x.block)) for x in way if isinstance(x, NoRecord))
        line = Line(makes, clauses, things, held, none, times=times)
        for record in (x for x in way if isinstance(x, Record)):        # one at most: see find_ways
            _expect(self.plan.columns.setdefault(record.block, {}), record.clauses)
            line = replace(line, record=self._block(record.block), columns=record.clauses)
        if line.joined > MOST_JOINED:
            raise RuleError(Problem("all", "too many things, outcomes and records to join", f"at most {MOST_JOINED}",
                                    "put some of them in a rule of their own"))
        if not fits([line]) or any(len(kinds) > MOST_NAMES for kinds in self.plan.columns.values()):
            raise RuleError(Problem("all", "too many facts at once", f"at most {MOST_NAMES}",
                                    "put some of them in a rule of their own"))
        self.plan.lines.append(line)

    def _thing(self, name: str) -> int:
        thing = self.about.get(name, "")
        return self.plan.about.setdefault(name, self.plan.things.setdefault(thing, len(self.plan.things)))

    def _block(self, block: Exists) -> int:
        self.plan.columns.setdefault(block, {})
        return self.plan.blocks.setdefault(block, len(self.plan.blocks))

    def _chain(self, block: Exists) -> int:
        if block not in self.plan.chains:
            number = self.plan.chains[block] = self._number(f"chain {len(self.plan.chains)}")
            for columns in find_record_ways(block.where, False):
                _expect(self.plan.columns.setdefault(block, {}), columns)
                self.plan.lines.append(Line(number, record=self._block(block), columns=columns, hands_on=True))
        return self.plan.chains[block]


def _expect(kinds: Kinds, clauses: Iterable[Clause]) -> None:
    for clause in clauses:
        if clause.kind and kinds.setdefault(clause.name, clause.kind) not in (None, clause.kind):
            raise RuleError(Problem(clause.name, f"compared as {kinds[clause.name]} and as {clause.kind}", "one kind"))
        kinds[clause.name] = kinds.get(clause.name) or clause.kind
