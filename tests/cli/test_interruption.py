"""Ctrl-C at the worst moment: the last good state stands, and the command says so."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from .conftest import ROOT, TODAY, Office, council_report, council_reports

LARGE = 300_000     # rows: several seconds of reading


def test_ctrl_c_while_a_large_file_is_read_leaves_the_last_good_state(
    office: Office, write_file: Callable[..., Path], tmp_path: Path
) -> None:
    office.type("ingest", "council_asb", str(write_file("first.csv", council_reports())), "--received", str(TODAY))
    kept = sorted(path for path in office.home.rglob("*"))
    row = council_report(0)
    large = write_file("large.csv", ({**row, "Report Ref": f"B{n}"} for n in range(LARGE)))
    process = subprocess.Popen(
        [sys.executable, "-m", "api.cli", "ingest", "council_asb", str(large), "--received", str(TODAY), "--home",
         str(office.home)], cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ))
    wait_for(office.home / "scratch" / "rows.parquet", process)
    process.send_signal(signal.SIGINT)
    said, told = process.communicate(timeout=60)

    assert process.returncode == 130, told
    assert "Stopped. 0 of 1 files were taken in and stand; nothing of the one being read was kept." in told
    assert "Traceback" not in told
    assert said == ""
    assert sorted(path for path in office.home.rglob("*")) == kept
    assert "8" in office.read("feeds", "--as-of", str(TODAY)).split("council_asb ")[1].splitlines()[0]


def test_ctrl_c_during_a_run_leaves_the_last_run(worked: Office, tmp_path: Path) -> None:
    latest = (worked.home / "runs" / "made").read_text(encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-c", "import api.cli; print('ready', flush=True); api.cli.main()", "run", "--as-of",
         "2026-11-25", "--home", str(worked.home)], cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(2)           # in the middle of working
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)

    assert process.returncode == 130, told
    assert f"No run was kept; the last one stands: {latest.split()[-1]}." in told
    assert (worked.home / "runs" / "made").read_text(encoding="utf-8") == latest
    assert not list(worked.home.glob("runs/.draft-*"))


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    """Until the process has begun to read the file."""
    for _ in range(600):
        if path.exists():
            return
        assert process.poll() is None, "it ended before it could be stopped"
        time.sleep(0.1)
    raise AssertionError("it never began")
