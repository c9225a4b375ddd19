"""Alembic environment: runs on the connection that ``payouts.store`` passes in.

What belongs here: the bridge to Alembic. What does not: opening databases or reading settings.
Without a connection (``alembic upgrade --sql``) the statements are printed for review.
"""

from __future__ import annotations

from alembic import context

from payouts.schema import metadata

connection = context.config.attributes.get("connection")
if connection is None:
    context.configure(
        url=context.config.get_main_option("sqlalchemy.url"),
        target_metadata=metadata,
        literal_binds=True,
    )
else:
    context.configure(connection=connection, target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
