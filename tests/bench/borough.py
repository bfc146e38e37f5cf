"""A number of residents -> an invented borough, taken in, with its week run: what everything else here is timed on."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from api.setting import RULES, Setting

AS_OF = date(2026, 11, 23)


def borough_of(size: int, folder: Path) -> Path:
    """Where the extracts of a borough of this size are."""
    return folder / f"borough-{size}"


def home_of(size: int, folder: Path) -> Path:
    """Where what is made of them is kept."""
    return folder / f"home-{size}"


def setting_of(size: int, folder: Path) -> Setting:
    """The lake, the runs and the rules."""
    return Setting(home_of(size, folder), RULES)


def invent_borough(size: int, folder: Path) -> dict[str, Any]:
    """Three years of every agency's extracts."""
    from engine.invent import invent

    invent(borough_of(size, folder), residents=size, months=36, seed=1)
    return {}


def take_in(size: int, folder: Path) -> dict[str, Any]:
    """Every extract, into a home made anew."""
    import pandas as pd

    shutil.rmtree(home_of(size, folder), ignore_errors=True)
    lake, extracts, rows = setting_of(size, folder).lake, borough_of(size, folder) / "extracts", 0
    for row in pd.read_csv(extracts / "manifest.csv", dtype=str).to_dict("records"):
        complete = date.fromisoformat(row["complete_to"]) if isinstance(row["complete_to"], str) else None
        rows += lake.ingest(row["feed"], extracts / row["file"], date.fromisoformat(row["received"]), complete).rows_in
    return {"rows": rows}


def make_week(size: int, folder: Path) -> dict[str, Any]:
    """The weekly run, kept, with its desk; and what of it was spent on offers nobody has proposed yet."""
    from engine import weekly
    from engine.desks import Desks

    setting, parts = setting_of(size, folder), dict[str, float]()
    before = setting.runs.before(AS_OF)
    with _watching(weekly, parts, "draw_up_shortlists", "place_pairs", "take_snapshot", "screen_shortlists"):
        run = weekly.make_run(setting.lake, setting.pack, AS_OF, before)
    began, desks = time.perf_counter(), Desks(setting.home)
    assert run.desk is not None
    desks.save(run.desk, setting.pack, desks.name(setting.lake, setting.pack, AS_OF))
    parts["save_desk"] = time.perf_counter() - began
    setting.runs.save(run, before, setting.pack, setting.lake)
    return {"judged": sum(run.cohorts.values()), "flags": len(run.flags), "parts": parts,
            "pairs": len(run.shortlists), "homes": int(run.shortlists["uprn"].nunique()),
            "open": int(run.shortlists["proposal"].notna().sum())}


def make_week_without_offers(size: int, folder: Path) -> dict[str, Any]:
    """The same run with open proposals alone: no shortlists, no desk; not kept."""
    import pandas as pd

    from engine import weekly

    setting = setting_of(size, folder)
    before = setting.runs.before(AS_OF)
    nobody = pd.DataFrame(columns=["application", "uprn", "place"])
    weekly.draw_up_shortlists = lambda world, scheme: nobody
    weekly.place_pairs = lambda world, pairs, bench: world
    weekly.take_snapshot = lambda *_: None
    run = weekly.make_run(setting.lake, setting.pack, AS_OF, before)
    setting.runs.folder = setting.home / "not-kept"
    setting.runs.save(run, before, setting.pack, setting.lake)
    shutil.rmtree(setting.home / "not-kept")
    return {"judged": sum(run.cohorts.values())}


# --- inside -------------------------------------------------------------------------------------


@contextmanager
def _watching(module: Any, parts: dict[str, float], *names: str) -> Iterator[None]:
    """Counts the seconds spent in some functions of a module."""
    before = {name: getattr(module, name) for name in names}

    def watch(name: str, act: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*given: Any, **named: Any) -> Any:
            began = time.perf_counter()
            try:
                return act(*given, **named)
            finally:
                parts[name] = parts.get(name, 0.0) + time.perf_counter() - began
        return watched

    for name, act in before.items():
        setattr(module, name, watch(name, act))
    try:
        yield
    finally:
        for name, act in before.items():
            setattr(module, name, act)
