"""What a rule may ask: eight frozen nodes, and the one-line phrases people write them in.

    all: [...]   any: [...]   not: ...                     nesting
    asb_victim_183d >= 3      tenure in [council, other]    a comparison
    support_package is known  isolated is true              presence, and facts
    rule: person/other-rule                                 another rule's outcome
    at_least: 3  of: [...]                                  points over several conditions
    exists: {in: orders, where: ..., within: 365d}          some related record

A node that exists is well formed; whether its names and units make sense is `pack`'s business. Meaning
is given by `evaluate` (plain Python) and must equal `columns` (Ibis) on every case.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from engine.documents import Located, Text
from engine.errors import Problem, RuleError

Value = int | float | bool | str | date
Operator = Literal[">=", ">", "<=", "<", "==", "!=", "in", "not in"]


@dataclass(frozen=True)
class Compare:
    """`name operator value`; for `in` and `not in` the value is a tuple. A missing name is unknown."""

    name: str
    operator: Operator
    value: Value | tuple[Value, ...]

    def __post_init__(self) -> None:
        if (self.operator in ("in", "not in")) != isinstance(self.value, tuple):
            raise ValueError(f"{self.operator} needs {'a list' if 'in' in self.operator else 'a value'}")


@dataclass(frozen=True)
class Known:
    """Whether a fact is known at all: with `Compare` on outcomes, the only question that is never unknown."""

    name: str


@dataclass(frozen=True)
class All:
    """True if every part is, false if one is false, else unknown."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Any_:
    """True if one part is, false if every part is false, else unknown."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Not:
    """True for false and false for true; unknown stays unknown."""

    part: Condition


@dataclass(frozen=True)
class Outcome:
    """Another rule's outcome for the same subject."""

    rule: str


@dataclass(frozen=True)
class AtLeast:
    """True if the parts surely true carry `points`, false if even the unknown ones could not, else unknown."""

    points: int
    parts: tuple[tuple[int, Condition], ...]


@dataclass(frozen=True)
class Exists:
    """Some record of `table` related to the subject meets `where`, known within `within` days, `near` metres."""

    table: str
    where: Condition
    within: int | None = None
    near: int | None = None


Condition = Compare | Known | All | Any_ | Not | Outcome | AtLeast | Exists

# --- reading ------------------------------------------------------------------------------------

_CLAUSE = re.compile(
    r"(?P<name>[a-z][a-z0-9_]*)\s*(?P<operator>>=|<=|==|!=|>|<|\bnot in\b|\bin\b|\bis\b)\s*(?P<value>.+)"
)
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?$")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}$")
_LARGEST = 2**53     # beyond this whole numbers are not exact in every engine
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*$")
_QUOTED = re.compile(r"'([^']*)'$|\"([^\"]*)\"$")
_GRAMMAR = (
    "`name >= 3` (also > <= < == !=), `name in [a, b]`, `name not in [a, b]`, "
    "`name is true|false|known|missing`"
)
_BLOCKS = "all, any, not, rule, at_least + of, exists"


def read_condition(source: object, where: str = "condition") -> Condition:
    """The condition a YAML value writes down. Raises RuleError with every problem, by file:line."""
    problems: list[Problem] = []
    condition = _read(source, where, problems)
    if problems:
        raise RuleError(problems)
    assert condition is not None
    return condition


def _read(source: object, where: str, problems: list[Problem]) -> Condition | None:
    if isinstance(source, str):
        return _read_clause(source, getattr(source, "at", where), problems)
    if isinstance(source, Mapping):
        at = source.where() if isinstance(source, Located) else where
        return _read_block(source, at, problems)
    problems.append(Problem(where, f"`{source}` is not a condition", f"a clause, or one of {_BLOCKS}"))
    return None


def _read_block(block: Mapping[str, Any], at: str, problems: list[Problem]) -> Condition | None:
    match sorted(block):
        case ["all" | "any" as word]:
            parts = _read_parts(block[word], word, at, problems)
            return (All if word == "all" else Any_)(parts) if parts else None
        case ["not"]:
            part = _read(block["not"], at, problems)
            return Not(part) if part is not None else None
        case ["rule"] if isinstance(block["rule"], str):
            return Outcome(str(block["rule"]))
        case ["at_least", "of"] if type(block["at_least"]) is int:
            return _read_at_least(block, at, problems)
        case ["exists"] if isinstance(block["exists"], Mapping):
            return _read_exists(block["exists"], at, problems)
    problems.append(Problem(at, f"a block with `{', '.join(block)}`", f"one of {_BLOCKS}",
                            "give one block a line, nested under all/any/not"))
    return None


def _read_parts(items: object, word: str, at: str, problems: list[Problem]) -> tuple[Condition, ...]:
    if not isinstance(items, list) or not items:
        problems.append(Problem(at, f"`{word}` without conditions", "a list of one or more conditions"))
        return ()
    parts = [_read(item, at, problems) for item in items]
    return tuple(part for part in parts if part is not None)


def _read_at_least(block: Mapping[str, Any], at: str, problems: list[Problem]) -> Condition | None:
    items = block["of"]
    if not isinstance(items, list) or not items:
        problems.append(Problem(at, "`of` without conditions", "a list of one or more conditions"))
        return None
    parts: list[tuple[int, Condition]] = []
    for item in items:
        points, source = 1, item
        if isinstance(item, Mapping) and sorted(item) == ["points", "when"]:
            points, source = item["points"], item["when"]
        if not isinstance(points, int) or isinstance(points, bool) or points < 1:
            problems.append(Problem(at, f"points `{points}`", "a whole number, 1 or more"))
            continue
        part = _read(source, at, problems)
        if part is not None:
            parts.append((points, part))
    needed, possible = int(block["at_least"]), sum(points for points, _ in parts)
    if parts and not 1 <= needed <= possible:
        problems.append(Problem(at, f"`at_least: {needed}` of {possible} points", f"1 to {possible}",
                                "at none it always holds, above the sum never"))
        return None
    return AtLeast(needed, tuple(parts))


def _read_exists(block: Mapping[str, Any], at: str, problems: list[Problem]) -> Condition | None:
    unknown = set(block) - {"in", "where", "within", "near"}
    if unknown or "in" not in block or "where" not in block:
        problems.append(Problem(at, f"`exists` with `{', '.join(block)}`",
                                "in, where, and optionally within: 90d, near: 400m"))
        return None
    within = _read_measure(block.get("within"), "d", "within: 90d", at, problems)
    near = _read_measure(block.get("near"), "m", "near: 400m", at, problems)
    where = _read(block["where"], at, problems)
    return Exists(str(block["in"]), where, within, near) if where is not None else None


def _read_measure(
    text: object, unit: str, example: str, at: str, problems: list[Problem]
) -> int | None:
    if text is None:
        return None
    match = re.fullmatch(rf"(\d+){unit}", str(text))
    if not match:
        problems.append(Problem(at, f"`{text}`", f"`{example}`"))
        return None
    return int(match[1])


def _read_clause(text: str, at: str, problems: list[Problem]) -> Condition | None:
    match = _CLAUSE.fullmatch(text.strip())
    if match is None:
        problems.append(Problem(at, f"`{text}` is not a clause", _GRAMMAR,
                                "write one comparison a line; arithmetic belongs in a feature"))
        return None
    name, operator, rest = match["name"], match["operator"], match["value"].strip()
    if operator == "is":
        return _read_presence(name, rest, text, at, problems)
    if operator in ("in", "not in"):
        values = _read_list(rest)
        if values:
            return Compare(name, operator, values)  # type: ignore[arg-type]
    else:
        value = _read_literal(rest)
        if value is not None:
            return Compare(name, operator, value)  # type: ignore[arg-type]
    problems.append(Problem(at, f"`{rest}` in `{text}`",
                            "a number, a word, 'quoted text', YYYY-MM-DD, or a list [a, b] after in",
                            "a threshold is written here as itself, never as another feature"))
    return None


def _read_presence(
    name: str, word: str, text: str, at: str, problems: list[Problem]
) -> Condition | None:
    match word:
        case "known":
            return Known(name)
        case "missing":
            return Not(Known(name))
        case "true" | "false":
            return Compare(name, "==", word == "true")
    problems.append(Problem(at, f"`{text}`", "`is true`, `is false`, `is known` or `is missing`",
                            "use == to compare with a number or a word"))
    return None


def _read_list(text: str) -> tuple[Value, ...] | None:
    if not (text.startswith("[") and text.endswith("]")):
        return None
    values = [_read_literal(item.strip()) for item in text[1:-1].split(",")]
    return None if None in values else tuple(value for value in values if value is not None)


def _read_literal(text: str) -> Value | None:
    if _NUMBER.match(text):
        number = float(text) if "." in text else int(text)
        return number if abs(number) <= _LARGEST else None
    if _DATE.match(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            return None
    quoted = _QUOTED.match(text)
    if quoted:
        return quoted[1] if quoted[1] is not None else quoted[2]
    return str(Text(text)) if _WORD.match(text) else None


# --- walking ------------------------------------------------------------------------------------


def parts_of(condition: Condition) -> tuple[Condition, ...]:
    """The conditions directly inside one, in order; the inside of `exists` speaks of other rows."""
    match condition:
        case All(parts) | Any_(parts):
            return parts
        case Not(part):
            return (part,)
        case AtLeast(_, weighted):
            return tuple(part for _, part in weighted)
        case _:
            return ()


def walk(condition: Condition) -> Iterator[Condition]:
    """A condition and everything inside it, outermost first."""
    yield condition
    for part in parts_of(condition):
        yield from walk(part)


def names_in(condition: Condition) -> tuple[str, ...]:
    """The facts about the subject that a condition reads, each once, in order of first use."""
    names = (node.name for node in walk(condition) if isinstance(node, Compare | Known))
    return tuple(dict.fromkeys(names))


def rules_in(condition: Condition) -> tuple[str, ...]:
    """The rules whose outcome a condition reads, each once."""
    return tuple(dict.fromkeys(n.rule for n in walk(condition) if isinstance(n, Outcome)))


def exists_in(condition: Condition) -> tuple[Exists, ...]:
    """The `exists` blocks of a condition, each once."""
    return tuple(dict.fromkeys(n for n in walk(condition) if isinstance(n, Exists)))
