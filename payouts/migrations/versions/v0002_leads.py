"""Leads: registrations that were entered here, and messages about leads.

Revision 0002: two append-only tables. Decisions on them are events and need no table.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from payouts.migrations.append_only import statements

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

WHOLE_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
APPEND_ONLY = ("lead_registrations", "lead_messages")


def upgrade() -> None:
    """Create both tables, then the triggers that make them append-only."""
    op.create_table(
        "lead_registrations",
        sa.Column("seq", WHOLE_NUMBER, nullable=False, autoincrement=False),
        sa.Column("registration_id", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("partner_id", sa.Text(), nullable=False),
        sa.Column("submitted_at", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("company_domain", sa.Text(), nullable=True),
        sa.Column("deal_id", sa.Text(), nullable=True),
        sa.Column("expected_amount_minor", WHOLE_NUMBER, nullable=True),
        sa.Column("currency_code", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("seq"),
        sa.ForeignKeyConstraint(["seq"], ["events.seq"]),
        sa.UniqueConstraint("registration_id"),
        sqlite_strict=True,
    )
    op.create_index("lead_registrations_by_partner", "lead_registrations", ["partner_id", "seq"])
    op.create_table(
        "lead_messages",
        sa.Column("seq", WHOLE_NUMBER, nullable=False, autoincrement=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("subject_type", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("author_role", sa.Text(), nullable=False),
        sa.Column("is_partner_visible", WHOLE_NUMBER, nullable=False),
        sa.Column("posted_at", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.ForeignKeyConstraint(["seq"], ["events.seq"]),
        sa.UniqueConstraint("message_id"),
        sqlite_strict=True,
    )
    op.create_index(
        "lead_messages_by_subject", "lead_messages", ["subject_type", "subject_id", "seq"]
    )
    for statement in statements(op.get_context().dialect.name, APPEND_ONLY):
        op.execute(statement)


def downgrade() -> None:
    """Decisions are never thrown away."""
    raise NotImplementedError("revision 0002 cannot be undone; restore a backup instead")
