"""Meetings, what was looked at, what people say of a screening, and long work.

Revision ID: 0002
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

MOMENT, ID, CODE = sa.DateTime(timezone=True), sa.String(64), sa.String(80)
TABLES = ("openings", "meetings", "meeting_items", "opinions", "override_requests", "jobs")


def upgrade() -> None:
    """Adds six tables and a column; what was there stays as it is."""
    _make_meetings()
    _make_requests()
    op.add_column("questions", sa.Column("value", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    """Takes the six tables and the column away: what was kept in them is lost."""
    op.drop_column("questions", "value")
    for table in reversed(TABLES):
        op.drop_table(table)


def _changes() -> tuple[sa.Column[Any], ...]:
    return (sa.Column("changed_at", MOMENT, nullable=False), sa.Column("changed_by", ID, nullable=False),
            sa.Column("version", sa.Integer(), nullable=False))


def _tied(table: str, column: str, target: str, key: str = "id") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.{key}"], name=op.f(f"fk_{table}_{column}_{target}"))


def _index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns))


def _make_meetings() -> None:
    op.create_table("openings",
        sa.Column("flag", ID, nullable=False),
        sa.Column("user", ID, nullable=False),
        sa.Column("item", sa.String(200), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        _tied("openings", "flag", "flags"), _tied("openings", "user", "users"),
        sa.PrimaryKeyConstraint("flag", "user", "item", name=op.f("pk_openings")))
    _index("openings", "user")
    op.create_table("meetings",
        sa.Column("id", ID, nullable=False),
        sa.Column("run", CODE, nullable=False),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("present", sa.Text(), nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("opened_by", ID, nullable=False),
        sa.Column("closed_at", MOMENT),
        *_changes(),
        _tied("meetings", "run", "publications", "run"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meetings")))
    _index("meetings", "opened_at")
    op.create_table("meeting_items",
        sa.Column("meeting", ID, nullable=False),
        sa.Column("flag", ID, nullable=False),
        sa.Column("review", ID),
        sa.Column("at", MOMENT, nullable=False),
        _tied("meeting_items", "flag", "flags"), _tied("meeting_items", "meeting", "meetings"),
        _tied("meeting_items", "review", "reviews"),
        sa.PrimaryKeyConstraint("meeting", "flag", name=op.f("pk_meeting_items")))
    _index("meeting_items", "flag")
    _index("meeting_items", "review")


def _make_requests() -> None:
    op.create_table("opinions",
        sa.Column("id", ID, nullable=False),
        sa.Column("screening", CODE, nullable=False),
        sa.Column("user", ID, nullable=False),
        sa.Column("view", CODE, nullable=False),
        sa.Column("says", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        _tied("opinions", "user", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opinions")))
    _index("opinions", "screening")
    _index("opinions", "user")
    op.create_table("override_requests",
        sa.Column("id", ID, nullable=False),
        sa.Column("screening", CODE, nullable=False),
        sa.Column("rule", CODE, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("mitigation", sa.Text(), nullable=False),
        sa.Column("state", CODE, nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("asked_by", ID, nullable=False),
        sa.Column("answered_at", MOMENT),
        sa.Column("answered_by", ID),
        sa.Column("answer", sa.Text(), nullable=False),
        *_changes(),
        sa.CheckConstraint("state in ('asked', 'granted', 'refused', 'withdrawn')",
            name=op.f("ck_override_requests_state")),
        _tied("override_requests", "asked_by", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_override_requests")))
    _index("override_requests", "asked_by")
    _index("override_requests", "screening")
    _index("override_requests", "state", "asked_at")
    op.create_table("jobs",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", CODE, nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("asked_by", ID, nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("state", CODE, nullable=False),
        sa.Column("started_at", MOMENT),
        sa.Column("ended_at", MOMENT),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("file_name", sa.String(200)),
        sa.Column("file_digest", sa.String(64)),
        sa.CheckConstraint("state in ('waiting', 'running', 'done', 'failed', 'stopped')", name=op.f("ck_jobs_state")),
        _tied("jobs", "asked_by", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")))
    _index("jobs", "asked_at")
    _index("jobs", "asked_by")
    _index("jobs", "state", "asked_at")
