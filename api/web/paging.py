"""A page number among many -> the links to other pages, as GOV.UK's pagination takes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import HTTPException


def count_pages(total: int, size: int, page: int) -> int:
    """How many pages so many lines take; at least one. 404 where this page is not among them."""
    pages = max(1, -(-total // size))
    if page > pages:
        raise HTTPException(404)
    return pages


def make_pagination(page: int, pages: int, address: Callable[[int], str]) -> dict[str, Any]:
    """The first page, the last, and those beside this one. `address` gives the path of a page."""
    near = sorted({1, pages, *range(max(1, page - 1), min(pages, page + 1) + 1)})
    items: list[dict[str, Any]] = []
    for before, number in zip([0, *near], near, strict=False):
        items += [{"ellipsis": True}] if number > before + 1 else []
        items.append({"number": number, "current": number == page, "href": address(number)})
    return {"items": items,
            **({"previous": {"href": address(page - 1)}} if page > 1 else {}),
            **({"next": {"href": address(page + 1)}} if page < pages else {})}
