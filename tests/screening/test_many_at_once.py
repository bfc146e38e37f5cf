"""Many offers screened at once at one desk: nobody gets another's screening, and the desk does not grow.

What each pair must get is worked out beforehand at a desk of its own, by one thread; only digests are compared.
"""

from __future__ import annotations

import gc
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from random import Random
from threading import Barrier

import pytest

from engine.desk import Desk
from engine.flag import write_json
from engine.screen import screen
from engine.screening import Answer

from .conftest import Week

Asked = tuple[str, str, tuple[Answer, ...]]
THREADS = 8


def another_desk(week: Week) -> Desk:
    desk = week.desk
    return Desk(desk.snapshot, desk.pack, desk.digests, desk.name)


def ask(week: Week, count: int) -> list[Asked]:
    """Pairs of anybody with any home, most of them with something told."""
    random, desk = Random(count), week.desk
    applications, homes = sorted(desk.applications), sorted(desk.homes)
    told = [Answer("travel_minutes", 50, desk.as_of), Answer("settle_plan", False, desk.as_of),
            Answer("applicant_recovery_drug", True, desk.as_of), Answer("stay_type", "general_needs", desk.as_of)]
    return [(random.choice(applications), random.choice(homes),
             tuple(random.sample(told, random.randrange(len(told) + 1)))) for _ in range(count)]


def digest(desk: Desk, asked: Asked) -> str:
    application, uprn, told = asked
    return sha256(write_json(screen(desk, desk.pair(application, uprn), told)).encode()).hexdigest()


def screen_at_once(week: Week, every: list[Asked], each: int) -> Counter[str]:
    """What came out of so many screenings by each of the threads, all begun together, at one desk."""
    alone = another_desk(week)
    expected = [digest(alone, asked) for asked in every]
    of_others = set(expected)
    together, start = another_desk(week), Barrier(THREADS)

    def work(thread: int) -> Counter[str]:
        order = Random(thread).choices(range(len(every)), k=each)
        start.wait()
        return Counter(judge(digest(together, every[at]), expected[at], of_others) for at in order)

    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(work, range(THREADS)), Counter())


def judge(came_out: str, expected: str, of_others: set[str]) -> str:
    return "right" if came_out == expected else "crossed" if came_out in of_others else "wrong"


def test_eight_threads_get_nobody_elses_screening(week: Week) -> None:
    assert screen_at_once(week, ask(week, 300), 300) == {"right": THREADS * 300}


@pytest.mark.more
def test_eight_threads_of_three_thousand_screenings_get_nobody_elses(week: Week) -> None:
    found = screen_at_once(week, ask(week, 3_000), 3_000)
    print(f"{THREADS} threads x 3,000: {dict(found)}")
    assert found == {"right": THREADS * 3_000}


def test_a_screening_put_on_another_pair_is_noticed(week: Week) -> None:
    every = ask(week, 50)
    expected = [digest(week.desk, asked) for asked in every]
    assert len(set(expected)) > 40
    assert judge(expected[0], expected[1], set(expected)) == "crossed"
    assert judge("0" * 64, expected[1], set(expected)) == "wrong"


@pytest.mark.more
def test_fifty_thousand_screenings_leave_the_desk_no_larger_than_five_thousand(week: Week) -> None:
    every, desk = ask(week, 5_000), another_desk(week)
    for asked in every:
        digest(desk, asked)
    early = memory()
    for asked in every * 9:
        digest(desk, asked)
    late = memory()
    print(f"memory after 5,000 screenings: {early:.1f} MB; after 50,000: {late:.1f} MB")
    assert late - early < 25


def memory() -> float:
    """Megabytes of this process that are in memory now."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
