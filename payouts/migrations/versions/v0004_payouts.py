"""Payouts by bank: exceptions of a batch, files of an export, settlement, disputes.

Revision 0004: five append-only tables, and nullable columns of batches and items. Decisions on
payees, delegation and pausing are events and need no table.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from payouts.migrations.append_only import statements

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

WHOLE_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
APPEND_ONLY = (
    "batch_exceptions",
    "export_files",
    "settlement_files",
    "payout_outcomes",
    "commission_disputes",
)


def upgrade() -> None:
    """Add columns, create the tables, carry the exports over, then make them append-only."""
    _add_columns()
    _create_batch_tables()
    _create_settlement_tables()
    _create_disputes()
    # An export of an earlier revision has one file.
    op.execute(
        "insert into export_files (batch_id, part, file_path, file_sha256, file_bytes, items, "
        "total_amount_minor) select e.batch_id, 1, e.file_path, e.file_sha256, e.file_bytes, "
        "b.items, b.total_amount_minor from exports e join batches b on b.batch_id = e.batch_id"
    )
    for statement in statements(op.get_context().dialect.name, APPEND_ONLY):
        op.execute(statement)


def downgrade() -> None:
    """Decisions are never thrown away."""
    raise NotImplementedError("revision 0004 cannot be undone; restore a backup instead")


def _add_columns() -> None:
    op.add_column("batches", sa.Column("content_version", WHOLE_NUMBER, nullable=True))
    op.add_column("batches", sa.Column("payer_details_id", sa.Text(), nullable=True))
    op.add_column("batches", sa.Column("payer_fingerprint", sa.Text(), nullable=True))
    op.add_column("payout_items", sa.Column("carried_amount_minor", WHOLE_NUMBER, nullable=True))
    op.add_column("payout_items", sa.Column("details_id", sa.Text(), nullable=True))
    op.add_column("payout_items", sa.Column("payee_fingerprint", sa.Text(), nullable=True))


def _create_batch_tables() -> None:
    op.create_table(
        "batch_exceptions",
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.Column("number", WHOLE_NUMBER, nullable=False, autoincrement=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("partner_id", sa.Text(), nullable=True),
        sa.Column("amount_minor", WHOLE_NUMBER, nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("batch_id", "number"),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.batch_id"]),
        sqlite_strict=True,
    )
    op.create_table(
        "export_files",
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.Column("part", WHOLE_NUMBER, nullable=False, autoincrement=False),
        sa.Column("file_path", sa.Text(), nullable=False),
        sa.Column("file_sha256", sa.Text(), nullable=False),
        sa.Column("file_bytes", WHOLE_NUMBER, nullable=False),
        sa.Column("items", WHOLE_NUMBER, nullable=False),
        sa.Column("total_amount_minor", WHOLE_NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("batch_id", "part"),
        sa.ForeignKeyConstraint(["batch_id"], ["exports.batch_id"]),
        sa.UniqueConstraint("file_path"),
        sqlite_strict=True,
    )


def _create_settlement_tables() -> None:
    op.create_table(
        "settlement_files",
        sa.Column("seq", WHOLE_NUMBER, nullable=False, autoincrement=False),
        sa.Column("settlement_id", sa.Text(), nullable=False),
        sa.Column("file_sha256", sa.Text(), nullable=False),
        sa.Column("file_format", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("file_bytes", WHOLE_NUMBER, nullable=False),
        sa.Column("lines", WHOLE_NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.ForeignKeyConstraint(["seq"], ["events.seq"]),
        sa.UniqueConstraint("settlement_id"),
        sa.UniqueConstraint("file_sha256"),
        sqlite_strict=True,
    )
    op.create_table(
        "payout_outcomes",
        sa.Column("seq", WHOLE_NUMBER, nullable=False, autoincrement=False),
        sa.Column("number", WHOLE_NUMBER, nullable=False, autoincrement=False),
        sa.Column("payout_id", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("amount_minor", WHOLE_NUMBER, nullable=False),
        sa.Column("currency_code", sa.Text(), nullable=False),
        sa.Column("value_date", sa.Text(), nullable=True),
        sa.Column("reason_code", sa.Text(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("settlement_id", sa.Text(), nullable=True),
        sa.Column("line", WHOLE_NUMBER, nullable=True),
        sa.Column("return_entry_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("seq", "number"),
        sa.ForeignKeyConstraint(["seq"], ["events.seq"]),
        sa.ForeignKeyConstraint(["payout_id"], ["payout_items.payout_id"]),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.batch_id"]),
        sqlite_strict=True,
    )
    op.create_index("payout_outcomes_by_payout", "payout_outcomes", ["payout_id", "seq", "number"])
    op.create_index("payout_outcomes_by_batch", "payout_outcomes", ["batch_id", "seq"])


def _create_disputes() -> None:
    op.create_table(
        "commission_disputes",
        sa.Column("seq", WHOLE_NUMBER, nullable=False, autoincrement=False),
        sa.Column("dispute_id", sa.Text(), nullable=False),
        sa.Column("subject_type", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("partner_id", sa.Text(), nullable=False),
        sa.Column("opened_by_role", sa.Text(), nullable=False),
        sa.Column("due_at", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.ForeignKeyConstraint(["seq"], ["events.seq"]),
        sa.UniqueConstraint("dispute_id"),
        sqlite_strict=True,
    )
    op.create_index("commission_disputes_by_partner", "commission_disputes", ["partner_id", "seq"])
