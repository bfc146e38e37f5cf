"""The same stored flag or lists -> standalone HTML: one file, no script, nothing fetched, made to be printed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api import annex_words, words
from engine.annex import Annex
from engine.prose import name_agency

_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
_PAGES.globals.update({name: getattr(words, name) for name in dir(words) if not name.startswith("_")})
_PAGES.globals["name_agency"] = name_agency


def render_flag(flag: Mapping[str, Any], aside: Mapping[str, Any] | None = None) -> str:
    """One flag as a page. `aside` (see `listing.find_aside`) only for analysts."""
    return _PAGES.get_template("flag.html").render(flag=flag, aside=aside)


def render_lists(listing: Mapping[str, Any]) -> str:
    """The lists of a run as a page."""
    return _PAGES.get_template("list.html").render(listing=listing)


def render_annex(annex: Annex) -> str:
    """The published annex as a page. Its words are its own: the same codes mean other things to an officer."""
    return _PAGES.get_template("annex.html").render(annex=annex, own=annex_words)
