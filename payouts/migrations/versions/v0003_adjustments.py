"""Manual adjustments: what was proposed, one row each.

Revision 0003: one append-only table. Decisions on adjustments, and closed periods, are events.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from payouts.migrations.append_only import statements

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

WHOLE_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
APPEND_ONLY = ("adjustments",)


def upgrade() -> None:
    """Create the table, then the triggers that make it append-only."""
    op.create_table(
        "adjustments",
        sa.Column("seq", WHOLE_NUMBER, nullable=False, autoincrement=False),
        sa.Column("adjustment_id", sa.Text(), nullable=False),
        sa.Column("partner_id", sa.Text(), nullable=False),
        sa.Column("amount_minor", WHOLE_NUMBER, nullable=False),
        sa.Column("currency_code", sa.Text(), nullable=False),
        sa.Column("available_date", sa.Text(), nullable=True),
        sa.Column("lead_id", sa.Text(), nullable=True),
        sa.Column("corrects_entry_id", sa.Text(), nullable=True),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.ForeignKeyConstraint(["seq"], ["events.seq"]),
        sa.UniqueConstraint("adjustment_id"),
        sqlite_strict=True,
    )
    op.create_index("adjustments_by_partner", "adjustments", ["partner_id", "seq"])
    for statement in statements(op.get_context().dialect.name, APPEND_ONLY):
        op.execute(statement)


def downgrade() -> None:
    """Decisions are never thrown away."""
    raise NotImplementedError("revision 0003 cannot be undone; restore a backup instead")
