"""The payout files of a batch: content and accounts in, bytes out.

What belongs here: taking accounts from the vault for exactly the batch that was approved, and
checking the bytes. What does not: a format (``files/``), and where files lie (``export``).
Source: payouts reference 2 and 7; I7, P10 of the SEPA checks.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from payouts.errors import ExportRefusedError
from payouts.files import csv_file
from payouts.files.payment import Payment, PaymentBatch, PayoutFile
from payouts.records import BatchContent
from payouts.selection import RAILS_WITH_DETAILS

if TYPE_CHECKING:
    from payouts.vault import Vault


def needs_vault(content: BatchContent) -> bool:
    """Whether the files of a batch name accounts."""
    return content.rail in RAILS_WITH_DETAILS


def render_files(
    content: BatchContent, vault: Vault | None, created_at: datetime, execution_date: date
) -> list[PayoutFile]:
    """The files of a batch, in order; the same arguments give the same bytes.

    created_at: when the batch was proposed, naive UTC. execution_date: the day on which the bank is
    asked to pay. Accounts are those that the batch names, whatever is in force now.
    Raises: ExportRefusedError naming every fault; errors of the vault.
    """
    if not needs_vault(content):
        rendered = csv_file.render(content)
        return [
            PayoutFile(csv_file.FILE_NAME, rendered, len(content.items), content.total_amount_minor)
        ]
    from payouts.files.rails import render

    return render(content.rail, _payment_batch(content, vault, created_at, execution_date))


def check_files(
    content: BatchContent,
    files: Sequence[PayoutFile],
    vault: Vault | None,
    created_at: datetime,
    execution_date: date,
    today: date,
) -> None:
    """Read the bytes again and hold them against the batch.

    today: the local day of the export. Raises: ExportRefusedError naming every fault.
    """
    items = sum(file.items for file in files)
    total_minor = sum(file.total_amount_minor for file in files)
    if (items, total_minor) != (len(content.items), content.total_amount_minor):
        raise ExportRefusedError(
            f"the files of batch {content.batch_id} hold {items} payouts and {total_minor} minor "
            "units, the batch something else; nothing was exported. This is a fault of the writer"
        )
    if not needs_vault(content):
        return
    from payouts.files.rails import check

    batch = _payment_batch(content, vault, created_at, execution_date)
    faults = check(content.rail, list(files), batch, today)
    if faults:
        raise ExportRefusedError(
            f"the {content.rail} file of batch {content.batch_id} does not pass its checks: "
            f"{'; '.join(faults)}. Nothing was exported; correct the payout details, reject the "
            "batch and propose again"
        )


def _payment_batch(
    content: BatchContent, vault: Vault | None, created_at: datetime, execution_date: date
) -> PaymentBatch:
    if vault is None:
        raise ExportRefusedError(
            f"batch {content.batch_id} is paid by {content.rail}, whose accounts are in the vault; "
            "nothing was exported. Set PARTNERLEDGER_VAULT_KEY to the vault's key, which is kept "
            "where your secrets are kept (docs/runbooks/payee-details.md), and export again"
        )
    if content.payer_details_id is None:
        raise ExportRefusedError(
            f"batch {content.batch_id} names no account to pay from; nothing was exported. Record "
            f"it with partnerledger payee payer set --rail {content.rail}, reject the batch and "
            "propose again"
        )
    payments = tuple(
        Payment(item.payout_id, item.partner_id, item.amount_minor, vault.get(item.details_id))
        for item in content.items
    )
    return PaymentBatch(
        batch_id=content.batch_id,
        currency_code=content.currency_code,
        pay_date=execution_date,
        created_at=created_at,
        total_amount_minor=content.total_amount_minor,
        payments=payments,
        payer=vault.get(content.payer_details_id),
    )
