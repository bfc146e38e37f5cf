"""Stories of an applicant and a property, before the offer is made."""

from __future__ import annotations

from typing import TypeAlias

from engine.invent.arrays import NONE, Value
from engine.invent.scenes import Scene, Stage

Row: TypeAlias = dict[str, Value]
_CLEAR: Row = {
    "stay_type": "general_needs", "travel_minutes": 18, "settle_plan": True,
    "ppu_check": "not_asked", "ppu_marked": False, "place_restriction_breach": False,
    "partner_check_needed": False, "prior_conduct_rule_published": True, "conduct_cited": False,
    "applicant_view": "accepts", "disruption_considered": True, "support_considered": True,
    "amenities_considered": True}
_PLAIN: Row = {
    "kind": "house", "tenure": "council", "landlord": "Ravensmoor Borough Council", "floor": 0,
    "beds": 2, "access": "level", "shared_exit_or_high_rise": False, "sheltered": False,
    "sensitive_let": False, "lettings_plan_published": False}


def _offer(scene: Scene, applicant: int, *, home: int | None = None, assessed: int | None = 30,
           register: Row | None = None, stock: Row | None = None,
           given: Row | None = None) -> int:
    """An applicant on the register, an empty home, and a proposal made last week."""
    spot = scene.home() if home is None else home
    uprn = int(scene.stage.setting.town.uprn[spot])
    form: Row = {
        "household_ref": scene.known(applicant, "household"), "registered": scene.ago(200),
        "band": "B", "status": "live", "reason": 9, "wheelchair": False, "noise_trigger": False,
        "needs_assessed": None if assessed is None else scene.ago(assessed),
        "recorded": scene.ago(199)}
    application = scene.put("housing_register", applicant, **(form | (register or {})))
    scene.put("properties", uprn=uprn, **(_PLAIN | {
        "void_since": scene.ago(45), "ready_from": scene.ago(6), "recorded": scene.ago(1200)}
        | (stock or {})))
    return scene.put("proposed_allocations", **(_CLEAR | {
        "application_ref": application, "uprn": uprn, "proposed": scene.ago(6),
        "recorded": scene.ago(6)} | (given or {})))


def _keep_apart(scene: Scene, applicant: int, kind: str, spot: int, metres: int) -> None:
    """The other party's place stands so many metres east of a dwelling, far from any address."""
    town = scene.stage.setting.town
    other = scene.person(41, home=NONE)
    scene.put("keep_apart", applicant, other, kind=kind, place_kind="work",
              easting=int(town.easting[spot]) + metres, northing=int(town.northing[spot]),
              started=scene.ago(300), recorded=scene.ago(298))


def _party(stage: Stage, name: str, sentence: str, kind: str, metres: int, rule: str,
           expect: str) -> None:
    scene = stage.open_scene(name, sentence)
    applicant = scene.person(32)
    scene.need(applicant, "BUDGET")
    scene.move()
    home = scene.home()
    offer = _offer(scene, applicant, home=home)
    _keep_apart(scene, applicant, kind, home, metres)
    scene.expect_offer(offer, expect, rule)


def parties(stage: Stage) -> None:
    """A-03, A-07, A-08 and A-24, and two that are just far enough away."""
    for name, sentence, kind, metres, rule, expect in (
            ("Round the corner from him", "A survivor is offered a home near her abuser's work.",
             "da", 640, "A-03", "flagged"),
            ("A mile is enough", "The abuser's work is 1,001 metres from the home.",
             "da", 1001, "A-03", "not_flagged"),
            ("Back beside them", "An ASB victim is offered a home by the people he left.",
             "asb", 280, "A-07", "flagged"),
            ("Just far enough", "The people he left are 501 metres away.",
             "asb", 501, "A-07", "not_flagged"),
            ("She gave evidence", "A witness is offered a home near the man she named.",
             "witness", 350, "A-08", "flagged"),
            ("Old enemies", "Two families at feud would live in sight of each other.",
             "feud", 420, "A-24", "flagged"),
            ("Those who sold her", "A survivor of exploitation, and the house she was held in.",
             "exploitation", 1700, "A-24", "flagged"),
            ("Where they took his flat", "A man who was cuckooed, and those who did it.",
             "cuckoo", 850, "A-24", "flagged")):
        _party(stage, name, sentence, kind, metres, rule, expect)


def no_assessment(stage: Stage) -> None:
    """A-01."""
    scene = stage.open_scene(
        "Nobody asked", "An offer is about to be made and needs were never assessed.")
    offer = _offer(scene, scene.person(30), assessed=None)
    scene.expect_offer(offer, "flagged", "A-01")


def assessed(stage: Stage) -> None:
    """Nothing stands in the way of this one."""
    scene = stage.open_scene(
        "A good match", "Needs assessed last month, a plain home on a quiet road.")
    applicant = scene.person(33)
    scene.need(applicant, "BUDGET")
    offer = _offer(scene, applicant)
    for rule in ("A-01", "A-02", "A-03", "A-04", "A-06", "A-16", "A-17", "A-21", "A-22"):
        scene.expect_offer(offer, "not_flagged", rule)


def exclusion_zone(stage: Stage) -> None:
    """A-02."""
    scene = stage.open_scene(
        "Inside the circle", "His order keeps him 300 metres from a house next to this one.")
    applicant = scene.person(36)
    scene.move()
    home = scene.home()
    town = stage.setting.town
    offer = _offer(scene, applicant, home=home)
    scene.put("orders", applicant, kind="restraining", started=scene.ago(240),
              ends=scene.ago(-480), protected_persons=1, easting=int(town.easting[home]) + 60,
              northing=int(town.northing[home]), radius_m=300.0, recorded=scene.ago(239))
    scene.expect_offer(offer, "flagged", "A-02")


def recovery(stage: Stage) -> None:
    """A-04 near dealing, and the same person far from it."""
    for name, sentence, reports, expect in (
            ("Clean for a year", "In treatment, offered a home by three reports of dealing.", 3,
             "flagged"),
            ("Clean, and a quiet road", "In treatment, offered a home where nobody deals.", 0,
             "not_flagged")):
        scene = stage.open_scene(name, sentence)
        applicant = scene.person(37)
        scene.need(applicant, "DRUG")
        scene.put("engagements", applicant, service="drug", started=scene.ago(360),
                  last_contact=scene.ago(8), provider="Moorside Recovery", relapsed=False,
                  recorded=scene.ago(355))
        scene.move()
        home, caller = scene.home(), scene.person(60)
        for number in range(reports):
            scene.report(caller, ago=12 + 20 * number, code="D02", at=home)
        scene.expect_offer(_offer(scene, applicant, home=home), expect, "A-04")


def care_leaver(stage: Stage) -> None:
    """A-05."""
    scene = stage.open_scene(
        "First keys", "A care leaver of nineteen, offered a flat by signs of exploitation.")
    applicant = scene.person(19)
    scene.need(applicant, "CL1820")
    scene.move()
    home, caller = scene.home(), scene.person(55)
    for ago, code in ((20, "D02"), (50, "X05"), (70, "D02")):
        scene.report(caller, ago=ago, code=code, at=home)
    scene.expect_offer(_offer(scene, applicant, home=home), "flagged", "A-05")


def hate_victim(stage: Stage) -> None:
    """A-06."""
    scene = stage.open_scene(
        "Not that road again", "A hate victim is offered a home where others were abused.")
    applicant, other = scene.person(40), scene.person(25)
    scene.need(applicant, "PH")
    scene.report(applicant, ago=400, code="P03", at=scene.known(applicant, "home"),
                 hate_strand="race")
    scene.move()
    home = scene.home()
    scene.report(other, ago=100, code="P03", at=home, hate_strand="race")
    scene.expect_offer(_offer(scene, applicant, home=home), "flagged", "A-06")


def proposals(stage: Stage) -> None:
    """Rules that read the proposal, the register or the property alone."""
    told: list[tuple[str, str, str, Row, Row, Row]] = [
        ("Probation says no", "Probation reports that the address breaks his licence.", "A-10",
         {}, {}, {"place_restriction_breach": True}),
        ("A sensitive let", "The last tenant was evicted and the published tests apply.",
         "A-14", {}, {"sensitive_let": True, "lettings_plan_published": True}, {}),
        ("Held against him", "Evicted for ASB; the scheme publishes no rule on conduct.",
         "A-15", {"reason": 51}, {}, {"prior_conduct_rule_published": False}),
        ("Nine steps up", "A wheelchair user is offered a home with steps.", "A-16",
         {"wheelchair": True}, {"access": "none"}, {}),
        ("An hour each way", "School and carer are seventy minutes away by bus.", "A-17",
         {}, {}, {"travel_minutes": 70}),
        ("No gateway", "A partner check is needed and no gateway has been logged.", "A-23",
         {}, {}, {"partner_check_needed": True, "gateway_logged": False})]
    for name, sentence, rule, register, stock, proposal in told:
        scene = stage.open_scene(name, sentence)
        applicant = scene.person(42)
        scene.need(applicant, "BUDGET")
        offer = _offer(scene, applicant, register=register, stock=stock, given=proposal)
        scene.expect_offer(offer, "flagged", rule)


def strained_block(stage: Stage) -> None:
    """A-12."""
    scene = stage.open_scene(
        "One more into the same block", "Three needs and no package, into a block at its limit.")
    applicant = scene.person(29)
    scene.need(applicant, "MH", "DRUG", "BUDGET")
    scene.move(flats=True)
    for number in range(6):
        tenant = scene.person(33 + 5 * number)
        scene.tenant(tenant)
        scene.need(tenant, *(("MH", "ALC", "PH") if number < 4 else ("PH",)))
    offer = _offer(scene, applicant, stock={"kind": "flat", "shared_exit_or_high_rise": True})
    scene.expect_offer(offer, "flagged", "A-12")


def takeover(stage: Stage) -> None:
    """A-13."""
    scene = stage.open_scene(
        "Easy to find, easy to use", "A lonely tenant, offered a ground floor beside dealing.")
    applicant = scene.person(64)
    scene.tenant(applicant)
    scene.need(applicant, "LD")
    scene.put("housing_visits", applicant, visited=scene.ago(60), recorded=scene.ago(59),
              uprn=scene.uprn(applicant), kind="welfare",
              outcome="done", isolated=True, night_visitors=False, unseen_14d=False,
              new_occupant=False, door_damage=False, service_dropout=False, self_neglect=False,
              clutter=2)
    scene.move()
    home, caller = scene.home(), scene.person(51)
    for ago in (15, 48):
        scene.report(caller, ago=ago, code="D02", at=home)
    scene.expect_offer(_offer(scene, applicant, home=home), "flagged", "A-13")


def noise_trigger(stage: Stage) -> None:
    """A-19."""
    scene = stage.open_scene(
        "Noise sets him off", "An autistic man is offered a home beside the loudest house.")
    applicant = scene.person(27)
    scene.need(applicant, "AUT")
    scene.move()
    home, caller = scene.home(), scene.person(49)
    for number in range(5):
        scene.report(caller, ago=9 + 16 * number, code="N01", at=home)
    offer = _offer(scene, applicant, home=home, register={"noise_trigger": True})
    scene.expect_offer(offer, "flagged", "A-19")


def no_settling_plan(stage: Stage) -> None:
    """A-21."""
    scene = stage.open_scene(
        "Keys and nothing else", "Homeless, two needs, and nobody to visit in the first weeks.")
    applicant = scene.person(38)
    scene.need(applicant, "MH", "BUDGET")
    scene.put("homelessness_cases", applicant, approached=scene.ago(70), stage="relief",
              php_done=scene.ago(60), reason="9", recorded=scene.ago(70))
    scene.expect_offer(_offer(scene, applicant, given={"settle_plan": False}), "flagged", "A-21")


def failed_before(stage: Stage) -> None:
    """A-22."""
    scene = stage.open_scene(
        "Twice evicted", "Two tenancies failed in three years and no support is in place.")
    applicant = scene.person(31)
    stage.cast[-1]["home"] = NONE
    scene.need(applicant, "MH")
    for since, until, reason in ((980, 700, "abandoned"), (560, 240, "evicted_arrears")):
        scene.tenant(applicant, since=since, until=until, reason=reason, at=scene.home())
    scene.expect_offer(_offer(scene, applicant), "flagged", "A-22")


OFFERS = (parties, no_assessment, assessed, exclusion_zone, recovery, care_leaver, hate_victim,
          proposals, strained_block, takeover, noise_trigger, no_settling_plan, failed_before)
