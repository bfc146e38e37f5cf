"""Feeds that name people -> the same feeds with the linked person of each, and who is who.

Every person block of every feed is a sighting: one identity as one agency wrote it. `linkage.link` says which
sightings are one person; this module collects them and brings the answer back to the records.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

import ibis
import ibis.expr.types as ir
import pandas as pd

from engine.contract import Contract
from engine.linkage import Linked, link
from engine.schema import person_columns

_IDENTITY = ("ref", "forename", "surname", "dob", "uprn", "postcode")
_TYPES = {"dob": "date"}


def identify(
    feeds: Mapping[str, ir.Table],
    contracts: Mapping[str, Contract],
    registry: pd.DataFrame,
    as_of: date,
    hold: Callable[[str, ir.Table], ir.Table],
    put: Callable[[str, pd.DataFrame], ir.Table],
) -> tuple[dict[str, ir.Table], Linked]:
    """The feeds with a person column per person block (see `schema.person_columns`), and the links.

    Raises nothing of its own. `put` makes a frame a table; `hold` works a table out once.
    """
    blocks = [(feed, block) for feed in sorted(contracts) for block in contracts[feed].people]
    seen = [_sightings(feeds[feed], block.prefix, block.namespace) for feed, block in blocks]
    each = hold("sightings", ibis.union(*seen, distinct=False))
    distinct = each.group_by("identity").agg(
        **{name: each[name].arbitrary() for name in ("namespace", *_IDENTITY)},
        first_known=each.known.min())
    frame = distinct.order_by("identity").execute().reset_index(drop=True)
    frame.insert(0, "sighting", range(len(frame)))
    linked = link(_tidy(frame), registry, as_of)
    answers = frame[["sighting", "identity"]].merge(linked.links[["sighting", "person"]], on="sighting")
    people = put("identities", answers[["identity", "person"]])
    return {feed: _attach(feeds[feed], contracts[feed], people) for feed in feeds}, linked


def _tidy(frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame.drop(columns="identity").astype(object)
    return frame.where(frame.notna(), None)


def _sightings(rows: ir.Table, prefix: str, namespace: str) -> ir.Table:
    fields = {name: _field(rows, prefix, name) for name in _IDENTITY}
    named = fields["ref"].notnull() | (fields["surname"].notnull() & fields["dob"].notnull())
    return rows.filter(named).select(
        identity=_identity(rows, prefix, namespace), namespace=ibis.literal(namespace),
        known=rows.known, **fields)


def _field(rows: ir.Table, prefix: str, name: str) -> ir.Value:
    return rows[f"{prefix}_{name}"].cast(_TYPES.get(name, "string"))


def _identity(rows: ir.Table, prefix: str, namespace: str) -> ir.StringValue:
    parts = [_field(rows, prefix, name).cast("string").fill_null("") for name in _IDENTITY]
    return ibis.literal("|").join([ibis.literal(namespace), *parts])  # type: ignore[arg-type]


def _attach(rows: ir.Table, contract: Contract, people: ir.Table) -> ir.Table:
    for block, column in zip(contract.people, person_columns(contract.people), strict=True):
        keyed = rows.mutate(identity_key=_identity(rows, block.prefix, block.namespace))
        named = people.select(link_identity="identity", **{column: "person"})
        rows = keyed.left_join(named, keyed.identity_key == named.link_identity)
        rows = rows.drop("identity_key", "link_identity")
    return rows
