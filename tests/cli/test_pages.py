"""The pages: whole HTML, one heading of the first rank, nothing fetched, no script, words and not colour alone."""

from __future__ import annotations

import json
from collections import Counter
from html.parser import HTMLParser

import pytest

from api.html import render_flag, render_lists

from .conftest import Office

VOID = {"meta", "link", "br", "hr", "img", "input"}


class Page(HTMLParser):
    """What a page holds; refuses one whose elements do not close in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str | None]] = []
        self.said: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "title"):
            self.said.append(data)

    def values(self, name: str) -> list[str | None]:
        return [value for _, attribute, value in self.attributes if attribute == name]


@pytest.fixture(scope="session", params=["people", "places", "list"])
def text(worked: Office, request: pytest.FixtureRequest) -> str:
    if request.param == "list":
        return worked.read("list", "--format", "html")
    shown = json.loads(worked.read("list", request.param, "--format", "json"))["lists"][0]["shown"]
    return worked.read("explain", shown[0]["subject"], "--format", "html")


def test_a_page_is_whole_and_says_its_language_and_title(text: str) -> None:
    page = Page(text)
    assert text.startswith("<!doctype html>")
    assert page.tags["h1"] == 1
    assert page.tags["title"] == 1
    assert page.values("lang") == ["en-GB"]


def test_a_page_fetches_nothing_and_runs_nothing(text: str) -> None:
    page = Page(text)
    assert "http:" not in text
    assert "https:" not in text
    assert not page.tags.keys() & {"script", "link", "img", "iframe", "form"}
    assert page.values("src") + page.values("href") + page.values("style") == []
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]


def test_every_table_has_a_caption_and_every_head_a_scope(text: str) -> None:
    page = Page(text)
    assert page.tags["caption"] == page.tags["table"]
    assert page.tags["th"] == sum(1 for tag, name, _ in page.attributes if (tag, name) == ("th", "scope"))


def test_ids_are_given_once_and_what_they_label_is_there(text: str) -> None:
    page = Page(text)
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    assert set(page.values("aria-labelledby")) <= set(ids)


def test_a_page_prints_and_says_in_words_what_it_shows(text: str) -> None:
    assert "@media print" in text
    assert {"Convene", "Discuss", "Watch"} & {said.strip() for said in Page(text).said}


def test_what_a_partner_wrote_cannot_become_markup(worked: Office) -> None:
    shown = json.loads(worked.read("list", "people", "--format", "json"))["lists"][0]["shown"][0]["subject"]
    flag = json.loads(worked.read("explain", shown, "--format", "json"))
    flag["name"] = "<script>alert(1)</script>"
    assert "<script" not in render_flag(flag)
    listing = json.loads(worked.read("list", "--format", "json"))
    listing["lists"][0]["shown"][0]["name"] = "<script>alert(1)</script>"
    assert "<script" not in render_lists(listing)
