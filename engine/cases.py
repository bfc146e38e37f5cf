"""rules/**/*.test.yaml -> cases, and the cases of a pack that come out otherwise than they say.

A case gives the facts of one subject and says what its rule should do. Judged by `evaluate`, the meaning of a
rule, and never by the columns everyone is judged in.

    background: {age: 34}                  shared by the cases below
    cases:
      - name: At nine nothing counts as harm
        given: {age: 9}                    null, or left out = not known
        related: {orders: [{current: true}]}   records within the rule's reach; a table left out or null = feed late
        rules: {person/other-rule: fires}  left out = worked out from the same facts
        expect: does_not_fire              fires | does_not_fire | cannot_tell
        missing: [age]                     with cannot_tell: the facts that would settle it
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.check import check_condition, check_named, columns_asked
from engine.condition import All, Compare, Exists, Known, Outcome, exists_in, names_in, rules_in
from engine.documents import Located, read_document
from engine.errors import Problem, RuleError
from engine.evaluate import Case, State, Step, evaluate
from engine.pack import Pack
from engine.reasons import find_unknown

OUTCOMES: dict[str, State] = {"fires": True, "does_not_fire": False, "cannot_tell": None}
Rows = Sequence[Mapping[str, Any]]

_CASE_KEYS = ("name", "given", "related", "rules", "expect", "missing")


@dataclass(frozen=True)
class RuleCase:
    """One case of one rule: what is given, and what the rule should make of it.

    `given` has the background merged in; `related` rows by table, None = the feed is late; `missing` names the
    facts (or the tables) that keep the rule from telling, in no order.
    """

    rule: str
    name: str
    given: Mapping[str, Any]
    related: Mapping[str, Rows | None]
    outcomes: Mapping[str, State]
    expect: str
    missing: frozenset[str]
    where: str


def read_cases(path: Path) -> list[RuleCase]:
    """The cases in one file, for the rule beside it. Raises RuleError with every problem, by file:line."""
    document = read_document(path)
    problems = _odd_keys(document, ("background", "cases"))
    background = document.get("background") or {}
    listed = document.get("cases")
    if not isinstance(background, Mapping):
        problems.append(Problem(document.where("background"), "`background` is not a mapping", "fact: value"))
        background = {}
    if not isinstance(listed, list) or not listed:
        problems.append(Problem(document.where("cases"), "no cases", "a list of one or more cases"))
        listed = []
    rule = f"{path.parent.name}/{path.name.removesuffix('.test.yaml')}"
    cases = [_read_case(raw, rule, background, document.where("cases"), problems) for raw in listed]
    found = [case for case in cases if case is not None]
    problems += _named_twice(found)
    if problems:
        raise RuleError(sorted(problems))
    return found


def read_all_cases(folder: Path) -> tuple[list[RuleCase], list[Problem]]:
    """The cases of every rule in a rules folder, in order of file, and what is wrong with their files."""
    cases: list[RuleCase] = []
    problems: list[Problem] = []
    for path in sorted(folder.rglob("*.test.yaml")):
        try:
            cases += read_cases(path)
        except RuleError as error:
            problems += error.problems
    return cases, problems


def run_cases(pack: Pack) -> list[Problem]:
    """What is wrong with a pack's cases: unreadable, without a rule, or not what the rule does; none when all hold.

    Every rule needs a case for each of the three outcomes.
    """
    cases, problems = read_all_cases(pack.folder)
    for case in cases:
        problems += run_case(case, pack)
    for rule in pack.rules.values():
        path = pack.folder / f"{rule.id}.test.yaml"
        shown = {case.expect for case in cases if case.rule == rule.id}
        lacking = [outcome for outcome in OUTCOMES if outcome not in shown]
        if lacking and not any(p.where.startswith(f"{path}:") for p in problems):
            problems.append(Problem(f"{path}:1", f"no case of {rule.id} shows: {', '.join(lacking)}",
                                    "at least one case for each of " + ", ".join(OUTCOMES)))
    return sorted(problems)


def run_case(case: RuleCase, pack: Pack) -> list[Problem]:
    """What is wrong with one case; nothing when its rule does what it says, for want of what it says."""
    rule = pack.rules.get(case.rule)
    if rule is None:
        return [Problem(case.where, f"cases for `{case.rule}`, which is not a rule",
                        "a file named as its rule, <rule>.test.yaml")]
    problems = _check_facts(case, pack)
    if problems:
        return problems
    steps = judge_case(case, pack)
    step = steps[case.rule]
    came = next(word for word, state in OUTCOMES.items() if state is step.state)
    missing = find_missing(step, steps)
    wanting = f", for want of {', '.join(sorted(missing))}" if missing else ""
    if came != case.expect:
        return [Problem(case.where, f"“{case.name}”: {_say(came)}{wanting}", f"{_say(case.expect)}, as the case says",
                        "put right whichever of the two is wrong")]
    if missing != case.missing:
        return [Problem(case.where, f"“{case.name}”: cannot tell{wanting}", f"missing: [{', '.join(sorted(missing))}]",
                        "name the facts that would settle it")]
    return []


def judge_case(case: RuleCase, pack: Pack) -> dict[str, Step]:
    """The case's rule, and each rule it follows from that the case gives no outcome for, step by step."""
    steps: dict[str, Step] = {}
    outcomes = dict(case.outcomes)
    wanted = _follow(case.rule, lambda r: [o for o in rules_in(pack.rules[r].when) if o not in case.outcomes])
    for rule in (r for r in pack.order if r in wanted):
        when = pack.rules[rule].when
        related = {block: case.related.get(block.table) for block in exists_in(when)}
        steps[rule] = evaluate(when, Case(case.given, outcomes, related))
        outcomes[rule] = steps[rule].state
    return steps


def find_missing(step: Step, steps: Mapping[str, Step]) -> frozenset[str]:
    """What would settle an unknown step: facts, tables, and for a rule whose outcome is given, the rule."""
    missing: set[str] = set()
    for leaf in find_unknown(step):
        match leaf.condition:
            case Compare(name) | Known(name):
                missing.add(name)
            case Exists(table):
                missing.add(table)
            case Outcome(rule):
                missing |= find_missing(steps[rule], steps) if rule in steps else {rule}
    return frozenset(missing)


# --- reading ------------------------------------------------------------------------------------


def _read_case(
    raw: object, rule: str, background: Mapping[str, Any], at: str, problems: list[Problem]
) -> RuleCase | None:
    if not isinstance(raw, Located):
        problems.append(Problem(at, f"`{raw}` is not a case", "{name: ..., given: {...}, expect: ...}"))
        return None
    wrong = [*_odd_keys(raw, _CASE_KEYS), *_check_shape(raw)]
    problems += wrong
    if wrong:
        return None
    given = {**background, **(raw.get("given") or {})}
    return RuleCase(
        rule, str(raw["name"]), given, raw.get("related") or {},
        {other: OUTCOMES[outcome] for other, outcome in (raw.get("rules") or {}).items()},
        str(raw["expect"]), frozenset(map(str, raw.get("missing") or ())), raw.where())


def _odd_keys(raw: Located, allowed: Sequence[str]) -> list[Problem]:
    return [Problem(raw.where(key), f"unknown key `{key}`", ", ".join(allowed)) for key in raw if key not in allowed]


def _check_shape(raw: Located) -> list[Problem]:
    found = []
    if not isinstance(raw.get("name"), str):
        found.append(Problem(raw.where(), "a case without a name", "name: what the officer would see"))
    if str(raw.get("expect")) not in OUTCOMES:
        found.append(Problem(raw.where("expect"), f"expect `{raw.get('expect')}`", ", ".join(OUTCOMES)))
    elif (raw["expect"] == "cannot_tell") != bool(raw.get("missing")):
        found.append(Problem(raw.where(), f"expect {raw['expect']} with missing `{raw.get('missing')}`",
                             "`missing: [facts]` with cannot_tell, and only there"))
    for key in ("given", "related", "rules"):
        if not isinstance(raw.get(key) or {}, Mapping):
            found.append(Problem(raw.where(key), f"`{key}` is not a mapping", f"{key}: {{name: ...}}"))
    if not isinstance(raw.get("missing") or [], list):
        found.append(Problem(raw.where("missing"), f"missing `{raw['missing']}`", "a list of facts"))
    return found or _check_inside(raw)


def _check_inside(raw: Located) -> list[Problem]:
    found = [Problem(raw.where("rules"), f"`{rule}: {outcome}`", ", ".join(OUTCOMES))
             for rule, outcome in (raw.get("rules") or {}).items() if str(outcome) not in OUTCOMES]
    for table, rows in (raw.get("related") or {}).items():
        if rows is not None and not (isinstance(rows, list) and all(isinstance(row, Mapping) for row in rows)):
            found.append(Problem(raw.where("related"), f"`{table}` is not a list of records", "[{column: value}]"))
    return found


def _named_twice(cases: Iterable[RuleCase]) -> list[Problem]:
    first: dict[str, RuleCase] = {}
    return [Problem(case.where, f"“{case.name}” names two cases", "each name once", f"see {first[case.name].where}")
            for case in cases if first.setdefault(case.name, case) is not case]


# --- checking -----------------------------------------------------------------------------------


def _check_facts(case: RuleCase, pack: Pack) -> list[Problem]:
    """A fact misspelt would pass as one not known: each must be one the rule reads, of its own kind of value."""
    wanted = _follow(case.rule, lambda r: rules_in(pack.rules[r].when))
    whens = [pack.rules[rule].when for rule in sorted(wanted)]
    features = pack.features_of(pack.rules[case.rule].subject)
    read = {name: features[name] for when in whens for name in names_in(when)}
    problems = check_named(_claims(case.given), read, case.where, f"what {case.rule} reads", pack.tables)
    tables = {block.table for when in whens for block in exists_in(when)}
    for table, rows in case.related.items():
        if table not in tables:
            problems.append(Problem(case.where, f"records of `{table}`, which {case.rule} does not read",
                                    ", ".join(sorted(tables)) or "no `related:`"))
            continue
        columns = columns_asked(pack.tables[table])
        for row in rows or ():
            problems += check_condition(_claims(row), columns.get, columns, case.where, table)
    problems += [Problem(case.where, f"an outcome of `{rule}`, which {case.rule} does not read",
                         ", ".join(sorted(wanted - {case.rule})) or "no `rules:`")
                 for rule in case.outcomes if rule not in wanted]
    return problems


def _claims(values: Mapping[str, Any]) -> All:
    """What a case says of its facts, as a condition, so that it is checked as rules are."""
    return All(tuple(Known(name) if value is None else Compare(name, "==", value)
                     for name, value in values.items()))


def _follow(rule: str, reads: Callable[[str], Iterable[str]]) -> set[str]:
    """A rule and all it follows from."""
    found, waiting = set(), [rule]
    while waiting:
        rule = waiting.pop()
        if rule not in found:
            found.add(rule)
            waiting += reads(rule)
    return found


def _say(outcome: str) -> str:
    return outcome.replace("_", " ")
