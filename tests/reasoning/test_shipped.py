"""The shipped rules, reasoned about one case at a time: alone, from eight threads at once, and for a long while."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path
from random import Random

import pytest

from engine.cases import RuleCase, judge_case, read_all_cases
from engine.condition import exists_in
from engine.evaluate import Case
from engine.pack import Pack
from engine.plan import MOST_LINES, draw_plan
from engine.reasoning import Reasoned, compile_pack, cross_check
from engine.rule import Rule
from engine.schema import SUBJECTS, Subject

from .made import judge_by_hand, judge_twice, make_typed_case

TODAY = date(2026, 11, 23)
CASES, _ = read_all_cases(Path(__file__).parents[2] / "rules")


@pytest.fixture(params=SUBJECTS)
def subject(request: pytest.FixtureRequest) -> Subject:
    chosen: Subject = request.param
    return chosen


def rules_for(pack: Pack, subject: Subject) -> list[Rule]:
    return pack.rules_of(subject, TODAY)


def about_of(pack: Pack, subject: Subject) -> dict[str, str]:
    """What each fact of a kind of subject is about, as declared: an allocation's applicant, household, home."""
    return {feature.name: feature.about for feature in pack.features_of(subject).values()}


def agree(pack: Pack, subject: Subject, cases: int, seed: int) -> Counter[str]:
    """How often each rule fired, told of one thing, of things drawn by lot, and of those the facts are declared for."""
    random, fired, rules = Random(seed), Counter[str](), rules_for(pack, subject)
    declared = compile_pack(rules, about_of(pack, subject))
    for _ in range(cases):
        case = make_typed_case(random, rules)
        reasoned = judge_twice(rules, case)[0]
        assert declared.reason(case) == reasoned
        fired.update(reasoned.fired)
    return fired


def test_both_agree_on_random_cases_of_the_shipped_rules(shipped: Pack, subject: Subject) -> None:
    fired = agree(shipped, subject, 200, seed=1)
    assert len(fired) > len(rules_for(shipped, subject)) / 2, "more than half of the rules fire now and then"


@pytest.mark.more
def test_both_agree_on_many_random_cases_of_the_shipped_rules(shipped: Pack, subject: Subject) -> None:
    agree(shipped, subject, 10_000, seed=2)


@pytest.mark.parametrize("case", CASES, ids=[f"{case.rule}: {case.name}" for case in CASES])
def test_the_reasoner_does_what_the_case_beside_a_rule_says(shipped: Pack, case: RuleCase) -> None:
    steps = judge_case(case, shipped)
    rules = [shipped.rules[rule] for rule in steps]
    related = {b: case.related.get(b.table) for rule in rules for b in exists_in(rule.when)}
    reasoned = compile_pack(rules).reason(Case(case.given, case.outcomes, related))
    cross_check(reasoned, steps)
    assert (case.rule in reasoned.fired) == (case.expect == "fires")


def test_a_protected_persons_order_is_handed_back_with_the_rule_it_made_fire(shipped: Pack) -> None:
    rules = rules_for(shipped, "person")
    block = next(b for rule in rules for b in exists_in(rule.when))
    orders = [{"record": "orders:1", "current": False, "protected_persons": 2},
              {"record": "orders:2", "current": True, "protected_persons": 1}]
    case = Case({"age": 40, "cchi_subject_365d": 400}, {}, {block: orders})
    assert judge_twice(rules, case)[0].joined == {"person/high-harm-with-protected-person": (orders[1],)}


def test_an_allocation_is_told_as_facts_about_several_things_which_rules_join(shipped: Pack) -> None:
    things = set(about_of(shipped, "allocation").values())
    assert {"applicant", "household", "property", "surroundings"} <= things
    drawn = draw_plan(rules_for(shipped, "allocation"), about_of(shipped, "allocation"))
    assert max(len(line.asked) for line in drawn.lines) >= 2
    assert any(line.record is not None for line in drawn.lines)


def test_a_survivor_is_not_put_near_the_place_on_record(shipped: Pack) -> None:
    """Which record it was is handed back, to be told apart from the others; it is shown to nobody."""
    rules = rules_for(shipped, "allocation")
    places = [{"record": f"keep_apart:{n}", "kind": kind, "metres": metres}
              for n, (kind, metres) in enumerate([("da", 1000), ("da", 999), ("da", None), ("asb", 10)])]
    related = {b: places for rule in rules for b in exists_in(rule.when) if b.table == "keep_apart_places"}
    joined = judge_twice(rules, Case({}, {}, related))[0].joined
    assert joined["allocation/domestic-abuse-survivor-near-abuser"] == (places[1],)
    assert joined["allocation/asb-victim-beside-same-people"] == (places[3],)


def test_the_rules_of_each_kind_of_subject_fit_into_a_few_small_rulesets(shipped: Pack, subject: Subject) -> None:
    stages = compile_pack(rules_for(shipped, subject), about_of(shipped, subject)).stages
    assert len(stages) <= 3
    assert all(len(stage.lines) <= MOST_LINES < 50 for stage in stages)


def test_the_same_rules_give_the_same_reasoner(shipped: Pack) -> None:
    """What a ruleset takes is never given back, so there is one for a pack, however often it is asked for."""
    assert compile_pack(rules_for(shipped, "person")) is compile_pack(rules_for(shipped, "person"))


# --- at once ------------------------------------------------------------------------------------


def reason_at_once(pack: Pack, subject: Subject, threads: int, each: int) -> tuple[int, int]:
    """How many cases came out wrong, and how many with a record of another case, of threads x each."""
    rules = rules_for(pack, subject)
    reasoner = compile_pack(rules, about_of(pack, subject))
    blocks = [b for rule in rules for b in exists_in(rule.when)]
    wrong, crossed, failed = Counter[int](), Counter[int](), list[BaseException]()
    start = threading.Barrier(threads)

    def work(thread: int) -> None:
        random = Random(thread)
        cases: list[Case] = []
        for _ in range(each):
            case = make_typed_case(random, rules, missing=0.1)
            cases.append(replace(case, related={
                b: [dict(row, owner=(thread, len(cases))) for row in case.related[b] or ()] for b in blocks}))
        expected = [judge_by_hand(rules, case) for case in cases]
        start.wait()
        try:
            for n, case in enumerate(cases):
                reasoned: Reasoned = reasoner.reason(case)
                wrong[thread] += reasoned.fired != {r for r, step in expected[n].items() if step.state is True}
                owners = {row["owner"] for rows in reasoned.joined.values() for row in rows}
                crossed[thread] += not owners <= {(thread, n)}
        except BaseException as error:
            failed.append(error)

    workers = [threading.Thread(target=work, args=(n,)) for n in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert failed == []
    return wrong.total(), crossed.total()


@pytest.mark.parametrize("subject", ["person", "allocation"], indirect=True)
def test_eight_threads_at_once_get_each_case_its_own_answer(shipped: Pack, subject: Subject) -> None:
    assert reason_at_once(shipped, subject, threads=8, each=300) == (0, 0)


@pytest.mark.more
def test_eight_threads_at_once_get_each_case_its_own_answer_for_a_long_while(shipped: Pack) -> None:
    assert reason_at_once(shipped, "allocation", threads=8, each=3_000) == (0, 0)


def test_reasoning_starts_no_thread_and_leaves_nothing_behind(shipped: Pack) -> None:
    before = threading.active_count()
    reasoner = compile_pack(rules_for(shipped, "person"))
    random, rules = Random(3), rules_for(shipped, "person")
    for _ in range(1_100):      # durable-rules has room for 1,024 states: each is deleted after its case
        reasoner.reason(make_typed_case(random, rules, missing=0.8))
    assert threading.active_count() == before


# --- for a long while -----------------------------------------------------------------------------


def memory_after(pack: Pack, subject: Subject, cases: int) -> tuple[float, float]:
    """Megabytes held before and after, and prints them with the speed."""
    random, rules = Random(4), rules_for(pack, subject)
    some = [make_typed_case(random, rules) for _ in range(200)]
    reasoner = compile_pack(rules, about_of(pack, subject))
    for case in some * 2:
        reasoner.reason(case)
    before, started = _megabytes(), time.process_time()
    for n in range(cases):
        reasoner.reason(some[n % len(some)])
    seconds, after = time.process_time() - started, _megabytes()
    print(f"{cases} cases: {before:.1f} MB before, {after:.1f} MB after, {cases / seconds:.0f} cases a CPU second")
    return before, after


def _megabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 1e6


def test_memory_stays_flat_over_two_thousand_cases(shipped: Pack) -> None:
    before, after = memory_after(shipped, "person", 2_000)
    assert after - before < 3


@pytest.mark.more
def test_memory_stays_flat_over_fifty_thousand_cases(shipped: Pack) -> None:
    before, after = memory_after(shipped, "allocation", 50_000)
    assert after - before < 5
