"""Whether what a pack says fits together: names exist, kinds and units agree, nothing runs in a circle.

Reads declared values only; gives back problems with file:line, never raises for what it finds.
"""

from __future__ import annotations

import difflib
import graphlib
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date

from engine.condition import Compare, Condition, Exists, Known, Outcome, names_in, rules_in, walk
from engine.errors import Problem
from engine.feature import Feature
from engine.rule import Exclusion, Protection, Rule
from engine.schema import Kind, Subject

Tables = Mapping[str, Mapping[str, Kind]]
_PLACEHOLDER = re.compile(r"\{([a-z0-9_]+)\}")


def check_feature(
    feature: Feature, features: Mapping[str, Feature], feeds: Iterable[str], tables: Tables
) -> list[Problem]:
    """A feature's table, columns, conditions, feeds and what it carries must exist."""
    at = feature.where_declared
    problems = [
        Problem(at, f"`{feature.name}`: no feed `{feed}`", _nearest(feed, feeds),
                "name the feeds whose silence would make it unknown")
        for feed in feature.feeds if feed not in set(feeds)
    ]
    if feature.carried_from is not None and feature.carried_from not in features:
        problems.append(Problem(at, f"`{feature.name}` carries `{feature.carried_from}`",
                                _nearest(feature.carried_from, features)))
    if feature.table is None:
        return problems
    if feature.table not in tables:
        return [*problems, Problem(at, f"`{feature.name}`: no table `{feature.table}`",
                                   _nearest(feature.table, tables))]
    columns = tables[feature.table]
    column = feature.measure.column
    if column is not None and column not in columns:
        problems.append(Problem(at, f"`{feature.name}`: {feature.table} has no column `{column}`",
                                _nearest(column, columns)))
    if feature.subject == "person" and "person" not in columns:
        problems.append(Problem(at, f"`{feature.name}`: {feature.table} names no person",
                                "a table with a `person` column",
                                "measure it on involvements, which says who was on which side"))
    for condition in (feature.where, feature.of_which):
        if condition is not None:
            problems += _check_rows(condition, at, feature.table)
            problems += check_condition(condition, columns.get, columns, at, feature.table)
    return problems


def check_rule(
    rule: Rule, rules: Mapping[str, Rule], features: Mapping[str, Feature], tables: Tables
) -> list[Problem]:
    """A rule's facts, the rules it reads, its tables and the places in its sentence must exist and agree."""
    at = rule.where_declared
    known = {f.name: f for f in features.values() if f.subject == rule.subject}
    problems = check_named(rule.when, known, at, f"a {rule.subject} rule", tables, rule.subject)
    for other in rules_in(rule.when):
        if other not in rules:
            problems.append(Problem(at, f"no rule `{other}`", _nearest(other, rules)))
        elif rules[other].subject != rule.subject:
            problems.append(Problem(at, f"`{other}` judges another kind of subject", f"a {rule.subject} rule"))
    if rule.fades_with is not None and rule.fades_with not in known:
        problems.append(Problem(at, f"fades_with `{rule.fades_with}`", _nearest(rule.fades_with, known)))
    read = set(names_in(rule.when)) | {rule.fades_with}
    for other in rules_in(rule.when):
        read |= set(names_in(rules[other].when)) if other in rules else set()
    problems += [
        Problem(at, f"`because` names {{{name}}}", "facts the rule reads: " + ", ".join(sorted(filter(None, read))),
                "say only what the rule looked at")
        for name in _PLACEHOLDER.findall(rule.because) if name not in read
    ]
    return problems


def check_named(
    condition: Condition, known: Mapping[str, Feature], at: str, whose: str, tables: Tables,
    subject: Subject | None = None,
) -> list[Problem]:
    """Every fact a condition on a subject reads is a feature of it, compared with its own kind of value.

    Without `subject`, what `exists` asks may not be a distance: only a place and a home have a point.
    """
    problems = check_condition(condition, lambda n: known[n].kind if n in known else None, known, at, whose)
    for node in walk(condition):
        if isinstance(node, Compare) and node.name in known and known[node.name].values:
            allowed = known[node.name].values
            given = node.value if isinstance(node.value, tuple) else (node.value,)
            problems += [Problem(at, f"`{node.name}` is never `{value}`", ", ".join(allowed))
                         for value in given if value not in allowed]
        if isinstance(node, Exists):
            columns = tables.get(node.table)
            if columns is None:
                problems.append(Problem(at, f"no table `{node.table}`", _nearest(node.table, tables)))
            else:
                problems += _check_rows(node.where, at, node.table)
                problems += _check_distance(node, columns, at, subject)
                columns = columns_asked(columns)
                problems += check_condition(node.where, columns.get, columns, at, node.table)
    return problems


def columns_asked(columns: Mapping[str, Kind]) -> Mapping[str, Kind]:
    """What `exists` may ask of a row: its columns, and `metres` from the subject."""
    return {**columns, "metres": "number"}


def _check_distance(
    block: Exists, columns: Mapping[str, Kind], at: str, subject: Subject | None
) -> list[Problem]:
    """A distance runs between two points: that of the row and that of a place or of the home on offer."""
    if "metres" not in names_in(block.where):
        return []
    if subject not in ("place", "allocation"):
        return [Problem(at, f"`metres` of {block.table}, asked of a {subject or 'subject'}",
                        "a place or allocation rule", "ask it of the home on offer: a person has no point")]
    if "easting" not in columns:
        return [Problem(at, f"`metres` of {block.table}, whose records have no point",
                        "a table with easting and northing, such as keep_apart_places or order_zones")]
    return []


def _check_rows(condition: Condition, at: str, table: str) -> list[Problem]:
    """A condition on the rows of a table asks about the row alone."""
    return [Problem(at, f"`{'rule' if isinstance(node, Outcome) else 'exists'}` inside a condition on {table}",
                    "clauses on the columns of the row", "ask it beside `exists`, not inside")
            for node in walk(condition) if isinstance(node, Outcome | Exists)]


def check_condition(
    condition: Condition,
    kind_of: Callable[[str], Kind | None],
    names: Iterable[str],
    at: str,
    whose: str,
) -> list[Problem]:
    """The names a condition reads exist in `names`, and its literals are of the same kind."""
    problems = []
    for node in walk(condition):
        if not isinstance(node, Compare | Known):
            continue
        kind = kind_of(node.name)
        if kind is None:
            problems.append(Problem(at, f"unknown name `{node.name}` in {whose}", _nearest(node.name, names)))
        elif isinstance(node, Compare):
            problems += _check_literal(node, kind, at)
    return problems


def _check_literal(clause: Compare, kind: Kind, at: str) -> list[Problem]:
    values = clause.value if isinstance(clause.value, tuple) else (clause.value,)
    wrong = [value for value in values if _kind(value) != kind]
    truth = kind == "boolean" and any(value in ("true", "false") for value in wrong)
    found = [Problem(at, f"`{clause.name}` is a {kind}, compared with `{value}`",
                     f"`{clause.name} is {value}`" if truth else f"a {kind}") for value in wrong]
    if kind in ("boolean", "text") and clause.operator in (">", ">=", "<", "<="):
        found.append(Problem(at, f"`{clause.name} {clause.operator}` on a {kind}", "== != in, or `is true`"))
    return found


def _kind(value: object) -> Kind:
    match value:
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case date():
            return "date"
    return "text"


def find_circle(rules: Mapping[str, Rule]) -> list[Problem]:
    """Rules that follow from each other in a circle, if any."""
    try:
        order_of(rules)
    except graphlib.CycleError as error:
        circle = error.args[1]
        return [Problem(rules[circle[0]].where_declared, "rules in a circle: " + " <- ".join(circle),
                        "rules that end in features", "take one `rule:` out of the circle")]
    return []


def order_of(rules: Mapping[str, Rule]) -> tuple[str, ...]:
    """Rule ids so that each comes after those it reads; alphabetical wherever that leaves a choice."""
    sorter: graphlib.TopologicalSorter[str] = graphlib.TopologicalSorter()
    for rule in sorted(rules):
        sorter.add(rule, *sorted(other for other in rules_in(rules[rule].when) if other in rules))
    sorter.prepare()
    order: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        order += ready
        sorter.done(*ready)
    return tuple(order)


def check_conditions(
    entries: Iterable[Exclusion | Protection],
    features: Mapping[str, Feature],
    tables: Tables,
    at: str,
) -> list[Problem]:
    """The conditions of exclusions and protective factors read features of their own subject."""
    problems = []
    for entry in entries:
        if entry.when is not None:
            subject: Subject = entry.subject or "person"
            known = {f.name: f for f in features.values() if f.subject == subject}
            problems += check_named(entry.when, known, f"{at}: {entry.id}", entry.id, tables, subject)
    return problems


def _nearest(name: str, names: Iterable[str]) -> str:
    names = list(names)
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    if close:
        return "did you mean " + " or ".join(close) + "?"
    return ", ".join(sorted(names)[:12]) + (", ..." if len(names) > 12 else "")
