"""Every error class of the payouts room.

Each message says what happened, where, and what to do. ``is_transient`` tells a caller whether
the same call can succeed later without anybody changing anything.
"""

from __future__ import annotations


class PayoutsError(Exception):
    """Base of all errors of this package. Permanent unless a subclass says otherwise."""

    is_transient: bool = False


class TransientPayoutsError(PayoutsError):
    """The same call may succeed later: a lock was held, a disk was full."""

    is_transient = True


class ControlBusyError(TransientPayoutsError):
    """Another process holds the control database or the files lock."""


class StorageError(TransientPayoutsError):
    """A file could not be written: disk full, folder read-only or missing."""


class UnsafePathError(PayoutsError):
    """A name would lead a file out of its folder."""


class StoreError(PayoutsError):
    """The control database cannot be opened or does not have the expected shape."""


class ChainBrokenError(PayoutsError):
    """A recorded hash does not match what is stored: something was changed outside the product."""


class JournalError(PayoutsError):
    """Base of posting errors."""


class NightOrderError(JournalError):
    """J7: the night's date is earlier than the last posted one."""


class PostingRefusedError(JournalError):
    """The differences break a rule of the journal; nothing was posted."""


class TermsChangedError(JournalError):
    """T1: a version of the terms that has been used was changed or removed."""


class BatchError(PayoutsError):
    """Base of errors about batches."""


class DetailsInvalidError(PayoutsError):
    """Payment details have another shape than their rail wants; the message repeats no value."""


class BatchNotFoundError(BatchError):
    """No batch has this id."""


class ProposalRefusedError(BatchError):
    """A batch cannot be proposed for this pay date."""


class DecisionRefusedError(BatchError):
    """Something that a person decided or entered breaks a rule; nothing was recorded."""


class ExportRefusedError(BatchError):
    """The batch may not be exported; no file was registered and nothing was posted."""


class BatchStaleError(ExportRefusedError):
    """The batch changed after it was proposed; it is stale and its entries are free."""


class ExportDamagedError(ExportRefusedError):
    """An exported file differs from what was registered."""


class VaultError(PayoutsError):
    """Base of errors of the vault. No message repeats what the vault keeps."""


class VaultKeyMissingError(VaultError):
    """The key of the vault is not in the environment, or is none."""


class VaultKeyWrongError(VaultError):
    """The vault was written with another key."""


class VaultDamagedError(VaultError):
    """A row of the vault is not what was written: it was changed outside the product."""


class DetailsMissingError(VaultError):
    """The vault does not hold these details, or they were erased."""


class ScreeningCommandError(PayoutsError):
    """PARTNERLEDGER_SCREENING_COMMAND cannot be read as a command."""


class SettlementError(PayoutsError):
    """Base of errors about what a bank or provider reported; nothing was applied."""


class SettlementFileError(SettlementError):
    """A file of a bank or provider cannot be read; nothing of it was applied."""


class OutboxError(PayoutsError):
    """A message cannot be kept for sending, or is not in a state for what was asked."""
