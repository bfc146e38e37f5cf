"""What was known on a date, assembled: feeds -> linked people, resolved places, incidents, and who to judge.

`assemble` is the middle of the weekly run: everything a feature may be measured on, and the cohorts. Nobody is
judged for merely living here: a person is in the cohort only if some agency recorded something about
them, other than a tenancy or a household, within `cohort_days` before the date, or if they wait for a home.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir
import pandas as pd
from ibis.backends.duckdb import Backend

from engine.disputes import COLUMN, in_doubt
from engine.expected import HALF_LIFE_DAYS
from engine.incidents import build_incidents, build_involvements
from engine.keyed import World, by_level
from engine.linkage import Linked
from engine.locate import locate
from engine.pack import Pack
from engine.people import identify
from engine.schema import LEVELS, person_columns

_NOT_A_REPORT = {"housing_tenancies", "household_members", "properties", "addresses"}
COHORT_DAYS = 1095
"""Three years, the longest window any feature looks back. Who nobody has recorded for that long is not judged."""

TABLE_FEEDS = {
    "incidents": ("police_incidents", "council_asb"),
    "involvements": ("police_incidents", "police_involvements", "council_asb"),
    "household_needs": ("support_needs", "household_members"),
    "keep_apart_places": ("keep_apart", "housing_tenancies"),       # the other party's home is a place, too
    "order_zones": ("orders",),
    "residents": ("housing_tenancies", "household_members"),
}
"""The feeds whose silence would make absence in a built table meaningless."""


class Workbench:
    """One in-memory DuckDB, and names for the tables worked out in it."""

    def __init__(self, connection: Backend) -> None:
        self.connection = connection

    def hold(self, name: str, table: ir.Table) -> ir.Table:
        """Works a table out once and gives it back by name."""
        # The same as `connection.create_table`, in one statement where that takes several.
        self.connection._run_pre_execute_hooks(table)
        self.connection.raw_sql(f'CREATE OR REPLACE TEMP TABLE "{name}" AS {self.connection.compile(table)}')
        return self.connection.table(name)

    def put(self, name: str, frame: pd.DataFrame) -> ir.Table:
        """Makes a frame a table."""
        return self.connection.create_table(name, frame, temp=True, overwrite=True)


@dataclass(frozen=True)
class Assembled:
    """The world on a date, and how its people were linked."""

    world: World
    linked: Linked


def assemble(
    feeds: Mapping[str, ir.Table], pack: Pack, registry: pd.DataFrame, fresh: frozenset[str],
    gaps: Mapping[str, frozenset[date]], redrawn: Mapping[str, date], as_of: date, bench: Workbench,
    area: str | None = None,
) -> Assembled:
    """Everything features are measured on, as of a date. `area` keeps places whose name starts with it."""
    located = locate(dict(feeds), bench.hold, bench.put)
    tables, linked = identify(located, pack.contracts, registry, as_of, bench.hold, bench.put)
    tables = {name: bench.hold(f"table_{name}", rows) for name, rows in tables.items()}
    tables["incidents"] = build_incidents(tables, pack.categories, bench.put, bench.hold)
    tables["involvements"] = build_involvements(tables, tables["incidents"], bench.hold)
    rent = tables["housing_rent"]
    tables["housing_rent"] = rent.mutate(weeks_owed=rent.arrears / rent.weekly_rent)
    tables |= _people_tables(tables, pack.need_themes, as_of, bench)
    cohorts = {
        "person": bench.hold("cohort_person", _persons(tables, pack, bench.put(
            "people", linked.people[["person", "first_known", "dob"]].astype(
                {"first_known": "datetime64[s]", "dob": "datetime64[s]"})), as_of)),
        "place": bench.hold("cohort_place", _places(tables, area, as_of)),
        "allocation": bench.hold("cohort_allocation", _proposals(tables)),
    }
    return Assembled(World(as_of, tables, cohorts, fresh, TABLE_FEEDS, gaps, redrawn), linked)  # type: ignore[arg-type]


# --- tables about people --------------------------------------------------------------------------


def _people_tables(
    tables: Mapping[str, ir.Table], themes: Mapping[str, str], as_of: date, bench: Workbench
) -> dict[str, ir.Table]:
    homes = bench.hold("residents", _residents(tables))
    needs = tables["support_needs"]
    theme_of = bench.put("need_themes", pd.DataFrame(
        {"need_code": pd.Series(list(themes), dtype="str"), "theme": pd.Series(list(themes.values()), dtype="str")}))
    themed = needs.left_join(theme_of, needs.code == theme_of.need_code)
    mates, mine = _live_at(homes, "mate", "home"), _live_at(homes, "person", "my_home")
    household = themed.select("record", who="person", code="code", theme="theme", status="status", known="known",
                              need_doubt=in_doubt(themed))
    household = household.inner_join(mates, household.who == mates.mate)
    household = household.inner_join(mine, household.home == mine.my_home)
    return {
        "residents": homes,
        "household_needs": bench.hold("household_needs", _say_once(household.select(
            "record", "person", "code", "theme", "status", "known",
            disputed=household.need_doubt | household.mate_doubt | household.person_doubt), needs, homes)),
        "household_children": bench.hold("household_children", _children(tables, homes, as_of)),
        "keep_apart_places": bench.hold("keep_apart_places", _for_household(
            places_to_avoid(tables["keep_apart"], homes), homes)),
        "order_zones": bench.hold("order_zones", _for_household(order_zones(tables["orders"]), homes)),
    }


def _residents(tables: Mapping[str, ir.Table]) -> ir.Table:
    """Who lives where now, as landlords know it; one row per person and address, with their count of needs."""
    tenancies = tables["housing_tenancies"].filter(ibis._.current)
    leads = tenancies.select("record", "person", household="household_ref", tenure="tenure", uprn="uprn",
                             block="block", street="street", lsoa="lsoa", ward="ward",
                             easting="easting", northing="northing", known="known", disputed=in_doubt(tenancies))
    members = tables["household_members"].filter(ibis._.current)
    members = members.select(m_record="record", m_person="person", m_household="household_ref", m_known="known",
                             m_doubt=in_doubt(members))
    homes = leads.drop("record", "person", "known")
    others = members.inner_join(homes, members.m_household == homes.household)
    others = others.select(record="m_record", person="m_person", known="m_known",
                           **{c: others[c] | others.m_doubt if c == COLUMN else others[c] for c in homes.columns})
    both = ibis.union(leads, others.select(*leads.columns), distinct=False).filter(ibis._.person.notnull())
    one = both.group_by(["person", "uprn"]).agg(
        **{c: both[c].all() if c == COLUMN else both[c].min() for c in both.columns if c not in ("person", "uprn")})
    needs = tables["support_needs"].filter(ibis._.status == "current")
    needs = needs.mutate(disputed=in_doubt(needs))
    counts = needs.group_by(needs_person="person").agg(needs_count=needs.code.nunique(), n_doubt=needs.disputed.any())
    whole = one.left_join(counts, one.person == counts.needs_person).drop("needs_person")
    whole = whole.mutate(needs_count=whole.needs_count.fill_null(0),
                         disputed=whole.disputed | whole.n_doubt.fill_null(False))
    told = (tables[feed] for feed in ("housing_tenancies", "household_members", "support_needs"))
    return whole.drop("n_doubt", *(() if _is_any_disputed(*told) else (COLUMN,)))


def _live_at(homes: ir.Table, who: str, where: str) -> ir.Table:
    """Who belongs to which household, once each, and whether every record that says so is in dispute."""
    rows = homes.filter(homes.household.notnull()).mutate(disputed=in_doubt(homes))
    return rows.group_by(**{who: rows.person, where: rows.household}).agg(**{f"{who}_doubt": rows.disputed.all()})


def _say_once(rows: ir.Table, *made_from: ir.Table) -> ir.Table:
    """Rows with `disputed`, each once: in dispute where every way to it is. Without it where nothing was disputed."""
    if not _is_any_disputed(*made_from):
        return rows.drop(COLUMN).distinct()
    return rows.group_by([c for c in rows.columns if c != COLUMN]).agg(disputed=rows.disputed.all())


def _is_any_disputed(*tables: ir.Table) -> bool:
    return any(COLUMN in table.columns for table in tables)


def _for_household(rows: ir.Table, homes: ir.Table) -> ir.Table:
    """The rows of a person again for everyone they live with: a household moves together (rule A-02)."""
    mates, mine = _live_at(homes, "mate", "home"), _live_at(homes, "mine", "my_home")
    own = rows.mutate(disputed=in_doubt(rows))
    shared = own.inner_join(mates, own.person == mates.mate)
    shared = shared.inner_join(mine, shared.home == mine.my_home)
    shared = shared.mutate(person=shared.mine, disputed=shared.disputed | shared.mate_doubt | shared.mine_doubt)
    return _say_once(ibis.union(own, shared.select(*own.columns), distinct=False), rows, homes)


def _children(tables: Mapping[str, ir.Table], homes: ir.Table, as_of: date) -> ir.Table:
    """Everyone in a household with the children under 18 in it, each child once per person."""
    members = tables["household_members"].filter(ibis._.current & (ibis._.relation == "child"))
    born = members.person_dob.cast("date")
    birthday = born.year() * 10000 + born.month() * 100 + born.day()
    eighteen = (as_of.year - 18) * 10000 + as_of.month * 100 + as_of.day
    young = members.filter(born.isnull() | (birthday > eighteen))
    children = young.select("record", "known", child="person", home="household_ref", child_doubt=in_doubt(young))
    mine = _live_at(homes, "person", "my_home")
    found = children.inner_join(mine, children.home == mine.my_home).filter(
        ibis._.child.notnull() & (ibis._.child != ibis._.person))
    found = found.mutate(disputed=found.child_doubt | found.person_doubt)
    return _say_once(found.select("record", "person", "child", "known", COLUMN), members, homes)


def places_to_avoid(pairs: ir.Table, homes: ir.Table) -> ir.Table:
    """Each place of a party to be kept apart from; one row without a point where no place of theirs is known."""
    live = pairs.filter(pairs.current.fill_null(True)).mutate(disputed=in_doubt(pairs))
    said = live.filter(_placed(live)).select(
        "record", "person", "kind", "place_kind", "known", "easting", "northing", COLUMN)
    at = homes.filter(_placed(homes)).select(home_person="person", home_easting="easting", home_northing="northing",
                                             home_doubt=in_doubt(homes))
    lived = live.inner_join(at, live.other == at.home_person)
    lived = lived.select("record", "person", "kind", place_kind=ibis.literal("home"), known="known",
                         easting="home_easting", northing="home_northing", disputed=lived.disputed | lived.home_doubt)
    # Who lives nobody knows where could live next door. The rule must be unable to tell, not silent.
    nowhere = live.filter(~_placed(live)).anti_join(at, live.other == at.home_person).select(*said.columns)
    nowhere = nowhere.mutate(easting=ibis.null("float64"), northing=ibis.null("float64"))
    places = ibis.union(said, lived, nowhere, distinct=False)
    return places if _is_any_disputed(pairs, homes) else places.drop(COLUMN)


def order_zones(orders: ir.Table) -> ir.Table:
    """The places court orders speak of. A radius round a point nobody wrote down is still a place somewhere."""
    live = orders.filter(orders.current.fill_null(True))
    zones = live.filter(live.easting.notnull() | live.northing.notnull() | live.radius_m.notnull())
    doubt = {COLUMN: in_doubt(zones)} if _is_any_disputed(zones) else {}
    return zones.select("record", "person", "kind", "known", "easting", "northing", "radius_m", **doubt)


def _placed(rows: ir.Table) -> ir.BooleanValue:
    return rows.easting.notnull() & rows.northing.notnull()


# --- cohorts ------------------------------------------------------------------------------------


def _persons(
    tables: Mapping[str, ir.Table], pack: Pack, people: ir.Table, as_of: date
) -> ir.Table:
    since = ibis.literal(as_of - timedelta(days=COHORT_DAYS))

    def lately(rows: ir.Table, feed: str) -> ir.BooleanValue:
        # Who waits for a home may be offered one, however long ago they asked.
        waiting = rows.current.fill_null(True) if feed == "housing_register" else ibis.literal(False)
        return (rows.known >= since) | waiting

    named = [
        tables[feed].filter(lately(tables[feed], feed) & tables[feed][column].notnull()).select(
            "known", subject=column)
        for feed in sorted(pack.contracts) if feed not in _NOT_A_REPORT
        for column in person_columns(pack.contracts[feed].people)
    ]
    each = ibis.union(*named, distinct=False)
    subjects = each.group_by("subject").agg(last_known=each.known.max())
    joined = subjects.left_join(people, subjects.subject == people.person)
    born = joined.dob.cast("date")
    today = ibis.literal(as_of)
    had_birthday = (born.month() * 100 + born.day()) <= as_of.month * 100 + as_of.day
    years = today.year() - born.year() - had_birthday.ifelse(0, 1)
    return joined.select("subject", "last_known", age=years.cast("int64"), first_known=joined.first_known.cast("date"))


def _places(tables: Mapping[str, ir.Table], area: str | None, as_of: date) -> ir.Table:
    addresses = tables["addresses"].filter(ibis._.current.fill_null(True))
    names = {"uprn": "address", "block": "address", "street": "street_name", "lsoa": "lsoa_name", "ward": "ward_name"}
    levels = [_level(addresses, level, names[level]) for level in LEVELS[1:-1]]
    noted = tables["incidents"].filter(ibis._.uprn.notnull()).select(seen="uprn").distinct()
    doors = addresses.semi_join(noted, addresses.uprn == noted.seen)
    levels += [_level(doors, "uprn", names["uprn"]), *_open_places(tables["police_uk"])]
    each = ibis.union(*levels, distinct=False)
    places = each.group_by(["subject", "level", "key"]).agg(
        area_name=each.area_name.min(), dwellings=each.dwellings.max(),
        easting=each.easting.mean().round(1), northing=each.northing.mean().round(1))
    reports = [by_level(tables[name]).select("known", heard_at="subject") for name in ("incidents", "police_uk")]
    heard = ibis.union(*reports, distinct=False)
    age = ibis.literal(as_of).delta(heard.known, unit="day")
    heard = heard.group_by("heard_at").agg(
        last_known=heard.known.max(), weight=(ibis.literal(0.5) ** (age / HALF_LIFE_DAYS)).sum().round(3))
    places = places.left_join(heard, places.subject == heard.heard_at).drop("heard_at")
    return places.filter(places.area_name.startswith(area)) if area else places


def _level(addresses: ir.Table, level: str, name: str) -> ir.Table:
    rows = addresses.filter(addresses[level].notnull())
    grouped = rows.group_by(key=rows[level]).agg(
        area_name=rows[name].min(), dwellings=rows.count(where=rows.dwelling.fill_null(True)),
        easting=rows.easting.mean().round(1), northing=rows.northing.mean().round(1))
    return grouped.select(subject=ibis.literal(f"{level}:") + grouped.key, level=ibis.literal(level),
                          key="key", area_name="area_name", dwellings="dwellings",
                          easting="easting", northing="northing")


def _open_places(rows: ir.Table) -> list[ir.Table]:
    """police.uk's map points and LSOAs: no dwellings are known behind them, so none are claimed."""
    parts = []
    for level, key in (("point", "point"), ("lsoa", "lsoa")):
        kept = rows.filter(rows[key].notnull())
        grouped = kept.group_by(key=kept[key]).agg(
            lsoa_name=kept.lsoa_name.min(), location=kept.location.min(),
            easting=kept.easting.mean().round(1), northing=kept.northing.mean().round(1))
        where = grouped.location.fill_null("")
        name = grouped.lsoa_name if level == "lsoa" else grouped.lsoa_name + ": " + where
        parts.append(grouped.select(
            subject=ibis.literal(f"{level}:") + grouped.key, level=ibis.literal(level), key="key",
            area_name=name, dwellings=ibis.null("int64"), easting="easting", northing="northing"))
    return parts


def _proposals(tables: Mapping[str, ir.Table]) -> ir.Table:
    rows = tables["proposed_allocations"].filter(ibis._.current)
    register = tables["housing_register"].select(application="application_ref", applicant="person")
    joined = rows.left_join(register, rows.application_ref == register.application)
    return joined.select(subject="proposal_ref", last_known="known", proposal="proposal_ref", applicant="applicant",
                         application="application_ref", uprn="uprn", block="block", street="street", lsoa="lsoa",
                         easting="easting", northing="northing")
