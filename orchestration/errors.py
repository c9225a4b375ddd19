"""Errors of a night. What belongs here: every error class of this package.

What does not: errors of terms, ingest or payouts; those rooms raise their own, and the night
passes their text on unchanged.
"""

from __future__ import annotations


class OrchestrationError(Exception):
    """Base of everything the night refuses or fails with.

    `str()` is one line: what happened, where, and what to do. `step` names the step of the night
    in which it happened; empty before the first one.
    """

    retryable = False

    def __init__(self, message: str, what_to_do: str = "", step: str = "") -> None:
        self.message = " ".join(message.split())
        self.what_to_do = " ".join(what_to_do.split())
        self.step = step
        super().__init__(self.message)

    def __str__(self) -> str:
        line = self.message if self.message.endswith((".", "!", "?")) else f"{self.message}."
        return f"{line} {self.what_to_do}".strip()


class TransientNightError(OrchestrationError):
    """Trying again later can help: another night runs, a server was busy, the disk was full."""

    retryable = True


class PermanentNightError(OrchestrationError):
    """Someone has to change something first."""


class NightBusyError(TransientNightError):
    """Another night holds the lock of this home."""


class SettingError(PermanentNightError):
    """An environment variable or argument of the run cannot be used."""


class StreamsFailedError(TransientNightError):
    """At least one source could not be read; nothing was posted."""


class UndeclaredSourceError(PermanentNightError):
    """Records were landed from a source that sources.yml no longer names; nothing was posted."""


class WarehouseError(PermanentNightError):
    """The working file does not fit the step that wants to use it."""


class DiskFullError(TransientNightError):
    """The disk filled up; what was being written is not part of any state."""


class DbtError(PermanentNightError):
    """dbt could not parse or build the project, or one of its tests failed."""


class ChecksFailedError(PermanentNightError):
    """A blocking check failed; the snapshot of the last good night stays published."""


class PublishError(PermanentNightError):
    """The snapshot could not be published; the pointer was not changed."""


class StepError(PermanentNightError):
    """A step failed with an error that no room foresaw; the log holds the traceback."""
