"""The rules as they are shipped hold together; a folder that does not is refused, with what would be allowed."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import pytest

from engine.condition import All, Compare
from engine.contract import AGENCIES
from engine.errors import RuleError
from engine.pack import Pack, digest_of
from engine.rule import RESPONSES

TODAY = date(2026, 11, 23)
ON_TRIAL = {
    "person/child-missing-or-exploited", "person/high-harm-with-protected-person", "place/crime-harm-doubling",
    "place/displacement-watch", "place/need-without-service", "allocation/age-scheme-rule-to-check",
    "allocation/ask-public-protection", "allocation/fire-plan-for-shared-exit",
    "allocation/trauma-beside-repeated-violence",
}


# --- what is shipped ----------------------------------------------------------------------------


def test_seventy_one_rules_are_shipped(shipped: Pack) -> None:
    assert Counter(rule.subject for rule in shipped.rules.values()) == {"person": 24, "place": 23, "allocation": 24}


def test_rules_that_wait_for_a_gateway_or_local_evidence_are_on_trial(shipped: Pack) -> None:
    assert {rule.id for rule in shipped.rules.values() if rule.status == "trial"} == ON_TRIAL
    assert all(rule.status == "live" for rule in shipped.rules.values() if rule.id not in ON_TRIAL)


def test_every_row_of_the_starter_tables_is_one_rule(shipped: Pack) -> None:
    starters = [f"{letter}-{n:02}" for letter, last in (("I", 24), ("L", 21), ("A", 24)) for n in range(1, last + 1)]
    shown = Counter(rule.reference for rule in shipped.rules.values())
    assert {reference: shown[reference] for reference in starters} == dict.fromkeys(starters, 1)
    assert set(shown.values()) == {1}


def test_no_rule_has_expired(shipped: Pack) -> None:
    assert [rule.id for rule in shipped.rules.values() if rule.expired(TODAY)] == []


def test_a_rule_expires_the_day_after_its_review_date(shipped: Pack) -> None:
    rule = shipped.rules["person/hate-victim"]
    assert not rule.expired(rule.review_by)
    assert rule.expired(date(rule.review_by.year + 1, 1, 1))
    assert rule not in shipped.rules_of("person", date(rule.review_by.year + 1, 1, 1))
    assert rule in shipped.rules_of("person", TODAY)


def test_every_harm_rule_begins_with_the_age_of_criminal_responsibility(shipped: Pack) -> None:
    harm = [rule for rule in shipped.rules.values() if rule.axis == "harm"]
    assert len(harm) >= 5
    for rule in harm:
        assert isinstance(rule.when, All)
        assert rule.when.parts[0] == Compare("age", ">=", 10), rule.id


def test_no_rule_about_what_people_suffer_suggests_enforcement(shipped: Pack) -> None:
    enforcing = [rule.id for rule in shipped.rules.values()
                 if rule.axis == "vulnerability" and any(r.step == "enforce" for r in rule.respond)]
    assert enforcing == []


def test_every_rule_offers_support_first(shipped: Pack) -> None:
    for rule in shipped.rules.values():
        steps = [response.step for response in rule.respond]
        assert steps[0] == "support", rule.id
        assert steps == sorted(steps, key=RESPONSES.index), rule.id


def test_every_rule_says_why_on_what_authority_and_who_answers_for_it(shipped: Pack) -> None:
    for rule in shipped.rules.values():
        assert all(text.strip() for text in (rule.title, rule.why, rule.because, rule.authority, rule.owner)), rule.id
        assert rule.convene
        assert set(rule.convene) <= set(AGENCIES), rule.id
        assert (rule.subject == "allocation") == (None not in (rule.result, rule.level, rule.factor)), rule.id


def test_no_rule_gives_more_points_than_eight_and_only_offers_give_none(shipped: Pack) -> None:
    for rule in shipped.rules.values():
        assert (0 if rule.subject == "allocation" else 1) <= rule.points <= 8, rule.id


def test_every_fact_says_who_holds_it_why_and_how_private_it_is(shipped: Pack) -> None:
    assert len(shipped.features) > 300
    for feature in shipped.features.values():
        assert feature.title
        assert feature.agency
        assert set(feature.agency) <= set(AGENCIES), feature.where_declared
        assert feature.purpose in ("prevent_crime_and_disorder", "housing_and_homelessness", "safeguarding",
                                   "public_register"), feature.where_declared
        assert feature.sensitivity in ("open", "personal", "special", "criminal")


def test_a_rule_comes_after_the_rules_it_follows_from(shipped: Pack) -> None:
    order = list(shipped.order)
    assert sorted(order) == sorted(shipped.rules)
    assert order.index("person/corroborated-repeat-asb") < order.index("person/subject-with-unmet-needs")
    assert order.index("place/well-above-expectation") < order.index("place/new-lettings-into-hot-spot")


# --- the digest ---------------------------------------------------------------------------------


def test_the_digest_changes_when_a_threshold_does(own: Any) -> None:
    before = own.read().digest
    own.change("person/case-review-threshold.yaml", "asb_victim_related_183d >= 3", "asb_victim_related_183d >= 4")
    assert own.read().digest != before


@pytest.mark.parametrize("file", [
    "policy.yaml", "protective.yaml", "exclusions.yaml", "forbidden.yaml", "categories.yaml",
    "feeds/fire_visits.yaml", "features/person_home.yaml"])
def test_the_digest_changes_with_whatever_else_decides_a_result(own: Any, file: str) -> None:
    before = digest_of(own.folder)
    own.write(file, (own.folder / file).read_text(encoding="utf-8") + "# a word more\n")
    assert digest_of(own.folder) != before


def test_the_digest_stays_when_a_case_or_the_readme_changes(own: Any) -> None:
    before = own.read().digest
    own.change("person/case-review-threshold.test.yaml", "Two related reports do not", "Two are not enough")
    own.write("README.md", "# Rules\n")
    assert own.read().digest == before


def test_the_digest_does_not_depend_on_where_the_folder_stands(own: Any, shipped: Pack) -> None:
    assert own.read().digest == shipped.digest


# --- what is refused ----------------------------------------------------------------------------

RULE, ASB = "person/case-review-threshold.yaml", "- asb_victim_related_183d >= 3"
FACTS = "features/person_victim.yaml"
FIRST = """  asb_victim_related:
    title: Related anti-social behaviour suffered, each reported within a month
    type: integer
    unit: incidents
    measure: distinct incident
    of: involvements
    where: {all: [side == victim, family == asb, related is true]}
    windows: [183]"""

#  file, what stands there, what is written instead, what is said (where, found, allowed)
BROKEN: dict[str, tuple[str, str, str, str]] = {
    "a fact nobody declared": (RULE, ASB, "- asb_victim_relatd_183d >= 3",
                               "review-threshold.yaml:8: unknown name `asb_victim_relatd_183d` in a person rule\n"
                               ".*did you mean asb_victim_related_183d"),
    "a fact of another kind of subject": (
        RULE, ASB, "- reporters_90d >= 3",
        "unknown name `reporters_90d` in a person rule"),
    "a window nobody declared": (RULE, ASB, "- asb_victim_related_90d >= 3", "did you mean asb_victim_related_183d"),
    "a number compared with a word": (RULE, ASB, "- asb_victim_related_183d == three",
                                      "`asb_victim_related_183d` is a number, compared with `three`.*: a number"),
    "a number compared with a length": (RULE, ASB, "- asb_victim_related_183d >= 3d", "`3d` in .*a number, a word"),
    "a number compared with a day": (RULE, ASB, "- asb_victim_related_183d >= 2026-01-01",
                                     "is a number, compared with `2026-01-01`"),
    "a number compared with another fact": (RULE, ASB, "- asb_victim_related_183d >= asb_victim_90d",
                                            "is a number, compared with `asb_victim_90d`.*allowed: a number"),
    "a number that is true": (RULE, ASB, "- asb_victim_related_183d is true", "is a number, compared with `True`"),
    "a truth compared with a number": (RULE, ASB, "- isolated == 1", "`isolated` is a boolean, compared with `1`"),
    "a truth that is more than false": (RULE, ASB, "- isolated > 0", "`isolated >` on a boolean.*or `is true`"),
    "a word that is more than another": (RULE, ASB, "- ram_band > medium", "`ram_band >` on a text.*== != in"),
    "a word the fact never has": (RULE, ASB, "- ram_band == severe", "`ram_band` is never `severe`.*high"),
    "a rule that is not there": (
        RULE, ASB, "- rule: person/hate-victims",
        "no rule `person/hate-victims`.*person/hate-victim"),
    "a rule about another kind of subject": (RULE, ASB, "- rule: place/emerging",
                                             "`place/emerging` judges another kind of subject.*a person rule"),
    "a rule that follows from itself": (RULE, ASB, "- rule: person/case-review-threshold",
                                        "rules in a circle: .*take one `rule:` out of the circle"),
    "a table that is not there": (RULE, ASB, "- exists: {in: order, where: current is true}",
                                  "no table `order`.*did you mean .*orders"),
    "a column that is not there": (RULE, ASB, "- exists: {in: orders, where: curent is true}",
                                   "unknown name `curent` in orders.*did you mean current"),
    "arithmetic": (
        RULE, ASB, "- asb_victim_90d + hate_victim_183d >= 3",
        "is not a clause.*arithmetic belongs in a feature"),
    "no condition": (RULE, "when:\n  all:\n    - asb_victim_related_183d >= 3\n", "when:\n",
                     "review-threshold.yaml:8: `None` is not a condition"),
    "an unknown fact in because": (RULE, "{asb_victim_related_183d} related", "{asb_victim_90d} related",
                                   "`because` names {asb_victim_90d}.*asb_victim_related_183d"),
    "an unknown fact to fade with": (RULE, "fades_with: asb_victim_days", "fades_with: asb_victim_day",
                                     "fades_with `asb_victim_day`.*did you mean asb_victim_days"),
    "a missing key": (RULE, "owner: CSP ASB thematic lead\n", "", "review-threshold.yaml:1: `owner` is missing"),
    "an unknown key": (RULE, "owner: CSP", "ower: CSP", "review-threshold.yaml:\\d+: `ower`: extra inputs.*owner"),
    "a key twice": (RULE, "points: 6\n", "points: 6\npoints: 7\n", "review-threshold.yaml:12: `points` is given twice"),
    "too many points": (RULE, "points: 6\n", "points: 9\n", "review-threshold.yaml:11: `points`: input should be .*8"),
    "points in words": (
        RULE, "points: 6\n", "points: six\n",
        "review-threshold.yaml:11: `points`: input should be .*integer"),
    "another axis": (RULE, "axis: vulnerability\n", "axis: risk\n", "`axis`: input should be 'harm', 'vulnerability'"),
    "another floor": (RULE, "floor: statutory\n", "floor: legal\n", "`floor`: input should be 'statutory', 'partner'"),
    "another step": (RULE, "  agree:\n", "  punish:\n", "`respond`: input should be 'support', 'agree' or 'enforce'"),
    "a review date that does not exist": (RULE, "review_by: 2027-10-31", "review_by: 2027-11-31",
                                          "`review_by`: input should be a valid date"),
    "nobody to convene": (
        RULE, "convene: [community_safety, police, housing]", "convene: []",
        "`convene`: list should have"),
    "malformed YAML": (
        RULE, "points: 6\n", "points: [6\n",
        "review-threshold.yaml:\\d+: not YAML.*check the indentation"),
    "an offer rule that says nothing of what to do": ("allocation/sensitive-let.yaml", "level: info\n", "",
                                                      "an allocation rule without result, level or factor"),
    "a fact on an unknown table": (FACTS, FIRST, FIRST.replace("of: involvements", "of: involvement"),
                                   "person_victim.yaml:\\d+: `asb_victim_related_183d`: no table `involvement`"
                                   ".*did you mean involvements"),
    "a fact on an unknown column": (FACTS, FIRST, FIRST.replace("distinct incident", "distinct incidnt"),
                                    "involvements has no column `incidnt`.*did you mean incident"),
    "a fact filtered on an unknown column": (FACTS, FIRST, FIRST.replace("side == victim", "sde == victim"),
                                             "unknown name `sde` in involvements.*did you mean side"),
    "a fact filtered by a wrong kind": (FACTS, FIRST, FIRST.replace("related is true", "related == 1"),
                                        "`related` is a boolean, compared with `1`"),
    "a window that is not a number": (FACTS, FIRST, FIRST.replace("[183]", "[half a year]"),
                                      "person_victim.yaml:\\d+: `windows`: input should be a valid integer"),
    "a window with its unit": (
        FACTS, FIRST, FIRST.replace("[183]", "[183d]"),
        "`windows`: input should be a valid integer"),
    "a window of no days": (FACTS, FIRST, FIRST.replace("[183]", "[183, 0]"), "`windows`"),
    "a window that looks ahead": (FACTS, FIRST, FIRST.replace("[183]", "[183, -90]"), "`windows`"),
    "a measure nobody knows": (FACTS, FIRST, FIRST.replace("distinct incident", "average severity"),
                               "measure `average severity`.*distinct COLUMN"),
    "a measure without its column": (
        FACTS, FIRST, FIRST.replace("distinct incident", "distinct"),
        "measure `distinct`.*COLUMN"),
    "a fact without a table": (FACTS, FIRST, FIRST.replace("    of: involvements\n", ""), "a table after `of`"),
    "another type": (FACTS, FIRST, FIRST.replace("integer", "number"), "`type`: input should be 'integer', 'decimal'"),
    "a fact declared twice": (
        FACTS, FIRST, FIRST.replace("_related:", "_change:"),
        "person_victim.yaml:\\d+: `asb_victim_change"),
    "a policy without bands": ("policy.yaml", "bands:\n", "band:\n", "policy.yaml:1: no bands.*bands, theme_cap"),
    "a half-life for one axis only": ("policy.yaml", "harm: 60, ", "", "half_life_days.*one for each of .*harm"),
    "half-lives in one number": (
        "policy.yaml", "{vulnerability: 90, harm: 60, place: 120, process: 90}", "90",
        "half_life_days"),
    "bands without discuss": ("policy.yaml", "discuss: 6, ", "", "bands.*discuss"),
    "a category that is one word": ("categories.yaml", "N01: {label: noise, family: asb, harm_weight: 2, cchi_days: 0}",
                                    "N01: noise", "categories.yaml:\\d+: .*N01"),
    "a protective fact nobody declared": ("protective.yaml", "treatment_days >= 90", "treatment_dys >= 90",
                                          "protective.yaml.*PF-02.*did you mean treatment_days"),
    "a protective fact that takes too much": (
        "protective.yaml", "reduce: 0.20", "reduce: 0.50",
        "`reduce`: input should be less"),
    "an exclusion nobody can judge": ("exclusions.yaml", "when: mappa is true", "when: mapa is true",
                                      "exclusions.yaml.*X-02.*did you mean mappa"),
    "an expression that cannot be read": ("forbidden.yaml", "names: ['(^|_)(siblings?", "names: ['(^|_)((siblings?",
                                          "F-09: .*a regular expression"),
    "a forbidden thing with no reason": ("forbidden.yaml", "  why: Knowing somebody on a list is not conduct.\n", "",
                                         "forbidden.yaml:\\d+: F-10: action or why"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_pack_with_a_fault_gives_helpful_error(own: Any, fault: str) -> None:
    file, old, new, said = BROKEN[fault]
    own.change(file, old, new)
    with pytest.raises(RuleError, match=f"(?s){said}"):
        own.read()


def test_two_rules_that_follow_from_each_other_are_named_both(own: Any) -> None:
    own.change("person/corroborated-repeat-asb.yaml", "- asb_subject_ev2_183d >= 3",
               "- rule: person/subject-with-unmet-needs")
    with pytest.raises(RuleError, match="rules in a circle") as error:
        own.read()
    (found,) = [p.found for p in error.value.problems if "circle" in p.found]
    assert "person/corroborated-repeat-asb" in found
    assert "person/subject-with-unmet-needs" in found


@pytest.mark.parametrize("inside", ["rule: person/hate-victim", "exists: {in: orders, where: current is true}"])
def test_records_cannot_be_asked_for_rules_or_other_records(own: Any, inside: str) -> None:
    own.change(RULE, ASB, f"{ASB}\n    - exists: {{in: orders, where: {{all: [{{{inside}}}]}}}}")
    with pytest.raises(RuleError, match=f"review-threshold.yaml:.*{inside.split(':')[0]}"):
        own.read()


def test_a_fact_cannot_be_filtered_by_a_rule(own: Any) -> None:
    own.change(FACTS, FIRST, FIRST.replace("related is true", "{rule: person/hate-victim}"))
    with pytest.raises(RuleError, match=r"person_victim.yaml"):
        own.read()


def test_a_person_cannot_be_measured_on_a_table_that_names_nobody(own: Any) -> None:
    own.change(FACTS, FIRST, FIRST.replace("of: involvements", "of: incidents").replace("distinct incident", "count")
               .replace("{all: [side == victim, family == asb, related is true]}", "family == asb"))
    with pytest.raises(RuleError, match=r"(?s)asb_victim_related.*incidents"):
        own.read()


def test_a_pack_without_rules_gives_helpful_error(own: Any) -> None:
    for path in [*own.folder.glob("person/*"), *own.folder.glob("place/*"), *own.folder.glob("allocation/*")]:
        path.unlink()
    with pytest.raises(RuleError, match=r"(?s)no rules found.*empty list look like good news"):
        own.read()


def test_a_folder_that_is_not_there_gives_helpful_error(own: Any) -> None:
    with pytest.raises(RuleError, match=r"(?s)cannot be read|no feed contract found"):
        type(own)(own.folder / "elsewhere").read()


def test_faults_in_several_files_are_all_told_at_once(own: Any) -> None:
    own.change(RULE, ASB, "- a + b >= 3\n    - c is maybe")
    own.change("place/emerging.yaml", "points: 5", "points: many")
    own.change("protective.yaml", "treatment_days >= 90", "treatment_days + 1 >= 90")
    with pytest.raises(RuleError) as error:
        own.read()
    told = [(p.where.split("/rules/")[1].split(":"), p.found) for p in error.value.problems]
    assert all(line.isdigit() for (_, line), _ in told)
    assert [(file, found) for (file, _), found in told] == [
        ("person/case-review-threshold.yaml", "`a + b >= 3` is not a clause"),
        ("person/case-review-threshold.yaml", "`c is maybe`"),
        ("place/emerging.yaml", "`points`: input should be a valid integer"),
        ("protective.yaml", "`treatment_days + 1 >= 90` is not a clause"),
    ]
