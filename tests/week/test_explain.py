"""What an officer reads about one subject: why, what else is so, what is not known, and when it lapses by itself."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from engine.condition import read_condition
from engine.errors import RunError
from engine.explain import explain
from engine.feature import Feature
from engine.flag import Flag, Node, write_json
from engine.pack import Pack
from engine.rule import Exclusion, Protection
from engine.world import Workbench

from .made import AS_OF, Row, Week, a_feature, a_pack, a_rule, ago, make_week, make_world, report

MODEL = "person/case-review-threshold"
HEARD = a_feature("distinct incident", name="heard_90d", window=90, title="Reports heard", unit="reports",
                  agency=("police", "community_safety"))
NOISE = a_feature("count", name="noise_30d", window=30, where="category == N01", title="Noise reports")
DAYS = a_feature("days_since known", name="heard_days", title="Days since the last report", unit="days",
                 absence="unknown")
OWED = a_feature("latest amount", name="owed", title="Weeks of rent owed", unit="weeks", where="amount is known",
                 table="rent", feeds=("rent_feed",), absence="unknown", agency=("housing",))
FEATURES = [HEARD, NOISE, DAYS, OWED, a_feature("built_in", name="age", declared="age", title="Age", unit="years")]

RECORDS = [
    report(3, record="council_asb:A1", incident="I1", category="N01", evidence=3, occurred=ago(4)),
    report(20, record="council_asb:A2", incident="I2", category="N01", evidence=1, occurred=ago(20)),
    report(60, record="police_incidents:R1", incident="I3", category="D01", evidence=2, occurred=ago(61)),
    report(300, record="police_incidents:R0", incident="I0", category="D01", evidence=4),
]


@pytest.fixture(scope="module")
def pack(shipped: Pack) -> Pack:
    model = shipped.rules[MODEL]
    return a_pack(shipped, [
        a_rule(model, "three-reports", {"all": ["heard_90d >= 3", "age >= 18"]}, points=6, theme="victims",
               because="Heard of {heard_90d} times in three months, last {heard_days} days ago"),
        a_rule(model, "noisy-or-old", {"any": [{"all": ["noise_30d >= 1", "age >= 18"]}, "heard_90d >= 2"]},
               points=3, theme="tenancy", because="Noise, or heard of twice."),
        a_rule(model, "owes-rent", {"all": ["owed >= 4", "heard_90d >= 1"]}, points=4, theme="families"),
        a_rule(model, "four-reports", {"all": ["heard_90d >= 4", "age >= 18"]}, points=2, theme="hate"),
    ], FEATURES)


def week(bench: Workbench, pack: Pack, records: list[Row] = RECORDS, **other: Any) -> Week:
    tables = {"reports": records, "rent": other.pop("rent", [])}
    return make_week(make_world(bench, tables, **other), pack, bench)


@pytest.fixture
def flag(bench: Workbench, pack: Pack) -> Flag:
    return week(bench, pack).flags["P1"]


def node(text: str, tree: Node) -> Node:
    """The one clause of a tree that speaks of something."""
    found = [step for step in (tree, *tree.steps, *(s for part in tree.steps for s in part.steps)) if text in step.text]
    assert len(found) == 1
    return found[0]


# --- why ------------------------------------------------------------------------------------------


def test_the_sentence_says_every_reason_what_is_not_known_and_when_it_lapses(flag: Flag) -> None:
    assert flag.paragraph == (
        "Heard of 3 times in three months, last 3 days ago. Noise, or heard of twice. "
        "Some things are not known; Housing could say. It drops off after 71 days without a further report.")


def test_reasons_are_in_order_of_weight_with_their_authority_and_owner(flag: Flag, pack: Pack) -> None:
    assert [reason.rule for reason in flag.reasons] == ["person/three-reports", "person/noisy-or-old"]
    rule = pack.rules["person/three-reports"]
    first = flag.reasons[0]
    assert (first.authority, first.owner, first.review_by) == (rule.authority, rule.owner, rule.review_by)
    assert (first.points, first.counted_points) == (6, 6)


def test_more_than_three_reasons_are_counted_and_not_all_told(bench: Workbench, pack: Pack, shipped: Pack) -> None:
    rules = [a_rule(shipped.rules[MODEL], f"r{n}", "heard_90d >= 1", because=f"Reason {n}.") for n in range(5)]
    said = week(bench, a_pack(shipped, rules, FEATURES)).flags["P1"].paragraph
    assert said.startswith("Reason 0. Reason 1. Reason 2. 2 more reasons below.")


def test_the_tree_says_what_was_asked_what_was_seen_who_could_say_and_when_it_was_known(flag: Flag) -> None:
    tree = flag.reasons[0].tree
    assert (tree.text, tree.state) == ("all of", True)
    heard = node("reports heard", tree)
    assert (heard.state, heard.value, heard.threshold) == (True, "3 reports", "3 reports")
    assert heard.agencies == ("Police", "Community Safety")
    assert (heard.first, heard.last) == (ago(60), ago(3))
    age = node("age", tree)
    assert (age.state, age.value, age.first) == (True, "40 years", None)


def test_the_fewest_facts_that_alone_make_it_so_are_named(flag: Flag) -> None:
    three, either = (reason.enough for reason in flag.reasons)
    assert len(three) == 2
    assert either == ("reports heard in 90 days: at least 2 reports",)      # one fact, not the two beside it


def test_a_fact_that_must_not_be_so_is_said_to_be_not_so(bench: Workbench, shipped: Pack) -> None:
    rules = [a_rule(shipped.rules[MODEL], "quiet", {"all": ["heard_90d >= 3", {"not": "noise_30d >= 9"}]})]
    reason = week(bench, a_pack(shipped, rules, FEATURES)).flags["P1"].reasons[0]
    assert reason.enough[1] == "not so: noise reports in 30 days: at least 9"


def test_a_rule_that_follows_from_another_names_the_facts_of_both(bench: Workbench, shipped: Pack) -> None:
    model = shipped.rules[MODEL]
    rules = [a_rule(model, "first", "noise_30d >= 1"),
             a_rule(model, "second", {"all": [{"rule": "person/first"}, "age >= 18"]}, because="{noise_30d} times")]
    flag = week(bench, a_pack(shipped, rules, FEATURES)).flags["P1"]
    second = next(reason for reason in flag.reasons if reason.rule == "person/second")
    assert second.because == "2 times"
    assert {fact.name for fact in flag.facts} == {"noise_30d", "age"}


# --- the records ----------------------------------------------------------------------------------


def test_the_records_behind_it_are_named_newest_first_and_no_others(flag: Flag) -> None:
    assert [record.record for record in flag.records] == ["council_asb:A1", "council_asb:A2", "police_incidents:R1"]
    first = flag.records[0]
    assert (first.feed, first.occurred, first.known, first.what, first.evidence) == (
        "council_asb", ago(4), ago(3), "noise", 3)


def test_each_fact_names_its_own_records(flag: Flag) -> None:
    facts = {fact.name: fact for fact in flag.facts}
    assert facts["noise_30d"].records == ("council_asb:A2", "council_asb:A1")
    assert facts["age"].records == ()


def test_a_record_in_dispute_makes_its_facts_unknown_and_is_said_to(bench: Workbench, pack: Pack) -> None:
    rows = [*RECORDS[:2], {**RECORDS[2], "disputed": True}]
    flag = week(bench, pack, rows).flags["P1"]
    heard = {fact.name: fact for fact in flag.facts}["heard_90d"]
    assert (heard.value, heard.disputed) == ("not known", True)
    assert [reason.rule for reason in flag.reasons] == ["person/noisy-or-old"]
    assert "person/three-reports" in [question.rule for question in flag.questions]


# --- what speaks against it, and what is not known ------------------------------------------------


def test_what_speaks_for_the_subject_is_beside_the_reasons(bench: Workbench, pack: Pack) -> None:
    helped = Protection("PF", "Seen by a support worker", "person", ("vulnerability",),
                        read_condition("age >= 18"), 0.15, (), "why")
    flag = week(bench, replace(pack, protections=(helped,))).flags["P1"]
    assert "Seen by a support worker (points less 15%)" in flag.against
    assert (flag.axes[0].before, flag.axes[0].reduced, flag.axes[0].points) == (9, 0.15, 7.65)


def test_a_report_nobody_corroborated_is_said_to_be_alone(flag: Flag) -> None:
    assert flag.against == ("1 of the 3 records rest on a single report that nobody has corroborated.",)


def test_a_single_source_and_a_long_silence_are_said(bench: Workbench, pack: Pack) -> None:
    rows = [report(28 + n, record=f"council_asb:A{n}", incident=f"I{n}") for n in range(3)]
    assert week(bench, pack, rows).flags["P1"].against == (
        f"Every record behind this comes from one source: {pack.contracts['council_asb'].title}.",
        "Nothing new has been recorded for 28 days.")


def test_what_is_not_known_is_asked_of_who_could_say(flag: Flag) -> None:
    [question] = flag.questions
    assert (question.rule, question.facts, question.agencies) == (
        "person/owes-rent", ("Weeks of rent owed",), ("Housing",))


def test_once_it_is_known_nothing_is_asked(bench: Workbench, pack: Pack) -> None:
    known = week(bench, pack, rent=[report(5, amount=9)], fresh=("feed", "rent_feed")).flags["P1"]
    assert known.questions == ()
    assert "person/owes-rent" in [reason.rule for reason in known.reasons]


def test_almost_is_for_analysts_and_no_officer_reads_it(bench: Workbench, pack: Pack) -> None:
    made = week(bench, pack)
    [almost] = made.near_misses["P1"]
    assert almost == "person/four-reports: reports heard in 90 days: at least 4 reports (seen: 3 reports)"
    text = write_json(made.flags["P1"])
    assert "our-reports" not in text
    assert "at least 4 reports" not in text


# --- homes kept apart -----------------------------------------------------------------------------


@pytest.fixture
def kept_apart(bench: Workbench, shipped: Pack) -> Week:
    near = a_feature("nearest", name="party_m", subject="allocation", table="kept_apart", sensitivity="special",
                     absence="not_applicable", title="Metres to a place of a party", unit="metres")
    clash = a_rule(shipped.rules[MODEL], "too-near", "party_m < 1000", subject="allocation", result="mitigate",
                   level="hard", factor="location", because="Too near ({party_m}).")
    away = a_rule(shipped.rules[MODEL], "almost-there", "party_m < 200", subject="allocation", result="mitigate",
                  level="hard", factor="location")
    place = report(5, record="keep_apart:K1", easting=400_300.0, northing=400_400.0)
    home = {"subject": "A1", "applicant": "P1", "uprn": "U1", "easting": 400_000.0, "northing": 400_000.0}
    world = make_world(bench, {"kept_apart": [place]}, proposals=[home])
    return make_week(world, a_pack(shipped, [clash, away], [near]), bench, "allocation")


def test_how_far_somebody_lives_decides_and_is_never_shown(kept_apart: Week) -> None:
    flag = kept_apart.flags["A1"]
    assert [reason.rule for reason in flag.reasons] == ["allocation/too-near"]
    assert flag.paragraph.startswith("Too near (held back).")
    assert [fact.value for fact in flag.facts] == ["held back"]
    assert flag.reasons[0].tree.value == "held back"
    assert "(seen: held back)" in kept_apart.near_misses["A1"][0]


def test_the_records_of_homes_kept_apart_are_not_named_anywhere(kept_apart: Week) -> None:
    flag = kept_apart.flags["A1"]
    text = write_json(flag)
    assert flag.records == ()
    assert (flag.reasons[0].tree.first, flag.reasons[0].tree.last) == (None, None)
    for secret in ("keep_apart", "K1", "500", "400300", "400400", "keep apart"):
        assert secret not in text


# --- the same bytes, or no run --------------------------------------------------------------------


def test_a_flag_is_the_same_bytes_every_time_with_its_keys_in_order(bench: Workbench, pack: Pack, flag: Flag) -> None:
    text = write_json(flag)
    assert write_json(week(bench, pack, list(reversed(RECORDS))).flags["P1"]) == text
    assert json.dumps(json.loads(text), sort_keys=True, indent=1, ensure_ascii=False) + "\n" == text


@pytest.mark.parametrize(("planted", "said"), [
    ({"heard_90d": 4}, "P1: heard_90d: columns and the count by hand disagree"),
    ({"noise_30d": None}, "P1: noise_30d: columns and the count by hand disagree"),
    ({"rule:person/four-reports": True}, "P1: person/four-reports: columns and evaluator disagree"),
    ({"rule:person/three-reports": None}, "P1: person/three-reports: columns and evaluator disagree")])
def test_a_run_stops_when_its_two_ways_of_working_a_thing_out_disagree(
    bench: Workbench, pack: Pack, planted: Row, said: str
) -> None:
    made = week(bench, pack)
    with pytest.raises(RunError, match=re.escape(said)):
        explain(made.entries["P1"], {**made.rows["P1"], **planted}, made.evidence, pack, "person", {}, {})


# --- when it lapses -------------------------------------------------------------------------------


def lapse_day(flag: Flag) -> int | None:
    found = re.fullmatch(r"It drops off after (\d+) days? without a further report\.", flag.lapse)
    assert found or flag.lapse == "It does not drop off by itself: it stands until what it describes has changed."
    return int(found[1]) if found else None


def check_lapses(bench: Workbench, pack: Pack, records: list[Row], people: int = 1) -> list[int | None]:
    """Each flag is still on the list the day before it is said to drop off, and not on the day itself."""
    known = [{"subject": f"P{n + 1}"} for n in range(people)]
    world = make_world(bench, {"reports": records, "rent": []}, people=known)
    days = {subject: lapse_day(flag) for subject, flag in make_week(world, pack, bench).flags.items()}
    standing: dict[int, set[str]] = {}
    for subject, day in days.items():
        for later in ([day - 1, day] if day else [365, 730]):
            if later not in standing:
                then = replace(world, as_of=AS_OF + timedelta(days=later))
                standing[later] = set(make_week(then, pack, bench, explained=False).entries)
            assert (subject in standing[later]) == (later != day), f"{subject}: {days[subject]}, looked on day {later}"
    return list(days.values())


@pytest.fixture
def lapsing(shipped: Pack) -> Any:
    def build(*conditions: Any, features: tuple[Feature, ...] = (), **other: Any) -> Pack:
        rules = [a_rule(shipped.rules[MODEL], f"r{n}", condition, **other) for n, condition in enumerate(conditions)]
        return a_pack(shipped, rules, [*FEATURES, *features])
    return build


@pytest.mark.parametrize(("condition", "day"), [
    ("heard_90d >= 3", 31),                        # the third is 60 days old: it counts for 30 more
    ("heard_90d >= 1", 88),                        # the last is 3 days old
    ("noise_30d >= 1", 28),
    ("heard_days <= 20", 18),
    ({"any": ["heard_90d >= 3", "noise_30d >= 1"]}, 31),
    ({"all": ["heard_90d >= 1", {"not": "noise_30d == 0"}]}, 28),
    ({"at_least": 2, "of": ["heard_90d >= 3", "noise_30d >= 1", "age >= 18"]}, 31),
    ("age >= 18", None), ("heard_days >= 1", None),
])
def test_a_flag_drops_off_on_the_very_day_it_says(
    bench: Workbench, lapsing: Any, condition: Any, day: int | None
) -> None:
    assert check_lapses(bench, lapsing(condition), RECORDS) == [day]


def test_points_fade_but_nobody_drops_off_for_it(bench: Workbench, lapsing: Any) -> None:
    assert check_lapses(bench, lapsing("heard_90d >= 1", fades_with="heard_days", points=1), RECORDS) == [88]


def test_a_rule_that_follows_from_another_lapses_with_it(bench: Workbench, lapsing: Any) -> None:
    assert check_lapses(bench, lapsing("noise_30d >= 1", {"rule": "person/r0"}), RECORDS) == [28]


def test_many_flags_drop_off_on_the_very_days_they_say(bench: Workbench, lapsing: Any) -> None:
    change = a_feature("change incident", name="more_60d", window=60)
    pack = lapsing("heard_90d >= 3", {"all": ["noise_30d >= 1", "heard_days <= 25"]}, "more_60d >= 2",
                   features=(change,))
    random = Random(4)
    rows = [report(random.randrange(1, 150), person=f"P{n % 12 + 1}", incident=f"I{n}",
                   category=random.choice(["N01", "D01"])) for n in range(70)]
    days = check_lapses(bench, pack, rows, people=12)
    assert len(days) >= 8
    assert len(set(days)) >= 5


def test_a_related_record_passes_out_of_its_window_too(bench: Workbench, lapsing: Any) -> None:
    recent = {"exists": {"in": "reports", "where": "category == N01", "within": "30d"}}
    assert check_lapses(bench, lapsing(recent), RECORDS) == [28]


def test_who_waits_for_a_second_source_is_not_said_to_drop_off_tomorrow(bench: Workbench, lapsing: Any) -> None:
    alone = Exclusion("X-06", "One household", "person", read_condition("age >= 18"), "second_source", "", "why")
    pack = replace(lapsing("heard_90d >= 3", axis="harm"), exclusions=(alone,))
    assert check_lapses(bench, pack, RECORDS) == [31]
