"""Questions to say aloud, the location factors of the suitability order and the scheme's order: shipped, and broken."""

from __future__ import annotations

from typing import Any

import pytest

from engine.condition import names_in
from engine.errors import RuleError
from engine.evaluate import Case, evaluate
from engine.feature import Feature
from engine.pack import Pack, digest_of

NOBODY_CAN_SAY = {
    "drug_250m_90d", "street_drug_ratio_low", "street_drinking_250m_90d", "street_drinking_ratio_low",
    "exploitation_400m_90d", "hate_200m_365d", "noise_50m_90d", "violence_50m_180d",
    "block_share_needs3", "block_households", "applicant_on_register"}
NOT_FOR_THE_APPLICANT_TO_ANSWER = {"applicant_asb_subject_ev2_730d", "applicant_fire_subject_1095d"}
NEVER_ASKED = NOBODY_CAN_SAY | NOT_FOR_THE_APPLICANT_TO_ANSWER


def facts(pack: Pack) -> dict[str, Feature]:
    return pack.features_of("allocation")


def read_by_rules(pack: Pack, *statuses: str) -> set[str]:
    return {name for rule in pack.rules_of("allocation") if rule.status in statuses for name in names_in(rule.when)}


def read_by_factors(pack: Pack) -> set[str]:
    applies = {name for factor in pack.factors if factor.applies for name in names_in(factor.applies)}
    return applies | {name for factor in pack.factors for name in factor.facts}


# --- what is shipped ----------------------------------------------------------------------------


def test_every_fact_an_offer_turns_on_has_a_question_unless_nobody_should_be_asked(shipped: Pack) -> None:
    read = read_by_rules(shipped, "live", "trial") | read_by_factors(shipped)
    assert {name for name in read if not facts(shipped)[name].ask} == NEVER_ASKED


def test_no_question_is_asked_that_no_rule_and_no_factor_needs(shipped: Pack) -> None:
    asked = {name for name, fact in facts(shipped).items() if fact.ask}
    assert asked <= read_by_rules(shipped, "live", "trial") | read_by_factors(shipped)


def test_every_question_is_one_that_can_be_said_aloud(shipped: Pack) -> None:
    asked = [fact for fact in facts(shipped).values() if fact.ask]
    assert len(asked) > 40
    for fact in asked:
        assert fact.ask.endswith("?"), fact.name
        assert fact.ask.count("?") == 1, fact.name
        assert 20 <= len(fact.ask) <= 180, fact.name
        assert "_" not in fact.ask, fact.name


def test_the_applicant_is_spoken_to_and_never_told_they_must(shipped: Pack) -> None:
    for fact in facts(shipped).values():
        if fact.ask_of == "applicant":
            said = fact.ask.lower().split()
            assert {"you", "your"} & set(said), fact.name
            assert not {"must", "required", "have-to", "declare"} & set(said), fact.name
            assert fact.about in ("applicant", "household"), fact.name


@pytest.mark.parametrize("sensitive", ["applicant_recovery_drug", "applicant_recovery_alcohol", "applicant_need_mh",
                                       "applicant_need_mslav", "applicant_noise_trigger"])
def test_what_is_hardest_to_say_need_not_be_said(shipped: Pack, sensitive: str) -> None:
    assert facts(shipped)[sensitive].ask.startswith("You need not say")


def test_an_agency_is_asked_only_for_what_an_agency_knows(shipped: Pack) -> None:
    of_agencies = {name: fact for name, fact in facts(shipped).items() if fact.ask_of == "agency"}
    assert set(of_agencies) == {"ppu_check", "ppu_marked", "place_restriction_breach"}
    assert all({"police", "probation"} <= set(fact.agency) for fact in of_agencies.values())


def test_a_word_for_an_answer_is_one_of_a_few(shipped: Pack) -> None:
    words = {name: fact.values for name, fact in facts(shipped).items() if fact.ask and fact.type == "code"}
    assert words["stay_type"] == ("general_needs", "temporary", "supported")
    assert all(1 < len(values) <= 6 for values in words.values())


def test_what_can_be_changed_says_what_to_do(shipped: Pack) -> None:
    read = read_by_rules(shipped, "live") | read_by_factors(shipped)
    changeable = {name: fact.changes_to for name, fact in facts(shipped).items() if name in read and fact.changeable}
    assert changeable["applicant_needs_assessed_days"] == "assess needs now"
    assert {"applicant_housing_plan_days", "applicant_support_package", "settle_plan", "gateway_logged",
            "disruption_considered"} <= set(changeable)
    assert [name for name, what in changeable.items() if not what] == []


def test_what_happened_is_never_changed_by_an_answer(shipped: Pack) -> None:
    lasting = {name for name in facts(shipped)
               if name.startswith("applicant_need_") or name.endswith(("_730d", "_1095d"))}
    assert len(lasting) == 12
    assert not any(facts(shipped)[name].changeable for name in lasting)


def test_a_fact_says_whom_or_what_it_tells_of(shipped: Pack) -> None:
    about = {name: fact.about for name, fact in facts(shipped).items()}
    assert about["applicant_wheelchair"] == "applicant"
    assert about["applicant_dependent_children"] == "household"
    assert about["property_access"] == "property"
    assert about["settle_plan"] == "proposal"
    assert about["drug_250m_90d"] == "surroundings"
    assert shipped.features["person.age"].about == "person"


def test_the_four_location_factors_of_the_order_are_there_in_its_order(shipped: Pack) -> None:
    assert [(factor.key, factor.source) for factor in shipped.factors] == [
        ("distance", "SI 2012/2601 art 2(a)"), ("disruption", "SI 2012/2601 art 2(b)"),
        ("support", "SI 2012/2601 art 2(c)"), ("amenities", "SI 2012/2601 art 2(d)")]
    assert all(factor.title and factor.why for factor in shipped.factors)


def test_whatever_a_factor_rests_on_can_be_asked(shipped: Pack) -> None:
    for factor in shipped.factors:
        assert factor.facts
        assert all(facts(shipped)[name].ask_of == "officer" for name in factor.facts), factor.key


@pytest.mark.parametrize(("given", "binding"), [
    ({"applicant_homelessness_stage": "main", "property_in_district": False}, {"distance", "disruption", "support",
                                                                               "amenities"}),
    ({"applicant_homelessness_stage": "prevention", "property_in_district": True}, {"disruption", "support",
                                                                                   "amenities"}),
    ({"applicant_homelessness_stage": "none", "property_in_district": False}, set()),
    ({"applicant_homelessness_stage": "closed", "property_in_district": True}, set()),
])
def test_the_order_binds_where_a_duty_is_owed_and_distance_only_outside_the_district(
    shipped: Pack, given: dict[str, Any], binding: set[str]
) -> None:
    states = {f.key: evaluate(f.applies, Case(given)).state for f in shipped.factors if f.applies}
    assert len(states) == 4
    assert {key for key, state in states.items() if state is True} == binding
    assert {key for key, state in states.items() if state is False} == set(states) - binding


def test_nobody_can_say_whether_the_order_binds_while_the_case_is_not_known(shipped: Pack) -> None:
    states = {evaluate(f.applies, Case({})).state for f in shipped.factors if f.applies}
    assert states == {None}


def test_the_scheme_orders_by_band_from_the_most_urgent_down(shipped: Pack) -> None:
    assert shipped.policy.scheme.bands == ("A", "B_plus", "B", "C", "D")
    assert (shipped.policy.scheme.shortlist, shipped.policy.scheme.matches) == (10, 5)


def test_the_digest_changes_with_a_factor(own: Any) -> None:
    before = digest_of(own.folder)
    own.change("factors.yaml", "facts: [amenities_considered]", "facts: [amenities_considered, travel_minutes]")
    assert digest_of(own.folder) != before


# --- what is refused ----------------------------------------------------------------------------

PROPOSAL, APPLICANT = "features/allocation_proposal.yaml", "features/allocation_applicant.yaml"
SETTLED = "    ask: Has a settling-in plan been agreed with the household?\n"
NEAR = """features:
  party_m:
    title: Metres to a place of a party
    type: integer
    measure: nearest
    of: keep_apart_places
    feeds: [keep_apart]
    agency: [police]
    sensitivity: special
    purpose: safeguarding
    ask: How near do they live?
    ask_of: officer
"""
SUFFERED = "    title: Related anti-social behaviour suffered, each reported within a month\n"
SCHEME = "{bands: [A, B_plus, B, C, D], shortlist: 10, matches: 5}"

#  file, what stands there, what is written instead, what is said
BROKEN: dict[str, tuple[str, str, str, str]] = {
    "a question without whose word is wanted": (
        PROPOSAL, f"{SETTLED}    ask_of: officer\n", SETTLED,
        r"allocation_proposal.yaml:\d+: `settle_plan` has `ask` and no `ask_of`.*both or neither.*applicant, officer"),
    "whose word is wanted without a question": (
        PROPOSAL, SETTLED, "", "`settle_plan` has `ask_of` and no `ask`.*both or neither"),
    "a question of spaces": (PROPOSAL, SETTLED, "    ask: '  '\n", "`settle_plan` has `ask_of` and no `ask`"),
    "a question that asks nothing": (
        PROPOSAL, "agreed with the household?", "agreed with the household.",
        r"allocation_proposal.yaml:\d+: `settle_plan`: `ask` is not a question.*end it with a question mark"),
    "a word that nobody gives": (
        PROPOSAL, f"{SETTLED}    ask_of: officer\n", f"{SETTLED}    ask_of: neighbour\n",
        r"allocation_proposal.yaml:\d+: `ask_of`: input should be 'applicant', 'officer' or 'agency'"),
    "a question with any word for an answer": (
        PROPOSAL, "    values: [general_needs, temporary, supported]\n", "",
        "`stay_type`: `ask` for a code without `values`.*list them under `values`"),
    "a question that would tell where somebody is": (
        "features/allocation_surroundings.yaml", "features:\n", NEAR,
        r"allocation_surroundings.yaml:15: `party_m`: `ask` for a fact that would tell where somebody is.*take `ask`"),
    "a question about somebody who is offered nothing": (
        "features/person_victim.yaml", SUFFERED, f"{SUFFERED}    ask: How often?\n    ask_of: officer\n",
        "`asb_victim_related_183d`: `ask` on a fact of a person.*facts of an allocation"),
    "what to do about what nobody can change": (
        APPLICANT, "    title: Uses a wheelchair at home\n",
        "    title: Uses a wheelchair at home\n    changes_to: something\n",
        r"allocation_applicant.yaml:\d+: `applicant_wheelchair`: `changes_to` on a fact that is not changeable"),
    "facts that tell of nothing": (APPLICANT, "about: applicant\n", "about: ''\n",
                                   "allocation_applicant.yaml:6: about ``.*such as household"),
    "facts that tell of a number": (APPLICANT, "about: applicant\n", "about: 7\n", "about `7`"),
    "a policy without the scheme": ("policy.yaml", "scheme:\n", "schem:\n", "policy.yaml:1: no scheme"),
    "a scheme without its bands": ("policy.yaml", SCHEME, "{shortlist: 10, matches: 5}",
                                   "policy.yaml:1: `scheme.bands`: field required.*bands, first first"),
    "a scheme that lists nobody": ("policy.yaml", "shortlist: 10", "shortlist: 0",
                                   "`scheme.shortlist`: input should be greater than or equal to 1.*from 1 to 100"),
    "a scheme with another rule": ("policy.yaml", "matches: 5}", "matches: 5, oldest_first: true}",
                                   "`scheme.oldest_first`: extra inputs"),
    "a scheme that forgets a band": (
        "policy.yaml", "[A, B_plus, B, C, D]", "[A, B_plus, B, C]",
        "`scheme.bands` is A, B_plus, B, C\n.*allowed: A, B_plus, B, C, D, as in feeds/housing_register.yaml"),
    "a scheme with a band twice": ("policy.yaml", "[A, B_plus, B, C, D]", "[A, B_plus, B, C, D, A]",
                                   "`scheme.bands` names a band twice"),
    "a scheme with no reason": (
        "policy.yaml", "  decided_by: Housing Options and the allocations panel\n", "",
        r"policy.yaml:\d+: `decided_by` is missing"),
    "a factor on a fact nobody declared": (
        "factors.yaml", "facts: [amenities_considered]", "facts: [amenities_consider]",
        r"factors.yaml:\d+: unknown name `amenities_consider` in the factor `amenities`.*did you mean amenities"),
    "a factor on nothing": ("factors.yaml", "facts: [amenities_considered]", "facts: []",
                            r"factors.yaml:\d+: `facts`: list should have at least 1"),
    "a factor that binds on a fact nobody declared": (
        "factors.yaml", "property_in_district is false", "property_in_distric is false",
        r"unknown name `property_in_distric` in the factor `distance`.*did you mean property_in_district"),
    "a factor that binds on a wrong kind": (
        "factors.yaml", "property_in_district is false", "property_in_district == 0",
        "`property_in_district` is a boolean, compared with `0`"),
    "a factor that binds on a word the fact never has": (
        "factors.yaml", "      - applicant_homelessness_stage in [prevention, relief, main]\n",
        "      - applicant_homelessness_stage == owed\n", "`applicant_homelessness_stage` is never `owed`.*relief"),
    "a factor that binds with a rule": (
        "factors.yaml", "      - property_in_district is false\n", "      - rule: allocation/sensitive-let\n",
        "`rule` in the factor `distance`.*say with facts when it binds"),
    "a factor that binds with records": (
        "factors.yaml", "      - property_in_district is false\n",
        "      - exists: {in: orders, where: current is true}\n", "`exists` in the factor `distance`"),
    "a factor that cites nothing": ("factors.yaml", "  source: SI 2012/2601 art 2(d)\n", "",
                                    r"factors.yaml:\d+: `source` is missing"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_pack_with_a_fault_gives_helpful_error(own: Any, fault: str) -> None:
    file, old, new, said = BROKEN[fault]
    own.change(file, old, new)
    with pytest.raises(RuleError, match=f"(?s){said}"):
        own.read()


def test_a_pack_without_the_factors_of_the_order_gives_helpful_error(own: Any) -> None:
    (own.folder / "factors.yaml").unlink()
    with pytest.raises(RuleError, match=r"factors.yaml: cannot be read"):
        own.read()
