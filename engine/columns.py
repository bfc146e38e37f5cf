"""A condition as one Ibis expression over everyone: the same meaning as `evaluate`, in columns.

SQL's three values are Kleene's, so unknown survives as NULL. Related records (`exists`) and other
rules' outcomes must already be boolean columns; the caller says which.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Mapping
from typing import Any

import ibis
import ibis.expr.types as ir

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
)

Column = Callable[[str], ir.Value]


def express(
    condition: Condition,
    column: Column,
    outcomes: Mapping[str, ir.BooleanValue] | None = None,
    related: Mapping[Exists, ir.BooleanValue] | None = None,
) -> ir.BooleanValue:
    """The condition over columns: TRUE, FALSE or NULL per row.

    `column` gives the expression of a fact by name; `outcomes` the boolean of each rule named;
    `related` the boolean of each `exists` block.
    """
    again = functools.partial(express, column=column, outcomes=outcomes, related=related)
    match condition:
        case Compare():
            return _compare(column(condition.name), condition)
        case Known(name):
            return column(name).notnull()
        case Outcome(rule):
            return (outcomes or {})[rule]
        case Exists():
            return (related or {})[condition]
        case All(parts):
            return functools.reduce(operator.and_, [again(part) for part in parts])
        case Any_(parts):
            return functools.reduce(operator.or_, [again(part) for part in parts])
        case Not(part):
            # OR FALSE changes nothing, but Ibis 12 writes (NOT x) IS NULL without the brackets, which SQL reads
            # as NOT (x IS NULL): an unknown negation would be counted as known.
            return ~again(part) | ibis.literal(False)
        case AtLeast(points, parts):
            return _at_least(points, [(p, again(part)) for p, part in parts])


_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    ">=": operator.ge, ">": operator.gt, "<=": operator.le, "<": operator.lt,
    "==": operator.eq, "!=": operator.ne,
}


def _compare(column: Any, clause: Compare) -> Any:
    if clause.operator == "in":
        return column.isin(list(clause.value))      # type: ignore[arg-type]
    if clause.operator == "not in":
        return column.notin(list(clause.value)) | ibis.literal(False)     # type: ignore[arg-type]
    return _COMPARE[clause.operator](column, ibis.literal(clause.value))


def _at_least(points: int, parts: list[tuple[int, Any]]) -> Any:
    zero = ibis.literal(0)
    certain = sum((part.fill_null(False).ifelse(p, 0) for p, part in parts), start=zero)
    possible = sum((part.fill_null(True).ifelse(p, 0) for p, part in parts), start=zero)
    return ibis.cases((certain >= points, True), (possible < points, False), else_=ibis.null("boolean"))
