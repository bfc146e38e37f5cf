"""Asks each step for its figures, in a process of its own so that peak memory is that step's, and writes the page.

    python -m tests.bench                everything, as `make bench` does
    python -m tests.bench screening      one part (or weekly, or site); what the page says of the others stays
    python -m tests.bench cards          how good cards are, which is not timed: docs/cards.md (`cards --help`)
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.bench import page, stopwatch

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "bench.md"

STEPS = {
    "invent": "borough.invent_borough", "take in": "borough.take_in", "run": "borough.make_week",
    "run without offers": "borough.make_week_without_offers", "by hand": "weekly.ask_by_hand",
    "prepare a desk": "screening.prepare_desk", "screen": "screening.screen_pairs",
    "serve": "service.ask_over_http", "engines": "engines.compare_engines",
    "pages": "site.ask_for_pages",
}
"""Where each step is: a step imports nothing that only others need."""


def main() -> None:
    """Times what was asked for and writes it into the page."""
    if sys.argv[1:2] == ["cards"]:
        importlib.import_module("tests.bench.cards").main(sys.argv[2:])
        return
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="?", choices=("all", "weekly", "screening", "site"), default="all")
    parser.add_argument("--weekly-sizes", type=int, nargs="+", default=[100_000, 1_000_000], metavar="RESIDENTS")
    parser.add_argument("--screening-sizes", type=int, nargs="+", default=[20_000, 100_000], metavar="RESIDENTS")
    parser.add_argument("--site-sizes", type=int, nargs="+", default=[200, 20_000], metavar="FLAGS")
    parser.add_argument("--folder", type=Path, default=ROOT / "bench-data", help="where boroughs are made")
    parser.add_argument("--page", type=Path, default=PAGE, help="the page that is written")
    parser.add_argument("--quick", action="store_true", help="a twentieth of the work: whether it works, not how fast")
    parser.add_argument("--step", nargs=2, metavar=("STEP", "SIZE"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.step:
        print(json.dumps(_time_step(asked.step[0], int(asked.step[1]), asked.folder)))
        return
    if asked.quick and asked.page == PAGE:
        parser.error("--quick times nothing worth reading: name another --page")
    load = os.getloadavg()[0]       # before anything of ours runs
    if asked.part in ("all", "weekly"):
        page.put(asked.page, page.WEEK, page.write_weekly(_weekly(asked), load))
    if asked.part in ("all", "screening"):
        page.put(asked.page, page.SCREENING, page.write_screening(_screening(asked), load))
    if asked.part in ("all", "site"):
        pages = {size: _apart("pages", size, asked, "flags") for size in asked.site_sizes}
        page.put(asked.page, page.SITE, page.write_site(pages, load))
    print(asked.page.read_text(encoding="utf-8"))


# --- inside -------------------------------------------------------------------------------------


def _weekly(asked: argparse.Namespace) -> dict[int, Any]:
    return {size: {step: _apart(step, size, asked) for step in ("invent", "take in", "run", "by hand")}
            for size in asked.weekly_sizes}


def _screening(asked: argparse.Namespace) -> dict[str, Any]:
    """Desks at every size; what needs longer at the largest alone."""
    desks, weeks, largest = {}, [], max(asked.screening_sizes)
    for size in sorted(asked.screening_sizes):
        for step in ("invent", "take in"):
            _apart(step, size, asked)
        weeks = [_apart(step, size, asked)      # in turn, so that a slow minute slows both
                 for step in (["run", "run without offers"] * 2 if size == largest else ["run"])]
        desks[size] = {step: _apart(step, size, asked) for step in ("prepare a desk", "screen")}
    return {"size": largest, "desks": desks, "with_offers": weeks[::2], "without_offers": weeks[1::2],
            "serve": _apart("serve", largest, asked), "engines": _apart("engines", largest, asked)}


def _apart(step: str, size: int, asked: argparse.Namespace, of: str = "residents") -> dict[str, Any]:
    print(f"{step}, {size:,} {of}", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", "tests.bench", "--folder", str(asked.folder), "--step", step, str(size)]
    began = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True,
                          env=stopwatch.environment(asked.quick))
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {"wall": time.perf_counter() - began, **found}


def _time_step(step: str, size: int, folder: Path) -> dict[str, Any]:
    began = time.perf_counter()
    module, name = STEPS[step].split(".")
    found = getattr(importlib.import_module(f"tests.bench.{module}"), name)(size, folder)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"inside": time.perf_counter() - began, "peak_mb": peak, **found}


if __name__ == "__main__":
    main()
