"""The first tables, and the triggers that let the audit log only be added to.

Revision ID: 0001
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

MOMENT, ID, CODE = sa.DateTime(timezone=True), sa.String(64), sa.String(80)
TABLES = (
    "agreements", "audit", "publications", "users", "disclosures", "flags", "sessions", "challenges",
    "disclosed_flags", "first_bands", "texts", "labels", "questions", "reviews", "actions", "recalls",
)     # as they are made: each is tied only to those before it

REFUSED = "the audit log is only added to"
ON_SQLITE = (
    f"CREATE TRIGGER audit_not_updated BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END",
    f"CREATE TRIGGER audit_not_deleted BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END",
    # INSERT OR REPLACE deletes the line that is there without asking the trigger above.
    "CREATE TRIGGER audit_not_replaced BEFORE INSERT ON audit"
    " WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id OR hash = NEW.hash)"
    " BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END",
)
ON_POSTGRESQL = (
    "CREATE FUNCTION audit_only_added_to() RETURNS trigger LANGUAGE plpgsql AS"
    f" $$ BEGIN RAISE EXCEPTION '{REFUSED}'; END $$",
    "CREATE TRIGGER audit_not_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON audit"
    " FOR EACH STATEMENT EXECUTE FUNCTION audit_only_added_to()",
)


def upgrade() -> None:
    """Makes every table, and guards the audit log."""
    _make_records()
    _make_decisions()
    for statement in ON_SQLITE if op.get_bind().dialect.name == "sqlite" else ON_POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    """Takes everything away: what was kept is lost."""
    for table in reversed(TABLES):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_only_added_to()")


def _changes() -> tuple[sa.Column[Any], ...]:
    return (sa.Column("changed_at", MOMENT, nullable=False), sa.Column("changed_by", ID, nullable=False),
            sa.Column("version", sa.Integer(), nullable=False))


def _make_records() -> None:
    op.create_table("agreements",
        sa.Column("id", ID, nullable=False),
        sa.Column("title", sa.String(300), nullable=False),
        sa.Column("reference", sa.String(200), nullable=False),
        sa.Column("dpia_reference", sa.String(200), nullable=False),
        sa.Column("agencies", sa.Text(), nullable=False),
        sa.Column("purposes", sa.Text(), nullable=False),
        sa.Column("lists", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("withdrawn", MOMENT),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("made_by", ID, nullable=False),
        *_changes(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreements")))
    op.create_table("audit",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor", ID, nullable=False),
        sa.Column("action", CODE, nullable=False),
        sa.Column("object", CODE, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("prev", ID, nullable=False),
        sa.Column("hash", ID, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        sa.UniqueConstraint("hash", name=op.f("uq_audit_hash")))
    for name in ("action", "actor", "object"):
        op.create_index(op.f(f"ix_audit_{name}_id"), "audit", [name, "id"])
    op.create_table("publications",
        sa.Column("run", CODE, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor", ID, nullable=False),
        sa.Column("flags", sa.Integer(), nullable=False),
        sa.Column("digest", ID, nullable=False),
        sa.PrimaryKeyConstraint("run", name=op.f("pk_publications")),
        sa.UniqueConstraint("number", name=op.f("uq_publications_number")))
    op.create_table("users",
        sa.Column("id", ID, nullable=False),
        sa.Column("login", sa.String(200), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("agency", CODE, nullable=False),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("wards", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text()),
        sa.Column("must_change", sa.Boolean(), nullable=False),
        sa.Column("totp_secret", sa.Text()),
        sa.Column("totp_step", sa.BigInteger()),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("locked_until", MOMENT),
        sa.Column("disabled", MOMENT),
        sa.Column("oidc_issuer", sa.String(500)),
        sa.Column("oidc_subject", sa.String(255)),
        sa.Column("created", MOMENT, nullable=False),
        *_changes(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("login", name=op.f("uq_users_login")),
        sa.UniqueConstraint("oidc_issuer", "oidc_subject", name=op.f("uq_users_oidc_issuer_oidc_subject")))
    op.create_table("disclosures",
        sa.Column("id", ID, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor", ID, nullable=False),
        sa.Column("agency", CODE, nullable=False),
        sa.Column("what", CODE, nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("file_digest", ID),
        sa.Column("agreement", ID),
        sa.Column("purpose", CODE, nullable=False),
        sa.ForeignKeyConstraint(["agreement"], ["agreements.id"], name=op.f("fk_disclosures_agreement_agreements")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disclosures")))
    op.create_index(op.f("ix_disclosures_agreement"), "disclosures", ["agreement"])
    op.create_index(op.f("ix_disclosures_at"), "disclosures", ["at"])
    op.create_table("flags",
        sa.Column("id", ID, nullable=False),
        sa.Column("run", CODE, nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("list", CODE, nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("name", sa.String(300), nullable=False),
        sa.Column("band", CODE, nullable=False),
        sa.Column("status", CODE, nullable=False),
        sa.Column("change", CODE, nullable=False),
        sa.Column("axis", CODE, nullable=False),
        sa.Column("ward", sa.String(200)),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("digest", ID, nullable=False),
        sa.Column("state", CODE, nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("lead", ID),
        sa.Column("successor", ID),
        *_changes(),
        sa.CheckConstraint("state in ('proposed', 'under_review', 'needs_information', 'confirmed', 'declined',"
            " 'redirected', 'superseded', 'left')",
            name=op.f("ck_flags_state")),
        sa.ForeignKeyConstraint(["lead"], ["users.id"], name=op.f("fk_flags_lead_users")),
        sa.ForeignKeyConstraint(["run"], ["publications.run"], name=op.f("fk_flags_run_publications")),
        sa.ForeignKeyConstraint(["successor"], ["flags.id"], name=op.f("fk_flags_successor_flags")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flags")),
        sa.UniqueConstraint("run", "list", "subject", name=op.f("uq_flags_run_list_subject")))
    op.create_index(op.f("ix_flags_lead"), "flags", ["lead"])
    op.create_index(op.f("ix_flags_list_state_position"), "flags", ["list", "state", "position"])
    op.create_index(op.f("ix_flags_list_subject_as_of"), "flags", ["list", "subject", "as_of"])
    op.create_index(op.f("ix_flags_run_list_position"), "flags", ["run", "list", "position"])
    op.create_index(op.f("ix_flags_successor"), "flags", ["successor"])
    op.create_table("sessions",
        sa.Column("id", ID, nullable=False),
        sa.Column("user", ID),
        sa.Column("created", MOMENT, nullable=False),
        sa.Column("seen", MOMENT, nullable=False),
        sa.Column("ended", MOMENT),
        sa.Column("csrf", ID, nullable=False),
        sa.Column("method", CODE, nullable=False),
        sa.Column("purpose", CODE),
        sa.Column("data", sa.Text()),
        sa.ForeignKeyConstraint(["user"], ["users.id"], name=op.f("fk_sessions_user_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")))
    op.create_index(op.f("ix_sessions_user"), "sessions", ["user"])


def _make_decisions() -> None:
    op.create_table("challenges",
        sa.Column("id", ID, nullable=False),
        sa.Column("flag", ID, nullable=False),
        sa.Column("raised_by", CODE, nullable=False),
        sa.Column("says", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("records", sa.Text(), nullable=False),
        sa.Column("state", CODE, nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("made_by", ID, nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        *_changes(),
        sa.CheckConstraint("state in ('open', 'upheld', 'not_upheld', 'withdrawn')", name=op.f("ck_challenges_state")),
        sa.ForeignKeyConstraint(["flag"], ["flags.id"], name=op.f("fk_challenges_flag_flags")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_challenges")))
    op.create_index(op.f("ix_challenges_flag"), "challenges", ["flag"])
    op.create_index(op.f("ix_challenges_state_made_at"), "challenges", ["state", "made_at"])
    op.create_table("disclosed_flags",
        sa.Column("disclosure", ID, nullable=False),
        sa.Column("flag", ID, nullable=False),
        sa.ForeignKeyConstraint(["disclosure"], ["disclosures.id"],
            name=op.f("fk_disclosed_flags_disclosure_disclosures")),
        sa.ForeignKeyConstraint(["flag"], ["flags.id"], name=op.f("fk_disclosed_flags_flag_flags")),
        sa.PrimaryKeyConstraint("disclosure", "flag", name=op.f("pk_disclosed_flags")))
    op.create_index(op.f("ix_disclosed_flags_flag"), "disclosed_flags", ["flag"])
    op.create_table("first_bands",
        sa.Column("flag", ID, nullable=False),
        sa.Column("user", ID, nullable=False),
        sa.Column("band", CODE, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["flag"], ["flags.id"], name=op.f("fk_first_bands_flag_flags")),
        sa.ForeignKeyConstraint(["user"], ["users.id"], name=op.f("fk_first_bands_user_users")),
        sa.PrimaryKeyConstraint("flag", "user", name=op.f("pk_first_bands")))
    op.create_table("texts",
        sa.Column("flag", ID, nullable=False), sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["flag"], ["flags.id"], name=op.f("fk_texts_flag_flags")),
        sa.PrimaryKeyConstraint("flag", name=op.f("pk_texts")))
    op.create_table("labels",
        sa.Column("flag", ID, nullable=False),
        sa.Column("kind", CODE, nullable=False),
        sa.Column("value", CODE, nullable=False),
        sa.CheckConstraint("kind in ('axis', 'theme', 'agency', 'rule')", name=op.f("ck_labels_kind")),
        sa.ForeignKeyConstraint(["flag"], ["flags.id"], name=op.f("fk_labels_flag_flags")),
        sa.PrimaryKeyConstraint("flag", "kind", "value", name=op.f("pk_labels")))
    op.create_index(op.f("ix_labels_kind_value_flag"), "labels", ["kind", "value", "flag"])
    op.create_table("questions",
        sa.Column("id", ID, nullable=False),
        sa.Column("flag", ID, nullable=False),
        sa.Column("agency", CODE, nullable=False),
        sa.Column("fact", CODE),
        sa.Column("asks", sa.Text(), nullable=False),
        sa.Column("due", sa.Date()),
        sa.Column("state", CODE, nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("asked_by", ID, nullable=False),
        sa.Column("replied_at", MOMENT),
        sa.Column("replied_by", ID),
        sa.Column("reply", sa.Text(), nullable=False),
        *_changes(),
        sa.CheckConstraint("state in ('asked', 'answered', 'withheld', 'withdrawn')", name=op.f("ck_questions_state")),
        sa.ForeignKeyConstraint(["flag"], ["flags.id"], name=op.f("fk_questions_flag_flags")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_questions")))
    op.create_index(op.f("ix_questions_agency_state"), "questions", ["agency", "state"])
    op.create_index(op.f("ix_questions_flag"), "questions", ["flag"])
    op.create_table("reviews",
        sa.Column("id", ID, nullable=False),
        sa.Column("flag", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("reviewer", ID, nullable=False),
        sa.Column("decision", CODE, nullable=False),
        sa.Column("reason_code", CODE, nullable=False),
        sa.Column("rationale", sa.Text(), nullable=False),
        sa.Column("shown_band", CODE, nullable=False),
        sa.Column("own_band", CODE),
        sa.Column("seconds", sa.Integer()),
        sa.Column("opened", sa.Text(), nullable=False),
        sa.Column("corrects", ID),
        sa.CheckConstraint("decision in ('confirmed', 'declined', 'redirected', 'needs_information')",
            name=op.f("ck_reviews_decision")),
        sa.ForeignKeyConstraint(["corrects"], ["reviews.id"], name=op.f("fk_reviews_corrects_reviews")),
        sa.ForeignKeyConstraint(["flag"], ["flags.id"], name=op.f("fk_reviews_flag_flags")),
        sa.ForeignKeyConstraint(["reviewer"], ["users.id"], name=op.f("fk_reviews_reviewer_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
        sa.UniqueConstraint("flag", "number", name=op.f("uq_reviews_flag_number")))
    op.create_index(op.f("ix_reviews_corrects"), "reviews", ["corrects"])
    op.create_index(op.f("ix_reviews_reviewer"), "reviews", ["reviewer"])
    op.create_table("actions",
        sa.Column("id", ID, nullable=False),
        sa.Column("flag", ID, nullable=False),
        sa.Column("review", ID),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("agency", CODE, nullable=False),
        sa.Column("owner", sa.String(200), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("state", CODE, nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("made_by", ID, nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        *_changes(),
        sa.CheckConstraint("state in ('open', 'done', 'cancelled')", name=op.f("ck_actions_state")),
        sa.ForeignKeyConstraint(["flag"], ["flags.id"], name=op.f("fk_actions_flag_flags")),
        sa.ForeignKeyConstraint(["review"], ["reviews.id"], name=op.f("fk_actions_review_reviews")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_actions")))
    op.create_index(op.f("ix_actions_flag"), "actions", ["flag"])
    op.create_index(op.f("ix_actions_review"), "actions", ["review"])
    op.create_index(op.f("ix_actions_state_due"), "actions", ["state", "due"])
    op.create_table("recalls",
        sa.Column("challenge", ID, nullable=False),
        sa.Column("disclosure", ID, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor", ID, nullable=False),
        sa.Column("acknowledged_at", MOMENT),
        sa.Column("acknowledged_by", ID),
        sa.ForeignKeyConstraint(["challenge"], ["challenges.id"], name=op.f("fk_recalls_challenge_challenges")),
        sa.ForeignKeyConstraint(["disclosure"], ["disclosures.id"], name=op.f("fk_recalls_disclosure_disclosures")),
        sa.PrimaryKeyConstraint("challenge", "disclosure", name=op.f("pk_recalls")))
