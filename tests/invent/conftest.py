"""One small invented borough for all the tests of the inventing."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.invent import Borough, invent

RESIDENTS, MONTHS, SEED = 5_000, 24, 7


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Borough:
    """5,000 residents over 24 months."""
    return invent(tmp_path_factory.mktemp("small"), RESIDENTS, MONTHS, SEED)


@pytest.fixture(scope="session")
def extracts(small: Borough) -> Path:
    """Where the small borough's extracts are."""
    return small.folder / "extracts"
