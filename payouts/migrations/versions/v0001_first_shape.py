"""First shape of the control database.

Revision 0001: events, register of segments and nights, terms in use, batches, items, exports.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from payouts.migrations.append_only import statements

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

WHOLE_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
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
)


def upgrade() -> None:
    """Create all tables, then the triggers that make event tables append-only."""
    _create_log_tables()
    _create_journal_tables()
    _create_batch_tables()
    _create_item_tables()
    op.execute("insert into write_locks (id) values (1)")
    for statement in statements(op.get_context().dialect.name, APPEND_ONLY):
        op.execute(statement)


def downgrade() -> None:
    """Decisions are never thrown away: there is no way back before the first revision."""
    raise NotImplementedError("the first revision cannot be undone; restore a backup instead")


def _create_log_tables() -> None:
    op.create_table(
        "events",
        sa.Column("seq", WHOLE_NUMBER, nullable=False, autoincrement=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("identity_level", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.Text(), nullable=False),
        sa.Column("hash_version", WHOLE_NUMBER, nullable=False),
        sa.Column("previous_hash", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("hash"),
        sa.UniqueConstraint("previous_hash"),
        sqlite_strict=True,
    )
    op.create_index("events_by_kind", "events", ["kind", "seq"])
    op.create_index("events_by_subject", "events", ["subject", "seq"])
    op.create_table(
        "write_locks",
        sa.Column("id", WHOLE_NUMBER, nullable=False, autoincrement=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
    )


def _create_journal_tables() -> None:
    op.create_table(
        "segments",
        sa.Column("segment", WHOLE_NUMBER, nullable=False, autoincrement=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("rows", WHOLE_NUMBER, nullable=False),
        sa.Column("totals", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("origin_id", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.Text(), nullable=False),
        sa.Column("registered_at", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("segment"),
        sa.UniqueConstraint("hash"),
        sa.UniqueConstraint("path"),
        sa.UniqueConstraint("previous_hash"),
        sqlite_strict=True,
    )
    op.create_table(
        "nights",
        sa.Column("night", WHOLE_NUMBER, nullable=False, autoincrement=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.Text(), nullable=False),
        sa.Column("registered_at", sa.Text(), nullable=False),
        sa.Column("segment", WHOLE_NUMBER, nullable=True),
        sa.PrimaryKeyConstraint("night"),
        sa.ForeignKeyConstraint(["segment"], ["segments.segment"]),
        sa.UniqueConstraint("run_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "terms_used",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("first_as_of", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "id", "version"),
        sqlite_strict=True,
    )


def _create_batch_tables() -> None:
    op.create_table(
        "cutoffs",
        sa.Column("cutoff_date", sa.Text(), nullable=False),
        sa.Column("pay_date", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("cutoff_date", "pay_date"),
        sqlite_strict=True,
    )
    op.create_table(
        "batches",
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.Column("version", WHOLE_NUMBER, nullable=False),
        sa.Column("legal_entity", sa.Text(), nullable=False),
        sa.Column("currency_code", sa.Text(), nullable=False),
        sa.Column("rail", sa.Text(), nullable=False),
        sa.Column("pay_date", sa.Text(), nullable=False),
        sa.Column("cutoff_date", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Text(), nullable=False),
        sa.Column("items", WHOLE_NUMBER, nullable=False),
        sa.Column("total_amount_minor", WHOLE_NUMBER, nullable=False),
        sa.Column("terms_hash", sa.Text(), nullable=False),
        sa.Column("claims_path", sa.Text(), nullable=False),
        sa.Column("claims_sha256", sa.Text(), nullable=False),
        sa.Column("claims_rows", WHOLE_NUMBER, nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("batch_id"),
        sa.UniqueConstraint("claims_path"),
        sa.UniqueConstraint("content_hash"),
        sa.UniqueConstraint("legal_entity", "currency_code", "rail", "cutoff_date", "version"),
        sqlite_strict=True,
    )
    op.create_table(
        "batch_states",
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("last_seq", WHOLE_NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("batch_id"),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.batch_id"]),
        sqlite_strict=True,
    )


def _create_item_tables() -> None:
    op.create_table(
        "proposals",
        sa.Column("proposal_id", sa.Text(), nullable=False),
        sa.Column("ordinal", WHOLE_NUMBER, nullable=False),
        sa.Column("legal_entity", sa.Text(), nullable=False),
        sa.Column("currency_code", sa.Text(), nullable=False),
        sa.Column("rail", sa.Text(), nullable=False),
        sa.Column("pay_date", sa.Text(), nullable=False),
        sa.Column("cutoff_date", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.Text(), nullable=True),
        sa.Column("left_out_hash", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("proposal_id"),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.batch_id"]),
        sa.UniqueConstraint("batch_id"),
        sa.UniqueConstraint(
            "legal_entity", "currency_code", "rail", "pay_date", "cutoff_date", "ordinal"
        ),
        sqlite_strict=True,
    )
    op.create_table(
        "payout_items",
        sa.Column("payout_id", sa.Text(), nullable=False),
        sa.Column("proposal_id", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.Text(), nullable=True),
        sa.Column("partner_id", sa.Text(), nullable=False),
        sa.Column("partner_name", sa.Text(), nullable=True),
        sa.Column("currency_code", sa.Text(), nullable=False),
        sa.Column("amount_minor", WHOLE_NUMBER, nullable=False),
        sa.Column("entries", WHOLE_NUMBER, nullable=False),
        sa.Column("entries_hash", sa.Text(), nullable=False),
        sa.Column("left_out_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("payout_id"),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.batch_id"]),
        sa.ForeignKeyConstraint(["proposal_id"], ["proposals.proposal_id"]),
        sa.UniqueConstraint("proposal_id", "partner_id"),
        sqlite_strict=True,
    )
    op.create_index("payout_items_by_batch", "payout_items", ["batch_id"])
    op.create_table(
        "exports",
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("file_path", sa.Text(), nullable=False),
        sa.Column("file_sha256", sa.Text(), nullable=False),
        sa.Column("file_bytes", WHOLE_NUMBER, nullable=False),
        sa.Column("manifest", sa.Text(), nullable=False),
        sa.Column("manifest_sha256", sa.Text(), nullable=False),
        sa.Column("segment", WHOLE_NUMBER, nullable=False),
        sa.Column("exported_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("batch_id"),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.batch_id"]),
        sa.ForeignKeyConstraint(["segment"], ["segments.segment"]),
        sa.UniqueConstraint("file_path"),
        sa.UniqueConstraint("segment"),
        sqlite_strict=True,
    )
