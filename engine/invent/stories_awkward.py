"""Stories about the records: held elsewhere, disputed, corrected, late, or not the same person."""

from __future__ import annotations

from engine.invent.extracts import Correction
from engine.invent.residents import CHILD
from engine.invent.scenes import Scene, Stage

V = "vulnerability"


def _three_reports(scene: Scene, victim: int, *, flag: str = "", exclusion: str = "") -> None:
    """A plain Case Review victim, held or routed by an open social-care flag."""
    for ago in (118, 71, 29):
        scene.report(victim, ago=ago, at=scene.known(victim, "home"))
    if flag:
        scene.put("social_care_flags", victim, flag=flag, opened=scene.ago(100),
                  recorded=scene.ago(99), lead_professional=True)
    scene.expect("victim", victim, "held" if exclusion else "flagged", "I-01", V,
                 exclusion=exclusion)


def already_held(stage: Stage) -> None:
    """X-01."""
    scene = stage.open_scene(
        "Adult Social Care has her", "Three reports, and a safeguarding enquiry with a named lead.")
    _three_reports(scene, scene.person(77), flag="s42", exclusion="X-01")


def mappa(stage: Stage) -> None:
    """X-02."""
    scene = stage.open_scene(
        "For police and probation", "Three reports as a victim; he is managed at MAPPA level 2.")
    _three_reports(scene, scene.person(48), flag="mappa_2", exclusion="X-02")


def staff(stage: Stage) -> None:
    """X-11."""
    scene = stage.open_scene(
        "One of our own", "The victim works for the council; only the restricted queue may see.")
    _three_reports(scene, scene.person(42), flag="staff_connected", exclusion="X-11")


def open_plan(stage: Stage) -> None:
    """PF-05."""
    scene = stage.open_scene(
        "Somebody is on it", "Three reports, and an open plan due for review next week.")
    victim = scene.person(53)
    scene.put("council_cases", victim, opened=scene.ago(110), recorded=scene.ago(110),
              case_type="asb", ram_band="medium", last_victim_contact=scene.ago(5),
              review_due=scene.ago(-7), plan_open=True)
    _three_reports(scene, victim, exclusion="PF-05")


def disputed(stage: Stage) -> None:
    """X-09."""
    scene = stage.open_scene(
        "He says it never happened", "One of the three reports is disputed and not yet settled.")
    victim, neighbour = scene.person(45), scene.person(35)
    for ago in (125, 80):
        scene.report(victim, neighbour, ago=ago)
    scene.report(victim, neighbour, ago=30, disputed=True)
    scene.expect("victim", victim, "cannot_tell", "I-01", V)


def corrected(stage: Stage) -> None:
    """A correction takes the third report away."""
    scene = stage.open_scene(
        "The wrong Mrs Shaw", "The third report was logged to the wrong person and put right.")
    victim, really, neighbour = scene.person(64), scene.person(39), scene.person(28)
    for ago in (131, 84):
        scene.report(victim, neighbour, ago=ago)
    third = scene.report(victim, neighbour, ago=37)
    stage.extracts.corrections.setdefault("council_asb", []).append(
        Correction(third, scene.ago(6), {}, {"complainant": really}))
    scene.expect("victim", victim, "not_flagged", "I-01", V)


def late(stage: Stage) -> None:
    """Known only after the list was made."""
    scene = stage.open_scene(
        "It reached us on the Thursday", "The third report was recorded after the meeting.")
    victim, neighbour = scene.person(38), scene.person(51)
    for ago in (115, 66):
        scene.report(victim, neighbour, ago=ago)
    scene.report(victim, neighbour, ago=6, late=True, recorded=scene.ago(-3))
    scene.expect("victim", victim, "not_flagged", "I-01", V)


def too_old(stage: Stage) -> None:
    """X-07."""
    scene = stage.open_scene(
        "The first was in spring", "Three reports, but the first is older than six months.")
    victim, neighbour = scene.person(43), scene.person(55)
    for ago in (205, 88, 26):
        scene.report(victim, neighbour, ago=ago)
    scene.expect("victim", victim, "not_flagged", "I-01", V)


def told_late(stage: Stage) -> None:
    """The Case Review counts only what is reported within a month."""
    scene = stage.open_scene(
        "He kept a diary", "Two of three incidents were reported seven weeks after they happened.")
    victim, neighbour = scene.person(60), scene.person(34)
    scene.report(victim, neighbour, ago=40)
    for ago in (150, 120):
        scene.report(victim, neighbour, ago=ago, reported=scene.ago(ago - 50) * 1440 + 700,
                     recorded=scene.ago(ago - 51))
    scene.expect("victim", victim, "not_flagged", "I-01", V)


def school_silent(stage: Stage) -> None:
    """Missing is not false."""
    scene = stage.open_scene(
        "The school sent a blank", "In care and with youth justice; the absence figure is empty.")
    pupil = scene.person(13, place=CHILD)
    scene.put("school_summaries", pupil, term_end=scene.ago(124), suspensions=0, excluded=False,
              sen_support=False, young_carer=False, off_site=False, recorded=scene.ago(112))
    for flag in ("looked_after", "youth_justice"):
        scene.put("social_care_flags", pupil, flag=flag, opened=scene.ago(220),
                  recorded=scene.ago(219), lead_professional=False)
    scene.expect("pupil", pupil, "cannot_tell", "I-14", V, namespace="education")


def twins(stage: Stage) -> None:
    """Two people, however alike their records."""
    scene = stage.open_scene(
        "Twins", "Twin sisters at one address made two reports each.")
    first = scene.person(35)
    second = scene.person(35, born=scene.known(first, "born"), home=scene.known(first, "home"),
                          surname=scene.known(first, "surname"))
    for place, twin in enumerate((first, second)):
        for ago in (100, 45):
            scene.report(twin, ago=ago + 9 * place, code="N01" if place else "V01",
                         at=scene.known(twin, "home"))
    scene.expect("first", first, "not_flagged", "I-01", V)
    scene.expect("second", second, "not_flagged", "I-01", V)


def namesakes(stage: Stage) -> None:
    """Same name and birthday, two people."""
    scene = stage.open_scene(
        "Namesakes", "Two men share a name and a birthday, at addresses miles apart.")
    first = scene.person(47)
    scene.move()
    second = scene.person(47, born=scene.known(first, "born"),
                          forename=scene.known(first, "forename"),
                          surname=scene.known(first, "surname"))
    for man in (first, second):
        for ago in (90, 50):
            scene.report(man, ago=ago, code="V01", at=scene.known(man, "home"))
    scene.expect("first", first, "not_flagged", "I-01", V)
    scene.expect("second", second, "not_flagged", "I-01", V)


def same_day_twice(stage: Stage) -> None:
    """One event told twice is one event."""
    scene = stage.open_scene(
        "Told to both", "One party was reported to the police and the council within the hour.")
    victim, neighbour = scene.person(56), scene.person(23)
    scene.report(victim, neighbour, ago=90)
    scene.report(victim, neighbour, ago=40)
    # The council's report stands at the same minute and address as the police's.
    hour = 9 + 40 % 11
    scene.police(40, "N01", scene.known(neighbour, "home"),
                 [("victim", victim), ("alleged_subject", neighbour)], reporter=victim, hour=hour)
    scene.expect("victim", victim, "not_flagged", "I-01", V)


AWKWARD = (already_held, mappa, staff, open_plan, disputed, corrected, late, too_old, told_late,
           school_silent, twins, namesakes, same_day_twice)
