"""One service process and one or eight clients -> requests a second and how long each waits, beside empty paths."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import httpx

from api.setting import RULES
from api.tokens import Tokens
from engine.desks import Desks
from tests.bench.borough import AS_OF, home_of, setting_of
from tests.bench.screening import choose_pairs
from tests.bench.stopwatch import scale, sum_up

ROUNDS, ALONE, EIGHT = 3, 400, 800
CLIENTS = (1, 8)
PATHS = ("empty", "checked", "screenings")


def ask_over_http(size: int, folder: Path) -> dict[str, Any]:
    """Every path by every number of clients, in turn and three times over, so that a slow minute slows all alike."""
    home, setting = home_of(size, folder), setting_of(size, folder)
    shutil.rmtree(home / "screenings", ignore_errors=True)      # of an earlier bench
    (home / "tokens.jsonl").unlink(missing_ok=True)
    token = Tokens(home).add("bench", "housing_officer", date.today())
    desk = Desks(home).open(setting.lake, setting.pack, AS_OF)
    bodies = [{"applicant": pair.application, "uprn": pair.uprn} for pair in choose_pairs(desk, 5_000)]
    found: dict[str, list[dict[str, Any]]] = {}
    with _serving(home) as urls:
        _ask(urls["screenings"], token, bodies[:scale(400)], 1)     # the first ones measure everybody anew
        for turn in range(ROUNDS):
            for clients in CLIENTS:
                for path in PATHS:
                    start = turn * 1_000 + clients
                    some = bodies[start:start + scale(ALONE if clients == 1 else EIGHT)]
                    found.setdefault(f"{path} {clients}", []).append(_ask(urls[path], token, some, clients))
    shutil.rmtree(home / "screenings")
    return {name: _pool(rounds) for name, rounds in found.items()}


# --- inside -------------------------------------------------------------------------------------


@contextmanager
def _serving(home: Path) -> Iterator[dict[str, str]]:
    """Both services, each in one process; the address of each path."""
    ours, plain = _free_port(), _free_port()
    started = [
        subprocess.Popen([sys.executable, "-m", "api.cli", "serve", "--home", str(home), "--rules", str(RULES),
                          "--as-of", str(AS_OF), "--port", str(ours)], stderr=subprocess.DEVNULL),
        subprocess.Popen([sys.executable, "-m", "tests.bench.empty", str(plain)])]
    try:
        for url in (f"http://127.0.0.1:{ours}/api/v1/health", f"http://127.0.0.1:{plain}/"):
            _wait_for(url)
        yield {"screenings": f"http://127.0.0.1:{ours}/api/v1/screenings",
               "empty": f"http://127.0.0.1:{plain}/empty", "checked": f"http://127.0.0.1:{plain}/checked"}
    finally:
        for process in started:
            process.terminate()
            process.wait()


def _ask(url: str, token: str, bodies: Sequence[Any], clients: int) -> dict[str, Any]:
    """The bodies shared out among the clients, who all begin together."""
    started = []
    for n in range(clients):
        client = subprocess.Popen([sys.executable, "-m", "tests.bench.client", url], text=True,
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert client.stdin and client.stdout
        own = bodies[n::clients]
        client.stdin.write(f"{token}\n{json.dumps([own[0], *own])}\n")
        client.stdin.flush()
        started.append(client)
    for client in started:
        if client.stdout.readline().strip() != "ready":
            raise SystemExit(f"a client of {url} failed")
    for client in started:
        client.stdin.write("go\n")
        client.stdin.flush()
    told = [json.loads(client.stdout.readline()) for client in started]
    for client in started:
        client.wait()
    lasted = max(one["ended"] for one in told) - min(one["began"] for one in told)
    times = [t for one in told for t in one["times"]]
    return {"times": times, "rate": len(times) / lasted, "bytes": told[0]["bytes"]}


def _pool(rounds: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The times of all rounds together, and the middle round's requests a second."""
    rates = sorted(one["rate"] for one in rounds)
    return {**sum_up([t for one in rounds for t in one["times"]]), "rate": rates[len(rates) // 2],
            "bytes": rounds[-1]["bytes"]}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as door:
        return int(door.getsockname()[1])


def _wait_for(url: str) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        try:
            httpx.get(url, timeout=5)
            return
        except httpx.TransportError:
            time.sleep(0.2)
    raise SystemExit(f"nothing answers at {url}")
