"""Checked rows and what the lake holds -> which rows are new, revised, unchanged or repeated.

One row is told from another by its identity, one version of it from another by a digest of its
content, so the comparison is a join of two columns whatever the width of the feed. It happens in
DuckDB, on disk where memory ends; file names are parameters, column names come from the contract.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from engine.contract import Contract


@dataclass(frozen=True)
class Past:
    """Earlier batches of the feed; `seen`: what files repeated, needed when one arrives late."""

    batches: list[Path]
    seen: list[Path]


@dataclass(frozen=True)
class Counts:
    """Rows by what became of them; `conflicts` share an identity in one file and contradict."""

    new: int = 0
    revised: int = 0
    unchanged: int = 0
    repeated: int = 0
    conflicts: int = 0
    withdrawn: int = 0
    first_known: date | None = None


@dataclass
class Arrival:
    """One file's checked rows beside the feed's past, in a DuckDB of their own."""

    contract: Contract
    received: date
    sequence: int
    scratch: Path
    rows: Path = field(init=False)
    connection: duckdb.DuckDBPyConnection = field(init=False)

    def __post_init__(self) -> None:
        # Spilled rows are personal data: they stay in the lake's own folder, which is wiped.
        self.connection = duckdb.connect(config={"temp_directory": str(self.scratch / "spill")})

    def judge(self, rows: Path, past: Past) -> Counts:
        """Gives every checked row its fate, and counts them."""
        self._load(rows)
        self._find_twins()
        self._load_past(past)
        self.connection.execute(_FATE_IN_PARTITION if self.contract.replaces else _FATE_IN_CHAIN,
                                {"received": self.received, "sequence": self.sequence})
        found = dict(self._rows("SELECT fate, count(*) FROM judged GROUP BY fate"))
        (first,), = self._rows("SELECT min(known) FROM judged WHERE fate <> 'conflict'")
        withdrawn = self._rows(_WITHDRAWN)[0][0] if self.contract.replaces else 0
        return Counts(found.get("new", 0), found.get("revised", 0), found.get("unchanged", 0),
                      found.get("repeated", 0), found.get("conflict", 0), withdrawn, first)

    def write_batch(self, path: Path) -> None:
        """The rows the lake must keep. Of a feed that replaces partitions, every row."""
        kept = "('new', 'revised', 'unchanged')" if self.contract.replaces else "('new', 'revised')"
        columns = ", ".join(_quote(name) for name in self.contract.columns)
        self._write(path, f"""
            SELECT judged.identity, content, partition, issued, received, sequence,
                   sequence * 4294967296 + arrival AS key, file, row, judged.known, {columns}
            FROM judged JOIN {_STAGED} ON file_row_number = arrival
            WHERE fate IN {kept} ORDER BY arrival""", rows=str(self.rows))

    def write_seen(self, path: Path) -> None:
        """Which records the file said again, unchanged."""
        self._write(path, """
            SELECT identity, content, issued, received, sequence, NULL::BIGINT AS key, known
            FROM judged WHERE fate = 'unchanged' ORDER BY arrival""")

    def write_conflicts(self, path: Path) -> None:
        """Rows that contradict another row of their file, as refusals."""
        names = ", ".join(self.contract.identity)
        self._write(path, f"""
            SELECT file, row, $names AS "column", judged.identity AS found,
                   'each ' || $names || ' once, or with different amended dates' AS allowed,
                   'these rows contradict each other: send only the right one' AS fix,
                   judged.identity
            FROM judged JOIN {_STAGED} ON file_row_number = arrival
            WHERE fate = 'conflict' ORDER BY arrival""", names=names, rows=str(self.rows))

    def write_others(self, path: Path) -> None:
        """The rows with nothing wrong in a file that is refused whole, as refusals."""
        limit = f"at most {self.contract.refuse_above:.0%} of the rows of a file refused"
        fix = "nothing is wrong with this row: correct the others and send the file again"
        self._write(path, f"""
            SELECT file, row, '' AS "column", '' AS found, $limit AS allowed, $fix AS fix,
                   CASE WHEN partition = '' THEN judged.identity ELSE partition END AS identity
            FROM judged JOIN {_STAGED} ON file_row_number = arrival
            WHERE fate <> 'conflict' ORDER BY arrival
            """, limit=limit, fix=fix, rows=str(self.rows))

    def close(self) -> None:
        """Lets go of the memory and of what was spilled."""
        self.connection.close()

    def _load(self, rows: Path) -> None:
        """Who each row is and what it says, without saying it: the wide rows stay in their file."""
        self.rows = rows
        said = ", ".join(f"'{name}=' || {_quote(name)}::VARCHAR" for name in self.contract.columns
                         if name != "amended")
        issued = "amended" if "amended" in self.contract.columns else "NULL::DATE"
        ordinal = "content || '-' || row_number() OVER (PARTITION BY content ORDER BY arrival)"
        self.connection.execute(f"""
            CREATE TEMP TABLE named AS
            WITH arrived AS (
                SELECT file_row_number AS arrival, identity AS given, known, {issued} AS issued,
                       md5(concat_ws(chr(31), {said})) AS content FROM {_STAGED})
            SELECT arrival, content, issued, known,
                   {"given" if self.contract.identity else ordinal} AS identity,
                   {"given" if self.contract.replaces else "''"} AS partition
            FROM arrived""", {"rows": str(rows)})

    def _find_twins(self) -> None:
        self.connection.execute("""
            CREATE TEMP TABLE sifted AS SELECT *,
                CASE WHEN min(content) OVER same <> max(content) OVER same THEN 'conflict'
                     WHEN row_number() OVER (PARTITION BY identity, issued ORDER BY arrival) > 1
                     THEN 'repeated' ELSE 'used' END AS standing
            FROM named WINDOW same AS (PARTITION BY identity, issued)""")

    def _load_past(self, past: Past) -> None:
        self.connection.execute("""
            CREATE TEMP TABLE past (identity VARCHAR, content VARCHAR, partition VARCHAR,
                                    issued DATE, received DATE, sequence BIGINT)""")
        key = "partition" if self.contract.replaces else "identity"
        for paths, partition in ((past.batches, "partition"), (past.seen, "''")):
            if paths:
                self.connection.execute(f"""
                    INSERT INTO past
                    SELECT identity, content, {partition}, issued, received, sequence
                    FROM read_parquet($paths, union_by_name = true) AS p
                    WHERE {key} IN (SELECT {key} FROM named)
                    """, {"paths": [str(path) for path in paths]})

    def _write(self, path: Path, query: str, **values: str) -> None:
        reader = self.connection.execute(query, values).to_arrow_reader(100_000)
        with pq.ParquetWriter(path, reader.schema) as writer:
            for batch in reader:
                writer.write_batch(batch)

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(query).fetchall()


# Rows are staged in the order of the file, so their number in the Parquet file is their arrival.
_STAGED = "read_parquet($rows, file_row_number = true) AS staged"

# Versions of a record stand in the order their files were received; within a file, as amended.
_FATE_IN_CHAIN = """
    CREATE TEMP TABLE judged AS
    WITH chain AS (
        SELECT identity, content, issued, received, sequence, NULL AS arrival FROM past
        UNION ALL
        SELECT identity, content, issued, $received, $sequence, arrival FROM sifted
        WHERE standing = 'used'),
    placed AS (
        SELECT arrival, content, lag(content) OVER (
                   PARTITION BY identity ORDER BY received, sequence, issued NULLS FIRST) AS before,
               count(*) FILTER (arrival IS NULL) OVER (PARTITION BY identity) AS others
        FROM chain)
    SELECT sifted.*, $received AS received, $sequence::BIGINT AS sequence,
           CASE WHEN standing <> 'used' THEN standing
                WHEN before = sifted.content THEN 'unchanged'
                WHEN before IS NULL AND others = 0 THEN 'new' ELSE 'revised' END AS fate
    FROM sifted LEFT JOIN placed USING (arrival)"""

_LATEST = """
    SELECT identity, partition FROM past
    WHERE (received, sequence) < ($received, $sequence)
    QUALIFY dense_rank() OVER (PARTITION BY partition ORDER BY received DESC, sequence DESC) = 1"""

_FATE_IN_PARTITION = f"""
    CREATE TEMP TABLE judged AS
    WITH latest AS ({_LATEST})
    SELECT sifted.*, $received AS received, $sequence::BIGINT AS sequence,
           CASE WHEN (identity, partition) IN (SELECT identity, partition FROM latest)
                THEN 'unchanged' ELSE 'new' END AS fate
    FROM sifted"""

_WITHDRAWN = f"""
    SELECT count(*) FROM ({_LATEST.replace("$received", "(SELECT any_value(received) FROM judged)")
                           .replace("$sequence", "(SELECT any_value(sequence) FROM judged)")})
    WHERE identity NOT IN (SELECT identity FROM judged)
      AND partition IN (SELECT partition FROM judged)"""


def _quote(name: str) -> str:
    """A column name as an SQL identifier; contracts allow letters, digits and _ only."""
    return f'"{name}"'
