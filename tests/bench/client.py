"""One client in a process of its own: says it is ready, waits for a line, and asks one thing after another.

    python -m tests.bench.client URL          stdin: the token, the bodies as one JSON list, then "go"

Prints JSON: when it began and ended (the machine's monotonic clock, one for all processes), the seconds of each
request, and how many bytes the last answer had.
"""

from __future__ import annotations

import json
import sys
import time

import httpx


def main() -> None:
    """Asks and prints; fails on the first answer that is not 201."""
    url, token, bodies = sys.argv[1], sys.stdin.readline().strip(), json.loads(sys.stdin.readline())
    # Written out before: the time of a client's own JSON is not the service's.
    sent = [json.dumps(body).encode() for body in bodies]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    with httpx.Client(headers=headers, timeout=120) as client:
        ask(client, url, sent[0])       # opens the connection
        print("ready", flush=True)
        sys.stdin.readline()
        times, size, began = [], 0, time.monotonic()
        for body in sent[1:]:
            start = time.perf_counter()
            size = ask(client, url, body)
            times.append(time.perf_counter() - start)
        print(json.dumps({"began": began, "ended": time.monotonic(), "times": times, "bytes": size}), flush=True)


def ask(client: httpx.Client, url: str, body: bytes) -> int:
    """One request; how many bytes it answers."""
    answer = client.post(url, content=body)
    if answer.status_code != 201:
        raise SystemExit(f"{url} answered {answer.status_code}: {answer.text[:500]}")
    return len(answer.content)


if __name__ == "__main__":
    main()
