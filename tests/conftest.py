"""The rules as they are shipped: read once, for every test that speaks of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.pack import Pack, read_pack

RULES = Path(__file__).parents[1] / "rules"


@pytest.fixture(scope="session")
def shipped() -> Pack:
    return read_pack(RULES)
