"""Declared features -> one row per subject, in columns, as of a date.

Features on the same table are one grouped query. A record counts where it is *known* to meet the feature's
condition. A value that rests on a disputed record is unknown (exclusion X-09), and so is one whose feed
is late: nothing is inferred from silence unless the feed that would have spoken is up to date.
`recount` says the same thing again, naively and for one subject.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

import ibis
import ibis.expr.types as ir

from engine.columns import express
from engine.condition import Exists, names_in
from engine.feature import FAR, Feature
from engine.keyed import HOWEVER_FAR, World, find_anchors, key_rows
from engine.schema import Subject

Hold = Callable[[str, ir.Table], ir.Table]
"""Keeps an intermediate table, by name, so that DuckDB works it out once."""

_TWO_STEPS = {"top_share"}

Kept = dict[tuple[Subject, str, int | None], ir.Table]
"""The keyed rows that were counted, by kind of subject, table and reach: the evidence is fetched from these."""

SHOWN = frozenset({"subject", "record", "known", "occurred", "category", "kind", "code", "flag", "evidence", "role",
                   "live_investigation"})
"""What of a record a flag may name, besides what its features read."""


def measure(
    world: World, subject: Subject, features: Sequence[Feature], exists: Sequence[Exists], hold: Hold, kept: Kept
) -> ir.Table:
    """One row per subject of the cohort: `subject`, a column per feature, and `exists_<n>` per block.

    Fills `kept` with the rows it counted. Carried features and place statistics are added afterwards, by `carried`
    and `compared`.
    """
    groups: dict[tuple[str, int | None], list[Feature]] = defaultdict(list)
    for feature in features:
        if feature.table is not None and feature.statistic is None:
            groups[feature.table, reach(feature)].append(feature)
    cohort = world.cohorts[subject]
    parts = []
    for number, ((table, near), members) in enumerate(sorted(groups.items(), key=str)):
        rows = hold(f"{subject}_rows_{number}", _slim(world, key_rows(world, subject, table, near), members))
        kept[subject, table, near] = rows
        parts += [hold(f"{subject}_part_{number}_{n}", part)
                  for n, part in enumerate(_aggregate(world, rows, members))]
    parts += [hold(f"{subject}_exists_{n}", _related(world, subject, block, n))
              for n, block in enumerate(exists)]
    wide = _join(cohort, parts)
    columns = {f.name: _settle(world, f, wide) for f in features if f.table and f.statistic is None}
    columns |= {f.name: _built_in(world, f, wide) for f in features
                if f.measure.verb in ("calendar", "built_in")}
    columns |= {f"exists_{n}": _exists_state(world, subject, block, wide, n) for n, block in enumerate(exists)}
    return wide.select(*cohort.columns, **{k: v for k, v in columns.items() if k not in cohort.columns})


# --- inside -------------------------------------------------------------------------------------


def reach(feature: Feature) -> int | None:
    """How far from the subject its rows may lie: metres, -1 for "however far", None for "at the subject"."""
    return feature.near if feature.near else (HOWEVER_FAR if feature.measure.verb == "nearest" else None)


def reach_of(block: Exists) -> int | None:
    """The same for the records an `exists` looks at: however far, where it asks for their distance itself."""
    return block.near if block.near else (HOWEVER_FAR if "metres" in names_in(block.where) else None)


def _slim(world: World, rows: ir.Table, members: Sequence[Feature]) -> ir.Table:
    """The columns the features read, and no rows from before the longest window any of them looks back."""
    start = earliest(world.as_of, members)
    if start is not None:
        rows = rows.filter(rows.known >= ibis.literal(start))
    return rows.select(*[c for c in rows.columns if c in columns_read(members) | SHOWN])


def earliest(as_of: date, members: Sequence[Feature]) -> date | None:
    """The first day any of the features looks at; None when one looks back over everything."""
    if any(f.window is None for f in members):
        return None
    return as_of - timedelta(days=max((f.window or 0) * (2 if f.measure.verb in ("change", "ratio") else 1)
                                      for f in members))


def columns_read(members: Sequence[Feature]) -> set[str]:
    """The columns of a keyed table that some features read."""
    wanted = {"subject", "known", "record", "metres", "disputed"}
    for feature in members:
        wanted |= {feature.measure.column or "subject"}
        for condition in (feature.where, feature.of_which):
            wanted |= set(names_in(condition)) if condition is not None else set()
        wanted |= {"reporter", "incident"} if feature.cap_reporter else set()
    return wanted


def _aggregate(world: World, rows: ir.Table, members: Sequence[Feature]) -> list[ir.Table]:
    plain = [f for f in members if not _needs_two_steps(f)]
    aggregates: dict[str, Any] = {}
    for feature in plain:
        mask = speaks_of(world, rows, feature)
        aggregates[feature.name] = _value(world, rows, feature, mask)
        if feature.measure.verb not in ("count", "any"):
            aggregates[f"{feature.name}__used"] = rows.count(where=mask)
        if "disputed" in rows.columns:
            rests = mask | speaks_of(world, rows, feature, 1) if feature.measure.verb in ("change", "ratio") else mask
            aggregates[f"{feature.name}__disputed"] = rows.count(where=rests & rows.disputed)
    parts = [rows.group_by("subject").agg(**aggregates)] if aggregates else []
    return parts + [_two_steps(world, rows, f) for f in members if _needs_two_steps(f)]


def _needs_two_steps(feature: Feature) -> bool:
    return feature.measure.verb in _TWO_STEPS or feature.cap_reporter is not None


def speaks_of(world: World, rows: ir.Table, feature: Feature, back: int = 0) -> ir.BooleanValue:
    """Rows the feature speaks of; `back` windows earlier for the measures that compare two."""
    mask = ibis.literal(True)
    if feature.where is not None:
        mask = express(feature.where, lambda name: rows[name])
    if feature.window is not None:
        end = world.as_of - timedelta(days=back * feature.window)
        start = end - timedelta(days=feature.window)
        mask = mask & (rows.known >= ibis.literal(start)) & (rows.known < ibis.literal(end))
    return mask


def _value(world: World, rows: ir.Table, feature: Feature, mask: Any) -> Any:
    column: Any = rows[feature.measure.column] if feature.measure.column else None
    as_of = ibis.literal(world.as_of)
    match feature.measure.verb:
        case "count":
            return rows.count(where=mask).nullif(0)
        case "any":
            return (rows.count(where=mask) > 0).nullif(False)
        case "distinct":
            return column.nunique(where=mask).nullif(0)
        case "sum":
            return _sum(column, mask)
        case "max" | "min" as verb:
            return getattr(column, verb)(where=mask)
        case "latest":
            return column.argmax(rows.known.cast("string") + rows.record, where=mask & column.notnull())
        case "days_since":
            return as_of.delta(column.cast("date").max(where=mask), unit="day")
        case "days_until":
            return column.cast("date").min(where=mask).delta(as_of, unit="day")
        case "change":
            before = speaks_of(world, rows, feature, 1)
            change = column.nunique(where=mask) - column.nunique(where=before)
            return (rows.count(where=mask | before) > 0).ifelse(change, ibis.null("int64"))
        case "ratio":
            return _sum(column, mask) / _sum(column, speaks_of(world, rows, feature, 1)).nullif(0)
        case "share":
            which = express(feature.of_which, lambda name: rows[name])  # type: ignore[arg-type]
            return rows.count(where=mask & which) / rows.count(where=mask).nullif(0)
        case "nearest":
            return (rows.metres.min(where=mask) + 0.5).floor().cast("int64")
    raise AssertionError(feature.measure.verb)


def _sum(column: Any, mask: Any) -> Any:
    """Added in decimals: a sum of binary fractions would depend on the order of rows and threads."""
    return column.cast("decimal(18, 4)").sum(where=mask).cast("float64")


def _two_steps(world: World, rows: ir.Table, feature: Feature) -> ir.Table:
    """Measures that first count per reporter (or other column) and only then per subject."""
    by = feature.measure.column if feature.measure.verb == "top_share" else "reporter"
    kept = rows.filter(speaks_of(world, rows, feature))
    counted = {"n": kept.incident.nunique() if feature.cap_reporter else kept.count()}
    if "disputed" in rows.columns:
        counted["disputed"] = kept.count(where=kept.disputed)
    each = kept.group_by(["subject", by]).agg(**counted)
    if feature.cap_reporter:
        # A report without a reporter cannot be told apart, so it is not capped.
        capped = each[by].isnull().ifelse(each.n, ibis.least(each.n, feature.cap_reporter))
        value = capped.sum().cast("int32")      # DuckDB adds whole numbers into 128 bits; Ibis thinks 64
    else:
        named = each[by].notnull()
        value = each.n.max(where=named) / each.n.sum(where=named)
    aggregates = {feature.name: value, f"{feature.name}__used": each.n.sum()}
    if "disputed" in rows.columns:
        aggregates[f"{feature.name}__disputed"] = each.disputed.sum()
    return each.group_by("subject").agg(**aggregates)


def _join(cohort: ir.Table, parts: Sequence[ir.Table]) -> ir.Table:
    """The cohort with every part's columns beside it: one chain of joins, not one query inside another."""
    wide: Any = cohort
    for number, part in enumerate(parts):
        keyed = part.rename({f"subject_{number}": "subject"})
        wide = wide.left_join(keyed, cohort.subject == keyed[f"subject_{number}"])
    return wide if isinstance(wide, ir.Table) and not parts else wide.select(
        *cohort.columns, *[c for part in parts for c in part.columns if c != "subject"])


def _settle(world: World, feature: Feature, wide: ir.Table) -> ir.Value:
    """The value where it may be believed: absence read as declared, late feeds and disputes unknown."""
    value = wide[feature.name]
    if not world.believes(feature):
        return ibis.null(value.type())
    absent: dict[str, Any] = {"zero": False if feature.kind == "boolean" else 0, "none": "none",
                              "not_applicable": FAR}
    if feature.absence in absent:
        # Silence means zero; a record that is there but blank means nothing known.
        silent = value.isnull()
        if f"{feature.name}__used" in wide.columns:
            silent = silent & (wide[f"{feature.name}__used"].fill_null(0) == 0)
        value = silent.ifelse(ibis.literal(absent[feature.absence]), value)
    disputed = f"{feature.name}__disputed"
    if disputed in wide.columns:
        value = (wide[disputed].fill_null(0) > 0).ifelse(ibis.null(value.type()), value)
    return _anchored(world, feature.subject, str(feature.table), reach(feature), wide, value)


def _anchored(world: World, subject: Subject, table: str, near: int | None, wide: ir.Table, value: Any) -> Any:
    """The value where it is known whose rows to look for and where: of a home without a point nothing is near."""
    anchors = find_anchors(subject, table, world.tables[table].columns, near)
    adrift = ibis.or_(*[wide[name].isnull() for name in anchors]) if anchors else None
    return value if adrift is None else adrift.ifelse(ibis.null(value.type()), value)


def _built_in(world: World, feature: Feature, wide: ir.Table) -> ir.Value:
    if feature.measure.verb == "calendar":
        return ibis.literal(world.as_of.month)
    return wide[feature.declared]


def _related(world: World, subject: Subject, block: Exists, number: int) -> ir.Table:
    rows = key_rows(world, subject, block.table, reach_of(block))
    state = express(block.where, lambda name: rows[name])
    if "disputed" in rows.columns:      # one that would meet it may or may not be so
        state = (state & rows.disputed.fill_null(False)).ifelse(ibis.null("boolean"), state)
    recent: Any = ibis.literal(True)
    if block.within is not None:
        start = world.as_of - timedelta(days=block.within)
        recent = rows.known >= ibis.literal(start)
    return rows.group_by("subject").agg(**{
        f"met_{number}": rows.count(where=recent & state),
        f"unclear_{number}": rows.count(where=recent & state.isnull()),
    })


def _exists_state(world: World, subject: Subject, block: Exists, wide: ir.Table, number: int) -> ir.BooleanValue:
    if not set(world.feeds_of(block.table)) <= world.fresh:
        return ibis.null("boolean")
    met, unclear = wide[f"met_{number}"].fill_null(0), wide[f"unclear_{number}"].fill_null(0)
    state = ibis.cases((met > 0, True), (unclear > 0, ibis.null("boolean")), else_=False)
    anchored: ir.BooleanValue = _anchored(world, subject, block.table, reach_of(block), wide, state)
    return anchored
