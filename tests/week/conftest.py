"""A workbench for every test that makes a world by hand."""

from __future__ import annotations

import pytest

from engine.history import connect
from engine.world import Workbench


@pytest.fixture
def bench() -> Workbench:
    return Workbench(connect(1))
