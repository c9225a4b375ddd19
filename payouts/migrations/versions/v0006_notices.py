"""Notices: what is to be sent, and what somebody has been told already.

Revision 0006: two tables that are no decisions and therefore not append-only.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

WHOLE_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables and what they are looked up by."""
    op.create_table(
        "outbox_messages",
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_ref", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", WHOLE_NUMBER, nullable=False),
        sa.Column("next_attempt_at", sa.Text(), nullable=True),
        sa.Column("claimed_at", sa.Text(), nullable=True),
        sa.Column("claimed_by", sa.Text(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("needs_person", WHOLE_NUMBER, nullable=False),
        sa.Column("changed_at", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("message_id"),
        sqlite_strict=True,
    )
    op.create_index(
        "outbox_messages_by_state", "outbox_messages", ["state", "channel", "created_at"]
    )
    op.create_table(
        "notices_told",
        sa.Column("told_key", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("segment", WHOLE_NUMBER, nullable=True),
        sa.Column("told_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("told_key"),
        sqlite_strict=True,
    )


def downgrade() -> None:
    """A database of this revision is never read by an older version."""
    raise NotImplementedError("revision 0006 cannot be undone; restore a backup instead")
