"""A week's records -> ten of its rules by one query written by hand: what the run is compared with."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from tests.bench.borough import home_of

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


def ask_by_hand(size: int, folder: Path) -> dict[str, Any]:
    """The query, straight on the kept records."""
    import duckdb

    feeds, lake = ("police_incidents", "council_asb", "police_involvements", "support_needs"), home_of(size, folder)
    files = {f: str([str(p) for p in sorted((lake / "lake" / f).glob("*.parquet")) if ".seen." not in p.name])
             for f in feeds}
    began = time.perf_counter()
    rows = duckdb.connect().execute(BY_HAND.format(**files)).to_arrow_table().num_rows
    return {"query": time.perf_counter() - began, "judged": rows}
