"""The shipped rules, reasoned about one case at a time: alone, from eight threads at once, and for a long while."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from random import Random

import pytest

from engine.cases import RuleCase, judge_case, read_all_cases
from engine.condition import exists_in
from engine.evaluate import Case
from engine.pack import Pack
from engine.reasoning import MOST_LINES, Reasoned, compile_pack, cross_check
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


def agree(rules: Sequence[Rule], cases: int, seed: int) -> Counter[str]:
    random, fired = Random(seed), Counter[str]()
    for _ in range(cases):
        fired.update(judge_twice(rules, make_typed_case(random, rules))[0].fired)
    return fired


def test_both_agree_on_random_cases_of_the_shipped_rules(shipped: Pack, subject: Subject) -> None:
    rules = rules_for(shipped, subject)
    assert len(agree(rules, 200, seed=1)) > len(rules) / 2, "more than half of the rules fire now and then"


@pytest.mark.more
def test_both_agree_on_many_random_cases_of_the_shipped_rules(shipped: Pack, subject: Subject) -> None:
    agree(rules_for(shipped, subject), 10_000, seed=2)


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


def test_the_rules_of_each_kind_of_subject_fit_into_a_few_small_rulesets(shipped: Pack, subject: Subject) -> None:
    stages = compile_pack(rules_for(shipped, subject)).stages
    assert len(stages) <= 3
    assert all(len(stage.lines) <= MOST_LINES < 50 for stage in stages)


def test_the_same_rules_give_the_same_reasoner(shipped: Pack) -> None:
    """What a ruleset takes is never given back, so there is one for a pack, however often it is asked for."""
    assert compile_pack(rules_for(shipped, "person")) is compile_pack(rules_for(shipped, "person"))


# --- at once ------------------------------------------------------------------------------------


def reason_at_once(rules: Sequence[Rule], threads: int, each: int) -> tuple[int, int]:
    """How many cases came out wrong, and how many with a record of another case, of threads x each."""
    reasoner, blocks = compile_pack(rules), [b for rule in rules for b in exists_in(rule.when)]
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


def test_eight_threads_at_once_get_each_case_its_own_answer(shipped: Pack) -> None:
    assert reason_at_once(rules_for(shipped, "person"), threads=8, each=300) == (0, 0)


@pytest.mark.more
def test_eight_threads_at_once_get_each_case_its_own_answer_for_a_long_while(shipped: Pack) -> None:
    assert reason_at_once(rules_for(shipped, "person"), threads=8, each=3_000) == (0, 0)


def test_reasoning_starts_no_thread_and_leaves_nothing_behind(shipped: Pack) -> None:
    before = threading.active_count()
    reasoner = compile_pack(rules_for(shipped, "person"))
    random, rules = Random(3), rules_for(shipped, "person")
    for _ in range(1_100):      # durable-rules has room for 1,024 states: each is deleted after its case
        reasoner.reason(make_typed_case(random, rules, missing=0.8))
    assert threading.active_count() == before


# --- for a long while -----------------------------------------------------------------------------


def memory_after(rules: Sequence[Rule], cases: int) -> tuple[float, float]:
    """Megabytes held before and after, and prints them with the speed."""
    random = Random(4)
    some = [make_typed_case(random, rules) for _ in range(200)]
    reasoner = compile_pack(rules)
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
    before, after = memory_after(rules_for(shipped, "person"), 2_000)
    assert after - before < 3


@pytest.mark.more
def test_memory_stays_flat_over_fifty_thousand_cases(shipped: Pack) -> None:
    before, after = memory_after(rules_for(shipped, "person"), 50_000)
    assert after - before < 5
