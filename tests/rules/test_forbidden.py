"""What no rule may ever use, say or do is refused when the pack is read; what stands beside it lawfully is not.

Each story is one rule, with the facts it would need, put beside shipped rules and facts: first the rule that
must never run, then its nearest lawful neighbour.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from engine.errors import RuleError
from engine.forbid import read_forbidden

CONDUCT = "asb_subject_ev2_183d >= 3"


@dataclass(frozen=True)
class Bad:
    """A rule: what it asks, on which axis about whom, what it says and suggests, and any new facts it needs."""

    when: tuple[str, ...]
    axis: str = "harm"
    subject: str = "person"
    facts: dict[str, str] = field(default_factory=dict)
    support: str = "Talk with the person about what they need."
    enforce: str | None = None
    because: str = "Talk about this one early."
    fades_with: str | None = None
    authority: str = "Crime and Disorder Act 1998 s17"
    owner: str = "CSP manager"


def involved(where: str, measure: str = "distinct incident", windows: str = "[365]") -> str:
    return f"{{measure: {measure}, of: involvements, where: {where}, windows: {windows}}}"


def fact_on(table: str, where: str = "", measure: str = "count") -> str:
    return f"{{measure: {measure}, of: {table}{f', where: {where}' if where else ''}, windows: [365]}}"


HARM = ("age >= 10", CONDUCT)
VISITS = "school_absence_270d >= 10"
HOUSEHOLD = "dependent_children >= 1"
SUFFERED = {"axis": "vulnerability"}
OFFER = {"axis": "process", "subject": "allocation"}

#  which entry refuses it, the rule that must never run, the neighbour that may
STORIES: dict[str, tuple[str, Bad, Bad]] = {
    # Amsterdam's Top400
    "what a person suffered counted as what they did": (
        "F-07", Bad(("age >= 10", "asb_victim_365d >= 3")), Bad(("asb_victim_365d >= 3",), **SUFFERED)),
    "police contacts of the people somebody lives with": (
        "F-08", Bad((*HARM, "co_resident_arrests_365d >= 1"),
                    facts={"co_resident_arrests": involved("side == subject")}),
        Bad((HOUSEHOLD, "asb_victim_365d >= 1"), **SUFFERED)),
    "being the younger brother of somebody": (
        "F-09", Bad((*HARM, "brother_reports_365d >= 1"), facts={"brother_reports": involved("side == subject")}),
        Bad(HARM)),
    "having changed primary school": (
        "F-06", Bad(("school_changes_365d >= 2",), **SUFFERED, facts={"school_changes": fact_on("school_summaries")}),
        Bad((VISITS,), **SUFFERED)),
    # domain reference 6.9
    "being a witness counted as what one did": (
        "F-07", Bad((*HARM, "seen_nearby_365d >= 1"), facts={"seen_nearby": involved("side == witness")}),
        Bad((*HARM, "own_reports_365d >= 1"), facts={"own_reports": involved("side == subject")})),
    "a report that does not say on which side": (
        "F-07", Bad((*HARM, "reports_365d >= 1"), facts={"reports": involved("family == asb")}),
        Bad((*HARM, "reports_365d >= 1"), facts={"reports": involved("{all: [side == subject, family == asb]}")})),
    "how many schools a child went to": (
        "F-06", Bad(("schools_attended_365d >= 3",), **SUFFERED,
                    facts={"schools_attended": fact_on("school_summaries")}),
        Bad(("suspensions_365d >= 1",), **SUFFERED)),
    "free school meals": (
        "F-04", Bad(("free_school_meals_365d >= 1",), **SUFFERED,
                    facts={"free_school_meals": fact_on("school_summaries")}),
        Bad(("young_carer_365d is true",), **SUFFERED)),
    "benefits": (
        "F-04", Bad(("housing_benefit_365d >= 1",), **SUFFERED, facts={"housing_benefit": fact_on("housing_rent")}),
        Bad(("arrears_weeks >= 8",), **SUFFERED)),
    "teenage parenthood": (
        "F-05", Bad(("teenage_parent_365d >= 1",), **SUFFERED, facts={"teenage_parent": fact_on("school_summaries")}),
        Bad((HOUSEHOLD, "age < 20"), **SUFFERED)),
    "immigration status as harm": (
        "F-03", Bad((*HARM, "immigration_status_365d >= 1"), facts={"immigration_status": fact_on("support_needs")}),
        Bad(("need_mslav is true",), **SUFFERED)),
    "immigration status as anything": (
        "F-03", Bad(("immigration_status_365d >= 1",), **SUFFERED,
                    facts={"immigration_status": fact_on("support_needs")}),
        Bad(("need_mslav is true",), **SUFFERED)),
    "religion": (
        "F-02", Bad(("religion_365d >= 1",), **SUFFERED, facts={"religion": fact_on("support_needs")}),
        Bad(("hate_victim_365d >= 1",), **SUFFERED)),
    "sex": (
        "F-02", Bad(("sex_365d >= 1",), **SUFFERED, facts={"sex": fact_on("support_needs")}),
        Bad(("need_da is true",), **SUFFERED)),
    "ethnicity": (
        "F-01", Bad((*HARM, "ethnic_group_365d >= 1"), facts={"ethnic_group": fact_on("support_needs")}), Bad(HARM)),
    "language": (
        "F-01", Bad(("first_language_365d >= 1",), **SUFFERED, facts={"first_language": fact_on("support_needs")}),
        Bad(("isolated is true",), **SUFFERED)),
    "the postcode somebody lives in": (
        "F-11", Bad(("postcode_reports_365d >= 9",), **SUFFERED,
                    facts={"postcode_reports": involved("side == victim")}),
        Bad(("asb_90d >= 9", "level == street"), axis="place", subject="place")),
    "the ward somebody lives in": (
        "F-11", Bad(("near_home_365d >= 1",), **SUFFERED,
                    facts={"near_home": fact_on("residents", "ward == E05000001")}),
        Bad(("asb_90d >= 9", "level == ward"), axis="place", subject="place")),
    "what is said of a street carried over to those who live there": (
        "F-11", Bad(("street_trouble >= 9",), **SUFFERED,
                    facts={"street_trouble": "{measure: carry, from: place.asb_90d, via: street}"}),
        Bad(("asb_victim_90d >= 3",), **SUFFERED)),
    "police intelligence": (
        "F-12", Bad((*HARM, "intelligence_365d >= 1"), facts={"intelligence": involved("side == subject")}),
        Bad((*HARM, "calls_365d >= 1"), facts={"calls": involved("{all: [side == subject, evidence >= 2]}")})),
    "the name of intelligence": (
        "F-12", Bad((*HARM, "intel_365d >= 1"), facts={"intel": involved("side == subject")}), Bad(HARM)),
    "an anonymous report about a person": (
        "F-13", Bad((*HARM, "told_365d >= 1"),
                    facts={"told": involved("{all: [side == subject, anonymous is true]}")}),
        Bad((*HARM, "told_365d >= 1"), facts={"told": involved("{all: [side == subject, evidence >= 2]}")})),
    "a diagnosis in place of conduct": (
        "F-14", Bad(("age >= 10", "need_mh is true")), Bad((*HARM, "need_mh is true"))),
    "a diagnosis as a reason to refuse a home": (
        "F-17", Bad(("applicant_need_mh is true",), **OFFER, support="Refuse the applicant."),
        Bad(("applicant_need_mh is true",), **OFFER, support="Offer a support worker before the keys.")),
    "earlier homelessness as a reason to refuse a home": (
        "F-19", Bad(("applicant_failed_tenancies_1095d >= 2",), **OFFER, because="Past homelessness, so exclude."),
        Bad(("applicant_failed_tenancies_1095d >= 2",), **OFFER, because="Past homelessness, so offer support.")),
    "knowing somebody on a list": (
        "F-10", Bad((*HARM, "associates_365d >= 1"), facts={"associates": involved("side == subject")}), Bad(HARM)),
    "a list of gang members": (
        "F-10", Bad((*HARM, "gang_365d >= 1"), facts={"gang": involved("side == subject")}), Bad(HARM)),
    "a consequence that follows by itself": (
        "F-17", Bad(HARM, enforce="Three reports: the tenant will be evicted."),
        Bad(HARM, enforce="Consider whether a warning would help.")),
    "an automatic consequence in the sentence itself": (
        "F-17", Bad(HARM, because="A notice follows automatically."), Bad(HARM, because="A notice may be considered.")),
    "one overall risk score": (
        "F-18", Bad(("overall_risk_score_365d >= 80",), **SUFFERED,
                    facts={"overall_risk_score": involved("side == victim")}),
        Bad(("dash_latest_365d >= 14",), **SUFFERED)),
    # requirement R5, and the rest of the file
    "harm by a child under ten": ("F-16", Bad((CONDUCT,)), Bad(HARM)),
    "harm where age comes last": ("F-16", Bad((CONDUCT, "age >= 10")), Bad(HARM)),
    "harm from the age of eight": ("F-16", Bad(("age >= 8", CONDUCT)), Bad(HARM)),
    "a rule on no authority": ("F-20", Bad(HARM, authority="''"), Bad(HARM)),
    "a rule nobody owns": ("F-20", Bad(HARM, owner="''"), Bad(HARM)),
    "enforcement about what people suffer": (
        "F-21", Bad(("asb_victim_365d >= 3",), **SUFFERED, enforce="Serve a notice."),
        Bad(("asb_victim_365d >= 3",), **SUFFERED)),
    "a marker that protects staff": (
        "F-15", Bad((*HARM, "warning_365d >= 1"), facts={"warning": involved("side == subject")}), Bad(HARM)),
    # the same, by a side door
    "a victim's report that comes in through another rule": (
        "F-07", Bad((*HARM, "{rule: person/repeat-victim-with-need}")),
        Bad((*HARM, "{rule: person/corroborated-repeat-asb}"))),
    "the other side of the report, by saying not": (
        "F-07", Bad((*HARM, "others_365d >= 1"), facts={"others": involved("{all: [{not: side == subject}]}")}),
        Bad((*HARM, "own_365d >= 1"), facts={"own": involved("{all: [side == subject]}")})),
    "either side of the report": (
        "F-07", Bad((*HARM, "either_365d >= 1"), facts={"either": involved("{any: [side == subject, evidence >= 1]}")}),
        Bad((*HARM, "own_365d >= 1"), facts={"own": involved("{all: [side == subject, evidence >= 1]}")})),
    "a record that does not say on which side": (
        "F-07", Bad((*HARM, "{exists: {in: involvements, where: family == asb}}")),
        Bad((*HARM, "{exists: {in: involvements, where: {all: [side == subject, family == asb]}}}"))),
    "a partner's own table without the role": (
        "F-07", Bad((*HARM, "named_365d >= 1"), facts={"named": fact_on("police_involvements")}),
        Bad((*HARM, "named_365d >= 1"), facts={"named": fact_on("police_involvements", "role == convicted")})),
    "points that fade with what was suffered": (
        "F-07", Bad(HARM, fades_with="asb_victim_days"), Bad(HARM, fades_with="asb_subject_days")),
    "a share of anonymous reports": (
        "F-13", Bad((*HARM, "hidden_365d > 0.5"), facts={
            "hidden": "{measure: share, type: decimal, of: involvements, where: side == subject, "
                      "of_which: anonymous is true, windows: [365]}"}),
        Bad((*HARM, "seen_365d > 0.5"), facts={
            "seen": "{measure: share, type: decimal, of: involvements, where: side == subject, "
                    "of_which: evidence >= 2, windows: [365]}"})),
    "anonymous records": (
        "F-13", Bad((*HARM, "{exists: {in: involvements, where: {all: [side == subject, anonymous is true]}}}")),
        Bad((*HARM, "{exists: {in: involvements, where: {all: [side == subject, evidence >= 2]}}}"))),
    "a record of the ward somebody lives in": (
        "F-11", Bad(("{exists: {in: residents, where: ward == E05000001}}",), **SUFFERED),
        Bad(("{exists: {in: residents, where: tenure == council}}",), **SUFFERED)),
    "records of the household": (
        "F-08", Bad((*HARM, "{exists: {in: household_members, where: relation == partner}}")),
        Bad((*HARM, "{exists: {in: orders, where: current is true}}"))),
}


def write(few: Any, bad: Bad) -> None:
    facts = "".join(f"  {name}: {_fact(entry)}\n" for name, entry in bad.facts.items())
    if facts:
        few.write(f"features/{bad.subject}_made_up.yaml", f"subject: {bad.subject}\nfeatures:\n{facts}")
    whens = "".join(f"    - {clause}\n" for clause in bad.when)
    few.write(f"{bad.subject}/made-up.yaml", f"""title: A rule made up for a test
reference: T-01
axis: {bad.axis}
theme: tenancy
why: Somebody thought this was a good idea.
when:
  all:
{whens}points: 3
floor: none
{f"fades_with: {bad.fades_with}" if bad.fades_with else ""}
convene: [housing]
respond:
  support: ["{bad.support}"]
{f'  enforce: ["{bad.enforce}"]' if bad.enforce else ""}
because: "{bad.because}"
authority: {bad.authority}
evidence: design
owner: {bad.owner}
review_by: 2027-10-31
status: trial
{"result: mitigate" + chr(10) + "level: soft" + chr(10) + "factor: location" if bad.subject == "allocation" else ""}
""")


def _fact(entry: str) -> str:
    rest = "agency: [police], sensitivity: personal, purpose: prevent_crime_and_disorder"
    kind = "" if "type:" in entry else "type: integer, "
    return f"{{title: A fact made up for a test, {kind}{rest}, {entry[1:]}"


@pytest.mark.parametrize("story", STORIES)
def test_what_no_rule_may_use_is_refused_with_its_reason(few: Any, story: str) -> None:
    entry, bad, _ = STORIES[story]
    write(few, bad)

    with pytest.raises(RuleError) as error:
        few.read()

    forbidden = {f.id: f for f in read_forbidden(few.folder / "forbidden.yaml", [])}[entry]
    told = [p for p in error.value.problems if p.found.startswith(f"{entry} {forbidden.title}: ")]
    assert told, str(error.value)
    assert told[0].where == f"{few.folder}/{bad.subject}/made-up.yaml:6"
    assert told[0].found != f"{entry} {forbidden.title}: ", "it says what in the rule is meant"
    assert told[0].fix == f"take it out. {forbidden.why}"


NEIGHBOURS = {repr(good): story for story, (_, _, good) in STORIES.items()}     # many stories share one


@pytest.mark.parametrize("story", NEIGHBOURS.values())
def test_the_nearest_lawful_rule_is_accepted(few: Any, story: str) -> None:
    _, _, good = STORIES[story]
    write(few, good)
    assert f"{good.subject}/made-up" in few.read().rules


def test_a_rule_without_review_date_authority_or_response_is_refused(few: Any) -> None:
    for line in ("review_by: 2027-10-31\n", "authority: Crime and Disorder Act 1998 s17\n"):
        write(few, Bad(HARM))
        few.change("person/made-up.yaml", line, "")
        with pytest.raises(RuleError, match=f"made-up.yaml:1: `{line.split(':')[0]}` is missing"):
            few.read()


def test_a_rule_that_suggests_nothing_is_refused(few: Any) -> None:
    write(few, Bad(HARM))
    few.change("person/made-up.yaml", 'support: ["Talk with the person about what they need."]', "support: []")
    with pytest.raises(RuleError, match="F-20 A rule nobody answers for: no respond"):
        few.read()


def test_every_forbidden_thing_says_why_and_is_tried_here(few: Any) -> None:
    entries = read_forbidden(few.folder / "forbidden.yaml", [])
    on_cards = {f.id for f in entries if f.on_cards}      # tried in tests/cards/test_reading.py
    assert {f.id for f in entries} - on_cards == {entry for entry, _, _ in STORIES.values()}
    assert all(f.title and f.why.strip() and f.action in ("refuse", "warn") for f in entries)


def test_the_four_wrongs_of_the_top400_are_named_as_such(few: Any) -> None:
    entries = {f.id: f for f in read_forbidden(few.folder / "forbidden.yaml", [])}
    assert all("Amsterdam" in entries[entry].why for entry in ("F-06", "F-07", "F-08", "F-09"))


def test_all_that_is_forbidden_in_one_rule_is_told_at_once(few: Any) -> None:
    write(few, Bad((CONDUCT, "asb_victim_365d >= 3", "need_mh is true", "isolated is true"),
                   enforce="The tenant must be evicted."))
    with pytest.raises(RuleError) as error:
        few.read()
    assert {p.found.split()[0] for p in error.value.problems} >= {"F-07", "F-16", "F-17"}
