"""Feeds with a place on them -> the same feeds with uprn, block, street, LSOA, ward and point resolved.

An address answers for whatever the record left blank; what the record says itself is never overwritten.
police.uk rows carry a map point standing for at least eight addresses, so they resolve to `point` and
LSOA and to nothing smaller.
"""

from __future__ import annotations

from collections.abc import Callable

import ibis
import ibis.expr.types as ir
import pandas as pd
from pyproj import Transformer

_GAINED = ("block", "street", "lsoa", "ward", "easting", "northing")
_WITHOUT = {"addresses", "place_plans", "service_points", "keep_apart", "orders", "area_counts"}


def locate(
    feeds: dict[str, ir.Table],
    hold: Callable[[str, ir.Table], ir.Table],
    put: Callable[[str, pd.DataFrame], ir.Table],
) -> dict[str, ir.Table]:
    """The feeds, each located table with the columns of `schema` for places."""
    addresses = feeds["addresses"]
    gazetteer = hold("gazetteer", settle_addresses(addresses.mutate(block=addresses.block_ref, street=addresses.usrn)))
    gazetteer = gazetteer.rename({f"at_{name}": name for name in ("uprn", *_GAINED)})
    located = {}
    for name, rows in feeds.items():
        if name == "police_uk":
            rows = _from_points(rows, put)
        elif name == "addresses":
            rows = rows.mutate(block=rows.block_ref, street=rows.usrn)
        elif name not in _WITHOUT and {"uprn", "usrn", "lsoa"} & set(rows.columns):
            rows = _from_address(rows, gazetteer)
        located[name] = rows
    return located


def settle_addresses(addresses: ir.Table) -> ir.Table:
    """One row per UPRN now, with what `locate` adds to a record. An address may stand in two wards while a boundary
    moves; either row says where it is, and no record may count twice for it."""
    here = addresses.filter(addresses.current.fill_null(True))
    return here.group_by("uprn").agg(**{name: here[name].min() for name in _GAINED})


def _from_address(rows: ir.Table, gazetteer: ir.Table) -> ir.Table:
    own = {"block": "block_ref", "street": "usrn"}
    if "uprn" not in rows.columns:
        rows = rows.mutate(uprn=ibis.null("string"))
    joined = rows.left_join(gazetteer, rows.uprn == gazetteer.at_uprn)
    resolved = {}
    for name in _GAINED:
        said = own.get(name, name)
        told = joined[f"at_{name}"]
        resolved[name] = ibis.coalesce(joined[said], told) if said in rows.columns else told
    return joined.mutate(**resolved).drop(*[c for c in joined.columns if c.startswith("at_")])


def _from_points(rows: ir.Table, put: Callable[[str, pd.DataFrame], ir.Table]) -> ir.Table:
    points = rows.filter(rows.longitude.notnull()).select("longitude", "latitude").distinct().execute()
    points = points.sort_values(["longitude", "latitude"], ignore_index=True)
    to_grid = Transformer.from_crs("EPSG:4326", "EPSG:27700", always_xy=True)
    easting, northing = to_grid.transform(points.longitude.to_numpy(), points.latitude.to_numpy())
    named = [f"{x:.6f},{y:.6f}" for x, y in zip(points.longitude, points.latitude, strict=True)]
    grid = put("police_points", pd.DataFrame({
        "point": pd.Series(named, dtype="str"), "easting": pd.Series(easting, dtype="float64").round(1),
        "northing": pd.Series(northing, dtype="float64").round(1),
        "at_longitude": points.longitude, "at_latitude": points.latitude}))
    joined = rows.left_join(
        grid, (rows.longitude == grid.at_longitude) & (rows.latitude == grid.at_latitude))
    return joined.drop("at_longitude", "at_latitude").mutate(lsoa=rows.lsoa_code)
