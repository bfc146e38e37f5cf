"""A condition -> the expression language of zen-engine (GoRules), and rules -> one of its decision models.

That language has two truths, and no unknown. Comparing null by `>=`, or negating it, ends the whole decision with an
error; `null == 3` is false and `null != 3` true. So every condition is written twice, as "surely so" and as "surely
not", each asking first whether the fact is there; `not` swaps the two. What is neither is unknown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from engine.condition import All, Any_, AtLeast, Compare, Condition, Exists, Known, Not
from engine.rule import Rule

Blocks = Mapping[Exists, int]
_OPPOSITE = {">=": "<", ">": "<=", "<=": ">", "<": ">=", "==": "!=", "!=": "==", "in": "not in", "not in": "in"}


def write_model(rules: Sequence[Rule], blocks: Blocks) -> str:
    """A decision that gives each rule's id true where it surely holds: one node of expressions between in and out."""
    expressions = [{"id": f"e{n}", "key": f"r{n}", "value": surely(rule.when, blocks, True)}
                   for n, rule in enumerate(rules)]
    nodes = [{"id": "in", "type": "inputNode", "name": "case", "content": {}},
             {"id": "rules", "type": "expressionNode", "name": "rules", "content": {"expressions": expressions}},
             {"id": "out", "type": "outputNode", "name": "outcomes", "content": {}}]
    edges = [{"id": f"{a}-{b}", "type": "edge", "sourceId": a, "targetId": b}
             for a, b in (("in", "rules"), ("rules", "out"))]
    return json.dumps({"nodes": nodes, "edges": edges})


def surely(condition: Condition, blocks: Blocks, so: bool, of: str = "") -> str:
    """When a condition surely holds (`so`), or surely does not. `of`: what stands before a name inside a record."""
    match condition:
        case Compare(name, operator, value):
            operator = operator if so else _OPPOSITE[operator]
            return f"({of}{name} != null and {of}{name} {operator} {_write(value)})"
        case Known(name):
            return f"({of}{name} {'!=' if so else '=='} null)"
        case Not(part):
            return surely(part, blocks, not so, of)
        case All(parts) | Any_(parts):
            word = " and " if isinstance(condition, All) is so else " or "
            return f"({word.join(surely(part, blocks, so, of) for part in parts)})"
        case Exists():
            rows, some = f"rows_{blocks[condition]}", "some" if so else "all"
            return f"({rows} != null and {some}({rows}, {surely(condition.where, blocks, so, '#.')}))"
        case AtLeast(points, parts):
            # Surely not: the points of all that is not surely out still do not suffice.
            shares = [f"({surely(part, blocks, so, of)} ? {p if so else 0} : {0 if so else p})" for p, part in parts]
            return f"({' + '.join(shares)} {'>=' if so else '<'} {points})"
    raise NotImplementedError(f"{condition} follows from another rule, which no expression of one node can read")


def _write(value: Any) -> str:
    """As the language writes a value; its lists look like JSON's, and so do its words and numbers."""
    return json.dumps(list(value) if isinstance(value, tuple) else value)
