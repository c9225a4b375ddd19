"""Alembic migrations of the control database; ``payouts.store`` runs them."""
