"""Pairs nobody proposed -> how long a desk takes to prepare and open, and how long screening and keeping take."""

from __future__ import annotations

import gc
import os
import random
import shutil
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from engine.desk import Desk
from engine.desks import Desks
from engine.flag import write_json
from engine.matches import find_matches, find_shortlist
from engine.screen import check_pair, screen
from engine.screening import Pair
from engine.screenings import Screenings
from tests.bench.borough import AS_OF, setting_of
from tests.bench.stopwatch import scale, sum_up, time_each

PAIRS, WITH_MATCHES, SHORTLISTS, KEPT = 5_000, 100, 100, 1_000
THREADS = 8
_NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


def prepare_desk(size: int, folder: Path) -> dict[str, Any]:
    """The desk of the day after the run, which no run has left: read, linked, kept and opened; then taken away."""
    setting = setting_of(size, folder)
    began = time.perf_counter()
    desk = Desks(setting.home).open(setting.lake, setting.pack, AS_OF + timedelta(days=1))
    seconds = time.perf_counter() - began
    shutil.rmtree(Desks(setting.home).folder / desk.name)
    return {"seconds": seconds}


def screen_pairs(size: int, folder: Path) -> dict[str, Any]:
    """Everything in process at the desk that the run left."""
    setting = setting_of(size, folder)
    pack, began = setting.pack, time.perf_counter()
    desk = Desks(setting.home).open(setting.lake, pack, AS_OF)
    opened, pairs = time.perf_counter() - began, choose_pairs(desk, scale(PAIRS))
    kept = [p for p in (Desks(setting.home).folder / desk.name).iterdir() if p.is_file()]
    found = {
        "open": opened, "disk_mb": sum(p.stat().st_size for p in kept) / 1e6, "memory_mb": _memory(),
        "live": len(find_live(desk)), "available": len(find_available(desk)), "pairs": len(pairs),
        **_screen(desk, pairs), **_keep(desk, pairs, folder / f"kept-{size}"),
        "memory_after_mb": _memory(),
    }
    return found


def find_live(desk: Desk) -> list[str]:
    """The applications that may be offered a home."""
    return [name for name, row in desk.applications.items() if row["live"] and row["members"]]


def find_available(desk: Desk) -> list[str]:
    """The homes that may be offered."""
    return [uprn for uprn, row in desk.homes.items() if row["available"] and not row["let"]
            and row["easting"] is not None and row["northing"] is not None]


def choose_pairs(desk: Desk, number: int) -> list[Pair]:
    """Pairs that may be screened, drawn at random and the same every time."""
    live, available, draw = find_live(desk), find_available(desk), random.Random(5)
    return [desk.pair(draw.choice(live), draw.choice(available)) for _ in range(number)]


def forget(desk: Desk) -> None:
    """Empties what a desk remembers of applicants and homes; only a bench needs to, so a desk has no name for it."""
    desk._about_applicant.cache_clear()
    desk._about_home.cache_clear()


# --- inside -------------------------------------------------------------------------------------


def _screen(desk: Desk, pairs: Sequence[Pair]) -> dict[str, Any]:
    """The same pairs with nothing remembered, again with all of it, from eight threads, and with what goes beside."""
    def once(pair: Pair) -> object:
        return screen(desk, check_pair(desk, pair.application, pair.uprn))

    def with_matches(pair: Pair) -> object:
        return once(pair), find_matches(desk, pair)

    once(pairs[0])      # the first of all compiles and imports
    pauses, cold, warm = _Pauses(), [], []
    with pauses:
        for pair in pairs:
            forget(desk)
            cold += time_each(once, [pair])
        for pair in pairs:
            desk.measure(pair)
        warm = time_each(once, pairs)
    made = [once(pair) for pair in pairs[:KEPT]]
    return {
        "cold": sum_up(cold), "warm": sum_up(warm), "collecting_ms": 1e3 * pauses.longest,
        "text": sum_up(time_each(write_json, made)),
        "matches": sum_up(time_each(with_matches, pairs[:scale(WITH_MATCHES)])),
        "shortlist": sum_up(time_each(lambda pair: find_shortlist(desk, pair.uprn), pairs[:scale(SHORTLISTS)])),
        "threads": _from_threads(once, pairs)}


def _from_threads(act: Any, pairs: Sequence[Pair]) -> dict[str, float]:
    """Eight at once: how long each waits, and how many are done a second."""
    ready, began = threading.Barrier(THREADS), time.perf_counter()

    def work(own: Sequence[Pair]) -> list[float]:
        ready.wait()
        return time_each(act, own)

    with ThreadPoolExecutor(THREADS) as threads:
        times = [t for some in threads.map(work, [pairs[n::THREADS] for n in range(THREADS)]) for t in some]
    return {**sum_up(times), "rate": len(times) / (time.perf_counter() - began)}


def _keep(desk: Desk, pairs: Sequence[Pair], home: Path) -> dict[str, Any]:
    """Keeping, in a folder of its own; and what the disk alone takes to make one file of that length last."""
    shutil.rmtree(home, ignore_errors=True)
    screenings = Screenings(home)
    made = [screen(desk, pair) for pair in pairs[:scale(KEPT)]]
    kept = time_each(lambda one: screenings.keep(one, (), desk.name, "Housing desk 1", _NOW), made)
    number, text = count(), write_json(made[0]).encode()

    def write(_: object) -> None:
        with open(home / f"bare-{next(number)}", "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())

    bare = time_each(write, made)
    shutil.rmtree(home)
    return {"keep": sum_up(kept), "fsync": sum_up(bare), "text_kb": len(text) / 1e3}


class _Pauses:
    """The longest time Python stopped to collect what is no longer used, between entering and leaving."""

    longest = 0.0
    _began = 0.0

    def __call__(self, phase: str, info: object) -> None:
        if phase == "start":
            self._began = time.perf_counter()
        else:
            self.longest = max(self.longest, time.perf_counter() - self._began)

    def __enter__(self) -> None:
        gc.callbacks.append(self)

    def __exit__(self, *_: object) -> None:
        gc.callbacks.remove(self)


def _memory() -> float:
    """Megabytes of this process now (Linux); not a number elsewhere."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    except FileNotFoundError:
        return float("nan")
