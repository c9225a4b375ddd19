"""Tables of the control database as SQLAlchemy Core metadata; SQLite and PostgreSQL alike.

What belongs here: tables, keys and which of them are append-only.
What does not: how they come into being (``migrations/``) and who may write what.

Instants are text ``YYYY-MM-DDTHH:MM:SS.ffffffZ`` and dates ISO 8601 text, because both are parts of
hashes: the stored form and the hashed form are the same on every database. Amounts are minor units.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

# STRICT tables of SQLite know INTEGER only (it is 64 bits wide there); PostgreSQL needs BIGINT.
WholeNumber = BigInteger().with_variant(Integer(), "sqlite")


def _table(name: str, *columns: Column | UniqueConstraint | Index) -> Table:
    return Table(name, metadata, *columns, sqlite_strict=True)


def _text(name: str, *arguments: ForeignKey, nullable: bool = False, **options: bool) -> Column:
    return Column(name, Text, *arguments, nullable=nullable, **options)


def _number(name: str, *arguments: ForeignKey, nullable: bool = False, **options: bool) -> Column:
    return Column(name, WholeNumber, *arguments, nullable=nullable, **options)


def _numbered_key(name: str, *arguments: ForeignKey) -> Column:
    # Numbers are given by the writer inside its transaction, so that a gap means a removed row.
    return Column(name, WholeNumber, *arguments, primary_key=True, autoincrement=False)


# Every decision and every posting, in one chain. `subject` is `kind:id`, such as `batch:b-2026…`.
events = _table(
    "events",
    _numbered_key("seq"),
    _text("kind"),
    _text("subject"),
    _text("actor"),
    _text("identity_level"),
    _text("payload"),
    _text("reason"),
    _text("recorded_at"),
    _number("hash_version"),
    _text("previous_hash", unique=True),
    _text("hash", unique=True),
    Index("events_by_subject", "subject", "seq"),
    Index("events_by_kind", "kind", "seq"),
)

# The register of journal files. A file that is not here does not exist.
segments = _table(
    "segments",
    _numbered_key("segment"),
    _text("path", unique=True),
    _text("sha256"),
    _number("rows"),
    _text("totals"),
    _text("origin"),
    _text("origin_id"),
    _text("recorded_at"),
    _text("registered_at"),
    _text("previous_hash", unique=True),
    _text("hash", unique=True),
)

nights = _table(
    "nights",
    _numbered_key("night"),
    _text("run_id", unique=True),
    _text("as_of"),
    _text("recorded_at"),
    _text("registered_at"),
    _number("segment", ForeignKey("segments.segment"), nullable=True),
)

terms_used = _table(
    "terms_used",
    _text("kind", primary_key=True),
    _text("id", primary_key=True),
    _text("version", primary_key=True),
    _text("sha256"),
    _text("first_as_of"),
)

cutoffs = _table(
    "cutoffs",
    _text("cutoff_date", primary_key=True),
    _text("pay_date", primary_key=True),
    _text("as_of"),
    _text("actor"),
    _text("proposed_at"),
)

batches = _table(
    "batches",
    _text("batch_id", primary_key=True),
    _number("version"),
    _text("legal_entity"),
    _text("currency_code"),
    _text("rail"),
    _text("pay_date"),
    _text("cutoff_date"),
    _text("as_of"),
    _number("items"),
    _number("total_amount_minor"),
    _text("terms_hash"),
    _text("claims_path", unique=True),
    _text("claims_sha256"),
    _number("claims_rows"),
    _text("content_hash", unique=True),
    _text("proposed_at"),
    # Version of the hashed form; null is the first. The payer's account stands in the vault.
    _number("content_version", nullable=True),
    _text("payer_details_id", nullable=True),
    _text("payer_fingerprint", nullable=True),
    UniqueConstraint("legal_entity", "currency_code", "rail", "cutoff_date", "version"),
)

# Where a batch stands now: the fold of its events, kept for quick reading and checked by verify.
# The only table about money that is ever updated.
batch_states = _table(
    "batch_states",
    _text("batch_id", ForeignKey("batches.batch_id"), primary_key=True),
    _text("state"),
    _number("last_seq"),
)

# One row each time a group (legal entity, currency, rail) was looked at for a pay date.
proposals = _table(
    "proposals",
    _text("proposal_id", primary_key=True),
    _number("ordinal"),
    _text("legal_entity"),
    _text("currency_code"),
    _text("rail"),
    _text("pay_date"),
    _text("cutoff_date"),
    _text("as_of"),
    _text("batch_id", ForeignKey("batches.batch_id"), nullable=True, unique=True),
    _text("left_out_hash"),
    _text("proposed_at"),
    UniqueConstraint("legal_entity", "currency_code", "rail", "pay_date", "cutoff_date", "ordinal"),
)

# A partner in a batch, or left out of it with the reason (then batch_id and partner_name are null).
payout_items = _table(
    "payout_items",
    _text("payout_id", primary_key=True),
    _text("proposal_id", ForeignKey("proposals.proposal_id")),
    _text("batch_id", ForeignKey("batches.batch_id"), nullable=True),
    _text("partner_id"),
    _text("partner_name", nullable=True),
    _text("currency_code"),
    _number("amount_minor"),
    _number("entries"),
    _text("entries_hash"),
    _text("left_out_reason", nullable=True),
    # What stays to be netted later, zero or negative (P3); the account's id and keyed hash.
    _number("carried_amount_minor", nullable=True),
    _text("details_id", nullable=True),
    _text("payee_fingerprint", nullable=True),
    UniqueConstraint("proposal_id", "partner_id"),
    Index("payout_items_by_batch", "batch_id"),
)

exports = _table(
    "exports",
    _text("batch_id", ForeignKey("batches.batch_id"), primary_key=True),
    _text("content_hash"),
    _text("file_path", unique=True),
    _text("file_sha256"),
    _number("file_bytes"),
    _text("manifest"),
    _text("manifest_sha256"),
    _number("segment", ForeignKey("segments.segment"), unique=True),
    _text("exported_at"),
)

# What needs a look before a batch is approved, in the order in which it is shown; hashed with it.
batch_exceptions = _table(
    "batch_exceptions",
    _text("batch_id", ForeignKey("batches.batch_id"), primary_key=True),
    Column("number", WholeNumber, primary_key=True, autoincrement=False),
    _text("kind"),
    _text("partner_id", nullable=True),
    _number("amount_minor", nullable=True),
    _text("detail"),
)

# The files of an export, one row each; `exports` names the first. A rail's limit splits a batch.
export_files = _table(
    "export_files",
    _text("batch_id", ForeignKey("exports.batch_id"), primary_key=True),
    Column("part", WholeNumber, primary_key=True, autoincrement=False),
    _text("file_path", unique=True),
    _text("file_sha256"),
    _number("file_bytes"),
    _number("items"),
    _number("total_amount_minor"),
)

# Files in which a bank or provider says what became of payouts: each is read once. The event of the
# same number holds the hash of the row.
settlement_files = _table(
    "settlement_files",
    _numbered_key("seq", ForeignKey("events.seq")),
    _text("settlement_id", unique=True),
    _text("file_sha256", unique=True),
    _text("file_format"),
    _text("file_name"),
    _number("file_bytes"),
    _number("lines"),
)

# What became of a payout, in the order in which it was read. `line` is the place in its file.
payout_outcomes = _table(
    "payout_outcomes",
    _numbered_key("seq", ForeignKey("events.seq")),
    Column("number", WholeNumber, primary_key=True, autoincrement=False),
    _text("payout_id", ForeignKey("payout_items.payout_id")),
    _text("batch_id", ForeignKey("batches.batch_id")),
    _text("outcome"),
    _number("amount_minor"),
    _text("currency_code"),
    _text("value_date", nullable=True),
    _text("reason_code", nullable=True),
    _text("reference", nullable=True),
    _text("settlement_id", nullable=True),
    _number("line", nullable=True),
    _text("return_entry_id", nullable=True),
    Index("payout_outcomes_by_payout", "payout_id", "seq", "number"),
    Index("payout_outcomes_by_batch", "batch_id", "seq"),
)

# Disputes that partners or staff open on a line, a lead or a payout. What they wrote and the
# evidence that the system attached stand here; the event of the same number holds their hash.
commission_disputes = _table(
    "commission_disputes",
    _numbered_key("seq", ForeignKey("events.seq")),
    _text("dispute_id", unique=True),
    _text("subject_type"),
    _text("subject_id"),
    _text("partner_id"),
    _text("opened_by_role"),
    _text("due_at"),
    _text("text"),
    _text("evidence"),
    Index("commission_disputes_by_partner", "partner_id", "seq"),
)

# Deal registrations and leads that were entered here. The e-mail joins the prospect with other
# records and stands here alone; the event of the same number holds the hash of the row.
lead_registrations = _table(
    "lead_registrations",
    _numbered_key("seq", ForeignKey("events.seq")),
    _text("registration_id", unique=True),
    _text("entity"),
    _text("partner_id"),
    _text("submitted_at"),
    _text("email", nullable=True),
    _text("company_domain", nullable=True),
    _text("deal_id", nullable=True),
    _number("expected_amount_minor", nullable=True),
    _text("currency_code", nullable=True),
    Index("lead_registrations_by_partner", "partner_id", "seq"),
)

# What people wrote about a lead or a registration; proved by events in the same way.
lead_messages = _table(
    "lead_messages",
    _numbered_key("seq", ForeignKey("events.seq")),
    _text("message_id", unique=True),
    _text("subject_type"),
    _text("subject_id"),
    _text("author_role"),
    _number("is_partner_visible"),
    _text("posted_at"),
    _text("text"),
    Index("lead_messages_by_subject", "subject_type", "subject_id", "seq"),
)

# Manual adjustments as proposed, signed from the partner's view; `available_date` is the first day
# asked for. The event of the same number holds the hash of the row.
adjustments = _table(
    "adjustments",
    _numbered_key("seq", ForeignKey("events.seq")),
    _text("adjustment_id", unique=True),
    _text("partner_id"),
    _number("amount_minor"),
    _text("currency_code"),
    _text("available_date", nullable=True),
    _text("lead_id", nullable=True),
    _text("corrects_entry_id", nullable=True),
    _text("evidence"),
    Index("adjustments_by_partner", "partner_id", "seq"),
)

# Who is signed in to the web app. The cookie holds a token, this table its SHA-256 alone. No
# decision: rows are revoked, and removed once they are old. kind: staff, partner or demo.
web_sessions = _table(
    "web_sessions",
    _text("session_sha256", primary_key=True),
    _text("subject"),
    _text("kind"),
    _text("identity_level"),
    _text("partner_id", nullable=True),
    _text("created_at"),
    _text("expires_at"),
    _text("revoked_at", nullable=True),
    Index("web_sessions_by_subject", "subject"),
)

# Links by mail with which a partner signs in, once each. Hashes alone, of token and address.
login_links = _table(
    "login_links",
    _text("token_sha256", primary_key=True),
    _text("partner_id"),
    _text("email_sha256"),
    _text("created_at"),
    _text("expires_at"),
    _text("used_at", nullable=True),
    Index("login_links_by_address", "email_sha256", "created_at"),
)

# To which addresses a partner may have such links sent, in lower case. source: directory (copied
# when a night is published), invitation or person.
portal_addresses = _table(
    "portal_addresses",
    _text("partner_id", primary_key=True),
    _text("email", primary_key=True),
    _text("source"),
    _text("added_at"),
    Index("portal_addresses_by_email", "email"),
)

# Messages to partners and staff, see ``outbox``. No decision: a row moves through its states.
# channel: mail or webhook. claimed_by: the process that took it to send it. needs_person: 1 until
# somebody has looked at what was not delivered. payload: what the template is filled with, JSON;
# emptied where it would let somebody in.
outbox_messages = _table(
    "outbox_messages",
    _text("message_id", primary_key=True),
    _text("kind"),
    _text("subject_ref"),
    _text("channel"),
    _text("recipient"),
    _text("locale"),
    _text("payload"),
    _text("created_at"),
    _text("expires_at", nullable=True),
    _text("state"),
    _number("attempts"),
    _text("next_attempt_at", nullable=True),
    _text("claimed_at", nullable=True),
    _text("claimed_by", nullable=True),
    _text("last_error", nullable=True),
    _number("needs_person"),
    _text("changed_at"),
    _text("sent_at", nullable=True),
    Index("outbox_messages_by_state", "state", "channel", "created_at"),
)

# What has been told, by a key of the fact and of who was told. message_id: null for what was known
# before notices were switched on. segment: of a statement, the last one that it covers.
notices_told = _table(
    "notices_told",
    _text("told_key", primary_key=True),
    _text("message_id", nullable=True),
    _number("segment", nullable=True),
    _text("told_at"),
)

# One row, locked first by each writer on PostgreSQL; SQLite takes its own write lock instead.
write_locks = _table("write_locks", _numbered_key("id"))

APPEND_ONLY = (
    "events",
    "segments",
    "nights",
    "terms_used",
    "cutoffs",
    "batches",
    "proposals",
    "payout_items",
    "exports",
    "lead_registrations",
    "lead_messages",
    "adjustments",
    "batch_exceptions",
    "export_files",
    "settlement_files",
    "payout_outcomes",
    "commission_disputes",
)
