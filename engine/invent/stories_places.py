"""Stories of places that need the agencies together."""

from __future__ import annotations

from engine.invent.arrays import NONE, Value
from engine.invent.scenes import Scene, Stage


def callers(scene: Scene, count: int) -> list[int]:
    """So many households of the street, one adult each."""
    return [scene.person(34 + 5 * number) for number in range(count)]


def trouble(scene: Scene, people: list[int], count: int, *, first: int, step: int,
            code: str = "R01") -> None:
    """Reports at the first caller's home, from each household in turn, `step` days apart."""
    spot = scene.known(people[0], "home")
    for number in range(count):
        scene.report(people[number % len(people)], ago=first + step * number, code=code, at=spot)


def well_above(stage: Stage) -> None:
    """L-01."""
    scene = stage.open_scene(
        "A quiet road no longer", "Fifteen reports from five households of six, in twelve weeks.")
    trouble(scene, callers(scene, 5), 15, first=4, step=5)
    scene.expect_street("flagged", "L-01")


def emerging(stage: Stage) -> None:
    """L-02."""
    scene = stage.open_scene(
        "Something has started", "Seven reports in under four weeks on a road that had none.")
    trouble(scene, callers(scene, 4), 7, first=4, step=3)
    scene.expect_street("flagged", "L-02")


def five_households(stage: Stage) -> None:
    """L-03."""
    scene = stage.open_scene(
        "Five front doors", "Five households reported the same racing cars within six months.")
    trouble(scene, callers(scene, 5), 5, first=20, step=30, code="V01")
    scene.expect_street("flagged", "L-03")


def four_households(stage: Stage) -> None:
    """L-03 at one below the threshold."""
    scene = stage.open_scene(
        "Four front doors", "Four households reported the same racing cars within six months.")
    trouble(scene, callers(scene, 4), 4, first=20, step=36, code="V01")
    scene.expect_street("not_flagged", "L-03")


def chronic(stage: Stage) -> None:
    """L-04."""
    scene = stage.open_scene(
        "Every month for a year", "Sixteen reports spread over the year and nobody's plan.")
    trouble(scene, callers(scene, 4), 16, first=10, step=21)
    scene.expect_street("flagged", "L-04", "process")


def chronic_with_plan(stage: Stage) -> None:
    """L-04 is about places without a plan."""
    scene = stage.open_scene(
        "Every month, and in hand", "Sixteen reports over the year and a plan that is open.")
    trouble(scene, callers(scene, 4), 16, first=10, step=21)
    usrn = int(stage.setting.town.usrn[scene.street])
    scene.put("place_plans", level="street", place=str(usrn), opened=scene.ago(90),
              recorded=scene.ago(90))
    scene.expect_street("not_flagged", "L-04", "process")


def drug_market(stage: Stage) -> None:
    """L-05."""
    scene = stage.open_scene(
        "Two minutes at the door", "Dealing reported five times by three households.")
    trouble(scene, callers(scene, 3), 5, first=9, step=14, code="D02")
    scene.expect_street("flagged", "L-05")


def exploited_tenant(stage: Stage) -> None:
    """L-06."""
    scene = stage.open_scene(
        "The door that never shuts", "Noise at a home whose tenant has not been seen for weeks.")
    tenant = scene.person(63)
    scene.tenant(tenant)
    home = scene.known(tenant, "home")
    scene.put("housing_visits", tenant, uprn=scene.uprn(tenant), visited=scene.ago(24),
              recorded=scene.ago(23), kind="repair", outcome="done", night_visitors=True,
              unseen_14d=True, new_occupant=False, door_damage=True, service_dropout=False,
              isolated=True, self_neglect=False, clutter=2)
    people = callers(scene, 3)
    for number in range(5):
        scene.report(people[number % 3], ago=11 + 15 * number, code="N01", at=home)
    scene.expect_place("uprn", scene.where(home)["uprn"], "flagged", "L-06", "vulnerability")


def burglars(stage: Stage) -> None:
    """L-08."""
    scene = stage.open_scene(
        "They came back next door", "Two burglaries in three weeks, the second five days ago.")
    for ago in (22, 5):
        victim = scene.person(50)
        scene.police(ago, "BURG", scene.known(victim, "home"), [("victim", victim)],
                     reporter=victim, hour=2)
    scene.expect_street("flagged", "L-08")


def decline(stage: Stage) -> None:
    """L-09."""
    scene = stage.open_scene(
        "Going downhill", "Fly-tips, graffiti and a burnt-out car since September.")
    people = callers(scene, 2)
    spot = scene.where(scene.known(people[0], "home"))
    for number, code in enumerate(("E01", "E01", "E01", "E03", "E03", "E03", "V02")):
        minute = scene.ago(12 + 9 * number) * 1440 + 540
        scene.put("env_health", occurred=minute, reported=minute + 90, category=code,
                  recorded=scene.ago(11 + 9 * number), disputed=False,
                  reporter_ref=scene.known(people[number % 2], "household"), **spot)
    scene.expect_street("flagged", "L-09")


def fires(stage: Stage) -> None:
    """L-10, which cannot be told while the fire feed is silent."""
    scene = stage.open_scene(
        "The fire service went quiet", "Two bins burnt before the fire records stopped coming.")
    for ago in (84, 79):
        minute = scene.ago(ago) * 1440 + 1260
        scene.put("fire_incidents", occurred=minute, reported=minute + 5, kind="deliberate",
                  recorded=scene.ago(ago - 1), **scene.where(scene.home()))
    scene.expect_street("cannot_tell", "L-10")


def noisy_block(stage: Stage) -> None:
    """L-11."""
    scene = stage.open_scene(
        "Thin walls", "Five noise reports in a block of flats from three households.")
    scene.move(flats=True)
    trouble(scene, callers(scene, 3), 5, first=7, step=15, code="N01")
    scene.expect_block("flagged", "L-11")


def wrong_season(stage: Stage) -> None:
    """L-12 is for light nights."""
    scene = stage.open_scene(
        "Dark by five", "Seven reports of young people at dusk, but the nights have drawn in.")
    trouble(scene, callers(scene, 3), 7, first=6, step=11, code="Y01")
    scene.expect_street("not_flagged", "L-12")


def night_time(stage: Stage) -> None:
    """L-13."""
    scene = stage.open_scene(
        "Closing time", "Two late licences on a short road and twelve fights after ten at night.")
    spot = scene.home()
    place = {name: value for name, value in scene.where(spot).items() if name != "uprn"}
    for kind in ("pub", "club"):
        scene.put("licensing_premises", premises_kind=kind, licensed_from=scene.ago(900),
                  late=True, recorded=scene.ago(900), **place)
    for number in range(12):
        scene.police(5 + 7 * number, "P05" if number % 2 else "PUBO", spot, hour=23)
    scene.expect_street("flagged", "L-13")


def lapsing_order(stage: Stage) -> None:
    """L-14."""
    scene = stage.open_scene(
        "The order runs out", "The public spaces protection order here expires in four months.")
    scene.home()
    _operation(scene, "pspo", started=scene.ago(975), expires=scene.ago(-120))
    scene.expect_street("flagged", "L-14", "process")


def hate_location(stage: Stage) -> None:
    """L-15."""
    scene = stage.open_scene(
        "The same bus stop", "Two hate incidents at one spot this year, against two people.")
    spot = scene.home()
    for ago, strand in ((210, "race"), (45, "disability")):
        victim = scene.person(30)
        scene.police(ago, "P03", spot, [("victim", victim)], reporter=victim, hate_strand=strand)
    scene.expect_street("flagged", "L-15", "vulnerability")


def high_need_block(stage: Stage) -> None:
    """L-16."""
    scene = stage.open_scene(
        "Nobody stays", "A block where two tenants were evicted and half have several needs.")
    scene.move(flats=True)
    for number in range(6):
        tenant = scene.person(31 + 6 * number)
        scene.tenant(tenant, since=300 + 40 * number)
        scene.need(tenant, *(("MH", "ALC", "BUDGET") if number < 4 else ("PH",)))
    for number, reason in enumerate(("evicted_asb", "evicted_arrears", "abandoned", "moved",
                                     "moved")):
        leaver = scene.person(28 + number, home=scene.known(tenant, "home") - number)
        stage.cast[-1]["home"] = NONE
        scene.tenant(leaver, since=720 - 9 * number, until=380 - 30 * number, reason=reason,
                     at=scene.known(tenant, "home") - number)
    scene.expect_block("flagged", "L-16", "vulnerability")


def new_lets(stage: Stage) -> None:
    """L-17."""
    scene = stage.open_scene(
        "Handed keys to trouble", "Two new tenants on a road already far above expectation.")
    people = callers(scene, 4)
    for person in people[2:]:
        scene.tenant(person, since=70)
    trouble(scene, people, 15, first=5, step=5)
    scene.expect_street("flagged", "L-17", "vulnerability")


def rebound(stage: Stage) -> None:
    """L-18."""
    scene = stage.open_scene(
        "After the operation", "The operation ended a month ago and the reports are back.")
    people = callers(scene, 3)
    _operation(scene, "operation", started=scene.ago(62), ended=scene.ago(34), before_rate=1.0)
    trouble(scene, people, 6, first=4, step=4)
    scene.expect_street("flagged", "L-18", "process")


def after_school(stage: Stage) -> None:
    """L-20."""
    scene = stage.open_scene(
        "Half past three", "Six gatherings after school, all near the school gate.")
    people = callers(scene, 3)
    spot = scene.known(people[0], "home")
    town = stage.setting.town
    scene.put("service_points", kind="school", easting=int(town.easting[spot]) + 120,
              northing=int(town.northing[spot]), recorded=scene.ago(1500))
    day = 5
    for number in range(6):
        # Term-time weekdays only: 1970-01-01 was a Thursday.
        while (scene.ago(day) + 3) % 7 > 4 or 23 <= day <= 31:
            day += 1
        minute = scene.ago(day) * 1440 + 15 * 60 + 40
        scene.report(people[number % 3], ago=day, code="Y01", at=spot, occurred=minute,
                     reported=minute + 1440)
        day += 6
    scene.expect_street("flagged", "L-20")


def _operation(scene: Scene, kind: str, **columns: Value) -> None:
    town = scene.stage.setting.town
    area = town.area_code[town.street_area[scene.street]]
    scene.put("operations", kind=kind, usrn=int(town.usrn[scene.street]), lsoa=area,
              recorded=columns["started"], **columns)


def under_operation(stage: Stage) -> None:
    """X-10."""
    scene = stage.open_scene(
        "While the officers are there", "Fifteen reports on a road with an operation running.")
    people = callers(scene, 5)
    _operation(scene, "operation", started=scene.ago(20), before_rate=1.5)
    trouble(scene, people, 15, first=4, step=5)
    scene.expect_street("held", "L-01", exclusion="X-10")


PLACES = (well_above, emerging, five_households, four_households, chronic, chronic_with_plan,
          drug_market, exploited_tenant, burglars, decline, fires, noisy_block, wrong_season,
          night_time, lapsing_order, hate_location, high_need_block, new_lets, rebound,
          after_school, under_operation)
