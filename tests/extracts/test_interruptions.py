"""A file that is stopped half-way, or finds no room, leaves the lake as it was."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from engine.errors import ExtractError, RunError
from engine.lake import Lake

from .conftest import ROOT, TODAY, Shows, WriteCsv, reports


def test_ctrl_c_while_a_file_is_read_leaves_the_last_good_state(
    lake: Lake, write_csv: WriteCsv, shows: Shows
) -> None:
    lake.ingest("council_asb", write_csv("first.csv", reports("A1")), TODAY)
    files = sorted(lake.home.rglob("*"))

    def interrupt(_rows: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lake.ingest(
            "council_asb", write_csv("second.csv", reports("A2")), TODAY, progress=interrupt)

    assert sorted(lake.home.rglob("*")) == files
    assert list(shows("council_asb")["record"]) == ["council_asb:A1"]


def test_a_file_whose_receipt_could_not_be_written_does_not_exist_and_can_be_sent_again(
    lake: Lake, write_csv: WriteCsv, shows: Shows
) -> None:
    path = write_csv("asb.csv", reports("A1"))
    lake.home.mkdir()
    lake.ledger.path.symlink_to("a disk that is gone/ledger.jsonl")
    with pytest.raises(ExtractError, match="none of it was kept"):
        lake.ingest("council_asb", path, TODAY)
    lake.ledger.path.unlink()
    assert list(lake.home.glob("lake/council_asb/*.parquet"))     # the batch is there, unnamed

    assert len(shows("council_asb")) == 0
    receipt = lake.ingest("council_asb", path, TODAY)
    assert (receipt.new, receipt.already_known) == (1, False)
    assert len(shows("council_asb")) == 1


def test_no_room_for_the_records_says_what_to_do_and_keeps_nothing(
    lake: Lake, write_csv: WriteCsv
) -> None:
    path = write_csv("asb.csv", reports(*(f"A{n}" for n in range(2000))))
    script = f"""
import resource
from datetime import date
from pathlib import Path
from engine.contract import read_contracts
from engine.errors import ExtractError
from engine.lake import Lake
lake = Lake(Path({str(lake.home)!r}), read_contracts(Path("rules/feeds")))
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
try:
    lake.ingest("council_asb", Path({str(path)!r}), date(2026, 11, 23))
except ExtractError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)

    assert "the lake cannot be written" in done.stdout, done.stderr
    assert "make room or correct the permissions, and send the file again" in done.stdout
    assert lake.ledger.read() == []
    assert not list(lake.home.rglob("*.parquet"))


def test_a_home_that_is_a_file_gives_helpful_error(
    tmp_path: Path, lake: Lake, write_csv: WriteCsv
) -> None:
    (tmp_path / "taken").write_text("")

    with pytest.raises(ExtractError, match="the lake cannot be written"):
        Lake(tmp_path / "taken", lake.contracts).ingest(
            "council_asb", write_csv("asb.csv", reports("A1")), TODAY)


def test_a_receipt_torn_by_a_power_cut_is_no_receipt(
    lake: Lake, write_csv: WriteCsv, shows: Shows
) -> None:
    lake.ingest("council_asb", write_csv("first.csv", reports("A1")), TODAY)
    with lake.ledger.path.open("a") as ledger:
        ledger.write('{"sequence": 2, "feed": "coun')

    lake.ingest("council_asb", write_csv("second.csv", reports("A2")), TODAY)

    assert [receipt.sequence for receipt in lake.ledger.read()] == [1, 2]
    assert len(shows("council_asb")) == 2


def test_a_damaged_ledger_gives_helpful_error(lake: Lake) -> None:
    lake.home.mkdir()
    lake.ledger.path.write_text("not a receipt\n")

    with pytest.raises(RunError, match=r"ledger\.jsonl:1: not a receipt"):
        lake.inputs(TODAY)
