"""A pair screened live says what the weekly run says of it in columns: every fact, every record looked for, every rule.

The borough is damaged first (`damaged`), because what is missing is where two ways of working something out part
company. Then faults are put into the live way on purpose: a comparison that cannot fail proves nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pandas as pd
import pytest

from engine.desk import Desk, Measured
from engine.evaluate import Case, evaluate
from engine.feature import Feature
from engine.history import connect
from engine.known import hold_collection
from engine.lists import live_rules
from engine.matches import find_shortlist
from engine.measures import reach
from engine.pack import Pack
from engine.pairs import draw_up_shortlists, place_pairs, screen_shortlists
from engine.recount import Counted, recount
from engine.screen import evaluate_case
from engine.snapshot import Snapshot, load_snapshot, save_snapshot, take_snapshot
from engine.weekly import measure_all
from engine.world import Workbench

from .conftest import Borough
from .damaged import Damage, damage_known

Row = dict[str, Any]
FIRST = Damage(1, ("fire_incidents",))
SECOND = Damage(2, ("support_needs", "keep_apart", "env_health"))
QUIET = (("council_asb",), ("orders", "engagements"), ("housing_tenancies",), ("housing_register", "properties"),
         ("proposed_allocations", "homelessness_cases"), ("household_members", "police_involvements"))
"""Feeds that fall silent together, one world after another."""


@dataclass(frozen=True)
class Damaged:
    """One damaged world: its pairs judged in columns, and the snapshot of it read back from its folder."""

    rows: list[Row]
    shortlists: pd.DataFrame
    snapshot: Snapshot
    pack: Pack

    def desk(self) -> Desk:
        return Desk(self.snapshot, self.pack, {}, "damaged")


def damage(borough: Borough, pack: Pack, harm: Damage, pairs: int, folder: Path) -> Damaged:
    """A damaged world measured in columns, with so many pairs of any application and any home in it."""
    with hold_collection():
        bench = Workbench(connect(2))
        known = damage_known(borough.lake, pack, borough.as_of, harm, bench)
        applications = sorted(known.world.tables["housing_register"].application_ref.to_pyarrow().to_pylist())
        homes = sorted(known.world.tables["properties"].uprn.to_pyarrow().to_pylist())
        random = Random(harm.seed)
        asked = pd.DataFrame([(random.choice(applications), random.choice(homes)) for _ in range(pairs)],
                             columns=["application", "uprn"])
        listed = draw_up_shortlists(known.world, pack.policy.scheme)
        world = place_pairs(known.world, pd.concat([asked, listed]), bench)
        tables, _ = measure_all(world, pack, bench, lambda _: None)
        save_snapshot(take_snapshot(known, tables["place"], pack, bench.hold), folder, pack.folder)
        rows = tables["allocation"].order_by("subject").to_pyarrow().to_pylist()
        listed = screen_shortlists(tables["allocation"], listed, live_rules(pack, "allocation", borough.as_of))
    return Damaged(rows, listed, load_snapshot(folder)[0], pack)


@pytest.fixture(scope="module")
def first(borough: Borough, shipped: Pack, tmp_path_factory: pytest.TempPathFactory) -> Damaged:
    return damage(borough, shipped, FIRST, 5_250, tmp_path_factory.mktemp("first") / "desk")


@pytest.fixture(scope="module")
def second(borough: Borough, shipped: Pack, tmp_path_factory: pytest.TempPathFactory) -> Damaged:
    return damage(borough, shipped, SECOND, 5_250, tmp_path_factory.mktemp("second") / "desk")


def compare(desk: Desk, rows: list[Row]) -> tuple[int, Counter[str]]:
    """How many of the pairs could be compared, and what was not the same of how many."""
    compared, wrong = 0, Counter[str]()
    for row in rows:
        if row["application"] not in desk.applications:     # a proposal by an application nobody knows
            continue
        pair = desk.pair(row["application"], row["uprn"])
        if pair.subject != row["subject"]:                  # of two proposals for one pair the later is screened
            continue
        compared += 1
        wrong.update(differences(desk, desk.measure(pair), row))
    return compared, wrong


def differences(desk: Desk, measured: Measured, row: Mapping[str, Any]) -> list[str]:
    """Everything live says otherwise than the columns; a truth is no number here, and unknown is nothing else."""
    live: Row = dict(measured.values)
    live |= {f"rule:{rule}": step.state for rule, step in evaluate_case(desk, measured.values, measured).items()}
    live |= {f"exists_{n}": evaluate(block, Case({}, {}, measured.related)).state
             for n, block in enumerate(measured.related)}
    return [name for name, value in live.items() if type(value) is not type(row[name]) or value != row[name]]


# --- the same ---------------------------------------------------------------------------------------


def test_ten_thousand_pairs_come_out_live_as_they_do_in_columns(first: Damaged, second: Damaged) -> None:
    counts = [compare(world.desk(), world.rows) for world in (first, second)]
    assert [wrong for _, wrong in counts] == [Counter(), Counter()]
    assert sum(compared for compared, _ in counts) >= 10_000


def test_among_those_pairs_every_rule_fires_somewhere_does_not_elsewhere_and_cannot_always_tell(
    first: Damaged, second: Damaged
) -> None:
    rows = first.rows + second.rows
    for rule in first.desk().rules:
        states = Counter(row[f"rule:{rule.id}"] for row in rows)
        print(f"{rule.id}: fires {states[True]}, does not {states[False]}, cannot tell {states[None]}")
        assert all(states[state] for state in (True, False, None)), rule.id


def test_among_those_pairs_every_fact_is_known_of_some_and_most_are_unknown_of_others(
    first: Damaged, second: Damaged
) -> None:
    rows = first.rows + second.rows
    states = {name: {row[name] is None for row in rows} for name in first.pack.features_of("allocation")}
    assert [name for name, known in states.items() if False not in known] == []
    assert [name for name, known in states.items() if True not in known] == ["property_in_district"]    # always told


def test_every_shortlist_of_the_damaged_borough_is_the_same_drawn_up_live_in_the_same_order(first: Damaged) -> None:
    desk, sums = first.desk(), ["application", "result", "hard", "soft", "cannot_tell"]
    homes = first.shortlists.groupby("uprn", sort=True)
    assert len(homes) > 100
    for uprn, listed in homes:
        live = find_shortlist(desk, str(uprn))
        assert [[getattr(match, name) for name in sums] for match in live] == listed[sums].to_numpy().tolist(), uprn


def test_a_home_proposed_only_by_applications_nobody_knows_gets_the_first_of_the_register(first: Damaged) -> None:
    desk = first.desk()
    nobodys = {row["uprn"] for row in first.rows if row["application"] not in desk.applications}
    nobodys -= {home for application, home in desk.proposals if application in desk.applications}
    bare = [uprn for uprn in sorted(nobodys) if desk.homes[uprn]["available"]]
    assert bare
    listed = first.shortlists.groupby("uprn")["place"].apply(list)
    for uprn in bare:
        assert listed[uprn] == list(range(1, first.pack.policy.scheme.shortlist + 1))


@pytest.mark.more
@pytest.mark.parametrize("late", QUIET, ids=lambda late: late[0])
def test_sixty_thousand_more_pairs_come_out_the_same_whichever_feed_is_late(
    borough: Borough, shipped: Pack, tmp_path: Path, late: tuple[str, ...]
) -> None:
    world = damage(borough, shipped, Damage(100 + QUIET.index(late), late), 10_500, tmp_path / "desk")
    compared, wrong = compare(world.desk(), world.rows)
    assert wrong == Counter()
    assert compared >= 10_000


# --- faults that must be noticed --------------------------------------------------------------------


class WrongDistance(Desk):
    """Looks around a point a metre to the east."""

    def _count(self, feature: Feature, known: Mapping[str, Any]) -> Counted:
        if reach(feature) is not None and known.get("easting") is not None:
            known = {**known, "easting": known["easting"] + 1.0}
        return super()._count(feature, known)


class WholeZone(Desk):
    """Measures to the middle of an order's area, and forgets that the area begins before it."""

    def measure(self, pair: Any) -> Measured:
        found = super().measure(pair)
        related = {block: [{**row, "metres": row["metres"] + row["radius_m"]} if row.get("radius_m") is not None
                           and row["metres"] is not None else row for row in rows] if rows is not None else None
                   for block, rows in found.related.items()}
        return Measured(found.values, found.counted, related)


class MissedEdge(Desk):
    """Counts the day a window ends on."""

    def _carry(self, feature: Feature, known: Mapping[str, Any]) -> Counted:
        source = self.pack.features[str(feature.carried_from)]
        if source.subject != "person" or source.window is None or known.get("applicant") not in self._people:
            return super()._carry(feature, known)
        rows = self._rows.of_person(("person", str(source.table), None), str(known["applicant"]))
        return recount(source, rows, self.as_of + timedelta(days=1), self._world.believes(source))


class ReadsSilence(Desk):
    """Reads what is not known as nothing."""

    def measure(self, pair: Any) -> Measured:
        found = super().measure(pair)
        values = {name: 0 if value is None and self.features[name].type == "integer" else value
                  for name, value in found.values.items()}
        return Measured(values, found.counted, found.related)


class WrongHome(Desk):
    """Now and then describes the home beside."""

    def _measure_home(self, uprn: str) -> dict[str, Counted]:
        names = list(self.homes)
        at = names.index(uprn)
        return super()._measure_home(names[at - 1] if at % 50 == 0 else uprn)


class StalePlace(Desk):
    """Knows one street as it was before."""

    def _carry(self, feature: Feature, known: Mapping[str, Any]) -> Counted:
        found = super()._carry(feature, known)
        stale = feature.via == "street" and isinstance(found.value, float)
        return Counted(found.value + 0.01) if stale else found


class NoRecordIsNo(Desk):
    """Takes it that there is no record where nobody could look for one."""

    def measure(self, pair: Any) -> Measured:
        found = super().measure(pair)
        return Measured(found.values, found.counted, {block: rows or () for block, rows in found.related.items()})


class OtherApplicant(Desk):
    """Takes the first applicant of all for everybody."""

    def pair(self, application: str, uprn: str) -> Any:
        found = super().pair(application, uprn)
        return type(found)(found.application, self.applications[sorted(self.applications)[0]]["applicant"],
                           found.uprn, found.proposal)


@pytest.mark.parametrize("faulty", [WrongDistance, WholeZone, MissedEdge, ReadsSilence, WrongHome, StalePlace,
                                    NoRecordIsNo, OtherApplicant], ids=lambda fault: fault.__name__)
def test_a_fault_put_into_the_live_way_is_noticed(first: Damaged, faulty: type[Desk]) -> None:
    rows = first.rows[::5]
    _, wrong = compare(faulty(first.snapshot, first.pack, {}, "faulty"), rows)
    print(f"{faulty.__doc__}: {sum(wrong.values())} differences")
    assert wrong
