"""One site process and one or fifty readers -> how long a list and a flag wait, beside a page that is empty.

    python -m tests.bench.site STORE PORT       serves the site of a store, as `wardwise serve` does
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import httpx
import uvicorn

from api.web.app import make_site
from api.web.login_settings import DEMO_SECRET, LoginSettings
from engine.flag import write_json
from engine.store.database import Database, create
from engine.store.publishing import publish
from tests.bench.service import _free_port, _wait_for
from tests.bench.stopwatch import scale, sum_up
from tests.web.made import CARD, SECOND, make_flag, record

READERS = (1, 50)
ALONE, EACH = 200, 12       # requests of one reader alone, and of each of fifty
WARM = 20
SEED = 5


def ask_for_pages(size: int, folder: Path) -> dict[str, Any]:
    """A store of `size` flags, all of this week, and every page asked for by one reader and by fifty."""
    folder.mkdir(parents=True, exist_ok=True)
    store = folder / f"site-{size}.db"
    if not store.exists():
        fill(store, size)
    with _serving(store) as (site, plain):
        return asyncio.run(_ask_all(site, plain))


def fill(store: Path, size: int) -> None:
    """Half of the flags are people, the others places and offers; each holds twelve records and a card."""
    new = store.with_suffix(".new")
    new.unlink(missing_ok=True)
    create(f"sqlite:///{new}")
    lists = ("people", "places", "people", "allocations")
    flags = [replace(make_flag(lists[n % 4], f"X{n:06d}", SECOND, change=("new", "worse", "same")[n % 3]),
                     cards=(CARD,), records=tuple(record(one, "victim") for one in range(12)))
             for n in range(size)]
    entries = [{"list": one.list, "subject": one.subject, "status": one.status} for one in flags]
    database = Database(f"sqlite:///{new}")
    with database.writing(datetime(2026, 11, 23, 9, tzinfo=UTC), "system") as writing:
        publish(writing, f"{SECOND}-{'0' * 8}", map(write_json, flags), entries)
    database.close()
    new.rename(store)


async def _ask_all(site: str, plain: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for readers in READERS:
        async with _Readers(site, readers) as people:
            flags = await people.find_flags()
            count = scale(ALONE if readers == 1 else EACH * readers)
            draw = Random(SEED + readers)
            for name, address, paths in (
                ("an empty page", plain, ["/page"] * count),
                ("a list", site, ["/people"] * count),
                ("a list, filtered", site, ["/people?change=new&theme=victims"] * count),
                ("a flag", site, [draw.choice(flags) for _ in range(count)]),
            ):
                await people.ask(address, paths[:scale(WARM)])
                found[f"{name} {readers}"] = await people.ask(address, paths)
    return found


class _Readers:
    """People who are signed in, each with a connection of their own, all in one client process."""

    def __init__(self, site: str, count: int) -> None:
        self.site = site
        self.clients = [httpx.AsyncClient(timeout=120, follow_redirects=True) for _ in range(count)]

    async def __aenter__(self) -> _Readers:
        for client in self.clients:
            page = await client.get(f"{self.site}/sign-in")
            token = re.findall(r'name="form_token" value="([^"]+)"', page.text)[-1]
            await client.post(f"{self.site}/sign-in", data={"form_token": token, "role": "analyst"},
                              headers={"Sec-Fetch-Site": "same-origin"})
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in self.clients:
            await client.aclose()

    async def find_flags(self) -> list[str]:
        pages = [await self.clients[0].get(f"{self.site}/people?page={page}") for page in (1, 2)]
        return sorted({path for page in pages for path in re.findall(r'href="(/flags/[^"]+)"', page.text)})

    async def ask(self, address: str, paths: Sequence[str]) -> dict[str, Any]:
        """Shares the paths out: everybody asks for one after another, all at the same time."""
        began = time.perf_counter()
        times = await asyncio.gather(*(self._ask(client, address, paths[n::len(self.clients)])
                                       for n, client in enumerate(self.clients)))
        lasted = time.perf_counter() - began
        return {**sum_up([one for some in times for one in some]), "rate": len(paths) / lasted}

    async def _ask(self, client: httpx.AsyncClient, address: str, paths: Sequence[str]) -> list[float]:
        times = []
        for path in paths:
            began = time.perf_counter()
            answer = await client.get(address + path)
            times.append(time.perf_counter() - began)
            if answer.status_code != 200:
                raise SystemExit(f"{path} answered {answer.status_code}")
        return times


@contextmanager
def _serving(store: Path) -> Iterator[tuple[str, str]]:
    ours, plain = _free_port(), _free_port()
    started = [subprocess.Popen([sys.executable, "-m", "tests.bench.site", str(store), str(ours)]),
               subprocess.Popen([sys.executable, "-m", "tests.bench.empty", str(plain)])]
    try:
        addresses = f"http://127.0.0.1:{ours}", f"http://127.0.0.1:{plain}"
        _wait_for(f"{addresses[0]}/sign-in")
        _wait_for(f"{addresses[1]}/page")
        yield addresses
    finally:
        for process in started:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    settings = LoginSettings(f"http://127.0.0.1:{sys.argv[2]}", DEMO_SECRET, demo=True)
    uvicorn.run(make_site(Database(f"sqlite:///{sys.argv[1]}"), settings), port=int(sys.argv[2]), access_log=False,
                log_level="warning", server_header=False, proxy_headers=False)
