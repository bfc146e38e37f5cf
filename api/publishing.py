"""The command that publishes: the allocation rules in force -> two files beside a council's allocation scheme."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from api.annex import write_markdown
from api.html import render_annex
from api.options import HOME, Day, Rules
from api.setting import RULES, Setting
from api.words import DIGEST_LENGTH, say_day
from engine.annex import Annex, write_annex
from engine.errors import Problem, UsageError

NAME = "allocation-annex"


def publish_pack(
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where to write the two files.")],
    council: Annotated[str, typer.Option(help="The name the council goes by.")] = "the council",
    as_of: Day = None,
    force: Annotated[bool, typer.Option("--force", help="Write over an annex that says something else.")] = False,
    rules: Rules = RULES,
) -> None:
    """Write the allocation rules as an annex to publish.

    Plain English, for anybody who applies for a home, as a web page and as Markdown: every rule in force on a day
    (today if left out), with its numbers, what it asks for, the records it reads and how to ask for a review.
    """
    if not council.strip() or not council.isprintable():
        raise UsageError(Problem("--council", "not a name", "a line of text",
                                 'for example "Ravensmoor Borough Council"'))
    annex = write_annex(Setting(HOME, rules).pack, as_of or date.today(), " ".join(council.split()))
    written = _save(out, {f"{NAME}.html": render_annex(annex), f"{NAME}.md": write_markdown(annex)}, force)
    typer.echo(_report(annex, written))


def _save(folder: Path, texts: Mapping[str, str], force: bool) -> list[Path]:
    """Writes each file whole or not at all. Raises UsageError, with nothing written, where another text would go."""
    paths = {folder / name: text.encode() for name, text in texts.items()}
    others = [path for path, text in paths.items() if path.exists() and path.read_bytes() != text]
    if others and not force:
        raise UsageError(Problem(str(path), "another annex stands here", "the same one, or none",
                                 "keep it as the record of what was published before and name another folder, or write "
                                 "over it with --force") for path in others)
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in paths.items():
        new = path.with_name(f".{path.name}.new")
        new.write_bytes(text)
        os.replace(new, path)
    return list(paths)


def _report(annex: Annex, written: list[Path]) -> str:
    left_out = [f"Left out, past its review date: {reference}, {title}." for reference, title in annex.lapsed]
    tried = f"; {len(annex.trials)} being tried are named only" if annex.trials else ""
    return "\n".join([
        f"{len(annex.rules)} rules in force on {say_day(annex.as_of)}{tried}. Version {annex.version[:DIGEST_LENGTH]}.",
        *left_out, *(f"  {path}" for path in written), "",
        "Next: let somebody who knows no rule read the page, then publish both files with the allocation scheme.",
        "Write them again whenever a rule changes:  wardwise check"])
