"""Stories of places that look worse than they are, or whose boundaries and tenants have changed."""

from __future__ import annotations

import numpy as np
from pyproj import Transformer

from engine.invent.arrays import NONE
from engine.invent.geography import FLAT_HAMLETS, HOUSE_HAMLETS
from engine.invent.police import FORCE
from engine.invent.scenes import Stage
from engine.invent.stories_places import callers, trouble


def one_caller(stage: Stage) -> None:
    """Volume from one household is not a place's problem yet."""
    scene = stage.open_scene(
        "Sixteen calls, one phone", "Every one of sixteen reports comes from the same household.")
    trouble(scene, callers(scene, 1), 16, first=4, step=5)
    scene.expect_street("not_flagged", "L-01")
    scene.expect_street("not_flagged", "L-02")


def nearly_enough(stage: Stage) -> None:
    """L-01 at one below the threshold."""
    scene = stage.open_scene(
        "Five is not six", "Five reports from four households in ninety days.")
    trouble(scene, callers(scene, 4), 5, first=8, step=16)
    scene.expect_street("not_flagged", "L-01")


def busy_as_ever(stage: Stage) -> None:
    """High, but what so many homes would have anywhere."""
    scene = stage.open_scene(
        "A big estate, as ever", "Seven reports a quarter, as every quarter, from 160 flats.")
    first = int(np.flatnonzero(stage.setting.town.hamlet)[0])
    scene.street = first + HOUSE_HAMLETS + FLAT_HAMLETS
    people = [scene.person(25 + number % 50) for number in range(24)]
    reports = min(stage.setting.months * 30 // 13, 83)
    for number in range(reports):
        caller = people[number % len(people)]
        scene.report(caller, ago=5 + 13 * number, code=("N01", "R01", "V01")[number % 3],
                     at=scene.known(caller, "home"))
    scene.expect_street("not_flagged", "L-01")


def dead_address(stage: Stage) -> None:
    """Nobody is put forward for an empty home."""
    scene = stage.open_scene(
        "Nobody lives there now", "Noise at a home whose tenant left in summer; it stands void.")
    leaver = scene.person(58)
    home = scene.known(leaver, "home")
    stage.cast[-1]["home"] = NONE
    scene.tenant(leaver, since=1400, until=130, reason="abandoned", at=home)
    uprn = scene.where(home)["uprn"]
    scene.put("housing_visits", leaver, uprn=uprn, visited=scene.ago(190),
              recorded=scene.ago(189), kind="repair", outcome="done", night_visitors=True,
              unseen_14d=True, new_occupant=True, door_damage=True, service_dropout=False,
              isolated=False, self_neglect=False, clutter=2)
    scene.put("properties", uprn=uprn, kind="house", tenure="council", beds=2, access="none",
              landlord="Ravensmoor Borough Council", floor=0, shared_exit_or_high_rise=False,
              sheltered=False, sensitive_let=False, lettings_plan_published=False,
              void_since=scene.ago(128), recorded=scene.ago(1400))
    people = callers(scene, 3)
    for number in range(5):
        scene.report(people[number % 3], ago=9 + 16 * number, code="X03", at=home)
    scene.expect_place("uprn", uprn, "not_flagged", "L-06", "vulnerability")
    scene.expect("former tenant", leaver, "not_flagged", "any", "harm")


def moved_ward(stage: Stage) -> None:
    """Two ward vintages, one street."""
    scene = stage.open_scene(
        "The boundary moved", "A road that changed ward in the review is still one road.")
    trouble(scene, callers(scene, 5), 15, first=4, step=5)
    scene.expect_street("flagged", "L-01")


def burgled_long_ago(stage: Stage) -> None:
    """L-08 wants the second one this week."""
    scene = stage.open_scene(
        "Three weeks between", "Two burglaries on one road, neither in the last week.")
    for ago in (40, 19):
        victim = scene.person(44)
        scene.police(ago, "BURG", scene.known(victim, "home"), [("victim", victim)],
                     reporter=victim, hour=3)
    scene.expect_street("not_flagged", "L-08")


def one_hate_incident(stage: Stage) -> None:
    """L-15 at one below the threshold."""
    scene = stage.open_scene(
        "Once at the stop", "A single hate incident on a road; the victim is offered support.")
    victim = scene.person(27)
    scene.police(60, "P03", scene.home(), [("victim", victim)], reporter=victim,
                 hate_strand="religion")
    scene.expect_street("not_flagged", "L-15", "vulnerability")
    scene.expect("victim", victim, "flagged", "I-03", "vulnerability", namespace="police")


def open_data(stage: Stage) -> None:
    """L-22 and L-23, on what police.uk publishes by the month."""
    town = stage.setting.town
    turn = Transformer.from_crs(27700, 4326, always_xy=True)
    now = np.datetime64(stage.setting.until, "D").astype("datetime64[M]")
    for name, sentence, monthly, rule in (
            ("On the public map for a year", "Nine reports a month at one map point, all year.",
             [9] * 12, "L-22"),
            ("New on the public map", "A point that had almost none shows fourteen last month.",
             [14, 0, 0, 1, 0, 0], "L-23")):
        scene = stage.open_scene(name, sentence)
        street = scene.move()
        longitude, latitude = (round(float(value), 6) for value in turn.transform(
            town.street_e[street], town.street_n[street]))
        area = town.street_area[street]
        for back, count in enumerate(monthly, 1):
            month = int((now - back).astype("datetime64[D]").astype(np.int64))
            for _ in range(count):
                scene.put("police_uk", month=month, reported_by=FORCE, falls_within=FORCE,
                          longitude=longitude, latitude=latitude, lsoa_name=town.area_name[area],
                          location=f"On or near {town.street_name[street]}",
                          lsoa_code=town.area_code[area], crime_type="Anti-social behaviour")
        scene.expect_place("point", f"{longitude:.6f},{latitude:.6f}", "flagged", rule, "place")


STREETS = (one_caller, nearly_enough, busy_as_ever, dead_address, moved_ward, burgled_long_ago,
           one_hate_incident, open_data)
