"""A copy of the shipped rules in a temporary folder, to change one thing in."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.pack import Pack, read_pack

RULES = Path(__file__).parents[2] / "rules"


@dataclass(frozen=True)
class Copy:
    """A rules folder of one's own."""

    folder: Path

    def change(self, file: str, old: str, new: str) -> None:
        """Replaces the only `old` in a file."""
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"`{old}` stands once in {file}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def write(self, file: str, text: str) -> None:
        (self.folder / file).write_text(text, encoding="utf-8")

    def read(self) -> Pack:
        return read_pack(self.folder)


KEPT = ("corroborated-repeat-asb.yaml", "repeat-victim-with-need.yaml")


@pytest.fixture
def few(tmp_path: Path) -> Copy:
    """All facts and feeds, and two rules: quicker to read where only one's own rule matters."""
    def leave_out(folder: str, names: list[str]) -> list[str]:
        judges = Path(folder).name in ("person", "place", "allocation")
        return [name for name in names if judges and name not in KEPT]
    shutil.copytree(RULES, tmp_path / "rules", ignore=leave_out)
    return Copy(tmp_path / "rules")


@pytest.fixture
def own(tmp_path: Path) -> Copy:
    shutil.copytree(RULES, tmp_path / "rules")
    return Copy(tmp_path / "rules")
