"""The service as it really runs: a process on a port, asked over the network, by many at once."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from .conftest import ADA, DAY, DEE, EVE, ROOMY, STEPPED
from .served import ROOT, Server, run_server

ASKED = {"applicant": ADA, "uprn": STEPPED, "matches": True}


@pytest.fixture(scope="module")
def server(furnished: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = Path(shutil.copytree(furnished, tmp_path_factory.mktemp("served") / "home"))
    with run_server(home) as running:
        yield running


def test_an_offer_is_screened_over_the_network(server: Server) -> None:
    answer = server.client.post("/screenings", json=ASKED)
    assert answer.status_code == 201
    assert answer.json()["made_by"] == "housing_officer"
    assert server.client.get(answer.headers["Location"].removeprefix("/api/v1")).text == answer.text
    assert "server" not in answer.headers


def test_one_key_sent_by_eight_at_once_is_screened_once(server: Server) -> None:
    def send(_number: int) -> tuple[int, str]:
        answer = server.client.post("/screenings", json=ASKED, headers={"Idempotency-Key": "at-once"})
        return answer.status_code, answer.text

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(16)))
    assert {status for status, _ in answers} <= {200, 201}
    assert len({text for _, text in answers}) == 1


def test_of_many_who_offer_one_home_at_once_one_succeeds(server: Server) -> None:
    def screen(applicant: str) -> str:
        return str(server.client.post("/screenings", json={"applicant": applicant, "uprn": ROOMY}).json()["id"])

    def offer(id: str) -> int:
        return server.client.post(f"/screenings/{id}/offer", json={"applicant_view": "accepts"}).status_code

    ids = [screen(applicant) for applicant in (ADA, DEE, EVE)]
    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(offer, ids)) == [201, 409, 409]


@pytest.mark.parametrize("told", [True, False])
def test_ten_megabytes_are_answered_and_not_cut_off(server: Server, told: bool) -> None:
    body: Any = b"x" * 10_485_760 if told else (b"x" * 65_536 for _ in range(160))
    answer = server.client.post("/screenings", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert answer.json()["type"] == "urn:wardwise:problem:too_large"
    assert server.client.get("/health").status_code == 200


def test_somebody_who_hangs_up_half_way_disturbs_nobody(server: Server) -> None:
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", server.port)) as line:
            line.sendall(b"POST /api/v1/screenings HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                         b"Content-Length: 1000\r\nAuthorization: " + server.client.headers["Authorization"].encode()
                         + b'\r\n\r\n{"applicant": "HR-1"')
    assert server.client.get("/health").status_code == 200
    incidents = server.home / "screenings" / "incidents.jsonl"
    assert not incidents.exists(), incidents.read_text()


def test_stopping_it_says_so_and_nothing_that_was_asked_stands_in_its_log(furnished: Path, tmp_path: Path) -> None:
    home = Path(shutil.copytree(furnished, tmp_path / "home"))
    with run_server(home) as running:
        running.client.post("/screenings", json=ASKED)
        running.client.get("/screenings/S000001")
        running.client.get("/nowhere?applicant=HR-1")
    stdout, stderr = running.process.communicate()
    assert running.process.returncode == 130
    assert f"as of {DAY}" in stderr
    assert "/api/v1/openapi.json" in stderr
    assert "Stopped." in stderr
    assert "Traceback" not in stderr
    for said in (ADA, STEPPED, "S000001", "nowhere", "POST"):
        assert said not in stdout + stderr
    assert [json.loads(line)["id"] for line in (home / "screenings" / "log.jsonl").read_text().splitlines()] == [
        "S000001"]


def test_a_port_in_use_gives_helpful_error(furnished: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = subprocess.run(
            [sys.executable, "-m", "api.cli", "serve", "--port", str(taken.getsockname()[1]), "--home", str(furnished)],
            cwd=ROOT, text=True, capture_output=True, check=False)
    assert done.returncode == 2
    assert "name another --port" in done.stderr
