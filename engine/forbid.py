"""rules/forbidden.yaml held against a pack: what may never be an input, a response or an output of a rule.

Each entry says how it is recognised, by keys the file itself explains. A match on `action: refuse` stops the
pack at load, wherever the name came from: a feature is looked through to the table it is measured on and to
the feature it is carried from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.condition import All, Any_, Compare, Condition, exists_in, names_in, rules_in, walk
from engine.documents import Located, read_document
from engine.errors import Problem, RuleError
from engine.feature import Feature
from engine.rule import Axis, Rule
from engine.schema import Subject

_LISTS = ("axes", "subjects", "names", "columns", "tables", "sides", "carried_via", "sensitivity", "sensitivity_only",
          "channels", "words", "outputs", "required", "steps")
_KEYS = {"title", "why", "action", "on_cards", "side_only", "unless_side", "first_clause", *_LISTS}


@dataclass(frozen=True)
class Forbidden:
    """One thing no rule may use, and how it is recognised (see the head of rules/forbidden.yaml).

    `on_cards`: rules may ask it, and no score card may give points for it.
    """

    id: str
    title: str
    why: str
    action: str
    on_cards: bool
    marks: Mapping[str, tuple[str, ...]]
    side_only: str | None
    unless_side: str | None
    first_clause: str | None


def read_forbidden(path: Path, problems: list[Problem]) -> tuple[Forbidden, ...]:
    """The entries of rules/forbidden.yaml."""
    try:
        document = read_document(path)
    except RuleError as error:
        problems.extend(error.problems)
        return ()
    return tuple(_read_entry(key, raw, problems) for key, raw in document.items()
                 if _well_formed(key, raw, document, problems))


def _well_formed(key: str, raw: object, document: Located, problems: list[Problem]) -> bool:
    if not isinstance(raw, Located):
        problems.append(Problem(document.where(key), f"`{key}` is not a mapping", "F-01: {title: ...}"))
        return False
    odd = [k for k in raw if k not in _KEYS]
    if odd or raw.get("action") not in ("refuse", "warn") or not raw.get("why"):
        problems.append(Problem(raw.where(), f"{key}: {', '.join(odd) or 'action or why'}",
                                ", ".join(sorted(_KEYS)) + "; action refuse or warn"))
        return False
    return True


def _read_entry(key: str, raw: Located, problems: list[Problem]) -> Forbidden:
    marks = {name: tuple(str(item) for item in raw.get(name, ())) for name in _LISTS}
    for pattern in (*marks["names"], *marks["words"]):
        try:
            re.compile(pattern)
        except re.error as error:
            problems.append(Problem(raw.where("names"), f"{key}: `{pattern}` ({error})", "a regular expression"))
    return Forbidden(key, str(raw.get("title", key)), str(raw["why"]), str(raw["action"]),
                     raw.get("on_cards") is True, marks,
                     raw.get("side_only"), raw.get("unless_side"), raw.get("first_clause"))


def find_forbidden(
    rules: Mapping[str, Rule], features: Mapping[str, Feature], forbidden: Sequence[Forbidden]
) -> list[Problem]:
    """Every use of something forbidden, as problems at the rule that uses it."""
    problems = []
    for rule in rules.values():
        read = list(_features_of(rule, rules, features))
        for entry in forbidden:
            if entry.on_cards or not _concerns(entry, rule.axis, rule.subject):
                continue
            for found in [*_in_features(entry, rule, read), *_in_rule(entry, rule)]:
                problems.append(Problem(rule.where_declared, f"{entry.id} {entry.title}: {found}",
                                        "", f"take it out. {entry.why}"))
    return sorted(set(problems))


def find_forbidden_points(
    fact: str, axis: Axis, subject: Subject, where: str, features: Mapping[str, Feature],
    forbidden: Sequence[Forbidden],
) -> list[Problem]:
    """Why a score card on an axis may give no points for a fact; none where it may. Rules may still ask it."""
    return sorted({
        Problem(where, f"{entry.id} {entry.title}: `{fact}` ({why})", "", f"take it out. {entry.why}")
        for entry in forbidden if entry.on_cards and _concerns(entry, axis, subject)
        for feature in _follow(features.get(f"{subject}.{fact}"), features) for why in _marks_on(entry, feature)})


def _concerns(entry: Forbidden, axis: Axis, subject: Subject) -> bool:
    axes, subjects = entry.marks["axes"], entry.marks["subjects"]
    return (not axes or axis in axes) and (not subjects or subject in subjects)


def _features_of(
    rule: Rule, rules: Mapping[str, Rule], features: Mapping[str, Feature]
) -> Iterator[Feature]:
    """The features a rule reads, those carried into them, and those of the rules it follows from."""
    for name in (*names_in(rule.when), *([rule.fades_with] if rule.fades_with else [])):
        yield from _follow(features.get(f"{rule.subject}.{name}"), features)
    for other in rules_in(rule.when):
        if other in rules:
            yield from _features_of(rules[other], rules, features)


def _follow(feature: Feature | None, features: Mapping[str, Feature]) -> Iterator[Feature]:
    """A feature, and the ones it is carried from."""
    while feature is not None:
        yield feature
        feature = features.get(feature.carried_from) if feature.carried_from else None


# --- recognising ----------------------------------------------------------------------------------


def _in_features(entry: Forbidden, rule: Rule, read: Sequence[Feature]) -> Iterator[str]:
    excused = entry.unless_side is not None and any(
        _requires_side(f.where, "side", entry.unless_side) for f in read)
    if entry.action == "warn" and excused:
        return
    for feature in read:
        for why in _marks_on(entry, feature):
            yield f"`{feature.name}` ({why})"
    for block in exists_in(rule.when):
        for why in _marks_on_rows(entry, block.table, block.where, None):
            yield f"`exists` in {block.table} ({why})"


def _marks_on(entry: Forbidden, feature: Feature) -> Iterator[str]:
    marks = entry.marks
    if any(re.search(pattern, feature.name) for pattern in marks["names"]):
        yield "its name"
    if feature.table is not None:
        yield from _marks_on_rows(entry, feature.table, feature.where, feature.of_which, feature.measure.column)
    if feature.via in marks["carried_via"]:
        yield f"carried over via {feature.via}"
    if feature.sensitivity in marks["sensitivity"]:
        yield f"sensitivity {feature.sensitivity}"
    if marks["sensitivity_only"] and feature.sensitivity not in marks["sensitivity_only"]:
        yield f"sensitivity {feature.sensitivity}"


_NAMES_SIDES = {"involvements": "side", "police_involvements": "role"}
_ROLES_OF = {"subject": ("alleged_subject", "subject_substantiated", "convicted")}


def _marks_on_rows(
    entry: Forbidden, table: str, where: Condition | None, which: Condition | None, column: str | None = None
) -> Iterator[str]:
    """What is forbidden about the rows of a table that a feature or an `exists` looks at."""
    marks, conditions = entry.marks, [c for c in (where, which) if c is not None]
    columns = {column, *(name for condition in conditions for name in names_in(condition))}
    if columns & set(marks["columns"]):
        yield "column " + ", ".join(sorted(c for c in columns & set(marks["columns"]) if c))
    if table in marks["tables"]:
        yield f"measured on {table}"
    if any(_says_any(c, name, marks["sides"]) for c in conditions for name in ("side", "role")):
        yield "that side of the report"
    if any(_says_any(c, name, marks["channels"]) for c in conditions for name in ("origin", "channel")):
        yield "that origin of the record"
    if entry.side_only and table in _NAMES_SIDES and not _requires_side(where, _NAMES_SIDES[table], entry.side_only):
        yield f"it does not ask for {_NAMES_SIDES[table]} == {entry.side_only}"


def _in_rule(entry: Forbidden, rule: Rule) -> Iterator[str]:
    texts = [rule.because, *(response.text for response in rule.respond)]
    for pattern in entry.marks["words"]:
        for text in texts:
            match = re.search(pattern, text, re.IGNORECASE)
            if match:
                yield f"the words “{match[0]}”"
    for step in entry.marks["steps"]:
        if any(response.step == step for response in rule.respond):
            yield f"a response that would {step}"
    if entry.first_clause and entry.first_clause not in _first_clauses(rule.when):
        yield f"`when` does not begin with `{entry.first_clause}`"
    for field in entry.marks["required"]:
        if not getattr(rule, field):
            yield f"no {field}"


def _first_clauses(condition: Condition) -> tuple[str, ...]:
    parts = condition.parts if isinstance(condition, All) else (condition,)
    first = parts[0] if parts else None
    return (f"{first.name} {first.operator} {first.value}",) if isinstance(first, Compare) else ()


def _says_any(condition: Condition, name: str, values: Sequence[str]) -> bool:
    for node in walk(condition):
        if isinstance(node, Compare) and node.name == name and node.operator in ("==", "in"):
            said = node.value if isinstance(node.value, tuple) else (node.value,)
            if set(map(str, said)) & set(values):
                return True
    return False


def _requires_side(condition: Condition | None, name: str, side: str) -> bool:
    """Whether every row that meets the condition is on that side: a mention somewhere is not enough."""
    match condition:
        case Compare():
            said = condition.value if isinstance(condition.value, tuple) else (condition.value,)
            allowed = (side, *_ROLES_OF.get(side, ()))
            return condition.name == name and condition.operator in ("==", "in") and set(said) <= set(allowed)
        case All(parts):
            return any(_requires_side(part, name, side) for part in parts)
        case Any_(parts):
            return all(_requires_side(part, name, side) for part in parts)
    return False
