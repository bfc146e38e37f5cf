"""`make bench`: how long a week takes and how much memory, at two sizes, beside one query written by hand.

Each step runs in its own process, so that peak memory is that step's own. Results go to docs/bench.md; ratios
matter more than seconds, which are this machine's. Nothing here passes or fails.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
AS_OF = date(2026, 11, 23)

BY_HAND = """
WITH incidents AS (SELECT 'police_incidents:' || incident_ref AS report, category, domestic_abuse, dash_score
                   FROM read_parquet({police_incidents})),
suffered AS (
  SELECT complainant_ref AS person, report_ref AS incident, category, known, false AS domestic_abuse, hate_strand
  FROM read_parquet({council_asb}) WHERE complainant_ref IS NOT NULL AND known < DATE '2026-11-23'
  UNION ALL
  SELECT p.person_ref, p.incident_ref, i.category, p.known, i.domestic_abuse, NULL
  FROM read_parquet({police_involvements}) p JOIN incidents i ON i.report = 'police_incidents:' || p.incident_ref
  WHERE p.role IN ('victim', 'complainant') AND p.known < DATE '2026-11-23'),
caused AS (
  SELECT subject_ref AS person, report_ref AS incident, known, evidence, reporter_ref
  FROM read_parquet({council_asb}) WHERE subject_ref IS NOT NULL AND evidence >= 1 AND known < DATE '2026-11-23'),
needs AS (SELECT person_ref AS person, count(DISTINCT code) AS needs_count
          FROM read_parquet({support_needs}) WHERE status = 'current' GROUP BY 1),
v AS (SELECT person,
  count(DISTINCT incident) FILTER (known >= DATE '2026-11-23' - 90) AS asb_victim_90d,
  count(DISTINCT incident) FILTER (known >= DATE '2026-11-23' - 183) AS asb_victim_183d,
  count(DISTINCT incident) FILTER (known >= DATE '2026-11-23' - 365) AS asb_victim_365d,
  count(DISTINCT incident) FILTER (domestic_abuse AND known >= DATE '2026-11-23' - 365) AS da_victim_365d,
  count(DISTINCT incident) FILTER ((hate_strand IS NOT NULL OR category = 'P03')
                                   AND known >= DATE '2026-11-23' - 183) AS hate_victim_183d,
  DATE '2026-11-23' - max(known) AS asb_victim_days FROM suffered GROUP BY 1),
c AS (SELECT person,
  count(DISTINCT incident) FILTER (evidence >= 2 AND known >= DATE '2026-11-23' - 183) AS asb_subject_ev2_183d,
  count(DISTINCT reporter_ref) FILTER (known >= DATE '2026-11-23' - 183) AS asb_subject_reporters_183d,
  DATE '2026-11-23' - max(known) AS asb_subject_days FROM caused GROUP BY 1)
SELECT *, asb_victim_183d >= 3 AS r1, asb_victim_365d >= 2 AND needs_count >= 1 AS r2, hate_victim_183d >= 1 AS r3,
  asb_victim_90d >= 3 AS r4, asb_subject_ev2_183d >= 3 AND asb_subject_reporters_183d >= 2 AS r5,
  asb_subject_ev2_183d >= 3 AND needs_count >= 2 AS r6, da_victim_365d >= 3 AS r7,
  asb_victim_183d >= 3 AND needs_count >= 2 AS r8, asb_victim_days <= 28 AS r9, asb_subject_days <= 28 AS r10
FROM v FULL JOIN c USING (person) FULL JOIN needs USING (person)
"""


def main() -> None:
    """Times every step at every size and writes the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--folder", type=Path, default=ROOT / "bench-data")
    parser.add_argument("--step", nargs=2, metavar=("STEP", "SIZE"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.step:
        print(json.dumps(_step(asked.step[0], int(asked.step[1]), asked.folder)))
        return
    results = {size: {step: _apart(step, size, asked.folder) for step in ("invent", "ingest", "run", "by_hand")}
               for size in asked.sizes}
    table = _write(results)
    (ROOT / "docs" / "bench.md").write_text(table, encoding="utf-8")
    print(table)


def _apart(step: str, size: int, folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench", "--folder", str(folder), "--step", step, str(size)]
    began = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {"wall": time.perf_counter() - began, **found}


def _step(step: str, size: int, folder: Path) -> dict[str, Any]:
    borough, home = folder / f"borough-{size}", folder / f"home-{size}"
    began = time.perf_counter()
    more = {"invent": _invent, "ingest": _ingest, "run": _run, "by_hand": _by_hand}[step](size, borough, home)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"inside": time.perf_counter() - began, "peak_mb": peak, **more}


def _invent(size: int, borough: Path, home: Path) -> dict[str, Any]:
    from engine.invent import invent

    invent(borough, residents=size, months=36, seed=1)
    return {}


def _ingest(size: int, borough: Path, home: Path) -> dict[str, Any]:
    import shutil

    import pandas as pd

    from engine.lake import Lake
    from engine.pack import read_pack

    shutil.rmtree(home, ignore_errors=True)
    lake = Lake(home, read_pack(ROOT / "rules").contracts)
    rows = 0
    for row in pd.read_csv(borough / "extracts" / "manifest.csv", dtype=str).to_dict("records"):
        complete = date.fromisoformat(row["complete_to"]) if isinstance(row["complete_to"], str) else None
        receipt = lake.ingest(row["feed"], borough / "extracts" / row["file"],
                              date.fromisoformat(row["received"]), complete)
        rows += receipt.rows_in
    return {"rows": rows}


def _run(size: int, borough: Path, home: Path) -> dict[str, Any]:
    from engine.lake import Lake
    from engine.pack import read_pack
    from engine.runs import Runs
    from engine.weekly import make_run

    pack = read_pack(ROOT / "rules")
    lake, runs = Lake(home, pack.contracts), Runs(home)
    before = runs.before(AS_OF)
    run = make_run(lake, pack, AS_OF, before)
    runs.save(run, before, pack, lake)
    return {"judged": sum(run.cohorts.values()), "flags": len(run.flags)}


def _by_hand(size: int, borough: Path, home: Path) -> dict[str, Any]:
    import duckdb

    feeds = ("police_incidents", "council_asb", "police_involvements", "support_needs")
    files = {f: str([str(p) for p in sorted((home / "lake" / f).glob("*.parquet")) if ".seen." not in p.name])
             for f in feeds}
    began = time.perf_counter()
    rows = duckdb.connect().execute(BY_HAND.format(**files)).to_arrow_table().num_rows
    return {"query": time.perf_counter() - began, "judged": rows}


def _write(results: dict[int, dict[str, dict[str, Any]]]) -> str:
    lines = [
        "# How long a week takes", "",
        f"Written by `make bench` on {platform.machine()}, {_cores()} cores, Python {platform.python_version()}. "
        "Wall seconds include starting Python.", "",
        "| residents | invent | take in | rows in | weekly run | peak memory of the run | judged | explained flags "
        "| one query by hand | run / query |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"]
    for size, steps in results.items():
        run, query = steps["run"], steps["by_hand"]["query"]
        lines.append(
            f"| {size:,} | {steps['invent']['wall']:.1f} s | {steps['ingest']['wall']:.1f} s "
            f"| {steps['ingest']['rows']:,} | {run['wall']:.1f} s | {run['peak_mb']:,.0f} MB | {run['judged']:,} "
            f"| {run['flags']} | {query:.2f} s | {run['wall'] / query:.0f} |")
    sizes = list(results)
    if len(sizes) == 2:
        small, large = (results[s]["run"]["wall"] for s in sizes)
        lines += ["", f"{sizes[1] / sizes[0]:.0f} times the residents take {large / small:.1f} times as long."]
    lines += ["", "The query by hand computes ten of the same features and ten of the rules straight from the kept "
              "records, for people only: it links nobody, knows no unknowns, and explains nothing. The run links, "
              "measures every feature of every person, place and allocation, judges 71 rules, works the flagged out "
              "again by hand and writes everything down.", ""]
    return "\n".join(lines)


def _cores() -> int:
    import os

    return os.cpu_count() or 1


if __name__ == "__main__":
    main()
