"""What partners sent, as the analyst sees it: who is late, what was refused, and never what was found."""

from __future__ import annotations

import csv
import io
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from api.web.data import NAMED, find_readers, group_faults
from api.web.rights import ROLES
from engine.pack import read_pack
from tests.web.conftest import Borough
from tests.web.made import FORMULA
from tests.web.test_rules import Visit, enter

__all__ = ["enter"]
PATHS = ("/data", "/data/quarantine", "/data/quarantine.csv", "/data/files")


@pytest.mark.parametrize("role", ROLES)
def test_the_analyst_alone_sees_the_data(enter: Visit, role: str) -> None:
    visitor = enter(role)
    assert {visitor.get(path).status_code for path in PATHS} == {200 if role == "analyst" else 403}


def test_nothing_was_taken_in(enter: Visit) -> None:
    visitor = enter("analyst")
    assert "Nothing has been taken in yet." in visitor.get("/data").text
    assert "Nothing is in quarantine." in visitor.get("/data/quarantine").text
    assert "Nothing has been taken in yet." in visitor.get("/data/files").text


def test_what_is_refused_is_told_with_how_to_mend_it_and_not_what_was_found(borough: Borough) -> None:
    visitor, lake = borough.visit("analyst"), borough.office.setting.lake
    refused = lake.quarantined()
    page, rows = visitor.get("/data/quarantine").text, read_csv(visitor.get("/data/quarantine.csv").text)
    assert f"{len(refused)} rows refused" in page
    assert "format the column as text in the source" in page
    assert len(rows) == len(refused)
    assert set(rows[0]) == {"feed", "file", "row", "column", "allowed", "fix", "received"}
    told = {row[name] for row in rows for name in ("allowed", "fix", "file")}
    for value in {str(value) for value in refused["found"] if len(str(value)) > 5 and str(value) not in told}:
        assert value not in page
    one = visitor.get("/data/quarantine?feed=addresses").text
    assert "Address gazetteer" in one and "council_asb" not in one.partition("<main")[2]
    assert visitor.get("/data/quarantine?feed=<script>").status_code == 200


def test_the_feeds_the_files_and_the_last_run(borough: Borough) -> None:
    visitor = borough.visit("analyst")
    page, files = visitor.get("/data").text, visitor.get("/data/files")
    for said in ("feeds up to date", "Council anti-social behaviour reports", "names in records were found to be",
                 "a gap, not a fall", "22 November 2026"):
        assert said in page
    receipts = borough.office.setting.lake.ledger.read()
    assert f"{len(receipts)} files." in files.text
    assert visitor.get("/data/files?page=99").status_code == 404


def test_a_new_file_is_seen_at_once_and_a_hostile_one_is_text(borough: Borough, tmp_path: Path) -> None:
    visitor, lake = borough.visit("analyst"), borough.office.setting.lake
    before = visitor.get("/data/quarantine").text
    path = tmp_path / f"{FORMULA}.csv"
    refused = lake.quarantined()
    feed = "addresses"
    source = next((borough.home / "invented" / "extracts").rglob("addresses.csv"))
    head, first = source.read_text(encoding="utf-8").split("\n")[:2]
    path.write_text(f"{head}\n{first.replace(first.split(',')[0], 'Zebedee', 1)}\n", encoding="utf-8")
    lake.ingest(feed, path, date(2026, 11, 24))
    after, text = visitor.get("/data/quarantine").text, visitor.get("/data/quarantine.csv").text
    assert len(lake.quarantined()) > len(refused) and after != before
    assert "Zebedee" not in after + text
    assert f"'{FORMULA}.csv" in text


def test_faults_of_one_reason_stand_together_and_the_most_come_first() -> None:
    def fault(row: int, column: str) -> dict[str, object]:
        return {"feed": "addresses", "file": "a.csv", "row": row, "column": column, "allowed": "one", "fix": "mend it"}

    refused = pd.DataFrame([fault(1, "day"), *(fault(row, "uprn") for row in range(30, 0, -1))])
    first, second = group_faults(refused)
    assert (first.column, first.count, first.rows, first.more) == ("uprn", 30, tuple(range(1, NAMED + 1)), 10)
    assert (second.column, second.count, second.more) == ("day", 1, 0)


def test_what_a_late_feed_makes_unknown() -> None:
    pack = read_pack(Path("rules"))
    rules, facts = find_readers("council_asb", pack)
    assert "person/case-review-threshold" in {rule.id for rule in rules}
    assert "person/high-risk-domestic-abuse" not in {rule.id for rule in rules}
    assert "Related anti-social behaviour suffered, each reported within a month" in facts


def read_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
