"""The service as a process of its own, on a port of this machine."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from api.tokens import RIGHTS, Tokens

from .conftest import DAY

ROOT = Path(__file__).parents[2]


@dataclass
class Server:
    """A running service, and how to ask it as an officer."""

    home: Path
    port: int
    client: httpx.Client
    tokens: Mapping[str, str]
    process: subprocess.Popen[str]


def find_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def run_server(home: Path) -> Iterator[Server]:
    port = find_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "api.cli", "serve", "--port", str(port), "--as-of", str(DAY), "--home", str(home)],
        cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"})
    tokens = {role: Tokens(home).add(role, role, DAY) for role in RIGHTS}
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=60,
                          headers={"Authorization": f"Bearer {tokens['housing_officer']}"})
    try:
        for _ in range(600):
            try:
                client.get("/health")
                break
            except httpx.TransportError:
                assert process.poll() is None, process.communicate()
                time.sleep(0.1)
        yield Server(home, port, client, tokens, process)
    finally:
        client.close()
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(20)
