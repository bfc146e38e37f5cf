"""Requests nobody would think of, made up by schemathesis from the description, as each role: no crash, no surprise.

No answer may be a 5xx, of a status or a form that is not declared, or let in what the description does not allow or
who has no token.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.service import OPENAPI

from .conftest import ADA, DEE, ROOMY, STEPPED
from .served import ROOT, Server, run_server


@pytest.fixture(scope="module")
def server(furnished: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running service where five screenings are kept and one offer stands."""
    home = Path(shutil.copytree(furnished, tmp_path_factory.mktemp("fuzzed") / "home"))
    with run_server(home) as running:
        for applicant, uprn in ((ADA, STEPPED), (ADA, STEPPED), (DEE, STEPPED), (ADA, ROOMY), (DEE, ROOMY)):
            running.client.post("/screenings", json={"applicant": applicant, "uprn": uprn})
        assert running.client.post("/screenings/S000005/offer", json={}).status_code == 201
        yield running


def make_up_requests(server: Server, role: str, folder: Path, *how: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).parent / "schemathesis", "run", f"http://127.0.0.1:{server.port}{OPENAPI}",
         "--header", f"Authorization: Bearer {server.tokens[role]}",
         # What is well formed may still be refused: a fact nobody can be asked for, words without letters.
         "--exclude-checks", "positive_data_acceptance",
         "--suppress-health-check", "all", "--no-color", "--warnings", "off", *how],
        cwd=folder, text=True, capture_output=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "SCHEMATHESIS_HOOKS": "tests.service.known_names"})


def check_nothing_broke(server: Server, done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stdout + done.stderr
    assert "11 selected / 11 total" in done.stdout
    incidents = server.home / "screenings" / "incidents.jsonl"
    assert not incidents.exists(), incidents.read_text()


@pytest.mark.parametrize(("role", "how"), [
    ("housing_manager", ("--max-examples", "5")),
    ("housing_officer", ("--phases", "coverage")),
    ("analyst", ("--phases", "coverage")),
])
def test_requests_made_up_as_each_role_break_nothing(
    server: Server, tmp_path: Path, role: str, how: tuple[str, ...]
) -> None:
    check_nothing_broke(server, make_up_requests(server, role, tmp_path, "--generation-deterministic", *how))


@pytest.mark.more
@pytest.mark.parametrize("role", ["housing_manager", "housing_officer", "analyst"])
def test_thousands_of_requests_made_up_as_each_role_break_nothing(server: Server, tmp_path: Path, role: str) -> None:
    how = ("--max-examples", "100", "--generation-database", "none")
    check_nothing_broke(server, make_up_requests(server, role, tmp_path, *how))
