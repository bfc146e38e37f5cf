"""What others wrote is kept as the manifest says, and the site asks nobody else for anything."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from pathlib import Path

import pytest

from api.static import vendor
from api.web.assets import FOLDER
from api.web.brand import Brand, contrast, read_brand
from engine.errors import UsageError

VENDOR = FOLDER / "vendor"
MANIFEST = json.loads((VENDOR / "manifest.json").read_text(encoding="utf-8"))
LARGEST = 700 * 1024
TEMPLATES = sorted((Path(__file__).parents[2] / "api/web/templates").glob("*.html"))
OWN = [*TEMPLATES, *(path for path in FOLDER.glob("*") if path.suffix in (".css", ".js"))]

# Written in the files and never asked: names of XML dialects, where faults of browsers are discussed, and the home of
# Leaflet in its notice of copyright and in a label that no map here shows.
NEVER_ASKED = {"www.w3.org", "bugs.chromium.org", "bugzilla.mozilla.org", "leafletjs.com"}


def test_every_file_has_the_bytes_of_the_manifest() -> None:
    told = {one["file"]: one["sha256"] for package in MANIFEST["packages"] for one in package["files"]}
    kept = {path.relative_to(VENDOR).as_posix(): sha256(path.read_bytes()).hexdigest()
            for path in VENDOR.rglob("*") if path.is_file() and path.name != "manifest.json"}
    assert kept == told


def test_the_manifest_names_version_and_licence_of_what_the_script_fetches() -> None:
    assert [(one["name"], one["version"]) for one in MANIFEST["packages"]] == [
        (one.name, one.version) for one in vendor.PACKAGES]
    assert {one["licence"] for one in MANIFEST["packages"]} == {"MIT", "0BSD", "BSD-2-Clause"}


def test_all_of_it_is_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) < LARGEST


def test_neither_the_font_nor_the_crest_of_the_government_is_here() -> None:
    style = (VENDOR / "govuk-frontend/govuk-frontend.min.css").read_text(encoding="utf-8")
    assert not re.search(r"GDS Transport|crest|@font-face|sourceMappingURL", style)
    assert not [path for path in FOLDER.rglob("*") if path.suffix in (".woff", ".woff2") or "crest" in path.name]


@pytest.mark.parametrize("path", sorted(VENDOR.rglob("*.css")) + sorted(VENDOR.rglob("*.js")), ids=lambda p: p.name)
def test_vendored_files_name_no_host_that_would_be_asked(path: Path) -> None:
    hosts = set(re.findall(r"https?://([a-z0-9.-]+)", path.read_text(encoding="utf-8")))
    assert hosts <= NEVER_ASKED


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.name)
def test_our_own_files_name_no_host_and_no_style_in_line(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"https?://|//[a-z]+\.|\sstyle=|<style|\son[a-z]+=", text)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_form_that_changes_something_carries_a_token(path: Path) -> None:
    forms = re.findall(r'<form[^>]*method="post".*?</form>', path.read_text(encoding="utf-8"), re.DOTALL)
    assert all("form_token" in form for form in forms)


def test_a_council_colour_that_white_cannot_be_read_on_is_refused() -> None:
    with pytest.raises(UsageError, match=r"white on #ffdd00 has a contrast of 1\.3\n.*at least 4\.5"):
        Brand(colour="#ffdd00")
    with pytest.raises(UsageError, match="is not a colour"):
        Brand(colour="red; } body { display: none")


@pytest.mark.parametrize("colour", ["#4c2c92", "#862a10", "#0f5e5c", "#44494d", "#484949", "#0b0c0c"])
def test_the_colours_of_axes_and_text_can_be_read_on_white_and_on_grey(colour: str) -> None:
    assert min(contrast(colour, paper) for paper in ("#ffffff", "#f3f4f5")) >= 4.5


def test_a_council_puts_its_own_name_and_colour() -> None:
    assert read_brand({"WARDWISE_COUNCIL": "Ravensmoor", "WARDWISE_COLOUR": "#003078"}) == Brand(
        "Ravensmoor", "#003078")
    assert read_brand({}) == Brand()
