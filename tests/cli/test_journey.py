"""From partners' files to a flag made again: what a new officer types on the first day, in order."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest

from .conftest import Office


def first_shown(office: Office, which: str) -> str:
    """The id of the first subject on a list."""
    return str(json.loads(office.read("list", which, "--format", "json"))["lists"][0]["shown"][0]["subject"])


@pytest.fixture(scope="session")
def victim(worked: Office) -> str:
    return first_shown(worked, "people")


def test_a_folder_is_taken_in_and_every_row_is_accounted_for(office: Office, extracts: Path) -> None:
    said = office.read("ingest", "--folder", str(extracts))
    assert "rows in = new + revised + unchanged + repeated + refused" in said
    assert re.search(r"asb\.csv +council_asb +8 +8 +0 +0 +0 +0", said)
    assert "wardwise run --as-of DATE" in said


def test_the_same_folder_again_changes_nothing(worked: Office, extracts: Path) -> None:
    said = worked.read("ingest", "--folder", str(extracts))
    assert "the same file was taken in before; nothing changed" in said
    assert re.search(r"asb\.csv +council_asb +8 +0 +0 +8 +0 +0", said)


def test_feeds_tells_what_is_fresh_what_is_late_and_what_never_came(worked: Office) -> None:
    said = worked.read("feeds", "--as-of", "2026-11-23")
    assert re.search(r"council_asb .*2026-11-22 +fresh +8", said)
    assert re.search(r"housing_rent .*never +NEVER", said)
    late = worked.read("feeds", "--as-of", "2027-11-23")
    assert re.search(r"council_asb .*2026-11-22 +LATE", late)


def test_one_feed_shows_what_its_file_should_look_like(worked: Office) -> None:
    said = worked.read("feeds", "--feed", "council_asb")
    assert "Report Number,Incident Date,Incident Type" in said
    assert "report_ref*" in said
    assert "Refused whole when more than 20% of its rows are refused" in said


def test_a_run_says_what_it_judged_what_was_late_and_which_months_are_partial(worked: Office) -> None:
    assert re.search(r"people +2 +2 +2", worked.said)
    assert "Late feeds: none" in worked.said
    assert "Feeds that have never sent anything: 27 of 31" in worked.said
    assert "Months only partly there:" in worked.said
    assert "Rules past their review date, not used: none" in worked.said


def test_the_list_gives_the_band_each_axis_and_a_line_per_reason(worked: Office, victim: str) -> None:
    said = worked.read("list", "people")
    assert f"{victim}  |  CONVENE  |  new on the list" in said
    assert "Harm suffered (vulnerability):" in said
    assert "related incidents in the last six months; the published threshold is 3." in said
    assert "never added to each other" in said


def test_a_list_with_nobody_on_it_says_why_and_what_to_do(worked: Office) -> None:
    said = worked.read("list", "allocations")
    assert "no open proposal has been received" in said
    assert "wardwise ingest FEED FILE" in said


def test_an_explanation_has_every_part_an_officer_needs(worked: Office, victim: str) -> None:
    said = worked.read("explain", victim)
    for part in ("Where it stands", "Why", "What was looked at:", "Enough on its own:", "What speaks against it",
                 "What was not known, and who could say", "the records behind them", "When it lapses",
                 "Who to bring together", "Support first:", "How to contest it", "What this flag does not do",
                 "Made from"):
        assert part in said
    assert "[yes]" in said
    assert max(map(len, said.splitlines())) <= 100


def test_near_misses_are_for_analysts_only(worked: Office, victim: str) -> None:
    assert "For analysts" not in worked.read("explain", victim)
    assert "For analysts" in worked.read("explain", victim, "--analyst")
    assert "For analysts" not in worked.read("explain", victim, "--format", "html")


def test_support_is_always_said_before_enforcement(worked: Office) -> None:
    for which in ("people", "places"):
        for one in json.loads(worked.read("list", which, "--format", "json"))["lists"][0]["shown"]:
            said = worked.read("explain", one["subject"])
            steps = [said.find(title) for title in ("Support first:", "Then agree:", "Enforce only where lawful:")]
            there = [place for place in steps if place >= 0]
            assert there == sorted(there)


def test_a_flag_made_again_is_the_same_bytes(worked: Office, victim: str) -> None:
    assert worked.read("replay", f"{victim}@2026-11-23").startswith("Identical:")


def test_a_flag_somebody_altered_is_shown_as_a_difference(worked: Office, victim: str, tmp_path: Path) -> None:
    (path,) = worked.home.glob(f"runs/*/flags/{victim}.json")
    kept = path.read_text(encoding="utf-8")
    path.write_text(kept.replace('"band": "convene"', '"band": "watch"'), encoding="utf-8")
    try:
        result = worked.type("replay", victim, fails=True)
    finally:
        path.write_text(kept, encoding="utf-8")
    assert result.exit_code == 5
    assert '-  "band": "watch"' in result.stdout or '- "band": "watch"' in result.stdout
    assert "made again, it is not what was kept" in result.stderr


def test_json_is_the_stored_text_byte_for_byte(worked: Office, victim: str) -> None:
    (path,) = worked.home.glob(f"runs/*/flags/{victim}.json")
    assert worked.type("explain", victim, "--format", "json").stdout_bytes == path.read_bytes()


def test_csv_has_a_column_for_each_axis(worked: Office, victim: str) -> None:
    (header, first, *_) = csv.reader(io.StringIO(worked.read("list", "people", "--format", "csv")))
    assert {"Harm suffered (vulnerability)", "Harm caused", "Place", "Process"} <= set(header)
    assert first[header.index("subject")] == victim


def test_runs_lists_what_was_made(worked: Office) -> None:
    assert re.search(r"2026-11-23-\w{8} \*", worked.read("runs"))


def test_person_tells_which_identities_the_id_joins(worked: Office, victim: str) -> None:
    said = worked.read("person", victim)
    assert "council:C1" in said
    assert "Ada" not in said
    assert "Example" not in said


def test_no_answer_names_the_people_in_the_records(worked: Office, victim: str) -> None:
    for words in (("list", "--all"), ("explain", victim, "--analyst"), ("feeds",), ("runs",), ("quarantine",)):
        assert not re.search(r"\b(Ada|Bob|Sample)\b", worked.read(*words))
