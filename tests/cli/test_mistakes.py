"""What somebody typed or sent wrong is told as a problem: where, what is allowed, how to mend it; no traceback."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from api.export import neutralise, write_csv

from .conftest import ROOT, Office, council_report, council_reports

WriteFile = Callable[..., Path]

USAGE, RULES, EXTRACT, RUN = 2, 3, 4, 5


@pytest.mark.parametrize(("words", "code", "told"), [
    (["ingest", "council_abs", "x.csv"], EXTRACT, "there is no feed `council_abs`"),
    (["ingest", "council_asb", "nowhere.csv"], EXTRACT, "there is no such file"),
    (["ingest"], USAGE, "neither a feed with its files nor a folder"),
    (["ingest", "council_asb"], USAGE, "wardwise ingest FEED FILE..."),
    (["ingest", "--folder", "nowhere"], EXTRACT, "write one line per file"),
    (["feeds", "--feed", "council_abs"], USAGE, "did you mean council_asb?"),
    (["quarantine", "nothing"], USAGE, "there is no such feed"),
    (["run", "--as-of", "2026-02-30"], USAGE, "`2026-02-30` is not a day; write it as 2026-11-23"),
    (["run", "--as-of", "next week"], USAGE, "`next week` is not a day"),
    (["run"], USAGE, "--as-of"),
    (["run", "--as-of", "2026-11-23"], RUN, "no partner had told us anything yet"),
    (["list"], RUN, "no run has been made here yet"),
    (["list", "persons"], USAGE, "persons"),
    (["list", "--run", "2026-01-01"], RUN, "there is no such run"),
    (["explain", "P000001"], RUN, "wardwise run --as-of DATE"),
    (["replay", "P000001@2026-11-23"], RUN, "no run of 2026-11-23"),
    (["person", "P000001"], RUN, "no run has been made here yet"),
    (["snooze", "P000001", "--until", "2026-12-01", "--reason", "r", "--by", "b"], USAGE,
     "no run has put this subject forward"),
    (["check", "--rules", "nowhere"], RULES, "nowhere"),
    (["invent", "x", "--residents", "3"], USAGE, "4,000"),
    (["sing"], USAGE, "No such command"),
])
def test_a_mistake_gives_helpful_error(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], code: int, told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = office.type(*words, fails=True)
    assert result.exit_code == code
    assert told in result.stderr
    assert "Traceback" not in result.output
    assert result.stdout == ""


def test_a_day_before_any_data_gives_helpful_error(worked: Office) -> None:
    result = worked.type("run", "--as-of", "2001-01-01", fails=True)
    assert result.exit_code == RUN
    assert "ingest an extract, or choose a later date" in result.stderr


def test_a_flag_nobody_raised_gives_helpful_error(worked: Office) -> None:
    result = worked.type("explain", "P999999", fails=True)
    assert result.exit_code == RUN
    assert "`wardwise list` names them" in result.stderr


def test_an_id_nobody_has_gives_helpful_error(worked: Office) -> None:
    result = worked.type("person", "P999999", fails=True)
    assert result.exit_code == RUN
    assert "nobody has this id" in result.stderr


def test_one_bad_file_among_several_does_not_stop_the_others(office: Office, write_file: WriteFile) -> None:
    good = write_file("good.csv", council_reports())
    bad = write_file("bad.csv", [{"Colour": "green"}])
    result = office.type("ingest", "council_asb", str(bad), str(good), fails=True)
    assert result.exit_code == EXTRACT
    assert "good.csv" in result.stdout
    assert "bad.csv" in result.stderr


def test_a_manifest_with_several_faults_tells_them_all(office: Office, write_file: WriteFile, tmp_path: Path) -> None:
    write_file("manifest.csv", [
        {"file": "a.csv", "feed": "council_asb", "received": "someday", "complete_to": ""},
        {"file": "../a.csv", "feed": "council_asb", "received": "2026-11-23", "complete_to": ""}])
    result = office.type("ingest", "--folder", str(tmp_path), fails=True)
    assert result.exit_code == EXTRACT
    assert "2 problems:" in result.stderr
    assert "manifest.csv:2" in result.stderr
    assert "manifest.csv:3" in result.stderr


def test_a_rule_past_its_review_date_fails_the_check(office: Office) -> None:
    result = office.type("check", "--as-of", "2100-01-01", fails=True)
    assert result.exit_code == RULES
    assert "approves it again, or it is retired" in result.stderr


# --- what was refused -----------------------------------------------------------------------------


@pytest.fixture
def refused(office: Office, write_file: WriteFile) -> Office:
    """Nine reports, one of them with something in it that cannot be a category and is a formula besides."""
    office.type("ingest", "council_asb", str(write_file("asb.csv", [
        *council_reports(), council_report(9, Category="=HYPERLINK(Ada)")])), "--received", "2026-11-23")
    return office


def test_quarantine_tells_where_and_how_to_mend_and_not_what_was_found(refused: Office) -> None:
    said = refused.read("quarantine", "council_asb")
    assert "1 fault is open: council_asb 1." in said
    assert "category" in said
    assert "HYPERLINK" not in said
    assert "HYPERLINK" in refused.read("quarantine", "--show-values")


def test_quarantine_as_csv_cannot_run_in_a_spreadsheet(refused: Office, tmp_path: Path) -> None:
    path = tmp_path / "refused.csv"
    refused.type("quarantine", "--csv", str(path), "--show-values")
    with path.open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["found"] == "'=HYPERLINK(Ada)"
    assert row["row"] == "10"


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "＝1"])
def test_a_cell_a_spreadsheet_would_calculate_becomes_text(cell: str) -> None:
    assert neutralise(cell) == f"'{cell}"
    assert write_csv([cell], []).startswith(("'", "\"'"))


def test_numbers_in_csv_stay_numbers() -> None:
    assert write_csv(["a"], [[-1.5], [None], ["plain"]]).splitlines() == ["a", "-1.5", '""', "plain"]


# --- as a real process ----------------------------------------------------------------------------


def run_process(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "api.cli", *words], cwd=ROOT, text=True, capture_output=True,
                          env={**os.environ, **env}, check=False)


def test_a_process_ends_with_the_code_of_its_error_and_no_traceback(tmp_path: Path) -> None:
    done = run_process("ingest", "council_asb", str(tmp_path / "nowhere.csv"), "--home", str(tmp_path / "home"))
    assert done.returncode == EXTRACT
    assert done.stdout == ""
    assert "there is no such file" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unexpected_error_is_told_by_place_and_kind_and_never_by_what_it_held(tmp_path: Path) -> None:
    home = tmp_path / "home"
    run = home / "runs" / "2026-11-23-00000000"
    run.mkdir(parents=True)
    (run / "manifest.json").write_text('{"Ada Example": ', encoding="utf-8")
    (home / "runs" / "made").write_text(run.name + "\n", encoding="utf-8")
    done = run_process("list", "--home", str(home))
    assert done.returncode == 1
    assert "a defect in Wardwise (JSONDecodeError)" in done.stderr
    assert "Ada" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reader_that_has_seen_enough_is_no_error(worked: Office) -> None:
    command = f"{sys.executable} -m api.cli list --all --home {worked.home} | head -1"
    done = subprocess.run(command, shell=True, cwd=ROOT, text=True, capture_output=True, check=False)
    assert "As of 23 November 2026" in done.stdout
    assert "Traceback" not in done.stderr
