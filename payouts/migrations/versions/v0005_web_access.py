"""Signing in to the web app: sessions, links by mail, and addresses of partners.

Revision 0005: three tables that are no decisions and therefore not append-only. Tokens are never
stored, only their SHA-256.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables and what they are looked up by."""
    op.create_table(
        "web_sessions",
        sa.Column("session_sha256", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("identity_level", sa.Text(), nullable=False),
        sa.Column("partner_id", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.Text(), nullable=False),
        sa.Column("revoked_at", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("session_sha256"),
        sqlite_strict=True,
    )
    op.create_index("web_sessions_by_subject", "web_sessions", ["subject"])
    op.create_table(
        "login_links",
        sa.Column("token_sha256", sa.Text(), nullable=False),
        sa.Column("partner_id", sa.Text(), nullable=False),
        sa.Column("email_sha256", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.Text(), nullable=False),
        sa.Column("used_at", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("token_sha256"),
        sqlite_strict=True,
    )
    op.create_index("login_links_by_address", "login_links", ["email_sha256", "created_at"])
    op.create_table(
        "portal_addresses",
        sa.Column("partner_id", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("added_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("partner_id", "email"),
        sqlite_strict=True,
    )
    op.create_index("portal_addresses_by_email", "portal_addresses", ["email"])


def downgrade() -> None:
    """A database of this revision is never read by an older version."""
    raise NotImplementedError("revision 0005 cannot be undone; restore a backup instead")
