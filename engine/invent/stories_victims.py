"""Stories of people to whom harm is done or who are about to go under: the vulnerability axis."""

from __future__ import annotations

from engine.invent.residents import CHILD
from engine.invent.scenes import Stage

V = "vulnerability"


def case_review(stage: Stage) -> None:
    """I-01."""
    scene = stage.open_scene(
        "The threshold is met", "Three reports of the same neighbour's noise in five months.")
    victim, neighbour = scene.person(46), scene.person(31)
    for ago in (120, 74, 31):
        scene.report(victim, neighbour, ago=ago)
    scene.expect("victim", victim, "flagged", "I-01", V)
    scene.expect("victim", victim, "not_flagged", "any", "harm")


def three_agencies(stage: Stage) -> None:
    """I-01 only once the agencies' records are put together."""
    scene = stage.open_scene(
        "Nobody saw all three", "One report went to the police and two to the council.")
    victim, neighbour = scene.person(58), scene.person(27)
    scene.report(victim, neighbour, ago=96, code="P02")
    scene.report(victim, neighbour, ago=58, code="P02")
    scene.police(25, "P02", scene.known(neighbour, "home"),
                 [("victim", victim), ("alleged_subject", neighbour)], reporter=victim)
    scene.expect("victim", victim, "flagged", "I-01", V)


def repeat_with_need(stage: Stage) -> None:
    """I-02."""
    scene = stage.open_scene(
        "Twice, and not coping", "A man with depression reported youths at his window twice.")
    victim = scene.person(52)
    scene.need(victim, "MH")
    for ago in (200, 60):
        scene.report(victim, ago=ago, code="Y01", at=scene.known(victim, "home"))
    scene.expect("victim", victim, "flagged", "I-02", V)
    scene.expect("victim", victim, "not_flagged", "I-01", V)


def one_report_with_need(stage: Stage) -> None:
    """I-02 at one below the threshold."""
    scene = stage.open_scene(
        "Once is not twice", "A woman with a recorded need reported a single party.")
    victim = scene.person(49)
    scene.need(victim, "MH")
    scene.report(victim, ago=60, at=scene.known(victim, "home"))
    scene.expect("victim", victim, "not_flagged", "I-02", V)


def hate(stage: Stage) -> None:
    """I-03."""
    scene = stage.open_scene(
        "Abuse at the shop counter", "A shopkeeper was racially abused once, ten weeks ago.")
    victim = scene.person(39)
    scene.police(70, "P03", scene.known(victim, "home"), [("victim", victim)], reporter=victim,
                 hate_strand="race")
    scene.expect("victim", victim, "flagged", "I-03", V, namespace="police")


def high_ram(stage: Stage) -> None:
    """I-04 by assessment."""
    scene = stage.open_scene(
        "High on the matrix", "The case officer assessed the victim of a campaign as high.")
    victim = scene.person(61)
    scene.put("council_cases", victim, opened=scene.ago(30), recorded=scene.ago(29),
              case_type="asb", ram_band="high", last_victim_contact=scene.ago(4), plan_open=False,
              review_due=scene.ago(-40))
    scene.expect("victim", victim, "flagged", "I-04", V)
    scene.expect("victim", victim, "not_flagged", "I-22", "process")


def escalating(stage: Stage) -> None:
    """I-04 by pace."""
    scene = stage.open_scene(
        "From none to four", "Four reports in six weeks from a home that had never called.")
    victim, neighbour = scene.person(34), scene.person(44)
    for ago in (44, 33, 21, 9):
        scene.report(victim, neighbour, ago=ago, code="P01")
    scene.expect("victim", victim, "flagged", "I-04", V)


def high_risk_abuse(stage: Stage) -> None:
    """I-07."""
    scene = stage.open_scene(
        "Sixteen ticks", "An officer's assessment at the door came to sixteen.")
    victim, partner = scene.person(33), scene.person(36)
    scene.police(26, "P04", scene.known(victim, "home"),
                 [("victim", victim), ("alleged_subject", partner)], dash_score=16)
    scene.expect("victim", victim, "flagged", "I-07", V, namespace="police")
    scene.expect("victim", victim, "not_flagged", "any", "harm", namespace="police")


def safe_contact_only(stage: Stage) -> None:
    """I-07 with the safe route of X-13."""
    scene = stage.open_scene(
        "Do not write to her", "Three calls this year; contact only through her support worker.")
    victim, partner = scene.person(28), scene.person(30)
    for ago in (250, 130, 35):
        scene.police(ago, "P04", scene.known(victim, "home"),
                     [("victim", victim), ("alleged_subject", partner)], dash_score=9)
    scene.put("social_care_flags", victim, flag="safe_contact", opened=scene.ago(120),
              recorded=scene.ago(119), lead_professional=True)
    scene.expect("victim", victim, "flagged", "I-07", V, namespace="police")


def cuckooed(stage: Stage) -> None:
    """I-09."""
    scene = stage.open_scene(
        "Strangers at Margaret's", "A lonely tenant not seen for a fortnight, visitors all night.")
    tenant = scene.person(66)
    scene.tenant(tenant)
    scene.need(tenant, "LD")
    scene.put("housing_visits", tenant, uprn=scene.uprn(tenant), visited=scene.ago(34),
              recorded=scene.ago(33), kind="welfare", outcome="done", night_visitors=True,
              unseen_14d=True, new_occupant=True, door_damage=False, service_dropout=False,
              isolated=True, self_neglect=False, clutter=3)
    scene.expect("tenant", tenant, "flagged", "I-09", V)
    scene.expect("tenant", tenant, "not_flagged", "any", "harm")


def sleeping_out(stage: Stage) -> None:
    """I-11."""
    scene = stage.open_scene(
        "Six nights by the viaduct", "Seen bedded down six times; no homelessness case.")
    sleeper = scene.person(44)
    street = int(stage.setting.town.usrn[scene.street])
    for ago in (61, 54, 47, 40, 33, 26):
        scene.put("rough_sleeping", sleeper, seen=scene.ago(ago), recorded=scene.ago(ago - 1),
                  usrn=street)
    scene.expect("sleeper", sleeper, "flagged", "I-11", V)


def hoarding(stage: Stage) -> None:
    """I-12."""
    scene = stage.open_scene(
        "Nobody gets past the hall", "A gas fitter could not reach the boiler for clutter.")
    tenant = scene.person(71)
    scene.tenant(tenant)
    scene.put("housing_visits", tenant, uprn=scene.uprn(tenant),
              visited=scene.ago(50), recorded=scene.ago(49), kind="inspection", outcome="done",
              clutter=8, self_neglect=True, isolated=True, night_visitors=False, unseen_14d=False,
              new_occupant=False, door_damage=False, service_dropout=False)
    scene.expect("tenant", tenant, "flagged", "I-12", V)


def targeted_adult(stage: Stage) -> None:
    """I-13."""
    scene = stage.open_scene(
        "The one they pick on", "A man with a learning disability is taunted by different people.")
    victim = scene.person(41)
    scene.need(victim, "LD", "AUT")
    for ago, code in ((130, "P01"), (77, "Y01"), (22, "E03")):
        scene.report(victim, ago=ago, code=code, at=scene.known(victim, "home"))
    scene.expect("victim", victim, "flagged", "I-13", V)


def disengaging(stage: Stage) -> None:
    """I-14."""
    scene = stage.open_scene(
        "Slipping out of school", "A boy of fourteen misses a third of school; suspended twice.")
    pupil = scene.person(14, place=CHILD)
    for ago in (112, 220):
        scene.put("school_summaries", pupil, term_end=scene.ago(ago + 12), absence_pct=31.5,
                  suspensions=1, excluded=False, sen_support=True, young_carer=False,
                  off_site=False, recorded=scene.ago(ago))
    scene.expect("pupil", pupil, "flagged", "I-14", V, namespace="education")
    scene.expect("pupil", pupil, "not_flagged", "any", "harm", namespace="education")


def family(stage: Stage) -> None:
    """I-17."""
    scene = stage.open_scene(
        "Everything at once", "Debt, drink, illness and a bullied child under one roof.")
    mother = scene.person(37)
    scene.tenant(mother)
    child = scene.person(9, home=scene.known(mother, "home"), place=CHILD,
                         household=scene.known(mother, "household"))
    scene.member(child, "child")
    scene.need(mother, "MH", "ALC", "BUDGET", "DA", "ETE")
    for ago in (210, 95):
        scene.report(mother, ago=ago, code="Y01", at=scene.known(mother, "home"))
    scene.expect("mother", mother, "flagged", "I-17", V)


def arrears(stage: Stage) -> None:
    """I-18."""
    scene = stage.open_scene(
        "Twelve weeks behind", "Arrears doubled since the summer and the notice has been served.")
    tenant = scene.person(35)
    tenancy = scene.tenant(tenant)
    scene.need(tenant, "BUDGET")
    for month, owed in enumerate((1250.0, 1040.0, 830.0, 520.0, 410.0, 300.0)):
        scene.put("housing_rent", tenant, tenancy_ref=tenancy, as_at=scene.ago(6 + 30 * month),
                  recorded=scene.ago(5 + 30 * month), arrears=owed, weekly_rent=102.5,
                  cash_payment=False)
    scene.put("housing_notices", tenant, tenancy_ref=tenancy, served=scene.ago(21), kind="nosp",
              recorded=scene.ago(20))
    scene.expect("tenant", tenant, "flagged", "I-18", V)


def leaving_prison(stage: Stage) -> None:
    """I-19."""
    scene = stage.open_scene(
        "Out in three weeks", "Release is in three weeks and there is no address to go to.")
    leaver = scene.person(29)
    scene.put("transitions", leaver, kind="prison", expected=scene.ago(-21), offer_open=False,
              recorded=scene.ago(30))
    scene.expect("leaver", leaver, "flagged", "I-19", V)


def back_again(stage: Stage) -> None:
    """I-20."""
    scene = stage.open_scene(
        "Third time at the desk", "Three approaches in two years and no support package.")
    applicant = scene.person(26)
    for ago in (700, 410, 45):
        scene.put("homelessness_cases", applicant, approached=scene.ago(ago), reason="9",
                  closed=scene.ago(ago - 90) if ago > 100 else None,
                  stage="closed" if ago > 100 else "relief", php_done=scene.ago(ago - 8),
                  recorded=scene.ago(ago))
    scene.expect("applicant", applicant, "flagged", "I-20", V)


def no_word(stage: Stage) -> None:
    """I-22."""
    scene = stage.open_scene(
        "Nobody rang back", "Her case is open and the last contact was five weeks ago.")
    victim = scene.person(55)
    scene.put("council_cases", victim, opened=scene.ago(80), recorded=scene.ago(80),
              case_type="asb", ram_band="standard", last_victim_contact=scene.ago(35),
              review_due=scene.ago(-5), plan_open=False)
    scene.expect("victim", victim, "flagged", "I-22", "process")


def doorstep(stage: Stage) -> None:
    """I-24."""
    scene = stage.open_scene(
        "The roofers came back", "A widow of 83 paid doorstep traders twice this year.")
    victim = scene.person(83)
    scene.need(victim, "OLD")
    for ago in (230, 40):
        scene.police(ago, "SCAM", scene.known(victim, "home"), [("victim", victim)],
                     reporter=victim)
    scene.expect("victim", victim, "flagged", "I-24", V)


VICTIMS = (case_review, three_agencies, repeat_with_need, one_report_with_need, hate, high_ram,
           escalating, high_risk_abuse, safe_contact_only, cuckooed, sleeping_out, hoarding,
           targeted_adult, disengaging, family, arrears, leaving_prison, back_again, no_word,
           doorstep)
