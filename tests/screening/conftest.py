"""An invented borough taken in once, its weekly run, and the desk of that run, for every test that screens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from api.demo import MONTHS, SEED, UNTIL
from api.intake import read_manifest, take_in
from engine.desk import Desk
from engine.desks import Desks
from engine.invent import invent
from engine.lake import Lake
from engine.pack import Pack
from engine.runs import Runs
from engine.weekly import Run, make_run

RESIDENTS = 4_000


@dataclass(frozen=True)
class Borough:
    """Where an invented borough's records lie, and the day it is looked at."""

    home: Path
    lake: Lake
    as_of: date = UNTIL


@dataclass(frozen=True)
class Week:
    """A weekly run of the borough, and the desk kept with it."""

    run: Run
    desk: Desk


@pytest.fixture(scope="session")
def borough(tmp_path_factory: pytest.TempPathFactory, shipped: Pack) -> Borough:
    root = tmp_path_factory.mktemp("screened")
    invent(root / "borough", RESIDENTS, MONTHS, SEED, UNTIL)
    lake = Lake(root / "home", shipped.contracts)
    deliveries = [d for d in read_manifest(root / "borough" / "extracts") if d.received <= UNTIL]
    assert take_in(lake, deliveries, lambda *_: None, []).problems == ()
    return Borough(root / "home", lake)


@pytest.fixture(scope="session")
def week(borough: Borough, shipped: Pack) -> Week:
    run = make_run(borough.lake, shipped, UNTIL, Runs(borough.home).before(UNTIL), threads=2)
    assert run.desk is not None
    desks = Desks(borough.home)
    desks.save(run.desk, shipped, desks.name(borough.lake, shipped, UNTIL))
    return Week(run, desks.open(borough.lake, shipped, UNTIL))
