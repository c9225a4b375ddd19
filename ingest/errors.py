"""Every error class of the ingest room: transient and permanent ones are different classes.

A message says what happened and where; `what_to_do` says what helps. Neither ever holds a secret
or the value of a personal column. Does not belong here: deciding whether a night goes on.
"""

from __future__ import annotations

import errno


class IngestError(Exception):
    """Base of all errors of this package.

    what_to_do: one sentence for the person who reads the night's summary.
    is_transient: whether the same call can succeed later without a change by a person.
    """

    is_transient = False

    def __init__(self, message: str, what_to_do: str = "") -> None:
        super().__init__(message)
        self.what_to_do = what_to_do


class PermanentSourceError(IngestError):
    """A source refuses, or answers what cannot be used; a person must change something."""


class TransientSourceError(IngestError):
    """A source was out of reach or too busy after all tries; the next run may succeed."""

    is_transient = True


class UnreachableError(TransientSourceError):
    """A server gave no answer at all; what else is asked of it will hardly fare better."""


class UntrustedServerError(PermanentSourceError):
    """A server's certificate is not accepted, so nothing is asked of it."""


class QuotaSpentError(TransientSourceError):
    """The account may make no more requests today. It is not asked again in this run."""


class ForbiddenError(PermanentSourceError):
    """The secret is good, yet may not read this; it needs one more permission."""


class LoopingPagesError(PermanentSourceError):
    """A server does not honour `starting_after`: paging it would never end."""


class TruncatedPullError(PermanentSourceError):
    """A full list came back far shorter than last time; it is not made visible."""


class FileRefusedError(PermanentSourceError):
    """A dropped file cannot be read as a whole; none of its rows were landed."""


class FileChangingError(TransientSourceError):
    """A dropped file changed while it was read."""


class UnknownSourceError(IngestError):
    """A source was named that `sources.yml` does not have."""


class LandingBusyError(IngestError):
    """Another run is landing into the same home."""

    is_transient = True


class LandingDamagedError(IngestError):
    """A manifest or a landed part is not what was written; it is evidence and is never repaired."""


class DiskFullError(IngestError):
    """No space was left while landing. What was landed before stays."""

    is_transient = True


def is_disk_full(error: BaseException) -> bool:
    """Whether the operating system (directly or through DuckDB or Arrow) ran out of space."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    text = str(error).lower()
    return "no space left on device" in text or "disk quota exceeded" in text
