"""Errors of the readers' side. Every message says what to do."""

from __future__ import annotations


class DashboardError(Exception):
    """Base of all errors of this package. `is_transient`: trying again alone can help."""

    is_transient = False


class SnapshotMissingError(DashboardError):
    """No night has published a snapshot in this home yet."""


class SnapshotDamagedError(DashboardError):
    """The pointer or the file it names cannot be read."""


class NotFoundError(DashboardError):
    """There is no such page or record, or it is nobody's business of who asks."""


class ForbiddenError(DashboardError):
    """Somebody has signed in, and the page is for other roles."""


class BadInputError(DashboardError):
    """An address or a form holds what the page cannot use; the message says which field."""


class StaleViewError(DashboardError):
    """What somebody decided on has changed since they saw it: look again."""


class StatementError(DashboardError):
    """A statement does not add up, or cannot be set on paper; no file of it may leave."""


class RefusedError(DashboardError):
    """Something is not done, for a reason that the message gives; `what_to_do` follows it."""

    def __init__(self, message: str, what_to_do: str = "") -> None:
        self.what_to_do = what_to_do
        super().__init__(message)


class SignInRefusedError(DashboardError):
    """Nobody was signed in; the message says why, and holds no token and no address."""


class ProviderUnreachableError(DashboardError):
    """The provider of work accounts does not answer, or not as one."""

    is_transient = True


class NoticeTemplateError(DashboardError):
    """A template of a message cannot be used; the text names file and line. Nothing was sent."""


class NoticeSettingsError(DashboardError):
    """The mail server or the webhook in the environment cannot be used. No secret is repeated."""


class DeliveryError(DashboardError):
    """Base of what can go wrong with one message on its way."""


class NotSentError(DeliveryError):
    """It was certainly not sent, and trying later can help. `wait_seconds`: as the server asked."""

    is_transient = True

    def __init__(self, message: str, wait_seconds: int | None = None) -> None:
        self.wait_seconds = wait_seconds
        super().__init__(message)


class DeliveryRefusedError(DeliveryError):
    """It was refused for good: the same message will never be taken."""


class MaybeSentError(DeliveryError):
    """The connection ended after everything was handed over: it may have been sent."""


class ServerUnavailableError(DeliveryError):
    """The server itself cannot be used, whatever the message; nothing was handed over."""

    is_transient = True
