"""Calls -> how long each took, and of many such times the few figures worth printing."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

_QUICK = "WARDWISE_BENCH_QUICK"


def scale(count: int) -> int:
    """How many of something to do: a twentieth when only asked whether it works."""
    return max(1, count // 20) if os.environ.get(_QUICK) else count


def environment(quick: bool) -> dict[str, str]:
    """This environment, telling a step whether to be quick."""
    return {**os.environ, **({_QUICK: "1"} if quick else {})}


def time_each(act: Callable[[Any], object], over: Iterable[Any]) -> list[float]:
    """Seconds of each call."""
    times = []
    for one in over:
        began = time.perf_counter()
        act(one)
        times.append(time.perf_counter() - began)
    return times


def sum_up(times: Sequence[float]) -> dict[str, float]:
    """Milliseconds at the middle, at 99 of 100 and at worst; how many; and how many a second one after another."""
    ordered = sorted(times)
    return {"n": len(ordered), "p50": 1e3 * ordered[len(ordered) // 2],
            "p99": 1e3 * ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))], "max": 1e3 * ordered[-1],
            "rate": len(ordered) / sum(ordered)}
