"""The feeds of an invented borough -> the same feeds with gaps, disputes and the edges of windows in them.

What is missing in a real borough is missing here more often: people nobody could link, homes nobody has placed,
parties to be kept apart from who live nobody knows where, blanks, and records known on the very edge of a window.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from typing import Any

import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa

from engine.disputes import mark_tables
from engine.known import Known
from engine.lake import Lake
from engine.pack import Pack
from engine.registry import empty_registry
from engine.world import Workbench, assemble

Row = dict[str, Any]
_IDENTITY = ("ref", "forename", "surname", "dob", "uprn", "postcode")
_EDGES = [days + shift for days in (90, 180, 365, 730, 1095) for shift in (-1, 0, 1)] + [0, 1, 5, 30]
DISPUTED = ("council_asb", "engagements", "fire_incidents", "homelessness_cases", "household_members",
            "housing_register", "housing_tenancies", "housing_visits", "keep_apart", "orders", "police_involvements",
            "properties", "proposed_allocations", "support_needs")
_METRES = (0.0, 49.5, 50.0, 120.0, 199.9, 200.0, 249.6, 250.0, 250.2, 399.9, 400.0, 499.5, 500.0, 999.9, 1000.0, 1999.0)


@dataclass(frozen=True)
class Damage:
    """How one world is damaged: by which draw, and which feeds have gone quiet."""

    seed: int
    late: Collection[str] = ()


def damage_known(lake: Lake, pack: Pack, as_of: date, harm: Damage, bench: Workbench) -> Known:
    """Everything known on a day, as it would be had the feeds been that bad."""
    random = Random(harm.seed)
    feeds = dict(lake.tables(as_of, bench.connection, [name for name, _ in lake.inputs(as_of)]))
    spoiled = _Feeds(feeds, bench, random, as_of)
    spoiled.damage()
    spoiled.feeds = mark_tables(spoiled.feeds, spoiled.draw_disputes())
    fresh = tuple(replace(f, fresh=f.feed not in harm.late) for f in lake.freshness(as_of, feeds))
    assembled = assemble(spoiled.feeds, pack, empty_registry(), frozenset(f.feed for f in fresh if f.fresh), {}, {},
                         as_of, bench)
    return Known(assembled.world, assembled.linked, spoiled.feeds, fresh, pd.DataFrame(), ())


class _Feeds:
    def __init__(self, feeds: dict[str, ir.Table], bench: Workbench, random: Random, as_of: date) -> None:
        self.feeds, self.bench, self.random, self.as_of = feeds, bench, random, as_of
        self.rows: dict[str, list[Row]] = {}
        self.number = 0

    def damage(self) -> None:
        random = self.random
        self.register = self.read("housing_register")
        self.quiet, self.applicants = self.register[::6], [r for n, r in enumerate(self.register) if n % 6]
        self.homes = [r for r in self.read("properties") if r["uprn"]]
        self.tenants = list(self.read("housing_tenancies"))
        told = {r["code"] for r in self.read("support_needs") if r["code"]}
        self.codes = sorted(told | {"HMF", "MSLAV", "CL21", "CL1820", "YP1617", "AUT"})
        where = {r["uprn"]: (r["easting"], r["northing"]) for r in self.read("addresses")}
        self.points = [where[h["uprn"]] for h in self.homes if where.get(h["uprn"], (None, None))[1] is not None]
        for feed, count in (("engagements", 150), ("support_needs", 400), ("housing_visits", 120),
                            ("homelessness_cases", 120), ("fire_incidents", 300), ("police_involvements", 200),
                            ("council_asb", 250), ("household_members", 40), ("housing_tenancies", 400)):
            self.lend(feed, count)
        self.strain_blocks()
        for feed in ("police_incidents", "council_asb", "env_health"):
            self.crowd(feed, 900)
        self.keep_apart(200)
        self.order(60)
        self.propose(250)
        for row in self.read("police_incidents") + self.read("council_asb") + self.read("police_involvements"):
            row["disputed"] = True if random.random() < 0.02 else row["disputed"]
        self.unplace()
        self.blank("properties", 0.15, keep=("uprn", "void_since"))
        self.blank("proposed_allocations", 0.25, keep=("proposal_ref", "application_ref", "uprn", "proposed"))
        self.blank("support_needs", 0.05, keep=("need_ref",))
        self.blank("homelessness_cases", 0.05, keep=("case_ref",))
        self.lose_applicants()
        for feed, rows in self.rows.items():
            self.write(feed, rows)

    def draw_disputes(self) -> list[str]:
        """A few records of every feed that offers rest on, whether or not its agency can say that one is disputed."""
        records = [record for feed in DISPUTED for record in sorted(row["record"] for row in self.read(feed))]
        return [record for record in records if self.random.random() < 0.005]

    def read(self, feed: str) -> list[Row]:
        if feed not in self.rows:
            self.rows[feed] = self.feeds[feed].order_by("record").to_pyarrow().to_pylist()
        return self.rows[feed]

    def write(self, feed: str, rows: list[Row]) -> None:
        table = pa.Table.from_pylist(rows, schema=self.feeds[feed].schema().to_pyarrow())
        connection = self.bench.connection
        connection.con.register("damaged", table)
        connection.con.execute(f'CREATE OR REPLACE TEMP TABLE "damaged_{feed}" AS SELECT * FROM damaged')
        connection.con.unregister("damaged")
        self.feeds[feed] = connection.table(f"damaged_{feed}")

    def another(self, feed: str, row: Row, **other: Any) -> None:
        """One more record of a feed, first known on some edge of a window."""
        self.number += 1
        known = self.as_of - timedelta(days=self.random.choice(_EDGES))
        self.rows[feed].append({**row, "record": f"{feed}:X{self.number:05d}", "known": known, **other})

    def whose(self, prefix: str, someone: Row, theirs: str = "person") -> Row:
        return {f"{prefix}_{name}": someone[f"{theirs}_{name}"] for name in _IDENTITY}

    def lend(self, feed: str, count: int) -> None:
        """Records of other people, and of nobody on the register, given to applicants."""
        rows = list(self.read(feed))
        for _ in range(count):
            row, who = self.random.choice(rows), self.random.choice(self.applicants)
            prefix = "complainant" if "complainant_ref" in row else "person"
            other = {"household_members": {"household_ref": who["household_ref"]},
                     "fire_incidents": {"role": self.random.choice([row.get("role"), "subject"])},
                     "support_needs": {"code": self.random.choice(self.codes), "status": "current"},
                     "housing_tenancies": {
                         "ended": self.as_of, "current": False, "tenancy_ref": f"TX{self.number}",
                         "end_reason": self.random.choice(["abandoned", "evicted_arrears"]),
                         "started": self.as_of - timedelta(days=self.random.choice(_EDGES))}}.get(feed, {})
            self.another(feed, row, **{**self.whose(prefix, who), **other})

    def strain_blocks(self) -> None:
        """A few blocks where nearly everybody has three needs, and a few homes marked as sensitive lets."""
        block_of = {row["uprn"]: row["block_ref"] for row in self.read("addresses")}
        blocks = Counter(block_of.get(home["uprn"]) for home in self.homes)
        strained = [block for block, _ in blocks.most_common(8) if block]
        needs = list(self.read("support_needs"))
        for tenant in self.tenants:
            if tenant["current"] and block_of.get(tenant["uprn"]) in strained:
                for code in self.random.sample(self.codes, 4):
                    self.another("support_needs", self.random.choice(needs), **self.whose("person", tenant),
                                 code=code, status="current")
        for home in self.random.sample(self.homes, 30):
            home |= {"sensitive_let": True, "lettings_plan_published": True}

    def crowd(self, feed: str, count: int) -> None:
        """Reports around the homes on offer, at every distance and on every edge that some fact asks for."""
        rows = list(self.read(feed))
        key = "incident_ref" if feed == "police_incidents" else "report_ref"
        for n in range(count):
            row = self.random.choice(rows)
            east, north = self.near()
            spot = {"uprn": self.random.choice(self.homes)["uprn"]} if self.random.random() < 0.3 else {
                "uprn": None, "usrn": None, "easting": east, "northing": north}
            self.another(feed, row, **spot, **{key: f"{feed}X{n}"})

    def near(self) -> tuple[float, float]:
        (east, north), metres = self.random.choice(self.points), self.random.choice(_METRES)
        side = self.random.choice([(1, 0), (0, 1), (-1, 0), (0, -1), (0.6, 0.8)])
        return east + side[0] * metres, north + side[1] * metres

    def keep_apart(self, count: int) -> None:
        rows = list(self.read("keep_apart"))
        for n in range(count):
            east, north = self.near() if self.random.random() < 0.6 else (None, None)
            other = self.whose("other", self.random.choice(self.tenants)) if self.random.random() < 0.5 else {
                **{f"other_{name}": None for name in _IDENTITY}, "other_ref": f"NOWHERE{n}"}
            self.another("keep_apart", self.random.choice(rows), keep_ref=f"KX{n}",
                         **self.whose("person", self.random.choice(self.applicants)), **other,
                         kind=self.random.choice(["da", "asb", "hate", "witness", "feud", "exploitation", "cuckoo",
                                                  "hba"]),
                         easting=east, northing=north if self.random.random() > 0.05 else None,
                         current=self.random.choice([True, True, True, False, None]))

    def order(self, count: int) -> None:
        rows = list(self.read("orders"))
        for n in range(count):
            east, north = self.near() if self.random.random() < 0.8 else (None, None)
            self.another("orders", self.random.choice(rows), order_ref=f"OX{n}",
                         **self.whose("person", self.random.choice(self.applicants)), easting=east, northing=north,
                         radius_m=self.random.choice([None, 0.0, 50.0, 250.0, 1000.0]),
                         current=self.random.choice([True, True, False, None]))

    def propose(self, count: int) -> None:
        """More proposals, some of them for a pair that has one already, or by an application nobody knows."""
        rows = list(self.read("proposed_allocations"))
        pair: Row = {}
        for n in range(count):
            if self.random.random() < 0.9:
                pair = {"application_ref": self.random.choice(self.applicants)["application_ref"],
                        "uprn": self.random.choice(self.homes)["uprn"]}
            if self.random.random() < 0.05:
                empty = [home["uprn"] for home in self.homes if home["void_since"]]
                pair = {"application_ref": f"NOBODY{n}", "uprn": self.random.choice(empty)}
            self.another("proposed_allocations", self.random.choice(rows), proposal_ref=f"PX{n}", current=True, **pair,
                         travel_minutes=self.random.choice([None, 0, 45, 46, 90]),
                         stay_type=self.random.choice([None, "general_needs", "temporary", "supported"]),
                         place_restriction_breach=self.random.choice([None, True, False, False]),
                         settle_plan=self.random.choice([None, True, False]),
                         partner_check_needed=self.random.choice([None, True, False]),
                         gateway_logged=self.random.choice([None, True, False]),
                         prior_conduct_rule_published=self.random.choice([None, True, False]),
                         conduct_cited=self.random.choice([None, True, False]),
                         ppu_marked=self.random.choice([None, True, False]),
                         applicant_view=self.random.choice([None, "accepts", "declines"]),
                         **{f"{what}_considered": self.random.choice([None, True, False])
                            for what in ("distance", "disruption", "support", "amenities")})

    def unplace(self) -> None:
        """Addresses without a point, half a point, a street, a block or an area; or gone; or in two wards at once."""
        kept = []
        for row in self.read("addresses"):
            if self.random.random() < 0.03:
                continue
            kept.append(row)
            row["current"] = True if self.random.random() < 0.02 else row["current"]
            for names, share in ((("easting", "northing"), 0.06), (("northing",), 0.02), (("easting",), 0.02),
                                 (("usrn",), 0.05), (("block_ref",), 0.15), (("lsoa",), 0.03)):
                if self.random.random() < share:
                    row |= dict.fromkeys(names)
        self.rows["addresses"] = kept

    def blank(self, feed: str, share: float, keep: Collection[str]) -> None:
        kept = {"record", "feed", "known", "revised", "current", *keep}
        for row in self.read(feed):
            for name in row.keys() - kept:
                if self.random.random() < share and not name.startswith("person_"):
                    row[name] = None

    def lose_applicants(self) -> None:
        """Applicants nobody could link, and applications so old that nothing else is known of who made them."""
        for row in self.register:
            if self.random.random() < 0.1:
                row |= {f"person_{name}": None for name in _IDENTITY}
            elif row in self.quiet:
                row["known"] = self.as_of - timedelta(days=self.random.choice([1094, 1095, 1096, 1500, 2100]))
                row["needs_assessed"] = None
        self.blank("housing_register", 0.1, keep=("application_ref", "registered", "household_ref"))

