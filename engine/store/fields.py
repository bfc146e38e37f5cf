"""What columns are made of: moments with their zone, lists of words, opaque ids, and who changed a row last."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Column, DateTime, Dialect, ForeignKey, Integer, String, Text, TypeDecorator

TOKEN, CODE, DIGEST = 64, 80, 64      # characters: of an opaque id, of a word from the code, of a SHA-256 in hex


class Moment(TypeDecorator[datetime]):
    """A moment, always with its zone: UTC going in and coming out, also on SQLite, which keeps no zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without its zone cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Words(TypeDecorator[tuple[str, ...]]):
    """Some strings in their order, kept as a JSON list."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Iterable[str] | None, dialect: Dialect) -> str:
        return json.dumps(list(value or ()), ensure_ascii=False)

    def process_result_value(self, value: Any, dialect: Dialect) -> tuple[str, ...]:
        return tuple(json.loads(value)) if value else ()


def one_of(column: str, allowed: Iterable[str]) -> CheckConstraint:
    """A column that holds only these words."""
    listed = ", ".join(f"'{word}'" for word in allowed)
    return CheckConstraint(f"{column} in ({listed})", name=column)


def tied(name: str, target: str, *, empty: bool = False, indexed: bool = True) -> Column[Any]:
    """The id of a row of another table."""
    return Column(name, String(TOKEN), ForeignKey(f"{target}.id"), nullable=empty, index=indexed)


def opaque_id() -> Column[Any]:
    """An id that says nothing."""
    return Column("id", String(TOKEN), primary_key=True)


def changes() -> tuple[Column[Any], ...]:
    """Who changed a row last and when, and how often it was changed: what is told to whoever comes second."""
    return (Column("changed_at", Moment, nullable=False), Column("changed_by", String(TOKEN), nullable=False),
            Column("version", Integer, nullable=False))
