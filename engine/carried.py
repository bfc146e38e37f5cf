"""A fact of one kind of subject brought across to another: an offer's from its applicant and its home, a place's from
its tenants."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import ibis
import ibis.expr.types as ir

from engine.disputes import in_doubt
from engine.feature import Feature
from engine.keyed import World
from engine.measures import Kept, reach, speaks_of
from engine.schema import Subject


def carry(
    world: World, wide: ir.Table, features: Sequence[Feature], measured: Mapping[Subject, ir.Table],
    doubted: Mapping[str, ir.Table] = MappingProxyType({}),
) -> ir.Table:
    """The allocation or place features that are another subject's feature, brought across.

    Several tenants of one place give the largest value (for truths: whether it holds of any). Of a tenant in `doubted`
    (see `find_doubted`) it could be anything: then the largest is not known, nor whether it holds of any, unless it
    is true of another.
    """
    ways: dict[tuple[str, str], list[Feature]] = defaultdict(list)
    for feature in features:
        if feature.carried_from is not None:
            ways[feature.carried_from.split(".")[0], str(feature.via)].append(feature)
    chain: Any = wide
    for (owner, via), members in sorted(ways.items()):
        theirs = measured[owner]  # type: ignore[index]
        source = theirs.select(carried_key="subject", **{
            f.name: str(f.carried_from).split(".")[1] for f in members})
        key = wide.subject if via == "tenants" else _owner_key(wide, via)
        if via == "tenants":
            source = _of_tenants(world, source, members, doubted)
        source = source.rename({f"key_{owner}_{via}": "carried_key"})
        chain = chain.left_join(source, key == source[f"key_{owner}_{via}"])
    carried = [f.name for members in ways.values() for f in members]
    return chain.select(*wide.columns, *carried) if ways else wide


def find_doubted(
    world: World, features: Sequence[Feature], every: Mapping[str, Feature], kept: Kept
) -> dict[str, ir.Table]:
    """For each feature carried from a place's tenants: the people of whom it is unknown because a record is disputed.

    Only these: that nothing is recorded of a tenant says nothing against what is recorded of another.
    """
    found = {}
    for feature in (f for f in features if f.via == "tenants"):
        source = every[str(feature.carried_from)]
        rows = kept.get((source.subject, str(source.table), reach(source)))
        if rows is not None and "disputed" in rows.columns:
            rests = speaks_of(world, rows, source)
            if source.measure.verb in ("change", "ratio"):
                rests = rests | speaks_of(world, rows, source, 1)
            found[feature.name] = rows.filter(rests & rows.disputed).select(doubted="subject").distinct()
    return found


# --- inside -------------------------------------------------------------------------------------


def _owner_key(wide: ir.Table, via: str) -> ir.Value:
    if via == "applicant":
        return wide.applicant
    level = "uprn" if via == "property" else via
    return ibis.literal(f"{level}:") + wide[level]


def _of_tenants(
    world: World, source: ir.Table, members: Sequence[Feature], doubted: Mapping[str, ir.Table]
) -> ir.Table:
    residents = world.tables["residents"]
    homes = residents.select("person", place=ibis.literal("uprn:") + residents.uprn, unsure=in_doubt(residents))
    rows = homes.inner_join(source, homes.person == source.carried_key)
    columns: dict[str, Any] = {}
    for feature in members:
        unsure = rows.unsure
        if feature.name in doubted:
            unsure = unsure | rows.person.isin(doubted[feature.name].doubted)
        columns[feature.name] = _largest(rows[feature.name], unsure, feature.kind == "boolean")
    return rows.group_by(carried_key="place").agg(**columns)


def _largest(value: Any, unsure: ir.BooleanValue, truth: bool) -> Any:
    sure = (value.cast("int8") if truth else value).max(where=~unsure)
    if truth:
        return ibis.cases((sure > 0, True), (unsure.any(), ibis.null("boolean")), else_=sure > 0)
    return unsure.any().ifelse(ibis.null(value.type()), sure)
