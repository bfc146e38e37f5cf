"""The tables of the operational database, the same on SQLite and PostgreSQL.

Every id is an opaque lower-case token, drawn at the door, that says nothing about anybody. `version` counts the changes
of a row, so that two people cannot change it at once without being told. A column of `Words` is a tuple of strings.
A table changes only together with a migration: `alembic check` is a test.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from engine.store.fields import CODE, DIGEST, TOKEN, Moment, Words, changes, one_of, opaque_id, tied

metadata = MetaData(naming_convention={
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
})

OPEN_STATES = ("proposed", "under_review", "needs_information")
DECISIONS = ("confirmed", "declined", "redirected", "needs_information")
DECIDED_STATES = ("confirmed", "declined", "redirected")
STATES = (*OPEN_STATES, *DECIDED_STATES, "superseded", "left")
ACTION_STATES = ("open", "done", "cancelled")
QUESTION_STATES = ("asked", "answered", "withheld", "withdrawn")
REQUEST_STATES = ("asked", "granted", "refused", "withdrawn")
JOB_STATES = ("waiting", "running", "done", "failed", "stopped")
CHALLENGE_STATES = ("open", "upheld", "not_upheld", "withdrawn")
LABELS = ("axis", "theme", "agency", "rule")


# --- who -----------------------------------------------------------------------------------------------

users = Table(
    "users", metadata, opaque_id(),
    Column("login", String(200), nullable=False, unique=True),      # folded by the door: one person, one spelling
    Column("name", String(200), nullable=False),
    Column("agency", String(CODE), nullable=False),
    Column("roles", Words, nullable=False),
    Column("wards", Words, nullable=False),                         # of a ward councillor
    Column("password_hash", Text),
    Column("must_change", Boolean, nullable=False),
    Column("totp_secret", Text),                                    # encrypted by the door; never kept in the clear
    Column("totp_step", BigInteger),                                # the last one used: a code works once
    Column("failed", Integer, nullable=False),
    Column("locked_until", Moment),
    Column("disabled", Moment),
    Column("oidc_issuer", String(500)),
    Column("oidc_subject", String(255)),
    Column("created", Moment, nullable=False),
    *changes(),
    UniqueConstraint("oidc_issuer", "oidc_subject"),
)

sessions = Table(
    "sessions", metadata,
    Column("id", String(DIGEST), primary_key=True),                 # SHA-256 of the cookie, never the cookie
    tied("user", "users", empty=True),                               # nobody yet while a login is under way
    Column("created", Moment, nullable=False),
    Column("seen", Moment, nullable=False),
    Column("ended", Moment),
    Column("csrf", String(DIGEST), nullable=False),
    Column("method", String(CODE), nullable=False),                 # local, oidc, demo
    Column("purpose", String(CODE)),                                # what the person said the data is for
    Column("data", Text),                                           # JSON of a login under way (state, nonce)
)

# --- what is put forward -------------------------------------------------------------------------------

publications = Table(
    "publications", metadata,
    Column("run", String(CODE), primary_key=True),
    Column("number", Integer, nullable=False, unique=True),         # 1, 2, ... in the order they were published
    Column("as_of", Date, nullable=False),
    Column("at", Moment, nullable=False),
    Column("actor", String(TOKEN), nullable=False),
    Column("flags", Integer, nullable=False),
    Column("digest", String(DIGEST), nullable=False),               # over every flag's id and digest
)

flags = Table(
    "flags", metadata, opaque_id(),
    Column("run", String(CODE), ForeignKey("publications.run"), nullable=False),
    Column("as_of", Date, nullable=False),
    Column("list", String(CODE), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("name", String(300), nullable=False),
    Column("band", String(CODE), nullable=False),
    Column("status", String(CODE), nullable=False),
    Column("change", String(CODE), nullable=False),
    Column("axis", String(CODE), nullable=False),                   # the leading one; all of them are labels
    Column("ward", String(200)),
    Column("folded", Text, nullable=False),                         # name and subject in lower case, to be searched
    Column("position", Integer, nullable=False),                    # on its list, from 1
    Column("digest", String(DIGEST), nullable=False),
    Column("state", String(CODE), nullable=False),
    Column("because", Text, nullable=False),                        # why it left; else empty
    tied("lead", "users", empty=True),
    tied("successor", "flags", empty=True),                         # the flag that took its place in a later run
    *changes(),
    one_of("state", STATES),
    UniqueConstraint("run", "list", "subject"),
    Index(None, "list", "subject", "as_of"),
    Index(None, "list", "state", "position"),
    Index(None, "run", "list", "position"),
)

# A table of its own: a list of thousands of flags is then read without reading through their texts.
texts = Table(
    "texts", metadata,
    Column("flag", String(TOKEN), ForeignKey("flags.id"), primary_key=True),
    Column("text", Text, nullable=False),                           # the flag's JSON, byte for byte as the run wrote it
)

labels = Table(
    "labels", metadata,
    Column("flag", String(TOKEN), ForeignKey("flags.id"), primary_key=True),
    Column("kind", String(CODE), primary_key=True),
    Column("value", String(CODE), primary_key=True),
    one_of("kind", LABELS),
    Index(None, "kind", "value", "flag"),
)

# --- what people decide --------------------------------------------------------------------------------

first_bands = Table(
    "first_bands", metadata,
    Column("flag", String(TOKEN), ForeignKey("flags.id"), primary_key=True),
    Column("user", String(TOKEN), ForeignKey("users.id"), primary_key=True),
    Column("band", String(CODE), nullable=False),                   # the officer's own, before ours was shown
    Column("at", Moment, nullable=False),
)

reviews = Table(
    "reviews", metadata, opaque_id(),
    tied("flag", "flags", indexed=False),
    Column("number", Integer, nullable=False),                      # 1, 2, ... of its flag
    Column("at", Moment, nullable=False),
    tied("reviewer", "users"),
    Column("decision", String(CODE), nullable=False),
    Column("reason_code", String(CODE), nullable=False),
    Column("rationale", Text, nullable=False),
    Column("shown_band", String(CODE), nullable=False),
    Column("own_band", String(CODE)),
    Column("seconds", Integer),                                     # from opening the flag to deciding
    Column("opened", Words, nullable=False),                        # the evidence opened before deciding
    tied("corrects", "reviews", empty=True),
    one_of("decision", DECISIONS),
    UniqueConstraint("flag", "number"),
)

actions = Table(
    "actions", metadata, opaque_id(),
    tied("flag", "flags"),
    tied("review", "reviews", empty=True),
    Column("what", Text, nullable=False),
    Column("agency", String(CODE), nullable=False),
    Column("owner", String(200), nullable=False),
    Column("due", Date, nullable=False),
    Column("state", String(CODE), nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("made_by", String(TOKEN), nullable=False),
    Column("outcome", Text, nullable=False),
    *changes(),
    one_of("state", ACTION_STATES),
    Index(None, "state", "due"),
)

questions = Table(
    "questions", metadata, opaque_id(),
    tied("flag", "flags"),
    Column("agency", String(CODE), nullable=False),
    Column("fact", String(CODE)),                                   # the feature it would settle, where there is one
    Column("asks", Text, nullable=False),
    Column("due", Date),
    Column("state", String(CODE), nullable=False),
    Column("asked_at", Moment, nullable=False),
    Column("asked_by", String(TOKEN), nullable=False),
    Column("replied_at", Moment),
    Column("replied_by", String(TOKEN)),
    Column("reply", Text, nullable=False),
    Column("value", Text, nullable=False, server_default=""),      # of the fact, as the agency says it
    *changes(),
    one_of("state", QUESTION_STATES),
    Index(None, "agency", "state"),
)

# What somebody looked at, when first: who saw it, and whether a decision rests on the evidence.
openings = Table(
    "openings", metadata,
    Column("flag", String(TOKEN), ForeignKey("flags.id"), primary_key=True),
    Column("user", String(TOKEN), ForeignKey("users.id"), primary_key=True, index=True),
    Column("item", String(200), primary_key=True),                  # `flag`, or the record that was opened
    Column("at", Moment, nullable=False),
)

meetings = Table(
    "meetings", metadata, opaque_id(),
    Column("run", String(CODE), ForeignKey("publications.run"), nullable=False),
    Column("held_on", Date, nullable=False),
    Column("present", Words, nullable=False),                       # as the chair wrote them: name, agency
    Column("opened_at", Moment, nullable=False, index=True),
    Column("opened_by", String(TOKEN), nullable=False),
    Column("closed_at", Moment),
    *changes(),
)

meeting_items = Table(
    "meeting_items", metadata,
    Column("meeting", String(TOKEN), ForeignKey("meetings.id"), primary_key=True),
    Column("flag", String(TOKEN), ForeignKey("flags.id"), primary_key=True, index=True),
    tied("review", "reviews", empty=True),                          # none: put off to another meeting
    Column("at", Moment, nullable=False),
)

# --- offers of a home ----------------------------------------------------------------------------------
# A screening itself is kept in the home, where it can be made again; here is what people say of it.

opinions = Table(
    "opinions", metadata, opaque_id(),
    Column("screening", String(CODE), nullable=False, index=True),
    tied("user", "users"),
    Column("view", String(CODE), nullable=False),
    Column("says", Text, nullable=False),
    Column("at", Moment, nullable=False),
)

override_requests = Table(
    "override_requests", metadata, opaque_id(),
    Column("screening", String(CODE), nullable=False, index=True),
    Column("rule", String(CODE), nullable=False),
    Column("reason", Text, nullable=False),
    Column("mitigation", Text, nullable=False),                     # what will be in place instead
    Column("state", String(CODE), nullable=False),
    Column("asked_at", Moment, nullable=False),
    tied("asked_by", "users"),
    Column("answered_at", Moment),
    Column("answered_by", String(TOKEN)),
    Column("answer", Text, nullable=False),
    *changes(),
    one_of("state", REQUEST_STATES),
    Index(None, "state", "asked_at"),
)

# --- sharing and contest -------------------------------------------------------------------------------

agreements = Table(
    "agreements", metadata, opaque_id(),
    Column("title", String(300), nullable=False),
    Column("reference", String(200), nullable=False),
    Column("dpia_reference", String(200), nullable=False),
    Column("agencies", Words, nullable=False),
    Column("purposes", Words, nullable=False),
    Column("lists", Words, nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("valid_until", Date, nullable=False),                    # the last day it holds
    Column("withdrawn", Moment),
    Column("made_at", Moment, nullable=False),
    Column("made_by", String(TOKEN), nullable=False),
    *changes(),
)

disclosures = Table(
    "disclosures", metadata, opaque_id(),
    Column("at", Moment, nullable=False, index=True),
    Column("actor", String(TOKEN), nullable=False),
    Column("agency", String(CODE), nullable=False),                 # who was told
    Column("what", String(CODE), nullable=False),                   # agenda_pdf, list_xlsx, flag_page, ...
    Column("rows", Integer, nullable=False),
    Column("file_digest", String(DIGEST)),
    tied("agreement", "agreements", empty=True),
    Column("purpose", String(CODE), nullable=False),
)

disclosed_flags = Table(
    "disclosed_flags", metadata,
    Column("disclosure", String(TOKEN), ForeignKey("disclosures.id"), primary_key=True),
    Column("flag", String(TOKEN), ForeignKey("flags.id"), primary_key=True, index=True),
)

challenges = Table(
    "challenges", metadata, opaque_id(),
    tied("flag", "flags"),
    Column("raised_by", String(CODE), nullable=False),              # subject, advocate, agency, officer
    Column("says", Text, nullable=False),
    Column("facts", Words, nullable=False),                         # the facts said to be wrong
    Column("records", Words, nullable=False),                       # the records to be marked disputed
    Column("state", String(CODE), nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("made_by", String(TOKEN), nullable=False),
    Column("outcome", Text, nullable=False),
    *changes(),
    one_of("state", CHALLENGE_STATES),
    Index(None, "state", "made_at"),
)

recalls = Table(
    "recalls", metadata,
    Column("challenge", String(TOKEN), ForeignKey("challenges.id"), primary_key=True),
    Column("disclosure", String(TOKEN), ForeignKey("disclosures.id"), primary_key=True),
    Column("at", Moment, nullable=False),
    Column("actor", String(TOKEN), nullable=False),
    Column("acknowledged_at", Moment),
    Column("acknowledged_by", String(TOKEN)),
)

# --- long work -----------------------------------------------------------------------------------------

jobs = Table(
    "jobs", metadata, opaque_id(),
    Column("kind", String(CODE), nullable=False),                   # run, agenda_pdf, minutes_docx, ...
    Column("about", Text, nullable=False),                          # JSON: ids and codes, nobody's name
    tied("asked_by", "users"),
    Column("asked_at", Moment, nullable=False, index=True),
    Column("state", String(CODE), nullable=False),
    Column("started_at", Moment),
    Column("ended_at", Moment),
    Column("said", Text, nullable=False),                           # how it ended, for whoever asked
    Column("file_name", String(200)),
    Column("file_digest", String(DIGEST)),
    one_of("state", JOB_STATES),
    Index(None, "state", "asked_at"),
)

# --- what happened -------------------------------------------------------------------------------------

audit = Table(
    "audit", metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),    # 1, 2, ... without a gap
    Column("at", Moment, nullable=False),
    Column("actor", String(TOKEN), nullable=False),
    Column("action", String(CODE), nullable=False),
    Column("object", String(CODE), nullable=False),
    Column("body", Text, nullable=False),                           # canonical JSON of codes and numbers; nobody's name
    Column("prev", String(DIGEST), nullable=False),
    Column("hash", String(DIGEST), nullable=False, unique=True),
    Index(None, "object", "id"),
    Index(None, "actor", "id"),
    Index(None, "action", "id"),
)
