"""Who may be offered what: applications in the published scheme's order, homes, open proposals, and their shortlists.

The shortlist of a home is its open proposals; where there are none, the first of the register. Both stand in the
scheme's order, which nothing here changes: band, then date registered, then application.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import ibis
import ibis.expr.types as ir
import pandas as pd

from engine.keyed import World
from engine.locate import settle_addresses
from engine.rule import Rule, Scheme
from engine.screening import sum_up
from engine.world import Workbench

COHORT = ("subject", "last_known", "proposal", "applicant", "application", "uprn", "block", "street", "lsoa",
          "easting", "northing")


def read_applications(world: World, scheme: Scheme) -> ir.Table:
    """One row per application on the register: application, applicant, household, members, band, registered, expires,
    status, live, place, measured.

    `members`: people recorded in the household now. `live`: may be offered a home. `place`: 1 is first in the
    scheme's order; null for who is not live. `measured`: the applicant is among the people of the weekly run.
    """
    register = world.tables["housing_register"]
    members = world.tables["household_members"].filter(ibis._.current)
    counted = members.group_by(of_household="household_ref").agg(members=members.record.nunique())
    judged = world.cohorts["person"].select(of_person="subject", measured=True)
    rows = register.left_join(counted, register.household_ref == counted.of_household)
    rows = rows.left_join(judged, rows.person == judged.of_person)
    rows = rows.select(
        application="application_ref", applicant="person", household="household_ref",
        members=rows.members.fill_null(0), band="band", registered="registered", expires="expires", status="status",
        live=(rows.current.fill_null(True) & (rows.status == "live")).fill_null(False),
        measured=rows.measured.fill_null(False))
    rank = ibis.cases(*[(rows.band == band, n) for n, band in enumerate(scheme.bands)], else_=len(scheme.bands))
    order = ibis.window(group_by=rows.live, order_by=[rank, rows.registered, rows.application])
    return rows.mutate(place=rows.live.ifelse(ibis.row_number().over(order) + 1, ibis.null("int64")))


def read_homes(world: World) -> ir.Table:
    """One row per home of a landlord or of an open proposal: uprn, address, block, street, lsoa, easting, northing,
    kind, beds, void_since, ready_from, let, available.

    `let`: somebody moved in and no void was recorded since. `available`: empty or becoming empty, and not let.
    """
    stock = world.tables["properties"].select("uprn", "kind", "beds", "void_since", "ready_from")
    every = ibis.union(stock.select("uprn"), world.cohorts["allocation"].select("uprn"), distinct=True)
    now = world.tables["addresses"].filter(ibis._.current.fill_null(True))
    named = now.group_by(of="uprn").agg(address=now.address.min())
    here = settle_addresses(world.tables["addresses"]).drop("ward").rename(at="uprn")
    here = here.left_join(named, here["at"] == named["of"]).drop("of")
    tenancies = world.tables["housing_tenancies"].filter(ibis._.current)
    since = tenancies.group_by(let_at="uprn").agg(moved_in=tenancies.started.max())
    rows = every.left_join(stock, "uprn").drop("uprn_right")
    rows = rows.left_join(here, rows.uprn == here["at"]).drop("at")
    rows = rows.left_join(since, rows.uprn == since.let_at).drop("let_at")
    emptied = (rows.void_since >= rows.moved_in).fill_null(False) | (
        rows.ready_from > ibis.literal(world.as_of)).fill_null(False)
    rows = rows.mutate(let=rows.moved_in.notnull() & ~emptied)
    offered = rows.void_since.notnull() | rows.ready_from.notnull()
    return rows.mutate(available=offered & ~rows["let"]).drop("moved_in")


def place_pairs(world: World, pairs: pd.DataFrame, bench: Workbench, name: str = "pairs") -> World:
    """The same world with these pairs (columns application, uprn) as its allocations, besides the open proposals.

    Applications and homes nobody knows leave no row.
    """
    proposed = world.cohorts["allocation"]
    register = world.tables["housing_register"].select(of="application_ref", applicant="person")
    here = settle_addresses(world.tables["addresses"]).rename(at="uprn")
    asked = bench.put(f"{name}_asked", pairs[["application", "uprn"]].astype("str").drop_duplicates())
    asked = asked.anti_join(proposed, ["application", "uprn"])
    rows = asked.inner_join(register, asked.application == register.of)
    rows = rows.left_join(here, rows.uprn == here["at"])
    rows = rows.mutate(subject=rows.application + ":" + rows.uprn, last_known=ibis.null("date"),
                       proposal=ibis.null("string"))
    both = ibis.union(proposed.select(*COHORT), rows.select(*COHORT), distinct=False)
    return replace(world, cohorts={**world.cohorts, "allocation": bench.hold(f"cohort_{name}", both)})


def draw_up_shortlists(world: World, scheme: Scheme) -> pd.DataFrame:
    """The shortlist of every home that is available or proposed: columns application, uprn, place; in order."""
    applications = read_applications(world, scheme).execute()
    places = applications.set_index("application")["place"]
    proposed = world.cohorts["allocation"].select("application", "uprn").distinct().execute()
    proposed = proposed[proposed["application"].isin(places.index)]     # `Lake.check_references` lists the others
    homes = read_homes(world).execute()
    bare = homes.loc[homes["available"] & ~homes["uprn"].isin(proposed["uprn"]), ["uprn"]]
    first = places[places <= scheme.shortlist].sort_values().index.to_frame(index=False, name="application")
    every = pd.concat([proposed, bare.merge(first, how="cross")[["application", "uprn"]]], ignore_index=True)
    every["place"] = every["application"].map(places)
    ordered: pd.DataFrame = every.sort_values(["uprn", "place", "application"], ignore_index=True)
    return ordered


def screen_shortlists(judged: ir.Table, shortlists: pd.DataFrame, rules: Sequence[Rule]) -> pd.DataFrame:
    """The shortlists with what the rules came to: columns of `draw_up_shortlists`, proposal, result, hard, soft,
    cannot_tell, and `rule:<id>` for each.

    `judged` are the pairs in columns; a live screening of any of them gives the same.
    """
    columns = [f"rule:{rule.id}" for rule in rules]
    rows = judged.select("application", "uprn", "proposal", "last_known", *columns).to_pyarrow().to_pylist()
    rows.sort(key=lambda row: (str(row["last_known"]), str(row["proposal"])))     # of two proposals, the later
    found = {(row["application"], row["uprn"]): row for row in rows}
    listed: list[dict[str, object]] = []
    for pair in shortlists.to_dict("records"):
        row = found.get((pair["application"], pair["uprn"]))
        if row is not None:         # an application nobody knows is listed by `Lake.check_references`
            total = sum_up({rule.id: row[f"rule:{rule.id}"] for rule in rules}, rules)
            listed.append({**row, "place": pair["place"], **vars(total)})
    kept = ["application", "uprn", "place", "proposal", "result", "hard", "soft", "cannot_tell", *columns]
    return pd.DataFrame(listed, columns=kept)
