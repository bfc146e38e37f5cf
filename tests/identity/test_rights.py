"""Every role x action x agency, as a table; agreements, purposes and what no role can undo."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from api.web.rights import (
    FOLDER,
    NOBODY_SAID,
    ROLES,
    Account,
    Asker,
    Flag,
    Question,
    Register,
    Rights,
    Sheet,
    Task,
    Thing,
    Ward,
    find_purpose,
)
from engine.errors import RuleError

TODAY = date(2026, 11, 23)
CRIME, HOUSING = "prevent_crime_and_disorder", "housing_and_homelessness"
RIGHTS = Rights()


@dataclass(frozen=True)
class Agreement:
    """As the store keeps one."""

    id: str = "a1"
    agencies: tuple[str, ...] = ("housing", "fire", "police")
    purposes: tuple[str, ...] = (CRIME, HOUSING)
    lists: tuple[str, ...] = ("people", "places", "allocations")
    valid_from: date = date(2026, 1, 1)
    valid_until: date = date(2026, 12, 31)
    withdrawn: datetime | None = None


SIGNED = Agreement()
PERSON = Flag("f1", "people", "shown", frozenset({"housing"}))
OFFER = Flag("f2", "allocations", "shown", frozenset({"housing"}))
THINGS: dict[str, Thing] = {
    "people list": Sheet("people"), "offers list": Sheet("allocations"), "person": PERSON, "offer": OFFER,
    "contested": replace(PERSON, contested=True), "restricted": replace(PERSON, status="restricted"),
    "routed": replace(PERSON, status="routed"), "question": Question("q1", "people", "housing", "shown"),
    "restricted q.": Question("q1", "people", "housing", "restricted"),
    "task": Task("t1", "people", "housing", "shown"),
    "restricted t.": Task("t1", "people", "housing", "restricted"),
    "routed task": Task("t1", "people", "housing", "routed"),
    "own ward": Ward("Park"), "other ward": Ward("Mill"), "borough": Ward(),
    "register": Register("any"), "another": Account("u2"), "oneself": Account("u1"),
}
AGENCIES = {"h": "housing", "f": "fire", "p": "police", "e": "education"}
FLAG_ACTIONS = ("view_flag", "view_evidence", "take_up", "decide", "assign_action", "ask_question", "contest",
                "settle_challenge", "export")
ASKED = (
    *(("view_list", name) for name in ("people list", "offers list")),
    *((action, name) for action in FLAG_ACTIONS for name in ("person", "offer", "contested", "restricted", "routed")),
    *((action, name) for action in ("view_question", "answer_question") for name in ("question", "restricted q.")),
    *((action, name) for action in ("view_action", "close_action")
      for name in ("task", "restricted t.", "routed task")),
    *(("view_aggregates", name) for name in ("own ward", "other ward", "borough")),
    *((action, "register") for action in (
        "view_rules", "view_runs", "make_run", "view_quarantine", "view_reviews", "hold_meeting", "view_worklist",
        "view_challenges", "screen", "read_screenings", "record_offer", "override",
        "report_overrides", "audit_read", "audit_verify", "view_disclosures", "view_agreements", "manage_agreements",
        "manage_users")),
    *(("manage_users", name) for name in ("another", "oneself")),
)


def asker(*roles: str, agency: str = "housing", purpose: str = CRIME) -> Asker:
    return Asker("u1", agency, frozenset(roles), purpose, frozenset({"Park"}))


def write_table() -> str:
    """Who may do what: the first letters of the agencies that may, `.` for none, `*` for all.

    An agreement is signed by (h)ousing, (f)ire and (p)olice, and not by (e)ducation; housing is the one that flags,
    questions and tasks name.
    """
    lines = [f"{'':32}" + " ".join(f"{''.join(word[0] for word in role.split('_')) :<4}" for role in ROLES).rstrip()]
    for action, name in ASKED:
        cells = []
        for role in ROLES:
            may = "".join(letter for letter, agency in AGENCIES.items() if RIGHTS.may(
                asker(role, agency=agency), action, THINGS[name], TODAY, [SIGNED]).allowed)
            cells.append({"": ".", "".join(AGENCIES): "*"}.get(may, may))
        lines.append(f"{action:<18}{name:<14}" + " ".join(f"{cell:<4}" for cell in cells).rstrip())
    return "\n".join(lines) + "\n"


TABLE = """\
                                tc   tm   ho   hm   ao   a    g    c    a    mo
view_list         people list   hfp  hfp  .    .    hfp  hfp  hfp  .    .    .
view_list         offers list   hfp  hfp  .    hfp  hfp  hfp  hfp  .    .    .
view_flag         person        hfp  hfp  .    .    h    hfp  .    .    .    .
view_flag         offer         hfp  hfp  .    hfp  h    hfp  .    .    .    .
view_flag         contested     hfp  hfp  .    .    h    hfp  hfp  .    .    .
view_flag         restricted    .    .    .    .    .    .    .    .    .    hfp
view_flag         routed        p    p    .    .    .    p    .    .    .    .
view_evidence     person        hfp  hfp  .    .    h    hfp  .    .    .    .
view_evidence     offer         hfp  hfp  .    hfp  h    hfp  .    .    .    .
view_evidence     contested     hfp  hfp  .    .    h    hfp  hfp  .    .    .
view_evidence     restricted    .    .    .    .    .    .    .    .    .    hfp
view_evidence     routed        p    p    .    .    .    p    .    .    .    .
take_up           person        hfp  hfp  .    .    .    .    .    .    .    .
take_up           offer         hfp  hfp  .    .    .    .    .    .    .    .
take_up           contested     hfp  hfp  .    .    .    .    .    .    .    .
take_up           restricted    .    .    .    .    .    .    .    .    .    hfp
take_up           routed        p    p    .    .    .    .    .    .    .    .
decide            person        hfp  hfp  .    .    .    .    .    .    .    .
decide            offer         hfp  hfp  .    .    .    .    .    .    .    .
decide            contested     hfp  hfp  .    .    .    .    .    .    .    .
decide            restricted    .    .    .    .    .    .    .    .    .    hfp
decide            routed        p    p    .    .    .    .    .    .    .    .
assign_action     person        hfp  hfp  .    .    .    .    .    .    .    .
assign_action     offer         hfp  hfp  .    .    .    .    .    .    .    .
assign_action     contested     hfp  hfp  .    .    .    .    .    .    .    .
assign_action     restricted    .    .    .    .    .    .    .    .    .    hfp
assign_action     routed        p    p    .    .    .    .    .    .    .    .
ask_question      person        hfp  hfp  .    .    .    .    .    .    .    .
ask_question      offer         hfp  hfp  .    .    .    .    .    .    .    .
ask_question      contested     hfp  hfp  .    .    .    .    .    .    .    .
ask_question      restricted    .    .    .    .    .    .    .    .    .    .
ask_question      routed        p    p    .    .    .    .    .    .    .    .
contest           person        hfp  hfp  .    .    h    .    .    .    .    .
contest           offer         hfp  hfp  .    hfp  h    .    .    .    .    .
contest           contested     hfp  hfp  .    .    h    .    hfp  .    .    .
contest           restricted    .    .    .    .    .    .    .    .    .    hfp
contest           routed        p    p    .    .    .    .    .    .    .    .
settle_challenge  person        .    .    .    .    .    .    .    .    .    .
settle_challenge  offer         .    .    .    .    .    .    .    .    .    .
settle_challenge  contested     .    .    .    .    .    .    hfp  .    .    .
settle_challenge  restricted    .    .    .    .    .    .    .    .    .    .
settle_challenge  routed        .    .    .    .    .    .    .    .    .    .
export            person        hfp  hfp  .    .    .    .    .    .    .    .
export            offer         hfp  hfp  .    .    .    .    .    .    .    .
export            contested     hfp  hfp  .    .    .    .    .    .    .    .
export            restricted    .    .    .    .    .    .    .    .    .    .
export            routed        p    p    .    .    .    .    .    .    .    .
view_question     question      hfp  hfp  .    .    h    .    .    .    .    .
view_question     restricted q. .    .    .    .    .    .    .    .    .    .
answer_question   question      .    .    .    .    h    .    .    .    .    .
answer_question   restricted q. .    .    .    .    .    .    .    .    .    .
view_action       task          hfp  hfp  .    .    h    .    .    .    .    .
view_action       restricted t. .    .    .    .    .    .    .    .    .    hfp
view_action       routed task   p    p    .    .    .    .    .    .    .    .
close_action      task          hfp  hfp  .    .    h    .    .    .    .    .
close_action      restricted t. .    .    .    .    .    .    .    .    .    hfp
close_action      routed task   p    p    .    .    .    .    .    .    .    .
view_aggregates   own ward      *    *    .    *    .    *    *    *    .    .
view_aggregates   other ward    *    *    .    *    .    *    *    .    .    .
view_aggregates   borough       *    *    .    *    .    *    *    *    .    .
view_rules        register      *    *    *    *    *    *    *    *    *    *
view_runs         register      .    .    .    .    .    *    *    .    .    .
make_run          register      .    .    .    .    .    *    .    .    .    .
view_quarantine   register      .    .    .    .    .    *    .    .    .    .
view_reviews      register      *    .    .    .    .    *    *    .    .    .
hold_meeting      register      *    *    .    .    .    .    .    .    .    .
view_worklist     register      *    *    .    .    *    .    .    .    .    .
view_challenges   register      .    .    .    .    .    .    *    .    .    *
screen            register      .    .    *    *    .    .    .    .    .    .
read_screenings   register      .    .    *    *    .    .    .    .    .    .
record_offer      register      .    .    *    *    .    .    .    .    .    .
override          register      .    .    .    *    .    .    .    .    .    .
report_overrides  register      .    .    .    *    .    *    .    .    .    .
audit_read        register      .    .    .    .    .    .    *    .    .    .
audit_verify      register      .    .    .    .    .    .    *    .    *    .
view_disclosures  register      .    .    .    .    .    .    *    .    .    .
view_agreements   register      .    .    .    .    .    .    *    .    *    .
manage_agreements register      .    .    .    .    .    .    .    .    *    .
manage_users      register      .    .    .    .    .    .    .    .    *    .
manage_users      another       .    .    .    .    .    .    .    .    *    .
manage_users      oneself       .    .    .    .    .    .    .    .    .    .
"""


def test_every_role_action_and_agency_is_as_the_table_says() -> None:
    assert write_table() == TABLE


def test_every_action_of_the_policies_is_in_the_table() -> None:
    shape = (FOLDER / "shape.cedarschema").read_text()
    declared = {word.strip() for part in shape.split("\naction ")[1:] if "appliesTo" in part.partition(";")[0]
                for word in part.partition(" appliesTo")[0].partition(" in [")[0].partition("\n")[0].split(",")}
    assert {action for action, _thing in ASKED} == declared


def test_a_decision_says_why_and_under_which_agreement() -> None:
    allowed = RIGHTS.may(asker("agency_officer"), "view_flag", PERSON, TODAY, [SIGNED])
    assert (allowed.allowed, allowed.because, allowed.policies, allowed.agreement) == (
        True, "the officer's agency is named on this flag", ("agencies_see_where_they_are_named",), "a1")
    unknown = RIGHTS.may(asker("agency_officer"), "take_up", PERSON, TODAY, [SIGNED])
    assert (unknown.allowed, unknown.because, unknown.policies, unknown.agreement) == (False, NOBODY_SAID, (), None)
    outside = RIGHTS.may(asker("tasking_chair", agency="education"), "view_flag", PERSON, TODAY, [SIGNED])
    assert (outside.because, outside.policies) == (
        "no agreement in force lets this agency see this list for this purpose", ("only_under_an_agreement",))


@pytest.mark.parametrize(("change", "allowed"), [
    ({}, True),
    ({"valid_from": TODAY}, True), ({"valid_from": date(2026, 11, 24)}, False),
    ({"valid_until": TODAY}, True), ({"valid_until": date(2026, 11, 22)}, False),
    ({"withdrawn": datetime(2026, 11, 1, tzinfo=UTC)}, False),
    ({"agencies": ("fire",)}, False), ({"agencies": ()}, False),
    ({"lists": ("places", "allocations")}, False), ({"lists": ()}, False),
    ({"purposes": (HOUSING,)}, False), ({"purposes": ()}, False),
])
@pytest.mark.parametrize("role", ["tasking_chair", "agency_officer", "analyst"])
def test_an_agreement_counts_where_it_names_agency_list_purpose_and_day(
    role: str, change: dict[str, object], allowed: bool
) -> None:
    said = RIGHTS.may(asker(role), "view_flag", PERSON, TODAY, [replace(SIGNED, **change)])       # type: ignore[arg-type]
    assert said.allowed is allowed


def test_no_agreement_lets_nobody_see_anything() -> None:
    assert not any(RIGHTS.may(asker(*ROLES), "view_flag", flag, TODAY).allowed
                   for flag in THINGS.values() if isinstance(flag, Flag))


def test_two_agreements_do_not_add_up_to_one() -> None:
    """One names the agency for another purpose, the other the purpose for another agency."""
    halves = [replace(SIGNED, id="a1", purposes=(HOUSING,)), replace(SIGNED, id="a2", agencies=("fire",))]
    assert not RIGHTS.may(asker("tasking_chair"), "view_flag", PERSON, TODAY, halves).allowed
    whole = RIGHTS.may(asker("tasking_chair"), "view_flag", PERSON, TODAY, [*halves, replace(SIGNED, id="a3")])
    assert whole.agreement == "a3"


@pytest.mark.parametrize("purpose", [HOUSING, "safeguarding", "", "curiosity"])
def test_another_purpose_than_the_agreements_is_refused(purpose: str) -> None:
    agreed = replace(SIGNED, purposes=(CRIME,))
    assert not RIGHTS.may(asker("tasking_chair", purpose=purpose), "view_flag", PERSON, TODAY, [agreed]).allowed


@pytest.mark.parametrize(("roles", "stated", "purpose"), [
    (("tasking_chair",), None, CRIME), (("housing_manager",), None, HOUSING),
    (("housing_manager", "tasking_member"), None, CRIME), (("housing_manager", "housing_officer"), None, HOUSING),
    (("tasking_chair",), "safeguarding", "safeguarding"), ((), None, CRIME)])
def test_what_somebody_is_taken_to_ask_for(roles: tuple[str, ...], stated: str | None, purpose: str) -> None:
    assert find_purpose(roles, stated) == purpose


@pytest.mark.parametrize(("roles", "name", "because"), [
    (("governance", "tasking_chair"), "restricted", "what is restricted is for the monitoring officer alone"),
    (("councillor", "tasking_chair"), "person", "a councillor sees numbers, and nobody by name"),
    (("councillor", "monitoring_officer"), "restricted", "a councillor sees numbers, and nobody by name"),
    (("tasking_chair", "analyst"), "routed", "what is routed is for police and probation alone"),
])
def test_what_no_role_can_undo(roles: tuple[str, ...], name: str, because: str) -> None:
    said = RIGHTS.may(asker(*roles), "view_flag", THINGS[name], TODAY, [SIGNED])
    assert (said.allowed, said.because) == (False, because)


def test_nobody_gives_rights_to_themselves() -> None:
    said = RIGHTS.may(asker("administrator"), "manage_users", Account("u1"), TODAY)
    assert (said.allowed, said.because) == (False, "nobody gives rights to themselves")


def test_many_things_are_answered_in_their_order() -> None:
    flags = [replace(PERSON, id=f"f{n}", agencies=frozenset({"housing"} if n % 3 else {"fire"})) for n in range(50)]
    said = RIGHTS.decide(asker("agency_officer"), "view_flag", flags, TODAY, [SIGNED])
    assert [one.allowed for one in said] == [bool(n % 3) for n in range(50)]
    assert RIGHTS.decide(asker("agency_officer"), "view_flag", [], TODAY, [SIGNED]) == ()


def test_a_name_that_would_be_policy_text_is_only_a_name() -> None:
    odd = asker('agency_officer"} || true || {"', agency='housing" ]')
    assert not RIGHTS.may(odd, "view_flag", replace(PERSON, id='f" }\n permit'), TODAY, [SIGNED]).allowed


def test_what_cannot_be_asked_is_an_error_and_not_a_yes() -> None:
    for action, thing in (("fly", PERSON), ("view_flag", Ward("Park")), ("manage_users", PERSON)):
        with pytest.raises(ValueError, match="the policies cannot be asked this"):
            RIGHTS.may(asker(*ROLES), action, thing, TODAY, [SIGNED])


@pytest.mark.parametrize(("text", "said"), [
    ('@id("x") @because("y") permit (principal, action == Action::"fly", resource);', "unrecognized action"),
    ('@id("x") @because("y") permit (principal, action == Action::"view_flag", resource) when { resource.colour };',
     "colour"),
    ('permit (principal, action == Action::"view_rules", resource);', "has no name of its own, or no reason"),
    ('@id("rules_are_open") @because("y") permit (principal, action == Action::"view_rules", resource);',
     "has no name of its own, or no reason"),
    ("permit (principal", "cannot be read"),
])
def test_policies_that_do_not_hold_together_stop_the_site(tmp_path: Path, text: str, said: str) -> None:
    shutil.copytree(FOLDER, tmp_path / "policies")
    (tmp_path / "policies" / "more.cedar").write_text(text)
    with pytest.raises(RuleError, match=said):
        Rights(tmp_path / "policies")


def test_a_policy_that_fails_is_a_no(tmp_path: Path) -> None:
    """Cedar leaves out a policy that fails, even one that forbids: this sum is too large for it."""
    shutil.copytree(FOLDER, tmp_path / "policies")
    (tmp_path / "policies" / "more.cedar").write_text(
        '@id("x") @because("y") forbid (principal, action == Action::"view_rules", resource) '
        "when { context.today * 9223372036854775807 == 1 };")
    assert not Rights(tmp_path / "policies").may(asker("analyst"), "view_rules", Register("rules"), TODAY).allowed
