"""Errors of the readers' side. Every message says what to do."""

from __future__ import annotations


class DashboardError(Exception):
    """Base of all errors of this package. `is_transient`: trying again alone can help."""

    is_transient = False


class SnapshotMissingError(DashboardError):
    """No night has published a snapshot in this home yet."""


class SnapshotDamagedError(DashboardError):
    """The pointer or the file it names cannot be read."""
