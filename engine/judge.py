"""Measured subjects -> each rule's outcome for everyone, in columns, and the few worth looking at closer.

Rules run in order, so that a rule may read another's outcome. Exclusions and protective factors are conditions
like any other and are worked out in the same pass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType

import ibis
import ibis.expr.types as ir
import pandas as pd

from engine.columns import express
from engine.condition import Condition, Exists, exists_in, rules_in
from engine.pack import Pack
from engine.schema import Subject

NOTHING: Mapping[str, int] = MappingProxyType({})


def conditions_of(pack: Pack, subject: Subject, as_of: date) -> dict[str, Condition]:
    """Every condition judged for a kind of subject, by its column name, in an order that can be followed."""
    named: dict[str, Condition] = {f"rule:{r.id}": r.when for r in pack.rules_of(subject, as_of)}
    named |= {f"exclusion:{x.id}": x.when for x in pack.exclusions
              if x.when is not None and x.subject == subject}
    named |= {f"protection:{p.id}": p.when for p in pack.protections if p.subject == subject}
    return named


def exists_of(pack: Pack, subject: Subject, as_of: date) -> list[Exists]:
    """The `exists` blocks the rules of a kind of subject ask, each once, in rule order."""
    blocks = [b for c in conditions_of(pack, subject, as_of).values() for b in exists_in(c)]
    return list(dict.fromkeys(blocks))


def judge(measured: ir.Table, pack: Pack, subject: Subject, as_of: date) -> ir.Table:
    """The measured table with a boolean column `rule:<id>`, `exclusion:<id>` or `protection:<id>` for each.

    TRUE, FALSE, or NULL where it cannot tell.
    """
    blocks = exists_of(pack, subject, as_of)
    waiting = conditions_of(pack, subject, as_of)
    done: dict[str, str] = {}
    table = measured
    while waiting:
        # One pass for every condition whose rules are already columns; a pack has no circles (pack.py).
        ready = {n: c for n, c in waiting.items() if not {f"rule:{r}" for r in rules_in(c)} & set(waiting)}
        outcomes = {rule: table[column] for rule, column in done.items()}
        # A rule that is retired or past its review date is judged by nobody: what follows from it cannot tell.
        outcomes |= {r: ibis.null("boolean") for c in ready.values() for r in rules_in(c) if r not in done}
        related = {block: table[f"exists_{n}"] for n, block in enumerate(blocks)}
        table = table.mutate(**{
            name: express(condition, table.__getitem__, outcomes, related)
            for name, condition in ready.items()})
        done |= {name.removeprefix("rule:"): name for name in ready}
        waiting = {n: c for n, c in waiting.items() if n not in ready}
    return table


def count_outcomes(table: ir.Table) -> pd.DataFrame:
    """How often each rule fired, did not fire, and could not tell: columns rule, fires, does_not, cannot_tell."""
    rules = [c for c in table.columns if c.startswith("rule:")]
    if not rules:
        return pd.DataFrame(columns=["rule", "fires", "does_not", "cannot_tell"])
    parts = {}
    for number, name in enumerate(rules):
        parts[f"t{number}"] = table.count(where=table[name])
        parts[f"u{number}"] = table.count(where=table[name].isnull())
    row = table.agg(n=table.count(), **parts).execute().iloc[0]
    return pd.DataFrame([
        {"rule": name.removeprefix("rule:"), "fires": int(row[f"t{i}"]),
         "does_not": int(row["n"] - row[f"t{i}"] - row[f"u{i}"]), "cannot_tell": int(row[f"u{i}"])}
        for i, name in enumerate(rules)])


def choose_candidates(
    table: ir.Table, live: Sequence[str], also: Sequence[str], reach: Mapping[str, int] = NOTHING
) -> list[dict[str, object]]:
    """The rows where some live rule fires, a column of `reach` is as high, or whose subject `also` names; by subject.

    `reach`: the column of each live score card's total, and the lowest total that lifts anybody.
    """
    fires = [table[f"rule:{rule}"].fill_null(False) for rule in live]
    fires += [(table[name] >= least).fill_null(False) for name, least in reach.items()]
    if also:
        fires.append(table.subject.isin(sorted(also)))
    keep = ibis.or_(*fires) if fires else ibis.literal(False)
    rows: list[dict[str, object]] = table.filter(keep).order_by("subject").to_pyarrow().to_pylist()
    return rows


def outcomes_of(row: Mapping[str, object], kind: str) -> dict[str, bool | None]:
    """The outcomes of one row by id: kind is rule, exclusion or protection."""
    prefix = f"{kind}:"
    return {k[len(prefix):]: None if v is None else bool(v)
            for k, v in row.items() if k.startswith(prefix)}
